use command::Database;
use keyspace::{Key, Value};
use value::hash::Hash;
use value::{Item, Typed};

/// What BY or GET makes of an element.
pub(super) enum Pattern<'a> {
    /// `#`: the element itself.
    Element,
    /// Without an asterisk: nothing.
    Nothing,
    /// The string at the key with the element in the asterisk's place.
    Text(Name<'a>),
    /// The field of the hash there.
    Field(Name<'a>, &'a [u8]),
}

/// What stands before and behind the element in the name of a key.
pub(super) struct Name<'a>(&'a [u8], &'a [u8]);

impl Name<'_> {
    fn with(&self, element: &[u8]) -> Vec<u8> {
        [self.0, element, self.1].concat()
    }
}

impl<'a> Pattern<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Self {
        if text == b"#" {
            return Self::Element;
        }
        let mut parts = text.splitn(2, |byte| *byte == b'*');
        let (Some(before), Some(behind)) = (parts.next(), parts.next()) else {
            return Self::Nothing;
        };
        let arrow = behind.windows(2).position(|pair| pair == b"->");
        // An arrow at the very end belongs to the name.
        match arrow.map(|at| behind.split_at(at)) {
            Some((behind, field)) if field.len() > 2 => {
                Self::Field(Name(before, behind), field.get(2..).unwrap_or_default())
            }
            _ => Self::Text(Name(before, behind)),
        }
    }

    /// Whether the pattern makes names of keys.
    pub(super) fn names_keys(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Field(..))
    }

    /// Shows what the pattern makes of `element` to `show`: nothing where there is no such key or field,
    /// or the key holds another type.
    pub(super) fn look_up<R>(
        &self,
        db: &mut Database<'_>,
        element: &[u8],
        show: impl FnOnce(Option<&[u8]>) -> R,
    ) -> R {
        match self {
            Self::Element => show(Some(element)),
            Self::Nothing => show(None),
            Self::Text(name) => {
                let name = name.with(element);
                let entry = db.get(Key::new(&name));
                let mut digits = keyspace::Digits::new();
                show(entry.and_then(|entry| entry.value().text(&mut digits)))
            }
            Self::Field(name, field) => {
                let name = name.with(element);
                let key = Key::new(&name);
                let hash = match db.get(key).map(|entry| entry.value()) {
                    Some(Value::Object(object)) => Hash::of(object),
                    _ => None,
                };
                match hash.and_then(|hash| hash.get(Item::parse(field))) {
                    Some(value) => value.with_bytes(|text| show(Some(text))),
                    None => show(None),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Name, Pattern};

    fn shape(text: &str) -> String {
        let name = |Name(before, behind): &Name<'_>| {
            format!("{}*{}", String::from_utf8_lossy(before), String::from_utf8_lossy(behind))
        };
        match Pattern::parse(text.as_bytes()) {
            Pattern::Element => "element".into(),
            Pattern::Nothing => "nothing".into(),
            Pattern::Text(key) => name(&key),
            Pattern::Field(key, field) => {
                format!("{} . {}", name(&key), String::from_utf8_lossy(field))
            }
        }
    }

    #[test]
    fn the_first_asterisk_and_the_first_arrow_behind_it_count() {
        for (text, expected) in [
            ("#", "element"),
            ("", "nothing"),
            ("##", "nothing"),
            ("k", "nothing"),
            ("k->f", "nothing"),
            ("*", "*"),
            ("a*b*c", "a*b*c"),
            ("k*->f", "k* . f"),
            ("k*x->f->g", "k*x . f->g"),
            ("k*->", "k*->"),
            ("a->b*", "a->b*"),
            ("a->*->b", "a->* . b"),
            ("k*->->", "k* . ->"),
            ("k*->*", "k* . *"),
        ] {
            assert_eq!(shape(text), expected, "{text}");
        }
    }
}
