//! Shapes to search in: which scores can lie in one, and whether a point does.

use super::hash::{Area, Cell, LAT_MAX, Point, STEP_MAX};
use super::{EARTH_RADIUS_M, distance, meridian_distance};

/// Half the equator in Web Mercator, metres.
const MERCATOR_MAX: f64 = 20_037_726.37;

/// An area to search in. Lengths are metres.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// All points within a distance.
    Circle {
        /// The middle.
        center: Point,
        /// Greatest distance, not negative.
        radius_m: f64,
    },
    /// An upright rectangle.
    Box {
        /// The middle.
        center: Point,
        /// From west to east, not negative.
        width_m: f64,
        /// From south to north, not negative.
        height_m: f64,
    },
    /// A polygon whose edges are straight in degrees; the last vertex is joined to the first.
    Polygon(Vec<Point>),
}

/// Scores from the first up to, but without, the second.
pub type Scores = (u64, u64);

impl Shape {
    /// The middle, from which distances are counted. A polygon's is the mean of its vertices.
    pub fn center(&self) -> Point {
        match self {
            Self::Circle { center, .. } | Self::Box { center, .. } => *center,
            Self::Polygon(vertices) => {
                let n = vertices.len().max(1) as f64;
                let sum = vertices.iter().fold((0.0, 0.0), |(x, y), v| (x + v.lon, y + v.lat));
                Point { lon: sum.0 / n, lat: sum.1 / n }
            }
        }
    }

    /// The distance in metres of a point from the middle, if it lies in the shape.
    pub fn distance_inside(&self, point: Point) -> Option<f64> {
        let center = self.center();
        let inside = match self {
            Self::Circle { radius_m, .. } => distance(center, point) <= *radius_m,
            Self::Box { width_m, height_m, .. } => {
                meridian_distance(point.lat, center.lat) <= height_m / 2.0
                    && distance(point, Point { lat: point.lat, ..center }) <= width_m / 2.0
            }
            Self::Polygon(vertices) => is_inside(vertices, point),
        };
        inside.then(|| distance(center, point))
    }

    /// Ranges of scores that together hold every point of the shape, and others: at most nine, in
    /// the order in which Redis visits them.
    pub fn covering(&self) -> Vec<Scores> {
        let bounds = self.bounds();
        let center = self.center();
        let mut step = step_for(self.reach(&bounds), center.lat);
        let mut cell = Cell::of(center, LAT_MAX, step);
        if step > 1 && !covers(cell, &bounds) {
            step -= 1;
            cell = Cell::of(center, LAT_MAX, step);
        }
        let area = cell.area();
        // A neighbour is needed only where the shape leaves the middle cell on that side.
        let all = step < 2;
        let west = all || area.lon.0 >= bounds.lon.0;
        let east = all || area.lon.1 <= bounds.lon.1;
        let south = all || area.lat.0 >= bounds.lat.0;
        let north = all || area.lat.1 <= bounds.lat.1;
        let neighbours = [
            (0, 1, north),
            (0, -1, south),
            (1, 0, east),
            (-1, 0, west),
            (1, 1, north && east),
            (-1, 1, north && west),
            (1, -1, south && east),
            (-1, -1, south && west),
        ];
        let mut cells = vec![cell];
        for (east, north, needed) in neighbours {
            let cell = cell.neighbour(east, north);
            // In a coarse grid several neighbours are one cell.
            if needed && !cells.contains(&cell) {
                cells.push(cell);
            }
        }
        cells.into_iter().map(Cell::scores).collect()
    }

    /// The least upright rectangle in degrees around the shape.
    fn bounds(&self) -> Area {
        let (center, width, height) = match self {
            Self::Circle { center, radius_m } => (*center, *radius_m, *radius_m),
            Self::Box { center, width_m, height_m } => (*center, width_m / 2.0, height_m / 2.0),
            Self::Polygon(vertices) => {
                let start = Area {
                    lon: (f64::INFINITY, f64::NEG_INFINITY),
                    lat: (f64::INFINITY, f64::NEG_INFINITY),
                };
                return vertices.iter().fold(start, |area, v| Area {
                    lon: (area.lon.0.min(v.lon), area.lon.1.max(v.lon)),
                    lat: (area.lat.0.min(v.lat), area.lat.1.max(v.lat)),
                });
            }
        };
        let lat = (height / EARTH_RADIUS_M).to_degrees();
        // Meridians converge towards the pole, so the edge nearer to it spans more degrees.
        let widest = if center.lat < 0.0 { center.lat - lat } else { center.lat + lat };
        let lon = (width / EARTH_RADIUS_M / widest.to_radians().cos()).to_degrees();
        Area {
            lon: (center.lon - lon, center.lon + lon),
            lat: (center.lat - lat, center.lat + lat),
        }
    }

    /// A distance from the middle that no point of the shape exceeds, in metres.
    fn reach(&self, bounds: &Area) -> f64 {
        match self {
            Self::Circle { radius_m, .. } => *radius_m,
            Self::Box { width_m, height_m, .. } => (width_m / 2.0).hypot(height_m / 2.0),
            Self::Polygon(_) => {
                let corners = [
                    Point { lon: bounds.lon.0, lat: bounds.lat.0 },
                    Point { lon: bounds.lon.0, lat: bounds.lat.1 },
                    Point { lon: bounds.lon.1, lat: bounds.lat.0 },
                    Point { lon: bounds.lon.1, lat: bounds.lat.1 },
                ];
                corners.into_iter().map(|p| distance(self.center(), p)).fold(0.0, f64::max)
            }
        }
    }
}

/// The finest grid in which a cell and its neighbours cover a circle, most likely.
fn step_for(radius_m: f64, lat: f64) -> u32 {
    if radius_m.is_nan() || radius_m <= 0.0 {
        return STEP_MAX;
    }
    let (mut step, mut reach) = (1i32, radius_m);
    while reach < MERCATOR_MAX {
        reach *= 2.0;
        step += 1;
    }
    step -= 2;
    // Cells are narrow near the poles.
    step -= i32::from(lat.abs() > 66.0) + i32::from(lat.abs() > 80.0);
    step.clamp(1, STEP_MAX as i32) as u32
}

/// Whether the cell and its neighbours reach as far as the bounds.
fn covers(cell: Cell, bounds: &Area) -> bool {
    cell.neighbour(0, 1).area().lat.1 >= bounds.lat.1
        && cell.neighbour(0, -1).area().lat.0 <= bounds.lat.0
        && cell.neighbour(1, 0).area().lon.1 >= bounds.lon.1
        && cell.neighbour(-1, 0).area().lon.0 <= bounds.lon.0
}

/// Whether a ray from the point to the east crosses the outline an odd number of times.
fn is_inside(vertices: &[Point], point: Point) -> bool {
    let Some(mut from) = vertices.last() else { return false };
    let mut inside = false;
    for to in vertices {
        if (to.lat > point.lat) != (from.lat > point.lat) {
            let along = (point.lat - to.lat) / (from.lat - to.lat);
            inside ^= point.lon < to.lon + along * (from.lon - to.lon);
        }
        from = to;
    }
    inside
}
