//! Black-box tests: the same cases against Rubrica and a reference server.
