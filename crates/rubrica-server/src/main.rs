//! The server's command line: an optional configuration file, then `--option value` pairs.

mod crash;
mod daemon;
mod logging;
mod logo;
mod memory;
mod schedule;
mod signals;
mod supervisor;

use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use command::{REDIS_VERSION, RUBRICA_VERSION};
use config::{Config, Files, OsFiles, Sources};
use logging::Log;
use server::{ProcessMemory, Server};
use supervisor::Supervisor;

const USAGE: &str = "\
Usage: rubrica-server [FILE] [--OPTION VALUE ...] [-]
       rubrica-server -v | --version
       rubrica-server -h | --help
       rubrica-server --help-options

  FILE              a configuration file as Redis and Valkey read it
  --OPTION VALUE    an option, as a line of the file would set it
  -                 reads more configuration from standard input
  --help-options    lists the options that are accepted and have no effect

Examples:
  rubrica-server                            serves port 6379 with the default configuration
  rubrica-server redis.conf --port 7777     an existing configuration, on another port
  rubrica-server --port 7777 --workers 2
  echo 'maxmemory 128mb' | rubrica-server -
";

/// The pid file of a server in the background that names none.
const PIDFILE_DEFAULT: &str = "/var/run/rubrica.pid";

fn main() -> ExitCode {
    let args: Vec<Vec<u8>> =
        std::env::args_os().skip(1).map(std::os::unix::ffi::OsStringExt::into_vec).collect();
    match args.first().map(Vec::as_slice) {
        Some(b"-v" | b"--version") => println!("{}", version()),
        Some(b"-h" | b"--help") => print!("{USAGE}"),
        Some(b"--help-options") => print!("{}", config::accepted_text()),
        _ => return serve(&args),
    }
    ExitCode::SUCCESS
}

fn version() -> String {
    format!(
        "Rubrica server v={RUBRICA_VERSION} redis={REDIS_VERSION} malloc={} bits={} build={}",
        memory::Memory.allocator(),
        usize::BITS,
        std::env::consts::ARCH
    )
}

/// The operating system's files, with standard input read once: whoever goes on in the background
/// reads it again.
struct Console {
    stdin: Vec<u8>,
}

impl Files for Console {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        OsFiles.read(path)
    }

    fn stdin(&self) -> io::Result<Vec<u8>> {
        Ok(self.stdin.clone())
    }

    fn names(&self, directory: &Path) -> io::Result<Vec<String>> {
        OsFiles.names(directory)
    }

    fn directory(&self, path: &Path) -> io::Result<PathBuf> {
        OsFiles.directory(path)
    }
}

fn serve(args: &[Vec<u8>]) -> ExitCode {
    let mut sources = Sources::from_args(args);
    // The server leaves the directory that it was started in.
    sources.file = sources.file.map(|path| std::path::absolute(&path).unwrap_or(path));
    let mut stdin = Vec::new();
    if sources.stdin && io::stdin().lock().read_to_end(&mut stdin).is_err() {
        eprintln!("Fatal error, can't read the configuration from standard input");
        return ExitCode::FAILURE;
    }
    let files = Console { stdin };
    let config = match Config::load(&sources, &files) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let supervisor = Supervisor::find(config.supervised);
    if config.daemonize && !supervisor.is_there() {
        if !daemon::is_background() {
            return match daemon::start(&files.stdin) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("Can't start in the background: {error}");
                    ExitCode::FAILURE
                }
            };
        }
        daemon::detach();
    }
    if let Err(error) = std::env::set_current_dir(&config.dir) {
        eprintln!("Can't chdir to '{}': {error}", config.dir);
        return ExitCode::FAILURE;
    }
    let log = match Log::start(&config) {
        Ok(log) => log,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    match run(config, &Arc::new(log), &supervisor) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::warn!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(config: Config, log: &Arc<Log>, supervisor: &Supervisor) -> Result<(), String> {
    let (port, daemonize) = (config.port, config.daemonize);
    let show_logo = config.always_show_logo || (log.is_stdout() && io::stdout().is_terminal());
    let pidfile = PidFile::for_config(&config);
    tracing::info!("Rubrica {RUBRICA_VERSION} is starting, bits={}, pid={}", usize::BITS, pid());
    if config.file.is_some() {
        tracing::info!("Configuration loaded");
    }
    for ignored in config.ignored() {
        tracing::warn!("The option '{ignored}' is accepted for compatibility and has no effect");
    }
    if daemonize && supervisor.is_there() {
        tracing::warn!("The option 'daemonize' has no effect under a supervisor");
    }
    let server =
        Server::start(config, Box::new(memory::Memory)).map_err(|error| error.to_string())?;
    server.set_supervisor(supervisor.name());
    log.follow(&server.services().config);
    if let Err(error) = crash::report_to(log, server.services()) {
        tracing::warn!("Crashes cannot be reported: {error}");
    }
    if show_logo {
        log.raw(&logo::logo(port, server.services().host.workers()));
    } else {
        tracing::info!("Running mode=standalone, port={port}, PID: {}.", pid());
    }
    pidfile.write();
    signals::listen(&server)?;
    tracing::info!("Server initialized");
    server.load().map_err(|error| error.to_string())?;
    tracing::info!("Ready to accept connections");
    supervisor.ready();
    server.wait();
    supervisor.stopping();
    tracing::warn!("User requested shutdown...");
    pidfile.remove();
    tracing::warn!("Rubrica is now ready to exit, bye bye...");
    Ok(())
}

fn pid() -> u32 {
    std::process::id()
}

/// The file that tells others the process's number.
struct PidFile(Option<PathBuf>);

impl PidFile {
    fn for_config(config: &Config) -> Self {
        Self(match config.pidfile.as_str() {
            "" if config.daemonize => Some(PathBuf::from(PIDFILE_DEFAULT)),
            "" => None,
            path => Some(PathBuf::from(path)),
        })
    }

    fn write(&self) {
        let Some(path) = &self.0 else { return };
        if let Err(error) = std::fs::write(path, format!("{}\n", pid())) {
            tracing::warn!("Failed to write PID file: {error}");
        }
    }

    fn remove(&self) {
        if let Some(path) = &self.0
            && std::fs::remove_file(path).is_ok()
        {
            tracing::info!("Removing the pid file.");
        }
    }
}
