use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeyList, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use keyspace::Digits;
use smallvec::SmallVec;

use super::bit_offset;
use super::field_value::{Encoding, Overflow};
use crate::string::string_for;

/// `BITFIELD key [operation ...]`
pub const BITFIELD: Spec = Spec {
    name: "bitfield",
    arity: -2,
    flags: Flags::WRITE.union(Flags::DENYOOM),
    group: Group::Bitmap,
    keys: &[KeySpec::one(
        1,
        KeyFlags::RW
            .union(KeyFlags::UPDATE)
            .union(KeyFlags::ACCESS)
            .union(KeyFlags::VARIABLE_FLAGS),
    )],
    find_keys: Some(bitfield_keys),
    since: "3.2.0",
    summary: "Reads, sets and counts up integers of any width inside of a string.",
    complexity: "O(1) for each operation.",
    syntax: "key [operation=(GET encoding_offset=(encoding offset:integer) \
        | write=([OVERFLOW wrap_sat_fail=(WRAP | SAT | FAIL)] \
        write_operation=(SET encoding_offset_value=(encoding offset:integer value:integer) \
        | INCRBY encoding_offset_increment=(encoding offset:integer increment:integer))))]...",
    run: |ctx, args| bitfield(ctx, args, false),
    ..Spec::BASE
};

/// `BITFIELD_RO key [GET encoding offset ...]`
pub const BITFIELD_RO: Spec = Spec {
    name: "bitfield_ro",
    arity: -2,
    flags: Flags::READONLY.union(Flags::FAST),
    group: Group::Bitmap,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    since: "6.0.0",
    summary: "Reads integers of any width inside of a string.",
    complexity: "O(1) for each operation.",
    syntax: "key [GET encoding_offset=(encoding offset:integer)]...",
    run: |ctx, args| bitfield(ctx, args, true),
    ..Spec::BASE
};

/// One operation on a field.
#[derive(Clone, Copy)]
struct Operation {
    action: Action,
    encoding: Encoding,
    offset: u64,
    overflow: Overflow,
}

#[derive(Clone, Copy)]
enum Action {
    Get,
    Set(i64),
    Increment(i64),
}

type Operations = SmallVec<[Operation; 4]>;

impl Operation {
    fn writes(&self) -> bool {
        !matches!(self.action, Action::Get)
    }

    fn last_bit(&self) -> u64 {
        self.offset + u64::from(self.encoding.bits) - 1
    }
}

fn parse(args: Args<'_>, limit: u64) -> Result<Operations, Error> {
    let mut operations = Operations::new();
    let mut overflow = Overflow::Wrap;
    let mut index = 2;
    while index < args.len() {
        let rest = args.len() - index - 1;
        if args.is(index, "OVERFLOW") && rest >= 1 {
            overflow = Overflow::parse(args, index + 1)?;
            index += 2;
            continue;
        }
        let get = args.is(index, "GET") && rest >= 2;
        let set = args.is(index, "SET") && rest >= 3;
        let increment = args.is(index, "INCRBY") && rest >= 3;
        if !(get || set || increment) {
            return Err(Error::SYNTAX);
        }
        let encoding = Encoding::parse(args, index + 1)?;
        let offset = bit_offset(args, index + 2, Some(encoding.bits), limit)?;
        let action = if get {
            Action::Get
        } else if set {
            Action::Set(args.integer(index + 3)?)
        } else {
            Action::Increment(args.integer(index + 3)?)
        };
        operations.push(Operation { action, encoding, offset, overflow });
        index += if get { 3 } else { 4 };
    }
    Ok(operations)
}

fn bitfield(ctx: &mut Ctx<'_>, args: Args<'_>, read_only: bool) -> Outcome {
    let operations = parse(args, ctx.config.proto_max_bulk_len)?;
    let last_bit = operations.iter().filter(|one| one.writes()).map(Operation::last_bit).max();
    match last_bit {
        None => read(ctx, args, &operations),
        Some(_) if read_only => {
            Err(Error::fixed("ERR BITFIELD_RO only supports the GET subcommand"))
        }
        Some(last_bit) => write(ctx, args, &operations, last_bit),
    }
}

fn read(ctx: &mut Ctx<'_>, args: Args<'_>, operations: &[Operation]) -> Outcome {
    let mut digits = Digits::new();
    let entry = ctx.db.get_string(args.key(1))?;
    let text = entry.and_then(|entry| entry.value().text(&mut digits)).unwrap_or_default();
    ctx.reply.array(operations.len());
    for one in operations {
        ctx.reply.integer(one.encoding.read(text, one.offset));
    }
    Ok(())
}

fn write(ctx: &mut Ctx<'_>, args: Args<'_>, operations: &[Operation], last_bit: u64) -> Outcome {
    let key = args.key(1);
    let len = (last_bit >> 3) as usize + 1;
    let text = string_for(&mut ctx.db, ctx.may_leave, key, len)?;
    let grows = text.len() < len;
    if grows {
        text.resize(len, 0);
    }
    let mut changes = 0;
    ctx.reply.array(operations.len());
    for one in operations {
        let before = one.encoding.read(text, one.offset);
        let (wanted, returns_before) = match one.action {
            Action::Get => {
                ctx.reply.integer(before);
                continue;
            }
            Action::Set(value) => (one.encoding.given(value), true),
            Action::Increment(by) => (i128::from(before) + i128::from(by), false),
        };
        let Some(after) = one.encoding.fit(wanted, one.overflow) else {
            ctx.reply.null();
            continue;
        };
        one.encoding.write(text, one.offset, after);
        ctx.reply.integer(if returns_before { before } else { after });
        changes += usize::from(grows || before != after);
    }
    if changes > 0 {
        ctx.db.changed_by(changes, key, KeyspaceEvents::STRING, "setbit");
    }
    Ok(())
}

/// Only operations that write ask for more than reading.
fn bitfield_keys(args: Args<'_>, found: &mut KeyList) -> Result<(), Error> {
    let mut index = 2;
    let mut reads_only = true;
    while index < args.len() {
        let rest = args.len() - index - 1;
        index += if args.is(index, "GET") && rest >= 2 {
            3
        } else if (args.is(index, "SET") || args.is(index, "INCRBY")) && rest >= 3 {
            reads_only = false;
            4
        } else if args.is(index, "OVERFLOW") && rest >= 1 {
            2
        } else {
            reads_only = false;
            break;
        };
    }
    let flags = if reads_only {
        KeyFlags::READ
    } else {
        KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE
    };
    found.push((1, flags));
    Ok(())
}
