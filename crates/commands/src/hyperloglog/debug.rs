use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use value::hyperloglog;

use super::{CORRUPT, sparse_max, write};

/// `PFDEBUG subcommand key`
pub const PFDEBUG: Spec = Spec {
    name: "pfdebug",
    arity: 3,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::ADMIN),
    group: Group::HyperLogLog,
    keys: &[KeySpec::one(2, KeyFlags::RW.union(KeyFlags::ACCESS))],
    since: "2.8.9",
    summary: "Shows how a HyperLogLog is represented.",
    complexity: "N/A",
    syntax: "subcommand key",
    run: pfdebug,
    ..Spec::BASE
};

/// `PFSELFTEST`
pub const PFSELFTEST: Spec = Spec {
    name: "pfselftest",
    arity: 1,
    flags: Flags::ADMIN,
    group: Group::HyperLogLog,
    since: "2.8.9",
    summary: "Checks that estimates are as near to the truth as they should be.",
    complexity: "N/A",
    run: pfselftest,
    ..Spec::BASE
};

fn pfdebug(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let missing = Error::fixed("ERR The specified key does not exist");
    let text = write(ctx, args, 2)?.ok_or(missing)?;
    if args.is(1, "GETREG") {
        let changed = hyperloglog::to_dense(text).map_err(|_| CORRUPT)?;
        let registers = hyperloglog::registers(text).map_err(|_| CORRUPT)?;
        note_change(ctx, args, changed);
        ctx.reply.array(registers.len());
        registers.iter().for_each(|register| ctx.reply.integer(i64::from(*register)));
    } else if args.is(1, "DECODE") {
        let runs = hyperloglog::sparse_runs(text).map_err(|_| CORRUPT)?;
        let runs = runs.ok_or(Error::fixed("ERR HLL encoding is not sparse"))?;
        let words: Vec<String> = runs.into_iter().map(run_text).collect();
        ctx.reply.bulk(words.join(" ").as_bytes());
    } else if args.is(1, "ENCODING") {
        let name = if hyperloglog::is_dense(text) { "dense" } else { "sparse" };
        ctx.reply.simple(name);
    } else if args.is(1, "TODENSE") {
        let changed = hyperloglog::to_dense(text).map_err(|_| CORRUPT)?;
        note_change(ctx, args, changed);
        ctx.reply.integer(changed.into());
    } else {
        return Err(Error::new(format!("ERR Unknown PFDEBUG subcommand '{}'", args.text(1))));
    }
    Ok(())
}

fn note_change(ctx: &mut Ctx<'_>, args: Args<'_>, changed: bool) {
    if changed {
        ctx.db.modified(args.key(2));
    }
}

/// One run of equal registers: `z` and `Z` are zeros in the short and the long form.
fn run_text((value, len): (u8, usize)) -> String {
    match (value, len) {
        (0, 0..=64) => format!("z:{len}"),
        (0, _) => format!("Z:{len}"),
        _ => format!("v:{value},{len}"),
    }
}

/// Elements that the self test adds, a power of ten.
const TEST_ELEMENTS: u64 = 100_000;

fn pfselftest(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let seed = ctx.now_us.cast_unsigned();
    let (mut sparse, mut dense) = (hyperloglog::new(), hyperloglog::new());
    hyperloglog::to_dense(&mut dense).map_err(|_| CORRUPT)?;
    let sparse_max = sparse_max(ctx);
    let mut checkpoint = 1;
    for number in 1..=TEST_ELEMENTS {
        let element = (number ^ seed).to_le_bytes();
        hyperloglog::add(&mut sparse, &element, sparse_max).map_err(|_| CORRUPT)?;
        hyperloglog::add(&mut dense, &element, sparse_max).map_err(|_| CORRUPT)?;
        if number == checkpoint {
            check_estimate(&sparse, &dense, number)?;
            checkpoint *= 10;
        }
    }
    ctx.reply.ok();
    Ok(())
}

/// Whether both representations agree, and are within six standard errors.
fn check_estimate(sparse: &[u8], dense: &[u8], truth: u64) -> Result<(), Error> {
    /// Of 16384 registers: 1.04 / sqrt(16384).
    const STANDARD_ERROR: f64 = 1.04 / 128.0;
    let estimate = hyperloglog::count(dense).map_err(|_| CORRUPT)?;
    if hyperloglog::count(sparse).map_err(|_| CORRUPT)? != estimate {
        return Err(Error::fixed("ERR TESTFAILED dense/sparse disagree"));
    }
    let most = if truth == 10 { 1 } else { (STANDARD_ERROR * 6.0 * truth as f64).ceil() as u64 };
    let error = truth.abs_diff(estimate);
    if error > most {
        let line = format!("ERR TESTFAILED Too big error. card:{truth} abserr:{error}");
        return Err(Error::new(line));
    }
    Ok(())
}
