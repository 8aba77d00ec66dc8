//! The fuzz target of this crate for a bounded time; `FUZZ_SECONDS=600` for a longer one.

#[path = "../../../fuzz/bodies/drive.rs"]
mod drive;
#[path = "../../../fuzz/bodies/encrypted.rs"]
mod encrypted;

#[test]
fn what_is_read_is_what_was_written_as_far_as_it_goes() {
    let seeds: &[&[u8]] = &[
        b"\x05\x00\x90\x01",
        b"\x00\x00\x80\x2b",
        b"\x01\x00\xf0\x00",
        b"\x02\x00\x80\x2b",
        b"\x03\x00\x80\x2b",
        b"\x04\x00\x00\x00",
        b"# keys\nk:5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\n",
    ];
    let pieces: &[&[u8]] = &[b"\0", b"\xff", b"\x05\x00\x80\x80", b":", b",", b"\n", b"="];
    drive::drive(encrypted::encrypted, seeds, pieces);
}
