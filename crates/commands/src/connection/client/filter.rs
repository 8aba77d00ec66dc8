//! The filters of CLIENT LIST and CLIENT KILL.

use std::sync::atomic::Ordering;

use command::client_line::flags;
use command::clients::{Class, Client};
use command::{Args, Error};

/// Which clients are meant: those that pass every filter given.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Filter<'a> {
    /// These ids, in the order given.
    pub ids: Option<Vec<u64>>,
    /// Whether the caller is left out; by default KILL does and LIST does not.
    pub skip_me: Option<bool>,
    /// This peer address, with port.
    addr: Option<&'a [u8]>,
    laddr: Option<&'a [u8]>,
    ip: Option<&'a [u8]>,
    class: Option<Class>,
    user: Option<&'a [u8]>,
    /// Connected for at least so many seconds.
    age_s: Option<i64>,
    /// Idle for at least so many seconds.
    idle_s: Option<i64>,
    flags: Option<&'a [u8]>,
    name: Option<&'a [u8]>,
    library: Option<&'a [u8]>,
    library_version: Option<&'a [u8]>,
    database: Option<u64>,
    capabilities: Option<&'a [u8]>,
}

/// Which numbers may be ids: the two commands have refused others differently for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// LIST: any integer.
    Any,
    /// KILL: only ids that a client can have.
    Positive,
}

/// What values are compared with.
#[derive(Clone, Copy)]
pub struct Known<'k> {
    /// The number of databases.
    pub databases: u32,
    /// Whether there is a user of this name.
    pub is_user: &'k dyn Fn(&[u8]) -> bool,
}

const BAD_ID: Error = Error::fixed("ERR Invalid client ID");
const ID_NOT_POSITIVE: Error = Error::fixed("ERR client-id should be greater than 0");

/// The letters that FLAGS may ask for.
const FLAGS: &[u8] = b"OSMPxbtRBdcuAUreTIN";
const CAPABILITIES: &[u8] = b"r";

impl<'a> Filter<'a> {
    /// Those with this peer address, the caller too.
    pub fn by_address(addr: &'a [u8]) -> Self {
        Self { addr: Some(addr), ..Self::default() }
    }

    /// Reads the filters from the third word on.
    ///
    /// # Errors
    /// The first filter that is unknown, lacks its value or has a wrong one.
    pub fn parse(args: Args<'a>, ids: Ids, known: Known<'_>) -> Result<Self, Error> {
        let mut filter = Self::default();
        let mut next = 2;
        while let Some(word) = args.get(next) {
            let value = args.get(next + 1).ok_or(Error::SYNTAX)?;
            let word = word.to_ascii_lowercase();
            if word == b"id" {
                next = filter.parse_ids(args, next + 1, ids)?;
                continue;
            }
            filter.parse_one(&word, value, known)?;
            next += 2;
        }
        Ok(filter)
    }

    /// Reads numbers from the word `first` on, up to the next filter; returns its place.
    fn parse_ids(&mut self, args: Args<'a>, first: usize, allowed: Ids) -> Result<usize, Error> {
        let found = self.ids.get_or_insert_default();
        let mut next = first;
        while let Some(word) = args.get(next) {
            let id = match codec::number::parse_i64(word) {
                None if next > first && (allowed == Ids::Positive || is_filter(word)) => break,
                None if allowed == Ids::Any => return Err(BAD_ID),
                Some(..1) | None if allowed == Ids::Positive => return Err(ID_NOT_POSITIVE),
                id => id.unwrap_or_default(),
            };
            // Nobody has an id below 1.
            found.extend(u64::try_from(id).ok());
            next += 1;
        }
        Ok(next)
    }

    fn parse_one(&mut self, word: &[u8], value: &'a [u8], known: Known<'_>) -> Result<(), Error> {
        let shown = || String::from_utf8_lossy(value);
        match word {
            b"addr" => self.addr = Some(value),
            b"laddr" => self.laddr = Some(value),
            b"ip" => self.ip = Some(value),
            b"name" => self.name = Some(value),
            b"lib-name" => self.library = Some(value),
            b"lib-ver" => self.library_version = Some(value),
            b"maxage" => self.age_s = Some(seconds(value, "maxage")?),
            b"idle" => self.idle_s = Some(seconds(value, "idle")?),
            b"db" => self.database = Some(database(value, known.databases)?),
            b"skipme" if value.eq_ignore_ascii_case(b"yes") => self.skip_me = Some(true),
            b"skipme" if value.eq_ignore_ascii_case(b"no") => self.skip_me = Some(false),
            b"type" => {
                let class = Class::named(value);
                self.class =
                    Some(class.ok_or_else(|| {
                        Error::new(format!("ERR Unknown client type '{}'", shown()))
                    })?);
            }
            b"user" if (known.is_user)(value) => self.user = Some(value),
            b"user" => return Err(Error::new(format!("ERR No such user '{}'", shown()))),
            b"flags" if value.iter().all(|letter| FLAGS.contains(letter)) => {
                self.flags = Some(value);
            }
            b"flags" => {
                let text = format!("ERR Unknown flags found in the provided filter: {}", shown());
                return Err(Error::new(text));
            }
            b"capa" if value.iter().all(|letter| CAPABILITIES.contains(letter)) => {
                self.capabilities = Some(value);
            }
            b"capa" => {
                let text = format!("ERR Unknown capa found in the provided filter: {}", shown());
                return Err(Error::new(text));
            }
            _ => return Err(Error::SYNTAX),
        }
        Ok(())
    }

    /// Whether a client passes, asked by the client whose id is `caller`.
    pub fn admits(&self, client: &Client, now_ms: i64, caller: u64) -> bool {
        let figures = &client.figures;
        let passes = |wanted: Option<&[u8]>, actual: &[u8]| wanted.is_none_or(|one| one == actual);
        let lasts = |wanted: Option<i64>, since_ms: i64| {
            wanted.is_none_or(|seconds| now_ms / 1000 - since_ms / 1000 >= seconds)
        };
        let names = client.names.lock();
        // An unset name is no empty name: nobody can ask for it.
        let named = |wanted: Option<&[u8]>, actual: &[u8]| {
            wanted.is_none_or(|one| !one.is_empty() && one == actual)
        };
        self.ids.as_ref().is_none_or(|ids| ids.contains(&client.id))
            && passes(self.addr, client.addr.as_bytes())
            && passes(self.laddr, client.laddr.as_bytes())
            && self.ip.is_none_or(|ip| ip_of(&client.addr) == Some(ip))
            && self.class.is_none_or(|class| class == client.class())
            && passes(self.user, &names.user)
            && !(self.skip_me == Some(true) && client.id == caller)
            && lasts(self.age_s, client.created_ms)
            && lasts(self.idle_s, figures.active_ms.load(Ordering::Relaxed))
            && named(self.name, &names.name)
            && named(self.library, &names.library)
            && named(self.library_version, &names.library_version)
            && self.database.is_none_or(|database| database == figures.database.get())
            && self.flags.is_none_or(|wanted| has_all(&flags(client), wanted))
            && self.capabilities.is_none_or(|wanted| {
                wanted.is_empty() || figures.follows_redirects.load(Ordering::Relaxed)
            })
    }
}

fn has_all(actual: &str, wanted: &[u8]) -> bool {
    wanted.iter().all(|letter| actual.as_bytes().contains(letter))
}

/// Whether a word after ids is a filter's name rather than a wrong id.
fn is_filter(word: &[u8]) -> bool {
    const NAMES: [&[u8]; 15] = [
        b"id",
        b"addr",
        b"laddr",
        b"ip",
        b"type",
        b"user",
        b"skipme",
        b"maxage",
        b"idle",
        b"flags",
        b"name",
        b"lib-name",
        b"lib-ver",
        b"db",
        b"capa",
    ];
    NAMES.iter().any(|name| word.eq_ignore_ascii_case(name))
}

fn seconds(value: &[u8], what: &str) -> Result<i64, Error> {
    match codec::number::parse_i64(value) {
        None => Err(Error::new(format!("ERR {what} is not an integer or out of range"))),
        Some(..1) => Err(Error::new(format!("ERR {what} should be greater than 0"))),
        Some(seconds) => Ok(seconds),
    }
}

fn database(value: &[u8], databases: u32) -> Result<u64, Error> {
    let number = codec::number::parse_i64(value)
        .and_then(|number| i32::try_from(number).ok())
        .ok_or(Error::fixed("ERR DB is not an integer or out of range"))?;
    u32::try_from(number).ok().filter(|&number| number < databases).map(u64::from).ok_or_else(
        || {
            let last = databases.saturating_sub(1);
            Error::new(format!("ERR DB number should be between 0 and {last}"))
        },
    )
}

/// The address without its port and brackets; a Unix socket has none.
fn ip_of(addr: &str) -> Option<&[u8]> {
    let (ip, port) = addr.rsplit_once(':')?;
    let bare = ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip);
    (port != "0").then_some(bare.as_bytes())
}

#[cfg(test)]
mod tests {
    use command::OwnedArgs;

    use super::*;

    fn parse(words: &str, ids: Ids) -> Result<Option<Vec<u64>>, String> {
        let args = OwnedArgs::new(words.split(' '));
        let filter = Filter::parse(args.view(), ids, Known { databases: 16, is_user: &|_| false });
        filter.map(|filter| filter.ids).map_err(|error| error.line().to_owned())
    }

    #[test]
    fn ids_end_at_the_next_filter() {
        for ids in [Ids::Any, Ids::Positive] {
            assert_eq!(parse("client x id 1 2 type normal", ids), Ok(Some(vec![1, 2])));
            assert_eq!(parse("client x skipme no id 7", ids), Ok(Some(vec![7])));
        }
    }

    #[test]
    fn list_and_kill_refuse_ids_in_their_own_words() {
        let bad = |text: &str| Err(text.to_owned());
        assert_eq!(parse("client list id 0 -1", Ids::Any), Ok(Some(vec![0])));
        assert_eq!(parse("client list id 1 abc", Ids::Any), bad("ERR Invalid client ID"));
        for wrong in ["abc", "0", "-1", "99999999999999999999"] {
            let words = format!("client kill id {wrong}");
            let text = "ERR client-id should be greater than 0";
            assert_eq!(parse(&words, Ids::Positive), bad(text));
        }
        assert_eq!(parse("client kill id 1 foo", Ids::Positive), bad("ERR syntax error"));
    }

    #[test]
    fn wrong_values_are_named() {
        let error = |words: &str| parse(words, Ids::Any).unwrap_err();
        assert_eq!(error("client list maxage x"), "ERR maxage is not an integer or out of range");
        assert_eq!(error("client list idle 0"), "ERR idle should be greater than 0");
        assert_eq!(error("client list db 16"), "ERR DB number should be between 0 and 15");
        assert_eq!(error("client list db -1"), "ERR DB number should be between 0 and 15");
        assert_eq!(error("client list type x"), "ERR Unknown client type 'x'");
        assert_eq!(error("client list user x"), "ERR No such user 'x'");
        assert_eq!(error("client list skipme x"), "ERR syntax error");
        assert_eq!(error("client list name"), "ERR syntax error");
    }

    #[test]
    fn an_address_is_compared_without_port_and_brackets() {
        assert_eq!(ip_of("127.0.0.1:80"), Some(&b"127.0.0.1"[..]));
        assert_eq!(ip_of("[::1]:80"), Some(&b"::1"[..]));
        assert_eq!(ip_of("/tmp/redis.sock:0"), None);
    }
}
