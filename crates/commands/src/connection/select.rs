use command::{Args, Ctx, Databases, Error, Flags, Group, Outcome, Spec};
use smallvec::SmallVec;

/// `SELECT index`
pub const SELECT: Spec = Spec {
    name: "select",
    arity: 2,
    flags: Flags::LOADING.union(Flags::STALE).union(Flags::FAST),
    group: Group::Connection,
    since: "1.0.0",
    summary: "Chooses the database that the connection works on.",
    complexity: "O(1)",
    syntax: "index:integer",
    databases: Databases::Named(|_| SmallVec::from_slice(&[1])),
    run: select,
    ..Spec::BASE
};

const BEYOND_INT: Error =
    Error::fixed("ERR value is out of range, value must between -2147483648 and 2147483647");

fn select(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let index = i32::try_from(args.integer(1)?).map_err(|_| BEYOND_INT)?;
    let database = usize::try_from(index)
        .ok()
        .filter(|&index| index < ctx.config.databases as usize)
        .ok_or(Error::DB_OUT_OF_RANGE)?;
    ctx.session.select(database);
    ctx.reply.ok();
    Ok(())
}
