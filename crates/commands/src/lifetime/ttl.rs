use command::{Args, Ctx, Outcome};

use super::{Parts, first, seconds};

const ABSENT: i64 = -2;
const NO_DEADLINE: i64 = -1;

/// `command key FIELDS numfields field...`: how many seconds are left.
pub(crate) fn ttl<T: Parts>(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let now = ctx.now_ms();
    show::<T>(ctx, args, |deadline| seconds(deadline.saturating_sub(now)))
}

/// The same in milliseconds.
pub(crate) fn pttl<T: Parts>(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let now = ctx.now_ms();
    show::<T>(ctx, args, |deadline| deadline.saturating_sub(now))
}

/// `command key FIELDS numfields field...`: the deadlines, in seconds since the epoch.
pub(crate) fn expiretime<T: Parts>(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    show::<T>(ctx, args, seconds)
}

/// The same in milliseconds.
pub(crate) fn pexpiretime<T: Parts>(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    show::<T>(ctx, args, |deadline| deadline)
}

/// The deadlines, in the form `shown`.
fn show<T: Parts>(ctx: &mut Ctx<'_>, args: Args<'_>, shown: impl Fn(i64) -> i64) -> Outcome {
    let value = ctx.db.read::<T>(args.key(1))?;
    let first = first(args, 2, T::WORDS, T::WORDS.not_positive)?;
    ctx.reply.array(args.len() - first);
    for name in args.iter_from(first) {
        ctx.reply.integer(match value.and_then(|value| value.deadline_of(name)) {
            None => ABSENT,
            Some(None) => NO_DEADLINE,
            Some(Some(deadline)) => shown(deadline),
        });
    }
    Ok(())
}

/// `command key FIELDS numfields field...`: the deadlines go.
pub(crate) fn persist<T: Parts>(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = args.key(1);
    let mut value = ctx.db.write::<T>(key)?;
    let first = first(args, 2, T::WORDS, T::WORDS.not_positive)?;
    ctx.reply.array(args.len() - first);
    let mut changed = false;
    for name in args.iter_from(first) {
        let old = value.as_ref().and_then(|value| value.deadline_of(name));
        if let (Some(value), Some(Some(_))) = (&mut value, old) {
            value.change_deadline(name, None);
            changed = true;
        }
        ctx.reply.integer(match old {
            None => ABSENT,
            Some(None) => NO_DEADLINE,
            Some(Some(_)) => 1,
        });
    }
    if changed {
        ctx.db.changed(key, T::CLASS, T::PERSIST);
    }
    Ok(())
}
