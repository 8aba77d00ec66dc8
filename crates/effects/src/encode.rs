/// Appends a command in its RESP form: `count` words.
pub fn encode<'w>(out: &mut Vec<u8>, count: usize, words: impl Iterator<Item = &'w [u8]>) {
    header(out, b'*', count);
    words.for_each(|word| encode_word(out, word));
}

/// Appends a word of a command.
pub fn encode_word(out: &mut Vec<u8>, word: &[u8]) {
    header(out, b'$', word.len());
    out.extend_from_slice(word);
    out.extend_from_slice(b"\r\n");
}

/// Appends a command: its first words, and so many that [`encode_word`] has put into `more`.
pub fn encode_words(out: &mut Vec<u8>, first: &[&[u8]], words: usize, more: &[u8]) {
    header(out, b'*', first.len() + words);
    first.iter().for_each(|word| encode_word(out, word));
    out.extend_from_slice(more);
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
