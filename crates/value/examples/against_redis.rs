//! Compares HyperLogLogs and geo values with those of a live redis-server.
//!
//! `cargo run -p value --example against_redis -- 127.0.0.1:PORT`

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use value::hyperloglog;

struct Client(BufReader<TcpStream>);

impl Client {
    /// One reply, its strings and numbers one after the other.
    fn call(&mut self, args: &[&[u8]]) -> std::io::Result<Vec<Vec<u8>>> {
        let mut request = format!("*{}\r\n", args.len()).into_bytes();
        for arg in args {
            request.extend(format!("${}\r\n", arg.len()).bytes());
            request.extend(*arg);
            request.extend(b"\r\n");
        }
        self.0.get_mut().write_all(&request)?;
        let mut replies = Vec::new();
        let mut missing = 1;
        while missing > 0 {
            missing -= 1;
            let mut line = String::new();
            self.0.read_line(&mut line)?;
            let (kind, text) = line.trim_end().split_at(1);
            match kind {
                "*" => missing += text.parse::<usize>().unwrap_or(0),
                "$" => {
                    let mut body = vec![0; text.parse::<usize>().unwrap_or(0) + 2];
                    self.0.read_exact(&mut body)?;
                    body.truncate(body.len() - 2);
                    replies.push(body);
                }
                _ => replies.push(text.as_bytes().to_vec()),
            }
        }
        Ok(replies)
    }
}

fn hyperloglogs(client: &mut Client) -> std::io::Result<()> {
    let mut buf = hyperloglog::new();
    client.call(&[b"DEL", b"hll", b"other", b"all"])?;
    for i in 0..30_000u32 {
        let element = format!("{:x}", i.wrapping_mul(2_654_435_761));
        let theirs = client.call(&[b"PFADD", b"hll", element.as_bytes()])?;
        let ours = hyperloglog::add(&mut buf, element.as_bytes(), 3000).unwrap_or(false);
        if i > 0 {
            assert_eq!(theirs[0], [b'0' + u8::from(ours)], "PFADD {element}");
        }
        if i % 97 == 0 || i > 29_990 {
            assert_eq!(client.call(&[b"GET", b"hll"])?[0], buf, "the bytes after {i} elements");
            let ours = hyperloglog::count_cached(&mut buf).map_or(0, |(count, _)| count);
            let theirs = client.call(&[b"PFCOUNT", b"hll"])?;
            assert_eq!(theirs[0], ours.to_string().as_bytes(), "PFCOUNT after {i} elements");
            assert_eq!(client.call(&[b"GET", b"hll"])?[0], buf, "the bytes after PFCOUNT");
        }
        if i == 300 || i == 3000 {
            let mut merged = hyperloglog::new();
            client.call(&[b"PFADD", b"other", b"x", b"y", b"z"])?;
            client.call(&[b"DEL", b"all"])?;
            client.call(&[b"PFMERGE", b"all", b"hll", b"other"])?;
            let other = client.call(&[b"GET", b"other"])?.remove(0);
            hyperloglog::merge(&mut merged, [&buf[..], &other], 3000).unwrap_or(());
            assert_eq!(client.call(&[b"GET", b"all"])?[0], merged, "PFMERGE");
        }
    }
    println!("HyperLogLogs: equal, dense: {}", hyperloglog::is_dense(&buf));
    Ok(())
}

fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:21700".into());
    let mut client = Client(BufReader::new(TcpStream::connect(address)?));
    hyperloglogs(&mut client)
}
