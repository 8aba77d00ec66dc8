use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;

use super::*;
use crate::frame::{Announced, HEAD, TAG};
use crate::header::HEADER;

fn keys(seed: u8) -> Keyring {
    let digits: String = (0..32).map(|at| format!("{:02x}", seed ^ at)).collect();
    Keyring::parse(format!("k:{digits}").as_bytes()).expect("a key")
}

/// A file of so many blocks, and where each frame begins.
fn file(kind: Kind, blocks: &[&[u8]], finished: bool) -> (Vec<u8>, Vec<usize>) {
    let mut sealer = Sealer::new(&keys(1), kind).expect("a header");
    let (mut bytes, mut starts) = (sealer.header().to_vec(), Vec::new());
    for block in blocks {
        starts.push(bytes.len());
        sealer.seal(block, &mut bytes).expect("a block");
    }
    if finished {
        starts.push(bytes.len());
        bytes.extend(sealer.end_mark().expect("a mark"));
    }
    (bytes, starts)
}

fn read(bytes: &[u8]) -> io::Result<(Vec<u8>, End)> {
    let mut input = Input::open(bytes, Some(&keys(1)))?;
    let mut content = Vec::new();
    input.read_to_end(&mut content)?;
    assert_eq!(input.position(), content.len() as u64);
    Ok((content, input.end().expect("it has been read")))
}

const BLOCKS: [&[u8]; 3] = [b"the first block", b"2", b"the third block"];

#[test]
fn what_was_written_is_read() {
    for finished in [false, true] {
        let end = if finished { End::Finished } else { End::Open };
        let (bytes, _) = file(Kind::Log, &BLOCKS, finished);
        assert_eq!(read(&bytes).expect("it is whole"), (BLOCKS.concat(), end));
    }
    let (bytes, _) = file(Kind::Whole, &BLOCKS, true);
    assert_eq!(read(&bytes).expect("it is whole"), (BLOCKS.concat(), End::Finished));
    assert_eq!(read(b"REDIS0010").expect("it is plain"), (b"REDIS0010".to_vec(), End::Plain));
    assert_eq!(read(b"").expect("it is plain"), (Vec::new(), End::Plain));
}

#[test]
fn nothing_of_the_content_stands_in_the_file() {
    let (bytes, _) = file(Kind::Log, &BLOCKS, true);
    assert!(!bytes.windows(5).any(|part| part == b"block"));
    let (again, _) = file(Kind::Log, &BLOCKS, true);
    let same = bytes.iter().zip(&again).skip(44).filter(|(a, b)| a == b).count();
    assert!(same < bytes.len() / 8, "two files with the same content have nothing in common");
}

#[test]
fn every_changed_bit_is_refused() {
    for (kind, finished) in [(Kind::Whole, true), (Kind::Log, true), (Kind::Log, false)] {
        let (whole, _) = file(kind, &BLOCKS, finished);
        // Without its magic a file is no encrypted one, and what reads the content refuses it.
        for place in header::MAGIC.len() - 1..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[place] ^= 1 << bit;
                let error = read(&damaged).expect_err("it is changed");
                let at = Damage::of(&error).expect("it says where").at as usize;
                assert!(at <= place, "bit {bit} of byte {place}: {error}");
            }
        }
    }
}

#[test]
fn a_log_cut_off_anywhere_gives_whole_blocks_and_says_how_much_is_torn() {
    let (whole, starts) = file(Kind::Log, &BLOCKS, true);
    for length in 2..whole.len() {
        let (content, end) = read(&whole[..length]).expect("it is a torn log");
        let blocks = starts.iter().skip(1).filter(|start| **start <= length).count();
        assert_eq!(content, BLOCKS[..blocks].concat(), "cut at {length}");
        let at = match length {
            ..HEADER => 0,
            _ => starts.iter().copied().filter(|start| *start <= length).max().expect("one"),
        };
        let torn = End::Torn { at: at as u64, bytes: (length - at) as u64 };
        assert_eq!(end, if length == at { End::Open } else { torn }, "cut at {length}");
    }
}

#[test]
fn a_snapshot_cut_off_anywhere_is_refused() {
    let (whole, _) = file(Kind::Whole, &BLOCKS, true);
    for length in HEADER..whole.len() {
        let error = read(&whole[..length]).expect_err("its end is missing");
        assert!(error.to_string().contains("ends early"), "cut at {length}: {error}");
    }
    let longer = [&whole[..], b"x"].concat();
    assert!(read(&longer).expect_err("more").to_string().contains("behind the end mark"));
}

/// Puts frames in another order; `heads` makes their checksums fit their new places.
fn arranged(kind: Kind, order: &[(usize, usize)], heads: bool) -> Vec<u8> {
    let files = [file(kind, &BLOCKS, true), file(kind, &BLOCKS, true)];
    let mut bytes = files[0].0[..HEADER].to_vec();
    let id = bytes[44..60].try_into().expect("its number");
    for (seq, &(source, number)) in order.iter().enumerate() {
        let (from, starts) = &files[source];
        let end = starts.get(number + 1).copied().unwrap_or(from.len());
        let mut frame = from[starts[number]..end].to_vec();
        if heads {
            let announced = match frame.len() - HEAD - TAG {
                0 => Announced::End,
                length => Announced::Content(length),
            };
            frame[..HEAD].copy_from_slice(&announced.head(&id, seq as u64));
        }
        bytes.extend(frame);
    }
    bytes
}

#[test]
fn blocks_moved_repeated_left_out_or_from_elsewhere_are_refused() {
    for heads in [false, true] {
        for kind in [Kind::Whole, Kind::Log] {
            let untouched = arranged(kind, &[(0, 0), (0, 1), (0, 2), (0, 3)], heads);
            assert!(read(&untouched).is_ok());
            for order in [
                &[(0, 2), (0, 1), (0, 0), (0, 3)][..],
                &[(0, 0), (0, 0), (0, 1), (0, 2), (0, 3)],
                &[(0, 0), (0, 2), (0, 3)],
                &[(0, 0), (0, 1), (0, 3)],
                &[(0, 3)],
                &[(0, 0), (1, 1), (0, 2), (0, 3)],
                &[(0, 0), (0, 1), (0, 2), (1, 3)],
                &[(0, 0), (0, 3), (0, 1), (0, 2), (0, 3)],
            ] {
                let error = read(&arranged(kind, order, heads)).expect_err("it is changed");
                assert!(Damage::of(&error).is_some(), "{order:?}: {error}");
            }
        }
    }
}

#[test]
fn wrong_keys_are_told_from_none_and_from_damage() {
    let (bytes, _) = file(Kind::Log, &BLOCKS, true);
    let why = |keys: Option<&Keyring>| {
        Input::open(&bytes[..], keys).err().expect("it is not opened").to_string()
    };
    assert!(why(None).contains("no key is given"), "{}", why(None));
    assert!(why(Some(&keys(2))).contains("another key of that name"), "{}", why(Some(&keys(2))));
    let other = Keyring::parse(format!("other:{}", "ab".repeat(32)).as_bytes()).expect("a key");
    assert!(why(Some(&other)).contains("not among those given: 'other'"), "{}", why(Some(&other)));
}

#[test]
fn a_key_put_in_front_writes_new_files_and_old_ones_are_read_still() {
    let (old, _) = file(Kind::Log, &BLOCKS, true);
    let text: String = (0..32).map(|at| format!("{:02x}", 1 ^ at)).collect();
    let both = Keyring::parse(format!("new:{}\nk:{text}", "cd".repeat(32)).as_bytes());
    let both = both.expect("keys");
    assert_eq!(Input::open(&old[..], Some(&both)).expect("it is known").key_name(), Some("k"));
    let sealer = Sealer::new(&both, Kind::Log).expect("a header");
    let input = Input::open(sealer.header(), Some(&both)).expect("it is known");
    assert_eq!(input.key_name(), Some("new"));
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

struct Path(PathBuf);

impl Path {
    fn new(bytes: &[u8]) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("encryption-{}-{number}", std::process::id()));
        fs::write(&path, bytes).expect("a file");
        Self(path)
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(&self.0).expect("a file")
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_file_is_cut_off_anywhere_in_its_content_and_then_is_finished() {
    let content = BLOCKS.concat();
    for finished in [false, true] {
        let (whole, _) = file(Kind::Log, &BLOCKS, finished);
        for length in 0..=content.len() {
            let path = Path::new(&whole);
            cut_off(&path.0, length as u64, Some(&keys(1))).expect("it is cut");
            let bytes = path.bytes();
            let end = if length == 0 { End::Plain } else { End::Finished };
            assert_eq!(read(&bytes).expect("it is whole"), (content[..length].to_vec(), end));
            assert_eq!(content_len(&path.0).expect("its length"), length as u64);
            // A block that goes on elsewhere is encrypted anew, under another key.
            let kept = bytes.starts_with(&whole[..HEADER]);
            assert_eq!(kept, [15, 16, 31].contains(&length), "cut at {length}");
        }
    }
}

#[test]
fn a_torn_log_is_finished_behind_its_last_whole_block() {
    let (whole, starts) = file(Kind::Log, &BLOCKS, true);
    for length in HEADER..whole.len() {
        let path = Path::new(&whole[..length]);
        finish(&path.0, Some(&keys(1))).expect("it is finished");
        let blocks = starts.iter().skip(1).filter(|start| **start <= length).count();
        let expected = (BLOCKS[..blocks].concat(), End::Finished);
        assert_eq!(read(&path.bytes()).expect("it is whole"), expected, "cut at {length}");
    }
    let path = Path::new(&whole);
    finish(&path.0, Some(&keys(1))).expect("it was before");
    assert_eq!(path.bytes(), whole);
}

#[test]
fn plain_files_are_cut_off_as_they_are() {
    let path = Path::new(b"*1\r\n$4\r\nPING\r\n*1\r\n$4");
    cut_off(&path.0, 14, None).expect("it is cut");
    assert_eq!(path.bytes(), b"*1\r\n$4\r\nPING\r\n");
    finish(&path.0, None).expect("nothing to do");
    assert_eq!(content_len(&path.0).expect("its length"), 14);
}

#[test]
fn key_files_that_others_may_read_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    let path = Path::new(format!("k:{}\n", "ab".repeat(32)).as_bytes());
    let source = Source::File(path.0.clone());
    let load = |mode| {
        fs::set_permissions(&path.0, fs::Permissions::from_mode(mode)).expect("it is mine");
        let mut warnings = 0;
        source.load(|_| warnings += 1).map(|ring| (ring.current().to_owned(), warnings))
    };
    for mode in [0o600, 0o400] {
        assert_eq!(load(mode).expect("a key"), ("k".to_owned(), 0), "{mode:o}");
    }
    assert_eq!(load(0o640).expect("a key").1, 1);
    for mode in [0o644, 0o666, 0o620, 0o604, 0o601] {
        let error = load(mode).expect_err("others may read it").to_string();
        assert!(error.contains(&format!("mode {mode:o}")), "{error}");
    }
}

#[test]
fn keys_come_from_commands_and_variables() {
    let hex = "ab".repeat(32);
    let command = |text: &str| Source::Command(text.to_owned()).load(|_| {});
    let ring = command(&format!("echo one:{hex}; echo two:{hex}")).expect("keys");
    assert_eq!(ring.names().collect::<Vec<_>>(), ["one", "two"]);
    assert!(command("exit 3").expect_err("it fails").to_string().contains("exit status: 3"));
    let error = command(&format!("echo {hex}x")).expect_err("no key").to_string();
    assert!(!error.contains("abab"), "{error}");
    let error = Source::Env("NO_SUCH_VARIABLE".to_owned()).load(|_| {}).expect_err("none");
    assert!(error.to_string().contains("NO_SUCH_VARIABLE"), "{error}");
    assert!(matches!(Source::of("a", "", "b"), Err(SourceError::Several)));
    assert_eq!(Source::of("", "", "").expect("none"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_content_in_any_pieces_comes_back(
        pieces in prop::collection::vec(0..3 * BLOCK_MAX, 0..6),
        step in 1..2 * BLOCK_MAX,
    ) {
        let pieces: Vec<Vec<u8>> = pieces.iter().map(|&len| vec![len as u8; len]).collect();
        let path = Path::new(b"");
        let keys = keys(1);
        let file = File::create(&path.0).expect("a file");
        let mut output = Output::new(file, Some(&keys), Kind::Whole).expect("a header");
        for piece in &pieces {
            output.write_all(piece).expect("it is written");
        }
        output.finish().expect("it is ended");
        let file = File::open(&path.0).expect("a file");
        let mut input = Input::open(file, Some(&keys)).expect("it is known");
        let (mut content, mut buffer) = (Vec::new(), vec![0; step]);
        loop {
            match input.read(&mut buffer).expect("it is whole") {
                0 => break,
                count => content.extend_from_slice(&buffer[..count]),
            }
        }
        prop_assert_eq!(content, pieces.concat());
        prop_assert_eq!(input.end(), Some(End::Finished));
    }

    #[test]
    fn any_change_of_any_bytes_is_found(
        places in prop::collection::vec((8_usize..300, 1_u8..), 1..4),
    ) {
        let (whole, _) = file(Kind::Log, &BLOCKS, true);
        let mut damaged = whole.clone();
        for (place, mask) in places {
            let place = place.min(whole.len() - 1);
            damaged[place] ^= mask;
        }
        prop_assume!(damaged != whole);
        prop_assert!(read(&damaged).is_err());
    }
}
