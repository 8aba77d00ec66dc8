use std::io::{self, IsTerminal, Read, Write};
use std::time::{Duration, Instant};

/// How often the bar moves.
const PERIOD: Duration = Duration::from_millis(100);
const WIDTH: usize = 30;

/// A reader that shows on a terminal how far it has come.
pub struct Progress<R> {
    inner: R,
    read: u64,
    total: u64,
    shown: Option<Instant>,
}

impl<R> Progress<R> {
    /// Reads `total` bytes; shows nothing where nobody looks on.
    pub fn new(inner: R, total: u64) -> Self {
        let shown = io::stderr().is_terminal().then(Instant::now);
        Self { inner, read: 0, total, shown }
    }

    fn show(&mut self) {
        let Some(shown) = &mut self.shown else { return };
        if shown.elapsed() < PERIOD {
            return;
        }
        *shown = Instant::now();
        let percent = u128::from(self.read) * 100 / u128::from(self.total.max(1));
        let full = (percent as usize * WIDTH / 100).min(WIDTH);
        let bar = "#".repeat(full);
        // What cannot be shown is no matter.
        let _ = write!(io::stderr(), "\r[{bar:<WIDTH$}] {percent:>3} %");
    }
}

impl<R: Read> Read for Progress<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        self.read += read as u64;
        self.show();
        Ok(read)
    }
}

impl<R> Drop for Progress<R> {
    fn drop(&mut self) {
        if self.shown.is_some() {
            let _ = write!(io::stderr(), "\r{:width$}\r", "", width = WIDTH + 8);
        }
    }
}
