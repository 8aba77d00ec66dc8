//! Black-box tests: the same cases against Rubrica and a reference server.
//!
//! [`case`] reads case files, [`runner`] plays them against a [`server`], [`bless`] fills in what
//! the reference answers, [`coverage`] says which commands no case exercises; [`differ`] compares the
//! two servers under random commands. How to write a case
//! stands in this package's README.
#![forbid(unsafe_code)]

pub mod args;
pub mod bless;
pub mod case;
pub mod client;
pub mod coverage;
pub mod differ;
pub mod disk;
pub mod durable;
pub mod effects;
pub mod facts;
pub mod faults;
pub mod journal;
pub mod linear;
pub mod pattern;
pub mod pattern_parse;
pub mod reply;
pub mod runner;
pub mod server;
pub mod text;
