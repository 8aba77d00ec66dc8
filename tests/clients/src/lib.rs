//! Other people's client libraries against the server, as an application uses them.
//!
//! Each library has a script here, and a test in `tests/` that starts a server and runs it:
//! `pip install -r tests/clients/requirements.txt`, then `cargo nextest run -p clients`.
//! `PYTHON` names the interpreter. A library that is not installed is left out, with a message.
//!
//! `applications/` holds whole applications, each a script and a list of packages; its test installs them in the
//! target folder and runs the script against Rubrica and a real `redis-server`. Without access to packages it is
//! left out, with a message.
#![forbid(unsafe_code)]
