use command::{Args, Ctx, Error, Outcome};
use config::KeyspaceEvents;
use value::stream::{Id, Stream};

use super::super::{ids, logged, no_group, reply};
use super::Served;
use super::options::Options;

const LAST_ID: Error = Error::fixed(
    "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of \
     this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would \
     just return an empty result set.",
);

/// What a consumer wants of a stream.
#[derive(Clone, Copy)]
enum From {
    /// What nobody has been given yet.
    New,
    /// What this consumer has been given and has not acknowledged, after an ID.
    History(Id),
}

pub fn xreadgroup(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let options = Options::parse(ctx, args, true)?;
    let group = args.at(options.group);
    let mut wanted = Vec::with_capacity(options.streams);
    for (key, id) in options.places() {
        let stream = ctx.db.read::<Stream>(args.key(key))?;
        if stream.and_then(|stream| stream.group(group)).is_none() {
            return Err(no_group(args, key, options.group, " in XREADGROUP with GROUP option"));
        }
        wanted.push(match args.at(id) {
            b"$" => return Err(LAST_ID),
            b">" => From::New,
            _ => match ids::strict(args, id)? {
                // Redis takes the last ID of all for `>`.
                Id::MAX => From::New,
                id => From::History(id),
            },
        });
    }
    let mut out = Served::default();
    for ((key, _), &from) in options.places().zip(&wanted) {
        serve(ctx, args, &options, key, from, &mut out)?;
    }
    if !out.finish(&mut ctx.reply) {
        options.wait_or_nothing(ctx, args, None);
    }
    Ok(())
}

/// Delivers from the stream at word `key`, if there is anything.
fn serve(
    ctx: &mut Ctx<'_>,
    args: Args<'_>,
    options: &Options,
    key: usize,
    from: From,
    out: &mut Served,
) -> Outcome {
    let (group, consumer) = (args.at(options.group), args.at(options.group + 1));
    let now_ms = u64::try_from(ctx.now_ms()).unwrap_or_default();
    let Some(stream) = ctx.db.write::<Stream>(args.key(key))? else { return Ok(()) };
    let Some(state) = stream.group(group) else { return Ok(()) };
    let known = state.consumer(consumer).is_some();
    if matches!(from, From::New) && stream.after(state.last_id).next().is_none() {
        return Ok(());
    }
    let limit = options.count.unwrap_or(0);
    out.begin(&mut ctx.reply, args.at(key));
    let writer = &mut ctx.reply;
    let header = writer.deferred();
    let is_logged = ctx.effects.wanted();
    let mut delivered = Vec::new();
    let count = match from {
        From::New => stream.deliver(group, consumer, limit, options.noack, now_ms, |entry| {
            reply::entry(writer, entry);
            if is_logged {
                delivered.push(entry.id);
            }
        }),
        From::History(after) => {
            stream.replay(group, consumer, after, limit, now_ms, |id, entry| match entry {
                Some(entry) => reply::entry(writer, entry),
                None => {
                    writer.array(2);
                    reply::id(writer, id);
                    writer.null_array();
                }
            })
        }
    };
    writer.finish_array(header, count.unwrap_or(0));
    ctx.effects.not_itself();
    if ctx.effects.wanted() {
        let new = matches!(from, From::New);
        if !known && (options.noack || !new || delivered.is_empty()) {
            let words: [&[u8]; 5] = [b"XGROUP", b"CREATECONSUMER", args.at(key), group, consumer];
            ctx.effects.beside(&words);
        }
        if new {
            logged::deliveries(ctx, args.key(key), group, &delivered, options.noack);
        }
    }
    if !known {
        ctx.db.changed(args.key(key), KeyspaceEvents::STREAM, "xgroup-createconsumer");
    }
    ctx.db.add_changes(1);
    Ok(())
}
