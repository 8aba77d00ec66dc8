use command::{Ctx, Outcome};

/// Writes the reply of a container's HELP: a heading, `lines`, and what HELP itself does.
pub(crate) fn write(ctx: &mut Ctx<'_>, container: &str, lines: &[&str]) -> Outcome {
    ctx.reply.array(lines.len() + 3);
    ctx.reply
        .simple(&format!("{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    lines.iter().for_each(|line| ctx.reply.simple(line));
    ctx.reply.simple("HELP");
    ctx.reply.simple("    Print this help.");
    Ok(())
}
