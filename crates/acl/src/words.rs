use crate::error::SetError;

/// Whether a name or pattern has bytes that would end it in a file: blanks, line ends or zero bytes.
pub fn has_spaces(text: &[u8]) -> bool {
    // As C's isspace: the vertical tab, too.
    text.iter().any(|byte| matches!(byte, 0 | b' ' | b'\t'..=b'\r'))
}

/// Puts selectors that were given in several words together: `(+get`, `~k)` is one rule.
///
/// # Errors
/// When a selector is not closed.
pub(crate) fn join_selectors<W: AsRef<[u8]>>(words: &[W]) -> Result<Vec<Vec<u8>>, SetError> {
    let mut rules = Vec::with_capacity(words.len());
    let mut open: Option<(&[u8], Vec<u8>)> = None;
    for word in words {
        let word = word.as_ref();
        if word.starts_with(b"(") && !word.ends_with(b")") {
            // One that begins inside of another takes its place: what it has swallowed is told as an error by
            // the closing parenthesis that is left over.
            open = Some((word, word.to_vec()));
            continue;
        }
        match open.take() {
            None => rules.push(word.to_vec()),
            Some((start, mut selector)) => {
                selector.push(b' ');
                selector.extend_from_slice(word);
                if word.ends_with(b")") {
                    rules.push(selector);
                } else {
                    open = Some((start, selector));
                }
            }
        }
    }
    match open {
        Some((start, _)) => Err(SetError::Unmatched(start.to_vec())),
        None => Ok(rules),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(words: &str) -> Result<Vec<String>, SetError> {
        let words: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
        let rules = join_selectors(&words)?;
        Ok(rules.iter().map(|rule| String::from_utf8_lossy(rule).into_owned()).collect())
    }

    #[test]
    fn selectors_in_several_words_are_one_rule() {
        assert_eq!(
            joined("on (+get ~a) ( ~b ) off").unwrap(),
            ["on", "(+get ~a)", "( ~b )", "off"]
        );
        assert_eq!(joined("() )").unwrap(), ["()", ")"]);
        assert_eq!(joined("on (+get ~a"), Err(SetError::Unmatched(b"(+get".to_vec())));
        assert_eq!(joined("("), Err(SetError::Unmatched(b"(".to_vec())));
    }

    #[test]
    fn blanks_are_those_of_c() {
        for blank in [0, 9, 10, 11, 12, 13, 32] {
            assert!(has_spaces(&[b'a', blank]));
        }
        assert!(!has_spaces(b"a\xff\x01"));
    }
}
