use command::blocked::{Nothing, Wait};
use command::{Args, Ctx, Flags, KeyFlags, KeySpec, Outcome, Spec};
use keyspace::Key;

use super::LIST;
use super::end::End;
use super::lmove::{MOVE, transfer};
use super::mpop::{Request, pop_first};
use super::pop::pop_one;
use crate::timeout;

const TAKES: KeyFlags = KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE);

const POP: Spec = Spec {
    arity: -3,
    flags: Flags::WRITE.union(Flags::BLOCKING),
    keys: &[KeySpec::range(1, -2, 1, TAKES)],
    since: "2.0.0",
    complexity: "O(N) for N keys",
    syntax: "key... timeout:double",
    history: &[("6.0.0", "The timeout may have a fraction.")],
    ..LIST
};

/// `BLPOP key [key ...] timeout`
pub const BLPOP: Spec = Spec {
    name: "blpop",
    summary: "Takes the first element of the first of several lists that exists, or waits for one.",
    run: |ctx, args| pop(ctx, args, End::Left),
    ..POP
};

/// `BRPOP key [key ...] timeout`
pub const BRPOP: Spec = Spec {
    name: "brpop",
    summary: "Takes the last element of the first of several lists that exists, or waits for one.",
    run: |ctx, args| pop(ctx, args, End::Right),
    ..POP
};

fn pop(ctx: &mut Ctx<'_>, args: Args<'_>, end: End) -> Outcome {
    let last = args.len() - 1;
    let deadline_ms = timeout::deadline(ctx, args, last)?;
    for index in 1..last {
        let key = args.key(index);
        let found = pop_one(ctx, key, end, |reply| {
            reply.array(2);
            reply.bulk(key.bytes());
        })?;
        if found {
            ctx.effects.instead(&[end.pop_name(), key.bytes()]);
            return Ok(());
        }
    }
    wait(ctx, (1..last).map(|index| args.key(index)), deadline_ms);
    Ok(())
}

fn wait<'a>(ctx: &mut Ctx<'_>, keys: impl Iterator<Item = Key<'a>>, deadline_ms: Option<i64>) {
    let keys = keys.map(|key| key.bytes().into()).collect();
    ctx.wait(Wait { keys, deadline_ms, again_ms: None, nothing: Nothing::NullArray, retry: None });
}

const BLOCKING_MOVE: Spec = Spec { flags: MOVE.flags.union(Flags::BLOCKING), ..MOVE };

/// `BLMOVE source destination (LEFT | RIGHT) (LEFT | RIGHT) timeout`
pub const BLMOVE: Spec = Spec {
    name: "blmove",
    arity: 6,
    since: "6.2.0",
    summary: "Moves an element from an end of a list to an end of another, or waits for one.",
    syntax: "source destination wherefrom=(LEFT | RIGHT) whereto=(LEFT | RIGHT) timeout:double",
    run: blmove,
    ..BLOCKING_MOVE
};

fn blmove(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (from, to) = (End::parse(args, 3)?, End::parse(args, 4)?);
    let lower: [&[u8]; 2] = [from.name(), to.name()];
    let logged: [&[u8]; 5] = match ctx.waited {
        true => [b"LMOVE", args.at(1), args.at(2), lower[0], lower[1]],
        false => [b"LMOVE", args.at(1), args.at(2), args.at(3), args.at(4)],
    };
    move_or_wait(ctx, args, (from, to), 5, &logged)
}

/// `BRPOPLPUSH source destination timeout`
pub const BRPOPLPUSH: Spec = Spec {
    name: "brpoplpush",
    arity: 4,
    since: "2.2.0",
    summary: "Moves the last element of a list to the front of another, or waits for one.",
    syntax: "source destination timeout:double",
    history: &[("6.0.0", "The timeout may have a fraction.")],
    deprecated: Some(("6.2.0", "`BLMOVE` with the `RIGHT` and `LEFT` arguments")),
    run: |ctx, args| {
        let logged: [&[u8]; 3] = [b"RPOPLPUSH", args.at(1), args.at(2)];
        move_or_wait(ctx, args, (End::Right, End::Left), 3, &logged)
    },
    ..BLOCKING_MOVE
};

fn move_or_wait(
    ctx: &mut Ctx<'_>,
    args: Args<'_>,
    (from, to): (End, End),
    timeout: usize,
    logged: &[&[u8]],
) -> Outcome {
    let deadline_ms = timeout::deadline(ctx, args, timeout)?;
    if transfer(ctx, args.key(1), args.key(2), from, to)? {
        ctx.effects.instead(logged);
        return Ok(());
    }
    if ctx.may_wait {
        wait(ctx, std::iter::once(args.key(1)), deadline_ms);
    } else {
        // A timeout answers the null of an array here, and a transaction that of a value.
        ctx.reply.null();
    }
    Ok(())
}

/// `BLMPOP timeout numkeys key... (LEFT | RIGHT) [COUNT count]`
pub const BLMPOP: Spec = Spec {
    name: "blmpop",
    arity: -5,
    flags: Flags::WRITE.union(Flags::BLOCKING),
    keys: &[KeySpec::counted(2, TAKES)],
    since: "7.0.0",
    summary: "Takes elements of the first of several lists that exists, or waits for one.",
    complexity: "O(N+M) for N keys and M elements taken",
    syntax: "timeout:double numkeys:integer key... where=(LEFT | RIGHT) [COUNT count:integer]",
    run: blmpop,
    ..LIST
};

fn blmpop(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let deadline_ms = timeout::deadline(ctx, args, 1)?;
    let request = Request::parse(args, 2)?;
    if !pop_first(ctx, request.keys(args), request.end, request.count)? {
        wait(ctx, request.keys(args), deadline_ms);
    }
    Ok(())
}
