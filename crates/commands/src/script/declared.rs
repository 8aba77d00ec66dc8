//! What a call of a script or function does, as far as the script declares it.
use command::{Args, Command, Services};
use script::script_shebang;

use super::eval::sha_of;

/// The flags of a call: those of the command, unless what it runs declares its own.
pub fn call_flags(services: &Services, command: Command, args: Args<'_>) -> command::Flags {
    use command::Flags;
    let runs = command.group == command::Group::Scripting
        && command.flags.contains(Flags::NO_MANDATORY_KEYS);
    let Some(declared) =
        Some(args).filter(|_| runs).and_then(|args| declared(services, command, args))
    else {
        return command.flags;
    };
    let may_write = !declared.contains(script::Flags::NO_WRITES);
    let own = Flags::STALE | Flags::DENYOOM | Flags::WRITE | Flags::MAY_REPLICATE;
    let mut flags = command.flags.difference(own);
    flags.set(Flags::STALE, declared.contains(script::Flags::ALLOW_STALE));
    flags.set(Flags::DENYOOM, may_write && !declared.contains(script::Flags::ALLOW_OOM));
    flags.set(Flags::WRITE, may_write);
    flags
}

/// What the script or function that a call names declares; none when it declares nothing or is unknown.
fn declared(services: &Services, command: Command, args: Args<'_>) -> Option<script::Flags> {
    let name = args.get(1)?;
    if matches!(command.name, "eval" | "eval_ro") {
        return script_shebang(name).ok().and_then(|(flags, _)| flags);
    }
    if matches!(command.name, "evalsha" | "evalsha_ro") {
        return services.scripts.find(&sha_of(name)?)?.flags;
    }
    let libraries = services.scripts.libraries();
    let library = libraries.functions.get(&name.to_ascii_lowercase())?;
    let called = |function: &&command::scripts::Function| function.name.eq_ignore_ascii_case(name);
    library.functions.iter().find(called).map(|function| function.flags)
}
