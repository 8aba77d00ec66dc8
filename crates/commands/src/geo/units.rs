use command::{Args, Error};
use resp::Writer;

const UNSUPPORTED: Error = Error::fixed("ERR unsupported unit provided. please use M, KM, FT, MI");

/// Metres in the unit at word `at`.
///
/// # Errors
/// When there is no such unit.
pub fn parse(args: Args<'_>, at: usize) -> Result<f64, Error> {
    const UNITS: [(&str, f64); 4] = [("m", 1.0), ("km", 1000.0), ("ft", 0.3048), ("mi", 1609.34)];
    let known = UNITS.into_iter().find(|(name, _)| args.is(at, name));
    known.map(|(_, metres)| metres).ok_or(UNSUPPORTED)
}

/// A length, which `what` names in errors, at word `at`.
///
/// # Errors
/// When it is no number.
pub fn length(args: Args<'_>, at: usize, what: &str) -> Result<f64, Error> {
    args.double(at).map_err(|_| Error::new(format!("ERR need numeric {what}")))
}

/// Writes a distance with four decimals.
pub fn reply_distance(reply: &mut Writer<'_>, distance: f64) {
    let scaled = (distance * 1e4).round_ties_even() as u64;
    reply.bulk(format!("{}.{:04}", scaled / 10_000, scaled % 10_000).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_have_four_decimals() {
        for (distance, text) in
            [(0.0, "0.0000"), (0.77504, "0.7750"), (166274.15156, "166274.1516"), (5.0, "5.0000")]
        {
            let mut out = Vec::new();
            reply_distance(&mut Writer::new(&mut out, resp::Protocol::Resp2), distance);
            assert_eq!(out, format!("${}\r\n{text}\r\n", text.len()).as_bytes());
        }
    }
}
