use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use config::KeyspaceEvents;
use keyspace::Key;
use value::stream::{Claim, Claimed, Id, Stream};

use super::logged::{self, Held};
use super::{ids, no_group, reply};

/// `XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] ...`
pub const XCLAIM: Spec = Spec {
    name: "xclaim",
    arity: -6,
    flags: Flags::WRITE.union(Flags::FAST),
    group: Group::Stream,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::UPDATE))],
    since: "5.0.0",
    summary: "Gives pending entries to another consumer, and returns them.",
    complexity: "O(log N) per entry, with N entries pending in the group",
    syntax: "key group consumer min-idle-time id... [IDLE ms:integer] \
             [TIME unix-time-milliseconds:unix-time] [RETRYCOUNT count:integer] [force=FORCE] \
             [justid=JUSTID] [LASTID id]",
    tips: &["nondeterministic_output"],
    run: xclaim,
    ..Spec::BASE
};

/// `XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]`
pub const XAUTOCLAIM: Spec = Spec {
    name: "xautoclaim",
    arity: -6,
    flags: Flags::WRITE.union(Flags::FAST),
    group: Group::Stream,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::DELETE))],
    since: "6.2.0",
    summary: "Gives entries that have been pending for long to a consumer, and returns them.",
    complexity: "O(1) for a small COUNT",
    syntax: "key group consumer min-idle-time start [COUNT count:integer] [justid=JUSTID]",
    history: &[("7.0.0", "The reply lists pending entries that had been deleted.")],
    tips: &["nondeterministic_output"],
    run: xautoclaim,
    ..Spec::BASE
};

/// The greatest COUNT of XAUTOCLAIM, as in Redis.
const COUNT_MAX: i64 = i64::MAX / 16;

fn xclaim(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let key = args.key(1);
    let now_ms = ctx.now_ms();
    let stream = ctx.db.write::<Stream>(key)?;
    let group_name = args.at(2);
    let Some(stream) = stream.filter(|stream| stream.group(group_name).is_some()) else {
        return Err(no_group(args, 1, 2, ""));
    };
    let mut claim = Claim { min_idle_ms: min_idle(args, "XCLAIM")?, ..Claim::default() };
    let wanted: Vec<Id> = args.iter_from(5).map_while(ids::parse).collect();
    let last_id = read_options(args, 5 + wanted.len(), &mut claim, now_ms)?;
    let mut changes = 0;
    let known = stream.group_mut(group_name).is_some_and(|group| {
        if last_id > group.last_id {
            group.last_id = last_id;
            changes += 1;
        }
        group.consumer(args.at(3)).is_some()
    });
    let moved_on = changes;
    let header = ctx.reply.deferred();
    let mut claimed = 0;
    let is_logged = ctx.effects.wanted();
    let mut held = Vec::new();
    for id in wanted {
        let holder = |stream: &Stream| {
            let group = stream.group(group_name).filter(|_| is_logged);
            group.and_then(|group| logged::held(group, id)).map(|held| (id, held))
        };
        let before = holder(stream);
        match stream.claim(group_name, args.at(3), id, claim, now_ms as u64) {
            Some(Claimed::Done) => {
                claimed += 1;
                changes += 1;
                held.extend(holder(stream));
                match stream.get(id) {
                    Some(entry) if !claim.just_id => reply::entry(&mut ctx.reply, entry),
                    _ => reply::id(&mut ctx.reply, id),
                }
            }
            Some(Claimed::Gone) => {
                changes += 1;
                held.extend(before);
            }
            Some(Claimed::Left) | None => {}
        }
    }
    ctx.reply.finish_array(header, claimed);
    // The new last ID counts only where nothing else does.
    if changes > moved_on {
        changes -= moved_on;
    }
    ctx.effects.not_itself();
    logged::claims(ctx, key, group_name, &held);
    if is_logged && moved_on > 0 && held.is_empty() {
        logged::progress(ctx, key, group_name);
    }
    note(ctx, key, group_name, args.at(3), known, changes);
    Ok(())
}

/// Counts changes, and tells of the consumer if it is new.
fn note(ctx: &mut Ctx<'_>, key: Key<'_>, group: &[u8], consumer: &[u8], known: bool, changes: u64) {
    let made = !known
        && ctx.db.write::<Stream>(key).is_ok_and(|stream| {
            let group = stream.and_then(|stream| stream.group(group));
            group.is_some_and(|group| group.consumer(consumer).is_some())
        });
    if made {
        ctx.db.changed(key, KeyspaceEvents::STREAM, "xgroup-createconsumer");
    }
    ctx.db.add_changes(changes);
}

fn min_idle(args: Args<'_>, command: &str) -> Result<u64, Error> {
    let idle = args
        .integer(4)
        .map_err(|_| Error::new(format!("ERR Invalid min-idle-time argument for {command}")))?;
    Ok(u64::try_from(idle).unwrap_or(0))
}

/// Reads XCLAIM's options from `word` on and gives LASTID, or 0-0.
fn read_options(
    args: Args<'_>,
    mut word: usize,
    claim: &mut Claim,
    now_ms: i64,
) -> Result<Id, Error> {
    let mut last_id = Id::MIN;
    let value = |word: usize, name: &str| {
        args.integer(word + 1)
            .map_err(|_| Error::new(format!("ERR Invalid {name} option argument for XCLAIM")))
    };
    // A moment before the epoch or yet to come cannot be meant: now does.
    let moment = |at: i64| (0..=now_ms).contains(&at).then_some(at as u64);
    while word < args.len() {
        let has_value = word + 1 < args.len();
        if args.is(word, "FORCE") {
            claim.force = true;
            word += 1;
            continue;
        } else if args.is(word, "JUSTID") {
            claim.just_id = true;
            word += 1;
            continue;
        } else if has_value && args.is(word, "IDLE") {
            claim.delivered_ms = moment(now_ms.wrapping_sub(value(word, "IDLE")?));
        } else if has_value && args.is(word, "TIME") {
            claim.delivered_ms = moment(value(word, "TIME")?);
        } else if has_value && args.is(word, "RETRYCOUNT") {
            claim.count = u64::try_from(value(word, "RETRYCOUNT")?).ok();
        } else if has_value && args.is(word, "LASTID") {
            last_id = ids::strict(args, word + 1)?;
        } else {
            let option = args.text(word);
            return Err(Error::new(format!("ERR Unrecognized XCLAIM option '{option}'")));
        }
        word += 2;
    }
    Ok(last_id)
}

fn xautoclaim(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut claim = Claim { min_idle_ms: min_idle(args, "XAUTOCLAIM")?, ..Claim::default() };
    let start = ids::start(args, 5)?;
    let mut count = 100;
    let mut word = 6;
    while word < args.len() {
        if args.is(word, "COUNT") && word + 1 < args.len() {
            let given = args.integer(word + 1).ok().filter(|n| (1..=COUNT_MAX).contains(n));
            let given = given.ok_or(Error::fixed("ERR COUNT must be > 0"))?;
            count = usize::try_from(given).unwrap_or(usize::MAX);
            word += 1;
        } else if args.is(word, "JUSTID") {
            claim.just_id = true;
        } else {
            return Err(Error::SYNTAX);
        }
        word += 1;
    }
    let key = args.key(1);
    let now_ms = ctx.now_ms() as u64;
    let (group, consumer) = (args.at(2), args.at(3));
    let Some(stream) = ctx.db.write::<Stream>(key)? else {
        return Err(no_group(args, 1, 2, ""));
    };
    let known = stream.group(group).is_some_and(|group| group.consumer(consumer).is_some());
    let is_logged = ctx.effects.wanted();
    let orphans = if is_logged { orphans(stream, group, start, count) } else { Vec::new() };
    let result = stream
        .auto_claim(group, consumer, start, count, claim, now_ms)
        .ok_or_else(|| no_group(args, 1, 2, ""))?;
    let out = &mut ctx.reply;
    out.array(3);
    reply::id(out, result.next);
    if claim.just_id {
        out.array(result.claimed.len());
        result.claimed.iter().for_each(|id| reply::id(out, *id));
    } else {
        reply::entries(out, stream.entries(&result.claimed));
    }
    out.array(result.deleted.len());
    result.deleted.iter().for_each(|id| reply::id(out, *id));
    ctx.effects.not_itself();
    if is_logged {
        let state = stream.group(group);
        let claimed = result.claimed.iter();
        let mut held: Vec<(Id, Held)> = claimed
            .filter_map(|id| Some((*id, logged::held(state?, *id)?)))
            .chain(orphans.into_iter().filter(|(id, _)| result.deleted.contains(id)))
            .collect();
        held.sort_by_key(|(id, _)| *id);
        logged::claims(ctx, key, group, &held);
    }
    let changes = (result.claimed.len() + result.deleted.len()) as u64;
    note(ctx, key, group, consumer, known, changes);
    Ok(())
}

/// Who holds entries that are gone, as far as XAUTOCLAIM will look.
fn orphans(stream: &Stream, group: &[u8], start: Id, count: usize) -> Vec<(Id, Held)> {
    let Some(state) = stream.group(group) else { return Vec::new() };
    let pending = state.pending(start, Id::MAX).take(count.saturating_mul(10));
    pending
        .filter(|(id, _, _)| stream.get(*id).is_none())
        .filter_map(|(id, _, _)| Some((id, logged::held(state, id)?)))
        .collect()
}
