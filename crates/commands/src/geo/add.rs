use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Outcome, Spec};
use value::geo;

use super::place;
use crate::sorted_set::{Conditions, add};

/// `GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]`
pub const GEOADD: Spec = Spec {
    name: "geoadd",
    arity: -5,
    flags: Flags::WRITE.union(Flags::DENYOOM),
    group: Group::Geo,
    keys: &[KeySpec::one(1, KeyFlags::RW.union(KeyFlags::UPDATE))],
    since: "3.2.0",
    summary: "Adds members at places, or moves those that are there.",
    complexity: "O(log(N)) per member, with N members in the set",
    syntax: "key [condition=(NX | XX)] [change=CH] \
             longitude_latitude_member=(longitude:double latitude:double member)...",
    history: &[("6.2.0", "`CH`, `NX` and `XX`.")],
    run: geoadd,
    ..Spec::BASE
};

fn geoadd(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let mut when = Conditions::default();
    let mut at = 2;
    loop {
        match args.at(at) {
            word if word.eq_ignore_ascii_case(b"NX") => when.nx = true,
            word if word.eq_ignore_ascii_case(b"XX") => when.xx = true,
            word if word.eq_ignore_ascii_case(b"CH") => when.ch = true,
            _ => break,
        }
        at += 1;
    }
    let words = args.len().saturating_sub(at);
    if words == 0 || !words.is_multiple_of(3) || (when.nx && when.xx) {
        return Err(Error::SYNTAX);
    }
    let mut members = Vec::with_capacity(words / 3);
    for triple in (at..args.len()).step_by(3) {
        let point = place::parse(args, triple)?;
        // A valid place has a score.
        let score = geo::encode(point).unwrap_or_default();
        members.push((score as f64, args.at(triple + 2)));
    }
    add(ctx, args.key(1), &members, when)?;
    if ctx.effects.wanted() && ctx.db.changes() > 0 {
        log(ctx, args, at, &members);
    }
    Ok(())
}

/// What is logged are the scores, with the options as they were sent.
fn log(ctx: &mut Ctx<'_>, args: Args<'_>, first: usize, members: &[(f64, &[u8])]) {
    let scores: Vec<String> =
        members.iter().map(|(score, _)| (*score as u64).to_string()).collect();
    let options = (1..first).map(|at| args.at(at));
    let pairs =
        scores.iter().zip(members).flat_map(|(score, (_, member))| [score.as_bytes(), *member]);
    ctx.effects.instead_list(&[b"zadd"], options.chain(pairs));
}
