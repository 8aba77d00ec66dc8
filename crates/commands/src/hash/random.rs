use std::collections::HashSet;

use command::{Args, Ctx, Error, Flags, Outcome, Spec};
use env::{Random, RngCore};
use resp::{Protocol, Writer};
use value::Item;
use value::hash::{Field, Hash};

use super::{HASH, access};
use crate::draw::{Room, Selection};
use crate::{reach, reply};

/// `HRANDFIELD key [count [WITHVALUES]]`
pub const HRANDFIELD: Spec = Spec {
    name: "hrandfield",
    arity: -2,
    flags: Flags::READONLY.union(Flags::LINEAR),
    since: "6.2.0",
    summary: "Returns random fields of a hash.",
    complexity: "O(N) for N fields returned",
    syntax: "key options=[count:integer [WITHVALUES]]",
    tips: &["nondeterministic_output"],
    reach: Some(|args, hash| reach::count(args, hash, 2)),
    run: hrandfield,
    ..HASH
};

const OUT_OF_RANGE: Error = Error::fixed("ERR value is out of range");
/// Up to this fraction of a hash, fields are drawn one by one; beyond, the hash is walked once.
const DRAW_FRACTION: usize = 3;

fn hrandfield(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.len() == 2 {
        return access::read(&mut ctx.db, args.key(1), |hash| {
            match hash.and_then(|hash| hash.random(ctx.random.next_u64())) {
                Some(field) => reply::item(&mut ctx.reply, field.name),
                None => ctx.reply.null(),
            }
        });
    }
    let wanted = args.integer(2)?;
    if wanted == i64::MIN {
        return Err(Error::BELOW_LEAST);
    }
    let with_values = args.len() == 4 && args.is(3, "WITHVALUES");
    if args.len() > 3 && !with_values {
        return Err(Error::SYNTAX);
    }
    if with_values && wanted.unsigned_abs() > i64::MAX.unsigned_abs() / 2 {
        return Err(OUT_OF_RANGE);
    }
    let count = usize::try_from(wanted.unsigned_abs()).unwrap_or(usize::MAX);
    access::read(&mut ctx.db, args.key(1), |hash| {
        let Some(hash) = hash.filter(|_| count > 0) else {
            ctx.reply.array(0);
            return Ok(());
        };
        let mut sample = Sample { reply: &mut ctx.reply, with_values };
        if wanted < 0 {
            let room = Room::new(sample.reply, ctx.config, count as u64)?;
            sample.with_repetitions(hash, count, ctx.random, &room)?;
        } else {
            sample.distinct(hash, count.min(hash.len()), ctx.random);
        }
        Ok(())
    })?
}

/// Writes fields, with their values or without.
struct Sample<'a, 'w> {
    reply: &'a mut Writer<'w>,
    with_values: bool,
}

impl Sample<'_, '_> {
    fn begin(&mut self, count: usize) {
        let flat = self.with_values && self.reply.protocol() == Protocol::Resp2;
        self.reply.array(if flat { count.saturating_mul(2) } else { count });
    }

    fn field(&mut self, field: Field<'_>) {
        if !self.with_values {
            return reply::item(self.reply, field.name);
        }
        if self.reply.protocol() == Protocol::Resp3 {
            self.reply.array(2);
        }
        reply::item(self.reply, field.name);
        reply::item(self.reply, field.value);
    }

    fn with_repetitions(
        &mut self,
        hash: &Hash,
        count: usize,
        random: &mut Random,
        room: &Room,
    ) -> Outcome {
        self.begin(count);
        for _ in 0..count {
            if let Some(field) = hash.random(random.next_u64()) {
                self.field(field);
            }
            room.check(self.reply)?;
        }
        Ok(())
    }

    fn distinct(&mut self, hash: &Hash, count: usize, random: &mut Random) {
        self.begin(count);
        let is_table = hash.encoding() == "hashtable";
        if is_table && count.saturating_mul(DRAW_FRACTION) <= hash.len() {
            let mut drawn: HashSet<Item<'_>> = HashSet::with_capacity(count);
            while drawn.len() < count {
                if let Some(field) = hash.random(random.next_u64())
                    && drawn.insert(field.name)
                {
                    self.field(field);
                }
            }
            return;
        }
        let mut selection = Selection::new(count, hash.len());
        for field in hash.iter() {
            if selection.takes(random.next_u64()) {
                self.field(field);
            }
        }
    }
}
