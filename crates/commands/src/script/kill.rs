use std::sync::atomic::Ordering;

use command::{Ctx, Error, Outcome};

use super::caller::busy_error;

/// Ends the script or function that runs, if that is what runs and it has written nothing.
pub(crate) fn kill(ctx: &mut Ctx<'_>, is_script: bool) -> Outcome {
    let Some(running) = ctx.services.scripts.running() else {
        return Err(Error::fixed("NOTBUSY No scripts in execution right now."));
    };
    if running.has_written.load(Ordering::Relaxed) {
        return Err(Error::fixed(
            "UNKILLABLE Sorry the script already executed write commands against the dataset. You can \
             either wait the script termination or kill the server in a hard way using the SHUTDOWN \
             NOSAVE command.",
        ));
    }
    if running.is_script != is_script {
        return Err(busy_error(running.is_script));
    }
    running.killed.store(true, Ordering::Relaxed);
    ctx.reply.ok();
    Ok(())
}
