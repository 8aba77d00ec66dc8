use std::process;
use std::sync::Arc;

use command::Shutdown;
use server::Server;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

/// SIGTERM and SIGINT end the server as the configuration says; the second SIGINT ends it at once.
/// SIGHUP, which a closed terminal sends as well, lets encryption keys be read again; SIGXFSZ is ignored: that a file may not grow is an error of
/// its writer.
///
/// # Errors
/// When the signals cannot be caught, or no thread can be started.
pub fn listen(server: &Server) -> Result<(), String> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGXFSZ])
        .map_err(|error| format!("cannot listen to signals: {error}"))?;
    let stop = server.stopper();
    let reload_keys = Arc::new(server.key_reloader());
    let store = server.services().config.clone();
    let run = move || {
        let mut asked = false;
        for signal in &mut signals {
            let config = store.load();
            let (name, words) = match signal {
                SIGTERM => ("SIGTERM", &config.shutdown_on_sigterm),
                SIGINT => ("SIGINT", &config.shutdown_on_sigint),
                SIGHUP => {
                    // A command that prints keys takes its time.
                    let reload_keys = Arc::clone(&reload_keys);
                    let thread = std::thread::Builder::new().name("keys".into());
                    let _ = thread.spawn(move || reload_keys());
                    continue;
                }
                _ => continue,
            };
            if asked && signal == SIGINT {
                tracing::warn!("You insist... exiting now.");
                process::exit(1);
            }
            tracing::warn!("Received {name} scheduling shutdown...");
            // A server that cannot save goes on, and may be asked again.
            asked = stop(how(words));
        }
    };
    let thread = std::thread::Builder::new().name("signals".into()).spawn(run);
    thread.map(drop).map_err(|error| error.to_string())
}

/// What `shutdown-on-sigterm` and `shutdown-on-sigint` say.
fn how(words: &[&'static str]) -> Shutdown {
    let has = |word| words.contains(&word);
    let save = match (has("save"), has("nosave")) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    };
    Shutdown { save, now: has("now"), force: has("force") }
}
