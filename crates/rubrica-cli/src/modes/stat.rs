//! `--stat`: a line of the server's figures per interval, taken from INFO.

use super::call_persistently;
use crate::session::Session;
use anyhow::bail;
use resp::Value;
use std::io::Write;
use std::time::Duration;

const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);
/// Lines between two repetitions of the head.
const HEAD_EVERY: u64 = 20;
/// Figures that are missing show as this, as in redis-cli.
const MISSING: i64 = i64::MIN;

/// Prints until Ctrl-C.
pub fn run(session: &mut Session) -> anyhow::Result<()> {
    let interval = session.options.interval;
    let interval = if interval.is_zero() { DEFAULT_INTERVAL } else { interval };
    let mut lines = 0_u64;
    let mut requests_before = 0;
    loop {
        let info = match call_persistently(session, &["INFO"])? {
            Value::Bulk(text) | Value::Verbatim { text, .. } | Value::Simple(text) => text,
            Value::Error(text) => bail!("ERROR: {}", String::from_utf8_lossy(&text)),
            _ => bail!("ERROR: unexpected reply to INFO"),
        };
        let info = String::from_utf8_lossy(&info);
        if lines.is_multiple_of(HEAD_EVERY) {
            println!(
                "------- data ------ --------------------- load -------------------- - child -\n\
                 keys       mem      clients blocked requests            connections          "
            );
        }
        lines += 1;
        println!("{}", line(&info, &mut requests_before));
        std::io::stdout().flush()?;
        std::thread::sleep(interval);
    }
}

fn line(info: &str, requests_before: &mut i64) -> String {
    let requests = figure(info, "total_commands_processed");
    let since = if *requests_before == 0 { 0 } else { requests.saturating_sub(*requests_before) };
    *requests_before = requests;
    let children = [("rdb_bgsave_in_progress", "SAVE"), ("aof_rewrite_in_progress", "AOF")];
    let busy: Vec<&str> = children
        .iter()
        .filter(|(name, _)| figure(info, name) == 1)
        .map(|(_, shown)| *shown)
        .chain((figure(info, "loading") == 1).then_some("LOAD"))
        .collect();
    format!(
        "{:<11}{:<8} {:<8}{:<8}{:<19} {:<12}{}",
        keys(info),
        human(figure(info, "used_memory")),
        figure(info, "connected_clients"),
        figure(info, "blocked_clients"),
        format!("{requests} (+{since})"),
        figure(info, "total_connections_received"),
        busy.join("+"),
    )
}

/// The value of a `name:value` line.
fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

fn figure(info: &str, name: &str) -> i64 {
    field(info, name).and_then(|value| value.trim().parse().ok()).unwrap_or(MISSING)
}

/// The keys of all databases: `dbN:keys=K,...`.
fn keys(info: &str) -> i64 {
    let per_database = info.lines().filter_map(|line| {
        let (number, rest) = line.strip_prefix("db")?.split_once(":keys=")?;
        number.parse::<u32>().ok()?;
        rest.split(',').next()?.parse::<i64>().ok()
    });
    per_database.fold(0, i64::saturating_add)
}

/// Bytes as 100B, 4.00K, 2.50M and so on.
#[expect(clippy::cast_precision_loss, reason = "two decimals for people")]
fn human(bytes: i64) -> String {
    let sign = if bytes < 0 { "-" } else { "" };
    let bytes = bytes.unsigned_abs();
    if bytes < 1024 {
        return format!("{sign}{bytes}B");
    }
    let mut size = bytes as f64 / 1024.0;
    let mut units = ["K", "M", "G", "T", "P"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while size >= 1024.0 {
        let Some(next) = units.next() else { break };
        size /= 1024.0;
        unit = next;
    }
    format!("{sign}{size:.2}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_the_figures_of_info() {
        let info = "used_memory:2097152\r\nconnected_clients:3\r\nblocked_clients:1\r\n\
                    total_commands_processed:110\r\ntotal_connections_received:7\r\n\
                    rdb_bgsave_in_progress:1\r\nloading:0\r\ndb0:keys=5,expires=0\r\n\
                    db11:keys=2,expires=0\r\n";
        let mut before = 100;
        let line = line(info, &mut before);
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words, ["7", "2.00M", "3", "1", "110", "(+10)", "7", "SAVE"]);
        assert_eq!(before, 110);
    }

    #[test]
    fn bytes_are_shown_in_the_largest_unit() {
        assert_eq!(human(1023), "1023B");
        assert_eq!(human(1536), "1.50K");
        assert_eq!(human(-3 << 30), "-3.00G");
    }
}
