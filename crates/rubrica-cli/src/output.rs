//! How a reply is printed.

mod csv;
mod json;
mod raw;
mod tty;

use resp::Value;

/// The five ways a reply can look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For eyes: types named, elements numbered and indented. The default on a terminal.
    Standard,
    /// The payload and nothing else. The default when standard output is no terminal.
    Raw,
    /// One line of comma-separated literals.
    Csv,
    /// JSON with strings as they are.
    Json,
    /// JSON whose strings are ASCII literals.
    QuotedJson,
}

/// A format with the delimiters that [`Format::Raw`] uses.
#[derive(Debug, Clone)]
pub struct Style {
    pub format: Format,
    /// Between the elements of one reply.
    pub element_delimiter: Vec<u8>,
    /// After each reply.
    pub reply_delimiter: Vec<u8>,
}

impl Style {
    /// The bytes to print for `reply`, final line feed included.
    pub fn render(&self, reply: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        match self.format {
            Format::Standard => {
                if !tty::invalidation(&mut out, reply) {
                    tty::value(&mut out, reply, 0);
                }
            }
            Format::Raw => {
                raw::value(&mut out, reply, &self.element_delimiter);
                out.extend(&self.reply_delimiter);
            }
            Format::Csv => {
                csv::value(&mut out, reply);
                out.push(b'\n');
            }
            Format::Json => {
                json::value(&mut out, reply, json::Strings::Plain);
                out.push(b'\n');
            }
            Format::QuotedJson => {
                json::value(&mut out, reply, json::Strings::Quoted);
                out.push(b'\n');
            }
        }
        out
    }

    /// The payload alone, whatever the format: for replies that are a text to read, such as INFO's.
    pub fn render_verbatim(&self, reply: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        raw::value(&mut out, reply, &self.element_delimiter);
        out
    }
}
