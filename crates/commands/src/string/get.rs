use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use keyspace::Value;
use value::Object;

/// `GET key`
pub const GET: Spec = Spec {
    name: "get",
    arity: 2,
    flags: Flags::READONLY.union(Flags::FAST),
    group: Group::String,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    since: "1.0.0",
    summary: "Returns the string that a key holds.",
    complexity: "O(1)",
    syntax: "key",
    run: get,
    ..Spec::BASE
};

fn get(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    match ctx.db.get(args.key(1)).map(|entry| entry.value()) {
        None => ctx.reply.null(),
        Some(Value::Bytes(bytes)) => ctx.reply.bulk(bytes),
        Some(Value::Int(number)) => ctx.reply.bulk_int(number),
        Some(Value::Object(Object::String(bytes))) => ctx.reply.bulk(bytes),
        Some(Value::Object(_)) => return Err(Error::WRONG_TYPE),
    }
    Ok(())
}
