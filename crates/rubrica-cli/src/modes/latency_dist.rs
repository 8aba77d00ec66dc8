//! `--latency-dist`: a line per interval, whose columns are classes of round-trip times and whose
//! colours say how many samples fell into each.

use super::call_persistently;
use crate::session::Session;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(10);
const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);
/// Lines between two repetitions of the legend.
const LEGEND_EVERY: u32 = 20;

/// Upper ends of the classes, microseconds, with the sign that stands for them; the last class is
/// open.
const CLASSES: [(u64, char); 18] = [
    (10, '.'),
    (125, '-'),
    (250, '*'),
    (500, '#'),
    (1_000, '1'),
    (2_000, '2'),
    (3_000, '3'),
    (4_000, '4'),
    (5_000, '5'),
    (6_000, '6'),
    (7_000, '7'),
    (8_000, '8'),
    (9_000, '9'),
    (10_000, 'A'),
    (20_000, 'B'),
    (100_000, 'C'),
    (500_000, 'D'),
    (u64::MAX, 'E'),
];

/// Colours of the 256-colour palette from few samples to many.
const COLOURS: [u8; 19] =
    [0, 233, 234, 235, 237, 239, 241, 243, 245, 247, 144, 143, 142, 184, 226, 214, 208, 202, 196];
const GREYS: [u8; 13] = [0, 233, 234, 235, 237, 239, 241, 243, 245, 247, 249, 251, 253];

/// Samples until Ctrl-C.
pub fn run(session: &mut Session, monochrome: bool) -> anyhow::Result<()> {
    let palette: &[u8] = if monochrome { &GREYS } else { &COLOURS };
    let interval = session.options.interval;
    let interval = if interval.is_zero() { DEFAULT_INTERVAL } else { interval };
    let mut lines = 0_u32;
    loop {
        let mut counts = [0_u64; CLASSES.len()];
        let begun = Instant::now();
        while begun.elapsed() < interval {
            let sent = Instant::now();
            call_persistently(session, &["PING"])?;
            let micros = u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX);
            let class = CLASSES.iter().position(|(end, _)| micros <= *end);
            if let Some(count) = class.and_then(|class| counts.get_mut(class)) {
                *count += 1;
            }
            std::thread::sleep(PAUSE);
        }
        if lines % LEGEND_EVERY == 0 {
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
    for (count, (_, sign)) in counts.iter().zip(CLASSES) {
        // Rounded up, so that a single sample is seen.
        let shade = (count * darkest).div_ceil(total.max(1));
        let colour = usize::try_from(shade).ok().and_then(|shade| palette.get(shade));
        print!("\x1b[48;5;{}m{sign}", colour.copied().unwrap_or(0));
    }
    println!("\x1b[0m");
}

fn legend(palette: &[u8]) {
    println!("---------------------------------------------");
    for (end, sign) in CLASSES {
        match end {
            u64::MAX => println!("{sign} > {} ms", 500),
            end if end < 1_000 => println!("{sign} <= {:.3} ms", f64::from(end as u32) / 1e3),
            end => println!("{sign} <= {} ms", end / 1_000),
        }
    }
    print!("From 0 to 100%: ");
    for colour in palette {
        print!("\x1b[48;5;{colour}m ");
    }
    println!("\x1b[0m");
}
