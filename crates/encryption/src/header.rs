use std::io::{self, Write};

use codec::crc64::crc64;
use ring::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::damage::Damage;
use crate::key::{KEY, Keyring, NAME_MAX, Secret, cipher};

/// What an encrypted file begins with: the last byte is the format's version.
pub(crate) const MAGIC: [u8; 8] = *b"RUBRENC\x01";
/// Bytes of it that all versions have.
const NAME: usize = 7;
/// Bytes of a header.
pub(crate) const HEADER: usize = 128;
/// Up to here a header is authenticated.
const PLAIN: usize = 60;
/// Up to here it is in its checksum.
const SUMMED: usize = 120;
const TAG: usize = 16;

/// Number of a file, random.
pub(crate) type FileId = [u8; 16];

/// What may be missing at a file's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: it appears when it is whole.
    Whole,
    /// What its writer did not come to: it is appended to.
    Log,
}

/// Whether a file that begins so is encrypted; its first eight bytes decide.
pub fn is_encrypted(start: &[u8]) -> bool {
    MAGIC.get(..NAME).is_some_and(|name| start.starts_with(name))
}

/// What a header says.
pub(crate) struct Header {
    pub kind: Kind,
    pub key_name: String,
    pub file: FileId,
    pub cipher: LessSafeKey,
}

/// A header for a new file, and the cipher of its data key.
pub(crate) fn make(keys: &Keyring, kind: Kind) -> io::Result<([u8; HEADER], FileId, LessSafeKey)> {
    let failed = |_| io::Error::other("no random numbers, or no cipher, to encrypt with");
    let (name, master) = keys.first().ok_or_else(|| io::Error::other("no key to encrypt with"))?;
    let (mut file, mut nonce, mut data) =
        (FileId::default(), [0; NONCE_LEN], Zeroizing::new([0; KEY + TAG]));
    let random = SystemRandom::new();
    let [key, tag] = data.get_disjoint_mut([0..KEY, KEY..KEY + TAG]).map_err(|_| wrong())?;
    for out in [&mut file[..], &mut nonce, key] {
        random.fill(out).map_err(failed)?;
    }
    let data_cipher = cipher(key).ok_or_else(wrong)?;
    let mut header = Vec::with_capacity(HEADER);
    header.extend_from_slice(&MAGIC);
    header.push(if kind == Kind::Whole { 1 } else { 2 });
    header.push(name.len() as u8);
    header.extend_from_slice(&[0; 2]);
    write!(header, "{name:\0<NAME_MAX$}")?;
    header.extend_from_slice(&file);
    let sealed = cipher(&master[..])
        .ok_or_else(wrong)?
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&header), key)
        .map_err(failed)?;
    tag.copy_from_slice(sealed.as_ref());
    header.extend_from_slice(&nonce);
    header.extend_from_slice(&data[..]);
    header.extend_from_slice(&crc64(&header).to_le_bytes());
    let header = header.try_into().map_err(|_| wrong())?;
    Ok((header, file, data_cipher))
}

fn wrong() -> io::Error {
    io::Error::other("the header has a wrong size")
}

/// Bytes at a fixed place of a header.
fn part<const N: usize>(header: &[u8; HEADER], at: usize) -> [u8; N] {
    let bytes = header.get(at..at + N).and_then(|bytes| bytes.try_into().ok());
    bytes.unwrap_or([0; N])
}

/// Reads a header.
///
/// # Errors
/// When it was changed, or the keys do not open it.
pub(crate) fn open(header: &[u8; HEADER], keys: Option<&Keyring>) -> io::Result<Header> {
    let damage = |why| Damage { at: 0, why };
    if !header.starts_with(&MAGIC) {
        return Err(damage("the format's version is not known, or was changed").into());
    }
    let (plain, _) = header.split_at(PLAIN);
    let (summed, _) = header.split_at(SUMMED);
    if part(header, SUMMED) != crc64(summed).to_le_bytes() {
        return Err(damage("the header was changed").into());
    }
    let [kind, length, 0, 0] = part(header, 8) else {
        return Err(damage("the header says what this version does not know").into());
    };
    let kind = match kind {
        1 => Kind::Whole,
        2 => Kind::Log,
        _ => return Err(damage("the header says what this version does not know").into()),
    };
    let name = part::<NAME_MAX>(header, 12);
    let name = name.get(..usize::from(length)).unwrap_or(&name);
    let key_name = String::from_utf8_lossy(name).into_owned();
    let master = find(keys, &key_name)?;
    let mut data = Zeroizing::new(part::<{ KEY + TAG }>(header, 72));
    let nonce = Nonce::assume_unique_for_key(part(header, PLAIN));
    let opened = cipher(&master[..])
        .and_then(|master| master.open_in_place(nonce, Aad::from(plain), &mut data[..]).ok())
        .and_then(|data| cipher(data));
    let Some(cipher) = opened else {
        let why = format!(
            "the key '{key_name}' does not open it: the file was encrypted with another key of that name"
        );
        return Err(io::Error::other(why));
    };
    Ok(Header { kind, key_name, file: part(header, 44), cipher })
}

fn find<'k>(keys: Option<&'k Keyring>, name: &str) -> io::Result<&'k Secret> {
    let Some(keys) = keys else {
        return Err(io::Error::other(format!(
            "it is encrypted (with the key '{name}') and no key is given: see encryption-key-file, \
             encryption-key-env and encryption-key-command"
        )));
    };
    keys.find(name).ok_or_else(|| {
        let known: Vec<String> = keys.names().map(|name| format!("'{name}'")).collect();
        let known = known.join(", ");
        io::Error::other(format!(
            "it is encrypted with the key '{name}', which is not among those given: {known}"
        ))
    })
}
