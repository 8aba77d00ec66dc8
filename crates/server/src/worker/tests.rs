//! Workers driven turn by turn, without sockets and with a clock that stands still.

mod audience;
mod harness;

use harness::{Lab, SPLIT_REPLIES, SPLIT_SCRIPT};

#[test]
fn replies_do_not_depend_on_where_the_stream_is_split() {
    for split in 0..=SPLIT_SCRIPT.len() {
        let mut lab = Lab::new();
        let peer = lab.connect();
        peer.send(&SPLIT_SCRIPT[..split]);
        lab.turn();
        peer.send(&SPLIT_SCRIPT[split..]);
        lab.turn();
        assert_eq!(peer.received(), SPLIT_REPLIES, "split at {split}");
        assert!(!peer.is_closed());
    }
}

#[test]
fn a_stream_may_come_byte_by_byte() {
    let mut lab = Lab::new();
    let peer = lab.connect();
    for byte in SPLIT_SCRIPT {
        peer.send([*byte]);
        lab.turn();
    }
    assert_eq!(peer.received(), SPLIT_REPLIES);
}

#[test]
fn a_reader_of_few_bytes_at_a_time_gets_every_byte_in_order() {
    for step in [1, 2, 3, 7, 50] {
        let mut lab = Lab::new();
        let peer = lab.connect();
        peer.take_at_most(0);
        peer.send(SPLIT_SCRIPT);
        lab.turn();
        let mut received = String::new();
        while received.len() < SPLIT_REPLIES.len() {
            assert_eq!(peer.received(), "");
            peer.take_at_most(step);
            lab.turn();
            received.push_str(&peer.received());
        }
        assert_eq!(received, SPLIT_REPLIES);
    }
}

#[test]
fn a_pipeline_longer_than_any_batch_is_answered_in_order() {
    let mut lab = Lab::new();
    let peer = lab.connect();
    let count = 5000;
    let lines: String = (0..count).map(|number| format!("ECHO n{number}\r\n")).collect();
    peer.send(lines);
    let expected: String =
        (0..count).map(|n| format!("${}\r\nn{n}\r\n", n.to_string().len() + 1)).collect();
    let mut received = String::new();
    for _ in 0..50 {
        lab.turn();
        received.push_str(&peer.received());
    }
    assert!(received == expected, "{} of {} bytes", received.len(), expected.len());
}

#[test]
fn two_clients_in_one_turn_get_their_own_replies() {
    let mut lab = Lab::new();
    let (one, two) = (lab.connect(), lab.connect());
    one.send("SET k 1\r\nECHO one\r\n");
    two.send("GET k\r\nECHO two\r\n");
    lab.turn();
    assert_eq!(one.received(), "+OK\r\n$3\r\none\r\n");
    assert_eq!(two.received(), "$1\r\n1\r\n$3\r\ntwo\r\n");
}

#[test]
fn a_half_closed_connection_gets_all_replies_and_is_closed() {
    let mut lab = Lab::new();
    let peer = lab.connect();
    peer.take_at_most(4);
    peer.send("PING\r\nECHO abcdef\r\n");
    peer.end();
    lab.turn();
    lab.turn();
    assert_eq!(peer.received(), "+PON");
    assert!(!peer.is_closed());
    peer.take_at_most(1000);
    lab.turn();
    assert_eq!(peer.received(), "G\r\n$6\r\nabcdef\r\n");
    assert!(peer.is_closed());
    assert_eq!(lab.clients(), 0);
}

#[test]
fn a_broken_connection_is_closed_whatever_is_unsent() {
    let mut lab = Lab::new();
    let peer = lab.connect();
    peer.take_at_most(0);
    peer.send("PING\r\n");
    lab.turn();
    peer.reset();
    lab.turn();
    assert!(peer.is_closed());
    assert_eq!(lab.clients(), 0);
}

#[test]
fn nothing_runs_behind_quit() {
    let mut lab = Lab::new();
    let (one, two) = (lab.connect(), lab.connect());
    one.send("SET k 1\r\nQUIT\r\nSET k 2\r\n");
    lab.turn();
    assert_eq!(one.received(), "+OK\r\n+OK\r\n");
    assert!(one.is_closed());
    two.send("GET k\r\n");
    lab.turn();
    assert_eq!(two.received(), "$1\r\n1\r\n");
}

#[test]
fn a_malformed_stream_ends_after_the_replies_to_what_came_before() {
    let mut lab = Lab::new();
    let peer = lab.connect();
    peer.send("PING\r\n*1\r\n!1\r\nPING\r\n");
    lab.turn();
    assert_eq!(peer.received(), "+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n");
    assert!(peer.is_closed());
}

#[test]
fn an_http_request_is_cut_off_before_its_body_runs() {
    for line in ["POST / HTTP/1.1", "Host: localhost"] {
        let mut lab = Lab::new();
        let peer = lab.connect();
        peer.send(format!("PING\r\n{line}\r\nSET k 1\r\n"));
        lab.turn();
        assert!(peer.is_closed());
        assert_eq!(lab.ask("EXISTS k"), ":0\r\n");
    }
}

#[test]
fn held_commands_run_in_order_when_the_pause_is_ended() {
    let mut lab = Lab::new();
    let (one, two) = (lab.connect(), lab.connect());
    one.send("CLIENT PAUSE 10000 WRITE\r\n");
    lab.turn();
    two.send("GET k\r\nSET k 1\r\nGET k\r\n*3\r\n$3\r\nSE");
    lab.turn();
    assert_eq!(two.received(), "$-1\r\n");
    two.send("T\r\n$1\r\nk\r\n$1\r\n2\r\nGET k\r\n");
    lab.turn();
    assert_eq!(two.received(), "");
    one.send("CLIENT UNPAUSE\r\n");
    lab.turn();
    lab.turn();
    lab.turn();
    assert_eq!(two.received(), "+OK\r\n$1\r\n1\r\n+OK\r\n$1\r\n2\r\n");
}

#[test]
fn held_commands_run_when_the_time_is_over_even_if_it_was_prolonged() {
    let mut lab = Lab::new();
    let (one, two, three) = (lab.connect(), lab.connect(), lab.connect());
    one.send("CLIENT PAUSE 100 WRITE\r\n");
    lab.turn();
    two.send("SET a two\r\n");
    lab.turn();
    one.send("CLIENT PAUSE 300 WRITE\r\n");
    lab.turn();
    three.send("SET b three\r\n");
    lab.turn();
    two.reset();
    lab.pass_ms(150);
    assert_eq!((two.received(), three.received()), (String::new(), String::new()));
    lab.pass_ms(100);
    assert_eq!(three.received(), "");
    lab.pass_ms(100);
    assert_eq!(three.received(), "+OK\r\n");
    assert!(two.is_closed());
}

#[test]
fn a_pause_of_everything_holds_another_pause_back_too() {
    let mut lab = Lab::new();
    let (one, two) = (lab.connect(), lab.connect());
    one.send("CLIENT PAUSE 200 ALL\r\nCLIENT PAUSE 20 WRITE\r\n");
    lab.turn();
    assert_eq!(one.received(), "+OK\r\n");
    two.send("PING\r\n");
    lab.pass_ms(150);
    assert_eq!((one.received(), two.received()), (String::new(), String::new()));
    lab.pass_ms(100);
    assert_eq!((one.received().as_str(), two.received().as_str()), ("+OK\r\n", "+PONG\r\n"));
}

#[test]
fn a_client_that_half_closes_while_held_still_gets_its_replies() {
    let mut lab = Lab::new();
    let (one, two) = (lab.connect(), lab.connect());
    one.send("CLIENT PAUSE 100\r\n");
    lab.turn();
    two.send("ECHO a\r\nECHO b\r\n");
    two.end();
    lab.turn();
    assert!(!two.is_closed());
    lab.pass_ms(150);
    lab.turn();
    assert_eq!(two.received(), "$1\r\na\r\n$1\r\nb\r\n");
    assert!(two.is_closed());
}

#[test]
fn a_killed_client_runs_nothing_more() {
    let mut lab = Lab::new();
    let (one, two) = (lab.connect(), lab.connect());
    one.send("CLIENT KILL ID 2\r\nCLIENT KILL ID 2\r\nCLIENT LIST ID 2\r\n");
    two.send("SET k 1\r\n");
    lab.turn();
    lab.turn();
    assert_eq!(one.received(), ":1\r\n:0\r\n$0\r\n\r\n");
    assert!(two.is_closed());
    assert_eq!(lab.ask("EXISTS k"), ":0\r\n");
}

#[test]
fn a_client_that_kills_itself_gets_its_reply() {
    let mut lab = Lab::new();
    let peer = lab.connect();
    peer.send("CLIENT KILL SKIPME no ID 1\r\nPING\r\n");
    lab.turn();
    assert_eq!(peer.received(), ":1\r\n");
    assert!(peer.is_closed());
}

#[test]
fn replies_can_be_turned_off_and_skipped() {
    let mut lab = Lab::new();
    let peer = lab.connect();
    peer.send("CLIENT REPLY SKIP\r\nPING\r\nECHO a\r\nCLIENT REPLY OFF\r\nPING\r\nNONSENSE\r\n");
    peer.send("CLIENT REPLY SKIP\r\nPING\r\nCLIENT REPLY ON\r\nECHO b\r\n");
    lab.turn();
    assert_eq!(peer.received(), "$1\r\na\r\n+OK\r\n$1\r\nb\r\n");
}

#[test]
fn a_reader_above_the_hard_limit_is_closed_in_the_middle_of_its_pipeline() {
    let mut lab = Lab::new();
    lab.configure("client-output-buffer-limit", "normal 400000 0 0");
    let peer = lab.connect();
    peer.take_at_most(0);
    peer.send(format!("SET big {}\r\n", "x".repeat(60_000)));
    (0..10).for_each(|_| lab.turn());
    peer.send("GET big\r\n".repeat(7) + "SET after 1\r\n");
    lab.turn();
    assert!(peer.is_closed());
    assert_eq!(lab.ask("EXISTS after"), ":0\r\n");
}

#[test]
fn a_reader_above_the_soft_limit_is_closed_when_it_has_been_for_long_enough() {
    let mut lab = Lab::new();
    lab.configure("client-output-buffer-limit", "normal 0 1000 3");
    let (slow, quick) = (lab.connect(), lab.connect());
    for peer in [&slow, &quick] {
        peer.take_at_most(0);
        peer.send(format!("ECHO {}\r\n", "x".repeat(20_000)));
    }
    lab.turn();
    lab.pass_ms(2000);
    quick.take_at_most(50_000);
    lab.turn();
    assert!(!slow.is_closed());
    lab.pass_ms(2000);
    assert!(slow.is_closed());
    assert!(!quick.is_closed());
}

#[test]
fn a_command_longer_than_the_query_buffer_may_be_ends_the_connection() {
    let mut lab = Lab::new();
    lab.configure("client-query-buffer-limit", "1mb");
    let peer = lab.connect();
    peer.send("PING\r\n*2\r\n$4\r\nECHO\r\n$2000000\r\n");
    for _ in 0..200 {
        peer.send("x".repeat(10_000));
        lab.turn();
    }
    assert!(peer.is_closed());
    assert_eq!(peer.received(), "+PONG\r\n");
}

#[test]
fn an_idle_client_is_closed_and_a_monitor_is_not() {
    let mut lab = Lab::new();
    lab.configure("timeout", "10");
    let (idle, busy, monitor) = (lab.connect(), lab.connect(), lab.connect());
    monitor.send("MONITOR\r\n");
    for _ in 0..5 {
        busy.send("PING\r\n");
        lab.turn();
        lab.pass_ms(4000);
    }
    assert!(idle.is_closed());
    assert!(!busy.is_closed());
    assert!(!monitor.is_closed());
}

#[test]
fn what_is_sent_behind_auth_has_the_limits_of_the_authenticated() {
    let mut lab = Lab::new();
    assert_eq!(lab.ask("CONFIG SET requirepass pw"), "+OK\r\n");
    let peer = lab.connect();
    peer.send(format!("AUTH pw\r\n*2\r\n$4\r\nECHO\r\n$20000\r\n{}\r\n", "x".repeat(20_000)));
    (0..5).for_each(|_| lab.turn());
    let received = peer.received();
    assert!(received.starts_with("+OK\r\n$20000\r\nx"), "{:.80}", received);
    let other = lab.connect();
    other.send("PING\r\n*2\r\n$4\r\nECHO\r\n$20000\r\n");
    lab.turn();
    let expected = "-NOAUTH Authentication required.\r\n\
                    -ERR Protocol error: unauthenticated bulk length\r\n";
    assert_eq!(other.received(), expected);
}

#[test]
fn monitor_shows_commands_until_reset() {
    let mut lab = Lab::new();
    let (monitor, other) = (lab.connect(), lab.connect());
    monitor.send("MONITOR\r\n");
    lab.turn();
    other.send("SELECT 3\r\nAUTH a b\r\nECHO \"a\\n\"\r\n");
    lab.turn();
    lab.turn();
    let from = "+1700000000.000000 [3 10.0.0.2:1000]";
    let expected = format!(
        "+OK\r\n{from} \"SELECT\" \"3\"\r\n{from} \"AUTH\" \"(redacted)\" \"(redacted)\"\r\n\
         {from} \"ECHO\" \"a\\n\"\r\n"
    );
    assert_eq!(monitor.received(), expected);
    monitor.send("RESET\r\n");
    other.send("ECHO late\r\n");
    lab.turn();
    lab.turn();
    assert_eq!(monitor.received(), "+RESET\r\n");
}

#[test]
fn an_ending_worker_sends_what_is_taken() {
    let mut lab = Lab::new();
    let (reads, stuck) = (lab.connect(), lab.connect());
    stuck.take_at_most(0);
    reads.send("ECHO a\r\n");
    stuck.send("ECHO b\r\n");
    lab.turn();
    lab.finish();
    assert_eq!(reads.received(), "$1\r\na\r\n");
    assert!(reads.is_closed() && stuck.is_closed());
}

#[test]
fn a_client_that_is_gone_is_given_nothing() {
    let mut lab = Lab::new();
    let (at_once, later, killed) = (lab.connect(), lab.connect(), lab.connect());
    at_once.send("BLPOP k 0\r\n");
    at_once.end();
    later.send("BLPOP k 0\r\n");
    killed.send("BLPOP k 0\r\n");
    (0..3).for_each(|_| lab.turn());
    assert!(at_once.is_closed());
    later.end();
    lab.turn();
    assert!(later.is_closed());
    let pushes = lab.connect();
    pushes.send("CLIENT KILL ID 3\r\nRPUSH k v\r\nLLEN k\r\n");
    (0..3).for_each(|_| lab.turn());
    assert_eq!(pushes.received(), ":1\r\n:1\r\n:1\r\n");
    assert!(killed.is_closed());
}

#[test]
fn a_wait_is_ended_once_and_what_is_pushed_behind_stays() {
    let mut lab = Lab::new();
    let (waits, ends) = (lab.connect(), lab.connect());
    waits.send("BLPOP k 0\r\nPING\r\n");
    lab.turn();
    ends.send("CLIENT UNBLOCK 1 ERROR\r\nCLIENT UNBLOCK 1\r\nRPUSH k v\r\nLLEN k\r\n");
    (0..3).for_each(|_| lab.turn());
    assert_eq!(ends.received(), ":1\r\n:0\r\n:1\r\n:1\r\n");
    let expected = "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n+PONG\r\n";
    assert_eq!(waits.received(), expected);
}

#[test]
fn lists_of_fields_count_as_memory_of_their_client() {
    let mut lab = Lab::new();
    let peer = lab.connect();
    let memory = |lab: &mut Lab| -> u64 {
        peer.send("CLIENT INFO\r\n");
        lab.turn();
        let line = peer.received();
        let (_, rest) = line.split_once("tot-mem=").expect("a figure");
        rest.split(' ').next().and_then(|word| word.parse().ok()).expect("a number")
    };
    let before = memory(&mut lab);
    let names: String = (0..50).map(|n| format!(" {n}{}", "x".repeat(1000))).collect();
    for _ in 0..2 {
        peer.send(format!("HIMPORT PREPARE u{names}\r\n"));
        (0..20).for_each(|_| lab.turn());
        assert_eq!(peer.received(), "+OK\r\n");
    }
    // One list remains; the buffer has kept its room.
    let held = memory(&mut lab);
    peer.send("HIMPORT DISCARD u\r\n");
    lab.turn();
    assert_eq!(peer.received(), ":1\r\n");
    let left = memory(&mut lab);
    assert!(held - left > 50_000 && held - left < 60_000, "{before} {held} {left}");
    assert!(left >= before);
}
