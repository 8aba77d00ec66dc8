use std::ops::Range;

use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use keyspace::Key;
use resp::Protocol;
use value::zset::Zset;

use super::reply_member;
use crate::reach;

const KEY_FLAGS: KeyFlags = KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE);

/// `ZPOPMIN key [count]`
pub const ZPOPMIN: Spec = Spec {
    name: "zpopmin",
    summary: "Removes the members of the lowest scores and returns them.",
    run: zpopmin,
    ..BASE
};

/// `ZPOPMAX key [count]`
pub const ZPOPMAX: Spec = Spec {
    name: "zpopmax",
    summary: "Removes the members of the highest scores and returns them.",
    run: zpopmax,
    ..BASE
};

const BASE: Spec = Spec {
    arity: -2,
    flags: Flags::WRITE.union(Flags::FAST).union(Flags::LINEAR),
    group: Group::SortedSet,
    keys: &[KeySpec::one(1, KEY_FLAGS)],
    since: "5.0.0",
    complexity: "O(log(N)*M) with N members in the set and M removed",
    syntax: "key [count:integer]",
    reach: Some(|args, zset| reach::count(args, zset, 2)),
    ..Spec::BASE
};

/// `ZMPOP numkeys key [key ...] MIN | MAX [COUNT count]`
pub const ZMPOP: Spec = Spec {
    name: "zmpop",
    arity: -4,
    flags: Flags::WRITE.union(Flags::LINEAR),
    group: Group::SortedSet,
    keys: &[KeySpec::counted(1, KEY_FLAGS)],
    since: "7.0.0",
    summary: "Removes members of the lowest or highest scores from the first set that has any.",
    complexity: "O(K) + O(M*log(N)) with K keys, N members in the set and M removed",
    syntax: "numkeys:integer key... where=(MIN | MAX) [COUNT count:integer]",
    reach: Some(|args, value| reach::option_or(args, value, "COUNT", 1)),
    run: zmpop,
    ..Spec::BASE
};

const NOT_POSITIVE: Error = Error::fixed("ERR value is out of range, must be positive");
const NO_KEYS: Error = Error::fixed("ERR numkeys should be greater than 0");
const NO_COUNT: Error = Error::fixed("ERR count should be greater than 0");

/// Which end of a sorted set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Where the lowest scores are.
    Min,
    /// Where the highest scores are.
    Max,
}

impl End {
    /// The command that takes members at this end.
    pub fn pop_name(self) -> &'static [u8] {
        match self {
            Self::Min => b"ZPOPMIN",
            Self::Max => b"ZPOPMAX",
        }
    }

    fn event(self) -> &'static str {
        match self {
            Self::Min => "zpopmin",
            Self::Max => "zpopmax",
        }
    }
}

/// How popped members are laid out in a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One array of members and scores.
    Flat,
    /// An array of pairs.
    Nested,
    /// One array of the key, members and scores.
    FlatWithKey,
    /// The key, and an array of pairs.
    NestedWithKey,
}

fn zpopmin(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    pop_one_key(ctx, args, End::Min)
}

fn zpopmax(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    pop_one_key(ctx, args, End::Max)
}

fn pop_one_key(ctx: &mut Ctx<'_>, args: Args<'_>, end: End) -> Outcome {
    if args.len() > 3 {
        return Err(Error::SYNTAX);
    }
    let counted = args.len() == 3;
    let count = if counted {
        args.integer(2).ok().and_then(|n| usize::try_from(n).ok()).ok_or(NOT_POSITIVE)?
    } else {
        1
    };
    let nested = counted && ctx.reply.protocol() == Protocol::Resp3;
    let layout = if nested { Layout::Nested } else { Layout::Flat };
    if !pop(ctx, args.key(1), end, count, layout)? {
        ctx.reply.array(0);
    }
    Ok(())
}

fn zmpop(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let wanted = Wanted::parse(args, 1)?;
    for key in wanted.keys {
        if pop(ctx, args.key(key), wanted.end, wanted.count, Layout::NestedWithKey)? {
            return Ok(());
        }
    }
    ctx.reply.null_array();
    Ok(())
}

/// What ZMPOP and its blocking form ask for.
pub struct Wanted {
    /// The words that are keys.
    pub keys: Range<usize>,
    /// Which members.
    pub end: End,
    /// How many at most.
    pub count: usize,
}

impl Wanted {
    /// Reads `numkeys key... MIN | MAX [COUNT count]` from word `at` on.
    ///
    /// # Errors
    /// When the words are not of that form.
    pub fn parse(args: Args<'_>, at: usize) -> Result<Self, Error> {
        let positive = |word| {
            let number = args.integer(word).ok().and_then(|n| usize::try_from(n).ok());
            number.filter(|n| *n > 0)
        };
        let numkeys = positive(at).ok_or(NO_KEYS)?;
        let end_word = numkeys.saturating_add(at + 1);
        let end = if args.is(end_word, "MIN") {
            End::Min
        } else if args.is(end_word, "MAX") {
            End::Max
        } else {
            return Err(Error::SYNTAX);
        };
        let count = match args.len() - end_word {
            1 => 1,
            3.. if args.is(end_word + 1, "COUNT") => {
                let count = positive(end_word + 2).ok_or(NO_COUNT)?;
                if args.len() > end_word + 3 {
                    return Err(Error::SYNTAX);
                }
                count
            }
            _ => return Err(Error::SYNTAX),
        };
        Ok(Self { keys: at + 1..end_word, end, count })
    }
}

/// Takes up to `count` members from one end of the set at `key` and writes them as the reply. False,
/// and nothing written, when there is no such set.
///
/// # Errors
/// When the key holds another type.
pub fn pop(
    ctx: &mut Ctx<'_>,
    key: Key<'_>,
    end: End,
    count: usize,
    layout: Layout,
) -> Result<bool, Error> {
    let Some(zset) = ctx.db.write::<Zset>(key)? else { return Ok(false) };
    if count == 0 {
        ctx.reply.array(0);
        return Ok(true);
    }
    let popped = count.min(zset.len());
    let ranks = match end {
        End::Min => 0..popped,
        End::Max => zset.len() - popped..zset.len(),
    };
    let nested = match layout {
        Layout::Flat => {
            ctx.reply.array(popped * 2);
            false
        }
        Layout::Nested => {
            ctx.reply.array(popped);
            true
        }
        Layout::FlatWithKey => {
            ctx.reply.array(popped * 2 + 1);
            ctx.reply.bulk(key.bytes());
            false
        }
        Layout::NestedWithKey => {
            ctx.reply.array(2);
            ctx.reply.bulk(key.bytes());
            ctx.reply.array(popped);
            true
        }
    };
    let reply = &mut ctx.reply;
    let mut answer = |member: &[u8], score| {
        if nested {
            reply.array(2);
        }
        reply_member(reply, member, score);
    };
    if end == End::Min || popped == 1 {
        zset.remove_range(ranks, answer);
    } else {
        zset.range(ranks.clone(), true).for_each(|(member, score)| answer(member, score));
        zset.remove_range(ranks, |_, _| {});
    }
    let emptied = zset.is_empty();
    match layout {
        Layout::Flat | Layout::Nested => {}
        Layout::FlatWithKey => ctx.effects.instead(&[end.pop_name(), key.bytes()]),
        Layout::NestedWithKey => {
            let count = popped.to_string();
            ctx.effects.instead(&[end.pop_name(), key.bytes(), count.as_bytes()]);
        }
    }
    ctx.db.add_changes(popped as u64 - 1);
    ctx.db.changed(key, KeyspaceEvents::ZSET, end.event());
    if emptied && ctx.db.remove(key) {
        ctx.db.notify(key, KeyspaceEvents::GENERIC, "del");
    }
    Ok(true)
}
