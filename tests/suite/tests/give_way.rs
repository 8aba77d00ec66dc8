//! SAVE, BGSAVE, BGREWRITEAOF and SHUTDOWN give way to each other: never two at once, none forgotten.
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use suite::durable::{Durable, Folder};
use suite::reply::{Parts, Reply};
use suite::server::Program;

/// A server whose snapshots and bases take about two seconds.
fn slow(folder: &Folder, appendonly: &str) -> Durable {
    let program = Program::tested().expect("a server");
    let options = ["--appendonly", appendonly, "--workers", "2", "--rdb-key-save-delay", "0"];
    let server = Durable::try_start(&program, folder, &options).expect("it starts");
    let script = "for i = 1, 2000 do redis.call('SET', 'key' .. i, i) end";
    server.client().call(&["EVAL", script, "0"]).expect("it answers");
    server.ask("CONFIG SET rdb-key-save-delay 1000");
    server
}

fn text(reply: Reply) -> String {
    match reply {
        Reply::Error(error) => String::from_utf8_lossy(&error).into_owned(),
        reply => reply.as_text().unwrap_or_default(),
    }
}

fn speed_up(server: &Durable) {
    server.ask("CONFIG SET rdb-key-save-delay 0");
}

#[test]
fn a_snapshot_asked_for_during_a_rewrite_is_refused_or_comes_after_it() {
    let folder = Folder::new();
    let server = slow(&folder, "yes");
    assert!(text(server.ask("BGREWRITEAOF")).contains("started"));
    server.wait_for("aof_rewrite_in_progress", "1");
    assert!(text(server.ask("BGREWRITEAOF")).contains("already in progress"));
    assert!(text(server.ask("BGSAVE")).contains("Another child process is active"));
    assert!(text(server.ask("BGSAVE SCHEDULE")).contains("scheduled"));
    speed_up(&server);
    server.wait_for("aof_rewrite_in_progress", "0");
    server.wait_for("rdb_saves", "1");
    server.wait_for("rdb_bgsave_in_progress", "0");
    assert!(folder.path().join("dump.rdb").exists());
    assert_eq!(server.info("aof_last_bgrewrite_status").as_deref(), Some("ok"));
}

#[test]
fn a_rewrite_asked_for_during_a_snapshot_comes_after_it() {
    let folder = Folder::new();
    let server = slow(&folder, "yes");
    assert!(text(server.ask("BGSAVE")).contains("started"));
    assert!(text(server.ask("BGSAVE")).contains("already in progress"));
    assert!(text(server.ask("SAVE")).contains("already in progress"));
    assert!(text(server.ask("BGREWRITEAOF")).contains("scheduled"));
    assert_eq!(server.info("aof_rewrite_scheduled").as_deref(), Some("1"));
    speed_up(&server);
    server.wait_for("rdb_bgsave_in_progress", "0");
    server.wait_for("aof_rewrites", "1");
    assert_eq!(server.info("rdb_last_bgsave_status").as_deref(), Some("ok"));
}

#[test]
fn save_during_a_rewrite_goes_first_and_the_rewrite_begins_anew() {
    let folder = Folder::new();
    let server = slow(&folder, "yes");
    server.ask("BGREWRITEAOF");
    server.wait_for("aof_rewrite_in_progress", "1");
    server.ask("CONFIG SET rdb-key-save-delay 0");
    assert_eq!(text(server.ask("SAVE")), "OK");
    server.wait_for("aof_rewrites", "1");
    server.ask("SET after x");
    let digest = server.digest();
    server.shut_down();
    let server = Durable::start(&Program::tested().expect("a server"), &folder, &[]);
    assert_eq!(server.digest(), digest);
}

#[test]
fn a_cancelled_snapshot_leaves_no_file_and_lets_the_next_one_begin() {
    let folder = Folder::new();
    let server = slow(&folder, "no");
    for _ in 0..10 {
        server.ask("BGSAVE");
        assert!(text(server.ask("BGSAVE CANCEL")).contains("cancelled"));
    }
    let deadline = Instant::now() + Duration::from_secs(10);
    while std::fs::read_dir(folder.path()).expect("a folder").count() > 1 {
        assert!(Instant::now() < deadline, "files are left over");
        std::thread::sleep(Duration::from_millis(20));
    }
    speed_up(&server);
    assert!(text(server.ask("BGSAVE")).contains("started"));
    server.wait_for("rdb_bgsave_in_progress", "0");
    assert_eq!(server.info("rdb_last_bgsave_status").as_deref(), Some("ok"));
}

#[test]
fn the_end_of_the_server_waits_for_nothing_in_the_background() {
    for (appendonly, command) in [("yes", "BGREWRITEAOF"), ("no", "BGSAVE")] {
        let folder = Folder::new();
        let server = slow(&folder, appendonly);
        server.ask("SET last write");
        let digest = server.digest();
        server.ask("CONFIG SET rdb-key-save-delay 1000000");
        server.ask(command);
        let asked = Instant::now();
        server.client().send(&[b"SHUTDOWN".to_vec()]);
        let status = server.wait_for_end();
        assert!(status.success(), "{command}: {status}");
        assert!(asked.elapsed() < Duration::from_secs(5), "{command}: {:?}", asked.elapsed());
        if appendonly == "yes" {
            let server = Durable::start(&Program::tested().expect("a server"), &folder, &[]);
            assert_eq!(server.digest(), digest);
        }
        let names: Vec<_> = std::fs::read_dir(folder.path())
            .expect("a folder")
            .map(|file| file.expect("a file").file_name().to_string_lossy().into_owned())
            .filter(|name| name.starts_with("temp"))
            .collect();
        assert!(names.is_empty(), "{command}: {names:?}");
    }
}

#[test]
fn the_end_is_refused_while_the_first_base_is_written_unless_forced() {
    let folder = Folder::new();
    let server = slow(&folder, "no");
    server.ask("CONFIG SET rdb-key-save-delay 100000");
    server.ask("CONFIG SET appendonly yes");
    server.wait_for("aof_rewrite_in_progress", "1");
    // The mark is there before the thread that writes has begun.
    std::thread::sleep(Duration::from_millis(200));
    assert!(text(server.ask("SHUTDOWN")).contains("Errors trying to SHUTDOWN"));
    assert!(folder.log().contains("Writing initial AOF"));
    server.client().send(&[b"SHUTDOWN".to_vec(), b"FORCE".to_vec()]);
    assert!(server.wait_for_end().success());
}

/// Makes large values of four types, many of whose members have deadlines, or changes some of their members.
const FILL: &str = "for i = tonumber(ARGV[1]), tonumber(ARGV[2]) do
    redis.call('XADD', 'stream', i + 1 .. '-1', 'field', 'value:' .. i)
    redis.call('ZADD', 'zset', i % 1009, 'member:' .. i)
    redis.call('HSET', 'hash', 'field:' .. i, i)
    redis.call('SADD', 'set', 'member:' .. i)
    if i % 3 == 0 then
        local at = 3300000000000 + i % 100
        redis.call('ZPEXPIREAT', 'zset', at, 'MEMBERS', 1, 'member:' .. i)
        redis.call('HPEXPIREAT', 'hash', at, 'FIELDS', 1, 'field:' .. i)
        redis.call('SPEXPIREAT', 'set', at, 'MEMBERS', 1, 'member:' .. i)
    end
end";
const CHANGE: &str = "for i = 1, 100 do
    local name = math.random(1, 100000)
    redis.call('ZINCRBY', KEYS[1], name % 50 - 25, 'member:' .. name)
    redis.call('HSET', 'hash', 'field:' .. name, 'changed')
    redis.call('HDEL', 'hash', 'field:' .. name + 7)
    redis.call('SADD', 'set', 'new:' .. name)
    redis.call('SREM', 'set', 'member:' .. name)
    redis.call('ZREM', KEYS[1], 'member:' .. name + 7)
    redis.call('HPERSIST', 'hash', 'FIELDS', 1, 'field:' .. name + 9)
    redis.call('SPEXPIREAT', 'set', 3300000000000 + name, 'MEMBERS', 1, 'member:' .. name + 9)
    redis.call('ZPEXPIREAT', KEYS[1], 3300000000000 + name, 'MEMBERS', 1, 'member:' .. name + 9)
    redis.call('XADD', 'stream', '*', 'field', 'changed')
    redis.call('XDEL', 'stream', name .. '-1')
end
redis.call('XTRIM', 'stream', 'MAXLEN', 95000)";

#[test]
fn large_values_that_change_move_and_go_while_they_are_saved_are_saved_as_they_were() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let options = ["--workers", "1", "--appendonly", "no"];
    let server = Durable::try_start(&program, &folder, &options).expect("it starts");
    let mut client = server.client();
    for start in (0..100_000).step_by(20_000) {
        let (first, last) = (start.to_string(), (start + 19_999).to_string());
        client.call(&["EVAL", FILL, "0", &first, &last]).expect("it answers");
    }
    client.call(&["XGROUP", "CREATE", "stream", "group", "0"]).expect("it answers");
    let read = ["XREADGROUP", "GROUP", "group", "one", "COUNT", "500", "STREAMS", "stream", ">"];
    client.call(&read).expect("it answers");
    for (round, end) in ["none", "rename", "delete", "flush"].into_iter().enumerate() {
        let (digest, groups) = (server.digest(), groups(&server));
        server.ask("BGSAVE");
        let mut changes = 0;
        while server.info("rdb_bgsave_in_progress").as_deref() == Some("1") {
            changes += 1;
            let zset = if end == "rename" && changes > 3 { "moved" } else { "zset" };
            client.call(&["EVAL", CHANGE, "1", zset]).expect("it answers");
            match (end, changes) {
                ("rename", 3) => drop(server.ask("RENAME zset moved")),
                ("delete", 3) => drop(server.ask("DEL zset hash")),
                ("flush", 3) => drop(server.ask("FLUSHDB")),
                _ => {}
            }
        }
        assert_eq!(server.info("rdb_last_bgsave_status").as_deref(), Some("ok"));
        let took: u64 =
            server.info("rdb_last_cow_size").expect("it is told").parse().expect("a number");
        println!("{end}: {changes} changes of 100 members, {took} bytes beside the data set");
        assert!(took < 4 << 20, "{took} bytes for values that take tens of millions");
        let other = Folder::new();
        let (from, to) = (folder.path().join("dump.rdb"), other.path().join("dump.rdb"));
        std::fs::copy(from, to).expect("there is room");
        let loaded = Durable::try_start(&program, &other, &options).expect("it loads");
        assert_eq!(loaded.digest(), digest, "round {round}");
        assert_eq!(self::groups(&loaded), groups, "round {round}");
        server.ask("RENAME moved zset");
    }
}

/// What the stream's group has pending.
fn groups(server: &Durable) -> String {
    format!("{:?}", server.ask("XPENDING stream group"))
        + &format!("{:?}", server.ask("XINFO GROUPS stream"))
}

#[test]
fn a_large_value_that_changes_while_it_is_saved_keeps_only_its_own_clients_waiting() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let options = ["--workers", "1", "--appendonly", "no", "--rdb-key-save-delay", "1000"];
    let server = Durable::try_start(&program, &folder, &options).expect("it starts");
    let mut client = server.client();
    for call in 0..200 {
        let items = (0..1000).map(|at| format!("{call}:{at}"));
        let line = format!("RPUSH large {}", items.collect::<Vec<_>>().join(" "));
        client.call(&line.split(' ').collect::<Vec<_>>()).expect("it answers");
    }
    for number in 0..1000 {
        client.call(&["SET", &format!("key{number}"), "v"]).expect("it answers");
    }
    let digest = server.digest();
    server.ask("BGSAVE");
    let (took, slowest) = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let start = Instant::now();
            // It has to wait until the value as it was is safe.
            assert!(matches!(server.ask("RPUSH large new"), Reply::Integer(200_001)));
            start.elapsed()
        });
        let mut others = server.client();
        let mut slowest = Duration::ZERO;
        while !writer.is_finished() {
            let asked = Instant::now();
            others.call(&["GET", "key1"]).expect("it answers");
            slowest = slowest.max(asked.elapsed());
        }
        (writer.join().expect("it ends"), slowest)
    });
    // How much less that is only a quiet machine can tell.
    println!("the change took {took:?}, others waited {slowest:?} at most");
    assert_eq!(server.info("rdb_bgsave_in_progress").as_deref(), Some("1"), "it came in between");
    server.ask("CONFIG SET rdb-key-save-delay 0");
    server.wait_for("rdb_bgsave_in_progress", "0");
    assert_eq!(server.info("rdb_last_bgsave_status").as_deref(), Some("ok"));
    assert!(matches!(server.ask("LLEN large"), Reply::Integer(200_001)));
    server.shut_down();
    let server = Durable::try_start(&program, &folder, &["--appendonly", "no"]).expect("it loads");
    assert_eq!(server.digest(), digest, "the snapshot has the value as it was");
}
