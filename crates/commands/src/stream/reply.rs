//! How IDs and entries are written.

use resp::Writer;
use value::stream::{Entry, Id, IdText};

/// Writes an ID.
pub fn id(reply: &mut Writer<'_>, id: Id) {
    reply.bulk(IdText::new(id).as_bytes());
}

/// Writes an entry: its ID, and its fields and values in one array.
pub fn entry(reply: &mut Writer<'_>, entry: Entry<'_>) {
    reply.array(2);
    content(reply, entry);
}

/// Writes an entry, and for how many milliseconds it has been pending and how often it was delivered before.
pub fn delivery(reply: &mut Writer<'_>, entry: Entry<'_>, idle_ms: i64, count: i64) {
    reply.array(4);
    content(reply, entry);
    reply.integer(idle_ms);
    reply.integer(count);
}

fn content(reply: &mut Writer<'_>, entry: Entry<'_>) {
    id(reply, entry.id);
    let fields = entry.fields();
    reply.array(fields.len() * 2);
    for (field, value) in fields {
        reply.bulk(field);
        reply.bulk(value);
    }
}

/// Writes entries as an array and gives their number.
pub fn entries<'a>(reply: &mut Writer<'_>, all: impl Iterator<Item = Entry<'a>>) -> usize {
    let header = reply.deferred();
    let mut count = 0;
    for one in all {
        entry(reply, one);
        count += 1;
    }
    reply.finish_array(header, count);
    count
}
