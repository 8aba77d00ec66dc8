//! Geohashes: a cell of a grid over the map as interleaved bits, latitude in the even ones.

/// Greatest and least longitude that can be stored, in degrees.
pub const LON_MAX: f64 = 180.0;
/// Greatest and, negated, least latitude that can be stored, in degrees: where Web Mercator (EPSG:3857) ends.
pub const LAT_MAX: f64 = 85.051_128_78;
/// Bits of each coordinate in a stored position.
pub const STEP_MAX: u32 = 26;

const EVEN: u64 = 0x5555_5555_5555_5555;
const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";

/// A place on the earth in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Longitude, east positive.
    pub lon: f64,
    /// Latitude, north positive.
    pub lat: f64,
}

/// A cell of the grid with 4^step cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) bits: u64,
    pub(super) step: u32,
}

/// Where a cell lies, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub(super) lon: (f64, f64),
    pub(super) lat: (f64, f64),
}

impl Point {
    /// Whether it can be stored.
    pub fn is_valid(self) -> bool {
        (-LON_MAX..=LON_MAX).contains(&self.lon) && (-LAT_MAX..=LAT_MAX).contains(&self.lat)
    }
}

impl Cell {
    /// The cell of a point in the grid whose latitudes end at `lat_max`.
    pub(super) fn of(point: Point, lat_max: f64, step: u32) -> Self {
        let cells = (1u64 << step) as f64;
        let lat = (point.lat + lat_max) / (lat_max + lat_max) * cells;
        let lon = (point.lon + LON_MAX) / (LON_MAX + LON_MAX) * cells;
        Self { bits: spread(lat as u32) | spread(lon as u32) << 1, step }
    }

    pub(super) fn area(self) -> Area {
        let cells = (1u64 << self.step) as f64;
        let side = |index: u32, max: f64| {
            let at = |index: f64| -max + index / cells * (max + max);
            (at(f64::from(index)), at(f64::from(index) + 1.0))
        };
        Area { lon: side(gather(self.bits >> 1), LON_MAX), lat: side(gather(self.bits), LAT_MAX) }
    }

    /// The neighbour some cells to the east and north; the grid wraps round at its edges.
    pub(super) fn neighbour(self, east: i32, north: i32) -> Self {
        let mask = (1u64 << self.step) - 1;
        let shift = |bits: u64, by: i32| {
            let index = u64::from(gather(bits)).wrapping_add_signed(i64::from(by)) & mask;
            spread(index as u32)
        };
        Self { bits: shift(self.bits, north) | shift(self.bits >> 1, east) << 1, ..self }
    }

    /// The scores of the points within: from the first up to, but without, the second.
    pub(super) fn scores(self) -> (u64, u64) {
        let shift = 2 * (STEP_MAX - self.step);
        (self.bits << shift, (self.bits + 1) << shift)
    }
}

/// The score under which a point is stored: 52 bits. `None` if it cannot be.
pub fn encode(point: Point) -> Option<u64> {
    point.is_valid().then(|| Cell::of(point, LAT_MAX, STEP_MAX).bits)
}

/// The middle of the cell of a score.
pub fn decode(score: u64) -> Point {
    let area = Cell { bits: score, step: STEP_MAX }.area();
    let middle = |(low, high): (f64, f64), max: f64| ((low + high) / 2.0).clamp(-max, max);
    Point { lon: middle(area.lon, LON_MAX), lat: middle(area.lat, LAT_MAX) }
}

/// The usual geohash of a score as text. Its latitudes reach to the poles, so the point is encoded
/// anew; the eleventh character has no bits left and is always `0`.
pub fn text(score: u64) -> [u8; 11] {
    let bits = Cell::of(decode(score), 90.0, STEP_MAX).bits;
    let mut text = [b'0'; 11];
    for (at, char) in text[..10].iter_mut().enumerate() {
        *char = ALPHABET[(bits >> (52 - 5 * (at + 1)) & 31) as usize];
    }
    text
}

/// Moves bit `i` to bit `2 i`.
fn spread(bits: u32) -> u64 {
    let mut x = u64::from(bits);
    x = (x | x << 16) & 0x0000_ffff_0000_ffff;
    x = (x | x << 8) & 0x00ff_00ff_00ff_00ff;
    x = (x | x << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    x = (x | x << 2) & 0x3333_3333_3333_3333;
    (x | x << 1) & EVEN
}

/// Moves bit `2 i` to bit `i` and drops the odd ones.
fn gather(bits: u64) -> u32 {
    let mut x = bits & EVEN;
    x = (x | x >> 1) & 0x3333_3333_3333_3333;
    x = (x | x >> 2) & 0x0f0f_0f0f_0f0f_0f0f;
    x = (x | x >> 4) & 0x00ff_00ff_00ff_00ff;
    x = (x | x >> 8) & 0x0000_ffff_0000_ffff;
    (x | x >> 16) as u32
}
