//! What surrounds the run of a script or function.
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use command::scripts::{Running, Sha, Source};
use command::{Args, Ctx, DiskError, Error, Outcome, OwnedArgs};
use script::engine::Run;
use script::{Failure, Flags};

use super::caller::Caller;
use super::engines;
use crate::monitor;

/// How something is run.
pub(crate) struct Plan<'a> {
    /// The words of the command; keys begin at the third.
    pub args: Args<'a>,
    /// The number of keys.
    pub keys: usize,
    /// What it declares; none for a script that declares nothing.
    pub flags: Option<Flags>,
    /// Whether the command runs only what writes nothing.
    pub read_only: bool,
}

/// What is run.
pub(crate) enum Subject<'a> {
    /// A script.
    Script {
        /// Its name.
        sha: Sha,
        /// Its text.
        source: Arc<Source>,
    },
    /// A function.
    Function {
        /// Its name.
        name: &'a [u8],
    },
}

/// Shows the command that runs a script to those who read MONITOR's stream, before anything that the script does.
pub(crate) fn show(ctx: &Ctx<'_>, args: Args<'_>) {
    if let Some(command) = ctx.services.table.resolve(args) {
        let sender = monitor::Sender::Client;
        monitor::feed_always(ctx.services, ctx.session, (command, &args), ctx.now_us, sender);
    }
}

/// Whether a script may run, by what it declares.
fn admit(ctx: &Ctx<'_>, plan: &Plan<'_>, lacks_memory: bool) -> Outcome {
    let may_write = plan.flags.is_some_and(|flags| !flags.contains(Flags::NO_WRITES));
    if may_write && let Some(why) = DiskError::of(ctx.services, ctx.config) {
        return Err(why.script_refusal());
    }
    if plan.read_only && may_write {
        return Err(Error::fixed(
            "ERR Can not execute a script with write flag using *_ro command.",
        ));
    }
    let needs_memory =
        |flags: Flags| !flags.contains(Flags::NO_WRITES) && !flags.contains(Flags::ALLOW_OOM);
    if lacks_memory && plan.flags.is_some_and(needs_memory) {
        return Err(Error::OUT_OF_MEMORY);
    }
    Ok(())
}

/// Runs a script or function, and writes what it returns.
pub(crate) fn run(ctx: &mut Ctx<'_>, plan: Plan<'_>, subject: Subject<'_>) -> Outcome {
    let lacks_memory = ctx.services.lacks_memory(ctx.config);
    admit(ctx, &plan, lacks_memory)?;
    let (name, is_script) = match &subject {
        Subject::Script { sha, .. } => (sha.to_vec(), true),
        Subject::Function { name } => (name.to_vec(), false),
    };
    let running = Arc::new(Running {
        name: name.clone(),
        is_script,
        words: OwnedArgs::new(plan.args.iter()),
        start_ns: ctx.services.clock.monotonic_ns(),
        has_written: AtomicBool::new(false),
        killed: AtomicBool::new(false),
    });
    let services = Arc::clone(ctx.services);
    services.scripts.begin(Arc::clone(&running));
    let read_only =
        plan.read_only || plan.flags.is_some_and(|flags| flags.contains(Flags::NO_WRITES));
    let (database, protocol) = (ctx.session.database, ctx.reply.protocol());
    let mut output = Vec::new();
    let mut caller = Caller::new(ctx, Arc::clone(&running), read_only);
    if lacks_memory && plan.flags.is_none() {
        caller.spare_memory();
    }
    let mut reply = resp::Writer::new(&mut output, protocol);
    let first_argument = 3 + plan.keys;
    let mut keys = (3..first_argument).map(|word| plan.args.at(word));
    let mut arguments = plan.args.iter_from(first_argument);
    let call = Run { name: &name, keys: &mut keys, arguments: &mut arguments };
    let result = match &subject {
        Subject::Script { sha, source } => engines::with_scripts(&services, |scripts| {
            scripts.eval(&mut caller, sha, source, call, &mut reply)
        }),
        Subject::Function { name } => engines::with_functions(&services, |functions| {
            functions.call(&mut caller, name, call, &mut reply)
        }),
    };
    let is_error = result.is_err() || output.first() == Some(&b'-');
    if let Some(command) = services.table.resolve(plan.args).filter(|_| is_error) {
        ctx.db.counters().command(command.id()).failed.add(1);
    }
    // What a script selects is its own matter.
    if ctx.session.database != database {
        ctx.session.select(database);
    }
    services.scripts.end();
    match result {
        Ok(uncounted) => {
            ctx.reply.raw(&output);
            uncounted.iter().for_each(|code| count_error(ctx, code));
        }
        Err(Failure { line, counted }) => {
            ctx.reply.error_bytes(&line);
            if !counted {
                count_error(ctx, line.split(|byte| *byte == b' ').next().unwrap_or_default());
            }
        }
    }
    Ok(())
}

fn count_error(ctx: &Ctx<'_>, code: &[u8]) {
    ctx.db.counters().errors.add(1);
    ctx.services.statistics.count_error(&String::from_utf8_lossy(code));
}
