//! Every command: a folder per family, a file per command or per handful that share one shape
