//! Configuration: one declaration per option, the file format, CONFIG GET, SET and REWRITE
