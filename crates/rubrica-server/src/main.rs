//! The server's command line: an optional configuration file, then `--option value` pairs.

mod logging;
mod memory;

use std::process::ExitCode;

use command::Shutdown;
use config::{Config, OsFiles, Sources};
use server::Server;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

const USAGE: &str = "\
Usage: rubrica-server [FILE] [--OPTION VALUE ...] [-]
       rubrica-server -v | --version
       rubrica-server -h | --help

  FILE              a configuration file as Redis and Valkey read it
  --OPTION VALUE    an option, as a line of the file would set it
  -                 reads more configuration from standard input

Examples:
  rubrica-server                            serves port 6379 with the default configuration
  rubrica-server redis.conf --port 7777     an existing configuration, on another port
  rubrica-server --port 7777 --workers 2
";

fn main() -> ExitCode {
    let args: Vec<Vec<u8>> =
        std::env::args_os().skip(1).map(std::os::unix::ffi::OsStringExt::into_vec).collect();
    match args.first().map(Vec::as_slice) {
        Some(b"-v" | b"--version") => {
            println!(
                "Rubrica server v={} bits={} build={}",
                env!("CARGO_PKG_VERSION"),
                usize::BITS,
                std::env::consts::ARCH
            );
            return ExitCode::SUCCESS;
        }
        Some(b"-h" | b"--help") => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let config = match Config::load(&Sources::from_args(&args), &OsFiles) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    match run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(config: Config) -> Result<(), String> {
    logging::start(&config)?;
    let pidfile = config.pidfile.clone();
    let port = config.port;
    tracing::info!("Rubrica {} starting, PID: {}", env!("CARGO_PKG_VERSION"), std::process::id());
    for ignored in config.ignored() {
        tracing::warn!("The option '{ignored}' is accepted for compatibility and has no effect");
    }
    std::env::set_current_dir(&config.dir)
        .map_err(|error| format!("Can't chdir to '{}': {error}", config.dir))?;
    let server =
        Server::start(config, Box::new(memory::Memory)).map_err(|error| error.to_string())?;
    if !pidfile.is_empty() {
        let written = std::fs::write(&pidfile, format!("{}\n", std::process::id()));
        written.map_err(|error| format!("Can't write the pid file '{pidfile}': {error}"))?;
    }
    listen_to_signals(&server)?;
    tracing::info!("Server initialized, PID: {}, port {port}", std::process::id());
    tracing::info!("Ready to accept connections");
    server.wait();
    if !pidfile.is_empty() {
        let _ = std::fs::remove_file(&pidfile);
    }
    tracing::info!("Rubrica is now ready to exit, bye bye...");
    Ok(())
}

/// SIGTERM and SIGINT end the server in order; SIGHUP, which a closed terminal sends, is ignored.
fn listen_to_signals(server: &Server) -> Result<(), String> {
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP])
        .map_err(|error| format!("cannot listen to signals: {error}"))?;
    let stop = server.stopper();
    let run = move || {
        for signal in &mut signals {
            let name = match signal {
                SIGTERM => "SIGTERM",
                SIGINT => "SIGINT",
                _ => continue,
            };
            tracing::warn!("Received {name} scheduling shutdown...");
            stop(Shutdown::default());
        }
    };
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(run)
        .map(drop)
        .map_err(|error| error.to_string())
}
