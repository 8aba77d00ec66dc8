//! CLIENT TRACKING and what belongs to it: server-assisted caching.

use std::sync::Arc;

use ::tracking::{Mode, Request, Tracker};
use command::client_line::redirection;
use command::{Args, Ctx, Error, Outcome, Spec};

/// `CLIENT TRACKING ON | OFF [option ...]`
pub const TRACKING: Spec = Spec {
    name: "tracking",
    arity: -3,
    since: "6.0.0",
    summary: "Lets the server tell this connection which of the keys that it has read change.",
    complexity: "O(1). Some options may introduce additional complexity.",
    syntax: "status=(ON | OFF) [REDIRECT client-id:integer] [PREFIX prefix]... [BCAST] [OPTIN] \
             [OPTOUT] [NOLOOP]",
    run: tracking,
    ..super::BASE
};

/// `CLIENT CACHING YES | NO`
pub const CACHING: Spec = Spec {
    name: "caching",
    arity: 3,
    since: "6.0.0",
    summary: "Says whether the next command's keys are tracked.",
    syntax: "mode=(YES | NO)",
    run: caching,
    ..super::BASE
};

/// `CLIENT GETREDIR`
pub const GETREDIR: Spec = Spec {
    name: "getredir",
    arity: 2,
    since: "6.0.0",
    summary: "The id of the connection that gets this one's invalidations.",
    run: getredir,
    ..super::BASE
};

/// `CLIENT TRACKINGINFO`
pub const TRACKINGINFO: Spec = Spec {
    name: "trackinginfo",
    arity: 2,
    since: "6.2.0",
    summary: "How this connection tracks keys.",
    run: trackinginfo,
    ..super::BASE
};

const SEVERAL_REDIRECTIONS: Error =
    Error::fixed("ERR A client can only redirect to a single other client");
const NO_SUCH_CLIENT: Error = Error::fixed("ERR The client ID you want redirect to does not exist");
const PREFIX_WITHOUT_BCAST: Error =
    Error::fixed("ERR PREFIX option requires BCAST mode to be enabled");
const OTHER_BCAST: Error = Error::fixed(
    "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then \
     re-enabling it with a different mode.",
);
const BCAST_AND_OPT: Error = Error::fixed("ERR OPTIN and OPTOUT are not compatible with BCAST");
const BOTH_OPTS: Error = Error::fixed("ERR You can't specify both OPTIN mode and OPTOUT mode");
const OTHER_OPT: Error = Error::fixed(
    "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then \
     re-enabling it with a different mode.",
);
const NOT_TRACKING: Error = Error::fixed(
    "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT \
     mode enabled",
);
const NOT_OPT_IN: Error =
    Error::fixed("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
const NOT_OPT_OUT: Error =
    Error::fixed("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");

/// The options, as they stand in the command.
struct Options<'a> {
    redirect: Option<Arc<Tracker>>,
    mode: Mode,
    prefixes: Vec<&'a [u8]>,
}

impl<'a> Options<'a> {
    fn parse(ctx: &Ctx<'_>, args: Args<'a>) -> Result<Self, Error> {
        let mut options = Self { redirect: None, mode: Mode::empty(), prefixes: Vec::new() };
        let mut next = 3;
        while next < args.len() {
            let has_value = next + 1 < args.len();
            if args.is(next, "REDIRECT") && has_value {
                next += 1;
                if options.redirect.is_some() {
                    return Err(SEVERAL_REDIRECTIONS);
                }
                options.redirect = Some(target(ctx, args.integer(next)?)?);
            } else if args.is(next, "PREFIX") && has_value {
                next += 1;
                options.prefixes.push(args.at(next));
            } else {
                options.mode |= mode_named(args, next).ok_or(Error::SYNTAX)?;
            }
            next += 1;
        }
        Ok(options)
    }

    /// Whether the options agree with each other and with how the client tracks already.
    fn check(&self, before: Mode) -> Outcome {
        let either = Mode::OPT_IN.union(Mode::OPT_OUT);
        let (mode, is_broadcast) = (self.mode, self.mode.contains(Mode::BROADCAST));
        if !is_broadcast && !self.prefixes.is_empty() {
            return Err(PREFIX_WITHOUT_BCAST);
        }
        if before.contains(Mode::ON) && before.contains(Mode::BROADCAST) != is_broadcast {
            return Err(OTHER_BCAST);
        }
        if is_broadcast && mode.intersects(either) {
            return Err(BCAST_AND_OPT);
        }
        if mode.contains(either) {
            return Err(BOTH_OPTS);
        }
        let switches = |from: Mode, to: Mode| before.contains(from) && mode.contains(to);
        if switches(Mode::OPT_IN, Mode::OPT_OUT) || switches(Mode::OPT_OUT, Mode::OPT_IN) {
            return Err(OTHER_OPT);
        }
        Ok(())
    }

    /// Whether no key could have two of the client's prefixes.
    fn check_prefixes(&self, existing: &[Arc<[u8]>]) -> Outcome {
        for (place, prefix) in self.prefixes.iter().enumerate() {
            if let Some(other) = existing.iter().find(|other| overlap(prefix, other)) {
                return Err(overlapping(prefix, "an existing prefix", other));
            }
            let mut later = self.prefixes.iter().skip(place + 1);
            if let Some(other) = later.find(|other| overlap(prefix, other)) {
                return Err(overlapping(prefix, "another provided prefix", other));
            }
        }
        Ok(())
    }
}

fn mode_named(args: Args<'_>, word: usize) -> Option<Mode> {
    let modes = [
        ("BCAST", Mode::BROADCAST),
        ("OPTIN", Mode::OPT_IN),
        ("OPTOUT", Mode::OPT_OUT),
        ("NOLOOP", Mode::NO_LOOP),
    ];
    modes.into_iter().find(|(name, _)| args.is(word, name)).map(|(_, mode)| mode)
}

/// The client to redirect to; it has to be connected.
fn target(ctx: &Ctx<'_>, id: i64) -> Result<Arc<Tracker>, Error> {
    let clients = &ctx.services.clients;
    let id = u64::try_from(id).map_err(|_| NO_SUCH_CLIENT)?;
    let client = clients.get(id).ok_or(NO_SUCH_CLIENT)?;
    let tracker = Arc::clone(client.tracker_or_new());
    // If its connection ends from here on, whoever ends it sees the tracker.
    clients.get(id).ok_or(NO_SUCH_CLIENT)?;
    Ok(tracker)
}

fn overlap(one: &[u8], other: &[u8]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn overlapping(prefix: &[u8], which: &str, other: &[u8]) -> Error {
    let text = String::from_utf8_lossy;
    Error::new(format!(
        "ERR Prefix '{}' overlaps with {which} '{}'. Prefixes for a single client must not overlap.",
        text(prefix),
        text(other)
    ))
}

fn tracking(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let options = Options::parse(ctx, args)?;
    let client = &ctx.session.client;
    if args.is(2, "ON") {
        let before = client.tracker();
        options.check(before.map_or(Mode::empty(), |tracker| tracker.mode()))?;
        let existing = before.map(|tracker| tracker.prefixes()).unwrap_or_default();
        options.check_prefixes(&existing)?;
        let Options { redirect, mode, prefixes } = options;
        let request = Request { redirect, mode, prefixes };
        ctx.services.tracking.start(client.tracker_or_new(), request);
    } else if args.is(2, "OFF") {
        if let Some(tracker) = client.tracker() {
            ctx.services.tracking.stop(tracker);
        }
    } else {
        return Err(Error::SYNTAX);
    }
    ctx.reply.ok();
    Ok(())
}

fn caching(ctx: &mut Ctx<'_>, args: Args<'_>) -> Outcome {
    let tracker = ctx.session.client.tracker();
    let tracker =
        tracker.filter(|tracker| tracker.mode().contains(Mode::ON)).ok_or(NOT_TRACKING)?;
    let (needed, otherwise) = if args.is(2, "YES") {
        (Mode::OPT_IN, NOT_OPT_IN)
    } else if args.is(2, "NO") {
        (Mode::OPT_OUT, NOT_OPT_OUT)
    } else {
        return Err(Error::SYNTAX);
    };
    if !tracker.mode().contains(needed) {
        return Err(otherwise);
    }
    tracker.set_caching(true);
    ctx.reply.ok();
    Ok(())
}

fn getredir(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    ctx.reply.integer(redirection(ctx.session.client.tracker()));
    Ok(())
}

fn trackinginfo(ctx: &mut Ctx<'_>, _args: Args<'_>) -> Outcome {
    let tracker = ctx.session.client.tracker();
    let mode = tracker.map_or(Mode::empty(), |tracker| tracker.mode());
    let (set, caching) = (|flag| mode.contains(flag), mode.contains(Mode::CACHING));
    let flags = [
        (set(Mode::ON), "on"),
        (!set(Mode::ON), "off"),
        (set(Mode::BROADCAST), "bcast"),
        (set(Mode::OPT_IN), "optin"),
        (set(Mode::OPT_IN) && caching, "caching-yes"),
        (set(Mode::OPT_OUT), "optout"),
        (set(Mode::OPT_OUT) && caching, "caching-no"),
        (set(Mode::NO_LOOP), "noloop"),
        (set(Mode::BROKEN), "broken_redirect"),
    ];
    let flags: Vec<&str> =
        flags.iter().filter(|(is_set, _)| *is_set).map(|(_, name)| *name).collect();
    let prefixes = tracker.map(|tracker| tracker.prefixes()).unwrap_or_default();
    let redirection = redirection(tracker);
    let reply = &mut ctx.reply;
    reply.map(3);
    reply.bulk(b"flags");
    reply.set(flags.len());
    flags.iter().for_each(|flag| reply.bulk(flag.as_bytes()));
    reply.bulk(b"redirect");
    reply.integer(redirection);
    reply.bulk(b"prefixes");
    reply.array(prefixes.len());
    prefixes.iter().for_each(|prefix| reply.bulk(prefix));
    Ok(())
}
