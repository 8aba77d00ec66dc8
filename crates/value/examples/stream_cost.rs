//! What a stream costs: bytes per entry and nanoseconds per operation.
//!
//! `cargo run --profile quick -p value --example stream_cost`

use std::hint::black_box;
use std::time::Instant;

use value::stream::{Id, NewId, References, Stream, StreamLimits, Trim, TrimTo};

fn time<T>(what: &str, ops: u64, f: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = f();
    println!("{what:42} {:7.1} ns", start.elapsed().as_nanos() as f64 / ops as f64);
    result
}

fn main() {
    const N: u64 = 1_000_000;
    let limits = StreamLimits::default();
    let mut stream = Stream::new();
    let append = |stream: &mut Stream, i: u64| {
        let value = (1_000_000_000 + i).to_string();
        let fields = [(&b"temperature"[..], value.as_bytes()), (&b"humidity"[..], &b"50"[..])];
        let id = NewId::Auto { now_ms: 1_700_000_000_000 + i / 3 };
        stream.append(id, fields.into_iter(), limits).is_ok()
    };
    time("append", N, || {
        (0..N).for_each(|i| {
            black_box(append(&mut stream, i));
        })
    });
    println!(
        "{:42} {:7.1} B",
        "an entry of 2 fields, 12 bytes of values",
        stream.heap_bytes() as f64 / N as f64
    );
    let step = N / 3 / 1000;
    let at = |i: u64| Id::new(1_700_000_000_000 + i * 7919 % (N / 3), 1);
    time("get by ID", N / 10, || {
        (0..N / 10).for_each(|i| {
            black_box(stream.get(at(i)).is_some());
        })
    });
    time("walk up, per entry", N, || {
        stream.range(Id::MIN, Id::MAX, false).map(|e| e.fields().len()).sum::<usize>()
    });
    time("walk down, per entry", N, || {
        stream.range(Id::MIN, Id::MAX, true).map(|e| e.fields().len()).sum::<usize>()
    });
    stream.create_group(b"g", Id::MIN, Some(0));
    time("deliver to a group by tens, per entry", N / 5, || {
        (0..N / 50).for_each(|_| {
            black_box(stream.deliver(b"g", b"c", 10, false, 5, |_| true));
        });
    });
    if let Some(group) = stream.group_mut(b"g") {
        println!(
            "{:42} {:7.1} B",
            "a pending entry",
            group.heap_bytes() as f64 / group.pending_len() as f64
        );
        let ids: Vec<Id> = group.pending(Id::MIN, Id::MAX).map(|(id, ..)| id).collect();
        time("acknowledge", ids.len() as u64, || ids.iter().filter(|&&id| group.ack(id)).count());
    }
    time("delete by ID", 1000, || (0..1000).filter(|i| stream.delete(at(i * step))).count());
    let trim =
        |approx| Trim { to: TrimTo::MaxLen(N / 2), approx, limit: 0, references: References::Keep };
    time("append and trim exactly to half, after that", N / 10, || {
        stream.trim(trim(false));
        (0..N / 10).for_each(|i| {
            append(&mut stream, N + i);
            stream.trim(trim(false));
        });
    });
}
