use command::{Args, Ctx, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use value::Kind;

use super::get::reply_string;

/// `MGET key [key ...]`
pub const MGET: Spec = Spec {
    name: "mget",
    arity: -2,
    flags: Flags::READONLY.union(Flags::FAST),
    group: Group::String,
    keys: &[KeySpec::range(1, -1, 1, KeyFlags::READ)],
    since: "1.0.0",
    summary: "Returns the strings that several keys hold.",
    complexity: "O(N) for N keys.",
    syntax: "key...",
    tips: &["request_policy:multi_shard"],
    run: mget,
    ..Spec::BASE
};

fn mget(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    ctx.reply.array(args.len() - 1);
    for index in 1..args.len() {
        // A value of another type is as good as none.
        let string = ctx.db.get(args.key(index)).filter(|entry| entry.kind() == Kind::String);
        reply_string(&mut ctx.reply, ctx.may_leave, string.map(|entry| entry.value()))?;
    }
    Ok(())
}
