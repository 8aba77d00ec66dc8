//! Effects in the form in which they are logged, where several commands have the same.

use command::{Args, Ctx, Deadline};

/// A key has got a deadline, milliseconds since the epoch.
pub fn pexpireat(ctx: &mut Ctx<'_>, key: &[u8], at_ms: i64) {
    ctx.effects.instead(&[b"PEXPIREAT", key, at_ms.to_string().as_bytes()]);
}

/// A key has gone because its deadline is over.
pub fn expired(ctx: &mut Ctx<'_>, key: &[u8]) {
    let verb: &[u8] = if ctx.config.lazyfree_lazy_expire { b"UNLINK" } else { b"DEL" };
    ctx.effects.instead(&[verb, key]);
}

/// A string has been stored.
pub fn set(ctx: &mut Ctx<'_>, key: &[u8], value: &[u8], deadline: Deadline) {
    match deadline {
        Deadline::At(at_ms) => {
            let at_ms = at_ms.to_string();
            ctx.effects.instead(&[b"SET", key, value, b"PXAT", at_ms.as_bytes()]);
        }
        Deadline::Keep => ctx.effects.instead(&[b"SET", key, value, b"KEEPTTL"]),
        Deadline::None => ctx.effects.instead(&[b"SET", key, value]),
    }
}

/// The command as it was sent, with its deadline as a moment: `value` is the word behind EX, PX or EXAT.
pub fn with_moment(ctx: &mut Ctx<'_>, args: Args<'_>, value: usize, at_ms: i64) {
    let at_ms = at_ms.to_string();
    ctx.effects.instead_with(args, &[(value - 1, b"PXAT"), (value, at_ms.as_bytes())]);
}
