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

    /// Begins to write a key in parts, whose value has such.
    fn frame(&self, entry: EntryRef<'_>, value: ObjectRef<'_>) -> Frame;
}

/// A value that is written in parts, but for these.
pub struct Frame {
    /// What stands before the elements.
    pub head: Vec<u8>,
    /// What stands behind them.
    pub tail: Vec<u8>,
    /// How the elements become bytes.
    pub form: Box<dyn Form>,
}

/// Elements as bytes, until they are handed out.
#[derive(Debug, Default)]
pub struct Run {
    /// One after the other.
    pub bytes: Vec<u8>,
    /// Of how many words `bytes` consists, where these make a command.
    pub words: usize,
    /// What is to stand behind `bytes`.
    pub after: Vec<u8>,
}

impl Run {
    /// Adds others behind.
    pub(crate) fn append(&mut self, mut more: Self) {
        self.bytes.append(&mut more.bytes);
        self.words += more.words;
        self.after.append(&mut more.after);
    }
}

/// How the elements of a value become bytes.
pub trait Form: Send + Sync {
    /// Appends an element.
    fn element(&self, element: Element<'_>, run: &mut Run);

    /// Hands out a run that is not empty.
    fn hand_out(&self, run: Run, out: &mut Vec<u8>);

    /// Whether deadlines of members stand before what stands before the elements; otherwise they stand behind these.
    fn has_deadlines_first(&self) -> bool;

    /// Hands out a run of such deadlines.
    fn hand_out_deadlines(&self, run: Run, out: &mut Vec<u8>);
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

    fn frame(&self, entry: EntryRef<'_>, value: ObjectRef<'_>) -> Frame {
        let used = self.used(entry);
        let frame = self.records.frame(entry.key(), value, entry.deadline_ms(), used);
        let form = Box::new(RdbForm { records: self.records, first: frame.first });
        Frame { head: frame.head, tail: frame.tail, form }
    }
}

struct RdbForm {
    records: Records,
    /// The first deadline of all fields.
    first: Option<i64>,
}

impl Form for RdbForm {
    fn element(&self, element: Element<'_>, run: &mut Run) {
        self.records.encoder.element(element, self.first, &mut run.bytes);
    }

    fn hand_out(&self, mut run: Run, out: &mut Vec<u8>) {
        out.append(&mut run.bytes);
    }

    fn has_deadlines_first(&self) -> bool {
        true
    }

    fn hand_out_deadlines(&self, run: Run, out: &mut Vec<u8>) {
        self.records.member_deadlines(&run.bytes, out);
    }
}
