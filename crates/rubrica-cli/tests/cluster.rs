//! Redirections of a cluster are followed when asked for.

mod support;

use std::time::{Duration, Instant};
use support::{OURS, Server, THEIRS, run, shown};

fn ask(server: &Server, words: &[&str]) -> String {
    let port = server.port.to_string();
    let mut all = vec!["-p", &port];
    all.extend(words);
    String::from_utf8_lossy(&run(THEIRS, &all, b"").stdout).into_owned()
}

/// Two nodes with half of the slots each; the bus port must lie within reach of theirs.
fn cluster() -> Option<(Server, Server)> {
    let bus = [support::free_port().to_string(), support::free_port().to_string()];
    let start = |bus: &str| Server::start(&["--cluster-enabled", "yes", "--cluster-port", bus]);
    let (one, two) = (start(&bus[0])?, start(&bus[1])?);
    ask(&one, &["cluster", "addslotsrange", "0", "8191"]);
    ask(&two, &["cluster", "addslotsrange", "8192", "16383"]);
    ask(&one, &["cluster", "meet", "127.0.0.1", &two.port.to_string(), &bus[1]]);
    let deadline = Instant::now() + Duration::from_secs(30);
    while [&one, &two].iter().any(|n| !ask(n, &["cluster", "info"]).contains("state:ok")) {
        assert!(Instant::now() < deadline, "the cluster does not form");
        std::thread::sleep(Duration::from_millis(100));
    }
    Some((one, two))
}

#[test]
fn redirections_are_followed_when_asked_for() {
    let Some((one, two)) = cluster() else { return };
    let port = one.port.to_string();
    // The slots of these are 12182 and 5061.
    let lines = b"set foo 1\nget foo\nset bar 2\nget bar\nget foo\n";
    for arguments in [
        &["-c", "get", "foo"][..],
        &["-c", "get", "bar"],
        &["get", "foo"],
        &["-c", "-r", "3", "incr", "foo"],
        &["-c", "--no-raw"],
        &["-c", "-e", "get", "foo"],
        &["-e", "get", "foo"],
    ] {
        let mut all = vec!["-p", &port];
        all.extend(arguments);
        let [theirs, ours] = [THEIRS, OURS].map(|program| {
            ask(&two, &["set", "foo", "1"]);
            shown(&run(program, &all, lines))
        });
        assert_eq!(ours, theirs, "{arguments:?}");
    }
    // A slot on its way elsewhere: the new node answers only after ASKING.
    let id = |server| ask(server, &["cluster", "myid"]).trim().to_string();
    ask(&one, &["cluster", "setslot", "12182", "importing", &id(&two)]);
    ask(&two, &["cluster", "setslot", "12182", "migrating", &id(&one)]);
    ask(&two, &["del", "foo"]);
    let port = two.port.to_string();
    let [theirs, ours] = [THEIRS, OURS]
        .map(|program| shown(&run(program, &["-p", &port, "-c", "set", "foo", "asked"], b"")));
    assert_eq!(ours, theirs);
    assert!(ours.contains("OK"), "{ours}");
}
