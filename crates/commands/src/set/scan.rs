use command::{Args, Ctx, Flags, Outcome, Spec};
use value::set::Set;

use super::SET;
use crate::generic::scan::cursor;
use crate::reply;
use crate::scan::{self, ScanOptions};

/// `SSCAN key cursor [MATCH pattern] [COUNT count]`
pub const SSCAN: Spec = Spec {
    name: "sscan",
    arity: -3,
    flags: Flags::READONLY,
    since: "2.8.0",
    summary: "Lists the members of a set a few at a time.",
    complexity: "O(1) for each call, O(N) for a whole walk with N the number of members.",
    syntax: "key cursor:integer [MATCH pattern:pattern] [COUNT count:integer]",
    tips: &["nondeterministic_output"],
    run: sscan,
    ..SET
};

fn sscan(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let cursor = cursor(args.at(2))?;
    let Some(set) = ctx.db.read::<Set>(args.key(1))? else {
        scan::nothing(&mut ctx.reply);
        return Ok(());
    };
    let options = ScanOptions::parse(args, None)?;
    scan::write(&mut ctx.reply, |reply| {
        let mut found = 0;
        let next = set.scan(cursor, options.count, |member| {
            if options.admits(member) {
                reply::item(reply, member);
                found += 1;
            }
        });
        (next, found)
    });
    Ok(())
}
