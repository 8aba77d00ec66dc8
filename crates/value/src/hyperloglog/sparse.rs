//! The sparse encoding: runs of equal registers.
//!
//! `00nnnnnn`: n+1 zeroes. `01nnnnnn nnnnnnnn`: n+1 zeroes. `1vvvvvnn`: n+1 registers of value v+1.

use super::{Corrupt, REGISTERS};

/// The highest value that a run can have.
pub(super) const VALUE_MAX: u8 = 32;
const ZERO_MAX: usize = 64;
const VALUE_RUN_MAX: usize = 4;
/// After a change this many runs, from the one before it on, are looked at for joining.
const JOINED: usize = 5;

#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) value: u8,
    pub(super) len: usize,
    /// Bytes of this run's code.
    size: usize,
}

/// The runs, up to a code that is cut off, which is an error.
pub(super) fn runs(codes: &[u8]) -> impl Iterator<Item = Result<Run, Corrupt>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let run = read(codes.get(at..).filter(|rest| !rest.is_empty())?);
        at = run.as_ref().map_or(codes.len(), |run| at + run.size);
        Some(run)
    })
}

fn read(codes: &[u8]) -> Result<Run, Corrupt> {
    match *codes {
        [code, ..] if code & 0x80 != 0 => {
            Ok(Run { value: (code >> 2 & 31) + 1, len: (code & 3) as usize + 1, size: 1 })
        }
        [code, ..] if code & 0x40 == 0 => Ok(Run { value: 0, len: code as usize + 1, size: 1 }),
        [code, low, ..] => {
            let len = (code as usize & 0x3f) << 8 | low as usize;
            Ok(Run { value: 0, len: len + 1, size: 2 })
        }
        _ => Err(Corrupt),
    }
}

/// Appends the code of a run; no run of no registers.
fn write(out: &mut Vec<u8>, value: u8, len: usize) {
    match len {
        0 => {}
        _ if value > 0 => out.push(0x80 | (value - 1) << 2 | (len - 1) as u8),
        1..=ZERO_MAX => out.push((len - 1) as u8),
        _ => out.extend([0x40 | ((len - 1) >> 8) as u8, (len - 1) as u8]),
    }
}

/// What raising a register came to.
pub(super) enum Raised {
    Unchanged,
    Changed,
    /// The codes would grow beyond `max` bytes, or cannot express the value: nothing was done.
    NoRoom,
}

/// Raises the register at an index to a value. The codes start at `start` of `bytes`, which may grow to `max` bytes.
pub(super) fn raise(
    bytes: &mut Vec<u8>,
    start: usize,
    index: usize,
    value: u8,
    max: usize,
) -> Result<Raised, Corrupt> {
    if value > VALUE_MAX {
        return Ok(Raised::NoRoom);
    }
    let (mut at, mut first, mut before) = (start, 0, start);
    let run = loop {
        let run = read(bytes.get(at..).ok_or(Corrupt)?)?;
        if index < first + run.len {
            break run;
        }
        before = at;
        at += run.size;
        first += run.len;
    };
    if run.value >= value {
        return Ok(Raised::Unchanged);
    }
    let mut codes = Vec::with_capacity(5);
    write(&mut codes, run.value, index - first);
    write(&mut codes, value, 1);
    write(&mut codes, run.value, first + run.len - 1 - index);
    if codes.len() > run.size && bytes.len() + codes.len() - run.size > max {
        return Ok(Raised::NoRoom);
    }
    bytes.splice(at..at + run.size, codes);
    join(bytes, before);
    Ok(Raised::Changed)
}

/// Joins neighbouring runs of one value, where a code can express the sum.
fn join(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..JOINED {
        let Some(Ok(run)) = bytes.get(at..).filter(|rest| !rest.is_empty()).map(read) else {
            return;
        };
        if run.value > 0
            && let Some(Ok(next)) = bytes.get(at + 1..).filter(|rest| !rest.is_empty()).map(read)
            && next.value == run.value
            && run.len + next.len <= VALUE_RUN_MAX
        {
            bytes[at + 1] = 0x80 | (run.value - 1) << 2 | (run.len + next.len - 1) as u8;
            bytes.remove(at);
        } else {
            at += run.size;
        }
    }
}

/// Calls `f` with every register that is not zero; the runs must cover the registers exactly.
pub(super) fn for_each(codes: &[u8], mut f: impl FnMut(usize, u8)) -> Result<(), Corrupt> {
    let mut first = 0;
    for run in runs(codes) {
        let run = run?;
        let end = first + run.len;
        if end > REGISTERS {
            return Err(Corrupt);
        }
        if run.value > 0 {
            (first..end).for_each(|index| f(index, run.value));
        }
        first = end;
    }
    if first == REGISTERS { Ok(()) } else { Err(Corrupt) }
}
