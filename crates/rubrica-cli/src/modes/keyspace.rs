//! Walking over all keys with SCAN.

use super::call;
use crate::session::Session;
use anyhow::bail;
use resp::Value;

/// One step of a scan.
pub struct Step {
    /// Where the next step starts; 0 after the last one.
    pub cursor: u64,
    pub keys: Vec<Vec<u8>>,
}

/// Asks for the keys at `cursor` that match the options' pattern and type.
pub fn step(session: &mut Session, cursor: u64) -> anyhow::Result<Step> {
    let options = &session.options;
    let mut words: Vec<Vec<u8>> = vec![b"SCAN".to_vec(), cursor.to_string().into_bytes()];
    if let Some(pattern) = &options.pattern {
        words.extend([b"MATCH".to_vec(), pattern.clone()]);
    }
    if let Some(count) = options.scan_count {
        words.extend([b"COUNT".to_vec(), count.to_string().into_bytes()]);
    }
    if let Some(key_type) = &options.key_type {
        words.extend([b"TYPE".to_vec(), key_type.clone()]);
    }
    let items = match call(session, &words)? {
        Value::Error(text) => bail!("SCAN error: {}", String::from_utf8_lossy(&text)),
        Value::Array(items) => items,
        _ => bail!("Non ARRAY response from SCAN!"),
    };
    let Ok([cursor, keys]) = <[Value; 2]>::try_from(items) else {
        bail!("Invalid element count from SCAN!")
    };
    let (Value::Bulk(cursor), Value::Array(keys)) = (cursor, keys) else {
        bail!("Invalid element types from SCAN!")
    };
    let Some(cursor) = std::str::from_utf8(&cursor).ok().and_then(|text| text.parse().ok()) else {
        bail!("Invalid cursor from SCAN!")
    };
    let keys = keys.into_iter().filter_map(|key| match key {
        Value::Bulk(key) => Some(key),
        _ => None,
    });
    Ok(Step { cursor, keys: keys.collect() })
}

/// The number of keys in the database.
pub fn size(session: &mut Session) -> anyhow::Result<u64> {
    match call(session, &["DBSIZE"])? {
        Value::Integer(size) => Ok(u64::try_from(size).unwrap_or(0)),
        Value::Error(text) => {
            bail!("Couldn't determine DBSIZE: {}", String::from_utf8_lossy(&text))
        }
        _ => bail!("Non INTEGER response from DBSIZE!"),
    }
}

/// How far a scan is, as a figure for people: keys may come and go meanwhile.
#[derive(Default)]
pub struct Progress {
    pub sampled: u64,
    pub total: u64,
    steps: u64,
    /// Percentage at the start of the present step.
    percent: f64,
}

impl Progress {
    /// For a database of `total` keys.
    pub fn new(total: u64) -> Self {
        Self { total, ..Self::default() }
    }

    /// Begins a step.
    #[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
    pub fn begin_step(&mut self) {
        self.percent = 100.0 * self.sampled as f64 / self.total as f64;
    }

    /// Counts one key.
    pub fn count(&mut self) {
        self.sampled += 1;
        if self.sampled.is_multiple_of(1_000_000) {
            println!("{} Sampled {} keys so far", self.label(), self.sampled);
        }
    }

    /// Ends a step: every hundredth one is followed by a pause of `interval`.
    pub fn end_step(&mut self, interval: std::time::Duration) {
        self.steps += 1;
        if self.steps.is_multiple_of(100) {
            std::thread::sleep(interval);
        }
    }

    /// The percentage in brackets.
    pub fn label(&self) -> String {
        // An empty database has no percentage; C prints 0.0 / 0.0 with its sign.
        if self.percent.is_nan() { "[-nan%]".into() } else { format!("[{:05.2}%]", self.percent) }
    }
}
