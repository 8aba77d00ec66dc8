use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::account::{Account, Kind};
use crate::catalogue::Catalogue;
use crate::error::SetError;
use crate::file;
use crate::log::Log;
use crate::user::{Rights, User};

/// The user that connections begin as.
pub const DEFAULT_USER: &[u8] = b"default";

/// What rules depend on beside themselves.
#[derive(Clone, Copy, Debug)]
pub struct Defaults {
    /// Whether a new user may use every channel (`acl-pubsub-default`).
    pub all_channels: bool,
    /// The number of databases.
    pub databases: u32,
}

/// All users and roles.
pub struct Acl {
    catalogue: Catalogue,
    book: Mutex<Book>,
    default: Arc<User>,
    /// What was denied.
    pub log: Log,
}

struct Book {
    users: BTreeMap<Vec<u8>, Arc<User>>,
    roles: BTreeMap<Vec<u8>, Arc<Account>>,
}

/// A user whose rights have changed.
#[derive(Debug)]
pub struct Change {
    /// The user.
    pub user: Arc<User>,
    /// The rights before.
    pub before: Arc<Rights>,
}

/// A user or role to be loaded.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The name.
    pub name: Vec<u8>,
    /// The rules.
    pub rules: Vec<Vec<u8>>,
    /// It is a role.
    pub is_role: bool,
}

/// What a new set of users changes for those that are connected.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Users that are still there.
    pub changes: Vec<Change>,
    /// Users that are gone.
    pub gone: Vec<Vec<u8>>,
}

/// How a user stands that wants to authenticate.
#[derive(Clone, Debug)]
pub enum Standing {
    /// The password is right.
    Admitted(Arc<User>),
    /// There is no such user, the user is off, or the password is wrong.
    Refused,
}

impl Acl {
    /// Begins with the default user only, who may do everything.
    pub fn new(catalogue: Catalogue, defaults: Defaults) -> Self {
        let account = Account::unlimited(&catalogue, defaults);
        let default = Arc::new(User::new(DEFAULT_USER, Rights::new(account, Vec::new())));
        let users = BTreeMap::from([(DEFAULT_USER.to_vec(), Arc::clone(&default))]);
        let book = Mutex::new(Book { users, roles: BTreeMap::new() });
        Self { catalogue, book, default, log: Log::default() }
    }

    /// What rules may name.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The user that connections begin as.
    pub fn default_user(&self) -> &Arc<User> {
        &self.default
    }

    /// Whether a new connection is the default user without further ado.
    pub fn default_needs_no_password(&self) -> bool {
        let rights = self.default.rights();
        rights.account.no_password && rights.account.enabled
    }

    /// Whether the default user takes any password: nothing protects the server then.
    pub fn default_is_open(&self) -> bool {
        self.default.rights().account.no_password
    }

    /// A user by name.
    pub fn user(&self, name: &[u8]) -> Option<Arc<User>> {
        self.book.lock().users.get(name).cloned()
    }

    /// Everybody, by name.
    pub fn users(&self) -> Vec<Arc<User>> {
        self.book.lock().users.values().cloned().collect()
    }

    /// A role by name.
    pub fn role(&self, name: &[u8]) -> Option<Arc<Account>> {
        self.book.lock().roles.get(name).cloned()
    }

    /// All roles, by name.
    pub fn roles(&self) -> Vec<(Vec<u8>, Arc<Account>)> {
        let book = self.book.lock();
        book.roles.iter().map(|(name, role)| (name.clone(), Arc::clone(role))).collect()
    }

    /// The names of the users that have a role.
    pub fn users_of(&self, role: &[u8]) -> Vec<Vec<u8>> {
        self.book.lock().users_of(role)
    }

    /// Whether somebody may be a user.
    pub fn authenticate(&self, name: &[u8], password: &[u8]) -> Standing {
        let user = self.user(name);
        match user.filter(|user| user.rights().account.admits(password)) {
            Some(user) => Standing::Admitted(user),
            None => Standing::Refused,
        }
    }

    /// Creates or changes a user: all rules or none.
    ///
    /// # Errors
    /// The first rule that is wrong.
    pub fn set_user<W: AsRef<[u8]>>(
        &self,
        name: &[u8],
        rules: &[W],
        defaults: Defaults,
    ) -> Result<Option<Change>, SetError> {
        let mut book = self.book.lock();
        let known = book.users.get(name).cloned();
        let mut account = match &known {
            Some(user) => user.rights().account.clone(),
            None => Account::new(&self.catalogue, defaults),
        };
        let role_exists = |role: &[u8]| book.roles.contains_key(role);
        account.apply_all(rules, &self.catalogue, defaults, Kind::User(&role_exists))?;
        let rights = book.rights(account);
        let Some(user) = known else {
            book.users.insert(name.to_vec(), Arc::new(User::new(name, rights)));
            return Ok(None);
        };
        let before = user.set(rights);
        Ok(Some(Change { user, before }))
    }

    /// Sets the default user's password, or takes the need of one away.
    pub fn set_default_password(&self, password: Option<&[u8]>, defaults: Defaults) {
        let rule = match password {
            Some(password) => [b">", password].concat(),
            None => b"nopass".to_vec(),
        };
        // These are rules.
        let _ = self.set_user(DEFAULT_USER, &[b"resetpass".to_vec(), rule], defaults);
    }

    /// Deletes a user; false when there is none. The default user stays.
    pub fn delete_user(&self, name: &[u8], defaults: Defaults) -> bool {
        if name == DEFAULT_USER {
            return false;
        }
        let user = self.book.lock().users.remove(name);
        if let Some(user) = &user {
            user.delete(Account::new(
                &self.catalogue,
                Defaults { all_channels: false, ..defaults },
            ));
        }
        user.is_some()
    }

    /// Creates or changes a role: all rules or none. Returns the users for whom that is a change.
    ///
    /// # Errors
    /// The first rule that is wrong.
    pub fn set_role<W: AsRef<[u8]>>(
        &self,
        name: &[u8],
        rules: &[W],
        defaults: Defaults,
    ) -> Result<Vec<Change>, SetError> {
        let mut book = self.book.lock();
        let mut role = match book.roles.get(name) {
            Some(role) => Account::clone(role),
            None => Account::new(&self.catalogue, defaults),
        };
        role.apply_all(rules, &self.catalogue, defaults, Kind::Role)?;
        book.roles.insert(name.to_vec(), Arc::new(role));
        let mut changes = Vec::new();
        for user in book.users.values() {
            let account = user.rights().account.clone();
            if account.roles.iter().any(|role| role == name) {
                let before = user.set(book.rights(account));
                changes.push(Change { user: Arc::clone(user), before });
            }
        }
        Ok(changes)
    }

    /// Deletes roles, all or none; names of none do not matter. Returns how many there were.
    ///
    /// # Errors
    /// The first one that a user has.
    pub fn delete_roles<'a>(&self, names: &[&'a [u8]]) -> Result<usize, &'a [u8]> {
        let mut book = self.book.lock();
        if let Some(name) = names.iter().find(|name| !book.users_of(name).is_empty()) {
            return Err(name);
        }
        Ok(names.iter().filter(|name| book.roles.remove(**name).is_some()).count())
    }

    /// Replaces all users and roles. A default user that is not defined may do everything again.
    ///
    /// # Errors
    /// The definition that is wrong, and why; nothing has changed then.
    pub fn replace(
        &self,
        definitions: &[Definition],
        defaults: Defaults,
    ) -> Result<Loaded, (usize, SetError)> {
        let mut roles: BTreeMap<Vec<u8>, Arc<Account>> = BTreeMap::new();
        let mut users: BTreeMap<Vec<u8>, Account> = BTreeMap::new();
        // Users name roles, wherever these stand.
        let in_order = |wanted: bool| {
            definitions.iter().enumerate().filter(move |(_, one)| one.is_role == wanted)
        };
        for (place, definition) in in_order(true) {
            let mut role = Account::new(&self.catalogue, defaults);
            role.apply_all(&definition.rules, &self.catalogue, defaults, Kind::Role)
                .map_err(|error| (place, error))?;
            roles.insert(definition.name.clone(), Arc::new(role));
        }
        for (place, definition) in in_order(false) {
            let mut account = Account::new(&self.catalogue, defaults);
            let role_exists = |role: &[u8]| roles.contains_key(role);
            account
                .apply_all(&definition.rules, &self.catalogue, defaults, Kind::User(&role_exists))
                .map_err(|error| (place, error))?;
            users.insert(definition.name.clone(), account);
        }
        users
            .entry(DEFAULT_USER.to_vec())
            .or_insert_with(|| Account::unlimited(&self.catalogue, defaults));
        Ok(self.exchange(users, roles, defaults))
    }

    fn exchange(
        &self,
        users: BTreeMap<Vec<u8>, Account>,
        roles: BTreeMap<Vec<u8>, Arc<Account>>,
        defaults: Defaults,
    ) -> Loaded {
        let mut book = self.book.lock();
        book.roles = roles;
        let mut before = std::mem::take(&mut book.users);
        let mut loaded = Loaded::default();
        for (name, account) in users {
            let rights = book.rights(account);
            let user = match before.remove(&name) {
                Some(user) => {
                    let before = user.set(rights);
                    loaded.changes.push(Change { user: Arc::clone(&user), before });
                    user
                }
                None => Arc::new(User::new(&name, rights)),
            };
            book.users.insert(name, user);
        }
        for (name, user) in before {
            user.delete(Account::new(
                &self.catalogue,
                Defaults { all_channels: false, ..defaults },
            ));
            loaded.gone.push(name);
        }
        loaded
    }

    /// Replaces all users and roles by those of a file, whose name is for errors only.
    ///
    /// # Errors
    /// Everything that is wrong, in one line; nothing has changed then.
    pub fn load(&self, text: &[u8], file: &str, defaults: Defaults) -> Result<Loaded, String> {
        let definitions = file::read(text, file, &self.catalogue, defaults)?;
        self.replace(&definitions, defaults).map_err(|(_, error)| error.text("SETUSER"))
    }

    /// All roles and users as lines: what a file of them has, and ACL LIST shows.
    pub fn lines(&self) -> Vec<Vec<u8>> {
        let book = self.book.lock();
        let line =
            |kind: &[u8], name: &[u8], rules: &[u8]| [kind, b" ", name, b" ", rules].concat();
        let roles = book.roles.iter();
        let roles = roles.map(|(name, role)| line(b"role", name, &role.describe_selectors()));
        let users = book.users.iter();
        let users =
            users.map(|(name, user)| line(b"user", name, &user.rights().account.describe()));
        roles.chain(users).collect()
    }
}

impl Book {
    fn rights(&self, account: Account) -> Rights {
        let lent = account.roles.iter().filter_map(|role| self.roles.get(role).cloned()).collect();
        Rights::new(account, lent)
    }

    fn users_of(&self, role: &[u8]) -> Vec<Vec<u8>> {
        let has = |user: &&Arc<User>| user.rights().account.roles.iter().any(|one| one == role);
        self.users.values().filter(has).map(|user| user.name().to_vec()).collect()
    }
}
