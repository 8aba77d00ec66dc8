//! `--latency-dist`: a line per interval, whose columns are classes of round-trip times and whose
//! colours say how many samples fell into each.

use super::call_persistently;
use crate::session::Session;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(10);
const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);
/// Lines between two repetitions of the legend.
const LEGEND_EVERY: u32 = 20;

/// Upper ends of the classes, microseconds: the 1-2-5 series. A last class is open.
const CLASS_ENDS: [u64; 15] = [
    10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000,
    500_000,
];
/// The signs of the classes, the open one's last.
const SIGNS: &str = "abcdefghijklmnop";

/// The edge of the 256-colour palette's cube from blue over green to red, few samples to many.
const COLOURS: [u8; 21] =
    [16, 17, 18, 19, 20, 21, 27, 33, 39, 45, 51, 49, 47, 46, 118, 190, 226, 220, 214, 208, 196];
/// The palette's ramp of greys.
const GREYS: [u8; 12] = [232, 234, 236, 238, 240, 242, 244, 246, 248, 250, 252, 254];

/// Samples until Ctrl-C.
pub fn run(session: &mut Session) -> anyhow::Result<()> {
    let palette: &[u8] = if session.options.monochrome { &GREYS } else { &COLOURS };
    let interval = session.options.interval;
    let interval = if interval.is_zero() { DEFAULT_INTERVAL } else { interval };
    let mut lines = 0_u32;
    loop {
        let mut counts = [0_u64; CLASS_ENDS.len() + 1];
        let begun = Instant::now();
        while begun.elapsed() < interval {
            let sent = Instant::now();
            call_persistently(session, &["PING"])?;
            let micros = u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX);
            if let Some(count) = counts.get_mut(CLASS_ENDS.partition_point(|end| *end < micros)) {
                *count += 1;
            }
            std::thread::sleep(PAUSE);
        }
        if lines.is_multiple_of(LEGEND_EVERY) {
            legend(palette);
        }
        lines = lines.wrapping_add(1);
        draw(&counts, palette);
    }
}

fn draw(counts: &[u64], palette: &[u8]) {
    let total: u64 = counts.iter().sum();
    let darkest = palette.len().saturating_sub(1) as u64;
    print!("\x1b[38;5;0m");
    for (count, sign) in counts.iter().zip(SIGNS.chars()) {
        // Rounded up, so that a single sample is seen.
        let shade = (count * darkest).div_ceil(total.max(1));
        let colour = usize::try_from(shade).ok().and_then(|shade| palette.get(shade));
        print!("\x1b[48;5;{}m{sign}", colour.copied().unwrap_or(0));
    }
    println!("\x1b[0m");
}

fn legend(palette: &[u8]) {
    println!();
    for (end, sign) in CLASS_ENDS.iter().zip(SIGNS.chars()) {
        match end / 1_000 {
            0 => println!("{sign}: up to {end} us"),
            millis => println!("{sign}: up to {millis} ms"),
        }
    }
    println!("{}: longer", SIGNS.chars().last().unwrap_or_default());
    print!("Share of the samples, none to all: ");
    for colour in palette {
        print!("\x1b[48;5;{colour}m ");
    }
    println!("\x1b[0m");
}
