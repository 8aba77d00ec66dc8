use smallvec::SmallVec;

use crate::gate::Closed;
use crate::key::{KeyHash, SHARDS};
use crate::keyspace::{Guard, Keyspace};
use crate::shard::Shard;

/// The shards that a command may touch while it runs.
pub struct Held<'k> {
    keyspace: &'k Keyspace,
    scope: Scope<'k>,
}

enum Scope<'k> {
    /// No key declared: one shard may be locked at a time, for a moment each.
    None,
    /// The shard of the only key.
    One(Guard<'k>),
    /// The shards of several keys, ascending.
    Many(Vec<Guard<'k>>),
    /// All shards: the gate is closed. Ascending, one guard per shard.
    All(Vec<Guard<'k>>, &'k Closed<'k>),
}

impl<'k> Held<'k> {
    /// Holds nothing; for commands without keys and those that walk the keyspace.
    pub fn nothing(keyspace: &'k Keyspace) -> Self {
        Self { keyspace, scope: Scope::None }
    }

    /// Holds the shard of one key.
    pub fn one(keyspace: &'k Keyspace, hash: KeyHash) -> Self {
        Self { keyspace, scope: Scope::One(keyspace.lock(hash.shard())) }
    }

    /// Holds the shards of several keys, locked in ascending order.
    pub fn many(keyspace: &'k Keyspace, hashes: impl Iterator<Item = KeyHash>) -> Self {
        let mut shards: SmallVec<[u16; 16]> = hashes.map(|hash| hash.shard() as u16).collect();
        shards.sort_unstable();
        shards.dedup();
        let guards = shards.iter().map(|shard| keyspace.lock(usize::from(*shard))).collect();
        Self { keyspace, scope: Scope::Many(guards) }
    }

    /// Holds everything, for as long as the gate is closed.
    pub fn all(keyspace: &'k Keyspace, closed: &'k Closed<'k>) -> Self {
        // SAFETY: the gate is closed for 'k, so nobody else has a guard; one is made per shard.
        let guards =
            (0..SHARDS).map(|shard| unsafe { keyspace.exclusive(closed, shard) }).collect();
        Self { keyspace, scope: Scope::All(guards, closed) }
    }

    /// The keyspace whose shards these are.
    pub fn keyspace(&self) -> &'k Keyspace {
        self.keyspace
    }

    /// Whether everything is held.
    pub fn is_all(&self) -> bool {
        matches!(self.scope, Scope::All(..))
    }

    /// The guard of the shard in which `hash` lies.
    ///
    /// # Panics
    /// When the command did not declare the key: its declaration is wrong, whatever the client sent.
    pub fn guard(&mut self, hash: KeyHash) -> &mut Guard<'k> {
        let shard = hash.shard();
        let guard = match &mut self.scope {
            Scope::None => None,
            Scope::One(guard) => (guard.index() == shard).then_some(guard),
            Scope::Many(guards) => {
                let at = guards.binary_search_by_key(&shard, Guard::index).ok();
                at.map(|at| &mut guards[at])
            }
            Scope::All(guards, _) => guards.get_mut(shard),
        };
        guard.expect("a command touches only the keys that it declares")
    }

    /// Exchanges two databases.
    ///
    /// # Panics
    /// Unless everything is held: the command is not declared exclusive.
    pub fn swap(&self, a: usize, b: usize) {
        let Scope::All(_, closed) = &self.scope else {
            panic!("databases are swapped behind the closed gate only");
        };
        self.keyspace.swap(closed, a, b);
    }

    /// The shard in which `hash` lies, for reading.
    ///
    /// # Panics
    /// As [`Held::guard`].
    pub fn shard(&self, hash: KeyHash) -> &Shard {
        let shard = hash.shard();
        let guard = match &self.scope {
            Scope::None => None,
            Scope::One(guard) => (guard.index() == shard).then_some(guard),
            Scope::Many(guards) => {
                let at = guards.binary_search_by_key(&shard, Guard::index).ok();
                at.and_then(|at| guards.get(at))
            }
            Scope::All(guards, _) => guards.get(shard),
        };
        guard.expect("a command touches only the keys that it declares").get()
    }

    /// Works on a shard whoever holds it: a walk over the whole keyspace, one shard at a time. A
    /// command that holds some shards only must not walk.
    pub fn visit<T>(&mut self, shard: usize, work: impl FnOnce(&mut Shard) -> T) -> T {
        match &mut self.scope {
            Scope::All(guards, _) => work(guards[shard].get_mut()),
            _ => work(self.keyspace.lock(shard).get_mut()),
        }
    }
}
