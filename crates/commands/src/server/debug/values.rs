//! Subcommands of `DEBUG` that show or make single values.

use command::{Args, Ctx, Deadline, Error, Outcome};
use keyspace::access;
use keyspace::{EntryRef, Value};
use value::ObjectRef;

use crate::generic::object::encoding_name;

/// `DEBUG OBJECT key`: a line of figures, in the form that test suites take apart.
pub(super) fn object(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let now_ms = ctx.now_ms();
    let (key, physical) = (args.key(2), ctx.db.physical());
    // Whatever is there, even if its time has come and nobody else sees it.
    let stored = ctx.db.shard_of(key.hash()).db(physical).and_then(|db| db.get(key));
    let entry = stored.ok_or(Error::NO_SUCH_KEY)?;
    let idle = access::idle_seconds(entry.access(), now_ms);
    let encoding = encoding_name(entry.value());
    let mut line = format!(
        "Value at:0x{:x} refcount:1 encoding:{encoding} serializedlength:{} lru:{} \
         lru_seconds_idle:{idle}",
        entry.key().as_ptr() as usize,
        payload_bytes(entry.value()),
        entry.access(),
    );
    if let Value::Object(ObjectRef::List(list)) = entry.value()
        && encoding == "quicklist"
    {
        let nodes = list.nodes().count();
        line += &format!(
            " ql_nodes:{nodes} ql_avg_node:{:.2} ql_listpack_max:{} ql_compressed:{} \
             ql_uncompressed_size:{}",
            list.len() as f64 / nodes.max(1) as f64,
            ctx.config.list_max_listpack_size,
            u8::from(ctx.config.list_compress_depth != 0),
            list.heap_bytes(),
        );
    }
    ctx.reply.simple(&line);
    Ok(())
}

/// Bytes of a value: an estimate of what it takes in a snapshot.
fn payload_bytes(value: Value<'_>) -> usize {
    match value {
        Value::Bytes(bytes) => bytes.len() + 1,
        Value::Int(number) => match number.unsigned_abs() {
            0..=0x7f => 2,
            0x80..=0x7fff => 3,
            0x8000..=0x7fff_ffff => 5,
            _ => number.to_string().len() + 1,
        },
        Value::Object(object) => object.heap_bytes(),
    }
}

/// The entry at the word at 2, for subcommands that refuse to go on without one.
fn existing<'a>(ctx: &'a mut Ctx<'_>, args: Args<'_>) -> Result<EntryRef<'a>, Error> {
    ctx.db.inspect_quietly(args.key(2)).ok_or(Error::NO_SUCH_KEY)
}

/// `DEBUG SDSLEN key`
pub(super) fn string_length(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let entry = ctx.db.peek(args.key(2)).ok_or(Error::NO_SUCH_KEY)?;
    let (len, room) = match entry.value() {
        Value::Bytes(bytes) => (bytes.len(), 0),
        Value::Object(ObjectRef::String(bytes)) => (bytes.len(), bytes.capacity() - bytes.len()),
        _ => return Err(Error::fixed("ERR Not an sds encoded string.")),
    };
    let key = entry.key().len();
    let line = format!(
        "key_sds_len:{key}, key_sds_avail:0, key_zmalloc: {}, val_sds_len:{len}, \
         val_sds_avail:{room}, val_zmalloc: {}",
        entry.block_bytes(),
        entry.heap_bytes(),
    );
    ctx.reply.simple(&line);
    Ok(())
}

/// `DEBUG LISTPACK key`
pub(super) fn listpack(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if encoding_name(existing(ctx, args)?.value()) != "listpack" {
        return Err(Error::fixed("ERR Not a listpack encoded object."));
    }
    ctx.reply.simple("Listpack structure printed on stdout");
    Ok(())
}

/// `DEBUG QUICKLIST key [level]`
pub(super) fn quicklist(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if encoding_name(existing(ctx, args)?.value()) != "quicklist" {
        return Err(Error::fixed("ERR Not a quicklist encoded object."));
    }
    ctx.reply.simple("Quicklist structure printed on stdout");
    Ok(())
}

/// `DEBUG HTSTATS database`
pub(super) fn table_statistics(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let databases = ctx.services.keyspace.databases();
    let number = usize::try_from(args.integer(2)?)
        .ok()
        .filter(|number| *number < databases)
        .ok_or(Error::fixed("ERR Out of range database"))?;
    let (keys, volatile, bytes) = ctx.db.within(number, |db| db.table_figures());
    let text = format!(
        "[Dictionary HT]\n{}[Expires HT]\n{}Table and index bytes: {bytes}\n",
        statistics("main hash table", keys),
        statistics("main hash table", volatile),
    );
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(())
}

/// `DEBUG HTSTATS-KEY key`
pub(super) fn value_statistics(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let value = existing(ctx, args)?.value();
    let members = match value {
        Value::Object(ObjectRef::Set(set)) => set.len(),
        Value::Object(ObjectRef::Hash(hash)) => hash.len(),
        Value::Object(ObjectRef::SortedSet(zset)) => zset.len(),
        _ => 0,
    };
    if !matches!(encoding_name(value), "hashtable" | "skiplist") {
        return Err(Error::fixed(
            "ERR The value stored at the specified key is not represented using an hash table",
        ));
    }
    let text = format!("[Dictionary HT]\n{}", statistics("main hash table", members as u64));
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(())
}

fn statistics(table: &str, elements: u64) -> String {
    if elements == 0 {
        return "No stats available for empty dictionaries\n".into();
    }
    format!("Hash table 0 stats ({table}):\n number of elements: {elements}\n")
}

/// `DEBUG POPULATE count [prefix] [size]`
pub(super) fn populate(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let count = positive(args, 2)?;
    let prefix = args.get(3).unwrap_or(b"key");
    let size = if args.len() == 5 { positive(args, 4)? } else { 0 };
    // Before the first key is made: a value that could never be stored.
    if size as u64 > ctx.config.proto_max_bulk_len {
        return Err(Error::STRING_TOO_LONG);
    }
    let mut name = Vec::new();
    for number in 0..count {
        name.clear();
        name.extend_from_slice(prefix);
        name.extend_from_slice(format!(":{number}").as_bytes());
        let key = keyspace::Key::new(&name);
        if ctx.db.contains(key) {
            continue;
        }
        let mut text = format!("value:{number}").into_bytes();
        if size > 0 {
            text.resize(size as usize, 0);
        }
        ctx.db.put(key, keyspace::Payload::Bytes(&text), Deadline::None);
        ctx.db.mark(key);
    }
    ctx.reply.ok();
    Ok(())
}

/// The word at `word` as a number that is not negative.
fn positive(args: Args<'_>, word: usize) -> Result<i64, Error> {
    let number = args.integer(word).ok().filter(|number| *number >= 0);
    number.ok_or(Error::fixed("ERR value is out of range, must be positive"))
}

/// `DEBUG STRUCTSIZE`
pub(super) fn struct_sizes(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let line = format!("bits:{} object:{} ", usize::BITS, size_of::<value::Object>());
    ctx.reply.bulk(line.as_bytes());
    Ok(())
}
