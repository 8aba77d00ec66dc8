//! A client as CLIENT LIST and CLIENT INFO show it.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tracking::{Mode, Tracker};

use crate::clients::{Client, Kill};
use crate::table::Table;

/// Output up to here counts as the buffer that every client has (`obl`); what is beyond counts as a
/// list of buffers of this size (`oll`, `omem`), which is what monitoring looks at to find those who do
/// not read.
const OUTPUT_BLOCK: u64 = 16 * 1024;
/// The least that a client's buffer is said to have (`rbs`). Buffers belong to the workers, not to clients;
/// what is shown is the one that a client's latest replies have needed, as in Redis.
const OUTPUT_LEAST: u64 = 1024;

/// What is known of a client only while its own command runs.
#[derive(Clone, Copy)]
pub struct Running {
    /// The client whose command it is.
    pub client: u64,
    /// Bytes of the command's arguments.
    pub argument_bytes: u64,
}

/// Appends a client's line, without a line end, to `line`.
pub fn describe(line: &mut Vec<u8>, client: &Client, table: &Table, now_ms: i64, running: Running) {
    let figures = &client.figures;
    let names = client.names.lock().clone();
    let text = String::from_utf8_lossy;
    let seconds_since = |then_ms: i64| (now_ms / 1000).saturating_sub(then_ms / 1000).max(0);
    let active_ms = figures.active_ms.load(Ordering::Relaxed);
    let argument_bytes = if running.client == client.id { running.argument_bytes } else { 0 };
    let output = Output::of(figures.output_bytes.get());
    // Writing to a vector does not fail.
    let _ = write!(
        line,
        "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub={} psub={} ssub={}",
        client.id,
        client.addr,
        client.laddr,
        client.fd,
        text(&names.name),
        seconds_since(client.created_ms),
        seconds_since(active_ms),
        flags(client),
        figures.database.get(),
        figures.channels.get(),
        figures.patterns.get(),
        figures.shard_channels.get(),
    );
    let _ = write!(
        line,
        " multi={} watch={} qbuf={} qbuf-free={} argv-mem={} multi-mem={} rbs={} rbp={} obl={} oll={} \
         omem={} tot-mem={} events={}",
        i128::from(figures.queued.get()) - 1,
        figures.watched.get(),
        figures.query_bytes.get(),
        figures.query_free.get(),
        argument_bytes,
        figures.queued_bytes.get(),
        figures.output_peak.get().next_power_of_two().clamp(OUTPUT_LEAST, OUTPUT_BLOCK),
        figures.output_peak.get(),
        output.buffered,
        output.blocks,
        output.listed,
        figures.memory_bytes.get() + argument_bytes,
        events(client),
    );
    let command = client.last_command(table).map_or("NULL".into(), |command| command.full_name());
    let _ = write!(
        line,
        " cmd={command} user={} redir={} resp={} lib-name={} lib-ver={} io-thread={} tot-net-in={} \
         tot-net-out={} tot-cmds={}",
        text(&names.user),
        redirection(client.tracker()),
        figures.protocol.get(),
        text(&names.library),
        text(&names.library_version),
        client.worker,
        figures.received_bytes.get(),
        figures.sent_bytes.get(),
        figures.commands.get(),
    );
}

/// Unsent output, as the three figures that show it.
struct Output {
    buffered: u64,
    blocks: u64,
    listed: u64,
}

impl Output {
    fn of(bytes: u64) -> Self {
        let buffered = bytes.min(OUTPUT_BLOCK);
        let listed = bytes - buffered;
        Self { buffered, blocks: listed.div_ceil(OUTPUT_BLOCK), listed }
    }
}

/// What the connection waits for: to read, to write.
fn events(client: &Client) -> &'static str {
    let writes = client.figures.output_bytes.get() > 0;
    match (client.killed() == Kill::No, writes) {
        (true, false) => "r",
        (true, true) => "rw",
        (false, true) => "w",
        (false, false) => "",
    }
}

/// The letters that tell a client's state, in the order of Redis; `N` when there are none.
pub fn flags(client: &Client) -> String {
    let figures = &client.figures;
    let set = |flag: &std::sync::atomic::AtomicBool| flag.load(Ordering::Relaxed);
    let mode = client.tracker().map_or(Mode::empty(), |tracker| tracker.mode());
    let letters = [
        ('O', set(&figures.monitor)),
        ('P', figures.is_subscriber()),
        ('x', figures.queued.get() > 0),
        ('b', set(&figures.blocked) || set(&figures.held)),
        ('t', mode.contains(Mode::ON)),
        ('R', mode.contains(Mode::BROKEN)),
        ('B', mode.contains(Mode::BROADCAST)),
        ('c', client.killed() == Kill::AfterReply),
        ('A', client.killed() == Kill::Now),
        ('U', client.unix),
        ('e', set(&figures.no_evict)),
        ('T', set(&figures.no_touch)),
    ];
    let flags: String = letters.iter().filter(|(_, on)| *on).map(|(letter, _)| *letter).collect();
    if flags.is_empty() { "N".into() } else { flags }
}

/// The client that gets the invalidations: 0 for the client itself, -1 when it does not track.
pub fn redirection(tracker: Option<&Arc<Tracker>>) -> i64 {
    let Some(tracker) = tracker.filter(|tracker| tracker.mode().contains(Mode::ON)) else {
        return -1;
    };
    tracker.redirect().map_or(0, |other| i64::try_from(other.client()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_beyond_one_block_counts_as_a_list() {
        let figures = |bytes| {
            let output = Output::of(bytes);
            (output.buffered, output.blocks, output.listed)
        };
        assert_eq!(figures(0), (0, 0, 0));
        assert_eq!(figures(16 * 1024), (16 * 1024, 0, 0));
        assert_eq!(figures(16 * 1024 + 1), (16 * 1024, 1, 1));
        assert_eq!(figures(48 * 1024), (16 * 1024, 2, 32 * 1024));
    }
}
