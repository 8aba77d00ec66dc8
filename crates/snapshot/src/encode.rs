use keyspace::access::{self, LfuScale};
use keyspace::{EntryRef, Value};
use rdb::{Records, Used, View};
use value::ObjectRef;
use value::cut::Element;

/// How a snapshot's keys become bytes.
pub trait Encode: Send + Sync {
    /// Appends that the keys which follow are of this database, by its number at the cut.
    fn select(&self, database: usize, out: &mut Vec<u8>);

    /// Appends a key with its value and deadline.
    fn key(&self, entry: EntryRef<'_>, out: &mut Vec<u8>);

    /// How values are written in parts, if they can be.
    fn parts(&self) -> Option<&dyn EncodeParts>;
}

/// How a value becomes bytes that is written in parts.
pub trait EncodeParts {
    /// Appends what stands before the elements of a key whose value is a collection that has parts.
    fn head(&self, entry: EntryRef<'_>, collection: ObjectRef<'_>, out: &mut Vec<u8>);

    /// Appends one of its elements.
    fn element(&self, element: Element<'_>, out: &mut Vec<u8>);
}

/// A value as the snapshot format takes it.
pub fn view(value: Value<'_>) -> View<'_> {
    match value {
        Value::Int(number) => View::Int(number),
        Value::Bytes(bytes) => View::Bytes(bytes),
        Value::Object(object) => View::Object(object),
    }
}

/// What is written of how keys are used, which eviction goes by.
#[derive(Clone, Copy, Debug)]
pub enum Uses {
    /// Nothing.
    None,
    /// Since when they were not.
    Idle,
    /// How often they are.
    Frequency(LfuScale),
}

/// Records of the snapshot format.
pub struct RdbEncode {
    /// How they are written.
    pub records: Records,
    /// What is written of the keys' use.
    pub uses: Uses,
    /// The time of the cut, milliseconds since the epoch.
    pub now_ms: i64,
}

impl RdbEncode {
    fn used(&self, entry: EntryRef<'_>) -> Used {
        let stamp = entry.access();
        match self.uses {
            Uses::None => Used::Unknown,
            Uses::Idle => Used::Idle(u64::from(access::idle_seconds(stamp, self.now_ms))),
            Uses::Frequency(scale) => Used::Freq(access::frequency(stamp, self.now_ms, scale)),
        }
    }
}

impl Encode for RdbEncode {
    fn select(&self, database: usize, out: &mut Vec<u8>) {
        self.records.select(database as u64, out);
    }

    fn key(&self, entry: EntryRef<'_>, out: &mut Vec<u8>) {
        let used = self.used(entry);
        self.records.key(entry.key(), view(entry.value()), entry.deadline_ms(), used, out);
    }

    fn parts(&self) -> Option<&dyn EncodeParts> {
        Some(self)
    }
}

impl EncodeParts for RdbEncode {
    fn head(&self, entry: EntryRef<'_>, collection: ObjectRef<'_>, out: &mut Vec<u8>) {
        let used = self.used(entry);
        self.records.head(entry.key(), collection, entry.deadline_ms(), used, out);
    }

    fn element(&self, element: Element<'_>, out: &mut Vec<u8>) {
        self.records.encoder.element(element, out);
    }
}
