use command::{Args, Categories, Ctx, Databases, Error, Flags, Group, Outcome, Spec};
use smallvec::SmallVec;

/// `SWAPDB index1 index2`
pub const SWAPDB: Spec = Spec {
    name: "swapdb",
    arity: 3,
    flags: Flags::WRITE.union(Flags::FAST).union(Flags::EXCLUSIVE),
    categories: Categories::KEYSPACE.union(Categories::DANGEROUS),
    group: Group::Server,
    since: "4.0.0",
    summary: "Exchanges two databases: the clients of each see the keys of the other.",
    complexity: "O(N) with N the number of clients that watch keys or wait for them in both.",
    syntax: "index1:integer index2:integer",
    databases: Databases::Named(|_| SmallVec::from_slice(&[1, 2])),
    run: swapdb,
    ..Spec::BASE
};

fn swapdb(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let number =
        |word: usize, invalid: &'static str| args.int(word).map_err(|_| Error::fixed(invalid));
    let a = number(1, "ERR invalid first DB index")?;
    let b = number(2, "ERR invalid second DB index")?;
    let databases = ctx.services.keyspace.databases();
    let existing = |number: i64| usize::try_from(number).ok().filter(|one| *one < databases);
    let (Some(a), Some(b)) = (existing(a), existing(b)) else {
        return Err(Error::DB_OUT_OF_RANGE);
    };
    if a != b {
        ctx.db.swap(a, b);
    }
    ctx.db.add_changes(1);
    ctx.reply.ok();
    Ok(())
}
