use command::{Args, Ctx, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;

/// `TTL key`
pub const TTL: Spec = Spec {
    name: "ttl",
    since: "1.0.0",
    summary: "Says in how many seconds a key expires.",
    history: &[("2.8.0", "A key that does not exist is told apart by the reply -2.")],
    tips: &["nondeterministic_output"],
    run: |ctx, args| answer(ctx, args, true, rounded_seconds),
    ..LIFETIME
};

/// `PTTL key`
pub const PTTL: Spec = Spec {
    name: "pttl",
    since: "2.6.0",
    summary: "Says in how many milliseconds a key expires.",
    history: &[("2.8.0", "A key that does not exist is told apart by the reply -2.")],
    tips: &["nondeterministic_output"],
    run: |ctx, args| answer(ctx, args, true, |ms| ms),
    ..LIFETIME
};

/// `EXPIRETIME key`
pub const EXPIRETIME: Spec = Spec {
    name: "expiretime",
    since: "7.0.0",
    summary: "Says at which second since the epoch a key expires.",
    run: |ctx, args| answer(ctx, args, false, rounded_seconds),
    ..LIFETIME
};

/// `PEXPIRETIME key`
pub const PEXPIRETIME: Spec = Spec {
    name: "pexpiretime",
    since: "7.0.0",
    summary: "Says at which millisecond since the epoch a key expires.",
    run: |ctx, args| answer(ctx, args, false, |ms| ms),
    ..LIFETIME
};

const LIFETIME: Spec = Spec {
    arity: 2,
    flags: Flags::READONLY.union(Flags::FAST),
    group: Group::Generic,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    complexity: "O(1)",
    syntax: "key",
    ..Spec::BASE
};

/// `PERSIST key`
pub const PERSIST: Spec = Spec {
    name: "persist",
    arity: 2,
    flags: Flags::WRITE.union(Flags::FAST),
    group: Group::Generic,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::UPDATE))],
    since: "2.2.0",
    summary: "Takes away the deadline of a key.",
    complexity: "O(1)",
    syntax: "key",
    run: persist,
    ..Spec::BASE
};

/// Rounds to the nearest second; `ms` is not negative.
fn rounded_seconds(ms: i64) -> i64 {
    // The end of time rounds up past the signed range before it is divided.
    (ms.unsigned_abs().saturating_add(500) / 1000) as i64
}

fn answer(
    ctx: &mut Ctx<'_>,
    args: Args<'_>,
    relative: bool,
    in_unit: impl FnOnce(i64) -> i64,
) -> Outcome {
    let now_ms = if relative { ctx.now_ms() } else { 0 };
    let reply = match ctx.db.inspect(args.key(1)) {
        None => -2,
        Some(entry) => match entry.deadline_ms() {
            None => -1,
            Some(deadline) => in_unit(deadline.saturating_sub(now_ms).max(0)),
        },
    };
    ctx.reply.integer(reply);
    Ok(())
}

fn persist(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = args.key(1);
    let volatile = ctx.db.get_mut(key).is_some_and(|entry| entry.deadline_ms().is_some());
    if volatile {
        ctx.db.set_deadline(key, None);
        ctx.db.changed(key, KeyspaceEvents::GENERIC, "persist");
    }
    ctx.reply.integer(i64::from(volatile));
    Ok(())
}
