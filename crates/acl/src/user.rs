use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;

use crate::account::Account;
use crate::check::{self, Access, Denied, Request};
use crate::selector::Selector;

/// A user, as the connections hold it that have authenticated as that user. What changes is what the user
/// may do; a user that is deleted may do nothing any more.
pub struct User {
    name: Box<[u8]>,
    /// Whether nothing is denied: what every command asks first.
    unrestricted: AtomicBool,
    deleted: AtomicBool,
    rights: ArcSwap<Rights>,
}

/// What a user may do at one moment.
#[derive(Debug)]
pub struct Rights {
    /// What the rules say.
    pub account: Account,
    /// The selectors of the user's roles.
    pub(crate) lent: Vec<Arc<Account>>,
}

impl Rights {
    pub(crate) fn new(account: Account, lent: Vec<Arc<Account>>) -> Self {
        Self { account, lent }
    }

    /// The user's own selectors, then those of the roles.
    pub fn selectors(&self) -> impl Iterator<Item = &Selector> {
        let lent = self.lent.iter().flat_map(|role| &role.selectors);
        self.account.selectors.iter().chain(lent)
    }

    /// Whether a channel may be used, or a pattern subscribed to.
    pub fn allows_channel(&self, channel: &[u8], is_pattern: bool) -> bool {
        self.selectors().any(|selector| selector.allows_channel(channel, is_pattern))
    }

    /// Whether somebody with these rights has lost channels that `before` had: subscriptions have to be looked
    /// at then.
    pub fn has_fewer_channels_than(&self, before: &Self) -> bool {
        let now: Vec<&Selector> = self.selectors().collect();
        if now.iter().any(|selector| selector.channels.is_none()) {
            return false;
        }
        let kept = |pattern: &Vec<u8>| {
            now.iter().flat_map(|one| one.channels.iter().flatten()).any(|known| known == pattern)
        };
        before.selectors().any(|selector| match &selector.channels {
            None => true,
            Some(patterns) => !patterns.iter().all(kept),
        })
    }
}

impl User {
    pub(crate) fn new(name: &[u8], rights: Rights) -> Self {
        let user = Self {
            name: name.into(),
            unrestricted: AtomicBool::new(false),
            deleted: AtomicBool::new(false),
            rights: ArcSwap::from_pointee(rights),
        };
        user.unrestricted.store(is_unrestricted(&user.rights()), Ordering::Release);
        user
    }

    /// The name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Whether nothing is denied.
    #[inline]
    pub fn is_unrestricted(&self) -> bool {
        self.unrestricted.load(Ordering::Acquire)
    }

    /// Whether the user has been deleted.
    pub fn is_deleted(&self) -> bool {
        self.deleted.load(Ordering::Acquire)
    }

    /// What the user may do now.
    pub fn rights(&self) -> Arc<Rights> {
        self.rights.load_full()
    }

    /// Whether the user may do something.
    ///
    /// # Errors
    /// Says what is missing.
    pub fn check(&self, request: &Request<'_>) -> Result<(), Denied> {
        check::check(self.rights.load().selectors(), request)
    }

    /// Whether the user may do something that touches keys which nobody knows beforehand.
    pub fn may_with_every_key(&self, request: &Request<'_>, access: Access) -> bool {
        let rights = self.rights.load();
        rights
            .selectors()
            .any(|selector| selector.check(request).is_ok() && selector.allows_every_key(access))
    }

    /// Replaces the rights; returns those before.
    pub(crate) fn set(&self, rights: Rights) -> Arc<Rights> {
        let unrestricted = is_unrestricted(&rights);
        if !unrestricted {
            // Whoever finds this set may do everything, so it goes first and comes last.
            self.unrestricted.store(false, Ordering::Release);
        }
        let before = self.rights.swap(Arc::new(rights));
        self.unrestricted.store(unrestricted, Ordering::Release);
        before
    }

    /// Takes all rights away for good.
    pub(crate) fn delete(&self, nothing: Account) {
        self.deleted.store(true, Ordering::Release);
        self.set(Rights::new(nothing, Vec::new()));
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "User({})", String::from_utf8_lossy(&self.name))
    }
}

fn is_unrestricted(rights: &Rights) -> bool {
    rights.selectors().any(Selector::is_unrestricted)
}
