use command::{Args, Ctx, Error, Flags, Group, Outcome, Spec};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// `AUTH [username] password`
pub const AUTH: Spec = Spec {
    name: "auth",
    arity: -2,
    flags: Flags::NOSCRIPT
        .union(Flags::LOADING)
        .union(Flags::STALE)
        .union(Flags::FAST)
        .union(Flags::NO_AUTH)
        .union(Flags::ALLOW_BUSY),
    group: Group::Connection,
    since: "1.0.0",
    summary: "Proves who the client is.",
    complexity: "O(N) where N is the number of the user's passwords",
    syntax: "[username] password",
    history: &[("6.0.0", "Takes a user's name as well.")],
    run: auth,
    ..Spec::BASE
};

const NO_PASSWORD: Error = Error::fixed(
    "ERR AUTH <password> called without any password configured for the default user. \
     Are you sure your configuration is correct?",
);
const WRONG_PASSWORD: Error =
    Error::fixed("WRONGPASS invalid username-password pair or user is disabled.");

/// The user that connections begin as.
pub const DEFAULT_USER: &[u8] = b"default";

fn auth(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    match args.len() {
        2 if ctx.config.requirepass.is_empty() => return Err(NO_PASSWORD),
        2 => authenticate(ctx, DEFAULT_USER, args.at(1))?,
        3 => authenticate(ctx, args.at(1), args.at(2))?,
        _ => return Err(Error::SYNTAX),
    }
    ctx.reply.ok();
    Ok(())
}

/// Makes the client `user`, if that is the user's password.
///
/// # Errors
/// The same when the user does not exist as when the password is wrong.
pub fn authenticate(ctx: &mut Ctx<'_>, user: &[u8], password: &[u8]) -> Outcome {
    let required = &ctx.config.requirepass;
    if !is_user(user) || !(required.is_empty() || is_same(required, password)) {
        return Err(WRONG_PASSWORD);
    }
    ctx.session.authenticated = true;
    ctx.session.client.names.lock().user = user.to_vec();
    Ok(())
}

/// Whether there is a user of this name.
pub fn is_user(name: &[u8]) -> bool {
    name == DEFAULT_USER
}

/// Compares digests, so that the time taken tells nothing of the password, not even its length.
fn is_same(password: &[u8], given: &[u8]) -> bool {
    Sha256::digest(password).ct_eq(&Sha256::digest(given)).into()
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn only_the_same_bytes_are_the_same_password() {
        assert!(is_same(b"", b""));
        assert!(is_same(b"secret\x00\xff", b"secret\x00\xff"));
        for other in [&b"secre"[..], b"secret ", b"Secret", b""] {
            assert!(!is_same(b"secret", other));
        }
    }
}
