//! Sorted sets as places on the globe.

mod add;
mod place;
mod read;
mod search;
mod units;

use command::Spec;

/// The family's commands.
pub const COMMANDS: &[&Spec] = &[
    &add::GEOADD,
    &read::GEODIST,
    &read::GEOHASH,
    &read::GEOPOS,
    &search::GEORADIUS,
    &search::GEORADIUSBYMEMBER,
    &search::GEORADIUSBYMEMBER_RO,
    &search::GEORADIUS_RO,
    &search::GEOSEARCH,
    &search::GEOSEARCHSTORE,
];
