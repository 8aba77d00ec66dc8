use value::geo::{Point, Shape};
use value::zset::{ScoreBound, Zset};

use super::place;

/// A member inside the area.
pub struct Found<'a> {
    pub member: &'a [u8],
    pub score: f64,
    pub place: Point,
    /// Distance from the middle of the area.
    pub metres: f64,
}

/// The members inside `shape`, cell by cell; no more than `enough` when given.
pub fn members<'a>(zset: &'a Zset, shape: &Shape, enough: Option<usize>) -> Vec<Found<'a>> {
    let enough = enough.unwrap_or(usize::MAX);
    let mut found = Vec::new();
    for (start, end) in shape.covering() {
        let ranks = zset.score_range(ScoreBound::incl(start as f64), ScoreBound::excl(end as f64));
        for (member, score) in zset.range(ranks, false) {
            let place = place::of_score(score);
            if let Some(metres) = shape.distance_inside(place) {
                found.push(Found { member, score, place, metres });
                if found.len() >= enough {
                    return found;
                }
            }
        }
    }
    found
}
