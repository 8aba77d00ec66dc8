use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use value::stream::{COUNT_MAX, Recount, Stream};

use super::delete::{NO_NUMBER, WRONG_NUMBER};
use super::{ids, no_group};

/// `XNACK key group SILENT | FAIL | FATAL IDS numids id [id ...] [RETRYCOUNT count] [FORCE]`
pub const XNACK: Spec = Spec {
    name: "xnack",
    arity: -7,
    flags: Flags::WRITE.union(Flags::FAST),
    group: Group::Stream,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::UPDATE))],
    since: "8.8.0",
    summary: "Gives pending entries back to their group, for whoever claims them next.",
    complexity: "O(1) per ID",
    syntax: "key group mode=(SILENT | FAIL | FATAL) IDS ids=(numids:integer id...) \
             [RETRYCOUNT count:integer] [force=FORCE]",
    run: xnack,
    ..Spec::BASE
};

const BAD_COUNT: Error = Error::fixed("ERR Invalid RETRYCOUNT option argument for XNACK");

fn xnack(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut count = match args.at(3) {
        mode if mode.eq_ignore_ascii_case(b"SILENT") => Recount::Less,
        mode if mode.eq_ignore_ascii_case(b"FAIL") => Recount::Same,
        mode if mode.eq_ignore_ascii_case(b"FATAL") => Recount::To(COUNT_MAX),
        _ => return Err(Error::SYNTAX),
    };
    if !args.is(4, "IDS") {
        return Err(Error::SYNTAX);
    }
    let number = args.integer(5).ok().and_then(|number| usize::try_from(number).ok());
    let number = number.filter(|number| *number > 0).ok_or(NO_NUMBER)?;
    let end = number.checked_add(6).filter(|end| *end <= args.len()).ok_or(WRONG_NUMBER)?;
    let wanted = ids::list(args, 6, end)?;
    let (mut word, mut force) = (end, false);
    while word < args.len() {
        if args.is(word, "FORCE") {
            force = true;
        } else if args.is(word, "RETRYCOUNT") && word + 1 < args.len() {
            let given = args.integer(word + 1).ok().and_then(|given| u64::try_from(given).ok());
            count = Recount::To(given.ok_or(BAD_COUNT)?);
            word += 1;
        } else {
            return Err(Error::SYNTAX);
        }
        word += 1;
    }
    let key = args.key(1);
    let stream = ctx.db.write::<Stream>(key)?;
    let Some(stream) = stream.filter(|stream| stream.group(args.at(2)).is_some()) else {
        return Err(no_group(args, 1, 2, ""));
    };
    let released = wanted
        .into_iter()
        .filter(|&id| stream.release(args.at(2), id, count, force) == Some(true))
        .count();
    if released > 0 {
        // Whoever waits for pending entries may have these.
        ctx.db.mark(key);
        ctx.db.add_changes(released as u64);
    }
    ctx.reply.integer(released as i64);
    Ok(())
}
