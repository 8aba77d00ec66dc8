//! What the tests need beyond Rust: a Redis server to compare with, its Python client, and what makes disks fail.
//! Node.js is not installed: who has npm runs BullMQ's test too.

use anyhow::{Result, bail};
use std::process::{Command, Stdio};

/// The Python client that the compatibility tests were written against.
const PYTHON_CLIENT: &str = "redis==8.1.0";

struct Need {
    name: &'static str,
    /// Succeeds when the need is met.
    probe: &'static [&'static str],
    /// Each is run in turn until the probe succeeds.
    installs: &'static [&'static [&'static str]],
}

const NEEDS: &[Need] = &[
    Need {
        name: "redis-server (the reference that answers are compared with)",
        probe: SERVER_PROBE,
        installs: &[APT_REDIS, APT_UPDATE, APT_REDIS],
    },
    Need {
        name: "redis-cli",
        probe: &["redis-cli", "--version"],
        installs: &[APT_REDIS, APT_UPDATE, APT_REDIS],
    },
    Need {
        name: "strace (system calls are made to fail)",
        probe: &["strace", "--version"],
        installs: &[APT_STRACE, APT_UPDATE, APT_STRACE],
    },
    Need {
        name: "python3 with pip",
        probe: &["python3", "-m", "pip", "--version"],
        installs: &[APT_PIP, APT_UPDATE, APT_PIP],
    },
    Need {
        name: "the Python package redis",
        probe: &["python3", "-c", "import redis"],
        installs: &[
            &["python3", "-m", "pip", "install", "--quiet", PYTHON_CLIENT],
            // Debian marks its Python as its own; pip before version 23 does not know the flag.
            &[
                "python3",
                "-m",
                "pip",
                "install",
                "--quiet",
                "--break-system-packages",
                PYTHON_CLIENT,
            ],
        ],
    },
];

const SERVER_PROBE: &[&str] = &["redis-server", "--version"];
const APT_UPDATE: &[&str] = &["apt-get", "update", "-qq"];
const APT_REDIS: &[&str] =
    &["apt-get", "install", "-y", "-qq", "--no-install-recommends", "redis-server", "redis-tools"];
const APT_STRACE: &[&str] =
    &["apt-get", "install", "-y", "-qq", "--no-install-recommends", "strace"];
const APT_PIP: &[&str] =
    &["apt-get", "install", "-y", "-qq", "--no-install-recommends", "python3", "python3-pip"];

/// Installs what is missing when run as root; else says what to run.
pub(crate) fn check() -> Result<()> {
    if !quiet(&["npm", "--version"]) {
        println!(
            "    note: BullMQ's test is left out: there is no npm (apt-get install nodejs npm)"
        );
    }
    let missing: Vec<_> = NEEDS.iter().filter(|need| !quiet(need.probe)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !is_root() {
        let mut text = String::new();
        for need in missing {
            let command = need.installs.last().map(|words| words.join(" ")).unwrap_or_default();
            text.push_str(&format!("\n  {}: `{command}` as root", need.name));
        }
        bail!("the tests need{text}");
    }
    for need in missing {
        install(need)?;
    }
    Ok(())
}

fn install(need: &Need) -> Result<()> {
    println!("    installing {}", need.name);
    let had_server = quiet(SERVER_PROBE);
    for words in need.installs {
        // An earlier need may have brought this one along.
        if quiet(need.probe) {
            return Ok(());
        }
        // Its failure shows in the probe; the next one may do better.
        quiet(words);
    }
    if !had_server && quiet(SERVER_PROBE) {
        // Debian starts the service it installs; the tests start their own servers.
        let _ = quiet(&["systemctl", "stop", "redis-server"])
            || quiet(&["service", "redis-server", "stop"]);
    }
    if quiet(need.probe) {
        return Ok(());
    }
    let command = need.installs.last().map(|words| words.join(" ")).unwrap_or_default();
    bail!("could not install {}; try `{command}`", need.name)
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Whether the command can be run and succeeds.
fn quiet(words: &[&str]) -> bool {
    let Some((program, arguments)) = words.split_first() else { return false };
    let status = Command::new(program)
        .args(arguments)
        // A package's scripts must not wait for an answer.
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}
