//! The fuzz target of this crate for a bounded time; `FUZZ_SECONDS=600` for a longer one.

#[path = "../../../fuzz/bodies/append_only.rs"]
mod append_only;
#[path = "../../../fuzz/bodies/drive.rs"]
mod drive;

const SEEDS: &[&[u8]] = &[
    b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n",
    b"#TS:1700000000\r\n*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n*1\r\n$4\r\nEXEC\r\n",
    b"#SUM:0:0\r\n*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n#SUM:22:0123456789abcdef\r\n",
    b"file appendonly.aof.2.base.rdb seq 2 type b\nfile appendonly.aof.3.incr.aof seq 3 type i\n",
    b"file \"a file.aof\" seq 1 type h\n",
];

const PIECES: &[&[u8]] = &[
    b"*-1\r\n",
    b"*2147483647\r\n",
    b"*9223372036854775808\r\n",
    b"$536870913\r\n",
    b"$-1\r\n",
    b"$0\r\n\r\n",
    b"#SUM:",
    b"#SUM:18446744073709551616:zz\r\n",
    b"#TS:",
    b"\r\n",
    b"\n",
    b"\0",
    b"seq 18446744073709551615",
    b"type b",
    b"file ../x seq 1 type i\n",
];

#[test]
fn files_and_manifests_are_read_or_refused() {
    drive::drive(append_only::append_only, SEEDS, PIECES);
}
