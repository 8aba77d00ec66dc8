//! Measurements against other servers.

use anyhow::{Result, bail};
use std::path::Path;

pub(crate) fn run(_root: &Path, _options: &[String]) -> Result<()> {
    bail!("not built yet")
}
