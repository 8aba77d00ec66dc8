//! A process that runs out of file descriptors. Alone in its file, since the limit is the process's.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::start;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[test]
fn a_connection_that_found_no_descriptor_is_accepted_when_there_is_one_again() {
    let server = start(|_| {});
    assert_eq!(server.connect().ask("PING"), "+PONG");
    let limit = getrlimit(Resource::Nofile);
    // Room for this side of the connections and not for the server's.
    let open = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
    let tight = Rlimit { current: Some(open + 4), maximum: limit.maximum };
    let mut sockets = Vec::new();
    setrlimit(Resource::Nofile, tight).unwrap();
    while let Ok(socket) = std::os::unix::net::UnixStream::connect(&server.socket) {
        sockets.push(socket);
        std::thread::sleep(Duration::from_millis(30));
    }
    assert!(!sockets.is_empty());
    std::thread::sleep(Duration::from_millis(300));
    setrlimit(Resource::Nofile, limit).unwrap();
    let count = sockets.len();
    let mut clients: Vec<_> = sockets.into_iter().map(common::Client).collect();
    clients.iter_mut().for_each(|client| assert_eq!(client.ask("PING"), "+PONG"));
    assert!(server.clients() >= count);
}
