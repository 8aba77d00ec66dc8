use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use keyspace::Digits;

use super::bit_offset;
use crate::string::string_for;

/// `SETBIT key offset value`
pub const SETBIT: Spec = Spec {
    name: "setbit",
    arity: 4,
    flags: Flags::WRITE.union(Flags::DENYOOM),
    group: Group::Bitmap,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))],
    since: "2.2.0",
    summary: "Sets or clears a bit of a string, and returns what it was.",
    complexity: "O(1)",
    syntax: "key offset:integer value:integer",
    run: setbit,
    ..Spec::BASE
};

/// `GETBIT key offset`
pub const GETBIT: Spec = Spec {
    name: "getbit",
    arity: 3,
    flags: Flags::READONLY.union(Flags::FAST),
    group: Group::Bitmap,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    since: "2.2.0",
    summary: "Returns a bit of a string; beyond its end all bits are 0.",
    complexity: "O(1)",
    syntax: "key offset:integer",
    run: getbit,
    ..Spec::BASE
};

const BAD_BIT: Error = Error::fixed("ERR bit is not an integer or out of range");

/// The byte that holds a bit, and the bit's weight in it.
fn place(offset: u64) -> (usize, u8) {
    ((offset >> 3) as usize, 0x80 >> (offset & 7))
}

fn setbit(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (at, weight) = place(bit_offset(args, 2, None, ctx.config.proto_max_bulk_len)?);
    let on = match args.at(3) {
        b"0" => false,
        b"1" => true,
        _ => return Err(BAD_BIT),
    };
    let key = args.key(1);
    let string = string_for(&mut ctx.db, ctx.may_leave, key, at + 1)?;
    let grows = string.len() <= at;
    if grows {
        string.resize(at + 1, 0);
    }
    let Some(byte) = string.get_mut(at) else { return Err(BAD_BIT) };
    let was_on = *byte & weight != 0;
    *byte = if on { *byte | weight } else { *byte & !weight };
    if grows || was_on != on {
        ctx.db.changed(key, KeyspaceEvents::STRING, "setbit");
    }
    ctx.reply.integer(was_on.into());
    Ok(())
}

fn getbit(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (at, weight) = place(bit_offset(args, 2, None, ctx.config.proto_max_bulk_len)?);
    let mut digits = Digits::new();
    let entry = ctx.db.get_string(args.key(1))?;
    let text = entry.and_then(|entry| entry.value().text(&mut digits)).unwrap_or_default();
    let is_on = text.get(at).is_some_and(|byte| byte & weight != 0);
    ctx.reply.integer(is_on.into());
    Ok(())
}
