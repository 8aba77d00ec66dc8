//! The fuzz target of this crate for a bounded time; `FUZZ_SECONDS=600` for a longer one.

#[path = "../../../fuzz/bodies/drive.rs"]
mod drive;
#[path = "../../../fuzz/bodies/glob.rs"]
mod glob;

#[test]
fn what_holds_for_every_glob_does() {
    let seeds: &[&[u8]] = &[b"a*b?c", b"[a-c]", b"[^x]*", b"\\*", b"abc", b"a-b", b""];
    let pieces: &[&[u8]] = &[b"*", b"?", b"[", b"]", b"^", b"-", b"\\", b"\xff", b"\0", b"a", b"A"];
    drive::drive(glob::glob, seeds, pieces);
}
