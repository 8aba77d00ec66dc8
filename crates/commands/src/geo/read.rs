use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use value::geo;
use value::zset::Zset;

use super::{place, units};

const BASE: Spec = Spec {
    arity: -2,
    flags: Flags::READONLY,
    group: Group::Geo,
    keys: &[KeySpec::one(1, KeyFlags::READ)],
    since: "3.2.0",
    ..Spec::BASE
};

/// `GEODIST key member1 member2 [M | KM | FT | MI]`
pub const GEODIST: Spec = Spec {
    name: "geodist",
    arity: -4,
    summary: "Returns the distance between two members.",
    complexity: "O(1)",
    syntax: "key member1 member2 [unit=(M | KM | FT | MI)]",
    run: geodist,
    ..BASE
};

/// `GEOHASH key [member ...]`
pub const GEOHASH: Spec = Spec {
    name: "geohash",
    summary: "Returns the geohashes of members as text.",
    complexity: "O(1) per member",
    syntax: "key member...",
    run: geohash,
    ..BASE
};

/// `GEOPOS key [member ...]`
pub const GEOPOS: Spec = Spec {
    name: "geopos",
    summary: "Returns the longitudes and latitudes of members.",
    complexity: "O(1) per member",
    syntax: "key member...",
    run: geopos,
    ..BASE
};

fn geodist(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let metres = match args.len() {
        4 => 1.0,
        5 => units::parse(args, 4)?,
        _ => return Err(Error::SYNTAX),
    };
    let zset = ctx.db.read::<Zset>(args.key(1))?;
    let places = zset.and_then(|zset| {
        Some((place::of_member(zset, args.at(2))?, place::of_member(zset, args.at(3))?))
    });
    match places {
        Some((a, b)) => units::reply_distance(&mut ctx.reply, geo::distance(a, b) / metres),
        None => ctx.reply.null(),
    }
    Ok(())
}

fn geohash(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let zset = ctx.db.read::<Zset>(args.key(1))?;
    ctx.reply.array(args.len() - 2);
    for member in args.iter_from(2) {
        match zset.and_then(|zset| zset.score(member)) {
            Some(score) => ctx.reply.bulk(&geo::text(score as u64)),
            None => ctx.reply.null(),
        }
    }
    Ok(())
}

fn geopos(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let zset = ctx.db.read::<Zset>(args.key(1))?;
    ctx.reply.array(args.len() - 2);
    for member in args.iter_from(2) {
        match zset.and_then(|zset| place::of_member(zset, member)) {
            Some(point) => place::reply(&mut ctx.reply, point),
            None => ctx.reply.null_array(),
        }
    }
    Ok(())
}
