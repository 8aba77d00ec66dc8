use command::{Args, Ctx, Outcome};

/// Answers a container's HELP: the line that Redis begins with, `lines`, and HELP itself. A line that
/// begins with blanks explains the one before it.
pub fn reply(ctx: &mut Ctx<'_>, args: Args<'_>, lines: &[&str]) {
    // Nothing that is written fails.
    let _ = write(ctx, &args.text(0).to_uppercase(), lines);
}

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
