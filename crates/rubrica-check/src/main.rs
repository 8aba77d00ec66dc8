//! Checks what a server has written: snapshots (RDB), append-only files, and whole directories of these, of
//! Rubrica, Redis and Valkey.
//!
//! What a path is, its content says ([`kind`]). [`snapshot`] and [`log`] read one file each and say what is in
//! it and where it is damaged; [`directory`] follows a manifest. [`own`] is this program's command line;
//! called `redis-check-rdb` or `redis-check-aof` it has theirs ([`redis`]). Encrypted files are read with the keys that
//! it is given ([`key`]); places in them are those of their content.
#![forbid(unsafe_code)]

mod directory;
mod key;
mod kind;
mod log;
mod own;
mod progress;
mod redis;
mod repair;
mod snapshot;
mod statistics;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let program = args.next().unwrap_or_default();
    let name = Path::new(&program).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (args, keys) = match key::of(args) {
        Ok(found) => found,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let keys = keys.as_ref();
    // Distributions name it after the server: redis-check-aof, valkey-check-aof.
    if name.ends_with("-check-rdb") {
        redis::check_rdb(&name, &args, keys)
    } else if name.ends_with("-check-aof") {
        redis::check_aof(&name, &args, keys)
    } else {
        own::run(&args, keys)
    }
}
