use config::Config;
use effects::{Group, Recorder, Targets};
use value::Kind;

use crate::args::Args;
use crate::database::Database;

/// What a command puts into the log of effects. Unless it says otherwise: its own words, if it changed
/// something (`dirty` grew).
///
/// What goes into the log must do the same whenever it is run again. So whatever depends on the time, on
/// chance or on another client says here what it did.
#[derive(Debug)]
pub struct Effects {
    wanted: bool,
    database: usize,
    itself: Itself,
    group: Group,
}

/// What becomes of the command's own words.
#[derive(Clone, Copy, Debug)]
enum Itself {
    IfChanged,
    Never,
    Always(Targets),
}

impl Effects {
    /// Nothing yet, of a command in `database`. `wanted` says whether anybody reads the log.
    pub fn new(database: usize, wanted: bool) -> Self {
        Self { wanted, database, itself: Itself::IfChanged, group: Group::default() }
    }

    /// Whether anybody reads the log; if not, there is no need to say anything.
    pub fn wanted(&self) -> bool {
        self.wanted
    }

    /// Logs this command instead of the command's own words. Several calls log several, in their order; as
    /// soon as there are more than one they become a transaction.
    pub fn instead(&mut self, words: &[&[u8]]) {
        self.itself = Itself::Never;
        self.beside(words);
    }

    /// Logs the command's own words with some of them replaced, by their places.
    pub fn instead_with(&mut self, args: Args<'_>, replaced: &[(usize, &[u8])]) {
        self.itself = Itself::Never;
        if self.wanted {
            let words = args.iter().enumerate().map(|(index, word)| {
                replaced.iter().find(|(at, _)| *at == index).map_or(word, |(_, new)| new)
            });
            self.group.push(self.database, Targets::all(), args.len(), words);
        }
    }

    /// Logs a command of some first words and as many more as there are: `DEL`, key; fields.
    pub fn instead_list<'w>(&mut self, first: &[&'w [u8]], rest: impl Iterator<Item = &'w [u8]>) {
        if self.wanted {
            let words: Vec<&[u8]> = first.iter().copied().chain(rest).collect();
            self.instead(&words);
        } else {
            self.itself = Itself::Never;
        }
    }

    /// Logs this command, before the command's own words.
    pub fn beside(&mut self, words: &[&[u8]]) {
        if self.wanted {
            self.group.push(self.database, Targets::all(), words.len(), words.iter().copied());
        }
    }

    /// Logs the command's own words under no circumstances.
    pub fn not_itself(&mut self) {
        self.itself = Itself::Never;
    }

    /// Logs the command's own words though it has changed no key (functions, messages).
    pub fn always(&mut self, targets: Targets) {
        self.itself = Itself::Always(targets);
    }

    /// Who gets the command's own words, if anybody does.
    fn targets_of_itself(&self, changed: bool) -> Option<Targets> {
        match self.itself {
            Itself::IfChanged => changed.then_some(Targets::all()),
            Itself::Never => None,
            Itself::Always(targets) => Some(targets),
        }
    }

    /// Records the command's own words at once if they are all that it logs; says whether that was so. The command is
    /// no part of a transaction. Otherwise as [`Effects::collect`].
    #[inline]
    pub fn record_itself(
        &self,
        expired: &Group,
        changed: bool,
        args: Args<'_>,
        recorder: &Recorder,
        now_ms: i64,
    ) -> bool {
        if !expired.is_empty() || !self.group.is_empty() {
            return false;
        }
        if let Some(targets) = self.targets_of_itself(changed) {
            match args.frame() {
                Some(bytes) => recorder.record_encoded(self.database, targets, bytes, now_ms),
                None => {
                    recorder.record_one(self.database, targets, args.len(), args.iter(), now_ms);
                }
            }
        }
        true
    }

    /// Everything that the command has put in here, its own words included if it logs them; `expired` went before
    /// it. The database is the one that it began in.
    pub fn collect(
        &mut self,
        expired: &mut Group,
        changed: bool,
        args: Args<'_>,
        into: &mut Group,
    ) {
        if !self.wanted {
            return;
        }
        into.append(expired);
        into.append(&mut self.group);
        if let Some(targets) = self.targets_of_itself(changed) {
            match args.frame() {
                Some(bytes) => into.push_encoded(self.database, targets, bytes),
                None => into.push(self.database, targets, args.len(), args.iter()),
            }
        }
    }

    /// Takes over what a command did that ran within this one; only `targets` are to have it.
    pub fn absorb(
        &mut self,
        mut inner: Self,
        db: &mut Database<'_>,
        args: Args<'_>,
        targets: Targets,
    ) {
        self.itself = Itself::Never;
        let changed = db.changes() > 0;
        let mut group = Group::default();
        inner.collect(db.expired(), changed, args, &mut group);
        group.restrict(targets);
        self.group.append(&mut group);
    }
}

/// How keys that go because their time has come are logged.
#[derive(Clone, Copy)]
pub struct ExpiryLog<'a> {
    recorder: &'a Recorder,
    config: &'a Config,
}

impl<'a> ExpiryLog<'a> {
    /// By `recorder`, and in the way that the configuration says; `None` when nobody reads the log.
    #[inline]
    pub fn new(recorder: &'a Recorder, config: &'a Config) -> Option<Self> {
        recorder.is_on().then_some(Self { recorder, config })
    }

    /// The command that stands for the end of a key.
    fn verb(&self) -> &'static [u8] {
        if self.config.lazyfree_lazy_expire { b"UNLINK" } else { b"DEL" }
    }

    /// Logs the end of a key at once: the caller holds its lock, and is about to give it back.
    pub fn record(&self, database: usize, key: &[u8], now_ms: i64) {
        let words = [self.verb(), key];
        self.recorder.record_one(database, Targets::all(), 2, words.into_iter(), now_ms);
    }

    /// Adds the end of fields or members to the effects of the command that has met them.
    pub fn push_members(
        &self,
        group: &mut Group,
        database: usize,
        kind: Kind,
        key: &[u8],
        gone: &[Vec<u8>],
    ) {
        let words = [remover(kind), key].into_iter().chain(gone.iter().map(Vec::as_slice));
        group.push(database, Targets::all(), gone.len() + 2, words);
    }

    /// Logs the end of fields or members at once, as [`ExpiryLog::record`] does of a key.
    pub fn record_members(
        &self,
        database: usize,
        kind: Kind,
        key: &[u8],
        gone: &[Vec<u8>],
        now_ms: i64,
    ) {
        let words = [remover(kind), key].into_iter().chain(gone.iter().map(Vec::as_slice));
        self.recorder.record_one(database, Targets::all(), gone.len() + 2, words, now_ms);
    }

    /// Adds the end of a key to the effects of the command that has met it.
    pub fn push(&self, group: &mut Group, database: usize, key: &[u8]) {
        group.push(database, Targets::all(), 2, [self.verb(), key].into_iter());
    }
}

/// The command that removes fields or members.
pub fn remover(kind: Kind) -> &'static [u8] {
    match kind {
        Kind::Set => b"SREM",
        Kind::SortedSet => b"ZREM",
        _ => b"HDEL",
    }
}
