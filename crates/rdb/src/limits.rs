use value::hash::HashLimits;
use value::list::ListLimits;
use value::set::SetLimits;
use value::stream::StreamLimits;
use value::zset::ZsetLimits;

/// The options that decide the encodings of what is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Of lists.
    pub list: ListLimits,
    /// Of sets.
    pub set: SetLimits,
    /// Of hashes.
    pub hash: HashLimits,
    /// Of sorted sets.
    pub zset: ZsetLimits,
    /// Of streams.
    pub stream: StreamLimits,
}
