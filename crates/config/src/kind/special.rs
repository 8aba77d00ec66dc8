//! Values with a form of their own: save points, output buffer limits, percentages of memory,
//! the primary's address, and how they are read and written.

use crate::value::{Field, Value};

use super::number;

/// Save a snapshot after this many seconds if at least this many changes were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavePoint {
    /// Seconds since the last snapshot, at least 1.
    pub seconds: u64,
    /// Changes since the last snapshot.
    pub changes: u64,
}

/// When a client that does not read its replies is closed. 0 means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimit {
    /// Bytes at which it is closed at once.
    pub hard_bytes: u64,
    /// Bytes that it may hold for [`OutputLimit::soft_s`] seconds.
    pub soft_bytes: u64,
    /// Seconds for which it may hold more than [`OutputLimit::soft_bytes`].
    pub soft_s: u64,
}

/// The address of the primary that this server replicates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Primary {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// `maxmemory-clients`: how much memory all clients together may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientMemory {
    /// This many bytes; 0 means no limit.
    Bytes(u64),
    /// This many percent of `maxmemory`.
    Percent(u64),
}

impl ClientMemory {
    /// The limit in bytes; none if there is none. `maxmemory` is in bytes, too.
    pub fn limit(self, maxmemory: u64) -> Option<u64> {
        let bytes = match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => (u128::from(maxmemory) * u128::from(percent) / 100) as u64,
        };
        (bytes > 0).then_some(bytes)
    }
}

impl Default for ClientMemory {
    fn default() -> Self {
        Self::Bytes(0)
    }
}

impl Field for ClientMemory {
    fn to_value(&self) -> Value {
        match self {
            Self::Bytes(bytes) => Value::Int(i128::from(*bytes)),
            Self::Percent(percent) => Value::Int(-i128::from(*percent)),
        }
    }
    fn from_value(value: &Value) -> Option<Self> {
        let Value::Int(number) = value else { return None };
        if *number < 0 {
            u64::try_from(-number).ok().map(Self::Percent)
        } else {
            u64::try_from(*number).ok().map(Self::Bytes)
        }
    }
}

/// Names of the classes of clients that have output buffer limits, in the order of
/// [`Value::Limits`], as CONFIG GET writes them.
pub(crate) const CLASSES: [&str; 3] = ["normal", "slave", "pubsub"];

/// Reads `<seconds> <changes>` pairs; a single empty argument means none.
pub(super) fn parse_save(args: &[Vec<u8>]) -> Result<Vec<SavePoint>, String> {
    const INVALID: &str = "Invalid save parameters";
    let args = if let [only] = args
        && only.is_empty()
    {
        &[]
    } else {
        args
    };
    let (pairs, rest) = args.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(INVALID.into());
    }
    let read = |text: &Vec<u8>| number::integer(text).and_then(|n| u64::try_from(n).ok());
    pairs
        .iter()
        .map(|[seconds, changes]| {
            let (seconds, changes) = (read(seconds)?, read(changes)?);
            let fits = seconds >= 1 && seconds <= i64::MAX as u64 && changes <= i32::MAX as u64;
            fits.then_some(SavePoint { seconds, changes })
        })
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| INVALID.into())
}

/// Reads `<class> <hard> <soft> <seconds>` groups over the current limits: classes that are not
/// named keep theirs.
pub(super) fn parse_limits(
    args: &[Vec<u8>],
    current: [OutputLimit; 3],
) -> Result<[OutputLimit; 3], String> {
    let (groups, rest) = args.as_chunks::<4>();
    if !rest.is_empty() {
        return Err("Wrong number of arguments in buffer limit configuration.".into());
    }
    let mut limits = current;
    for [class, hard, soft, seconds] in groups {
        let class = match class.to_ascii_lowercase().as_slice() {
            b"normal" => 0,
            b"slave" | b"replica" => 1,
            b"pubsub" => 2,
            _ => {
                return Err("Invalid client class specified in buffer limit configuration.".into());
            }
        };
        let bytes = |text: &Vec<u8>| number::memory(text).and_then(|n| u64::try_from(n).ok());
        let seconds = number::integer(seconds).and_then(|n| u64::try_from(n).ok());
        let (Some(hard_bytes), Some(soft_bytes), Some(soft_s)) =
            (bytes(hard), bytes(soft), seconds.filter(|s| *s <= i32::MAX as u64))
        else {
            return Err(
                "Error in hard, soft or soft_seconds setting in buffer limit configuration.".into(),
            );
        };
        limits[class] = OutputLimit { hard_bytes, soft_bytes, soft_s };
    }
    Ok(limits)
}

/// Reads the three values of `oom-score-adj-values`.
pub(super) fn parse_scores(args: &[Vec<u8>]) -> Result<[i32; 3], String> {
    let [a, b, c] = args else {
        return Err("wrong number of arguments".into());
    };
    let read = |text: &Vec<u8>| {
        number::integer(text)
            .and_then(|n| i32::try_from(n).ok())
            .filter(|n| (-2000..=2000).contains(n))
            .ok_or("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")
    };
    Ok([read(a)?, read(b)?, read(c)?])
}

/// Reads percentiles; a single empty argument means none.
pub(super) fn parse_percentiles(args: &[Vec<u8>]) -> Result<Vec<f64>, String> {
    if let [only] = args
        && only.is_empty()
    {
        return Ok(Vec::new());
    }
    let read = |text: &Vec<u8>| {
        let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
        match number {
            Some(number) if (0.0..=100.0).contains(&number) => Ok(number),
            Some(number) if !number.is_nan() => {
                Err("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"
                    .to_owned())
            }
            _ => Err("Invalid latency-tracking-info-percentiles parameters".to_owned()),
        }
    };
    args.iter().map(read).collect()
}

/// Writes a percentile with up to six decimals and no trailing zeros.
pub(super) fn percentile_text(percentile: f64) -> String {
    let text = format!("{percentile:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Reads addresses to listen on; none, or a single empty argument, means none.
pub(super) fn parse_bind(args: &[Vec<u8>]) -> Result<Vec<String>, String> {
    const MAX_ADDRESSES: usize = 16;
    if args.len() > MAX_ADDRESSES {
        return Err("Too many bind addresses specified.".into());
    }
    if let [only] = args
        && only.is_empty()
    {
        return Ok(Vec::new());
    }
    args.iter().map(|address| plain(address).ok_or("Invalid bind address".to_owned())).collect()
}

/// Reads `<host> <port>`, or `no one`.
pub(super) fn parse_primary(args: &[Vec<u8>]) -> Result<Option<Primary>, String> {
    let [host, port] = args else {
        return Err("wrong number of arguments".into());
    };
    if host.eq_ignore_ascii_case(b"no") && port.eq_ignore_ascii_case(b"one") {
        return Ok(None);
    }
    let port = number::integer(port)
        .and_then(|port| u16::try_from(port).ok())
        .ok_or("Invalid master port")?;
    let host = plain(host).ok_or("Invalid master host")?;
    Ok(Some(Primary { host, port }))
}

/// Text that stays one argument when it is written into a line without quotes: not empty,
/// printable ASCII, no blanks, no quotes and no backslash.
fn plain(text: &[u8]) -> Option<String> {
    let fine = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    let all = !text.is_empty() && text.iter().all(fine);
    if all { String::from_utf8(text.to_vec()).ok() } else { None }
}
