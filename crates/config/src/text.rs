//! Text forms that several parts of this crate share.

/// The bytes between double quotes, on one line of printable ASCII.
pub(crate) fn quote(bytes: &[u8]) -> Vec<u8> {
    codec::quote::quote(bytes).into_bytes()
}

/// The bytes as one argument of a line: as they are if that is safe, quoted otherwise.
pub(crate) fn token(bytes: &[u8]) -> Vec<u8> {
    let safe = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    if !bytes.is_empty() && bytes.iter().all(safe) { bytes.to_vec() } else { quote(bytes) }
}

/// The bytes without blanks at either end.
pub(crate) fn trim(line: &[u8]) -> &[u8] {
    const BLANKS: &[u8] = b" \t\r\n";
    let start = line.iter().position(|byte| !BLANKS.contains(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !BLANKS.contains(byte)).map_or(start, |last| last + 1);
    line.get(start..end).unwrap_or_default()
}

/// Text for a message: no line breaks, and the replacement character for bytes that are not UTF-8.
pub(crate) fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace(['\r', '\n'], " ")
}
