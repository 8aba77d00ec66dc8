//! Which arguments a half-typed command still lacks.
//!
//! Words are matched with arguments from left to right. Neighbouring optional arguments may come in
//! any order, told apart by their tokens. The match is a guess for the user's eyes: when words fit
//! nothing, what is left is shown unchanged.

use super::catalog::{Argument, Catalog, Kind, usages};

/// What to show behind `line`.
pub fn hint(catalog: &Catalog, line: &str) -> Option<String> {
    let words = crate::quoting::split_words(line.as_bytes())?;
    let words: Vec<String> =
        words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    let (entry, taken) = catalog.lookup(&words)?;
    let rest = remaining(&entry.arguments, words.get(taken..)?);
    if rest.is_empty() {
        return None;
    }
    let spaced = line.ends_with(char::is_whitespace);
    Some(if spaced { rest } else { format!(" {rest}") })
}

/// The usage of the arguments that `words` leave open.
pub fn remaining(arguments: &[Argument], words: &[String]) -> String {
    match sequence(arguments, words) {
        Match::Partial(rest) => rest,
        Match::Full { open, .. } => open,
        Match::No => usages(arguments, " "),
    }
}

/// How words match one argument or several.
enum Match {
    /// The first word does not belong here.
    No,
    /// It takes so many words; `open` is what might still follow.
    Full { taken: usize, open: String },
    /// The words end before it does; what is missing.
    Partial(String),
}

fn sequence(arguments: &[Argument], words: &[String]) -> Match {
    let mut pending: Vec<&Argument> = arguments.iter().collect();
    let mut taken = 0;
    // A repetition that may follow the last word.
    let mut repetition = String::new();
    while let Some(rest) = words.get(taken..).filter(|rest| !rest.is_empty()) {
        let Some((index, matched)) = first_match(&pending, rest) else { break };
        let argument = pending.remove(index);
        // Optional arguments before a required one are past their place.
        if !argument.optional {
            pending.drain(..index);
        }
        match matched {
            Match::Partial(missing) => {
                let after = pending.iter().map(|argument| argument.usage());
                return Match::Partial(join(std::iter::once(missing).chain(after)));
            }
            Match::Full { taken: more, open } => {
                taken += more;
                repetition = open;
            }
            Match::No => break,
        }
    }
    let after = join(pending.iter().map(|argument| argument.usage()));
    let complete = pending.iter().all(|argument| argument.optional);
    let open = join([repetition, after].into_iter());
    if taken == 0 && !words.is_empty() {
        Match::No
    } else if complete {
        Match::Full { taken, open }
    } else {
        Match::Partial(open)
    }
}

/// The first pending argument that the words match: any of the optional ones in front, or the
/// required one behind them.
fn first_match(pending: &[&Argument], words: &[String]) -> Option<(usize, Match)> {
    let required = pending.iter().position(|argument| !argument.optional);
    let end = required.map_or(pending.len(), |index| index + 1);
    let mut candidates: Vec<(usize, &&Argument)> = pending.iter().take(end).enumerate().collect();
    // A token is a better reason than a place.
    candidates.sort_by_key(|(_, argument)| !begins_with_token(argument, words));
    candidates.into_iter().find_map(|(index, argument)| match repeated(argument, words) {
        Match::No => None,
        matched => Some((index, matched)),
    })
}

fn begins_with_token(argument: &Argument, words: &[String]) -> bool {
    match (&argument.token, argument.kind) {
        (Some(token), _) => words.first().is_some_and(|word| word.eq_ignore_ascii_case(token)),
        (None, Kind::OneOf) => argument.children.iter().any(|c| begins_with_token(c, words)),
        (None, Kind::Block) => {
            argument.children.first().is_some_and(|child| begins_with_token(child, words))
        }
        (None, _) => false,
    }
}

/// Matches an argument as often as it may come.
fn repeated(argument: &Argument, words: &[String]) -> Match {
    let first = single(argument, words, true);
    let Match::Full { mut taken, open } = first else { return first };
    if !argument.multiple {
        return Match::Full { taken, open };
    }
    while let Some(rest) = words.get(taken..).filter(|rest| !rest.is_empty()) {
        match single(argument, rest, argument.multiple_token) {
            Match::Full { taken: more, .. } if more > 0 => taken += more,
            Match::Partial(missing) => return Match::Partial(missing),
            _ => break,
        }
    }
    let again = Argument { optional: false, multiple: false, ..argument.clone() };
    let again = if argument.multiple_token { again } else { Argument { token: None, ..again } };
    Match::Full { taken, open: format!("[{} ...]", again.usage()) }
}

fn single(argument: &Argument, words: &[String], with_token: bool) -> Match {
    let token = argument.token.as_ref().filter(|_| with_token);
    let skipped = match (token, words.first()) {
        (None, _) => 0,
        (Some(token), Some(word)) if word.eq_ignore_ascii_case(token) => 1,
        (Some(_), _) => return Match::No,
    };
    let rest = words.get(skipped..).unwrap_or_default();
    let matched = match argument.kind {
        Kind::PureToken => Match::Full { taken: 0, open: String::new() },
        Kind::Value if rest.is_empty() => Match::Partial(argument.name.clone()),
        Kind::Value => Match::Full { taken: 1, open: String::new() },
        Kind::OneOf if rest.is_empty() => Match::Partial(usages(&argument.children, "|")),
        Kind::OneOf => argument
            .children
            .iter()
            .map(|child| repeated(child, rest))
            .find(|matched| !matches!(matched, Match::No))
            .unwrap_or(Match::No),
        Kind::Block => sequence(&argument.children, rest),
    };
    match matched {
        Match::Full { taken, open } => Match::Full { taken: taken + skipped, open },
        other => other,
    }
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> Argument {
        Argument { name: name.into(), ..Argument::default() }
    }

    fn token(token: &str) -> Argument {
        let token = Some(token.to_string());
        Argument { name: "t".into(), token, kind: Kind::PureToken, ..Argument::default() }
    }

    fn choice(children: Vec<Argument>) -> Argument {
        Argument { kind: Kind::OneOf, optional: true, children, ..Argument::default() }
    }

    fn block(children: Vec<Argument>) -> Argument {
        Argument { kind: Kind::Block, children, ..Argument::default() }
    }

    fn rest(arguments: &[Argument], line: &str) -> String {
        let words: Vec<String> = line.split_whitespace().map(Into::into).collect();
        remaining(arguments, &words)
    }

    /// `key value [NX|XX] [GET] [EX seconds|KEEPTTL]`
    fn like_set() -> Vec<Argument> {
        let get = Argument { optional: true, ..token("GET") };
        let ex = Argument { token: Some("EX".into()), ..value("seconds") };
        vec![
            value("key"),
            value("value"),
            choice(vec![token("NX"), token("XX")]),
            get,
            choice(vec![ex, token("KEEPTTL")]),
        ]
    }

    #[test]
    fn required_arguments_go_in_order() {
        assert_eq!(rest(&like_set(), ""), "key value [NX|XX] [GET] [EX seconds|KEEPTTL]");
        assert_eq!(rest(&like_set(), "k"), "value [NX|XX] [GET] [EX seconds|KEEPTTL]");
    }

    #[test]
    fn optional_arguments_go_in_any_order() {
        assert_eq!(rest(&like_set(), "k v get"), "[NX|XX] [EX seconds|KEEPTTL]");
        assert_eq!(rest(&like_set(), "k v EX"), "seconds [NX|XX] [GET]");
        assert_eq!(rest(&like_set(), "k v EX 5"), "[NX|XX] [GET]");
        assert_eq!(rest(&like_set(), "k v keepttl xx get"), "");
    }

    #[test]
    fn repeatable_arguments_stay_open() {
        let keys = Argument { multiple: true, ..value("key") };
        assert_eq!(rest(std::slice::from_ref(&keys), "a b"), "[key ...]");
        assert_eq!(rest(&[keys, value("timeout")], "a"), "[key ...] timeout");
        let pair = block(vec![value("score"), value("member")]);
        let pairs = Argument { multiple: true, ..pair };
        assert_eq!(rest(&[value("key"), pairs.clone()], "k 1"), "member");
        assert_eq!(rest(&[value("key"), pairs], "k 1 a"), "[score member ...]");
    }

    #[test]
    fn words_that_fit_nothing_leave_the_rest() {
        assert_eq!(rest(&like_set(), "k v what"), "[NX|XX] [GET] [EX seconds|KEEPTTL]");
        assert_eq!(rest(&[], "what"), "");
    }
}
