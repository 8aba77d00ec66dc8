//! Accepting, spreading and ending connections, over real sockets of this machine.
#![allow(clippy::unwrap_used)]

mod common;

use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use common::start;

#[test]
fn one_client_too_many_is_told_so_and_others_may_come_when_one_goes() {
    let server = start(|config| config.maxclients = 20);
    let mut clients: Vec<_> = (0..30).map(|_| server.connect()).collect();
    for client in &mut clients[..20] {
        assert_eq!(client.ask("PING"), "+PONG");
    }
    for client in &mut clients[20..] {
        assert_eq!(client.rest(), b"-ERR max number of clients reached\r\n");
    }
    assert_eq!(server.clients(), 20);
    drop(clients.remove(0));
    server.wait_for_clients(19);
    assert_eq!(server.connect().ask("PING"), "+PONG");
    server.configure("maxclients", "50");
    let mut more: Vec<_> = (0..10).map(|_| server.connect()).collect();
    more.iter_mut().for_each(|client| assert_eq!(client.ask("PING"), "+PONG"));
}

#[test]
fn connections_are_spread_evenly_and_gaps_are_filled_first() {
    let server = start(|config| config.workers = 3);
    let mut clients: Vec<_> = (0..30).map(|_| server.connect()).collect();
    clients.iter_mut().for_each(|client| assert_eq!(client.ask("PING"), "+PONG"));
    assert_eq!(server.spread(), [10, 10, 10]);
    let mut kept = Vec::new();
    for mut client in clients {
        if !client.ask_bulk("CLIENT INFO").contains("io-thread=1 ") {
            kept.push(client);
        }
    }
    server.wait_for_clients(20);
    let mut new: Vec<_> = (0..10).map(|_| server.connect()).collect();
    new.iter_mut().for_each(|client| assert_eq!(client.ask("PING"), "+PONG"));
    assert_eq!(server.spread(), [10, 10, 10]);
}

#[test]
fn a_unix_socket_has_its_mode_and_goes_with_the_server() {
    let mut server = start(|config| config.unixsocketperm = 0o700);
    let mode = std::fs::metadata(&server.socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let info = server.connect().ask_bulk("CLIENT INFO");
    let path = server.socket.display();
    assert!(info.contains(&format!(" addr={path}:0 laddr={path}:0 ")), "{info}");
    assert!(info.contains(" flags=U "), "{info}");
    server.stop();
    assert!(!server.socket.exists());
}

#[test]
fn a_client_is_killed_and_released_across_workers() {
    let server = start(|config| config.workers = 2);
    let (mut one, mut two) = (server.connect_tcp(), server.connect_tcp());
    let id = two.ask("CLIENT ID");
    one.ask("PING");
    assert_eq!(server.spread(), [1, 1]);
    assert_eq!(one.ask(&format!("CLIENT KILL ID {}", &id[1..])), ":1");
    assert_eq!(two.rest(), b"");

    let mut three = server.connect_tcp();
    assert_eq!(one.ask("CLIENT PAUSE 60000 WRITE"), "+OK");
    three.send("SET k 1\r\n");
    std::thread::sleep(Duration::from_millis(100));
    let start = Instant::now();
    assert_eq!(one.ask("CLIENT UNPAUSE"), "+OK");
    assert_eq!(three.line(), "+OK");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_half_closed_connection_gets_megabytes_of_replies() {
    let server = start(|_| {});
    let mut client = server.connect_tcp();
    client.send(format!("SET big {}\r\n", "x".repeat(50_000)));
    client.expect("+OK\r\n");
    client.send("GET big\r\n".repeat(400));
    client.0.shutdown(Shutdown::Write).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(client.rest().len(), 400 * (50_000 + 10));
    server.wait_for_clients(0);
}

#[test]
fn a_slow_reader_gets_all_its_output_while_no_limit_is_set() {
    let server = start(|_| {});
    let (mut slow, mut other) = (server.connect_tcp(), server.connect_tcp());
    slow.send(format!("SET big {}\r\n", "x".repeat(50_000)));
    slow.expect("+OK\r\n");
    slow.send("GET big\r\n".repeat(1000));
    let start = Instant::now();
    let line = loop {
        let line = other.ask_bulk("CLIENT LIST ID 1");
        let omem = line.split(" omem=").nth(1).unwrap().split(' ').next().unwrap();
        if omem.parse::<u64>().unwrap() > 1_000_000 {
            break line;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{line}");
    };
    assert!(line.contains(" events=rw "), "{line}");
    slow.send("QUIT\r\n");
    assert_eq!(slow.rest().len(), 1000 * (50_000 + 10) + 5);
}

#[test]
fn a_slow_reader_above_its_limit_is_closed() {
    let server = start(|_| {});
    server.configure("client-output-buffer-limit", "normal 10mb 0 0");
    let mut slow = server.connect_tcp();
    slow.send(format!("SET big {}\r\n", "x".repeat(50_000)));
    slow.expect("+OK\r\n");
    slow.send("GET big\r\n".repeat(1000));
    server.wait_for_clients(0);
}

#[test]
fn what_follows_quit_does_not_cost_the_reply() {
    let server = start(|_| {});
    for _ in 0..20 {
        let mut client = server.connect_tcp();
        client.send("PING\r\nQUIT\r\n".to_owned() + &"PING\r\n".repeat(30_000));
        assert_eq!(client.rest(), b"+PONG\r\n+OK\r\n");
    }
}

#[test]
fn the_end_of_the_server_does_not_cost_replies() {
    let mut server = start(|_| {});
    let mut clients: Vec<_> = (0..50).map(|_| server.connect_tcp()).collect();
    for client in &mut clients {
        client.send("PING\r\n".repeat(100));
    }
    // All has arrived when a later connection on each worker is answered.
    (0..4).for_each(|_| assert_eq!(server.connect_tcp().ask("PING"), "+PONG"));
    std::thread::sleep(Duration::from_millis(300));
    server.stop();
    for client in &mut clients {
        assert_eq!(client.rest().len(), 700);
    }
}

#[test]
fn two_thousand_connections_are_served_at_once() {
    let server = start(|config| config.maxclients = 2100);
    let mut clients: Vec<_> = (0..2000).map(|_| server.connect()).collect();
    for round in 0..3 {
        let line = format!("ECHO round{round}\r\n");
        clients.iter_mut().for_each(|client| client.send(&line));
        let expected = format!("$6\r\nround{round}\r\n");
        clients.iter_mut().for_each(|client| client.expect(&expected));
    }
    assert_eq!(server.spread(), [1000, 1000]);
    drop(clients);
    server.wait_for_clients(0);
}
