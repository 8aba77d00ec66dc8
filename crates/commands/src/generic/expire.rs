use crate::logged;
use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;

/// `EXPIRE key seconds [NX | XX | GT | LT]`
pub const EXPIRE: Spec = Spec {
    name: "expire",
    since: "1.0.0",
    summary: "Sets after how many seconds a key expires.",
    syntax: "key seconds:integer [condition=(NX | XX | GT | LT)]",
    run: |ctx, args| expire(ctx, args, Unit { ms: 1000, relative: true }),
    ..EXPIRY
};

/// `PEXPIRE key milliseconds [NX | XX | GT | LT]`
pub const PEXPIRE: Spec = Spec {
    name: "pexpire",
    since: "2.6.0",
    summary: "Sets after how many milliseconds a key expires.",
    syntax: "key milliseconds:integer [condition=(NX | XX | GT | LT)]",
    run: |ctx, args| expire(ctx, args, Unit { ms: 1, relative: true }),
    ..EXPIRY
};

/// `EXPIREAT key unix-time-seconds [NX | XX | GT | LT]`
pub const EXPIREAT: Spec = Spec {
    name: "expireat",
    since: "1.2.0",
    summary: "Sets at which second since the epoch a key expires.",
    syntax: "key unix-time-seconds:unix-time [condition=(NX | XX | GT | LT)]",
    run: |ctx, args| expire(ctx, args, Unit { ms: 1000, relative: false }),
    ..EXPIRY
};

/// `PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]`
pub const PEXPIREAT: Spec = Spec {
    name: "pexpireat",
    since: "2.6.0",
    summary: "Sets at which millisecond since the epoch a key expires.",
    syntax: "key unix-time-milliseconds:unix-time [condition=(NX | XX | GT | LT)]",
    run: |ctx, args| expire(ctx, args, Unit { ms: 1, relative: false }),
    ..EXPIRY
};

const EXPIRY: Spec = Spec {
    arity: -3,
    flags: Flags::WRITE.union(Flags::FAST),
    group: Group::Generic,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::UPDATE))],
    complexity: "O(1)",
    history: &[("7.0.0", "Added the conditions `NX`, `XX`, `GT` and `LT`.")],
    ..Spec::BASE
};

/// What the number of a command means.
struct Unit {
    /// Milliseconds that one stands for.
    ms: i64,
    /// Counted from now, not from the epoch.
    relative: bool,
}

/// Which deadlines may be replaced; conditions may be combined.
#[derive(Default)]
struct Conditions {
    /// Only where there is none.
    nx: bool,
    /// Only where there is one.
    xx: bool,
    /// Only by a later one; none is later than any.
    gt: bool,
    /// Only by an earlier one.
    lt: bool,
}

impl Conditions {
    fn parse(args: Args<'_>) -> Result<Self, Error> {
        let mut conditions = Self::default();
        for word in 3..args.len() {
            let flag = match args.at(word).to_ascii_lowercase().as_slice() {
                b"nx" => &mut conditions.nx,
                b"xx" => &mut conditions.xx,
                b"gt" => &mut conditions.gt,
                b"lt" => &mut conditions.lt,
                _ => return Err(Error::new(format!("ERR Unsupported option {}", args.text(word)))),
            };
            *flag = true;
        }
        let Self { nx, xx, gt, lt } = conditions;
        if nx && (xx || gt || lt) {
            return Err(Error::fixed(
                "ERR NX and XX, GT or LT options at the same time are not compatible",
            ));
        }
        if gt && lt {
            return Err(Error::fixed("ERR GT and LT options at the same time are not compatible"));
        }
        Ok(conditions)
    }

    fn allow(&self, before: Option<i64>, after: i64) -> bool {
        let refused = match before {
            None => self.xx || self.gt,
            Some(before) => self.nx || (self.gt && after <= before) || (self.lt && after >= before),
        };
        !refused
    }
}

/// The deadline that the word at 2 means, milliseconds since the epoch.
fn deadline_ms(ctx: &Ctx<'_>, args: Args<'_>, unit: &Unit) -> Result<i64, Error> {
    let base_ms = if unit.relative { ctx.now_ms() } else { 0 };
    args.integer(2)?
        .checked_mul(unit.ms)
        .and_then(|ms| ms.checked_add(base_ms))
        .ok_or_else(|| Error::invalid_expire(&args.text(0).to_lowercase()))
}

fn expire(ctx: &mut Ctx<'_>, args: Args<'_>, unit: Unit) -> Outcome {
    let conditions = Conditions::parse(args)?;
    let deadline = deadline_ms(ctx, args, &unit)?;
    let key = args.key(1);
    let allowed = match ctx.db.get_mut(key) {
        None => false,
        Some(entry) => conditions.allow(entry.deadline_ms(), deadline),
    };
    if !allowed {
        ctx.reply.integer(0);
        return Ok(());
    }
    if deadline <= ctx.db.horizon_ms() {
        ctx.db.remove(key);
        ctx.db.changed(key, KeyspaceEvents::GENERIC, "del");
        logged::expired(ctx, args.at(1));
    } else {
        ctx.db.set_deadline(key, Some(deadline));
        ctx.db.changed(key, KeyspaceEvents::GENERIC, "expire");
        let at_ms = deadline.to_string();
        ctx.effects.instead_with(args, &[(0, b"PEXPIREAT"), (2, at_ms.as_bytes())]);
    }
    ctx.reply.integer(1);
    Ok(())
}
