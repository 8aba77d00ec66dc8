use command::{Args, Ctx, Flags, KeyFlags, KeySpec, Outcome, Spec};
use std::collections::HashSet;
use value::Item;
use value::set::{Batch, Set, SetLimits};

use super::result::{Request, keys, store};
use super::{SET, limits};
use crate::reply;

/// `SDIFF key...`
pub const SDIFF: Spec = Spec {
    name: "sdiff",
    arity: -2,
    flags: Flags::READONLY.union(Flags::LINEAR),
    keys: &[KeySpec::range(1, -1, 1, KeyFlags::READ)],
    summary: "Returns the members of a set that are in none of several others.",
    complexity: "O(N) for N members of all sets",
    syntax: "key...",
    tips: &["nondeterministic_output_order"],
    run: sdiff,
    ..SET
};

fn sdiff(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let sets = ctx.db.read_many::<Set>(keys(args, 1, args.len()))?;
    let found = ctx.reply.deferred();
    let mut count = 0;
    Difference::of(sets).visit(|member| {
        reply::item(&mut ctx.reply, member);
        count += 1;
        true
    });
    ctx.reply.finish_set(found, count);
    Ok(())
}

/// `SDIFFSTORE destination key...`
pub const SDIFFSTORE: Spec = Spec {
    name: "sdiffstore",
    arity: -3,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::LINEAR),
    keys: &[
        KeySpec::one(1, KeyFlags::OW.union(KeyFlags::UPDATE)),
        KeySpec::range(2, -1, 1, KeyFlags::READ),
    ],
    summary: "Stores the members of a set that are in none of several others.",
    complexity: "O(N) for N members of all sets",
    syntax: "destination key...",
    run: sdiffstore,
    ..SET
};

fn sdiffstore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let limits = limits(ctx.config);
    let sets = ctx.db.read_many::<Set>(keys(args, 2, args.len()))?;
    let result = Difference::of(sets).collect(limits);
    store(ctx, args.key(1), result, "sdiffstore")
}

/// `SDIFFCARD numkeys key... [LIMIT limit]`
pub const SDIFFCARD: Spec = Spec {
    name: "sdiffcard",
    arity: -3,
    flags: Flags::READONLY.union(Flags::LINEAR),
    keys: &[KeySpec::counted(1, KeyFlags::READ)],
    since: "8.10.0",
    summary: "Returns how many members of a set are in none of several others.",
    complexity: "O(N) for N members of all sets",
    syntax: "numkeys:integer key... [LIMIT limit:integer]",
    run: sdiffcard,
    ..SET
};

fn sdiffcard(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let request = Request::parse(args, false)?;
    let sets = ctx.db.read_many::<Set>(keys(args, 2, request.end))?;
    let mut count = 0;
    Difference::of(sets).visit(|_| {
        count += 1;
        count < request.limit
    });
    ctx.reply.integer(count as i64);
    Ok(())
}

/// A set, and others whose members are taken from it.
struct Difference<'a> {
    first: Option<&'a Set>,
    others: Vec<&'a Set>,
    /// Whether taking every other set's members away is cheaper than looking for each member in the
    /// others.
    by_removal: bool,
}

impl<'a> Difference<'a> {
    fn of(sets: Vec<Option<&'a Set>>) -> Self {
        let mut sets = sets.into_iter();
        let first = sets.next().flatten();
        let mut others: Vec<&Set> = sets.flatten().collect();
        let Some(set) = first else { return Self { first, others, by_removal: false } };
        if others.iter().any(|other| std::ptr::eq(*other, set)) {
            return Self { first: None, others, by_removal: false };
        }
        // Looking up stops at the first hit and writes nothing: half the price.
        let looking = set.len().saturating_mul(others.len() + 1) / 2;
        let removing = others.iter().map(|other| other.len()).sum::<usize>() + set.len();
        let by_removal = looking > removing;
        if !by_removal {
            others.sort_by_key(|other| std::cmp::Reverse(other.len()));
        }
        Self { first, others, by_removal }
    }

    /// Gives every member of the difference to `found`, until that says false.
    fn visit(&self, mut found: impl FnMut(Item<'a>) -> bool) {
        let Some(first) = self.first else { return };
        if self.by_removal {
            let mut left: HashSet<Item<'a>> = first.iter().collect();
            for member in self.others.iter().flat_map(|other| other.iter()) {
                left.remove(&member);
                if left.is_empty() {
                    return;
                }
            }
            first.iter().filter(|member| left.contains(member)).all(found);
            return;
        }
        for batch in self.looked_for(first) {
            if !batch.into_items().all(&mut found) {
                return;
            }
        }
    }

    /// The difference in batches, by looking for each member in the others.
    fn looked_for(&self, first: &'a Set) -> impl Iterator<Item = Batch<'a>> {
        Batch::all(first.iter()).map(|mut batch| {
            self.others.iter().for_each(|other| batch.strike(other));
            batch
        })
    }

    /// The difference as a set, in the encoding that it has in Redis.
    fn collect(&self, limits: SetLimits) -> Set {
        let mut result = Set::new();
        let Some(first) = self.first else { return result };
        let add = |batch: Batch<'_>| {
            result.insert_batch(&batch, limits);
            result.reserve(first.len());
        };
        if !self.by_removal {
            self.looked_for(first).for_each(add);
            result.fit();
            return result;
        }
        Batch::all(first.iter()).for_each(add);
        for other in &self.others {
            if result.is_empty() {
                break;
            }
            other.iter().for_each(|member| {
                result.remove(member);
            });
        }
        result
    }
}
