//! A cluster's way to say that another node has the slot.

/// A parsed `MOVED slot host:port` or `ASK slot host:port` error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    pub slot: u16,
    /// Empty when the node is the one that said so, on another port.
    pub host: String,
    pub port: u16,
    /// The other node expects ASKING first, for this one command only.
    pub asking: bool,
}

impl Redirect {
    /// `None` when the error is no redirection.
    pub fn parse(error: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(error).ok()?;
        let mut words = text.split(' ');
        let asking = match words.next()? {
            "MOVED" => false,
            "ASK" => true,
            _ => return None,
        };
        let slot = words.next()?.parse().ok()?;
        let (host, port) = words.next()?.rsplit_once(':')?;
        Some(Self { slot, host: host.into(), port: port.parse().ok()?, asking })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirections_are_told_from_other_errors() {
        let moved = Redirect::parse(b"MOVED 3999 127.0.0.1:6381").unwrap();
        assert_eq!((moved.slot, moved.port, moved.asking), (3999, 6381, false));
        let ask = Redirect::parse(b"ASK 1 ::1:7000").unwrap();
        assert_eq!((ask.host.as_str(), ask.port, ask.asking), ("::1", 7000, true));
        assert_eq!(Redirect::parse(b"MOVED 1"), None);
        assert_eq!(Redirect::parse(b"ERR MOVED 1 a:1"), None);
    }
}
