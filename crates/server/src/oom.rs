//! How likely the system kills the process when memory is short (`oom-score-adj`), see proc(5).

use config::{Config, OomScoreAdj};

const FILE: &str = "/proc/self/oom_score_adj";
/// Bounds of the system.
const LEAST: i32 = -1000;
const MOST: i32 = 1000;

/// The process's score.
#[derive(Default)]
pub struct OomScore {
    /// What it was before this server changed it.
    base: Option<i32>,
}

impl OomScore {
    /// Makes the score what the configuration says; a score that it says nothing of is left alone.
    ///
    /// # Errors
    /// When the system refuses, as it does to lower it without privilege.
    pub fn apply(&mut self, config: &Config) -> Result<(), String> {
        let [primary, ..] = config.oom_score_adj_values;
        let score = match (config.oom_score_adj, self.base) {
            (OomScoreAdj::No, None) => return Ok(()),
            (OomScoreAdj::No, Some(base)) => base,
            (OomScoreAdj::Absolute, Some(_)) => primary,
            (OomScoreAdj::Absolute, None) => {
                self.base = Some(read()?);
                primary
            }
            (OomScoreAdj::Yes | OomScoreAdj::Relative, base) => {
                let base = base.map_or_else(read, Ok)?;
                self.base = Some(base);
                base.saturating_add(primary)
            }
        };
        if config.oom_score_adj == OomScoreAdj::No {
            self.base = None;
        }
        let score = score.clamp(LEAST, MOST);
        std::fs::write(FILE, score.to_string()).map_err(|error| {
            tracing::warn!("Unable to write oom_score_adj: {error}");
            "Failed to set current oom_score_adj. Check server logs.".to_owned()
        })
    }
}

fn read() -> Result<i32, String> {
    let text = std::fs::read_to_string(FILE).map_err(|error| {
        tracing::warn!("Unable to read oom_score_adj: {error}");
        "Failed to set current oom_score_adj. Check server logs.".to_owned()
    })?;
    Ok(text.trim().parse().unwrap_or(0))
}
