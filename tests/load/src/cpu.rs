//! CPU time of another process.

use anyhow::{Context as _, Result};
use std::path::Path;

/// Ticks per second of `/proc/PID/stat`; fixed for user space on Linux.
const TICKS: f64 = 100.0;

/// User and system seconds that the process's threads have run. Taken from the scheduler's
/// nanosecond counters (`task/*/schedstat`), or from the 10 ms ticks of `stat` where the kernel
/// keeps none.
pub(crate) fn seconds_of(pid: u32) -> Result<f64> {
    let process = Path::new("/proc").join(pid.to_string());
    if let Some(seconds) = from_scheduler(&process) {
        return Ok(seconds);
    }
    let stat = std::fs::read_to_string(process.join("stat")).context("the server's process")?;
    from_ticks(&stat).context("/proc/PID/stat")
}

fn from_scheduler(process: &Path) -> Option<f64> {
    let mut nanoseconds = 0;
    for task in std::fs::read_dir(process.join("task")).ok()? {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        nanoseconds += text.split_whitespace().next()?.parse::<u64>().ok()?;
    }
    (nanoseconds > 0).then_some(nanoseconds as f64 / 1e9)
}

/// Fields 14 and 15; the second field is the name in parentheses and may hold anything.
fn from_ticks(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let stat = "12 (a) b) S 1 1 1 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 1 0";
        assert_eq!(from_ticks(stat), Some(2.0));
    }

    #[test]
    fn own_cpu_time_is_readable() {
        assert!(seconds_of(std::process::id()).unwrap() >= 0.0);
    }
}
