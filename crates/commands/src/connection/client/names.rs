use command::{Args, Ctx, Error, Outcome, Spec};

/// `CLIENT GETNAME`
pub const GETNAME: Spec = Spec {
    name: "getname",
    arity: 2,
    since: "2.6.9",
    summary: "The name of this connection.",
    run: getname,
    ..super::BASE
};

/// `CLIENT SETNAME connection-name`
pub const SETNAME: Spec = Spec {
    name: "setname",
    arity: 3,
    since: "2.6.9",
    summary: "Names this connection.",
    syntax: "connection-name",
    run: setname,
    ..super::BASE
};

/// `CLIENT SETINFO LIB-NAME libname | LIB-VER libver`
pub const SETINFO: Spec = Spec {
    name: "setinfo",
    arity: 4,
    since: "7.2.0",
    summary: "Says which library this connection is used by.",
    syntax: "attr=(LIB-NAME libname | LIB-VER libver)",
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    run: setinfo,
    ..super::BASE
};

const BAD_NAME: Error =
    Error::fixed("ERR Client names cannot contain spaces, newlines or special characters.");

fn getname(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    match ctx.session.client.names.lock().name.as_slice() {
        b"" => ctx.reply.null(),
        name => ctx.reply.bulk(name),
    }
    Ok(())
}

fn setname(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    set_name(ctx, args.at(2))?;
    ctx.reply.ok();
    Ok(())
}

/// Names the connection; the empty name takes the name away.
///
/// # Errors
/// When CLIENT LIST could not show the name.
pub fn set_name(ctx: &mut Ctx<'_>, name: &[u8]) -> Outcome {
    if !is_showable(name) {
        return Err(BAD_NAME);
    }
    ctx.session.client.names.lock().name = name.to_vec();
    Ok(())
}

fn setinfo(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let (is_name, is_version) = (args.is(2, "LIB-NAME"), args.is(2, "LIB-VER"));
    if !is_name && !is_version {
        return Err(Error::new(format!("ERR Unrecognized option '{}'", args.text(2))));
    }
    let value = args.at(3);
    if !is_showable(value) {
        return Err(Error::new(format!(
            "ERR {} cannot contain spaces, newlines or special characters.",
            args.text(2)
        )));
    }
    let mut names = ctx.session.client.names.lock();
    let field = if is_name { &mut names.library } else { &mut names.library_version };
    *field = value.to_vec();
    ctx.reply.ok();
    Ok(())
}

/// CLIENT LIST separates its fields by spaces and its clients by line ends.
fn is_showable(value: &[u8]) -> bool {
    value.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use super::is_showable;

    #[test]
    fn names_that_would_break_client_list_are_refused() {
        assert!(is_showable(b""));
        assert!(is_showable(b"!app-1:worker~"));
        for bad in [&b"a b"[..], b"a\nb", b"a\x00", b"\xc3\xa9", b"\x7f"] {
            assert!(!is_showable(bad));
        }
    }
}
