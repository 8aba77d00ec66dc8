//! Replies that are a text to read and are printed as such, whatever the format.
//!
//! RESP3 marks such replies as verbatim strings; RESP2 does not, hence the names here. They are the
//! ones whose reply redis-cli prints so.

/// Whether the reply of this command is a text to read.
pub fn is_text(words: &[Vec<u8>]) -> bool {
    let lower: Vec<Vec<u8>> = words.iter().take(2).map(|word| word.to_ascii_lowercase()).collect();
    let first = lower.first().map_or(&b""[..], Vec::as_slice);
    let second = lower.get(1).map_or(&b""[..], Vec::as_slice);
    match (first, second) {
        (b"info" | b"lolwut", _)
        | (b"debug", b"htstats" | b"htstats-key" | b"client-eviction")
        | (b"memory", b"malloc-stats" | b"doctor")
        | (b"client", b"list" | b"info")
        | (b"proxy", b"info") => true,
        (b"cluster", b"nodes" | b"info") | (b"latency", b"doctor") => words.len() == 2,
        (b"latency", b"graph") => words.len() == 3,
        _ => false,
    }
}
