//! The fuzz targets of this crate for a bounded time; `FUZZ_SECONDS=600` for a longer one.

#[path = "../../../fuzz/bodies/drive.rs"]
mod drive;
#[path = "../../../fuzz/bodies/reply.rs"]
mod reply;
#[path = "../../../fuzz/bodies/request.rs"]
mod request;

#[test]
fn requests_read_the_same_however_they_are_cut() {
    let seeds: &[&[u8]] = &[
        b"*1\r\n$4\r\nPING\r\n",
        b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$12\r\nhello\r\nworld\r\n",
        b"*0\r\n",
        b"*-1\r\n",
        b"*12\r\n$0\r\n\r\n$0\r\n\r\n",
        b"SET key \"a \\x41\\n\" 'b\\''\r\n",
        b"GET k\n",
        b"\r\n",
        b"",
    ];
    let pieces: &[&[u8]] = &[
        b"\r\n",
        b"\r",
        b"\n",
        b"\0",
        b"$",
        b"*",
        b"$-1\r\n",
        b"*2147483647\r\n",
        b"$16385\r\n",
        b"$00\r\n",
        b"$1\r\n",
        b"\"",
        b"'",
        b"\\",
        b" ",
        b"00000000000000000",
        b"*11\r\n",
        b"$9223372036854775807\r\n",
        b"$99999999999999999999\r\n",
    ];
    drive::drive(request::request, seeds, pieces);
}

#[test]
fn replies_read_the_same_however_they_are_cut() {
    let seeds: &[&[u8]] = &[
        b"+OK\r\n",
        b"-ERR no\r\n",
        b":-12\r\n",
        b"$5\r\nhello\r\n",
        b"*2\r\n:1\r\n*1\r\n$-1\r\n",
        b"%1\r\n+k\r\n~2\r\n#t\r\n_\r\n",
        b"|1\r\n+k\r\n,1.5\r\n(123\r\n",
        b">2\r\n=6\r\ntxt:hi\r\n!3\r\nERR\r\n",
        b"*?\r\n$?\r\n;2\r\nab\r\n;0\r\n.\r\n",
        b"%?\r\n:1\r\n:2\r\n.\r\n",
    ];
    let pieces: &[&[u8]] = &[
        b"\r\n",
        b"\r",
        b".\r\n",
        b"*1\r\n",
        b"|1\r\n",
        b"|0\r\n",
        b"*?\r\n",
        b"%?\r\n",
        b";1\r\n",
        b"*4294967296\r\n",
        b"$4294967296\r\n",
        b"_\r\n",
        b"*0\r\n",
        b"-1",
        b"\n",
        b"?",
        b"%0\r\n",
        b"*18446744073709551615\r\n",
    ];
    drive::drive(reply::reply, seeds, pieces);
}
