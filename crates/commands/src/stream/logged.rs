//! Deliveries as they are logged: who holds what, since when and how often.

use command::Ctx;
use keyspace::Key;
use value::stream::{Group, Id, Stream};

/// A delivery.
pub struct Held {
    consumer: Vec<u8>,
    delivered_ms: u64,
    count: u64,
}

/// Logs that entries were delivered, or with `noack` only that the group has gone on.
pub fn deliveries(ctx: &mut Ctx<'_>, key: Key<'_>, group: &[u8], ids: &[Id], noack: bool) {
    if noack {
        if !ids.is_empty() {
            progress(ctx, key, group);
        }
        return;
    }
    let Ok(Some(stream)) = ctx.db.write::<Stream>(key) else { return };
    let Some(state) = stream.group(group) else { return };
    let held: Vec<(Id, Held)> =
        ids.iter().filter_map(|id| Some((*id, held(state, *id)?))).collect();
    let last_id = state.last_id;
    // While they were delivered one by one, the group went on with each.
    let is_new = held.last().is_some_and(|(id, _)| *id == last_id);
    for (id, held) in held {
        claim(ctx, key, group, id, &held, if is_new { id } else { last_id });
    }
}

/// Logs who holds entries now, or did until they were found to be gone.
pub fn claims(ctx: &mut Ctx<'_>, key: Key<'_>, group: &[u8], held: &[(Id, Held)]) {
    let Ok(Some(stream)) = ctx.db.write::<Stream>(key) else { return };
    let Some(last_id) = stream.group(group).map(|group| group.last_id) else { return };
    for (id, held) in held {
        claim(ctx, key, group, *id, held, last_id);
    }
}

/// Logs that a group has gone on to its last ID.
pub fn progress(ctx: &mut Ctx<'_>, key: Key<'_>, group: &[u8]) {
    let Ok(Some(stream)) = ctx.db.write::<Stream>(key) else { return };
    let Some(state) = stream.group(group) else { return };
    let last_id = state.last_id.to_string();
    let read = state.entries_read.map_or("-1".to_owned(), |read| read.to_string());
    ctx.effects.beside(&[
        b"XGROUP",
        b"SETID",
        key.bytes(),
        group,
        last_id.as_bytes(),
        b"ENTRIESREAD",
        read.as_bytes(),
    ]);
}

/// Who holds an entry.
pub fn held(group: &Group, id: Id) -> Option<Held> {
    let (nack, consumer) = group.nack(id)?;
    let consumer = consumer.to_vec();
    Some(Held { consumer, delivered_ms: nack.delivered_ms, count: nack.count })
}

fn claim(ctx: &mut Ctx<'_>, key: Key<'_>, group: &[u8], id: Id, held: &Held, last_id: Id) {
    let (id, last_id) = (id.to_string(), last_id.to_string());
    let (time, count) = (held.delivered_ms.to_string(), held.count.to_string());
    ctx.effects.beside(&[
        b"XCLAIM",
        key.bytes(),
        group,
        &held.consumer,
        b"0",
        id.as_bytes(),
        b"TIME",
        time.as_bytes(),
        b"RETRYCOUNT",
        count.as_bytes(),
        b"FORCE",
        b"JUSTID",
        b"LASTID",
        last_id.as_bytes(),
    ]);
}
