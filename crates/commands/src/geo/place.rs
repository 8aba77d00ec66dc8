use command::{Args, Error};
use resp::Writer;
use value::geo::{self, Point};
use value::zset::Zset;

/// The longitude and latitude at word `at` and the next.
///
/// # Errors
/// When they are no numbers, or lie outside of what can be stored.
pub fn parse(args: Args<'_>, at: usize) -> Result<Point, Error> {
    let point = Point { lon: args.double(at)?, lat: args.double(at + 1)? };
    if !point.is_valid() {
        let Point { lon, lat } = point;
        let line = format!("ERR invalid longitude,latitude pair {lon:.6},{lat:.6}");
        return Err(Error::new(line));
    }
    Ok(point)
}

/// Where a member is.
pub fn of_member(zset: &Zset, member: &[u8]) -> Option<Point> {
    zset.score(member).map(of_score)
}

/// Where a member of this score is. Scores that GEOADD did not make give some place.
pub fn of_score(score: f64) -> Point {
    geo::decode(bits(score))
}

/// The bits of a position. Scores that are none are converted as x86 does it.
pub fn bits(score: f64) -> u64 {
    const HALF: f64 = 9_223_372_036_854_775_808.0;
    let signed = |x: f64| if (-HALF..HALF).contains(&x) { x as i64 } else { i64::MIN };
    if score < HALF { signed(score) as u64 } else { signed(score - HALF) as u64 ^ 1 << 63 }
}

/// Writes longitude and latitude.
pub fn reply(reply: &mut Writer<'_>, point: Point) {
    reply.array(2);
    reply.double_text(degrees(point.lon).as_bytes());
    reply.double_text(degrees(point.lat).as_bytes());
}

/// Up to 17 decimals, never in scientific notation.
fn degrees(value: f64) -> String {
    let text = format!("{value:.17}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compared with GEOPOS of redis-server 7.0.15.
    #[test]
    fn degrees_have_up_to_seventeen_decimals() {
        for (value, text) in [
            (13.361389338970184, "13.36138933897018433"),
            (38.1155563954963, "38.11555639549629859"),
            (-0.0, "0"),
            (-120.5, "-120.5"),
            (100.0, "100"),
        ] {
            assert_eq!(degrees(value), text);
        }
    }
}
