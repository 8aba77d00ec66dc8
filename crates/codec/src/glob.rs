//! Glob patterns, as KEYS, SCAN, PSUBSCRIBE, ACL rules and CONFIG GET take them.
//!
//! `*` any run of bytes, `?` any byte, `[a-c^]` one of a class, `[^...]` none of it, `\x` the byte
//! x. The oddities of Redis's matcher are kept: a class that is not closed ends with the pattern, a
//! range may be written backwards, its ends and the subject are compared as signed bytes, an escape
//! inside a class compares case-sensitively even when the rest does not, and an empty text matches
//! only an empty pattern (not `*`).
//!
//! Redis goes back to every star of a pattern. Going back to the last one is enough: if the part
//! between two stars matches anywhere, its first match leaves the most for what follows. So the
//! time is at most the product of the two lengths, whatever the pattern.

/// Whether `pattern` matches the whole of `text`. `nocase` folds ASCII letters.
pub fn matches(pattern: &[u8], text: &[u8], nocase: bool) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    let (mut pattern, mut text) = (pattern, text);
    // What to try next when the rest does not match: the pattern behind the last star, and the text
    // that this star has not swallowed.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', after @ ..] = pattern {
            if after.is_empty() {
                return true;
            }
            pattern = after;
            retry = Some((pattern, text));
            continue;
        }
        let Some((&byte, text_after)) = text.split_first() else {
            return pattern.is_empty();
        };
        if let Some(after) = one(pattern, byte, nocase) {
            (pattern, text) = (after, text_after);
            continue;
        }
        let Some((behind_star, [_, kept @ ..])) = retry else { return false };
        if kept.is_empty() {
            return false;
        }
        retry = Some((behind_star, kept));
        (pattern, text) = (behind_star, kept);
    }
}

/// Whether `pattern` is plain text: it matches that text alone, and a lookup can take its place.
pub fn is_literal(pattern: &[u8]) -> bool {
    !pattern.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'\\'))
}

/// The pattern behind its first element if that, which is no star, matches `byte`.
fn one(pattern: &[u8], byte: u8, nocase: bool) -> Option<&[u8]> {
    match pattern {
        [] => None,
        [b'?', after @ ..] => Some(after),
        [b'[', b'^', class @ ..] => {
            let (found, after) = in_class(class, byte, nocase);
            (!found).then_some(after)
        }
        [b'[', class @ ..] => {
            let (found, after) = in_class(class, byte, nocase);
            found.then_some(after)
        }
        [b'\\', literal, after @ ..] | [literal, after @ ..] => {
            same(*literal, byte, nocase).then_some(after)
        }
    }
}

/// Whether `byte` is in the class that starts behind its bracket, and the pattern behind the class.
fn in_class(mut class: &[u8], byte: u8, nocase: bool) -> (bool, &[u8]) {
    let mut found = false;
    loop {
        match class {
            [] => return (found, class),
            [b'\\', literal, after @ ..] => {
                found |= *literal == byte;
                class = after;
            }
            [b']', after @ ..] => return (found, after),
            [first, b'-', last, after @ ..] => {
                found |= in_range(*first, *last, byte, nocase);
                class = after;
            }
            [literal, after @ ..] => {
                found |= same(*literal, byte, nocase);
                class = after;
            }
        }
    }
}

fn in_range(first: u8, last: u8, byte: u8, nocase: bool) -> bool {
    let signed = |byte: u8| {
        let folded = if nocase { byte.to_ascii_lowercase() } else { byte };
        folded.cast_signed()
    };
    // The ends are put in order before their case is folded.
    let (low, high) =
        if first.cast_signed() > last.cast_signed() { (last, first) } else { (first, last) };
    (signed(low)..=signed(high)).contains(&signed(byte))
}

fn same(literal: u8, byte: u8, nocase: bool) -> bool {
    literal == byte || (nocase && literal.eq_ignore_ascii_case(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_match_as_in_redis() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", false),
            ("*", "a", true),
            ("**", "a", true),
            ("a*", "a", true),
            ("a**", "a", true),
            ("a*?", "a", false),
            ("a*?", "ab", true),
            ("*a", "bab", false),
            ("*a", "baba", true),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h[ae]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[^e]llo", "hbllo", true),
            ("[a-c]", "b", true),
            ("[c-a]", "b", true),
            ("[a-]", "-", false),
            ("[a-", "-", true),
            ("[a-]", "^", true),
            ("[", "[", false),
            ("[^", "x", true),
            ("[]", "]", false),
            ("[^]", "]", true),
            ("[\\]]", "]", true),
            ("[a\\", "\\", true),
            ("\\", "\\", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a\\", "a\\", true),
            ("*[a", "xa", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "acb", false),
        ] {
            let found = matches(pattern.as_bytes(), text.as_bytes(), false);
            assert_eq!(found, expected, "{pattern} {text}");
        }
    }

    #[test]
    fn case_folds_outside_escapes_in_classes() {
        assert!(matches(b"HeL*", b"hello", true));
        assert!(matches(b"[H]ello", b"hello", true));
        assert!(matches(b"[G-I]ello", b"hello", true));
        assert!(!matches(b"[\\H]ello", b"hello", true));
        assert!(matches(b"\\Hello", b"hello", true));
        assert!(!matches(b"HELLO", b"hello", false));
    }

    #[test]
    fn ranges_compare_signed_bytes() {
        assert!(matches(b"[a-\xff]", b"\x00", false));
        assert!(matches(b"[a-\xff]", b"A", false));
        assert!(!matches(b"[a-\xff]", b"z", false));
        assert!(matches(b"[\x80-\xff]", b"\x90", false));
    }

    #[test]
    fn hostile_patterns_take_no_more_than_the_product_of_lengths() {
        let pattern = b"a*".repeat(5_000);
        let text = b"a".repeat(4_999);
        assert!(!matches(&[&pattern[..], b"b"].concat(), &text, false));
        assert!(!matches(&b"*a".repeat(10_000), &b"ab".repeat(9_999), false));
    }

    #[test]
    fn only_plain_text_is_literal() {
        assert!(is_literal(b"user:1-]^"));
        for pattern in ["a*", "a?", "[a]", "\\a"] {
            assert!(!is_literal(pattern.as_bytes()));
        }
    }

    /// The rule by definition: a star tries every length.
    fn by_definition(pattern: &[u8], text: &[u8], nocase: bool) -> bool {
        match (pattern, text) {
            ([], _) => text.is_empty(),
            ([b'*', after @ ..], _) => {
                (0..=text.len()).any(|cut| by_definition(after, &text[cut..], nocase))
            }
            (_, []) => false,
            (_, [byte, text @ ..]) => {
                one(pattern, *byte, nocase).is_some_and(|after| by_definition(after, text, nocase))
            }
        }
    }

    proptest! {
        #[test]
        fn going_back_to_the_last_star_is_enough(
            pattern in "[abA*?\\[\\]^\\\\-]{0,12}",
            text in "[abAB-]{1,10}",
            nocase: bool,
        ) {
            let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(
                matches(pattern, text, nocase),
                by_definition(pattern, text, nocase)
            );
        }
    }
}
