/// Appends a command in its RESP form: `count` words.
pub fn encode<'w>(out: &mut Vec<u8>, count: usize, words: impl Iterator<Item = &'w [u8]>) {
    header(out, b'*', count);
    for word in words {
        header(out, b'$', word.len());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

/// The same for words in a slice.
pub fn encode_slices<W: AsRef<[u8]>>(out: &mut Vec<u8>, words: &[W]) {
    encode(out, words.len(), words.iter().map(AsRef::as_ref));
}

fn header(out: &mut Vec<u8>, mark: u8, number: usize) {
    out.push(mark);
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    out.extend_from_slice(b"\r\n");
}
