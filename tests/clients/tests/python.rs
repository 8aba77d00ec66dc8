//! Other people's client libraries, used as an application would.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use suite::server::{Program, Server};

/// Status with which a script says that its library is not installed.
const NOT_INSTALLED: i32 = 77;

fn python(script: &str, protocol: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let server = Server::start(&Program::tested().unwrap(), &[]).unwrap();
    let port = server.addr().port().to_string();
    let run = Command::new(&python).arg(path).args([&port, "--protocol", protocol]).output();
    let Ok(output) = run else {
        println!("{python} does not start: left out");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{text}");
    if output.status.code() != Some(NOT_INSTALLED) {
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}\n{errors}");
    }
}

#[test]
fn redis_py_works_over_resp2() {
    python("redis_py.py", "2");
}

#[test]
fn redis_py_works_over_resp3() {
    python("redis_py.py", "3");
}
