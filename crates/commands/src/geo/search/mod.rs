//! Members in an area.

mod find;
mod query;

use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeyList, KeySpec, Outcome, Spec};
use value::zset::Zset;

use find::Found;
use query::{Form, Order, Query};

use super::{place, units};
use crate::sorted_set::{limits, store};

const COST: &str = "O(N+log(M)) with N members in the cells around the area and M in the set";
const READS: KeySpec = KeySpec::one(1, KeyFlags::READ);
const STORES: KeyFlags = KeyFlags::OW.union(KeyFlags::UPDATE);

const BASE: Spec = Spec {
    group: Group::Geo,
    flags: Flags::READONLY,
    keys: &[READS],
    complexity: COST,
    ..Spec::BASE
};

/// `GEOSEARCH key FROMMEMBER ... | FROMLONLAT ... BYRADIUS ... | BYBOX ... | BYPOLYGON ... [...]`
pub const GEOSEARCH: Spec = Spec {
    name: "geosearch",
    arity: -7,
    since: "6.2.0",
    summary: "Returns the members in a circle, a box, or a polygon.",
    syntax: "key from=(FROMMEMBER member | FROMLONLAT longitude_latitude=(longitude:double \
             latitude:double)) by=(circle=(BYRADIUS radius:double unit=(M | KM | FT | \
             MI)) | box=(BYBOX width:double height:double unit=(M | KM | FT | MI)) \
             | polygon=(BYPOLYGON num-vertices:integer vertex=(longitude:double \
             latitude:double)...)) [order=(ASC | DESC)] [count=(COUNT count:integer [any=ANY])] \
             [withcoord=WITHCOORD] [withdist=WITHDIST] [withhash=WITHHASH]",
    history: &[
        ("7.0.0", "Names of units in upper case."),
        ("9.0.0", "`BYPOLYGON` (as in Valkey)."),
    ],
    run: |ctx, args| search(ctx, args, Form::Search),
    ..BASE
};

/// `GEOSEARCHSTORE destination source ... [STOREDIST]`
pub const GEOSEARCHSTORE: Spec = Spec {
    name: "geosearchstore",
    arity: -8,
    flags: Flags::WRITE.union(Flags::DENYOOM),
    keys: &[KeySpec::one(1, STORES), KeySpec::one(2, KeyFlags::READ)],
    since: "6.2.0",
    summary: "Stores the members in a circle, a box, or a polygon under another key.",
    syntax: "destination source from=(FROMMEMBER member | FROMLONLAT \
             longitude_latitude=(longitude:double latitude:double)) by=(circle=(BYRADIUS \
             radius:double unit=(M | KM | FT | MI)) | box=(BYBOX width:double \
             height:double unit=(M | KM | FT | MI)) | polygon=(BYPOLYGON \
             num-vertices:integer vertex=(longitude:double latitude:double)...)) [order=(ASC | \
             DESC)] [count=(COUNT count:integer [any=ANY])] [storedist=STOREDIST]",
    history: &[
        ("7.0.0", "Names of units in upper case."),
        ("9.0.0", "`BYPOLYGON` (as in Valkey)."),
    ],
    run: |ctx, args| search(ctx, args, Form::SearchStore),
    ..BASE
};

/// `GEORADIUS key longitude latitude radius unit [...] [STORE key] [STOREDIST key]`
pub const GEORADIUS: Spec = Spec {
    name: "georadius",
    arity: -6,
    flags: Flags::WRITE.union(Flags::DENYOOM),
    keys: &[
        READS,
        KeySpec { begin: command::Begin::Keyword("STORE", 6), ..KeySpec::one(0, STORES) },
        KeySpec { begin: command::Begin::Keyword("STOREDIST", 6), ..KeySpec::one(0, STORES) },
    ],
    find_keys: Some(|args, keys| find_keys(args, 5, keys)),
    since: "3.2.0",
    summary: "Returns or stores the members in a circle around a place.",
    syntax: "key longitude:double latitude:double radius:double unit=(M | KM | FT | \
             MI) [withcoord=WITHCOORD] [withdist=WITHDIST] [withhash=WITHHASH] \
             [count=(COUNT count:integer [any=ANY])] [order=(ASC | DESC)] [STORE key] \
             [STOREDIST key]",
    history: &[("6.2.0", "`ANY` after `COUNT`."), ("7.0.0", "Names of units in upper case.")],
    deprecated: Some(("6.2.0", "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument")),
    run: |ctx, args| search(ctx, args, Form::Place { stores: true }),
    ..BASE
};

/// `GEORADIUS_RO key longitude latitude radius unit [...]`
pub const GEORADIUS_RO: Spec = Spec {
    name: "georadius_ro",
    arity: -6,
    since: "3.2.10",
    summary: "Returns the members in a circle around a place.",
    syntax: "key longitude:double latitude:double radius:double unit=(M | KM | FT | \
             MI) [withcoord=WITHCOORD] [withdist=WITHDIST] [withhash=WITHHASH] \
             [count=(COUNT count:integer [any=ANY])] [order=(ASC | DESC)]",
    history: &[("6.2.0", "`ANY` after `COUNT`.")],
    deprecated: Some(("6.2.0", "`GEOSEARCH` with the `BYRADIUS` argument")),
    run: |ctx, args| search(ctx, args, Form::Place { stores: false }),
    ..BASE
};

/// `GEORADIUSBYMEMBER key member radius unit [...] [STORE key] [STOREDIST key]`
pub const GEORADIUSBYMEMBER: Spec = Spec {
    name: "georadiusbymember",
    arity: -5,
    flags: Flags::WRITE.union(Flags::DENYOOM),
    keys: &[
        READS,
        KeySpec { begin: command::Begin::Keyword("STORE", 5), ..KeySpec::one(0, STORES) },
        KeySpec { begin: command::Begin::Keyword("STOREDIST", 5), ..KeySpec::one(0, STORES) },
    ],
    find_keys: Some(|args, keys| find_keys(args, 5, keys)),
    since: "3.2.0",
    summary: "Returns or stores the members in a circle around a member.",
    syntax: "key member radius:double unit=(M | KM | FT | MI) [withcoord=WITHCOORD] \
             [withdist=WITHDIST] [withhash=WITHHASH] [count=(COUNT count:integer [any=ANY])] \
             [order=(ASC | DESC)] [STORE key] [STOREDIST key]",
    history: &[("7.0.0", "Names of units in upper case.")],
    deprecated: Some((
        "6.2.0",
        "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
    )),
    run: |ctx, args| search(ctx, args, Form::Member { stores: true }),
    ..BASE
};

/// `GEORADIUSBYMEMBER_RO key member radius unit [...]`
pub const GEORADIUSBYMEMBER_RO: Spec = Spec {
    name: "georadiusbymember_ro",
    arity: -5,
    since: "3.2.10",
    summary: "Returns the members in a circle around a member.",
    syntax: "key member radius:double unit=(M | KM | FT | MI) [withcoord=WITHCOORD] \
             [withdist=WITHDIST] [withhash=WITHHASH] [count=(COUNT count:integer [any=ANY])] \
             [order=(ASC | DESC)]",
    deprecated: Some(("6.2.0", "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments")),
    run: |ctx, args| search(ctx, args, Form::Member { stores: false }),
    ..BASE
};

/// The source, and the last key behind STORE or STOREDIST: the command uses that one alone.
fn find_keys(args: Args<'_>, from: usize, keys: &mut KeyList) -> Result<(), Error> {
    let mut stored = None;
    let mut word = from;
    while word + 1 < args.len() {
        if args.is(word, "STORE") || args.is(word, "STOREDIST") {
            word += 1;
            stored = Some(word);
        }
        word += 1;
    }
    keys.push((1, KeyFlags::READ));
    keys.extend(stored.map(|word| (word, STORES)));
    Ok(())
}

fn search(ctx: &mut Ctx<'_>, args: Args<'_>, form: Form) -> Outcome {
    let limits = limits(ctx.config);
    let source = if form == Form::SearchStore { 2 } else { 1 };
    let zset = ctx.db.read::<Zset>(args.key(source))?;
    let query = Query::parse(args, form, zset)?;
    let mut found = match (zset, &query.shape) {
        (Some(zset), Some(shape)) => find::members(zset, shape, query.count.filter(|_| query.any)),
        _ => Vec::new(),
    };
    match query.order {
        Some(Order::Nearest) => found.sort_by(|a, b| a.metres.total_cmp(&b.metres)),
        Some(Order::Farthest) => found.sort_by(|a, b| b.metres.total_cmp(&a.metres)),
        None => {}
    }
    found.truncate(query.count.unwrap_or(usize::MAX));
    let Some(destination) = query.store else {
        reply(&mut ctx.reply, &found, &query);
        return Ok(());
    };
    let score = |found: &Found<'_>| {
        if query.store_distance { found.metres / query.unit } else { found.score }
    };
    found.sort_unstable_by(|a, b| {
        score(a).total_cmp(&score(b)).then_with(|| a.member.cmp(b.member))
    });
    let result = Zset::from_sorted(found.iter().map(|one| (one.member, score(one))), limits);
    // Redis counts every stored member as a change here.
    let more = result.len().saturating_sub(1) as u64;
    let searched = matches!(form, Form::Search | Form::SearchStore);
    let event = if searched { "geosearchstore" } else { "georadiusstore" };
    store(ctx, args.key(destination), result, event);
    ctx.db.add_changes(more);
    Ok(())
}

fn reply(reply: &mut resp::Writer<'_>, found: &[Found<'_>], query: &Query) {
    let details = [query.with_distance, query.with_hash, query.with_place];
    let details = details.into_iter().filter(|wanted| *wanted).count();
    reply.array(found.len());
    for one in found {
        if details > 0 {
            reply.array(details + 1);
        }
        reply.bulk(one.member);
        if query.with_distance {
            units::reply_distance(reply, one.metres / query.unit);
        }
        if query.with_hash {
            reply.integer(one.score as i64);
        }
        if query.with_place {
            place::reply(reply, one.place);
        }
    }
}
