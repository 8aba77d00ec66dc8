use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use resp::Writer;
use value::stream::{Id, Nack, Stream};

use super::{ids, no_group, reply};

/// `XPENDING key group [[IDLE min-idle-time] start end count [consumer]]`
pub const XPENDING: Spec = Spec {
    name: "xpending",
    arity: -3,
    flags: Flags::READONLY,
    group: Group::Stream,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    since: "5.0.0",
    summary: "Returns what a group has delivered and nobody has acknowledged.",
    complexity: "O(N) with N deliveries looked at; the summary O(N) with N consumers",
    syntax: "key group [filters=([IDLE min-idle-time:integer] start end count:integer \
             [consumer])]",
    history: &[("6.2.0", "`IDLE`, and ends that are excluded.")],
    tips: &["nondeterministic_output"],
    run: xpending,
    ..Spec::BASE
};

struct Filter<'a> {
    min_idle_ms: i64,
    start: Id,
    end: Id,
    count: usize,
    consumer: Option<&'a [u8]>,
}

fn xpending(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let filter = match args.len() {
        3 => None,
        6..=9 => Some(Filter::parse(args)?),
        _ => return Err(Error::SYNTAX),
    };
    let now_ms = ctx.now_ms();
    let stream = ctx.db.read::<Stream>(args.key(1))?;
    let group = stream.and_then(|stream| stream.group(args.at(2)));
    let group = group.ok_or_else(|| no_group(args, 1, 2, ""))?;
    let Some(filter) = filter else {
        summary(&mut ctx.reply, group);
        return Ok(());
    };
    let out = &mut ctx.reply;
    match filter.consumer {
        None => filter.write(out, group.pending(filter.start, filter.end), now_ms),
        Some(name) => match group.consumer(name) {
            None => out.array(0),
            Some(consumer) => {
                let deliveries = group.pending_of(consumer, filter.start, filter.end);
                filter.write(out, deliveries, now_ms);
            }
        },
    }
    Ok(())
}

impl<'a> Filter<'a> {
    fn parse(args: Args<'a>) -> Result<Self, Error> {
        let (mut min_idle_ms, mut at) = (0, 3);
        if args.is(3, "IDLE") {
            min_idle_ms = args.integer(4)?;
            if args.len() < 8 {
                return Err(Error::SYNTAX);
            }
            at = 5;
        }
        let count = usize::try_from(args.integer(at + 2)?).unwrap_or(0);
        let start = ids::start(args, at)?;
        let end = ids::end(args, at + 1)?;
        Ok(Self { min_idle_ms, start, end, count, consumer: args.get(at + 3) })
    }

    fn write<'g>(
        &self,
        out: &mut Writer<'_>,
        deliveries: impl Iterator<Item = (Id, Nack, &'g [u8])>,
        now_ms: i64,
    ) {
        // One that was given back is idle for as long as anybody asks for.
        let idle = |nack: &Nack| {
            (!nack.is_released()).then(|| now_ms.saturating_sub(nack.delivered_ms as i64))
        };
        let header = out.deferred();
        let mut count = 0;
        let old_enough = |nack: &Nack| {
            self.min_idle_ms == 0 || idle(nack).is_none_or(|idle| idle >= self.min_idle_ms)
        };
        for (id, nack, consumer) in
            deliveries.filter(|(_, nack, _)| old_enough(nack)).take(self.count)
        {
            count += 1;
            out.array(4);
            reply::id(out, id);
            out.bulk(consumer);
            out.integer(idle(&nack).map_or(-1, |idle| idle.max(0)));
            out.integer(nack.count as i64);
        }
        out.finish_array(header, count);
    }
}

fn summary(out: &mut Writer<'_>, group: &value::stream::Group) {
    out.array(4);
    out.integer(group.pending_len() as i64);
    let (Some(first), Some(last)) = (group.first_pending(), group.last_pending()) else {
        out.null();
        out.null();
        out.null_array();
        return;
    };
    reply::id(out, first);
    reply::id(out, last);
    let busy = || group.consumers().filter(|consumer| !consumer.pending().is_empty());
    out.array(busy().count());
    for consumer in busy() {
        out.array(2);
        out.bulk(consumer.name());
        out.bulk_int(consumer.pending().len() as i64);
    }
}
