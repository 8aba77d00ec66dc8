use command::{Args, Ctx, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use value::stream::Stream;

use super::ids;

/// `XACK key group id [id ...]`
pub const XACK: Spec = Spec {
    name: "xack",
    arity: -4,
    flags: Flags::WRITE.union(Flags::FAST),
    group: Group::Stream,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::UPDATE))],
    since: "5.0.0",
    summary: "Acknowledges entries and returns how many had been pending.",
    complexity: "O(1) per ID",
    syntax: "key group id...",
    run: xack,
    ..Spec::BASE
};

fn xack(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut acknowledged = 0;
    let stream = ctx.db.write::<Stream>(args.key(1))?;
    if let Some(group) = stream.and_then(|stream| stream.group_mut(args.at(2))) {
        let ids = ids::list(args, 3, args.len())?;
        acknowledged = ids.into_iter().filter(|id| group.ack(*id)).count();
    }
    ctx.db.add_changes(acknowledged as u64);
    ctx.reply.integer(acknowledged as i64);
    Ok(())
}
