use std::path::Path;

use command::{Args, Ctx, Error, Outcome, Services, Spec};
use config::{Files, OsFiles};

use super::effects;

/// `ACL LOAD`
pub const LOAD: Spec = Spec {
    name: "load",
    arity: 2,
    summary: "Reads the users from their file again.",
    complexity: "O(N). Where N is the number of configured users.",
    run: load,
    ..super::BASE
};

/// `ACL SAVE`
pub const SAVE: Spec = Spec {
    name: "save",
    arity: 2,
    summary: "Writes the users into their file.",
    complexity: "O(N). Where N is the number of configured users.",
    run: save,
    ..super::BASE
};

const NO_FILE: Error = Error::fixed(
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL \
     SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in \
     order to store users in the Redis configuration.",
);
const NOT_SAVED: Error = Error::fixed(
    "ERR There was an error trying to save the ACLs. Please check the server logs for more information",
);

fn load(ctx: &mut Ctx<'_>, _: Args<'_>) -> Outcome {
    let path = path(ctx)?;
    let loaded = match OsFiles.read(Path::new(&path)) {
        Ok(text) => ctx.services.acl.load(&text, &path, ctx.services.acl_defaults()),
        Err(error) => Err(cannot_open(&path, &error)),
    };
    let loaded = loaded.map_err(|errors| Error::new(format!("ERR {errors}")))?;
    effects::disconnect(ctx, &loaded.gone);
    effects::follow(ctx, &loaded.changes);
    ctx.reply.ok();
    Ok(())
}

fn save(ctx: &mut Ctx<'_>, _: Args<'_>) -> Outcome {
    let path = path(ctx)?;
    let mut text = ctx.services.acl.lines().join(&b'\n');
    text.push(b'\n');
    config::replace_file(Path::new(&path), &text).map_err(|error| {
        tracing::warn!("Writing the ACL file '{path}': {error}");
        NOT_SAVED
    })?;
    ctx.reply.ok();
    Ok(())
}

fn path(ctx: &Ctx<'_>) -> Result<String, Error> {
    match ctx.config.aclfile.as_str() {
        "" => Err(NO_FILE),
        path => Ok(path.to_owned()),
    }
}

/// The error that the file cannot be read.
pub fn cannot_open(path: &str, error: &std::io::Error) -> String {
    let error = error.to_string();
    let why = error.split(" (os error").next().unwrap_or_default();
    format!("Error loading ACLs, opening file '{path}': {why}")
}

/// What CONFIG REWRITE writes behind `user`, unless the users have a file of their own.
pub(crate) fn rewritten_users(services: &Services) -> Vec<Vec<u8>> {
    lines_of(services, b"user ")
}

/// What CONFIG REWRITE writes behind `role`.
pub(crate) fn rewritten_roles(services: &Services) -> Vec<Vec<u8>> {
    lines_of(services, b"role ")
}

fn lines_of(services: &Services, kind: &[u8]) -> Vec<Vec<u8>> {
    if !services.config.load().aclfile.is_empty() {
        return Vec::new();
    }
    let lines = services.acl.lines();
    lines.iter().filter_map(|line| line.strip_prefix(kind)).map(<[u8]>::to_vec).collect()
}
