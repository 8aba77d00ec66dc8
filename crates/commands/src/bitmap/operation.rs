use command::{Args, Ctx, Deadline, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use keyspace::{Digits, Payload};
use value::Object;

/// `BITOP operation destkey key [key ...]`
pub const BITOP: Spec = Spec {
    name: "bitop",
    arity: -4,
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::LINEAR),
    group: Group::Bitmap,
    keys: &[
        KeySpec::one(2, KeyFlags::OW.union(KeyFlags::UPDATE)),
        KeySpec::range(3, -1, 1, KeyFlags::READ),
    ],
    since: "2.6.0",
    summary: "Combines strings bit by bit and stores the result.",
    complexity: "O(N)",
    syntax: "operation=(AND | OR | XOR | NOT | DIFF | DIFF1 | ANDOR | ONE) destkey:key key...",
    history: &[("8.2.0", "Operations `DIFF`, `DIFF1`, `ANDOR` and `ONE`.")],
    run: bitop,
    ..Spec::BASE
};

/// How the bits of the sources make those of the result. X is the first source, the Ys the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    And,
    Or,
    Xor,
    Not,
    /// In X and in none of the Ys.
    Diff,
    /// In one of the Ys and not in X.
    Diff1,
    /// In X and in one of the Ys.
    AndOr,
    /// In exactly one of all.
    One,
}

impl Operation {
    const NAMES: [(&'static str, Self); 8] = [
        ("AND", Self::And),
        ("OR", Self::Or),
        ("XOR", Self::Xor),
        ("NOT", Self::Not),
        ("DIFF", Self::Diff),
        ("DIFF1", Self::Diff1),
        ("ANDOR", Self::AndOr),
        ("ONE", Self::One),
    ];

    fn parse(args: Args<'_>) -> Result<Self, Error> {
        let (name, operation) =
            Self::NAMES.into_iter().find(|(name, _)| args.is(1, name)).ok_or(Error::SYNTAX)?;
        let sources = args.len() - 3;
        match operation {
            Self::Not if sources != 1 => {
                Err(Error::fixed("ERR BITOP NOT must be called with a single source key."))
            }
            Self::Diff | Self::Diff1 | Self::AndOr if sources < 2 => Err(Error::new(format!(
                "ERR BITOP {name} must be called with at least two source keys."
            ))),
            _ => Ok(operation),
        }
    }
}

fn bitop(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let operation = Operation::parse(args)?;
    let mut len = 0;
    for index in 3..args.len() {
        let mut digits = Digits::new();
        if let Some(entry) = ctx.db.get_string(args.key(index))? {
            len = len.max(entry.value().text(&mut digits).unwrap_or_default().len());
        }
    }
    let result = combine(ctx, args, operation, len);
    let target = args.key(2);
    if len > 0 {
        let payload = Payload::Object(Object::String(result));
        ctx.db.put(target, payload, Deadline::None);
        ctx.db.changed(target, KeyspaceEvents::STRING, "set");
    } else if ctx.db.remove(target) {
        ctx.db.changed(target, KeyspaceEvents::GENERIC, "del");
    }
    ctx.reply.integer(len as i64);
    Ok(())
}

/// Combines the sources, of which the longest has `len` bytes; shorter ones end in zeros.
fn combine(ctx: &mut Ctx<'_>, args: Args<'_>, operation: Operation, len: usize) -> Vec<u8> {
    let mut result = vec![0; len];
    let mut each = |words: std::ops::Range<usize>, fold: &mut dyn FnMut(&[u8])| {
        for index in words {
            let mut digits = Digits::new();
            let entry = ctx.db.peek(args.key(index));
            fold(entry.and_then(|entry| entry.value().text(&mut digits)).unwrap_or_default());
        }
    };
    let (x, ys, all) = (3..4, 4..args.len(), 3..args.len());
    match operation {
        Operation::And => {
            each(x, &mut |text| fold(&mut result, text, |_, byte| byte));
            each(ys, &mut |text| {
                fold(&mut result, text, |before, byte| before & byte);
                result.iter_mut().skip(text.len()).for_each(|byte| *byte = 0);
            });
        }
        Operation::Or => {
            each(all, &mut |text| fold(&mut result, text, |before, byte| before | byte))
        }
        Operation::Xor => {
            each(all, &mut |text| fold(&mut result, text, |before, byte| before ^ byte));
        }
        Operation::Not => each(x, &mut |text| fold(&mut result, text, |_, byte| !byte)),
        Operation::Diff => {
            each(x, &mut |text| fold(&mut result, text, |_, byte| byte));
            each(ys, &mut |text| fold(&mut result, text, |before, byte| before & !byte));
        }
        Operation::Diff1 => {
            each(ys, &mut |text| fold(&mut result, text, |before, byte| before | byte));
            each(x, &mut |text| fold(&mut result, text, |before, byte| before & !byte));
        }
        Operation::AndOr => {
            each(ys, &mut |text| fold(&mut result, text, |before, byte| before | byte));
            each(x, &mut |text| {
                fold(&mut result, text, |before, byte| before & byte);
                result.iter_mut().skip(text.len()).for_each(|byte| *byte = 0);
            });
        }
        Operation::One => {
            let mut several = vec![0; len];
            each(all, &mut |text| {
                for ((one, several), byte) in result.iter_mut().zip(&mut several).zip(text) {
                    *several |= *one & byte;
                    *one |= byte;
                }
            });
            fold(&mut result, &several, |one, several| one & !several);
        }
    }
    result
}

/// Joins `text` to the beginning of `result`, byte by byte.
fn fold(result: &mut [u8], text: &[u8], join: impl Fn(u8, u8) -> u8) {
    for (byte, other) in result.iter_mut().zip(text) {
        *byte = join(*byte, *other);
    }
}
