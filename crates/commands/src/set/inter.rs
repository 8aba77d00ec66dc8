use command::{Args, Ctx, Flags, KeyFlags, KeySpec, Outcome, Spec};
use smallvec::SmallVec;
use value::Item;
use value::set::{Set, SetLimits};

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
    for member in common(&sets) {
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
    for member in common(sets) {
        result.insert(member, limits);
    }
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
    let count = by_size(sets).map_or(0, |sets| common(&sets).take(request.limit).count());
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

/// Members that are looked for at a time.
const AHEAD: usize = 16;

/// What the first set has in common with the others.
fn common<'a>(sets: &'a [&'a Set]) -> impl Iterator<Item = Item<'a>> {
    let (first, others) = match sets.split_first() {
        Some((first, others)) => (Some(*first), others),
        None => (None, sets),
    };
    first.into_iter().flat_map(move |first| {
        let others = move || others.iter().filter(move |set| !std::ptr::eq(**set, first));
        let mut members = first.iter();
        // Some at a time, so that their trips to memory are one.
        let batches = std::iter::from_fn(move || {
            let mut batch: SmallVec<[Item<'_>; AHEAD]> = members.by_ref().take(AHEAD).collect();
            if batch.is_empty() {
                return None;
            }
            if batch.len() > 1 {
                others().for_each(|set| set.prefetch(&batch));
            }
            batch.retain(|member| others().all(|set| set.contains(*member)));
            Some(batch)
        });
        batches.flatten()
    })
}
