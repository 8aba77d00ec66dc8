//! HyperLogLog: how many different elements were added, within 0.81 %, in at most 12304 bytes.
//!
//! The state is a string of bytes that clients may read and write, in Redis's format: a header of 16 bytes (`HYLL`, the
//! encoding, three unused bytes, the cached cardinality in little-endian order with its highest bit set
//! while it is stale), then 16384 registers, [`dense`] or [`sparse`]. So nothing in it can be trusted.

mod dense;
mod estimate;
mod murmur;
mod sparse;
#[cfg(test)]
mod tests;

/// Number of registers.
pub const REGISTERS: usize = 1 << INDEX_BITS;
/// Length of the dense encoding in bytes.
pub const DENSE_LEN: usize = HEADER + REGISTERS * 6 / 8;

const INDEX_BITS: u32 = 14;
const HEADER: usize = 16;
const MAGIC: &[u8; 4] = b"HYLL";
const ENCODING: usize = 4;
const CACHE: std::ops::Range<usize> = 8..16;
const STALE: u8 = 0x80;
const DENSE: u8 = 0;
const SPARSE: u8 = 1;
const SEED: u64 = 0xadc8_3b19;

/// The bytes are no HyperLogLog, or one whose registers are damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("corrupted HyperLogLog")]
pub struct Corrupt;

/// One without elements: sparse, its cached cardinality 0.
pub fn new() -> Vec<u8> {
    let mut buf = vec![0; HEADER];
    buf[..4].copy_from_slice(MAGIC);
    buf[ENCODING] = SPARSE;
    buf.extend([0x7f, 0xff]);
    buf
}

/// Whether the header is that of a HyperLogLog and the length fits it. The registers may still prove
/// to be corrupt when they are read.
pub fn is_valid(buf: &[u8]) -> bool {
    buf.len() >= HEADER
        && buf.starts_with(MAGIC)
        && match buf[ENCODING] {
            DENSE => buf.len() == DENSE_LEN,
            SPARSE => true,
            _ => false,
        }
}

/// Whether header and registers are sound.
pub fn validate(buf: &[u8]) -> Result<(), Corrupt> {
    for_each(buf, |_, _| ())
}

/// Whether the encoding is dense. False for what is no HyperLogLog.
pub fn is_dense(buf: &[u8]) -> bool {
    is_valid(buf) && buf[ENCODING] == DENSE
}

/// Adds an element; whether that changed a register (the cached cardinality is then stale).
/// The sparse encoding is kept up to `sparse_max` bytes (`hll-sparse-max-bytes`).
pub fn add(buf: &mut Vec<u8>, element: &[u8], sparse_max: usize) -> Result<bool, Corrupt> {
    let (index, value) = place(element);
    let changed = raise(buf, index, value, sparse_max)?;
    if changed {
        invalidate(buf);
    }
    Ok(changed)
}

/// Marks the cached cardinality stale, as PFADD does for a key that it creates.
pub fn invalidate(buf: &mut [u8]) {
    if let Some(last) = buf.get_mut(CACHE.end - 1) {
        *last |= STALE;
    }
}

/// The cached cardinality, unless it is stale.
pub fn cached(buf: &[u8]) -> Option<u64> {
    let bytes = buf.get(CACHE)?.try_into().ok()?;
    Some(u64::from_le_bytes(bytes)).filter(|count| count >> 63 == 0)
}

/// The cardinality from the registers, whatever is cached.
pub fn count(buf: &[u8]) -> Result<u64, Corrupt> {
    let mut histogram = [0; 64];
    let mut zeroes = REGISTERS as u32;
    for_each(buf, |_, value| {
        histogram[value as usize & 63] += 1;
        zeroes -= 1;
    })?;
    histogram[0] = zeroes;
    Ok(estimate::cardinality(&histogram))
}

/// The cardinality, cached or else computed and then cached; and whether the bytes changed for that.
pub fn count_cached(buf: &mut [u8]) -> Result<(u64, bool), Corrupt> {
    if !is_valid(buf) {
        return Err(Corrupt);
    }
    if let Some(count) = cached(buf) {
        return Ok((count, false));
    }
    let count = count(buf)?;
    buf[CACHE].copy_from_slice(&count.to_le_bytes());
    Ok((count, true))
}

/// The union of several HyperLogLogs, register by register.
#[derive(Clone)]
pub struct Union {
    registers: Box<[u8; REGISTERS]>,
    dense: bool,
}

impl Default for Union {
    fn default() -> Self {
        Self { registers: Box::new([0; REGISTERS]), dense: false }
    }
}

impl Union {
    /// Of none so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one in.
    pub fn add(&mut self, buf: &[u8]) -> Result<(), Corrupt> {
        for_each(buf, |index, value| {
            let mine = &mut self.registers[index];
            *mine = value.max(*mine);
        })?;
        self.dense |= is_dense(buf);
        Ok(())
    }

    /// The cardinality.
    pub fn count(&self) -> u64 {
        let mut histogram = [0; 64];
        self.registers.iter().for_each(|&value| histogram[value as usize & 63] += 1);
        estimate::cardinality(&histogram)
    }

    /// Raises a target's registers to those of the union. The target becomes dense if one of the
    /// sources was, or if sparse it would pass `sparse_max` bytes; its cached cardinality is stale.
    pub fn store(&self, target: &mut Vec<u8>, sparse_max: usize) -> Result<(), Corrupt> {
        validate(target)?;
        if self.dense {
            to_dense(target)?;
        }
        for (index, &value) in self.registers.iter().enumerate().filter(|&(_, &value)| value > 0) {
            raise(target, index, value, sparse_max)?;
        }
        invalidate(target);
        Ok(())
    }
}

/// Merges sources into a target, which may be among them.
pub fn merge<'a>(
    target: &mut Vec<u8>,
    sources: impl IntoIterator<Item = &'a [u8]>,
    sparse_max: usize,
) -> Result<(), Corrupt> {
    let mut union = Union::new();
    union.add(target)?;
    sources.into_iter().try_for_each(|source| union.add(source))?;
    union.store(target, sparse_max)
}

/// The registers (PFDEBUG GETREG).
pub fn registers(buf: &[u8]) -> Result<Box<[u8; REGISTERS]>, Corrupt> {
    let mut union = Union::new();
    union.add(buf)?;
    Ok(union.registers)
}

/// Changes to the dense encoding; whether it was sparse.
pub fn to_dense(buf: &mut Vec<u8>) -> Result<bool, Corrupt> {
    if is_dense(buf) {
        return Ok(false);
    }
    let mut dense = vec![0; DENSE_LEN];
    for_each(buf, |index, value| {
        dense::raise(&mut dense[HEADER..], index, value);
    })?;
    dense[..HEADER].copy_from_slice(&buf[..HEADER]);
    dense[ENCODING] = DENSE;
    *buf = dense;
    Ok(true)
}

/// The runs of the sparse encoding as (value, length), zeroes included (PFDEBUG DECODE), whether they
/// are as many registers as there should be or not. `None` for the dense one.
pub fn sparse_runs(buf: &[u8]) -> Result<Option<Vec<(u8, usize)>>, Corrupt> {
    if is_dense(buf) {
        return Ok(None);
    }
    if !is_valid(buf) {
        return Err(Corrupt);
    }
    let runs = sparse::runs(&buf[HEADER..]);
    runs.map(|run| run.map(|run| (run.value, run.len))).collect::<Result<_, _>>().map(Some)
}

/// The register of an element and the value that it raises it to.
fn place(element: &[u8]) -> (usize, u8) {
    let hash = murmur::hash64a(element, SEED);
    let rest = hash >> INDEX_BITS | 1 << (u64::BITS - INDEX_BITS);
    ((hash & (REGISTERS as u64 - 1)) as usize, rest.trailing_zeros() as u8 + 1)
}

fn raise(buf: &mut Vec<u8>, index: usize, value: u8, sparse_max: usize) -> Result<bool, Corrupt> {
    if !is_valid(buf) {
        return Err(Corrupt);
    }
    if buf[ENCODING] == SPARSE {
        match sparse::raise(buf, HEADER, index, value, sparse_max)? {
            sparse::Raised::Unchanged => return Ok(false),
            sparse::Raised::Changed => return Ok(true),
            sparse::Raised::NoRoom => to_dense(buf)?,
        };
    }
    Ok(dense::raise(&mut buf[HEADER..], index, value))
}

/// Calls `f` with every register that is not zero.
fn for_each(buf: &[u8], mut f: impl FnMut(usize, u8)) -> Result<(), Corrupt> {
    if !is_valid(buf) {
        return Err(Corrupt);
    }
    if buf[ENCODING] == SPARSE {
        return sparse::for_each(&buf[HEADER..], f);
    }
    for index in 0..REGISTERS {
        match dense::get(&buf[HEADER..], index) {
            0 => {}
            value => f(index, value),
        }
    }
    Ok(())
}
