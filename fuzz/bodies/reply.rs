//! Replies: a stream reads the same however it is cut.

use resp::{ReplyError, ReplyLimits, ReplyParser, Value};

/// The first bytes of `input` choose limits and cuts, the rest is the stream.
pub fn reply(input: &[u8]) {
    let [settings, step, jitter, stream @ ..] = input else { return };
    let limits = if settings & 1 == 0 {
        ReplyLimits { depth: 4, bulk_len: 32, elements: 8 }
    } else {
        ReplyLimits::default()
    };
    let whole = read(stream, &limits, |_| stream.len().max(1));
    let cut =
        read(stream, &limits, |turn| 1 + (usize::from(*step) + turn * usize::from(*jitter)) % 40);
    assert_eq!(whole, cut);
}

fn read(
    stream: &[u8],
    limits: &ReplyLimits,
    piece: impl Fn(usize) -> usize,
) -> (Vec<Value>, Option<ReplyError>, usize) {
    let mut parser = ReplyParser::new();
    let mut values = Vec::new();
    let (mut start, mut arrived, mut turn) = (0, 0, 0);
    while arrived < stream.len() {
        arrived = (arrived + piece(turn)).min(stream.len());
        turn += 1;
        while start < arrived {
            match parser.parse(&stream[start..arrived], limits) {
                Ok(Some((value, len))) => {
                    assert!(len > 0 && len <= arrived - start);
                    values.push(value);
                    start += len;
                }
                Ok(None) => break,
                Err(error) => return (values, Some(error), 0),
            }
        }
    }
    (values, None, stream.len() - start)
}
