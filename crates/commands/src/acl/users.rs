use command::{Args, Ctx, Error, Outcome, Spec};

use super::{effects, rules, show};

/// `ACL SETUSER username [rule ...]`
pub const SETUSER: Spec = Spec {
    name: "setuser",
    arity: -3,
    summary: "Creates a user, or changes what it may do.",
    complexity: "O(N). Where N is the number of rules provided.",
    syntax: "username [rule ...]",
    history: &[
        ("6.2.0", "Rules about channels."),
        ("7.0.0", "Selectors, and keys that may be read or written only."),
    ],
    run: setuser,
    ..super::BASE
};

/// `ACL GETUSER username`
pub const GETUSER: Spec = Spec {
    name: "getuser",
    arity: 3,
    summary: "Tells the rules of a user.",
    complexity: "O(N). Where N is the number of password, command and pattern rules that the user has.",
    syntax: "username",
    history: &[
        ("6.2.0", "Rules about channels."),
        ("7.0.0", "Selectors; patterns of keys and channels are given as rules."),
    ],
    run: getuser,
    ..super::BASE
};

/// `ACL DELUSER username [username ...]`
pub const DELUSER: Spec = Spec {
    name: "deluser",
    arity: -3,
    summary: "Deletes users, and closes their connections.",
    complexity: "O(1) amortized time considering the typical user.",
    syntax: "username ...",
    run: deluser,
    ..super::BASE
};

/// `ACL LIST`
pub const LIST: Spec = Spec {
    name: "list",
    arity: 2,
    summary: "Lists roles and users with their rules, as in a file of them.",
    complexity: "O(N). Where N is the number of configured users.",
    run: list,
    ..super::BASE
};

/// `ACL USERS`
pub const USERS: Spec = Spec {
    name: "users",
    arity: 2,
    summary: "Lists the names of the users.",
    complexity: "O(N). Where N is the number of configured users.",
    run: users,
    ..super::BASE
};

fn setuser(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let name = args.at(2);
    if acl::has_spaces(name) {
        return Err(Error::fixed("ERR Usernames can't contain spaces or null characters"));
    }
    let defaults = ctx.services.acl_defaults();
    let change = ctx.services.acl.set_user(name, &rules::words(args), defaults);
    let change = change.map_err(|error| rules::refused(&error, "SETUSER"))?;
    effects::follow(ctx, change.as_slice());
    ctx.reply.ok();
    Ok(())
}

fn getuser(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let Some(user) = ctx.services.acl.user(args.at(2)) else {
        ctx.reply.null();
        return Ok(());
    };
    let rights = user.rights();
    let account = &rights.account;
    let map = ctx.reply.deferred();
    ctx.reply.bulk(b"flags");
    ctx.reply.set(account.flags().count());
    account.flags().for_each(|flag| ctx.reply.bulk(flag.as_bytes()));
    ctx.reply.bulk(b"passwords");
    ctx.reply.array(account.passwords.len());
    account.passwords.iter().for_each(|digest| ctx.reply.bulk(digest.hex().as_bytes()));
    let mut fields = 2 + show::selectors(ctx, account);
    if !account.roles.is_empty() {
        ctx.reply.bulk(b"roles");
        ctx.reply.array(account.roles.len());
        account.roles.iter().for_each(|role| ctx.reply.bulk(role));
        fields += 1;
    }
    ctx.reply.finish_map(map, fields);
    Ok(())
}

fn deluser(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    if args.iter_from(2).any(|name| name == acl::DEFAULT_USER) {
        return Err(Error::fixed("ERR The 'default' user cannot be removed"));
    }
    let defaults = ctx.services.acl_defaults();
    let acl = &ctx.services.acl;
    let gone: Vec<Vec<u8>> = args
        .iter_from(2)
        .filter(|name| acl.delete_user(name, defaults))
        .map(<[u8]>::to_vec)
        .collect();
    effects::disconnect(ctx, &gone);
    ctx.reply.integer(gone.len() as i64);
    Ok(())
}

fn list(ctx: &mut Ctx<'_>, _: Args<'_>) -> Outcome {
    let lines = ctx.services.acl.lines();
    ctx.reply.array(lines.len());
    lines.iter().for_each(|line| ctx.reply.bulk(line));
    Ok(())
}

fn users(ctx: &mut Ctx<'_>, _: Args<'_>) -> Outcome {
    let users = ctx.services.acl.users();
    ctx.reply.array(users.len());
    users.iter().for_each(|user| ctx.reply.bulk(user.name()));
    Ok(())
}
