use command::{Args, Ctx, Deadline, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;

/// `SET key value`
pub const SET: Spec = Spec {
    name: "set",
    arity: -3,
    flags: Flags::WRITE.union(Flags::DENYOOM),
    group: Group::String,
    keys: &[KeySpec::one(1, KeyFlags::OW.union(KeyFlags::UPDATE))],
    since: "1.0.0",
    summary: "Stores a string under a key, whatever it held before.",
    complexity: "O(1)",
    syntax: "key value",
    run: set,
    ..Spec::BASE
};

fn set(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = args.key(1);
    ctx.db.put_string(key, args.at(2), Deadline::None);
    ctx.db.changed(key, KeyspaceEvents::STRING, "set");
    ctx.reply.ok();
    Ok(())
}
