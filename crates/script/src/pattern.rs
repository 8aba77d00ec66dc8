//! Lua's patterns (<https://www.lua.org/manual/5.1/manual.html#5.4.1>), bounded: neither their depth nor their
//! steps grow beyond limits, and a script that has to end ends here, too.
use crate::lua::Fault;
use crate::state::State;

/// Captures of one pattern at most.
pub(crate) const CAPTURES_MAX: usize = 32;
/// How deep matching may recurse.
const DEPTH_MAX: usize = 200;
/// Steps between two looks whether the script has to end.
const STEPS: u32 = 100_000;

/// What a capture holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Capture {
    /// Begun, and not ended.
    Open,
    /// The position alone.
    Position,
    /// So many bytes.
    Bytes(usize),
}

/// A pattern at work on a text.
pub(crate) struct Matcher<'a> {
    text: &'a [u8],
    pattern: &'a [u8],
    state: &'a State,
    captures: Vec<(usize, Capture)>,
    depth: usize,
    steps: u32,
}

type Found = Result<Option<usize>, Fault>;

fn fault<T>(text: &str) -> Result<T, Fault> {
    Err(Fault::text(text))
}

impl<'a> Matcher<'a> {
    pub fn new(text: &'a [u8], pattern: &'a [u8], state: &'a State) -> Self {
        Self { text, pattern, state, captures: Vec::new(), depth: 0, steps: 0 }
    }

    /// Matches the pattern at `at`; gives back where the match ends.
    pub fn find_at(&mut self, at: usize) -> Found {
        self.captures.clear();
        self.depth = 0;
        self.match_here(at, 0)
    }

    /// The captures of the last match.
    pub fn captures(&self) -> &[(usize, Capture)] {
        &self.captures
    }

    fn step(&mut self) -> Result<(), Fault> {
        self.steps += 1;
        if self.steps >= STEPS {
            self.steps = 0;
            crate::engine::check(self.state)?;
        }
        Ok(())
    }

    fn match_here(&mut self, at: usize, from: usize) -> Found {
        if self.depth >= DEPTH_MAX {
            return fault("pattern too complex");
        }
        self.depth += 1;
        let found = self.match_items(at, from);
        self.depth -= 1;
        found
    }

    fn match_items(&mut self, mut at: usize, mut from: usize) -> Found {
        loop {
            self.step()?;
            let Some(item) = self.pattern.get(from).copied() else { return Ok(Some(at)) };
            match item {
                b'(' if self.pattern.get(from + 1) == Some(&b')') => {
                    return self.begin(at, from + 2, Capture::Position);
                }
                b'(' => return self.begin(at, from + 1, Capture::Open),
                b')' => return self.end(at, from + 1),
                b'$' if from + 1 == self.pattern.len() => {
                    return Ok((at == self.text.len()).then_some(at));
                }
                b'%' => match self.pattern.get(from + 1) {
                    Some(b'b') => match self.balance(at, from + 2)? {
                        Some(next) => {
                            (at, from) = (next, from + 4);
                            continue;
                        }
                        None => return Ok(None),
                    },
                    Some(b'f') => {
                        from += 2;
                        if self.pattern.get(from) != Some(&b'[') {
                            return fault("missing '[' after '%f' in pattern");
                        }
                        let end = self.class_end(from)?;
                        let before = if at == 0 { 0 } else { self.text[at - 1] };
                        let here = self.text.get(at).copied().unwrap_or(0);
                        if self.in_set(before, from, end - 1) || !self.in_set(here, from, end - 1) {
                            return Ok(None);
                        }
                        from = end;
                        continue;
                    }
                    Some(digit) if digit.is_ascii_digit() => match self.again(at, *digit)? {
                        Some(next) => {
                            (at, from) = (next, from + 2);
                            continue;
                        }
                        None => return Ok(None),
                    },
                    _ => {}
                },
                _ => {}
            }
            let end = self.class_end(from)?;
            match self.pattern.get(end) {
                Some(b'?') => {
                    if self.single(at, from, end)
                        && let Some(found) = self.match_here(at + 1, end + 1)?
                    {
                        return Ok(Some(found));
                    }
                    from = end + 1;
                }
                Some(b'*') => return self.most(at, from, end, 0),
                Some(b'+') => return self.most(at, from, end, 1),
                Some(b'-') => return self.least(at, from, end),
                _ if self.single(at, from, end) => (at, from) = (at + 1, end),
                _ => return Ok(None),
            }
        }
    }

    fn begin(&mut self, at: usize, from: usize, what: Capture) -> Found {
        if self.captures.len() >= CAPTURES_MAX {
            return fault("too many captures");
        }
        self.captures.push((at, what));
        let found = self.match_here(at, from)?;
        if found.is_none() {
            self.captures.pop();
        }
        Ok(found)
    }

    fn end(&mut self, at: usize, from: usize) -> Found {
        let open = self.captures.iter().rposition(|(_, what)| *what == Capture::Open);
        let Some(open) = open else { return fault("invalid pattern capture") };
        let start = self.captures[open].0;
        self.captures[open].1 = Capture::Bytes(at - start);
        let found = self.match_here(at, from)?;
        if found.is_none() {
            self.captures[open].1 = Capture::Open;
        }
        Ok(found)
    }

    fn most(&mut self, at: usize, from: usize, end: usize, least: usize) -> Found {
        let mut count = 0;
        while self.single(at + count, from, end) {
            self.step()?;
            count += 1;
        }
        loop {
            if count < least {
                return Ok(None);
            }
            if let Some(found) = self.match_here(at + count, end + 1)? {
                return Ok(Some(found));
            }
            if count == 0 {
                return Ok(None);
            }
            count -= 1;
        }
    }

    fn least(&mut self, mut at: usize, from: usize, end: usize) -> Found {
        loop {
            if let Some(found) = self.match_here(at, end + 1)? {
                return Ok(Some(found));
            }
            if !self.single(at, from, end) {
                return Ok(None);
            }
            at += 1;
        }
    }

    fn balance(&mut self, at: usize, from: usize) -> Found {
        let (Some(open), Some(close)) = (self.pattern.get(from), self.pattern.get(from + 1)) else {
            return fault("unbalanced pattern");
        };
        if self.text.get(at) != Some(open) {
            return Ok(None);
        }
        let mut depth = 1;
        for (offset, byte) in self.text[at + 1..].iter().enumerate() {
            if byte == close {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(at + offset + 2));
                }
            } else if byte == open {
                depth += 1;
            }
        }
        Ok(None)
    }

    /// Matches what a capture holds once more.
    fn again(&mut self, at: usize, digit: u8) -> Found {
        let index = usize::from(digit).checked_sub(usize::from(b'1'));
        let capture = index.and_then(|index| self.captures.get(index)).copied();
        let Some((start, Capture::Bytes(len))) = capture else {
            return fault("invalid capture index");
        };
        let held = &self.text[start..start + len];
        let here = self.text.get(at..).is_some_and(|rest| rest.starts_with(held));
        Ok(here.then_some(at + len))
    }

    /// Where the class that begins at `from` ends.
    fn class_end(&self, from: usize) -> Result<usize, Fault> {
        let pattern = self.pattern;
        match pattern.get(from) {
            Some(b'%') if from + 1 >= pattern.len() => fault("malformed pattern (ends with '%')"),
            Some(b'%') => Ok(from + 2),
            Some(b'[') => {
                let mut at = from + 1;
                if pattern.get(at) == Some(&b'^') {
                    at += 1;
                }
                loop {
                    // The first may be a bracket itself.
                    match pattern.get(at) {
                        None => return fault("malformed pattern (missing ']')"),
                        Some(b'%') => at += 2,
                        Some(_) => at += 1,
                    }
                    if pattern.get(at) == Some(&b']') {
                        return Ok(at + 1);
                    }
                }
            }
            _ => Ok(from + 1),
        }
    }

    fn single(&self, at: usize, from: usize, end: usize) -> bool {
        let Some(byte) = self.text.get(at).copied() else { return false };
        match self.pattern[from] {
            b'.' => true,
            b'%' => in_class(byte, self.pattern[from + 1]),
            b'[' => self.in_set(byte, from, end - 1),
            own => own == byte,
        }
    }

    /// Whether a byte is in the set between the brackets at `open` and `close`.
    fn in_set(&self, byte: u8, open: usize, close: usize) -> bool {
        let pattern = self.pattern;
        let mut at = open + 1;
        let mut wanted = true;
        if pattern.get(at) == Some(&b'^') {
            wanted = false;
            at += 1;
        }
        while at < close {
            if pattern[at] == b'%' {
                at += 1;
                if pattern.get(at).is_some_and(|class| in_class(byte, *class)) {
                    return wanted;
                }
                at += 1;
            } else if pattern.get(at + 1) == Some(&b'-') && at + 2 < close {
                if (pattern[at]..=pattern[at + 2]).contains(&byte) {
                    return wanted;
                }
                at += 3;
            } else {
                if pattern[at] == byte {
                    return wanted;
                }
                at += 1;
            }
        }
        !wanted
    }
}

fn in_class(byte: u8, class: u8) -> bool {
    let within = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => byte.is_ascii_whitespace() || byte == 0x0b,
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return class == byte,
    };
    within != class.is_ascii_uppercase()
}
