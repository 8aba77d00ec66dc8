//! Other people's client libraries against the server, as an application uses them.
//!
//! Each library has a script here, and a test in `tests/` that starts a server and runs it:
//! `pip install -r tests/clients/requirements.txt`, then `cargo nextest run -p clients`.
//! `PYTHON` names the interpreter. A library that is not installed is left out, with a message.
#![forbid(unsafe_code)]
