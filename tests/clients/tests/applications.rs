//! Applications as they are in use: what they keep in a server, they find there again. The same scripts pass against a
//! real `redis-server`, which shows that they ask for nothing else.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use suite::server::{Program, Server};

/// Status with which a script says that its packages are not installed.
const NOT_INSTALLED: i32 = 77;
/// What installing packages may take.
const INSTALL_TIME: Duration = Duration::from_secs(180);
/// What an application may take; each needs a few seconds.
const RUN_TIME: Duration = Duration::from_secs(60);

/// Runs a command; none when it does not start or does not end in time.
fn run(command: &mut Command, time: Duration) -> Option<Output> {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().ok()?;
    let until = Instant::now() + time;
    // What they print fits into the pipes.
    while child.try_wait().ok()?.is_none() {
        if Instant::now() > until {
            child.kill().ok()?;
            child.wait().ok()?;
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().ok()
}

/// An interpreter with an application's packages, installed once for a list of them; none when that is
/// impossible.
fn interpreter(name: &str, folder: &Path) -> Option<PathBuf> {
    let wanted = std::fs::read(folder.join(format!("{name}.txt"))).unwrap();
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("python-{name}"));
    let (python, installed) = (environment.join("bin/python"), environment.join("installed.txt"));
    if std::fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Some(python);
    }
    let base = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let made =
        run(Command::new(base).args(["-m", "venv", "--clear"]).arg(&environment), INSTALL_TIME)?;
    if !made.status.success() {
        return None;
    }
    let list = folder.join(format!("{name}.txt"));
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(list);
    if !run(&mut pip, INSTALL_TIME)?.status.success() {
        return None;
    }
    std::fs::write(installed, wanted).ok()?;
    Some(python)
}

/// The folder with a JavaScript application's packages, as [`interpreter`] does it.
fn modules(packages: &[&str]) -> Option<PathBuf> {
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("node-applications");
    let (wanted, installed) = (packages.join("\n"), environment.join("installed.txt"));
    if std::fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return Some(environment);
    }
    std::fs::create_dir_all(&environment).ok()?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund", "--no-save", "--prefix"]);
    npm.arg(&environment).args(packages);
    if !run(&mut npm, INSTALL_TIME)?.status.success() {
        return None;
    }
    std::fs::write(installed, wanted).ok()?;
    Some(environment)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("applications")
}

/// Runs a Python application.
fn application(name: &str) {
    let Some(python) = interpreter(name, &folder()) else {
        println!("{name}: left out, its packages cannot be installed");
        return;
    };
    at_both(name, |port| {
        let mut script = Command::new(&python);
        script.arg(folder().join(format!("{name}.py"))).arg(port);
        script
    });
}

/// Runs an application at both servers.
fn at_both(name: &str, command: impl Fn(&str) -> Command) {
    let programs = [Some(Program::tested().unwrap()), Program::reference()];
    for program in programs.into_iter().flatten() {
        let server = Server::start(&program, &[]).unwrap();
        let mut script = command(&server.addr().port().to_string());
        let output = run(&mut script, RUN_TIME);
        let at = program.path.display();
        let output = output.unwrap_or_else(|| panic!("{name} does not end at {at}"));
        let text = String::from_utf8_lossy(&output.stdout);
        println!("{at}\n{text}");
        if output.status.code() == Some(NOT_INSTALLED) {
            return;
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name} at {at}\n{text}\n{errors}");
    }
}

#[test]
fn rq_queues_and_runs_jobs() {
    application("rq_queue");
}

#[test]
fn django_caches_and_locks() {
    application("django_cache");
}

#[test]
fn celery_sends_tasks_and_gets_their_results() {
    application("celery_tasks");
}

#[test]
fn bullmq_delays_orders_and_repeats_jobs() {
    let Some(modules) = modules(&["bullmq@6.7.0", "ioredis@5.11.1"]) else {
        println!("BullMQ: left out, npm cannot install it");
        return;
    };
    at_both("BullMQ", |port| {
        let mut script = Command::new("node");
        script.arg(folder().join("bullmq_jobs.mjs")).arg(port).arg(&modules);
        script
    });
}
