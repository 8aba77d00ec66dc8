use command::{Args, Ctx, Error, Outcome, Spec};

use crate::help;

/// `ACL CAT [category]`
pub const CAT: Spec = Spec {
    name: "cat",
    arity: -2,
    flags: super::COMMON,
    summary: "Lists the categories of commands, or the commands in one of them.",
    complexity: "O(1) since the number of commands does not change.",
    syntax: "[categoryname]",
    run: cat,
    ..super::BASE
};

fn cat(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let catalogue = ctx.services.acl.catalogue();
    let reply = &mut ctx.reply;
    let Some(name) = args.get(2) else {
        reply.array(catalogue.categories().count());
        catalogue.categories().for_each(|name| reply.bulk(name.as_bytes()));
        return Ok(());
    };
    if args.len() > 3 {
        return Err(help::wrong_number(args));
    }
    let category = catalogue.category(name).ok_or_else(|| {
        let name = args.text(2);
        Error::new(format!("ERR Unknown category '{}'", name.chars().take(128).collect::<String>()))
    })?;
    let members: Vec<usize> = catalogue.members(category).collect();
    reply.array(members.len());
    for facts in members.into_iter().filter_map(|id| catalogue.facts(id)) {
        reply.bulk(facts.name.as_bytes());
    }
    Ok(())
}
