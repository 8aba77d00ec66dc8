use proptest::prelude::*;

use super::*;

const PALERMO: Point = Point { lon: 13.361389, lat: 38.115556 };
const CATANIA: Point = Point { lon: 15.087269, lat: 37.502669 };

#[test]
fn known_places_have_their_known_values() {
    let (palermo, catania) = (encode(PALERMO).unwrap(), encode(CATANIA).unwrap());
    assert_eq!(palermo, 3_479_099_956_230_698);
    assert_eq!(text(palermo), *b"sqc8b49rny0");
    assert_eq!(text(catania), *b"sqdtr74hyu0");
    assert_eq!(format!("{:.4}", distance(decode(palermo), decode(catania))), "166274.1516");
    assert_eq!(encode(Point { lon: 0.0, lat: 86.0 }), None);
    assert_eq!(encode(Point { lon: f64::NAN, lat: 0.0 }), None);
}

#[test]
fn a_polygon_has_an_inside() {
    let at = |lon, lat| Point { lon, lat };
    let notched =
        Shape::Polygon(vec![at(0.0, 0.0), at(4.0, 0.0), at(4.0, 4.0), at(2.0, 1.0), at(0.0, 4.0)]);
    assert!(notched.distance_inside(at(1.0, 1.0)).is_some());
    assert!(notched.distance_inside(at(3.5, 2.5)).is_some());
    assert_eq!(notched.distance_inside(at(2.0, 3.0)), None);
    assert_eq!(notched.distance_inside(at(5.0, 1.0)), None);
    assert_eq!(Shape::Polygon(Vec::new()).distance_inside(at(0.0, 0.0)), None);
}

fn place(lat: f64) -> impl Strategy<Value = Point> {
    (-180.0..180.0, -lat..lat).prop_map(|(lon, lat)| Point { lon, lat })
}

proptest! {
    #[test]
    fn a_decoded_point_is_within_a_metre_and_stays(point in place(85.0)) {
        let score = encode(point).unwrap();
        prop_assert!(distance(point, decode(score)) < 1.0);
        prop_assert_eq!(encode(decode(score)), Some(score));
    }

    #[test]
    fn the_covering_holds_every_point_of_the_shape(
        center in place(60.0), size in 1.0f64..500_000.0, ratio in 0.2f64..1.0, dx in -1.0f64..1.0, dy in -1.0f64..1.0,
    ) {
        // Shapes that reach across the date line are cut there, as in Redis.
        prop_assume!(center.lon.abs() < 160.0);
        let triangle = [(-1.0, -1.0), (1.0, -1.0), (0.2, 1.0)].map(|(x, y)| {
            Point { lon: center.lon + x * size / 2e5, lat: center.lat + y * size / 2e5 }
        });
        for shape in [
            Shape::Circle { center, radius_m: size },
            Shape::Box { center, width_m: size, height_m: size * ratio },
            Shape::Polygon(triangle.to_vec()),
        ] {
            let point = Point {
                lon: center.lon + dx * size / 5e4,
                lat: center.lat + dy * size / 1e5,
            };
            let Some(score) = encode(point) else { continue };
            if shape.distance_inside(decode(score)).is_some() {
                let held = shape.covering().iter().any(|&(low, high)| (low..high).contains(&score));
                prop_assert!(held, "{:?} has {:?}", shape, point);
            }
        }
    }
}
