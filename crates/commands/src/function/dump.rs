//! DUMP and RESTORE of libraries: records of a snapshot, its version and a checksum behind them.
use codec::crc64::crc64;
use command::scripts::Libraries;
use command::{Args, Ctx, Error, Flags, Outcome, Spec};

use super::{BASE, library};
use crate::help;

pub const DUMP: Spec = Spec {
    name: "dump",
    arity: 2,
    summary: "Gives all libraries in a form that FUNCTION RESTORE takes.",
    complexity: "O(N) where N is the number of functions.",
    run: dump,
    ..BASE
};

pub const RESTORE: Spec = Spec {
    name: "restore",
    arity: -3,
    flags: Flags::NOSCRIPT.union(Flags::WRITE).union(Flags::DENYOOM),
    summary: "Adds libraries that FUNCTION DUMP gave.",
    complexity: "O(N) where N is the number of functions.",
    syntax: "serialized-value [policy=(FLUSH | APPEND | REPLACE)]",
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    run: restore,
    ..BASE
};

/// The record of a library; what follows is its text.
const FUNCTION2: u8 = 245;
/// The same of a version that never was released.
const FUNCTION: u8 = 246;
/// The version of snapshots that Redis 7.0 writes, and the latest that is read.
const VERSION: u16 = 10;
const VERSION_MAX: u16 = 12;
/// Version and checksum.
const FOOTER: usize = 2 + 8;

fn dump(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let mut payload = Vec::new();
    for library in ctx.services.scripts.libraries().by_name.values() {
        payload.push(FUNCTION2);
        put_length(&mut payload, library.code.len());
        payload.extend_from_slice(&library.code);
    }
    payload.extend_from_slice(&VERSION.to_le_bytes());
    let sum = crc64(&payload);
    payload.extend_from_slice(&sum.to_le_bytes());
    ctx.reply.bulk(&payload);
    Ok(())
}

fn put_length(out: &mut Vec<u8>, len: usize) {
    match len {
        0..0x40 => out.push(len as u8),
        0x40..0x4000 => out.extend_from_slice(&(0x4000 | len as u16).to_be_bytes()),
        0x4000..=0xffff_ffff => {
            out.push(0x80);
            out.extend_from_slice(&(len as u32).to_be_bytes());
        }
        _ => {
            out.push(0x81);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
}

fn restore(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.len() > 4 {
        return Err(help::wrong_number(args));
    }
    let (flush, replace) = match args.len() {
        3 => (false, false),
        _ if args.is(3, "APPEND") => (false, false),
        _ if args.is(3, "REPLACE") => (false, true),
        _ if args.is(3, "FLUSH") => (true, false),
        _ => {
            return Err(Error::fixed(
                "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.",
            ));
        }
    };
    let records = checked(args.at(2))
        .ok_or(Error::fixed("ERR DUMP payload version or checksum are wrong"))?;
    let failed = |why: String| Error::new(format!("ERR {why}"));
    let mut restored = Libraries::default();
    let mut rest = records;
    while let Some((kind, behind)) = rest.split_first() {
        if *kind != FUNCTION2 && *kind != FUNCTION {
            return Err(Error::fixed("ERR given type is not a function"));
        }
        let (code, behind) = take_string(behind)
            .filter(|_| *kind == FUNCTION2)
            .ok_or(Error::fixed("ERR failed loading the given functions payload"))?;
        library::add(ctx.services, &mut restored, &code, false).map_err(failed)?;
        rest = behind;
    }
    let joined = if flush {
        restored
    } else {
        let mut all = Libraries::clone(&ctx.services.scripts.libraries());
        for library in restored.by_name.values() {
            let name = String::from_utf8_lossy(&library.name).into_owned();
            if all.by_name.contains_key(&library.name) {
                if !replace {
                    return Err(failed(format!("Library {name} already exists")));
                }
                all.remove(&library.name);
            }
        }
        for library in restored.by_name.into_values() {
            if let Some(taken) = all.taken(&library) {
                let name = String::from_utf8_lossy(&taken.name).into_owned();
                return Err(failed(format!("Function {name} already exists")));
            }
            all.add(library);
        }
        all
    };
    ctx.services.scripts.set_libraries(joined);
    ctx.db.add_changes(1);
    ctx.reply.ok();
    Ok(())
}

/// The records of a payload whose version and checksum are right.
fn checked(payload: &[u8]) -> Option<&[u8]> {
    let records = payload.get(..payload.len().checked_sub(FOOTER)?)?;
    let footer = payload.get(records.len()..)?;
    let version = u16::from_le_bytes(footer.get(..2)?.try_into().ok()?);
    let sum = u64::from_le_bytes(footer.get(2..)?.try_into().ok()?);
    // A checksum of zero says that none was made.
    let right = sum == 0 || sum == crc64(payload.get(..records.len() + 2)?);
    (version <= VERSION_MAX && right).then_some(records)
}

/// Takes a string as snapshots write them, compressed or not.
fn take_string(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    /// What no library reaches.
    const LEN_MAX: usize = 512 << 20;
    const LZF: u8 = 0xc3;
    if let Some((&LZF, rest)) = bytes.split_first() {
        let (packed, rest) = take_length(rest)?;
        let (len, rest) = take_length(rest)?;
        let text = codec::lzf::decompress(rest.get(..packed)?, len.min(LEN_MAX)).ok()?;
        return Some((text, rest.get(packed..)?));
    }
    let (len, rest) = take_length(bytes)?;
    Some((rest.get(..len)?.to_vec(), rest.get(len..)?))
}

fn take_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    match first >> 6 {
        0 => Some((usize::from(first & 0x3f), rest)),
        1 => {
            let (second, rest) = rest.split_first()?;
            Some((usize::from(first & 0x3f) << 8 | usize::from(*second), rest))
        }
        2 if *first == 0x80 => {
            let (len, rest) = rest.split_first_chunk()?;
            Some((u32::from_be_bytes(*len) as usize, rest))
        }
        2 if *first == 0x81 => {
            let (len, rest) = rest.split_first_chunk()?;
            Some((usize::try_from(u64::from_be_bytes(*len)).ok()?, rest))
        }
        _ => None,
    }
}
