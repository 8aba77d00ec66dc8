use std::ops::Range;

use command::{Args, Command, Last, OwnedArgs, Table};
use keyspace::{KeyHash, Keyspace};
use resp::{Limits, Parsed, ProtocolError, Span};

use crate::connection::Connection;
use crate::helper::LONG;
use crate::source::{Socket, Token};

/// Commands executed in one go. The lookups of all of them are under way before the first one runs, so a
/// batch pays for one trip to memory, not for one per command.
pub const BATCH: usize = 64;

/// Words for which room is kept from batch to batch.
const SPANS_KEPT: usize = 8192;

/// How many buckets are asked for before the first is looked into: about as many as the processor can wait for
/// at a time, and enough work for one to arrive.
const BUCKET_LEAD: usize = 12;

/// Commands that have been parsed, over all connections that are ready, and not yet executed.
#[derive(Default)]
pub struct Batch {
    commands: Vec<Pending>,
    spans: Vec<Span>,
    last: Last,
}

/// No connection has this token.
const NOBODY: Token = Token::MAX;

/// One parsed command.
pub struct Pending {
    /// The connection that sent it.
    pub token: Token,
    /// What it calls, if there is such a command.
    pub command: Option<Command>,
    words: Words,
    /// Its first key's place among the words, and hash.
    key: Option<(u32, KeyHash)>,
    database: u32,
    /// Where it ends in the connection's input.
    pub end: usize,
}

enum Words {
    /// In the connection's input.
    Input { place: Range<usize>, first_span: u32, spans: u32, canonical: bool },
    /// Unescaped from an inline command.
    Own(Box<OwnedArgs>),
}

/// What parsing a connection's input led to.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// All whole commands are in the batch; this many more bytes are worth reading for the next one.
    Drained {
        /// Bytes.
        wanted: usize,
    },
    /// The batch is full, or has as many commands as were asked for.
    Full,
    /// The stream cannot be read any further.
    Broken(ProtocolError),
}

impl Batch {
    /// Whether no more commands fit.
    pub fn is_full(&self) -> bool {
        self.commands.len() >= BATCH
    }

    /// The number of commands.
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// The command at `index`.
    pub fn get(&self, index: usize) -> &Pending {
        &self.commands[index]
    }

    /// Leaves out the commands from `from` on that other connections than `token`'s have sent: they have been
    /// parsed anew.
    pub fn skip_others(&mut self, from: usize, token: Token) {
        for pending in self.commands.iter_mut().skip(from).filter(|one| one.token != token) {
            pending.token = NOBODY;
        }
    }

    /// Forgets all commands.
    pub fn clear(&mut self) {
        self.commands.clear();
        self.spans.clear();
        if self.spans.capacity() > SPANS_KEPT {
            self.spans.shrink_to(SPANS_KEPT);
        }
    }

    /// Parses what `connection` has sent until its input or the batch's room ends, or `most` commands
    /// have been found.
    pub fn parse<S: Socket>(
        &mut self,
        token: Token,
        connection: &mut Connection<S>,
        limits: &Limits,
        table: &Table,
        most: usize,
    ) -> Progress {
        let before = self.len();
        loop {
            if self.is_full() || self.len() - before >= most {
                return Progress::Full;
            }
            let at = connection.parsed;
            let first_span = self.spans.len();
            let input = &connection.input[at..];
            if input.is_empty() {
                return Progress::Drained { wanted: 0 };
            }
            match connection.parser.parse(input, limits, &mut self.spans) {
                Ok(Parsed::Command { consumed, canonical }) => {
                    connection.parsed += consumed;
                    let spans = (self.spans.len() - first_span) as u32;
                    if spans > 0 {
                        let first_span = first_span as u32;
                        let place = at..connection.parsed;
                        let words = Words::Input { place, first_span, spans, canonical };
                        self.add(token, connection, words, table);
                    }
                }
                Ok(Parsed::Inline { consumed, args }) => {
                    connection.parsed += consumed;
                    self.add(token, connection, Words::Own(Box::new(OwnedArgs::new(args))), table);
                }
                Ok(Parsed::Incomplete { wanted }) => {
                    return Progress::Drained { wanted: wanted.saturating_sub(input.len()) };
                }
                Err(error) => return Progress::Broken(error),
            }
        }
    }

    fn add<S: Socket>(
        &mut self,
        token: Token,
        connection: &Connection<S>,
        words: Words,
        table: &Table,
    ) {
        let args = view(&words, &self.spans, &connection.input);
        let command = table.resolve_like(args, &mut self.last);
        let key = command.and_then(|command| {
            let word = command.first_key()?;
            Some((word as u32, KeyHash::of(args.get(word)?)))
        });
        let database = connection.session.database as u32;
        self.commands.push(Pending {
            token,
            command,
            words,
            key,
            database,
            end: connection.parsed,
        });
    }

    /// Asks for the memory that the commands will touch: first every bucket, then every entry.
    pub fn prefetch(&self, keyspace: &Keyspace) {
        if self.commands.len() < 2 {
            return;
        }
        let places = || {
            let keys = self.commands.iter().map(|one| (one.database as usize, one.key));
            keys.filter_map(|(database, key)| Some((database, key?.1)))
        };
        let mut ahead = places().map(|(_, hash)| keyspace.prefetch_bucket(hash));
        ahead.by_ref().take(BUCKET_LEAD).for_each(drop);
        for (database, hash) in places() {
            ahead.next();
            keyspace.prefetch_entry(database, hash);
        }
    }

    /// Where the words of a command lie in the input of its connection, if that begins with it and they are long.
    #[inline]
    pub fn long_words(&self, pending: &Pending) -> Option<&[Span]> {
        let Words::Input { place, first_span, spans, .. } = &pending.words else { return None };
        if place.end < LONG || place.start > 0 {
            return None;
        }
        self.spans.get(*first_span as usize..)?.get(..*spans as usize)
    }

    /// The words of a command of the batch, which `input` holds.
    #[inline]
    pub fn args<'a>(&'a self, pending: &'a Pending, input: &'a [u8]) -> Args<'a> {
        let args = view(&pending.words, &self.spans, input);
        match pending.key {
            Some((word, hash)) => args.with_hash(word as usize, hash),
            None => args,
        }
    }
}

#[inline(always)]
fn view<'a>(words: &'a Words, spans: &'a [Span], input: &'a [u8]) -> Args<'a> {
    match words {
        Words::Input { place, first_span, spans: count, canonical } => {
            let (bytes, first) = (&input[place.clone()], *first_span as usize);
            let spans = &spans[first..first + *count as usize];
            if *canonical { Args::canonical(bytes, spans) } else { Args::new(bytes, spans) }
        }
        Words::Own(owned) => owned.view(),
    }
}
