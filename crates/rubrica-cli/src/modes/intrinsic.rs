//! `--intrinsic-latency`: how long the machine itself keeps a busy process from running.

use super::{stop_request, stop_requested};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Steps of one run of the busy work: far less than a microsecond is not seen, far more hides gaps.
const STEPS: u64 = 200;
/// Runs between two looks at Ctrl-C.
const RUNS_PER_LOOK: u64 = 1 << 12;

/// Works for so many seconds and prints the longest run.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub fn run(seconds: u64) -> anyhow::Result<()> {
    let interrupt = stop_request();
    let duration = Duration::from_secs(seconds);
    let begun = Instant::now();
    let (mut longest, mut runs) = (0_u128, 0_u64);
    loop {
        let start = Instant::now();
        busy_work();
        let micros = start.elapsed().as_micros();
        runs += 1;
        if micros > longest {
            longest = micros;
            println!("Max latency so far: {longest} microseconds.");
        }
        let stop = runs.is_multiple_of(RUNS_PER_LOOK) && stop_requested(interrupt.as_ref());
        if stop || begun.elapsed() > duration {
            break;
        }
    }
    let average_us = begun.elapsed().as_secs_f64() * 1e6 / runs as f64;
    println!(
        "\n{runs} total runs (avg latency: {average_us:.4} microseconds / {:.2} nanoseconds per run).",
        average_us * 1e3
    );
    println!("Worst run took {:.0}x longer than the average latency.", longest as f64 / average_us);
    Ok(())
}

fn busy_work() {
    let mut state = black_box(0x9e37_79b9_7f4a_7c15_u64);
    for _ in 0..STEPS {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    black_box(state);
}
