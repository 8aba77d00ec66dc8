//! Server-assisted caching around a command: what it reads is remembered for its client, and what it changes
//! is told to those who have read it.

use command::{Args, Command, Flags, Group, KeyFlags, Session};
use tracking::Recorder;

use crate::execute::{Bench, keys_of};

impl<'a> Bench<'a> {
    /// Where a client's command notes what it changes, when anybody caches. Asked while its keys are locked.
    #[inline]
    pub fn recorder(&self, session: &Session) -> Option<Recorder<'a>> {
        let tracking = &self.services.tracking;
        tracking.is_on().then(|| Recorder {
            tracking,
            notes: self.notes,
            client: session.client.id,
        })
    }

    /// Enters a client with the keys that its command has read, if the client tracks. Their locks are still
    /// held.
    #[inline(always)]
    pub fn remember_keys(&self, session: &Session, command: Command, args: &Args<'_>) {
        if self.services.tracking.is_on() && command.flags.contains(Flags::READONLY) {
            // What a script reads is remembered by the commands that it runs.
            if command.group != Group::Scripting {
                self.remember_all(session, command, *args);
            }
        }
    }

    /// Enters a client with the keys that its command names, if the client tracks. Their locks are held.
    pub fn remember_all(&self, session: &Session, command: Command, args: Args<'_>) {
        let Some(tracker) = session.client.tracker().filter(|tracker| tracker.remembers()) else {
            return;
        };
        if command.flags.contains(Flags::PUBSUB) {
            return;
        }
        for (word, flags) in keys_of(command, args) {
            if !flags.contains(KeyFlags::NOT_KEY) {
                let key = args.key(word);
                self.services.tracking.remember(key.hash().bits(), key.bytes(), tracker);
            }
        }
    }

    /// Tells those who have read what the last command changed. Its reply stands before that, and its keys
    /// are still locked.
    pub fn tell_readers(&self) {
        let mut notes = self.notes.borrow_mut();
        if notes.has_notes() {
            self.services.tracking.post(&mut notes);
        }
    }

    /// Tells everybody what is still to be told, broadcasts included.
    pub fn tell_everybody(&self) {
        let mut notes = self.notes.borrow_mut();
        if !notes.is_empty() {
            self.services.tracking.broadcast(&mut notes);
        }
    }

    /// Keeps the table of what clients have read within its bounds.
    #[inline]
    pub fn limit_tracking(&self) {
        if self.services.tracking.is_on() {
            let most = self.config.tracking_table_max_keys;
            self.services.tracking.evict(most, &mut self.notes.borrow_mut());
            self.tell_readers();
        }
    }

    /// CLIENT CACHING holds for the next command, or the next transaction; commands about clients may come
    /// between.
    #[inline]
    pub fn end_caching(&self, session: &Session, command: Option<Command>) {
        if !self.services.tracking.is_on() || session.transaction.is_some() {
            return;
        }
        let about_clients = command
            .is_some_and(|command| command.container == Some("client") || command.name == "client");
        if let Some(tracker) = session.client.tracker().filter(|_| !about_clients) {
            tracker.set_caching(false);
        }
    }
}
