//! `--scan`: every key, one a line.

use super::{keyspace, stop_request, stop_requested};
use crate::output::Format;
use crate::quoting::quote_into;
use crate::session::Session;
use std::io::Write;

/// Prints every key that matches; ends early at Ctrl-C.
pub fn run(session: &mut Session) -> anyhow::Result<()> {
    let interrupt = stop_request();
    let mut cursor = session.options.first_cursor;
    loop {
        let step = keyspace::step(session, cursor)?;
        let mut lines = Vec::new();
        for key in &step.keys {
            if session.options.style.format == Format::Standard {
                quote_into(&mut lines, key);
            } else {
                lines.extend(key);
            }
            lines.push(b'\n');
        }
        let mut out = std::io::stdout().lock();
        out.write_all(&lines)?;
        out.flush()?;
        cursor = step.cursor;
        if cursor == 0 || stop_requested(interrupt.as_ref()) {
            return Ok(());
        }
        std::thread::sleep(session.options.interval);
    }
}
