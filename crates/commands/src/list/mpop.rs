use command::{Args, Ctx, Error, Flags, KeyFlags, KeySpec, Outcome, Spec};
use keyspace::Key;

use super::LIST;
use super::end::End;
use super::pop::pop_some;
use crate::reach;

/// `LMPOP numkeys key... (LEFT | RIGHT) [COUNT count]`
pub const LMPOP: Spec = Spec {
    name: "lmpop",
    arity: -4,
    flags: Flags::WRITE.union(Flags::LINEAR),
    keys: &[KeySpec::counted(1, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE))],
    since: "7.0.0",
    summary: "Takes elements at an end of the first of several lists that exists.",
    complexity: "O(N+M) for N keys and M elements taken",
    syntax: "numkeys:integer key... where=(LEFT | RIGHT) [COUNT count:integer]",
    reach: Some(|args, value| reach::option_or(args, value, "COUNT", 1)),
    run: lmpop,
    ..LIST
};

const BAD_NUMKEYS: Error = Error::fixed("ERR numkeys should be greater than 0");
const BAD_COUNT: Error = Error::fixed("ERR count should be greater than 0");

fn lmpop(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let request = Request::parse(args, 1)?;
    if !pop_first(ctx, request.keys(args), request.end, request.count)? {
        ctx.reply.null_array();
    }
    Ok(())
}

/// What LMPOP and its blocking form ask for.
pub(super) struct Request {
    first: usize,
    numkeys: usize,
    pub(super) end: End,
    pub(super) count: usize,
}

impl Request {
    /// Reads everything from the number of keys at `at` on.
    pub(super) fn parse(args: Args<'_>, at: usize) -> Result<Self, Error> {
        let numkeys = args.integer_in(at, 1..=i64::MAX, BAD_NUMKEYS)?;
        let numkeys = usize::try_from(numkeys).unwrap_or(usize::MAX);
        let side = numkeys.saturating_add(at + 1);
        if side >= args.len() {
            return Err(Error::SYNTAX);
        }
        let end = End::parse(args, side)?;
        let count = match args.len() - side {
            1 => 1,
            3 if args.is(side + 1, "COUNT") => {
                args.integer_in(side + 2, 1..=i64::MAX, BAD_COUNT)?
            }
            more if more > 3 && args.is(side + 1, "COUNT") => {
                args.integer_in(side + 2, 1..=i64::MAX, BAD_COUNT)?;
                return Err(Error::SYNTAX);
            }
            _ => return Err(Error::SYNTAX),
        };
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        Ok(Self { first: at + 1, numkeys, end, count })
    }

    /// The keys, in order.
    pub(super) fn keys<'a>(&self, args: Args<'a>) -> impl Iterator<Item = Key<'a>> + use<'a> {
        (self.first..self.first + self.numkeys).map(move |at| args.key(at))
    }
}

/// Takes entries of the first list there is, and writes its key with them; false, with nothing
/// written, when there is none.
pub(super) fn pop_first<'a>(
    ctx: &mut Ctx<'_>,
    keys: impl Iterator<Item = Key<'a>>,
    end: End,
    count: usize,
) -> Result<bool, Error> {
    for key in keys {
        let found = pop_some(ctx, key, end, count, |reply| {
            reply.array(2);
            reply.bulk(key.bytes());
        })?;
        if let Some(count) = found {
            let count = count.to_string();
            ctx.effects.instead(&[end.pop_name(), key.bytes(), count.as_bytes()]);
            return Ok(true);
        }
    }
    Ok(false)
}
