use std::sync::Arc;

use smallvec::SmallVec;

use crate::entry::EntryMut;
use crate::era::{ERAS, Era, Witness};
use crate::gate::Closed;
use crate::key::{KeyHash, SHARDS};
use crate::keyspace::{Guard, Keyspace};
use crate::shard::{Place, Shard};

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
    /// All shards: the gate is closed. They are reached without guards, since making a thousand of them costs
    /// more than most of what is done here.
    All(&'k Closed<'k>),
}

impl<'k> Held<'k> {
    /// Holds nothing; for commands without keys and those that walk the keyspace.
    pub fn nothing(keyspace: &'k Keyspace) -> Self {
        Self { keyspace, scope: Scope::None }
    }

    /// Holds the shard of one key.
    #[inline]
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
        Self { keyspace, scope: Scope::All(closed) }
    }

    /// The keyspace whose shards these are.
    pub fn keyspace(&self) -> &'k Keyspace {
        self.keyspace
    }

    /// Lends the shards to a command.
    pub fn lend(&mut self) -> Lent<'_> {
        // SAFETY: only the lifetime of the guards inside changes, to a shorter one. That would be
        // unsound if a guard with the shorter lifetime could get inside, but `Lent` gives out shards
        // and never a guard, nor the scope that guards are kept in.
        Lent(unsafe { &mut *std::ptr::from_mut(self).cast::<Held<'_>>() })
    }

    /// Whether everything is held.
    pub fn is_all(&self) -> bool {
        matches!(self.scope, Scope::All(..))
    }

    /// Whether the shard in which `hash` lies is among those held.
    pub fn covers(&self, hash: KeyHash) -> bool {
        match &self.scope {
            Scope::None => false,
            Scope::One(guard) => guard.index() == hash.shard(),
            Scope::Many(guards) => guards.binary_search_by_key(&hash.shard(), Guard::index).is_ok(),
            Scope::All(..) => true,
        }
    }

    fn shard(&self, hash: KeyHash) -> &Shard {
        let shard = hash.shard();
        let guard = match &self.scope {
            Scope::None => None,
            Scope::One(guard) => (guard.index() == shard).then_some(guard),
            Scope::Many(guards) => {
                let at = guards.binary_search_by_key(&shard, Guard::index).ok();
                at.and_then(|at| guards.get(at))
            }
            // SAFETY: the gate is closed for 'k, so this is the only way to the shards, and it is borrowed.
            Scope::All(closed) => return unsafe { self.keyspace.exclusive(closed, shard) },
        };
        guard.expect(UNDECLARED).get()
    }

    /// The shard in which `hash` lies, for writing.
    ///
    /// # Panics
    /// When the command did not declare the key: its declaration is wrong, whatever the client sent.
    #[inline]
    pub fn shard_mut(&mut self, hash: KeyHash) -> &mut Shard {
        match self.scope {
            // Nearly every command's.
            Scope::One(ref mut guard) => {
                assert!(guard.index() == hash.shard(), "{UNDECLARED}");
                guard.get_mut()
            }
            _ => self.shard_of_several(hash),
        }
    }

    fn shard_of_several(&mut self, hash: KeyHash) -> &mut Shard {
        let shard = hash.shard();
        let guard = match &mut self.scope {
            Scope::None | Scope::One(_) => None,
            Scope::Many(guards) => {
                let at = guards.binary_search_by_key(&shard, Guard::index).ok();
                at.and_then(|at| guards.get_mut(at))
            }
            // SAFETY: the gate is closed for 'k, so this is the only way to the shards, and it is borrowed
            // exclusively.
            Scope::All(closed) => return unsafe { self.keyspace.exclusive_mut(closed, shard) },
        };
        guard.expect(UNDECLARED).get_mut()
    }

    /// Works on a shard whoever holds it: a walk over the whole keyspace, one shard at a time. A
    /// command that holds some shards only must not walk.
    pub fn visit<T>(&mut self, shard: usize, work: impl FnOnce(&mut Shard) -> T) -> T {
        match &mut self.scope {
            // SAFETY: as in `shard_mut`.
            Scope::All(closed) => work(unsafe { self.keyspace.exclusive_mut(closed, shard) }),
            _ => work(self.keyspace.lock(shard).get_mut()),
        }
    }
}

const UNDECLARED: &str = "a command touches only the keys that it declares";

/// What a command may touch, lent to it while it runs.
pub struct Lent<'a>(&'a mut Held<'a>);

impl<'a> Lent<'a> {
    /// The keyspace whose shards these are.
    pub fn keyspace(&self) -> &'a Keyspace {
        self.0.keyspace
    }

    /// Lends the shards on, to a command that runs within another.
    pub fn lend(&mut self) -> Lent<'_> {
        // SAFETY: as in `Held::lend`: only a lifetime becomes shorter, and no guard can get inside.
        Lent(unsafe { &mut *std::ptr::from_mut(self.0).cast::<Held<'_>>() })
    }

    /// Whether the shard in which `hash` lies is among those held.
    pub fn covers(&self, hash: KeyHash) -> bool {
        self.0.covers(hash)
    }

    /// Whether everything is held.
    pub fn is_all(&self) -> bool {
        self.0.is_all()
    }

    /// The shard in which `hash` lies, for reading.
    ///
    /// # Panics
    /// When the command did not declare the key: its declaration is wrong, whatever the client sent.
    pub fn shard(&self, hash: KeyHash) -> &Shard {
        self.0.shard(hash)
    }

    /// The same for writing.
    ///
    /// # Panics
    /// As [`Lent::shard`].
    #[inline]
    pub fn shard_mut(&mut self, hash: KeyHash) -> &mut Shard {
        self.0.shard_mut(hash)
    }

    /// Tells expiry that the shard in which `hash` lies has a deadline at `at_ms`.
    ///
    /// # Panics
    /// As [`Lent::shard`].
    pub fn note_deadline(&self, hash: KeyHash, at_ms: i64) {
        assert!(self.covers(hash), "{UNDECLARED}");
        self.0.keyspace.note_deadline(hash.shard(), at_ms);
    }

    /// Works on a shard whoever holds it; see [`Held::visit`].
    pub fn visit<T>(&mut self, shard: usize, work: impl FnOnce(&mut Shard) -> T) -> T {
        self.0.visit(shard, work)
    }

    /// Begins an era: every entry that is there now is shown to `witness`, at the latest before it changes.
    /// Who walks the shards then calls [`Shard::show_some`](crate::Shard::show_some).
    ///
    /// # Panics
    /// Unless everything is held: the cut is one moment for all.
    pub fn cut(&mut self, witness: &Arc<dyn Witness>) {
        assert!(self.is_all(), "a cut is made behind the closed gate only");
        self.keyspace().set_cut(true);
        let number = (self.visit(0, |shard| shard.era().number) + 1) % ERAS;
        for shard in 0..SHARDS {
            let era = Era { number, witness: Some(Arc::clone(witness)) };
            self.visit(shard, |shard| shard.set_era(era));
        }
    }

    /// Ends the era's snapshot before its witness has seen everything.
    ///
    /// # Panics
    /// Unless everything is held.
    pub fn forget_witness(&mut self) {
        assert!(self.is_all(), "a snapshot is ended behind the closed gate only");
        self.keyspace().set_cut(false);
        for shard in 0..SHARDS {
            self.visit(shard, |shard| {
                let number = shard.era().number;
                shard.set_era(Era { number, witness: None });
            });
        }
    }

    /// Gives every entry the number of the era: for when snapshots were given up so often that the numbers
    /// could be taken for one another.
    ///
    /// # Panics
    /// Unless everything is held.
    pub fn settle_eras(&mut self) {
        struct Nobody;
        impl Witness for Nobody {
            fn see(&self, _database: usize, _entry: &mut EntryMut<'_>) {}
        }
        self.cut(&(Arc::new(Nobody) as Arc<dyn Witness>));
        for shard in 0..SHARDS {
            self.visit(shard, |shard| {
                let mut place = Some(Place::default());
                while let Some(here) = place {
                    place = shard.show_some(here, usize::MAX, true).unwrap_or(None);
                }
            });
        }
    }

    /// Exchanges two databases.
    ///
    /// # Panics
    /// Unless everything is held: the command is not declared exclusive.
    pub fn swap(&self, a: usize, b: usize) {
        let Scope::All(closed) = &self.0.scope else {
            panic!("databases are swapped behind the closed gate only");
        };
        self.0.keyspace.swap(closed, a, b);
    }
}
