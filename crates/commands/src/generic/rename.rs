use command::{Args, Ctx, Error, Flags, Group, KeyFlags, KeySpec, Spec};
use config::KeyspaceEvents;

const SOURCE: KeySpec =
    KeySpec::one(1, KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE));

/// `RENAME key newkey`
pub const RENAME: Spec = Spec {
    name: "rename",
    arity: 3,
    flags: Flags::WRITE,
    group: Group::Generic,
    keys: &[SOURCE, KeySpec::one(2, KeyFlags::OW.union(KeyFlags::UPDATE))],
    since: "1.0.0",
    summary: "Gives a key another name, in place of whatever had that name.",
    complexity: "O(1)",
    syntax: "key newkey:key",
    run: |ctx, args| {
        rename(ctx, args, false)?;
        ctx.reply.ok();
        Ok(())
    },
    ..Spec::BASE
};

/// `RENAMENX key newkey`
pub const RENAMENX: Spec = Spec {
    name: "renamenx",
    arity: 3,
    flags: Flags::WRITE.union(Flags::FAST),
    group: Group::Generic,
    keys: &[SOURCE, KeySpec::one(2, KeyFlags::OW.union(KeyFlags::INSERT))],
    since: "1.0.0",
    summary: "Gives a key another name unless a key has that name already.",
    complexity: "O(1)",
    syntax: "key newkey:key",
    history: &[("3.2.0", "The same name twice is no error any more.")],
    run: |ctx, args| {
        let renamed = rename(ctx, args, true)?;
        ctx.reply.integer(i64::from(renamed));
        Ok(())
    },
    ..Spec::BASE
};

/// Moves the entry; false when the new name is taken and `only_if_free`.
fn rename(ctx: &mut Ctx<'_>, args: Args<'_>, only_if_free: bool) -> Result<bool, Error> {
    let (from, to) = (args.key(1), args.key(2));
    if ctx.db.get_mut(from).is_none() {
        return Err(Error::NO_SUCH_KEY);
    }
    if from.bytes() == to.bytes() || (only_if_free && ctx.db.contains(to)) {
        return Ok(false);
    }
    let entry = ctx.db.take(from).ok_or(Error::NO_SUCH_KEY)?;
    ctx.db.remove(to);
    ctx.db.put_entry(to, entry);
    ctx.db.changed_too(from, KeyspaceEvents::GENERIC, "rename_from");
    ctx.db.changed(to, KeyspaceEvents::GENERIC, "rename_to");
    Ok(true)
}
