//! What `maxmemory` does to clients that cache.
#![forbid(unsafe_code)]

use suite::client::Client;
use suite::reply::Parts as _;
use suite::server::{Program, Server};

fn figure(client: &mut Client, name: &str) -> u64 {
    let info = client.call(&["INFO", "everything"]).expect("it answers");
    let info = info.as_text().expect("a text");
    let value = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.and_then(|value| value.trim().parse().ok()).expect("a number")
}

#[test]
fn invalidations_of_evicted_keys_do_not_evict_more() {
    let program = Program::tested().expect("a server");
    let options = ["--workers", "1", "--maxmemory-policy", "allkeys-lru"].map(str::to_owned);
    let mut server = Server::start(&program, &options).expect("it starts");
    let mut client = server.client().expect("it accepts");
    let info = client.call(&["INFO", "memory"]).expect("it answers").as_text().expect("a text");
    if info.contains("mem_allocator:libc") {
        // It says nothing of the memory in use but how large the process is.
        return;
    }
    let mut cachers: Vec<Client> = (0..10)
        .map(|_| {
            let mut cacher = Client::connect(server.addr(), 3).expect("it accepts");
            cacher.call(&["CLIENT", "TRACKING", "on"]).expect("it answers");
            cacher
        })
        .collect();
    for number in 0..300 {
        let key = format!("{number}{}", "x".repeat(1000));
        client.call(&["SET", &key, "v"]).expect("it answers");
        for cacher in &mut cachers {
            cacher.call(&["GET", &key]).expect("it answers");
        }
    }
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let limit = (figure(&mut client, "used_memory") - 40_000).to_string();
    client.call(&["CONFIG", "SET", "maxmemory", &limit]).expect("it answers");
    std::thread::sleep(std::time::Duration::from_millis(300));
    let evicted = figure(&mut client, "evicted_keys");
    assert!((10..=50).contains(&evicted), "{evicted} keys were evicted");
    assert!(server.alive());
}
