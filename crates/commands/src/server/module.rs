//! MODULE: there are none, and none can be loaded.

use command::{Args, Ctx, Error, Flags, Group, Outcome, Spec};
use config::AllowFrom;

/// `MODULE`
pub const MODULE: Spec = Spec {
    name: "module",
    arity: -2,
    group: Group::Server,
    since: "4.0.0",
    summary: "Holds the commands of modules.",
    complexity: "Depends on the subcommand.",
    subcommands: &[
        &Spec {
            name: "list",
            arity: 2,
            flags: Flags::ADMIN.union(Flags::NOSCRIPT),
            summary: "Lists the modules.",
            complexity: "O(N) in the number of modules",
            tips: &["nondeterministic_output_order"],
            run: list,
            ..COMMON
        },
        &Spec {
            name: "load",
            arity: -3,
            summary: "Loads a module.",
            syntax: "path [arg]...",
            run: refuse,
            ..COMMON
        },
        &Spec {
            name: "loadex",
            arity: -3,
            since: "7.0.0",
            summary: "Loads a module with options.",
            syntax: "path [CONFIG configs=(name value)]... [ARGS args=(arg)...]",
            run: refuse,
            ..COMMON
        },
        &Spec {
            name: "unload",
            arity: 3,
            summary: "Unloads a module.",
            syntax: "name",
            run: refuse,
            ..COMMON
        },
        &Spec {
            name: "help",
            arity: 2,
            flags: Flags::LOADING.union(Flags::STALE),
            since: "5.0.0",
            summary: "Lists the subcommands.",
            run: help,
            ..COMMON
        },
    ],
    ..Spec::BASE
};

const COMMON: Spec = Spec {
    container: Some("module"),
    flags: Flags::ADMIN.union(Flags::NOSCRIPT).union(Flags::NO_ASYNC_LOADING),
    group: Group::Server,
    since: "4.0.0",
    complexity: "O(1)",
    ..Spec::BASE
};

fn list(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    ctx.reply.array(0);
    Ok(())
}

fn refuse(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let allowed = match ctx.config.enable_module_command {
        AllowFrom::No => false,
        AllowFrom::Yes => true,
        AllowFrom::Local => ctx.session.client.is_local(),
    };
    if !allowed {
        return Err(Error::fixed(
            "ERR MODULE command not allowed. If the enable-module-command option is set to \
             \"local\", you can run it from a local connection, otherwise you need to set this \
             option in the configuration file, and then restart the server.",
        ));
    }
    Err(if args.is(1, "unload") {
        Error::fixed("ERR Error unloading module: no such module with that name")
    } else {
        Error::fixed(
            "ERR Error loading the extension. Please check the server logs. Modules are not \
             supported.",
        )
    })
}

fn help(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    crate::help::reply(
        ctx,
        args,
        &[
            "LIST",
            "    List the modules: there are none.",
            "LOAD <path> [<arg> ...]",
            "    Refused: this server has no modules.",
            "LOADEX <path> [[CONFIG <name> <value>] ...] [ARGS ...]",
            "    Refused as LOAD is.",
            "UNLOAD <name>",
            "    Refused: nothing is loaded.",
        ],
    );
    Ok(())
}
