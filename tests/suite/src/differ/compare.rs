//! When two replies to the same command count as equal.

use super::Command;
use crate::reply::Reply;
use crate::text::render;

/// What of a reply is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// Everything.
    Exact,
    /// Elements in any order.
    AnyOrder,
    /// Pairs in any order.
    AnyPairs,
    /// A time, within a few seconds.
    Time,
    /// Its type and its number of elements.
    Shape,
    /// Its type.
    Kind,
}

/// Commands whose replies are not compared exactly, and why.
const RULES: [(&str, Rule, &str); 40] = [
    ("keys", Rule::AnyOrder, "order of a hash table"),
    ("dbsize", Rule::Kind, "counts expired keys that nobody has met, and scans meet others"),
    ("smembers", Rule::AnyOrder, "order of a hash table"),
    ("sinter", Rule::AnyOrder, "order of a hash table"),
    ("sunion", Rule::AnyOrder, "order of a hash table"),
    ("sdiff", Rule::AnyOrder, "order of a hash table"),
    ("hkeys", Rule::AnyOrder, "order of a hash table"),
    ("hvals", Rule::AnyOrder, "order of a hash table"),
    ("hgetall", Rule::AnyPairs, "order of a hash table"),
    ("geosearch", Rule::AnyOrder, "unsorted results have no order"),
    ("georadius", Rule::AnyOrder, "unsorted results have no order"),
    ("georadius_ro", Rule::AnyOrder, "unsorted results have no order"),
    ("georadiusbymember", Rule::AnyOrder, "unsorted results have no order"),
    ("georadiusbymember_ro", Rule::AnyOrder, "unsorted results have no order"),
    ("ttl", Rule::Time, "time passes"),
    ("pttl", Rule::Time, "time passes"),
    ("expiretime", Rule::Time, "set from a relative time"),
    ("pexpiretime", Rule::Time, "set from a relative time"),
    ("srandmember", Rule::Shape, "random"),
    ("hrandfield", Rule::Shape, "random"),
    ("zrandmember", Rule::Shape, "random"),
    ("scan", Rule::Kind, "cursors and pages are the server's own"),
    ("sscan", Rule::Kind, "cursors and pages are the server's own"),
    ("hscan", Rule::Kind, "cursors and pages are the server's own"),
    ("zscan", Rule::Kind, "cursors and pages are the server's own"),
    ("dump", Rule::Kind, "the payload names a version"),
    ("object encoding", Rule::Kind, "encodings are the server's own"),
    ("object refcount", Rule::Kind, "sharing is the server's own"),
    ("xinfo stream", Rule::Kind, "nodes and idle times"),
    ("xgroup createconsumer", Rule::Kind, "a claim makes its consumer in later versions"),
    ("xinfo groups", Rule::Shape, "the lag is counted as later versions do"),
    ("xinfo consumers", Rule::Kind, "idle times"),
    ("xpending", Rule::Shape, "idle times"),
    ("memory usage", Rule::Kind, "memory is the server's own"),
    ("lolwut", Rule::Kind, "art"),
    ("time", Rule::Kind, "time passes"),
    ("info", Rule::Kind, "figures"),
    ("command docs", Rule::Kind, "texts are the server's own"),
    ("client id", Rule::Kind, "counters"),
    ("lastsave", Rule::Time, "time passes"),
];

fn rule(command: &Command) -> Rule {
    let word = |at: usize| {
        command.get(at).map(|a| String::from_utf8_lossy(a).to_lowercase()).unwrap_or_default()
    };
    let (one, two) = (word(0), format!("{} {}", word(0), word(1)));
    let found = RULES.iter().find(|(name, ..)| *name == one || *name == two);
    found.map_or(Rule::Exact, |(_, rule, _)| *rule)
}

/// Commands of which later versions refuse more than 7.0 does, and sooner.
const STRICTER: [&str; 3] = ["bitcount", "bitpos", "scan"];

/// Whether a command has one of these names.
fn named(command: &Command, names: &[&str]) -> bool {
    let name = command.first().map(|word| String::from_utf8_lossy(word).to_lowercase());
    name.is_some_and(|name| names.contains(&name.as_str()))
}

/// Whether the replies of two servers to `command` count as equal.
pub fn equal(command: &Command, left: &Reply, right: &Reply) -> bool {
    if left == right {
        return true;
    }
    // A deadline beyond the end of time is no error in 7.0, but wraps.
    if matches!(left, Reply::Error(line) if line == b"ERR timeout is out of range") {
        return true;
    }
    // Redis 8 says more of streams without IDs.
    let unbalanced =
        |reply: &Reply| matches!(reply, Reply::Error(line) if line.starts_with(b"ERR Unbalanced"));
    if unbalanced(left) && unbalanced(right) {
        return true;
    }
    if let (Reply::Error(left), Reply::Error(right)) = (left, right)
        && !named(command, &STRICTER)
    {
        // Rubrica's error texts are UTF-8, whatever the client sent.
        return String::from_utf8_lossy(left) == String::from_utf8_lossy(right);
    }
    if matches!(left, Reply::Error(_)) || matches!(right, Reply::Error(_)) {
        return named(command, &STRICTER);
    }
    if std::mem::discriminant(left) != std::mem::discriminant(right) {
        return false;
    }
    if same_numbers(left, right) {
        return true;
    }
    // Texts are compared up to their first zero byte there.
    let has_zero = |reply: &Reply| matches!(reply, Reply::Bulk(text) if text.contains(&0));
    if named(command, &["sort", "sort_ro"])
        && left.as_elements().is_some_and(|all| all.iter().any(has_zero))
    {
        return unordered(left, 1) == unordered(right, 1);
    }
    match rule(command) {
        Rule::Exact => unordered(left, 0) == unordered(right, 0),
        Rule::AnyOrder => unordered(left, 1) == unordered(right, 1),
        Rule::AnyPairs => unordered(left, 2) == unordered(right, 2),
        Rule::Kind => true,
        Rule::Shape => {
            let len = |r: &Reply| r.as_elements().map(<[Reply]>::len);
            len(left) == len(right)
        }
        Rule::Time => match (left, right) {
            (Reply::Integer(a), Reply::Integer(b)) => close(*a, *b),
            _ => false,
        },
    }
}

/// Whether two replies are the same once doubles are compared by value: 7.0 writes 17 digits of them,
/// later versions as many as are needed.
fn same_numbers(left: &Reply, right: &Reply) -> bool {
    let text = |reply: &Reply| match reply {
        Reply::Bulk(bytes) => String::from_utf8(bytes.clone()).ok(),
        Reply::Double(text) => Some(text.clone()),
        _ => None,
    };
    let number = |reply: &Reply| text(reply)?.parse::<f64>().ok();
    let is_double = |reply: &Reply| text(reply).is_some_and(|text| text.contains(['.', 'e']));
    if left == right {
        return true;
    }
    if is_double(left) || is_double(right) {
        return number(left).is_some() && number(left) == number(right);
    }
    match (left, right) {
        (Reply::Array(a), Reply::Array(b)) | (Reply::Set(a), Reply::Set(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_numbers(a, b))
        }
        (Reply::Map(a), Reply::Map(b)) => {
            let same = |((k, v), (l, w)): (&(Reply, Reply), &(Reply, Reply))| {
                same_numbers(k, l) && same_numbers(v, w)
            };
            a.len() == b.len() && a.iter().zip(b).all(same)
        }
        _ => false,
    }
}

/// Whether two times (or times to live) in seconds or milliseconds are a few seconds apart.
pub fn close(a: i64, b: i64) -> bool {
    a >= 0 && b >= 0 && a.abs_diff(b) <= 5000
}

/// A reply as text with the order of its elements (in groups) taken out; sets have none anyway.
fn unordered(reply: &Reply, group: usize) -> Vec<String> {
    let mut parts: Vec<String> = match (reply, group) {
        (Reply::Set(items), _) => items.iter().map(render).collect(),
        (Reply::Map(pairs), 2) => {
            pairs.iter().map(|(k, v)| format!("{} {}", render(k), render(v))).collect()
        }
        (Reply::Array(items), 1 | 2) => items
            .chunks(group)
            .map(|g| g.iter().map(render).collect::<Vec<_>>().join(" "))
            .collect(),
        _ => return vec![render(reply)],
    };
    parts.sort();
    parts
}

/// [`equal`] for a whole item: the replies of a transaction are compared command by command.
pub fn item_equal(item: &[Command], left: &[Reply], right: &[Reply]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    item.iter().zip(left.iter().zip(right)).all(|(command, (l, r))| {
        match (command.first().map(Vec::as_slice), l, r) {
            (Some(b"EXEC"), Reply::Array(a), Reply::Array(b)) => {
                let queued = |c: &&Command| !matches!(c[0].as_slice(), b"MULTI" | b"EXEC");
                let commands: Vec<&Command> = item.iter().filter(queued).collect();
                a.len() == b.len()
                    && a.len() == commands.len()
                    && commands.iter().zip(a.iter().zip(b)).all(|(c, (x, y))| equal(c, x, y))
            }
            _ => equal(command, l, r),
        }
    })
}
