use command::{Args, Error};
use value::geo::{Point, Shape};
use value::zset::Zset;

use super::super::{place, units};

const NO_MEMBER: Error = Error::fixed("ERR could not decode requested zset member");
const NEGATIVE_RADIUS: Error = Error::fixed("ERR radius cannot be negative");
const NEGATIVE_BOX: Error = Error::fixed("ERR height or width cannot be negative");
const NOT_POSITIVE: Error = Error::fixed("ERR COUNT must be > 0");
const ANY_ALONE: Error = Error::fixed("ERR the ANY argument requires COUNT argument");
const NO_VERTICES: Error = Error::fixed("ERR invalid number of vertices");
const FEW_VERTICES: Error = Error::fixed("ERR GEOSEARCH BYPOLYGON must have at least 3 vertices");
const STORE_WITH_DETAILS: Error = Error::fixed(
    "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
);
const SEARCHSTORE_WITH_DETAILS: Error = Error::fixed(
    "ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
);

/// Which command asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// GEORADIUS and GEORADIUS_RO.
    Place { stores: bool },
    /// GEORADIUSBYMEMBER and GEORADIUSBYMEMBER_RO.
    Member { stores: bool },
    /// GEOSEARCH.
    Search,
    /// GEOSEARCHSTORE.
    SearchStore,
}

impl Form {
    fn searches(self) -> bool {
        matches!(self, Self::Search | Self::SearchStore)
    }

    fn takes_store(self) -> bool {
        matches!(self, Self::Place { stores: true } | Self::Member { stores: true })
    }
}

/// By distance from the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Nearest,
    Farthest,
}

/// What is asked for.
#[derive(Debug)]
pub struct Query {
    /// The area; may be missing when the key is.
    pub shape: Option<Shape>,
    /// Metres in the unit that distances are given in.
    pub unit: f64,
    pub with_distance: bool,
    pub with_hash: bool,
    pub with_place: bool,
    pub order: Option<Order>,
    pub count: Option<usize>,
    /// Any members do, not just the nearest.
    pub any: bool,
    /// The word that is the key to store to.
    pub store: Option<usize>,
    /// Stores distances as scores.
    pub store_distance: bool,
}

/// The middle, as far as it has been read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum From {
    Nowhere,
    /// Not known when the key does not exist.
    Member(Option<Point>),
    Place(Point),
}

/// The area without its middle, in metres.
#[derive(Clone, Debug, PartialEq)]
enum By {
    Nothing,
    Radius(f64),
    Box(f64, f64),
    Polygon(Vec<Point>),
}

struct Parser<'a> {
    args: Args<'a>,
    form: Form,
    zset: Option<&'a Zset>,
    from: From,
    by: By,
    query: Query,
}

impl Query {
    /// Reads the arguments. What is wrong with them is said in the order in which they stand.
    pub fn parse(args: Args<'_>, form: Form, zset: Option<&Zset>) -> Result<Self, Error> {
        let query = Query {
            shape: None,
            unit: 1.0,
            with_distance: false,
            with_hash: false,
            with_place: false,
            order: None,
            count: None,
            any: false,
            store: (form == Form::SearchStore).then_some(1),
            store_distance: false,
        };
        let mut parser = Parser { args, form, zset, from: From::Nowhere, by: By::Nothing, query };
        let mut word = parser.positional()?;
        while word < args.len() {
            word += 1 + parser.option(word)?;
        }
        parser.finish()
    }
}

impl Parser<'_> {
    /// Reads what stands before the options, and gives the word where these begin.
    fn positional(&mut self) -> Result<usize, Error> {
        match self.form {
            Form::Search => Ok(2),
            Form::SearchStore => Ok(3),
            Form::Place { .. } => {
                self.from = From::Place(place::parse(self.args, 2)?);
                self.radius(4)?;
                Ok(6)
            }
            Form::Member { .. } => {
                if let Some(zset) = self.zset {
                    let place = place::of_member(zset, self.args.at(2)).ok_or(NO_MEMBER)?;
                    self.from = From::Member(Some(place));
                    self.radius(3)?;
                }
                Ok(5)
            }
        }
    }

    /// Reads the option at `word` and gives the number of its arguments.
    fn option(&mut self, word: usize) -> Result<usize, Error> {
        let args = self.args;
        let left = args.len() - word - 1;
        if self.flag(word) {
            return Ok(0);
        }
        if args.is(word, "COUNT") && left >= 1 {
            let count = args.integer(word + 1)?;
            let count = usize::try_from(count).ok().filter(|count| *count > 0);
            self.query.count = Some(count.ok_or(NOT_POSITIVE)?);
            return Ok(1);
        }
        let distance = args.is(word, "STOREDIST");
        if self.form.takes_store() && left >= 1 && (distance || args.is(word, "STORE")) {
            self.query.store = Some(word + 1);
            self.query.store_distance = distance;
            return Ok(1);
        }
        if self.form == Form::SearchStore && distance {
            self.query.store_distance = true;
            return Ok(0);
        }
        if self.form.searches() { self.area(word, left) } else { Err(Error::SYNTAX) }
    }

    /// Options of one word.
    fn flag(&mut self, word: usize) -> bool {
        let query = &mut self.query;
        match self.args.at(word).to_ascii_uppercase().as_slice() {
            b"WITHDIST" => query.with_distance = true,
            b"WITHHASH" => query.with_hash = true,
            b"WITHCOORD" => query.with_place = true,
            b"ANY" => query.any = true,
            b"ASC" => query.order = Some(Order::Nearest),
            b"DESC" => query.order = Some(Order::Farthest),
            _ => return false,
        }
        true
    }

    /// FROMMEMBER, FROMLONLAT, BYRADIUS, BYBOX, BYPOLYGON.
    fn area(&mut self, word: usize, left: usize) -> Result<usize, Error> {
        let args = self.args;
        let polygon = matches!(self.by, By::Polygon(_));
        if args.is(word, "FROMMEMBER")
            && left >= 1
            && !matches!(self.from, From::Place(_))
            && !polygon
        {
            let place = match self.zset {
                None => None,
                Some(zset) => Some(place::of_member(zset, args.at(word + 1)).ok_or(NO_MEMBER)?),
            };
            self.from = From::Member(place);
            Ok(1)
        } else if args.is(word, "FROMLONLAT")
            && left >= 2
            && !matches!(self.from, From::Member(_))
            && !polygon
        {
            self.from = From::Place(place::parse(args, word + 1)?);
            Ok(2)
        } else if args.is(word, "BYRADIUS")
            && left >= 2
            && matches!(self.by, By::Nothing | By::Radius(_))
        {
            self.radius(word + 1)?;
            Ok(2)
        } else if args.is(word, "BYBOX")
            && left >= 3
            && matches!(self.by, By::Nothing | By::Box(..))
        {
            self.rectangle(word + 1)?;
            Ok(3)
        } else if args.is(word, "BYPOLYGON")
            && left >= 1
            && matches!(self.by, By::Nothing | By::Polygon(_))
            && self.from == From::Nowhere
        {
            self.polygon(word + 1)
        } else {
            Err(Error::SYNTAX)
        }
    }

    fn radius(&mut self, at: usize) -> Result<(), Error> {
        let radius = units::length(self.args, at, "radius")?;
        if radius < 0.0 {
            return Err(NEGATIVE_RADIUS);
        }
        self.query.unit = units::parse(self.args, at + 1)?;
        self.by = By::Radius(radius * self.query.unit);
        Ok(())
    }

    fn rectangle(&mut self, at: usize) -> Result<(), Error> {
        let width = units::length(self.args, at, "width")?;
        let height = units::length(self.args, at + 1, "height")?;
        if width < 0.0 || height < 0.0 {
            return Err(NEGATIVE_BOX);
        }
        self.query.unit = units::parse(self.args, at + 2)?;
        self.by = By::Box(width * self.query.unit, height * self.query.unit);
        Ok(())
    }

    /// Reads the number of vertices and the vertices, and gives the number of words.
    fn polygon(&mut self, at: usize) -> Result<usize, Error> {
        let count = self.args.integer(at).map_err(|_| NO_VERTICES)?;
        let possible = (self.args.len() - at - 1) / 2;
        let count = usize::try_from(count).ok().filter(|count| (3..=possible).contains(count));
        let count = count.ok_or(FEW_VERTICES)?;
        let vertices = (0..count).map(|vertex| place::parse(self.args, at + 1 + 2 * vertex));
        self.by = By::Polygon(vertices.collect::<Result<_, _>>()?);
        self.query.unit = 1.0;
        Ok(1 + 2 * count)
    }

    /// Looks at what fits together only when all has been read.
    fn finish(mut self) -> Result<Query, Error> {
        let query = &mut self.query;
        let details = query.with_distance || query.with_hash || query.with_place;
        if query.store.is_some() && details {
            return Err(if self.form == Form::SearchStore {
                SEARCHSTORE_WITH_DETAILS
            } else {
                STORE_WITH_DETAILS
            });
        }
        if self.form.searches() {
            let name = self.args.text(0);
            if self.from == From::Nowhere && !matches!(self.by, By::Polygon(_)) {
                return Err(Error::new(format!(
                    "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {name}"
                )));
            }
            if self.by == By::Nothing {
                return Err(Error::new(format!(
                    "ERR exactly one of BYRADIUS and BYBOX can be specified for {name}"
                )));
            }
        }
        if query.any && query.count.is_none() {
            return Err(ANY_ALONE);
        }
        // The nearest of all are wanted, unless any will do.
        if query.count.is_some() && query.order.is_none() && !query.any {
            query.order = Some(Order::Nearest);
        }
        let center = match self.from {
            From::Member(Some(place)) | From::Place(place) => Some(place),
            From::Member(None) | From::Nowhere => None,
        };
        query.shape = match (self.by, center) {
            (By::Radius(radius_m), Some(center)) => Some(Shape::Circle { center, radius_m }),
            (By::Box(width_m, height_m), Some(center)) => {
                Some(Shape::Box { center, width_m, height_m })
            }
            (By::Polygon(vertices), _) => Some(Shape::Polygon(vertices)),
            _ => None,
        };
        Ok(self.query)
    }
}
