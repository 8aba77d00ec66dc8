//! SORT and SORT_RO.
//!
//! A call goes in three steps, so that nothing is borrowed from one key while another is looked up: the
//! elements are copied, each gets what it is compared by, and those asked for are sorted and written.

mod pattern;
mod request;
mod rows;

use command::{
    Args, Begin, Categories, Ctx, Deadline, Error, Find, Flags, Group, KeyFlags, KeyList, KeySpec,
    Outcome, Spec, permission,
};
use config::KeyspaceEvents;
use keyspace::{Key, Payload, Value};
use value::list::List;
use value::{Item, ObjectRef, Typed};

use crate::list::limits;
use request::Request;
use rows::Rows;

/// `SORT key [BY pattern] [LIMIT offset count] [GET pattern...] [ASC | DESC] [ALPHA] [STORE destination]`
pub const SORT: Spec = Spec {
    name: "sort",
    flags: Flags::WRITE.union(Flags::DENYOOM).union(Flags::LINEAR),
    keys: &[SOURCE, PATTERNS, DESTINATION],
    find_keys: Some(find_keys),
    needs_all: Some(|args| reaches_other_keys(args, true)),
    since: "1.0.0",
    summary: "Returns or stores the elements of a list, set or sorted set in order.",
    syntax: "key [BY pattern:pattern@1] [LIMIT offset_count=(offset:integer count:integer)] \
             [GET pattern:pattern@1]... order=[ASC | DESC] [sorting=ALPHA] [STORE destination:key@2]",
    run: |ctx, args| sort(ctx, args, true),
    ..SORT_RO
};

/// `SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern...] [ASC | DESC] [ALPHA]`
pub const SORT_RO: Spec = Spec {
    name: "sort_ro",
    arity: -2,
    flags: Flags::READONLY.union(Flags::LINEAR),
    categories: Categories::SET
        .union(Categories::SORTEDSET)
        .union(Categories::LIST)
        .union(Categories::DANGEROUS),
    group: Group::Generic,
    keys: &[SOURCE, PATTERNS],
    needs_all: Some(|args| reaches_other_keys(args, false)),
    since: "7.0.0",
    summary: "Returns the elements of a list, set or sorted set in order.",
    complexity: "O(N+M*log(M)) with N elements, of which M are returned; O(N) where they need no sorting.",
    syntax: "key [BY pattern:pattern@1] [LIMIT offset_count=(offset:integer count:integer)] \
             [GET pattern:pattern@1]... order=[ASC | DESC] [sorting=ALPHA]",
    run: |ctx, args| sort(ctx, args, false),
    ..Spec::BASE
};

const SOURCE: KeySpec = KeySpec::one(1, KeyFlags::READ);
/// The keys that patterns make are known only once the elements are.
const PATTERNS: KeySpec =
    KeySpec { flags: KeyFlags::READ, begin: Begin::Unknown, find: Find::Unknown };
const DESTINATION: KeySpec = KeySpec {
    flags: KeyFlags::OW.union(KeyFlags::UPDATE),
    begin: Begin::Unknown,
    find: Find::Unknown,
};

fn find_keys(args: Args<'_>, found: &mut KeyList) -> Result<(), Error> {
    found.push((1, SOURCE.flags));
    if let Ok(Request { destination: Some(word), .. }) = Request::parse(args, true) {
        found.push((word, DESTINATION.flags));
    }
    Ok(())
}

/// Whether a call reads keys whose names are made from the elements.
fn reaches_other_keys(args: Args<'_>, may_store: bool) -> bool {
    Request::parse(args, may_store).is_ok_and(|request| request.reaches_other_keys())
}

fn sort(ctx: &mut Ctx<'_>, args: Args<'_>, may_store: bool) -> Outcome {
    let mut request = Request::parse(args, may_store)?;
    permit(ctx, args, &request)?;
    let key = args.key(1);
    let source = match ctx.db.get(key).map(|entry| entry.value()) {
        None => None,
        Some(Value::Object(object)) => Some(object),
        Some(_) => return Err(Error::WRONG_TYPE),
    };
    // The order of a set is nobody's business, but a stored one must be the same on every replica, and scripts
    // rely on one.
    let is_kept = request.destination.is_some() || ctx.services.scripts.running().is_some();
    if !request.sorts && is_kept && matches!(source, Some(ObjectRef::Set(_))) {
        request.sort_by_text();
    }
    let mut rows = Rows::copy(source, &request)?;
    if request.sorts {
        rows.weigh(&mut ctx.db, &request)?;
        rows.sort(&request);
    }
    match request.destination {
        None => reply(ctx, &request, &rows),
        Some(word) => store(ctx, args.key(word), &request, &rows),
    }
}

/// Patterns lead to keys that nobody knows beforehand: they take the permission to read every key.
fn permit(ctx: &Ctx<'_>, args: Args<'_>, request: &Request<'_>) -> Outcome {
    let option = match (request.sorts && request.by.is_some(), request.gets.is_empty()) {
        (true, _) => "BY",
        (false, false) => "GET",
        (false, true) => return Ok(()),
    };
    let command = ctx.services.table.resolve(args);
    let (user, database) = (&ctx.session.user, ctx.db.number());
    let may = |command| permission::may_read_every_key(user, command, args, database);
    if command.is_some_and(may) {
        return Ok(());
    }
    Err(Error::new(format!(
        "ERR {option} option of SORT denied due to insufficient ACL permissions."
    )))
}

fn reply(ctx: &mut Ctx<'_>, request: &Request<'_>, rows: &Rows) -> Outcome {
    ctx.reply.array(rows.len().saturating_mul(request.columns()));
    for row in rows.texts() {
        if request.gets.is_empty() {
            ctx.reply.bulk(row);
        }
        for pattern in &request.gets {
            pattern.look_up(&mut ctx.db, row, |text| match text {
                Some(text) => ctx.reply.bulk(text),
                None => ctx.reply.null(),
            });
        }
    }
    Ok(())
}

fn store(ctx: &mut Ctx<'_>, key: Key<'_>, request: &Request<'_>, rows: &Rows) -> Outcome {
    let limits = limits(ctx.config);
    let mut list = List::new();
    let mut push = |text: &[u8]| {
        list.before_growth(1, text.len(), limits);
        list.push_back(Item::parse(text), limits);
    };
    for row in rows.texts() {
        if request.gets.is_empty() {
            push(row);
        }
        for pattern in &request.gets {
            pattern.look_up(&mut ctx.db, row, |text| push(text.unwrap_or_default()));
        }
    }
    let len = list.len();
    if len > 0 {
        ctx.db.put(key, Payload::Object(list.into_object()), Deadline::None);
        ctx.db.changed_by(len, key, KeyspaceEvents::LIST, "sortstore");
    } else if ctx.db.remove(key) {
        ctx.db.changed(key, KeyspaceEvents::GENERIC, "del");
    }
    ctx.reply.integer(len as i64);
    Ok(())
}
