//! What clients send and what comes back.

pub use resp::Value as Reply;

/// Reading parts of replies.
pub trait Parts {
    /// The text of a string reply, lossily.
    fn as_text(&self) -> Option<String>;
    /// The value beside `key` in a map, or in an array of alternating keys and values.
    fn field(&self, key: &str) -> Option<&Reply>;
}

impl Parts for Reply {
    fn as_text(&self) -> Option<String> {
        self.as_bytes().map(|b| String::from_utf8_lossy(b).into_owned())
    }

    fn field(&self, key: &str) -> Option<&Reply> {
        let is_key = |r: &Reply| r.as_bytes().is_some_and(|t| t == key.as_bytes());
        match self {
            Self::Map(pairs) => pairs.iter().find(|(k, _)| is_key(k)).map(|(_, v)| v),
            Self::Array(items) => {
                items.chunks_exact(2).find(|pair| is_key(&pair[0])).map(|pair| &pair[1])
            }
            _ => None,
        }
    }
}

/// A command as an array of bulk strings.
pub fn encode(args: &[Vec<u8>]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        out.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
    out
}
