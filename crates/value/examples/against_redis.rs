//! Compares HyperLogLogs, geo values and streams with those of a live redis-server.
//!
//! `cargo run -p value --example against_redis -- 127.0.0.1:PORT`

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use value::stream::{Claim, Id, NewId, References, Stream, StreamLimits, Trim, TrimTo};
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
                "$" if text == "-1" => replies.push(Vec::new()),
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

/// What XINFO STREAM and XINFO GROUPS say of a stream that has one group, as far as versions agree.
fn stream_state(client: &mut Client, ours: &Stream) -> std::io::Result<()> {
    let info = client.call(&[b"XINFO", b"STREAM", b"stream"])?;
    let theirs: Vec<String> = [1, 3, 7, 9, 11, 13]
        .iter()
        .map(|&at| String::from_utf8_lossy(&info[at]).into_owned())
        .collect();
    let ours_now = [
        ours.len().to_string(),
        ours.blocks().to_string(),
        ours.last_id().to_string(),
        ours.max_deleted_id().to_string(),
        ours.entries_added().to_string(),
        ours.first_id().to_string(),
    ];
    assert_eq!(theirs, ours_now, "XINFO STREAM");
    let Some(group) = ours.group(b"g") else { return Ok(()) };
    let info = client.call(&[b"XINFO", b"GROUPS", b"stream"])?;
    assert_eq!(info[5], group.pending_len().to_string().as_bytes(), "pending");
    assert_eq!(info[7], group.last_id.to_string().as_bytes(), "last-delivered-id");
    let read = group.entries_read.map_or(String::new(), |read| read.to_string());
    assert_eq!(info[9], read.as_bytes(), "entries-read");
    // Redis 8 knows the lag in two cases in which 7.0 guesses.
    let first = ours.first_id();
    let newer = ours.is_empty() || group.last_id < first && ours.max_deleted_id() < first;
    if !newer {
        let lag = ours.lag(group).map_or(String::new(), |lag| lag.to_string());
        assert_eq!(String::from_utf8_lossy(&info[11]), lag, "lag");
    }
    let theirs = client.call(&[b"XPENDING", b"stream", b"g", b"-", b"+", b"100000"])?;
    let pending = group.pending(Id::MIN, Id::MAX).map(|(id, nack, name)| {
        [id.to_string().into_bytes(), name.to_vec(), nack.count.to_string().into_bytes()]
    });
    let theirs: Vec<_> =
        theirs.chunks(4).map(|p| [p[0].clone(), p[1].clone(), p[3].clone()]).collect();
    assert_eq!(theirs, pending.collect::<Vec<_>>(), "XPENDING");
    Ok(())
}

/// A sequence of numbers that is the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

fn add(client: &mut Client, ours: &mut Stream, numbers: &mut Numbers) -> std::io::Result<()> {
    let limits = StreamLimits { block_bytes: 0, block_entries: 10 };
    let ms = ours.last_id().ms + numbers.below(2);
    let theirs = client.call(&[b"XADD", b"stream", format!("{ms}-*").as_bytes(), b"f", b"v"])?;
    let fields = [(&b"f"[..], &b"v"[..])].into_iter();
    let id = ours.append(NewId::AutoSeq { ms }, fields, limits).unwrap_or(Id::MIN);
    assert_eq!(theirs[0], id.to_string().as_bytes(), "XADD");
    Ok(())
}

fn trim(
    client: &mut Client,
    ours: &mut Stream,
    numbers: &mut Numbers,
    id: Id,
) -> std::io::Result<()> {
    let approx = numbers.below(2) == 0;
    let max = numbers.below(60);
    let sign: &[u8] = if approx { b"~" } else { b"=" };
    let (kind, to, arg) = match numbers.below(2) {
        0 => (&b"MAXLEN"[..], TrimTo::MaxLen(max), max.to_string()),
        _ => (&b"MINID"[..], TrimTo::MinId(id), id.to_string()),
    };
    let theirs = client.call(&[b"XTRIM", b"stream", kind, sign, arg.as_bytes()])?;
    let limit = if approx { 1000 } else { 0 };
    let trim = Trim { to, approx, limit, references: References::Keep };
    assert_eq!(theirs[0], ours.trim(trim).to_string().as_bytes(), "XTRIM");
    Ok(())
}

fn read(client: &mut Client, ours: &mut Stream, who: &[u8], count: usize) -> std::io::Result<()> {
    let number = count.to_string();
    let theirs = client.call(&[
        b"XREADGROUP",
        b"GROUP",
        b"g",
        who,
        b"COUNT",
        number.as_bytes(),
        b"STREAMS",
        b"stream",
        b">",
    ])?;
    let mut read = Vec::new();
    ours.deliver(b"g", who, count, false, 0, |entry| {
        read.push(entry.id.to_string().into_bytes());
        true
    });
    let entries = theirs.get(1..).unwrap_or_default().chunks(3);
    assert_eq!(entries.map(|entry| entry[0].clone()).collect::<Vec<_>>(), read, "XREADGROUP");
    Ok(())
}

fn auto_claim(
    client: &mut Client,
    ours: &mut Stream,
    who: &[u8],
    id: Id,
    count: usize,
) -> std::io::Result<()> {
    let (start, number) = (id.to_string(), count.to_string());
    let theirs = client.call(&[
        b"XAUTOCLAIM",
        b"stream",
        b"g",
        who,
        b"0",
        start.as_bytes(),
        b"COUNT",
        number.as_bytes(),
    ])?;
    let done = ours.auto_claim(b"g", who, id, count, Claim::default(), 0).unwrap_or_default();
    assert_eq!(theirs[0], done.next.to_string().as_bytes(), "XAUTOCLAIM's cursor");
    assert_eq!(theirs.len(), 1 + 3 * done.claimed.len() + done.deleted.len(), "XAUTOCLAIM");
    Ok(())
}

fn streams(client: &mut Client) -> std::io::Result<()> {
    client.call(&[b"CONFIG", b"SET", b"stream-node-max-entries", b"10"])?;
    client.call(&[b"CONFIG", b"SET", b"stream-node-max-bytes", b"0"])?;
    let mut numbers = Numbers(11);
    for _ in 0..40 {
        let mut ours = Stream::new();
        client.call(&[b"DEL", b"stream"])?;
        client.call(&[b"XGROUP", b"CREATE", b"stream", b"g", b"0", b"MKSTREAM"])?;
        ours.create_group(b"g", Id::MIN, None);
        for _ in 0..300 {
            let id = Id::new(numbers.below(ours.last_id().ms + 2), numbers.below(3));
            let text = id.to_string();
            let who = [b'a' + numbers.below(3) as u8];
            let count = 1 + numbers.below(4) as usize;
            match numbers.below(20) {
                0..=9 => add(client, &mut ours, &mut numbers)?,
                10 | 11 => {
                    let theirs = client.call(&[b"XDEL", b"stream", text.as_bytes()])?;
                    assert_eq!(theirs[0], [b'0' + u8::from(ours.delete(id))], "XDEL");
                }
                12 => trim(client, &mut ours, &mut numbers, id)?,
                13..=15 => read(client, &mut ours, &who, count)?,
                16 | 17 => auto_claim(client, &mut ours, &who, id, count)?,
                _ => {
                    let theirs = client.call(&[b"XACK", b"stream", b"g", text.as_bytes()])?;
                    let acked = ours.group_mut(b"g").is_some_and(|group| group.ack(id));
                    assert_eq!(theirs[0], [b'0' + u8::from(acked)], "XACK");
                }
            }
            stream_state(client, &ours)?;
        }
    }
    println!("streams: replies, XINFO and XPENDING are equal");
    Ok(())
}

fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:21700".into());
    let mut client = Client(BufReader::new(TcpStream::connect(address)?));
    streams(&mut client)?;
    geo_values(&mut client)?;
    hyperloglogs(&mut client)
}
