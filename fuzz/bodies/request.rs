//! Requests: a stream reads the same however it is cut.

use resp::{Limits, Parsed, Parser, ProtocolError};

type Commands = (Vec<Vec<Vec<u8>>>, Option<ProtocolError>, usize);

/// The first bytes of `input` choose limits and cuts, the rest is the stream.
pub fn request(input: &[u8]) {
    let [settings, step, jitter, stream @ ..] = input else { return };
    let limits = Limits {
        bulk_len: if settings & 1 == 0 { 64 } else { 1 << 20 },
        multibulk_len: if settings & 2 == 0 { 16 } else { i32::MAX as usize },
        inline_len: if settings & 4 == 0 { 16 } else { 64 * 1024 },
        authenticated: settings & 8 == 0,
    };
    let whole = read(stream, &limits, |_| stream.len().max(1));
    let cut =
        read(stream, &limits, |turn| 1 + (usize::from(*step) + turn * usize::from(*jitter)) % 40);
    assert_eq!(whole, cut);
}

/// Reads `stream` as it arrives in pieces whose lengths `piece` gives.
fn read(stream: &[u8], limits: &Limits, piece: impl Fn(usize) -> usize) -> Commands {
    let mut parser = Parser::new();
    let (mut commands, mut args) = (Vec::new(), Vec::new());
    let (mut start, mut arrived, mut turn) = (0, 0, 0);
    while arrived < stream.len() {
        arrived = (arrived + piece(turn)).min(stream.len());
        turn += 1;
        while start < arrived {
            let buf = &stream[start..arrived];
            args.clear();
            let consumed = match parser.parse(buf, limits, &mut args) {
                Ok(Parsed::Command { consumed, .. }) => {
                    commands.push(args.iter().map(|span| span.of(buf).to_vec()).collect());
                    consumed
                }
                Ok(Parsed::Inline { consumed, args: words }) => {
                    assert!(args.is_empty());
                    commands.push(words);
                    consumed
                }
                Ok(Parsed::Incomplete { wanted }) => {
                    assert!(wanted > buf.len() && args.is_empty());
                    break;
                }
                Err(error) => return (commands, Some(error), 0),
            };
            assert!(consumed > 0 && consumed <= buf.len());
            start += consumed;
        }
    }
    (commands, None, stream.len() - start)
}
