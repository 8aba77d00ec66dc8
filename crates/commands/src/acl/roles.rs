use command::{Args, Ctx, Error, Outcome, Spec};

use super::{effects, rules, show};

const BASE: Spec = Spec { since: "9.2.0", ..super::BASE };

/// `ACL SETROLE rolename [rule ...]`
pub const SETROLE: Spec = Spec {
    name: "setrole",
    arity: -3,
    summary: "Creates a role, or changes what it allows.",
    complexity: "O(N+M*C). Where N is the number of rules provided, M the number of users in the role and C the \
                 number of connected clients.",
    syntax: "rolename [rule ...]",
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    run: setrole,
    ..BASE
};

/// `ACL GETROLE rolename`
pub const GETROLE: Spec = Spec {
    name: "getrole",
    arity: 3,
    summary: "Tells the rules of a role, and who has it.",
    complexity: "O(N). Where N is the number of rules of the role and of users.",
    syntax: "rolename",
    run: getrole,
    ..BASE
};

/// `ACL DELROLE rolename [rolename ...]`
pub const DELROLE: Spec = Spec {
    name: "delrole",
    arity: -3,
    summary: "Deletes roles that no user has.",
    complexity: "O(N). Where N is the number of roles to delete.",
    syntax: "rolename ...",
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    run: delrole,
    ..BASE
};

/// `ACL ROLES`
pub const ROLES: Spec = Spec {
    name: "roles",
    arity: 2,
    summary: "Lists the names of the roles.",
    complexity: "O(N). Where N is the number of roles.",
    run: roles,
    ..BASE
};

fn setrole(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let name = args.at(2);
    if let Some(why) = acl::wrong_role_name(name) {
        return Err(Error::new(format!("ERR {why}")));
    }
    let defaults = ctx.services.acl_defaults();
    let changes = ctx.services.acl.set_role(name, &rules::words(args), defaults);
    let changes = changes.map_err(|error| rules::refused(&error, "SETROLE"))?;
    effects::follow(ctx, &changes);
    ctx.reply.ok();
    Ok(())
}

fn getrole(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let Some(role) = ctx.services.acl.role(args.at(2)) else {
        ctx.reply.null();
        return Ok(());
    };
    let users = ctx.services.acl.users_of(args.at(2));
    let map = ctx.reply.deferred();
    let fields = show::selectors(ctx, &role);
    ctx.reply.bulk(b"users");
    ctx.reply.array(users.len());
    users.iter().for_each(|user| ctx.reply.bulk(user));
    ctx.reply.finish_map(map, fields + 1);
    Ok(())
}

fn delrole(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let names: Vec<&[u8]> = args.iter_from(2).collect();
    let deleted = ctx.services.acl.delete_roles(&names).map_err(|name| {
        let name = String::from_utf8_lossy(name);
        Error::new(format!(
            "ERR Role '{name}' is assigned to one or more users. Remove it from them first."
        ))
    })?;
    ctx.reply.integer(deleted as i64);
    Ok(())
}

fn roles(ctx: &mut Ctx<'_>, _: Args<'_>) -> Outcome {
    let roles = ctx.services.acl.roles();
    ctx.reply.array(roles.len());
    roles.iter().for_each(|(name, _)| ctx.reply.bulk(name));
    Ok(())
}
