use command::{Args, Ctx};

/// Answers a container's HELP: the line that Redis begins with, `lines`, and HELP itself. A line that
/// begins with blanks explains the one before it.
pub fn reply(ctx: &mut Ctx<'_>, args: Args<'_>, lines: &[&str]) {
    ctx.reply.array(lines.len() + 3);
    let container = args.text(0).to_uppercase();
    ctx.reply
        .simple(&format!("{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    for line in lines.iter().chain(&["HELP", "    Print this help."]) {
        ctx.reply.simple(line);
    }
}
