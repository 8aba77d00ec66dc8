//! `--latency` and `--latency-history`: round-trip times in milliseconds.

use super::call_persistently;
use crate::output::Format;
use crate::session::Session;
use std::io::Write;
use std::time::{Duration, Instant};

/// Pause between two samples.
const PAUSE: Duration = Duration::from_millis(10);
const HISTORY_INTERVAL: Duration = Duration::from_secs(15);
const ONE_SHOT_INTERVAL: Duration = Duration::from_secs(1);

/// Samples of one interval, milliseconds.
#[derive(Default)]
struct Samples {
    min: u128,
    max: u128,
    total: u128,
    count: u128,
}

impl Samples {
    fn add(&mut self, sample: u128) {
        self.min = if self.count == 0 { sample } else { self.min.min(sample) };
        self.max = self.max.max(sample);
        self.total += sample;
        self.count += 1;
    }

    #[expect(clippy::cast_precision_loss, reason = "an average for people")]
    fn print(&self, format: Format) -> std::io::Result<()> {
        let Self { min, max, count, .. } = self;
        let mean = self.total as f64 / (*count).max(1) as f64;
        let mut out = std::io::stdout().lock();
        match format {
            Format::Standard => {
                write!(out, "min: {min}, max: {max}, avg: {mean:.2} ({count} samples)")?;
            }
            Format::Csv => writeln!(out, "{min},{max},{mean:.2},{count}")?,
            Format::Raw => writeln!(out, "{min} {max} {mean:.2} {count}")?,
            Format::Json | Format::QuotedJson => writeln!(
                out,
                "{{\"min\": {min}, \"max\": {max}, \"avg\": {mean:.2}, \"count\": {count}}}"
            )?,
        }
        out.flush()
    }
}

/// Samples until Ctrl-C; for one interval only when the output is not for eyes.
pub fn run(session: &mut Session, history: bool) -> anyhow::Result<()> {
    let format = session.options.style.format;
    let interval = Some(session.options.interval).filter(|interval| !interval.is_zero());
    let mut samples = Samples::default();
    let mut begun = Instant::now();
    loop {
        let sent = Instant::now();
        call_persistently(session, &["PING"])?;
        samples.add(sent.elapsed().as_millis());
        if format == Format::Standard {
            print!("\x1b[0G\x1b[2K");
            samples.print(format)?;
        } else if history {
            samples.print(format)?;
        } else if begun.elapsed() > interval.unwrap_or(ONE_SHOT_INTERVAL) {
            return Ok(samples.print(format)?);
        }
        if history && begun.elapsed() > interval.unwrap_or(HISTORY_INTERVAL) {
            println!(" -- {:.2} seconds range", begun.elapsed().as_secs_f64());
            samples = Samples::default();
            begun = Instant::now();
        }
        std::thread::sleep(PAUSE);
    }
}
