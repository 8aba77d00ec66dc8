//! Compares HyperLogLogs and geo values with those of a live redis-server.
//!
//! `cargo run -p value --example against_redis -- 127.0.0.1:PORT`

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use value::{geo, hyperloglog};

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

fn geo_values(client: &mut Client) -> std::io::Result<()> {
    client.call(&[b"DEL", b"geo"])?;
    let mut state = 7u64;
    let mut random = |max: f64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 11) as f64 / (1u64 << 53) as f64 * 2.0 - 1.0) * max
    };
    let mut scores = Vec::new();
    for i in 0..5000 {
        let point = geo::Point { lon: random(180.0), lat: random(85.0) };
        let score = geo::encode(point).unwrap_or(0);
        let (name, lon, lat) = (i.to_string(), point.lon.to_string(), point.lat.to_string());
        client.call(&[b"GEOADD", b"geo", lon.as_bytes(), lat.as_bytes(), name.as_bytes()])?;
        let theirs = client.call(&[b"ZSCORE", b"geo", name.as_bytes()])?;
        assert_eq!(theirs[0], score.to_string().as_bytes(), "the score of {point:?}");
        let theirs = client.call(&[b"GEOHASH", b"geo", name.as_bytes()])?;
        assert_eq!(theirs[0], geo::text(score), "GEOHASH of {point:?}");
        if let Some(&before) = scores.last() {
            let other = (i - 1).to_string();
            let theirs = client.call(&[b"GEODIST", b"geo", name.as_bytes(), other.as_bytes()])?;
            let ours = geo::distance(geo::decode(score), geo::decode(before));
            assert_eq!(theirs[0], format!("{ours:.4}").as_bytes(), "GEODIST");
        }
        scores.push(score);
    }
    for i in 0..3000 {
        let center = geo::Point { lon: random(179.0), lat: random(84.0) };
        let size = 10f64.powf(random(3.5) + 3.5).round();
        let (lon, lat, side) = (center.lon.to_string(), center.lat.to_string(), size.to_string());
        let mut query: Vec<&[u8]> = vec![b"GEOSEARCH", b"geo", b"FROMLONLAT"];
        query.extend([lon.as_bytes(), lat.as_bytes()]);
        let shape = if i % 2 == 0 {
            query.extend([&b"BYRADIUS"[..], side.as_bytes()]);
            geo::Shape::Circle { center, radius_m: size }
        } else {
            query.extend([&b"BYBOX"[..], side.as_bytes(), side.as_bytes()]);
            geo::Shape::Box { center, width_m: size, height_m: size }
        };
        query.push(b"m");
        let theirs = client.call(&query)?;
        let mut ours = Vec::new();
        for (low, high) in shape.covering() {
            let mut found: Vec<_> = (0..scores.len())
                .filter(|&i| (low..high).contains(&scores[i]))
                .filter(|&i| shape.distance_inside(geo::decode(scores[i])).is_some())
                .collect();
            found.sort_by_key(|&i| (scores[i], i.to_string()));
            ours.extend(found.into_iter().map(|i| i.to_string().into_bytes()));
        }
        assert_eq!(theirs, ours, "{shape:?}");
    }
    println!("geo: scores, hashes, distances and searches are equal");
    Ok(())
}

fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:21700".into());
    let mut client = Client(BufReader::new(TcpStream::connect(address)?));
    geo_values(&mut client)?;
    hyperloglogs(&mut client)
}
