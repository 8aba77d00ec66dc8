//! The values that generated arguments take: few, so that commands meet each other's data, with
//! the edges of every type among them.

use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

use super::grammar::{Arg, Kind};

/// Key names by family: a command mostly meets its own type.
pub fn key(rng: &mut SmallRng, group: &str) -> Vec<u8> {
    const ALL: [&str; 9] = ["s", "l", "set", "h", "z", "x", "bit", "p", "g"];
    let own = match group {
        "string" => "s",
        "list" => "l",
        "set" => "set",
        "hash" => "h",
        "sorted-set" => "z",
        "stream" => "x",
        "bitmap" => "bit",
        "hyperloglog" => "p",
        "geo" => "g",
        _ => ALL.choose(rng).copied().unwrap_or("s"),
    };
    let prefix = if rng.random_bool(0.9) { own } else { ALL.choose(rng).copied().unwrap_or("s") };
    format!("{prefix}{}", rng.random_range(0..4)).into_bytes()
}

/// Something that fits nowhere in particular.
pub fn garbage(rng: &mut SmallRng) -> Vec<u8> {
    const VALUES: [&[u8]; 16] = [
        b"",
        b"abc",
        b"-1",
        b"0",
        b"1.5",
        b"nan",
        b"inf",
        b"-inf",
        b"9223372036854775807",
        b"-9223372036854775808",
        b"9223372036854775808",
        b"\x00\xff",
        b" 1",
        b"1 ",
        b"+1",
        b"1e3",
    ];
    VALUES.choose(rng).copied().unwrap_or(b"").to_vec()
}

fn pick(rng: &mut SmallRng, values: &[&str]) -> Vec<u8> {
    values.choose(rng).copied().unwrap_or("").as_bytes().to_vec()
}

/// A value for `arg` of a command of `group`.
pub fn value(rng: &mut SmallRng, group: &str, command: &str, arg: &Arg) -> Vec<u8> {
    if let Some(special) = special(rng, group, command, arg) {
        return special;
    }
    match arg.kind {
        Kind::Key => key(rng, group),
        Kind::Integer => integer(rng),
        Kind::Double => double(rng),
        Kind::Pattern => pick(rng, &["*", "s*", "?0", "[a-m]*", "z[^1]", "\\*", "a", ""]),
        Kind::UnixTime => {
            // Far in the future, or gone: nothing may expire while a stream runs.
            if arg.name.contains("milli") || command.starts_with('p') {
                pick(rng, &["33177117420123", "33177117999000", "33177117420123", "1", "0", "-1"])
            } else {
                pick(rng, &["33177117420", "33177117999", "33177117420", "1", "0", "-1"])
            }
        }
        _ => text(rng),
    }
}

fn integer(rng: &mut SmallRng) -> Vec<u8> {
    if rng.random_bool(0.9) {
        return rng.random_range(-3..12).to_string().into_bytes();
    }
    pick(
        rng,
        &[
            "9223372036854775807",
            "-9223372036854775808",
            "-9223372036854775807",
            "4294967296",
            "2147483648",
            "100",
            "127",
            "1000000",
        ],
    )
}

fn double(rng: &mut SmallRng) -> Vec<u8> {
    match rng.random_range(0..10) {
        0..5 => rng.random_range(-3..8).to_string().into_bytes(),
        5..8 => pick(rng, &["0.1", "1.5", "-2.25", "3.0", "1e3", "0.30000000000000004"]),
        _ => pick(rng, &["inf", "-inf", "+inf", "1e308", "-0", "5e-324", "1e-7", "17179869184"]),
    }
}

fn text(rng: &mut SmallRng) -> Vec<u8> {
    match rng.random_range(0..20) {
        0..12 => pick(rng, &["a", "b", "c", "d", "e", "f", "ab", "bc"]),
        12..16 => rng.random_range(-20..200).to_string().into_bytes(),
        16 => pick(rng, &["", "007", "-0", "1.5", "9223372036854775807", "9223372036854775808"]),
        17 => b"\x00\xff\r\n\"".to_vec(),
        18 => vec![b'x'; rng.random_range(60..70)],
        _ => b"a longer text of several words, compressible compressible compressible".to_vec(),
    }
}

/// Values that the documentation's types say too little about.
fn special(rng: &mut SmallRng, group: &str, command: &str, arg: &Arg) -> Option<Vec<u8>> {
    let name = arg.name.as_str();
    let value = match (group, name) {
        (_, "timeout") => pick(rng, &["0.01", "0.02", "0.01", "-1"]),
        (_, "milliseconds") if arg.token.as_deref() == Some("BLOCK") => {
            pick(rng, &["5", "10", "-1"])
        }
        (_, "seconds") => pick(rng, &["100", "1000", "100000", "0", "-1", "9223372036854775807"]),
        (_, "milliseconds") => pick(rng, &["100000", "10000000", "0", "-1", "9223372036854775807"]),
        (_, "ttl") => pick(rng, &["0", "100000", "-1"]),
        (_, "destination-db" | "db" | "index" | "index1" | "index2")
            if matches!(command, "copy" | "move" | "select" | "swapdb") =>
        {
            pick(rng, &["0", "1", "0", "1", "16", "-1", "abc"])
        }
        // A negative count asks for that many with repetitions: keep what it asks for small.
        (_, "count") => pick(rng, &["0", "1", "2", "5", "-1", "-3", "100", "-9223372036854775808"]),
        (_, "pattern" | "by-pattern" | "get-pattern") if command.starts_with("sort") => {
            pick(rng, &["s*", "h*->a", "h*->b", "nokey*", "#", "*", "nosort", "l*", "h*->"])
        }
        ("string" | "bitmap", "offset") => {
            pick(rng, &["0", "1", "7", "8", "50", "#0", "#1", "-1", "4294967296"])
        }
        ("bitmap", "start" | "end") => pick(rng, &["0", "1", "2", "-1", "-2", "10", "-100"]),
        ("bitmap", "encoding") => pick(rng, &["u8", "i8", "u1", "i5", "u63", "i64", "u64", "i16"]),
        ("bitmap", "bit") => pick(rng, &["0", "1", "0", "1", "2"]),
        ("sorted-set", "min" | "max" | "start" | "stop" | "end") if command.contains("lex") => {
            pick(rng, &["-", "+", "[a", "(b", "[c", "(", "a"])
        }
        ("sorted-set", "min" | "max") => pick(rng, &["-inf", "+inf", "0", "(1", "2", "(3", "5"]),
        ("sorted-set", "start" | "stop") if matches!(command, "zrange" | "zrangestore") => {
            pick(rng, &["0", "1", "-1", "-2", "3", "(1", "+inf", "-inf", "[a", "(c", "-", "+"])
        }
        ("sorted-set", "member") => pick(rng, &["a", "b", "c", "d", "e", "f", "g", ""]),
        ("stream", "id" | "start" | "end" | "last-id" | "id-or-$" | "lastid" | "threshold") => {
            let (ms, seq) = (rng.random_range(0..30), rng.random_range(0..3));
            match rng.random_range(0..14) {
                0 => b"-".to_vec(),
                1 => b"+".to_vec(),
                2 => b"0".to_vec(),
                3 => b"$".to_vec(),
                4 => b">".to_vec(),
                5 => format!("({ms}-{seq}").into_bytes(),
                6 => format!("{ms}-*").into_bytes(),
                7 => ms.to_string().into_bytes(),
                _ => format!("{ms}-{seq}").into_bytes(),
            }
        }
        ("stream", "groupname" | "group") => pick(rng, &["g1", "g2"]),
        ("stream", "consumer" | "consumername") => pick(rng, &["c1", "c2"]),
        // Either everything is idle long enough or nothing is.
        ("stream", "min-idle-time") => pick(rng, &["0", "1000000000000", "-1", "abc"]),
        ("geo", "longitude") => pick(rng, &["13.361389", "15.087269", "0", "-122.4", "181"]),
        ("geo", "latitude") => pick(rng, &["38.115556", "37.502669", "0", "37.7", "86"]),
        ("geo", "radius" | "width" | "height") => pick(rng, &["200", "1000", "20000", "0", "-1"]),
        ("geo", "member" | "member1" | "member2") => pick(rng, &["a", "b", "c", "d"]),
        _ => return None,
    };
    Some(value)
}
