use command::blocked::{Nothing, Wait};
use command::{Args, Ctx, Error, Flags, Outcome, Spec};
use config::KeyspaceEvents;
use value::Item;
use value::list::List;

use super::end::End;
use super::limits;
use super::lmove::MOVE;
use crate::timeout;

const MOVE_MANY: Spec = Spec { since: "8.10.0", complexity: "O(N) for N elements moved", ..MOVE };

/// `LMOVEM source destination (LEFT | RIGHT) (LEFT | RIGHT) [(COUNT count | EXACTLY exactly) (OBO | BULK)]`
pub const LMOVEM: Spec = Spec {
    name: "lmovem",
    arity: -5,
    summary: "Moves up to so many elements, or exactly so many, from an end of a list to an end of another.",
    syntax: "source destination wherefrom=(LEFT | RIGHT) whereto=(LEFT | RIGHT) \
             how-many=[selector=(COUNT count:integer | EXACTLY exactly:integer) ordering=(OBO | BULK)]",
    run: lmovem,
    ..MOVE_MANY
};

fn lmovem(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let request = Request::parse(args, 5)?;
    if !request.run(ctx, args)? {
        ctx.reply.null_array();
    }
    Ok(())
}

/// `BLMOVEM source destination (LEFT | RIGHT) (LEFT | RIGHT) timeout [(COUNT count | EXACTLY exactly) (OBO | BULK)]`
pub const BLMOVEM: Spec = Spec {
    name: "blmovem",
    arity: -6,
    flags: MOVE.flags.union(Flags::BLOCKING),
    summary: "Moves elements from an end of a list to an end of another, or waits until there are enough.",
    syntax: "source destination wherefrom=(LEFT | RIGHT) whereto=(LEFT | RIGHT) timeout:double \
             how-many=[selector=(COUNT count:integer | EXACTLY exactly:integer) ordering=(OBO | BULK)]",
    run: blmovem,
    ..MOVE_MANY
};

fn blmovem(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let request = Request::parse(args, 6)?;
    let deadline_ms = timeout::deadline(ctx, args, 5)?;
    if request.run(ctx, args)? {
        ctx.effects.instead_list(
            &[b"LMOVEM"],
            (1..args.len()).filter(|at| *at != 5).map(|at| args.at(at)),
        );
    } else {
        let keys = vec![args.at(1).into()];
        ctx.wait(Wait {
            keys,
            deadline_ms,
            again_ms: None,
            nothing: Nothing::NullArray,
            retry: None,
        });
    }
    Ok(())
}

/// What is moved.
struct Request {
    from: End,
    to: End,
    count: usize,
    /// Whether fewer than `count` are none.
    exactly: bool,
    /// Whether the elements keep their order, whichever ends are concerned; else it is that of moves one by
    /// one.
    keeps_order: bool,
}

const NOT_POSITIVE_COUNT: Error = Error::fixed("ERR count should be greater than 0");
const NOT_POSITIVE_EXACTLY: Error = Error::fixed("ERR exactly should be greater than 0");

impl Request {
    /// Reads the ends, and how many elements there are to move from the word at `at` on.
    fn parse(args: Args<'_>, at: usize) -> Result<Self, Error> {
        let (from, to) = (End::parse(args, 3)?, End::parse(args, 4)?);
        let mut request = Self { from, to, count: 1, exactly: false, keeps_order: false };
        if args.len() == at {
            return Ok(request);
        }
        if args.len() != at + 3 {
            return Err(Error::SYNTAX);
        }
        request.exactly = args.is(at, "EXACTLY");
        if !request.exactly && !args.is(at, "COUNT") {
            return Err(Error::SYNTAX);
        }
        request.keeps_order = args.is(at + 2, "BULK");
        if !request.keeps_order && !args.is(at + 2, "OBO") {
            return Err(Error::SYNTAX);
        }
        let error = if request.exactly { NOT_POSITIVE_EXACTLY } else { NOT_POSITIVE_COUNT };
        let count = args.integer_in(at + 1, 1..=i64::MAX, error)?;
        request.count = usize::try_from(count).unwrap_or(usize::MAX);
        Ok(request)
    }

    /// Moves the elements and writes them in the order in which the destination has them; false, with
    /// nothing written, when there are too few.
    fn run(&self, ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<bool, Error> {
        let limits = limits(ctx.config);
        let (source, destination) = (args.key(1), args.key(2));
        let least = if self.exactly { self.count } else { 1 };
        if ctx.db.write::<List>(source)?.is_none_or(|list| list.len() < least) {
            return Ok(false);
        }
        ctx.db.write::<List>(destination)?;
        let Some(list) = ctx.db.write::<List>(source)? else { return Ok(false) };
        let mut moved = Vec::with_capacity(self.count.min(list.len()));
        while moved.len() < self.count
            && let Some(item) = match self.from {
                End::Left => list.pop_front(limits, |item| item.to_vec()),
                End::Right => list.pop_back(limits, |item| item.to_vec()),
            }
        {
            moved.push(item);
        }
        if self.keeps_order && self.from == self.to {
            moved.reverse();
        }
        // The source is still there, though maybe empty: as the destination it keeps its deadline.
        let list = ctx.db.write_or_make(destination, List::new)?;
        list.before_growth(moved.len(), moved.iter().map(Vec::len).sum(), limits);
        moved.iter().for_each(|item| self.to.push(list, Item::parse(item), limits));
        if self.to == End::Left {
            moved.reverse();
        }
        ctx.reply.array(moved.len());
        moved.iter().for_each(|item| ctx.reply.bulk(item));
        ctx.db.notify(destination, KeyspaceEvents::LIST, self.to.pushed());
        ctx.db.changed_by(moved.len(), source, KeyspaceEvents::LIST, self.from.popped());
        if ctx.db.remove_if_empty::<List>(source) {
            ctx.db.notify(source, KeyspaceEvents::GENERIC, "del");
        }
        Ok(true)
    }
}
