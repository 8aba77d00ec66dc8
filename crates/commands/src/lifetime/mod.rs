//! How long parts of a value live: fields of hashes, members of sets and of sorted sets.
//!
//! The three families have the same nine commands each, which differ in names only; [`Parts`] says those.
//! Parts whose time has come never show here: whoever looks a key up removes them first
//! ([`command::Database`]), and expiry does where nobody looks.

mod expire;
mod time;
mod ttl;
mod words;

use config::KeyspaceEvents;
use value::hash::Hash;
use value::set::Set;
use value::zset::Zset;
use value::{Item, Typed};

pub(crate) use expire::{Tally, expire, expire_part};
pub(crate) use time::{Time, seconds};
pub(crate) use ttl::{expiretime, persist, pexpiretime, pttl, ttl};
pub(crate) use words::{Words, first};

/// A type whose parts can have deadlines of their own, in Unix milliseconds.
pub(crate) trait Parts: Typed {
    /// How the arguments of the family's commands are called.
    const WORDS: Words;
    /// Where the family's events belong.
    const CLASS: KeyspaceEvents;
    /// What is told when parts get deadlines,
    const EXPIRE: &'static str;
    /// when they lose them,
    const PERSIST: &'static str;
    /// and when parts are removed.
    const REMOVE: &'static str;

    /// What a part's deadline is; nothing if there is no such part.
    fn deadline_of(&self, name: &[u8]) -> Option<Option<i64>>;

    /// Sets or clears the deadline of a part that is there.
    fn change_deadline(&mut self, name: &[u8], deadline: Option<i64>);

    /// Removes a part.
    fn remove_part(&mut self, name: &[u8]);

    /// Makes room for deadlines before any is set.
    fn make_room(&mut self) {}
}

impl Parts for Hash {
    const WORDS: Words = words::FIELDS;
    const CLASS: KeyspaceEvents = KeyspaceEvents::HASH;
    const EXPIRE: &'static str = "hexpire";
    const PERSIST: &'static str = "hpersist";
    const REMOVE: &'static str = "hdel";

    fn deadline_of(&self, name: &[u8]) -> Option<Option<i64>> {
        self.field(Item::parse(name)).map(|field| field.deadline)
    }

    fn change_deadline(&mut self, name: &[u8], deadline: Option<i64>) {
        self.set_deadline(Item::parse(name), deadline);
    }

    fn remove_part(&mut self, name: &[u8]) {
        self.remove(Item::parse(name));
    }

    fn make_room(&mut self) {
        self.make_expirable();
    }
}

impl Parts for Set {
    const WORDS: Words = words::MEMBERS;
    const CLASS: KeyspaceEvents = KeyspaceEvents::SET;
    const EXPIRE: &'static str = "sexpire";
    const PERSIST: &'static str = "spersist";
    const REMOVE: &'static str = "srem";

    fn deadline_of(&self, name: &[u8]) -> Option<Option<i64>> {
        let name = Item::parse(name);
        self.contains(name).then(|| self.deadline(name))
    }

    fn change_deadline(&mut self, name: &[u8], deadline: Option<i64>) {
        self.set_deadline(Item::parse(name), deadline);
    }

    fn remove_part(&mut self, name: &[u8]) {
        self.remove(Item::parse(name));
    }
}

impl Parts for Zset {
    const WORDS: Words = words::MEMBERS;
    const CLASS: KeyspaceEvents = KeyspaceEvents::ZSET;
    const EXPIRE: &'static str = "zexpire";
    const PERSIST: &'static str = "zpersist";
    const REMOVE: &'static str = "zrem";

    fn deadline_of(&self, name: &[u8]) -> Option<Option<i64>> {
        self.score(name).map(|_| self.deadline(name))
    }

    fn change_deadline(&mut self, name: &[u8], deadline: Option<i64>) {
        self.set_deadline(name, deadline);
    }

    fn remove_part(&mut self, name: &[u8]) {
        self.remove(name);
    }
}
