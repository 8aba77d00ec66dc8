//! The fuzz target of this crate for a bounded time; `FUZZ_SECONDS=600` for a longer one.

#[path = "../../../fuzz/bodies/aof_file.rs"]
mod aof_file;
#[path = "../../../fuzz/bodies/drive.rs"]
mod drive;

const SEEDS: &[&[u8]] = &[
    b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n",
    b"*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n*1\r\n$4\r\nEXEC\r\n",
    b"#TS:1700000000\r\n*1\r\n$4\r\nPING\r\n",
    b"#SUM:0:0000000000000000\r\n*1\r\n$4\r\nPING\r\n#SUM:14:0123456789abcdef\r\n",
    b"file a.aof.1.base.rdb seq 1 type b\nfile a.aof.1.incr.aof seq 1 type i\n",
    b"file \"a b.aof\" seq 2 type h\n# a comment\n",
    b"file a.rdb bytes 12 crc64 0000000000000abc keys 3\n",
];

const PIECES: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"*",
    b"$",
    b"#",
    b"#SUM:",
    b"#TS:",
    b"-1",
    b"0",
    b"99999999999999999999",
    b"1073741824",
    b"file ",
    b" seq ",
    b" type ",
    b"i\n",
    b"b\n",
    b"h\n",
    b"\"",
    b"\\x00",
    b"../",
    b"\0",
    b"\xff",
];

#[test]
fn files_are_read_or_refused() {
    drive::drive(aof_file::aof_file, SEEDS, PIECES);
}

#[test]
fn whole_files_and_manifests_are_read() {
    // The first byte says where they are cut off.
    SEEDS.iter().for_each(|seed| aof_file::aof_file(&[b"\xff", *seed].concat()));
    SEEDS.iter().for_each(|seed| aof_file::aof_file(seed));
}
