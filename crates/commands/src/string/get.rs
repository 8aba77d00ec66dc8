use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use keyspace::Value;
use resp::Writer;
use value::ObjectRef;

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

/// `GETDEL key`
pub const GETDEL: Spec = Spec {
    name: "getdel",
    arity: 2,
    flags: Flags::WRITE.union(Flags::FAST),
    group: Group::String,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE))],
    since: "6.2.0",
    summary: "Returns the string that a key holds, and deletes the key.",
    complexity: "O(1)",
    syntax: "key",
    run: getdel,
    ..Spec::BASE
};

/// The length from which on copying a string takes a helper, bytes: it takes about a millisecond.
pub const LONG: usize = 4 << 20;

/// Writes a string value, or the absent value; `may_leave` says whether a helper may do it if that takes long.
///
/// # Errors
/// When the value is of another type, or a helper is to write it.
pub fn reply_string(reply: &mut Writer<'_>, may_leave: bool, value: Option<Value<'_>>) -> Outcome {
    match value {
        None => reply.null(),
        Some(Value::Bytes(bytes)) => reply.bulk(bytes),
        Some(Value::Int(number)) => reply.bulk_int(number),
        Some(Value::Object(ObjectRef::String(bytes))) if may_leave && bytes.len() >= LONG => {
            return Err(Error::LEAVES);
        }
        Some(Value::Object(ObjectRef::String(bytes))) => reply.bulk(bytes),
        Some(Value::Object(_)) => return Err(Error::WRONG_TYPE),
    }
    Ok(())
}

fn get(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    reply_string(&mut ctx.reply, ctx.may_leave, ctx.db.get(args.key(1)).map(|entry| entry.value()))
}

fn getdel(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    get(ctx, args)?;
    let key = args.key(1);
    if ctx.db.remove(key) {
        ctx.db.changed(key, KeyspaceEvents::GENERIC, "del");
        ctx.effects.instead(&[b"DEL", args.at(1)]);
    }
    Ok(())
}
