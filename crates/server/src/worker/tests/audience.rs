//! Messages to many subscribers, turn by turn.

use super::harness::Lab;

const SUBSCRIBERS: usize = 100;

fn message(text: &str) -> String {
    format!("*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n${}\r\n{text}\r\n", text.len())
}

#[test]
fn a_large_audience_is_served_over_several_turns_while_others_are_answered() {
    let mut lab = Lab::new();
    let readers: Vec<_> = (0..SUBSCRIBERS).map(|_| lab.connect()).collect();
    readers.iter().for_each(|reader| reader.send("SUBSCRIBE news\r\n"));
    lab.turn();
    readers.iter().for_each(|reader| drop(reader.received()));
    let (publisher, other) = (lab.connect(), lab.connect());
    publisher.send("PUBLISH news a\r\n");
    lab.turn();
    assert_eq!(publisher.received(), format!(":{SUBSCRIBERS}\r\n"));
    let served = |text: &str| readers.iter().filter(|one| one.received() == message(text)).count();
    let first = served("a");
    assert!((1..SUBSCRIBERS).contains(&first), "{first}");
    other.send("PING\r\n");
    lab.turn();
    assert_eq!(other.received(), "+PONG\r\n");
    (0..SUBSCRIBERS).for_each(|_| lab.turn());
    let second = served("a");
    assert_eq!(first + second, SUBSCRIBERS);
}

#[test]
fn what_is_published_meanwhile_comes_behind_and_in_order_to_all() {
    let mut lab = Lab::new();
    let readers: Vec<_> = (0..SUBSCRIBERS).map(|_| lab.connect()).collect();
    for (number, reader) in readers.iter().enumerate() {
        // Some are of the other protocol, and some of another channel besides.
        reader.send(if number % 3 == 0 { "HELLO 3\r\n" } else { "PING\r\n" });
        reader.send("SUBSCRIBE news\r\n");
        if number % 5 == 0 {
            reader.send("SUBSCRIBE sport\r\n");
        }
    }
    lab.turn();
    readers.iter().for_each(|reader| drop(reader.received()));
    let publisher = lab.connect();
    for (turn, line) in
        ["PUBLISH news a", "PUBLISH news b", "PUBLISH sport c", "PUBLISH news d"].iter().enumerate()
    {
        publisher.send(format!("{line}\r\n"));
        lab.turn();
        if turn == 1 {
            // Whoever asks finds what was published before in front of the answer.
            readers[99].send("PING\r\n");
        }
    }
    (0..SUBSCRIBERS).for_each(|_| lab.turn());
    for (number, reader) in readers.iter().enumerate() {
        let sport = message("c").replace("$4\r\nnews", "$5\r\nsport");
        let mut expected = message("a") + &message("b");
        if number == 99 {
            expected += "*2\r\n$4\r\npong\r\n$0\r\n\r\n";
        }
        if number % 5 == 0 {
            expected += &sport;
        }
        expected += &message("d");
        let is_resp3 = number % 3 == 0;
        if is_resp3 {
            expected =
                expected.replace("*3", ">3").replace("*2\r\n$4\r\npong\r\n$0\r\n\r\n", "+PONG\r\n");
        }
        assert_eq!(reader.received(), expected, "reader {number}");
    }
}

#[test]
fn those_who_leave_meanwhile_get_nothing_behind_their_farewell() {
    let mut lab = Lab::new();
    let readers: Vec<_> = (0..SUBSCRIBERS).map(|_| lab.connect()).collect();
    readers.iter().for_each(|reader| reader.send("SUBSCRIBE news\r\n"));
    lab.turn();
    readers.iter().for_each(|reader| drop(reader.received()));
    let publisher = lab.connect();
    publisher.send("PUBLISH news a\r\n");
    lab.turn();
    readers[90].send("UNSUBSCRIBE\r\n");
    readers[91].reset();
    lab.turn();
    publisher.send("PUBLISH news b\r\n");
    (0..SUBSCRIBERS).for_each(|_| lab.turn());
    assert_eq!(publisher.received(), ":100\r\n:98\r\n");
    let farewell = "*3\r\n$11\r\nunsubscribe\r\n$4\r\nnews\r\n:0\r\n";
    assert_eq!(readers[90].received(), message("a") + farewell);
    assert!(readers[91].is_closed());
    assert_eq!(readers[92].received(), message("a") + &message("b"));
}
