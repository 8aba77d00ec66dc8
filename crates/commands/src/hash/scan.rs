use command::{Args, Ctx, Error, Flags, Outcome, Spec};

use super::{HASH, access};
use crate::generic::scan::cursor;
use crate::reply;
use crate::scan::{self, ScanOptions};

/// `HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]`
pub const HSCAN: Spec = Spec {
    name: "hscan",
    arity: -3,
    flags: Flags::READONLY,
    since: "2.8.0",
    summary: "Lists the fields of a hash a few at a time.",
    complexity: "O(1) for each call, O(N) for a whole walk with N the number of fields.",
    syntax: "key cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [NOVALUES]",
    history: &[("7.4.0", "The `NOVALUES` option.")],
    tips: &["nondeterministic_output"],
    run: hscan,
    ..HASH
};

fn hscan(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let cursor = cursor(args.at(2))?;
    let reply = &mut ctx.reply;
    access::read(&mut ctx.db, args.key(1), |hash| {
        let Some(hash) = hash else {
            scan::nothing(reply);
            return Ok::<(), Error>(());
        };
        let options = ScanOptions::parse(args, Some("NOVALUES"))?;
        scan::write(reply, |reply| {
            let mut found = 0;
            let next = hash.scan(cursor, options.count, |field| {
                if options.admits(field.name) {
                    reply::item(reply, field.name);
                    found += 1;
                    if !options.no_values {
                        reply::item(reply, field.value);
                        found += 1;
                    }
                }
            });
            (next, found)
        });
        Ok(())
    })?
}
