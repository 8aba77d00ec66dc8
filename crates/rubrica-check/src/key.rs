use std::ffi::OsString;

use encryption::{Keyring, Source};

/// Takes the options that say where keys are out of a command line, and reads these keys.
///
/// # Errors
/// When there are none at that place.
pub fn of(
    args: impl Iterator<Item = OsString>,
) -> Result<(Vec<OsString>, Option<Keyring>), String> {
    let (mut rest, mut args) = (Vec::new(), args);
    let [mut file, mut env, mut command] = [const { String::new() }; 3];
    while let Some(arg) = args.next() {
        let place = match arg.to_str() {
            Some("--encryption-key-file") => &mut file,
            Some("--encryption-key-env") => &mut env,
            Some("--encryption-key-command") => &mut command,
            _ => {
                rest.push(arg);
                continue;
            }
        };
        let value = args.next().and_then(|value| value.into_string().ok());
        *place = value.ok_or_else(|| format!("{} needs a value", arg.to_string_lossy()))?;
    }
    let source = Source::of(&file, &env, &command).map_err(|error| error.to_string())?;
    let load = |source: Source| source.load(|doubt| eprintln!("{doubt}"));
    let keys = source.map(load).transpose().map_err(|error| error.to_string())?;
    Ok((rest, keys))
}
