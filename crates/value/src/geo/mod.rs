//! Positions on the earth as sorted-set scores, distances between them, and areas to search in. Pure functions.

mod hash;
mod shape;
#[cfg(test)]
mod tests;

pub use hash::{LAT_MAX, LON_MAX, Point, STEP_MAX, decode, encode, text};
pub use shape::{Scores, Shape};

/// The radius of the earth that distances are computed with, in metres.
pub const EARTH_RADIUS_M: f64 = 6_372_797.560_856;

/// The distance between two points in metres, by the haversine formula on a sphere.
pub fn distance(a: Point, b: Point) -> f64 {
    let v = ((b.lon.to_radians() - a.lon.to_radians()) / 2.0).sin();
    if v == 0.0 {
        return meridian_distance(a.lat, b.lat);
    }
    let (a_lat, b_lat) = (a.lat.to_radians(), b.lat.to_radians());
    let u = ((b_lat - a_lat) / 2.0).sin();
    let h = u * u + a_lat.cos() * b_lat.cos() * v * v;
    2.0 * EARTH_RADIUS_M * h.sqrt().asin()
}

/// The distance between two latitudes along a meridian, in metres.
fn meridian_distance(a: f64, b: f64) -> f64 {
    EARTH_RADIUS_M * (b.to_radians() - a.to_radians()).abs()
}
