//! Ends of ranges, limits, and the outcome of an insertion.

/// One end of a range of scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreBound {
    /// The score, infinities included; never NaN.
    pub value: f64,
    /// Whether members of exactly this score stay outside.
    pub exclusive: bool,
}

impl ScoreBound {
    /// An end that belongs to the range.
    pub const fn incl(value: f64) -> Self {
        Self { value, exclusive: false }
    }

    /// An end that does not belong to the range.
    pub const fn excl(value: f64) -> Self {
        Self { value, exclusive: true }
    }
}

/// One end of a range of members, in the order of their bytes. Ranges by member are meaningful only
/// in sets whose members all have one score; in others the answer is some range, as in Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LexBound<'a> {
    /// Before every member.
    NegInf,
    /// After every member.
    PosInf,
    /// These bytes, within the range.
    Incl(&'a [u8]),
    /// These bytes, outside the range.
    Excl(&'a [u8]),
}

/// Up to where a sorted set stays in the compact encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZsetLimits {
    /// Most members (`zset-max-listpack-entries`).
    pub entries: usize,
    /// Longest member in bytes (`zset-max-listpack-value`).
    pub value: usize,
}

impl Default for ZsetLimits {
    fn default() -> Self {
        Self { entries: 128, value: 64 }
    }
}

/// What an insertion did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// The member is new.
    Added,
    /// The member was there with another score.
    Updated,
    /// The member was there with an equal score.
    Unchanged,
}
