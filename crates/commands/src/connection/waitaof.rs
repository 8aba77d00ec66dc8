use aof::Awaiting;
use command::blocked::{Nothing, Wait};
use command::{Args, Categories, Ctx, Error, Flags, Group, Outcome, Spec};

use crate::timeout;

/// `WAITAOF numlocal numreplicas timeout`
pub const WAITAOF: Spec = Spec {
    name: "waitaof",
    arity: 4,
    flags: Flags::NOSCRIPT,
    categories: Categories::CONNECTION,
    group: Group::Generic,
    since: "7.2.0",
    summary: "Waits until what was written so far is durable in the append-only file.",
    complexity: "O(1)",
    syntax: "numlocal:integer numreplicas:integer timeout:integer",
    tips: &["request_policy:all_shards", "response_policy:agg_min"],
    run: waitaof,
    ..Spec::BASE
};

fn waitaof(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let local = match args.integer(1)? {
        0 => false,
        1 => true,
        _ => return Err(Error::fixed("ERR value is out of range, value must between 0 and 1")),
    };
    let replicas = u64::try_from(args.integer(2)?)
        .map_err(|_| Error::fixed("ERR value is out of range, must be positive"))?;
    let deadline_ms = timeout::deadline_from_ms(ctx, args, 3)?;
    if local && !ctx.services.aof.is_on() {
        return Err(Error::fixed(
            "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.",
        ));
    }
    // Everybody's changes so far: those of this client are among them.
    let seq = ctx.services.log.issued();
    let durable = ctx.services.aof.is_on() && ctx.services.log.durable() >= seq;
    if !ctx.may_wait || (replicas == 0 && (durable || !local)) {
        ctx.reply.array(2);
        ctx.reply.integer(i64::from(durable));
        ctx.reply.integer(0);
        return Ok(());
    }
    let client = ctx.session.client.id;
    let asked_ms = ctx.now_ms();
    ctx.services.aof.await_durable(Awaiting {
        client,
        seq,
        local,
        replicas,
        deadline_ms,
        asked_ms,
    });
    ctx.services.log.wake();
    // The journal's thread ends the wait, also when its time is over.
    let nothing = Nothing::NoneAcknowledged;
    ctx.wait(Wait { keys: Vec::new(), deadline_ms: None, nothing, retry: None, again_ms: None });
    Ok(())
}
