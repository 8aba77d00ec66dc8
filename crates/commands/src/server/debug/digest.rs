//! `DEBUG DIGEST` and `DEBUG DIGEST-VALUE`: hashes of keys and values, made as Redis makes them, so that
//! equal data sets in both servers give equal digests.
//!
//! Members of a collection whose order means nothing are combined by exclusive or; where the order
//! means something, each step hashes the digest so far.

use command::{Args, Ctx, Cursor, Outcome, Stint};
use keyspace::{EntryRef, Value};
use sha1::{Digest as _, Sha1};
use value::stream::Id;
use value::{Kind, ObjectRef};

#[derive(Clone, Copy, Default)]
struct Digest([u8; 20]);

impl Digest {
    /// Adds something whose order means nothing.
    fn xor(&mut self, bytes: &[u8]) {
        let hash = Sha1::digest(bytes);
        self.0.iter_mut().zip(hash).for_each(|(byte, other)| *byte ^= other);
    }

    /// Adds something that follows all that was added before.
    fn mix(&mut self, bytes: &[u8]) {
        self.xor(bytes);
        self.0 = Sha1::digest(self.0).into();
    }

    /// Adds a key's value and whether it expires.
    fn mix_value(&mut self, entry: EntryRef<'_>) {
        self.mix(&kind_number(entry.kind()).to_be_bytes());
        match entry.value() {
            Value::Bytes(bytes) => self.mix(bytes),
            Value::Int(number) => self.mix(number.to_string().as_bytes()),
            Value::Object(object) => self.mix_object(object),
        }
        if entry.deadline_ms().is_some() {
            self.xor(b"!!expire!!");
        }
    }

    fn mix_object(&mut self, object: ObjectRef<'_>) {
        match object {
            ObjectRef::String(bytes) => self.mix(bytes),
            ObjectRef::List(list) => {
                list.iter().for_each(|item| item.with_bytes(|bytes| self.mix(bytes)));
            }
            ObjectRef::Set(set) => {
                set.iter().for_each(|item| item.with_bytes(|bytes| self.xor(bytes)));
            }
            ObjectRef::Hash(hash) => hash.iter().for_each(|field| {
                let mut pair = Self::default();
                field.name.with_bytes(|bytes| pair.mix(bytes));
                field.value.with_bytes(|bytes| pair.mix(bytes));
                self.xor(&pair.0);
            }),
            ObjectRef::SortedSet(zset) => zset.iter().for_each(|(member, score)| {
                let mut pair = Self::default();
                pair.mix(member);
                pair.mix(seventeen_digits(score).as_bytes());
                self.xor(&pair.0);
            }),
            ObjectRef::Stream(stream) => {
                for entry in stream.range(Id::MIN, Id::MAX, false) {
                    self.mix(format!("{}.{}", entry.id.ms, entry.id.seq).as_bytes());
                    for (field, value) in entry.fields() {
                        self.mix(field);
                        self.mix(value);
                    }
                }
            }
        }
    }

    fn text(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The number by which Redis knows a type.
fn kind_number(kind: Kind) -> u32 {
    match kind {
        Kind::Stream => 6,
        other => other as u32,
    }
}

/// `DEBUG DIGEST`
pub(super) fn all(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let mut total = Digest::default();
    for number in 0..ctx.services.keyspace.databases() {
        ctx.db.within(number, |db| {
            if db.is_empty() {
                return;
            }
            total.mix(&(number as u32).to_be_bytes());
            db.walk(Cursor::default(), Stint::ALL, |entry| {
                let mut pair = Digest::default();
                pair.mix(entry.key());
                pair.mix_value(entry);
                total.xor(&pair.0);
            });
        });
    }
    ctx.reply.simple(&total.text());
    Ok(())
}

/// `DEBUG DIGEST-VALUE [key ...]`: 40 zeros for a key that does not exist.
pub(super) fn values(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    ctx.reply.array(args.len() - 2);
    for word in 2..args.len() {
        let mut digest = Digest::default();
        if let Some(entry) = ctx.db.peek(args.key(word)) {
            digest.mix_value(entry);
        }
        ctx.reply.simple(&digest.text());
    }
    Ok(())
}

/// A double as C's `%.17g` prints it.
fn seventeen_digits(value: f64) -> String {
    const DIGITS: i32 = 17;
    if !value.is_finite() {
        return value.to_string().to_lowercase();
    }
    let scientific = format!("{value:.16e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let without_zeros = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if (-4..DIGITS).contains(&exponent) {
        let decimals = usize::try_from(DIGITS - 1 - exponent).unwrap_or_default();
        return without_zeros(&format!("{value:.decimals$}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", without_zeros(mantissa), exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_printed_as_c_prints_them() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (0.1, "0.10000000000000001"),
            (-2.5, "-2.5"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (1e300, "1.0000000000000001e+300"),
            (0.0001, "0.0001"),
            (0.00001, "1.0000000000000001e-05"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(seventeen_digits(value), text);
        }
    }
}
