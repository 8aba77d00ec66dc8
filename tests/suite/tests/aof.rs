//! Append-only files: a data set comes back, here and under `redis-server`.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use suite::client::Got;
use suite::durable::{Durable, Folder, write_much};
use suite::reply::{self, Parts, Reply};
use suite::server::Program;

const RESP_BASE: [&str; 2] = ["--aof-use-rdb-preamble", "no"];

#[test]
fn a_data_set_comes_back_after_a_restart_and_after_a_rewrite() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let server = Durable::start(&program, &folder, &[]);
    write_much(&server, 1, 3000);
    let digest = server.digest();
    server.shut_down();
    let server = Durable::start(&program, &folder, &[]);
    assert_eq!(server.digest(), digest);
    server.rewrite();
    write_much(&server, 2, 500);
    let digest = server.digest();
    server.shut_down();
    let server = Durable::start(&program, &folder, &[]);
    assert_eq!(server.digest(), digest);
}

#[test]
fn save_points_count_from_the_start_whatever_was_loaded() {
    for program in [Program::tested().ok(), Program::reference()].into_iter().flatten() {
        let folder = Folder::new();
        // The second start has a file to load.
        for _ in 0..2 {
            let server = Durable::start(&program, &folder, &["--save", "900 1"]);
            server.ask("SET key value");
            // Save points are looked at ten times a second.
            std::thread::sleep(Duration::from_millis(400));
            assert_eq!(server.info("rdb_saves").as_deref(), Some("0"));
            assert_ne!(server.info("rdb_last_save_time").as_deref(), Some("0"));
            server.kill();
        }
    }
}

#[test]
fn redis_goes_on_with_our_files_and_we_with_its() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let Some(reference) = Program::reference() else { return };
    let mut digest = None;
    for (turn, program) in [&program, &reference, &program, &reference].into_iter().enumerate() {
        let server = Durable::start(program, &folder, &RESP_BASE);
        if let Some(digest) = &digest {
            assert_eq!(&server.digest(), digest, "turn {turn}");
        }
        write_much(&server, turn as u64, 1000);
        if turn >= 1 {
            server.rewrite();
            write_much(&server, 10 + turn as u64, 1000);
        }
        digest = Some(server.digest());
        server.shut_down();
    }
}

/// Clients that count up, each a key of its own, until the server is gone; gives the last number acknowledged to
/// each, and the last sent.
fn count_until_killed(server: Durable, clients: usize, after: Duration) -> Vec<(i64, i64)> {
    let stop = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..clients)
        .map(|number| {
            let (mut client, stop) = (server.client(), Arc::clone(&stop));
            std::thread::spawn(move || {
                let key = format!("k{number}");
                let mut last = (0, 0);
                while !stop.load(Ordering::Relaxed) {
                    last.1 += 1;
                    match client.call(&["INCR", &key]) {
                        Ok(Reply::Integer(count)) => last = (count, count),
                        _ => break,
                    }
                }
                last
            })
        })
        .collect();
    std::thread::sleep(after);
    server.kill();
    stop.store(true, Ordering::Relaxed);
    threads.into_iter().map(|thread| thread.join().expect("it ends")).collect()
}

fn counts(server: &Durable, clients: usize) -> Vec<i64> {
    let mut client = server.client();
    (0..clients)
        .map(|number| {
            let reply = client.call(&["GET", &format!("k{number}")]).expect("it answers");
            reply.as_text().map_or(0, |text| text.parse().expect("a number"))
        })
        .collect()
}

#[test]
fn everysec_loses_no_more_than_the_last_moment_when_the_process_is_killed() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let server = Durable::start(&program, &folder, &["--appendfsync", "everysec"]);
    let last = count_until_killed(server, 4, Duration::from_millis(300));
    let server = Durable::start(&program, &folder, &[]);
    for (found, (acknowledged, sent)) in counts(&server, 4).into_iter().zip(last) {
        // A prefix of what each did; the kernel has all but the last milliseconds of it.
        assert!(found <= sent, "{found} was never sent");
        assert!(found * 2 >= acknowledged, "{found} of {acknowledged}");
    }
}

/// Files as a server leaves them that was stopped in the middle of writing.
fn write_files(folder: &Folder, incr: &[u8]) -> PathBuf {
    let directory = folder.path().join("appendonlydir");
    std::fs::create_dir_all(&directory).expect("a folder");
    let manifest = "file appendonly.aof.1.incr.aof seq 1 type i\n";
    std::fs::write(directory.join("appendonly.aof.manifest"), manifest).expect("a manifest");
    let path = directory.join("appendonly.aof.1.incr.aof");
    std::fs::write(&path, incr).expect("a file");
    path
}

#[test]
fn a_file_cut_off_at_any_byte_gives_what_is_whole() {
    let program = Program::tested().expect("a server");
    let one = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n1\r\n";
    let two = b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n2\r\n*1\r\n$4\r\nEXEC\r\n";
    let all = [&one[..], two].concat();
    for end in (1..=all.len()).step_by(3) {
        let folder = Folder::new();
        let path = write_files(&folder, &all[..end]);
        let server = Durable::start(&program, &folder, &[]);
        let reply = server.client().call(&["GET", "k"]).expect("it answers").as_text();
        let (expected, left) = match end {
            end if end == all.len() => (Some("2"), all.len()),
            end if end >= one.len() => (Some("1"), one.len()),
            _ => (None, 0),
        };
        assert_eq!(reply.as_deref(), expected, "cut at {end}");
        assert_eq!(std::fs::metadata(&path).expect("it is there").len(), left as u64);
    }
}

#[test]
fn what_is_no_command_is_refused_with_its_place() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    write_files(&folder, b"*1\r\n$4\r\nPING\r\nnonsense\r\n");
    let output = Command::new(&program.path)
        .args(["--port", "0", "--appendonly", "yes", "--dir"])
        .arg(folder.path())
        .output()
        .expect("it runs");
    let log = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success());
    assert!(log.contains("Bad file format reading the append only file"), "{log}");
    assert!(log.contains("offset 14"), "{log}");
}

/// Restarts, and says that the data set is the same; gives the server that then runs.
fn restart(server: Durable, program: &Program, folder: &Folder, options: &[&str]) -> Durable {
    let digest = server.digest();
    server.shut_down();
    let server = Durable::start(program, folder, options);
    assert_eq!(server.digest(), digest);
    server
}

#[test]
fn rewrites_while_clients_write_lose_nothing() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    for base in ["yes", "no"] {
        let options = ["--workers", "2", "--aof-use-rdb-preamble", base];
        let server = Durable::start(&program, &folder, &options);
        std::thread::scope(|scope| {
            for seed in 0..4 {
                let server = &server;
                scope.spawn(move || write_much(server, seed, 1500));
            }
            for _ in 0..4 {
                server.rewrite();
            }
        });
        assert_eq!(server.info("aof_last_bgrewrite_status").as_deref(), Some("ok"));
        let server = restart(server, &program, &folder, &options);
        server.rewrite();
        restart(server, &program, &folder, &options).shut_down();
        let files = std::fs::read_dir(folder.path().join("appendonlydir")).expect("a folder");
        let names: Vec<_> = files.map(|file| file.expect("a file").file_name()).collect();
        assert_eq!(names.len(), 3, "a base, what came since, and the manifest: {names:?}");
    }
}

#[test]
fn what_a_client_that_waits_is_given_is_gone_after_a_restart() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let server = Durable::start(&program, &folder, &["--workers", "2"]);
    let waits =
        ["BLPOP a 5", "BLMOVE b c LEFT RIGHT 5", "BZPOPMIN z 5", "BLMPOP 5 1 d LEFT COUNT 2"];
    let mut waiting: Vec<_> = waits
        .iter()
        .map(|line| {
            let mut client = server.client();
            client.send(&line.split(' ').map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>());
            client
        })
        .collect();
    server.wait_for("blocked_clients", "4");
    for line in ["RPUSH a 1 2", "RPUSH b 1 2", "ZADD z 1 x 2 y", "RPUSH d 1 2 3"] {
        server.ask(line);
    }
    for client in &mut waiting {
        client.reply(Duration::from_secs(5)).expect("it is served");
    }
    server.wait_for("blocked_clients", "0");
    let server = restart(server, &program, &folder, &[]);
    for line in ["LLEN a", "LLEN b", "LLEN c", "ZCARD z", "LLEN d"] {
        assert_eq!(server.ask(line), Reply::Integer(1), "{line}");
    }
}

#[test]
fn what_expired_and_what_was_evicted_stays_away_and_deadlines_stay() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let server = Durable::start(&program, &folder, &[]);
    server.ask("SET gone x PX 30");
    server.ask("SET stays x EX 1000");
    server.ask("HSET h a 1 b 2");
    server.ask("HPEXPIRE h 30 FIELDS 1 a");
    server.ask("SET later x PXAT 33177117420000");
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(server.ask("EXISTS gone"), Reply::Integer(0));
    assert_eq!(server.ask("HLEN h"), Reply::Integer(1));
    // Whoever sees it expired sees it again as it was before only if the log forgot to say so.
    let server = restart(server, &program, &folder, &[]);
    assert_eq!(server.ask("EXISTS gone stays h"), Reply::Integer(2));
    assert_eq!(server.ask("HLEN h"), Reply::Integer(1));
    assert_eq!(server.ask("PEXPIRETIME later"), Reply::Integer(33_177_117_420_000));
    for number in 0..20 {
        server.ask(&format!("SET key{number} {number}"));
    }
    server.ask("CONFIG SET maxmemory-policy allkeys-random");
    server.ask("CONFIG SET maxmemory 1");
    while server.info("evicted_keys").as_deref() == Some("0") {
        server.ask("SET one more");
    }
    server.ask("CONFIG SET maxmemory 0");
    server.ask("SET one more");
    restart(server, &program, &folder, &[]);
}

#[test]
fn transactions_and_scripts_are_logged_as_what_they_did() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let server = Durable::start(&program, &folder, &["--appendfsync", "always"]);
    let mut client = server.client();
    for line in ["MULTI", "SET a 1", "SPOP nothing", "SELECT 3", "INCR b", "EXPIRE b 1000", "EXEC"]
    {
        client.call(&line.split(' ').collect::<Vec<_>>()).expect("it answers");
    }
    let script = "redis.call('SADD', KEYS[1], 1, 2, 3, 4, 5) \
                  redis.call('SPOP', KEYS[1], 2) \
                  redis.call('SET', KEYS[2], redis.call('TIME')[2]) \
                  return redis.call('XADD', KEYS[3], '*', 'a', math.random())";
    client.call(&["EVAL", script, "3", "s", "t", "x"]).expect("it answers");
    let library = "#!lua name=lib\nredis.register_function('put', function(keys) \
                   return redis.call('SET', keys[1], 'by a function', 'EX', 500) end)";
    client.call(&["FUNCTION", "LOAD", library]).expect("it answers");
    client.call(&["FCALL", "put", "1", "f"]).expect("it answers");
    let server = restart(server, &program, &folder, &[]);
    client = server.client();
    assert_eq!(
        client.call(&["FCALL", "put", "1", "g"]).expect("it is there").as_text().as_deref(),
        Some("OK")
    );
    server.rewrite();
    let server = restart(server, &program, &folder, &[]);
    let functions = server.ask("FUNCTION LIST");
    assert!(matches!(functions, Reply::Array(libraries) if libraries.len() == 1));
}

#[test]
fn redis_loads_our_snapshots_as_bases() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let Some(reference) = Program::reference() else { return };
    let server = Durable::start(&program, &folder, &[]);
    write_much(&server, 3, 2000);
    server.rewrite();
    write_much(&server, 4, 500);
    let server = restart(server, &reference, &folder, &[]);
    write_much(&server, 5, 500);
    server.rewrite();
    write_much(&server, 6, 500);
    restart(server, &program, &folder, &[]);
}

/// Makes large values of every type, with deadlines and a group, or changes them.
const LARGE: &str = "for i = tonumber(ARGV[1]), tonumber(ARGV[2]) do
    local at = 3300000000000 + i
    redis.call('RPUSH', 'list', i)
    redis.call('SADD', 'set', 'member:' .. i)
    redis.call('ZADD', 'zset', i % 97, 'member:' .. i)
    redis.call('HSET', 'hash', 'field:' .. i, i)
    redis.call('XADD', 'stream', '*', 'a', i, 'b', i)
    if i % 2 == 0 then
        redis.call('SPEXPIREAT', 'set', at, 'MEMBERS', 1, 'member:' .. i)
        redis.call('ZPEXPIREAT', 'zset', at, 'MEMBERS', 1, 'member:' .. i)
        redis.call('HPEXPIREAT', 'hash', at, 'FIELDS', 1, 'field:' .. i)
    else
        redis.call('SREM', 'set', 'member:' .. i - 100)
        redis.call('ZINCRBY', 'zset', 1, 'member:' .. i - 100)
        redis.call('HDEL', 'hash', 'field:' .. i - 100)
        redis.call('LPOP', 'list')
    end
end
redis.call('XREADGROUP', 'GROUP', 'group', 'one', 'COUNT', 30, 'STREAMS', 'stream', '>')
local held = redis.call('XPENDING', 'stream', 'group', '-', '+', 5, 'one')
redis.call('XNACK', 'stream', 'group', 'FAIL', 'IDS', 1, held[1][1])
return redis.call('XACK', 'stream', 'group', held[2][1])";

#[test]
fn bases_of_both_kinds_have_large_values_that_change_with_groups_and_deadlines() {
    let program = Program::tested().expect("a server");
    for base in ["yes", "no"] {
        let (folder, options) = (Folder::new(), ["--aof-use-rdb-preamble", base]);
        let server = Durable::start(&program, &folder, &options);
        server.ask("XGROUP CREATE stream group 0 MKSTREAM");
        let mut client = server.client();
        let mut fill = |round: u32| {
            let (first, last) = ((round * 1000).to_string(), (round * 1000 + 999).to_string());
            let reply = client.call(&["EVAL", LARGE, "0", &first, &last]).expect("it answers");
            assert!(matches!(reply, Reply::Integer(1)), "{reply:?}");
        };
        (0..30).for_each(&mut fill);
        server.ask("BGREWRITEAOF");
        (30..40).for_each(&mut fill);
        server.wait_for("aof_rewrite_in_progress", "0");
        let state = |server: &Durable| {
            let asked = [
                "XPENDING stream group",
                "LRANGE list 0 50",
                "SPEXPIRETIME set MEMBERS 3 member:20000 member:20001 member:20002",
                "ZPEXPIRETIME zset MEMBERS 3 member:20000 member:20001 member:20002",
                "HPEXPIRETIME hash FIELDS 3 field:20000 field:20001 field:20002",
            ];
            asked.map(|line| format!("{:?}", server.ask(line)))
        };
        let before = state(&server);
        let server = restart(server, &program, &folder, &options);
        assert_eq!(state(&server), before, "{base}");
    }
}

#[test]
fn redis_loads_large_streams_and_members_with_deadlines_which_it_does_not_know() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let Some(reference) = Program::reference() else { return };
    let server = Durable::start(&program, &folder, &[]);
    let fill = "for i = 1, 30000 do
        redis.call('XADD', 'stream', i .. '-1', i % 3, i)
        redis.call('SADD', 'set', 'member:' .. i)
        redis.call('SPEXPIREAT', 'set', 3300000000000, 'MEMBERS', 1, 'member:' .. i)
        redis.call('ZADD', 'zset', i % 7, i)
        redis.call('ZPEXPIREAT', 'zset', 3300000000000, 'MEMBERS', 1, i)
    end
    redis.call('XGROUP', 'CREATE', 'stream', 'group', 0)
    return #redis.call('XREADGROUP', 'GROUP', 'group', 'one', 'STREAMS', 'stream', '>')";
    let reply = server.client().call(&["EVAL", fill, "0"]).expect("it answers");
    assert!(matches!(reply, Reply::Integer(1)), "{reply:?}");
    server.rewrite();
    let pending = format!("{:?}", server.ask("XPENDING stream group"));
    let server = restart(server, &reference, &folder, &[]);
    assert_eq!(format!("{:?}", server.ask("XPENDING stream group")), pending);
    server.rewrite();
    restart(server, &program, &folder, &[]);
}

#[test]
fn logging_is_turned_on_and_off_while_clients_write() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let server = Durable::start(&program, &folder, &["--appendonly", "no", "--workers", "2"]);
    write_much(&server, 1, 500);
    for turn in 0..3 {
        std::thread::scope(|scope| {
            for seed in 0..3 {
                let server = &server;
                scope.spawn(move || write_much(server, 10 * turn + seed, 800));
            }
            server.ask("CONFIG SET appendonly yes");
        });
        server.wait_for("aof_rewrite_in_progress", "0");
        // When this is answered, it and everything before it has been written.
        server.ask("CONFIG SET appendfsync always");
        server.ask(&format!("SET mark {turn}"));
        let (digest, copy) = (server.digest(), Folder::new());
        copy_files(&folder, &copy);
        let other = Durable::start(&program, &copy, &[]);
        assert_eq!(other.digest(), digest, "turn {turn}");
        server.ask("CONFIG SET appendonly no");
        write_much(&server, turn, 100);
    }
}

fn copy_files(from: &Folder, to: &Folder) {
    let (from, to) = (from.path().join("appendonlydir"), to.path().join("appendonlydir"));
    std::fs::create_dir_all(&to).expect("a folder");
    for file in std::fs::read_dir(from).expect("a folder") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), to.join(file.file_name())).expect("it is copied");
    }
}

#[test]
fn waitaof_waits_for_the_disk_and_for_replicas_only_as_long_as_it_is_told() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let server = Durable::start(&program, &folder, &["--appendfsync", "everysec"]);
    let pair = |reply: Reply| match reply {
        Reply::Array(items) => items.iter().filter_map(Reply::as_i64).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    for turn in 0..3 {
        server.ask(&format!("SET a {turn}"));
        assert_eq!(pair(server.ask("WAITAOF 1 0 0")), [1, 0]);
    }
    server.ask("CONFIG SET appendfsync no");
    server.ask("SET a b");
    assert_eq!(pair(server.ask("WAITAOF 1 0 30")), [0, 0]);
    assert_eq!(pair(server.ask("WAITAOF 0 0 0"))[1], 0);
    server.ask("CONFIG SET appendfsync always");
    assert_eq!(pair(server.ask("WAITAOF 0 2 30")), [1, 0]);
    let mut client = server.client();
    client.call(&["MULTI"]).expect("it answers");
    client.call(&["WAITAOF", "1", "5", "0"]).expect("it answers");
    let Ok(Reply::Array(replies)) = client.call(&["EXEC"]) else { panic!("it waits") };
    assert_eq!(pair(replies[0].clone())[1], 0);
    client.send(&["WAITAOF", "1", "1", "0"].map(|word| word.as_bytes().to_vec()));
    server.wait_for("blocked_clients", "1");
    drop(client);
    server.wait_for("blocked_clients", "0");
}

#[test]
fn annotations_of_time_stand_in_the_file_and_disturb_nobody() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let options = ["--aof-timestamp-enabled", "yes"];
    let server = Durable::start(&program, &folder, &options);
    server.ask("SET first 1");
    server.ask("SET second 2");
    server.rewrite();
    server.ask("SET third 3");
    let server = restart(server, &program, &folder, &options);
    server.shut_down();
    let manifest = folder.path().join("appendonlydir/appendonly.aof.manifest");
    let text = std::fs::read_to_string(&manifest).expect("a manifest");
    assert!(text.contains("appendonly.aof.2.incr.aof"), "{text}");
    let incr = std::fs::read(folder.path().join("appendonlydir/appendonly.aof.2.incr.aof"));
    assert!(incr.expect("a file").starts_with(b"#TS:"));
    if let Some(reference) = Program::reference() {
        let server = Durable::start(&reference, &folder, &[]);
        assert_eq!(server.ask("GET third").as_text().as_deref(), Some("3"));
        server.shut_down();
    }
}

#[test]
fn with_checksums_a_changed_bit_is_refused_and_redis_reads_the_file_all_the_same() {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let options = ["--aof-checksum", "yes"];
    let server = Durable::start(&program, &folder, &options);
    write_much(&server, 1, 500);
    // Turned off and on again, in the middle of a file.
    server.ask("CONFIG SET aof-checksum no");
    write_much(&server, 2, 100);
    server.ask("CONFIG SET aof-checksum yes");
    write_much(&server, 3, 100);
    server.ask("SET a something");
    let server = restart(server, &program, &folder, &options);
    write_much(&server, 4, 100);
    let mut server = restart(server, &program, &folder, &options);
    if let Some(reference) = Program::reference() {
        server = restart(server, &reference, &folder, &[]);
    }
    server.shut_down();
    let path = folder.path().join("appendonlydir/appendonly.aof.1.incr.aof");
    let mut bytes = std::fs::read(&path).expect("a file");
    let place = bytes.windows(9).position(|part| part == b"something").expect("it is there");
    bytes[place] ^= 1;
    std::fs::write(&path, bytes).expect("a file");
    let options = ["--appendonly", "yes"];
    assert!(Durable::try_start(&program, &folder, &options).is_err());
    assert!(folder.log().contains("the checksum of the"), "{}", folder.log());
}

/// What a client gets that sends these commands in one go, while it takes 300 ms until anything is durable; `beside`
/// does something meanwhile.
fn answers_on_a_slow_disk(lines: &[&str], beside: impl FnOnce(&Durable)) -> Vec<String> {
    let (program, folder) = (Program::tested().expect("a server"), Folder::new());
    let server = Durable::start(&program, &folder, &["--appendfsync", "always", "--workers", "1"]);
    server.ask("DEBUG AOF-FLUSH-SLEEP 300000");
    let mut client = server.client();
    let words = |line: &&str| line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
    let commands: Vec<Vec<Vec<u8>>> = lines.iter().map(words).collect();
    client.send_raw(&commands.iter().flat_map(|words| reply::encode(words)).collect::<Vec<_>>());
    beside(&server);
    let answer = |_: &&str| match client.reply(Duration::from_secs(10)) {
        Ok(Got::Reply(reply)) => reply.as_text().unwrap_or_else(|| format!("{reply:?}")),
        other => format!("{other:?}"),
    };
    lines.iter().map(answer).collect()
}

#[test]
fn what_is_held_back_behind_a_wait_is_run_though_replies_wait_for_the_disk() {
    let lines = ["SET a 1", "BLPOP list 0", "SET b 2", "GET b"];
    let found = answers_on_a_slow_disk(&lines, |server| {
        std::thread::sleep(Duration::from_millis(50));
        server.ask("RPUSH list x");
    });
    assert_eq!([&found[0], &found[2], &found[3]], ["OK", "OK", "2"], "{found:?}");
    let lines = ["SET a 1", "CLIENT PAUSE 50 WRITE", "SET b 2", "GET b"];
    let found = answers_on_a_slow_disk(&lines, |_| ());
    assert_eq!(found, ["OK", "OK", "OK", "2"]);
}
