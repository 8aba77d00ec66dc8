//! What the commands do, as plainly as it can be said.
use std::collections::BTreeMap;

use super::Call;
use crate::reply::Reply;

/// A command on its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// GET key.
    Get(String),
    /// SET key value.
    Set(String, String),
    /// INCR key, which holds a number or nothing.
    Incr(String),
    /// APPEND key text.
    Append(String, String),
    /// RPUSH key item.
    Push(String, String),
    /// LMOVE from to LEFT RIGHT.
    Move(String, String),
    /// LRANGE key 0 -1.
    Items(String),
}

impl Step {
    /// The command's words.
    pub fn words(&self) -> Vec<&str> {
        match self {
            Self::Get(key) => vec!["GET", key],
            Self::Set(key, value) => vec!["SET", key, value],
            Self::Incr(key) => vec!["INCR", key],
            Self::Append(key, text) => vec!["APPEND", key, text],
            Self::Push(key, item) => vec!["RPUSH", key, item],
            Self::Move(from, to) => vec!["LMOVE", from, to, "LEFT", "RIGHT"],
            Self::Items(key) => vec!["LRANGE", key, "0", "-1"],
        }
    }

    /// Its keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let (first, second) = match self {
            Self::Get(key)
            | Self::Set(key, _)
            | Self::Incr(key)
            | Self::Append(key, _)
            | Self::Push(key, _)
            | Self::Items(key) => (key, None),
            Self::Move(from, to) => (from, Some(to)),
        };
        std::iter::once(first).chain(second).map(String::as_str)
    }
}

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// A string.
    Text(String),
    /// A list.
    Items(Vec<String>),
}

/// What all keys hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State(BTreeMap<String, Value>);

impl State {
    /// The state after a call; none when the call would have got other replies.
    pub fn after(&self, call: &Call) -> Option<Self> {
        let mut state = self.clone();
        let fits = call.steps.len() == call.replies.len()
            && call.steps.iter().zip(&call.replies).all(|(step, reply)| {
                let expected = state.apply(step);
                expected == *reply || expected.is_null() && reply.is_null()
            });
        fits.then_some(state)
    }

    fn text(&self, key: &str) -> Option<&str> {
        match self.0.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn items(&mut self, key: &str) -> &mut Vec<String> {
        let value = self.0.entry(key.to_owned()).or_insert(Value::Items(Vec::new()));
        if !matches!(value, Value::Items(_)) {
            *value = Value::Items(Vec::new());
        }
        match value {
            Value::Items(items) => items,
            Value::Text(_) => unreachable!("made a list above"),
        }
    }

    /// Does a step; its reply.
    pub fn apply(&mut self, step: &Step) -> Reply {
        let bulk = |text: &str| Reply::Bulk(text.into());
        match step {
            Step::Get(key) => self.text(key).map_or(Reply::NullBulk, bulk),
            Step::Set(key, value) => {
                self.0.insert(key.clone(), Value::Text(value.clone()));
                Reply::Simple(b"OK".to_vec())
            }
            Step::Incr(key) => {
                let number: i64 = self.text(key).map_or(Ok(0), str::parse).unwrap_or(i64::MIN) + 1;
                self.0.insert(key.clone(), Value::Text(number.to_string()));
                Reply::Integer(number)
            }
            Step::Append(key, more) => {
                let text = format!("{}{more}", self.text(key).unwrap_or_default());
                let length = text.len() as i64;
                self.0.insert(key.clone(), Value::Text(text));
                Reply::Integer(length)
            }
            Step::Push(key, item) => {
                let items = self.items(key);
                items.push(item.clone());
                Reply::Integer(items.len() as i64)
            }
            Step::Move(from, to) => {
                let items = self.items(from);
                if items.is_empty() {
                    return Reply::NullBulk;
                }
                let item = items.remove(0);
                let reply = bulk(&item);
                self.items(to).push(item);
                reply
            }
            Step::Items(key) => {
                Reply::Array(self.items(key).iter().map(|item| bulk(item)).collect())
            }
        }
    }
}
