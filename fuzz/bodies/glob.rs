//! Globs: no pattern panics, and what must hold for every one of them does.

use codec::glob::matches;

/// `input` is the pattern's length, the pattern, and the text.
pub fn glob(input: &[u8]) {
    let [settings, pattern_len, rest @ ..] = input else { return };
    let (pattern, text) = rest.split_at(usize::from(*pattern_len).min(rest.len()));
    let nocase = settings & 1 == 1;
    let found = matches(pattern, text, nocase);
    if !text.is_empty() {
        // A star in front of what matches may stand for nothing.
        assert!(!found || matches(&[b"*", pattern].concat(), text, nocase));
        assert!(matches(b"*", text, nocase));
    }
    if !pattern.iter().any(|byte| b"*?[\\".contains(byte)) {
        let same = if nocase { pattern.eq_ignore_ascii_case(text) } else { pattern == text };
        assert_eq!(found, same);
    }
    // Every byte escaped, a text matches itself.
    let literal: Vec<u8> = text.iter().flat_map(|&byte| [b'\\', byte]).collect();
    assert!(matches(&literal, text, nocase));
}
