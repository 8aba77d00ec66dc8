use command::{Args, Ctx, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use resp::Writer;
use value::Item;
use value::zset::Zset;

use crate::generic::scan::cursor;
use crate::scan::{self, ScanOptions};

/// `ZSCAN key cursor [MATCH pattern] [COUNT count] [NOSCORES]`
pub const ZSCAN: Spec = Spec {
    name: "zscan",
    arity: -3,
    flags: Flags::READONLY,
    group: Group::SortedSet,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    since: "2.8.0",
    summary: "Walks the members and scores of a sorted set, some at each call.",
    complexity: "O(1) per call, O(N) for a whole walk over N members",
    syntax: "key cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [NOSCORES]",
    history: &[("8.1.0", "The `NOSCORES` option, as in Valkey.")],
    tips: &["nondeterministic_output"],
    run: zscan,
    ..Spec::BASE
};

/// Steps for each member that is asked for: a step shows about seven members at most, and may show
/// none.
const STEPS_PER_COUNT: usize = 10;

fn zscan(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let cursor = cursor(args.at(2))?;
    let Some(zset) = ctx.db.read::<Zset>(args.key(1))? else {
        scan::nothing(&mut ctx.reply);
        return Ok(());
    };
    let options = ScanOptions::parse(args, Some("NOSCORES"))?;
    scan::write(&mut ctx.reply, |out| walk(zset, cursor, &options, out));
    Ok(())
}

/// Writes members and scores, and gives the next cursor and the number of elements written.
fn walk(
    zset: &Zset,
    mut cursor: u64,
    options: &ScanOptions<'_>,
    out: &mut Writer<'_>,
) -> (u64, usize) {
    let (mut seen, mut shown) = (0, 0);
    let mut text = Vec::new();
    let mut steps = options.count.saturating_mul(STEPS_PER_COUNT);
    loop {
        cursor = zset.scan(cursor, |member, score| {
            seen += 1;
            if options.admits(Item::parse(member)) {
                shown += 1;
                out.bulk(member);
                if options.no_values {
                    return;
                }
                shown += 1;
                text.clear();
                codec::number::format_f64(score, &mut text);
                out.bulk(&text);
            }
        });
        steps -= 1;
        if cursor == 0 || steps == 0 || seen >= options.count {
            return (cursor, shown);
        }
    }
}
