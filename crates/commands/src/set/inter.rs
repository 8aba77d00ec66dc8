use command::{Args, Ctx, Flags, KeyFlags, KeySpec, Outcome, Spec};
use value::set::{Batch, Set, SetLimits};

use super::result::{Request, keys, store};
use super::{SET, limits, packed};
use crate::reply;

/// `SINTER key...`
pub const SINTER: Spec = Spec {
    name: "sinter",
    arity: -2,
    flags: Flags::READONLY.union(Flags::LINEAR),
    keys: &[KeySpec::range(1, -1, 1, KeyFlags::READ)],
    summary: "Returns the members that several sets have in common.",
    complexity: "O(N*M) for N members of the smallest of M sets, at worst",
    syntax: "key...",
    tips: &["nondeterministic_output_order"],
    run: sinter,
    ..SET
};

fn sinter(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let sets = ctx.db.read_many::<Set>(keys(args, 1, args.len()))?;
    let Some(sets) = by_size(sets) else {
        ctx.reply.set(0);
        return Ok(());
    };
    let found = ctx.reply.deferred();
    let mut count = 0;
    for member in common(&sets).flat_map(Batch::into_items) {
        reply::item(&mut ctx.reply, member);
        count += 1;
    }
    ctx.reply.finish_set(found, count);
    Ok(())
}

/// `SINTERSTORE destination key...`
pub const SINTERSTORE: Spec = Spec {
    name: "sinterstore",
    arity: -3,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::LINEAR),
    keys: &[
        KeySpec::one(1, KeyFlags::RW.union(KeyFlags::UPDATE)),
        KeySpec::range(2, -1, 1, KeyFlags::READ),
    ],
    summary: "Stores the members that several sets have in common.",
    complexity: "O(N*M) for N members of the smallest of M sets, at worst",
    syntax: "destination key...",
    run: sinterstore,
    ..SET
};

fn sinterstore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let limits = limits(ctx.config);
    let sets = ctx.db.read_many::<Set>(keys(args, 2, args.len()))?;
    let result = by_size(sets).map_or_else(Set::new, |sets| intersection(&sets, limits));
    store(ctx, args.key(1), result, "sinterstore")
}

fn intersection(sets: &[&Set], limits: SetLimits) -> Set {
    let of_integers = sets.first().is_some_and(|set| set.encoding() == "intset");
    let mut result = if of_integers { Set::new() } else { packed(limits) };
    let smallest = sets.first().map_or(0, |set| set.len());
    for batch in common(sets) {
        result.insert_batch(&batch, limits);
        result.reserve(smallest);
    }
    result.fit();
    result.make_intset(limits);
    result
}

/// `SINTERCARD numkeys key... [LIMIT limit]`
pub const SINTERCARD: Spec = Spec {
    name: "sintercard",
    arity: -3,
    flags: Flags::READONLY.union(Flags::LINEAR),
    keys: &[KeySpec::counted(1, KeyFlags::READ)],
    since: "7.0.0",
    summary: "Returns how many members several sets have in common.",
    complexity: "O(N*M) for N members of the smallest of M sets, at worst",
    syntax: "numkeys:integer key... [LIMIT limit:integer]",
    run: sintercard,
    ..SET
};

fn sintercard(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let request = Request::parse(args, false)?;
    let sets = ctx.db.read_many::<Set>(keys(args, 2, request.end))?;
    let count = by_size(sets)
        .map_or(0, |sets| common(&sets).flat_map(Batch::into_items).take(request.limit).count());
    ctx.reply.integer(count as i64);
    Ok(())
}

/// The sets in ascending order of size; `None` when one of them is missing, which leaves nothing in
/// common.
fn by_size(sets: Vec<Option<&Set>>) -> Option<Vec<&Set>> {
    let mut sets = sets.into_iter().collect::<Option<Vec<&Set>>>()?;
    sets.sort_by_key(|set| set.len());
    Some(sets)
}

/// What the first set has in common with the others.
fn common<'a>(sets: &'a [&'a Set]) -> impl Iterator<Item = Batch<'a>> {
    let (first, others) = match sets.split_first() {
        Some((first, others)) => (Some(*first), others),
        None => (None, sets),
    };
    first.into_iter().flat_map(move |first| {
        Batch::all(first.iter()).map(move |mut batch| {
            let others = others.iter().filter(|set| !std::ptr::eq(**set, first));
            others.for_each(|set| batch.keep(set));
            batch
        })
    })
}
