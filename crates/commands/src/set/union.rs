use command::{Args, Ctx, Flags, KeyFlags, KeySpec, Outcome, Spec};
use std::collections::HashSet;
use value::Item;
use value::set::{Batch, Set};

use super::result::{Request, keys, store};
use super::{SET, limits};
use crate::reply;

/// `SUNION key...`
pub const SUNION: Spec = Spec {
    name: "sunion",
    arity: -2,
    flags: Flags::READONLY.union(Flags::LINEAR),
    keys: &[KeySpec::range(1, -1, 1, KeyFlags::READ)],
    summary: "Returns the members of several sets.",
    complexity: "O(N) for N members of all sets",
    syntax: "key...",
    tips: &["nondeterministic_output_order"],
    run: sunion,
    ..SET
};

fn sunion(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let limits = limits(ctx.config);
    let sets = ctx.db.read_many::<Set>(keys(args, 1, args.len()))?;
    let sets: Vec<&Set> = sets.into_iter().flatten().collect();
    if sets.len() > 1 && sets.iter().all(|set| set.encoding() == "intset") {
        // Integers come in ascending order.
        let mut result = Set::new();
        sets.iter().flat_map(|set| set.iter()).for_each(|member| {
            result.insert(member, limits);
        });
        ctx.reply.set(result.len());
        result.iter().for_each(|member| reply::item(&mut ctx.reply, member));
        return Ok(());
    }
    let found = ctx.reply.deferred();
    let mut count = 0;
    distinct(&sets, |member| {
        reply::item(&mut ctx.reply, member);
        count += 1;
        true
    });
    ctx.reply.finish_set(found, count);
    Ok(())
}

/// `SUNIONSTORE destination key...`
pub const SUNIONSTORE: Spec = Spec {
    name: "sunionstore",
    arity: -3,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::LINEAR),
    keys: &[
        KeySpec::one(1, KeyFlags::OW.union(KeyFlags::UPDATE)),
        KeySpec::range(2, -1, 1, KeyFlags::READ),
    ],
    summary: "Stores the members of several sets.",
    complexity: "O(N) for N members of all sets",
    syntax: "destination key...",
    run: sunionstore,
    ..SET
};

fn sunionstore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let limits = limits(ctx.config);
    let sets = ctx.db.read_many::<Set>(keys(args, 2, args.len()))?;
    let sets: Vec<&Set> = sets.into_iter().flatten().collect();
    let lens = || sets.iter().map(|set| set.len());
    // For sets that have little in common; where they are alike, what is too much goes back.
    let most = lens().sum::<usize>().min(2 * lens().max().unwrap_or(0));
    let mut result = Set::new();
    for batch in Batch::all(sets.into_iter().flat_map(Set::iter)) {
        result.insert_batch(&batch, limits);
        result.reserve(most);
    }
    result.fit();
    store(ctx, args.key(1), result, "sunionstore")
}

/// `SUNIONCARD numkeys key... [APPROX] [LIMIT limit]`
pub const SUNIONCARD: Spec = Spec {
    name: "sunioncard",
    arity: -3,
    flags: Flags::READONLY.union(Flags::LINEAR),
    keys: &[KeySpec::counted(1, KeyFlags::READ)],
    since: "8.10.0",
    summary: "Returns how many different members several sets have.",
    complexity: "O(N) for N members of all sets",
    syntax: "numkeys:integer key... [APPROX] [LIMIT limit:integer]",
    run: sunioncard,
    ..SET
};

fn sunioncard(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    // The exact number is an approximation as well.
    let request = Request::parse(args, true)?;
    let sets = ctx.db.read_many::<Set>(keys(args, 2, request.end))?;
    let sets: Vec<&Set> = sets.into_iter().flatten().collect();
    let count = match sets.as_slice() {
        [] => 0,
        [only] => only.len().min(request.limit),
        sets => {
            let mut count = 0;
            distinct(sets, |_| {
                count += 1;
                count < request.limit
            });
            count
        }
    };
    ctx.reply.integer(count as i64);
    Ok(())
}

/// Up to so many sets, a member is looked for in those before its own; for more, members seen are
/// remembered.
const COMPARED_SETS: usize = 3;

/// Gives every member of any of the sets to `found` once, until that says false.
fn distinct<'a>(sets: &[&'a Set], mut found: impl FnMut(Item<'a>) -> bool) {
    if sets.len() > COMPARED_SETS {
        let mut seen: HashSet<Item<'a>> = HashSet::new();
        for member in sets.iter().flat_map(|set| set.iter()) {
            if seen.insert(member) && !found(member) {
                return;
            }
        }
        return;
    }
    for (at, set) in sets.iter().enumerate() {
        let before = sets.get(..at).unwrap_or_default();
        for mut batch in Batch::all(set.iter()) {
            before.iter().for_each(|other| batch.strike(other));
            if !batch.into_items().all(&mut found) {
                return;
            }
        }
    }
}
