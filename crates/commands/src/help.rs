use command::{Args, Ctx, Error, Outcome};

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

/// A number of arguments that the arity admits and the subcommand does not.
pub(crate) fn wrong_number(args: Args<'_>) -> Error {
    let word = args.at(1);
    let word = String::from_utf8_lossy(word.get(..128).unwrap_or(word));
    let container = args.text(0).to_uppercase();
    Error::new(format!(
        "ERR unknown subcommand or wrong number of arguments for '{word}'. Try {container} HELP."
    ))
}
