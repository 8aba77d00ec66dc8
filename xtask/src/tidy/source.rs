//! Just enough of Rust's lexer to tell code from comments and literals, and functions from their
//! surroundings. A full parser would cost a second of building and more of running, and the rules
//! need only words, braces and lines.

/// The text with each byte of a comment replaced by a space and each byte inside a string or
/// character literal by `x`. Line breaks stay, so lines keep their numbers.
pub(super) fn code_of(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (len, fill) = if rest.starts_with(b"//") {
            (line_end(rest), b' ')
        } else if rest.starts_with(b"/*") {
            (block_comment_end(rest), b' ')
        } else if let Some(len) = raw_string_end(rest, bytes[..at].last().copied()) {
            (len, b'x')
        } else if rest[0] == b'"' {
            (string_end(rest), b'x')
        } else if let Some(len) = char_end(rest) {
            (len, b'x')
        } else {
            out.push(if rest[0].is_ascii() { rest[0] } else { b'x' });
            at += 1;
            continue;
        };
        out.extend(rest[..len].iter().map(|byte| if *byte == b'\n' { b'\n' } else { fill }));
        at += len;
    }
    out.into_iter().map(char::from).collect()
}

fn line_end(rest: &[u8]) -> usize {
    rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
}

/// Block comments nest.
fn block_comment_end(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            (at, depth) = (at + 2, depth + 1);
        } else if rest[at..].starts_with(b"*/") {
            (at, depth) = (at + 2, depth - 1);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// Length of `r"…"`, `br#"…"#` and the like, if one begins here (and not in the middle of a word).
fn raw_string_end(rest: &[u8], before: Option<u8>) -> Option<usize> {
    if before.is_some_and(is_word) {
        return None;
    }
    let prefix = match rest {
        [b'r', ..] => 1,
        [b'b' | b'c', b'r', ..] => 2,
        _ => return None,
    };
    let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
    let body = prefix + hashes + 1;
    if rest.get(body - 1) != Some(&b'"') {
        return None;
    }
    let closing = [&b"\""[..], &b"#".repeat(hashes)].concat();
    let end = rest[body..].windows(closing.len()).position(|window| window == closing);
    Some(end.map_or(rest.len(), |end| body + end + closing.len()))
}

fn string_end(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Length of a character literal, if one begins here; `'a` alone is a lifetime.
fn char_end(rest: &[u8]) -> Option<usize> {
    if rest[0] != b'\'' {
        return None;
    }
    if rest.get(1) == Some(&b'\\') {
        let end = rest.iter().skip(3).position(|byte| *byte == b'\'')?;
        return Some(end + 4);
    }
    let text = std::str::from_utf8(&rest[1..rest.len().min(6)]);
    let valid = match &text {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&rest[1..1 + error.valid_up_to()]).ok()?,
    };
    let len = valid.chars().next()?.len_utf8();
    (rest.get(1 + len) == Some(&b'\'')).then_some(len + 2)
}

pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Places of a word in masked code, as byte offsets.
pub(super) fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = code.as_bytes();
    code.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = at.checked_sub(1).is_none_or(|at| !is_word(bytes[at]));
        let after = bytes.get(at + word.len()).is_none_or(|byte| !is_word(*byte));
        before && after
    })
}

/// 1-based line of a byte offset.
pub(super) fn line_of(code: &str, at: usize) -> usize {
    1 + code.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count()
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    /// 1-based line of `fn`.
    pub(super) line: usize,
    /// Lines from `fn` to the closing brace that are neither blank nor only comment.
    pub(super) lines: usize,
}

/// Every function with a body in masked code, also those inside others.
pub(super) fn functions(code: &str) -> Vec<Function> {
    words(code, "fn").filter_map(|at| function_at(code, at)).collect()
}

fn function_at(code: &str, at: usize) -> Option<Function> {
    let after = &code[at + 2..];
    let name: String =
        after.trim_start().bytes().take_while(|byte| is_word(*byte)).map(char::from).collect();
    if name.is_empty() {
        // A function pointer's type, or a macro's `fn $name`.
        return None;
    }
    let open = body_start(after)?;
    let close = open + matching_brace(&after[open..])?;
    let lines = after[..=close].split('\n').filter(|line| !line.trim().is_empty()).count();
    Some(Function { name, line: line_of(code, at), lines })
}

/// Offset of the body's `{`; none if `;` comes first. The `;` of `[u8; 4]` does not count.
fn body_start(after: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, byte) in after.bytes().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b';' if depth <= 0 => return None,
            b'{' if depth <= 0 => return Some(at),
            _ => {}
        }
    }
    None
}

fn matching_brace(from: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, byte) in from.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_masked_and_lines_stay() {
        let text = "a /* x /* y */ z */ b // c\n\"d // \\\" e\" r#\"f \" \n\"# 'g' '\\'' 'h: &'i\n";
        let code = code_of(text);
        assert_eq!(code.matches('\n').count(), text.matches('\n').count());
        assert_eq!(code.len(), text.len());
        let words: Vec<_> = code.split_whitespace().filter(|word| !word.starts_with('x')).collect();
        assert_eq!(words, ["a", "b", "'h:", "&'i"]);
    }

    #[test]
    fn a_brace_in_a_literal_does_not_end_a_function() {
        let code = code_of("fn f() {\n    g('}', b'{', \"}\");\n\n    // why\n}\nfn h() {}\n");
        let found = functions(&code);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], Function { name: "f".to_owned(), line: 1, lines: 3 });
        assert_eq!(found[1], Function { name: "h".to_owned(), line: 6, lines: 1 });
    }

    #[test]
    fn declarations_and_function_pointers_are_not_functions() {
        let code = code_of("trait T { fn a(x: [u8; 4]); }\ntype F = fn(u8) -> u8;\nlet r#fn = 1;");
        assert_eq!(functions(&code), []);
    }
}
