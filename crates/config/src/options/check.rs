//! Checks of values beyond their kinds. The flag says whether the server starts.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::value::Value;

type Checked = Result<(), &'static str>;

fn text(value: &Value) -> &str {
    if let Value::Text(text) = value { text } else { "" }
}

fn is_path(name: &str) -> bool {
    name.contains(['/', '\\'])
}

pub(super) fn dbfilename(value: &Value, _: bool) -> Checked {
    if is_path(text(value)) {
        return Err("dbfilename can't be a path, just a filename");
    }
    Ok(())
}

pub(super) fn appendfilename(value: &Value, _: bool) -> Checked {
    match text(value) {
        "" => Err("appendfilename can't be empty"),
        name if is_path(name) => Err("appendfilename can't be a path, just a filename"),
        _ => Ok(()),
    }
}

pub(super) fn appenddirname(value: &Value, _: bool) -> Checked {
    match text(value) {
        "" => Err("appenddirname can't be empty"),
        name if is_path(name) => Err("appenddirname can't be a path, just a dirname"),
        _ => Ok(()),
    }
}

pub(super) fn no_key(value: &Value, _: bool) -> Checked {
    if text(value).is_empty() {
        return Ok(());
    }
    Err(
        "a key must not stand here: use encryption-key-file, encryption-key-env or encryption-key-command",
    )
}

/// Refuses a key where the name of a place with keys should stand: others see command lines and configurations.
pub(super) fn names_a_key(value: &Value, _: bool) -> Checked {
    let is_key = |word: &str| {
        let digits = word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        digits || (word.len() == 44 && word.ends_with('=') && word.bytes().all(base64))
    };
    let separates = |c: char| c.is_whitespace() || matches!(c, ':' | ',' | ';' | '"' | '\'');
    if text(value).split(separates).any(is_key) {
        return Err(
            "a key must not stand here: name the file, the variable or the command that holds it",
        );
    }
    Ok(())
}

pub(super) fn backupdirname(value: &Value, _: bool) -> Checked {
    match text(value) {
        "" => Err("backupdirname can't be empty"),
        name if is_path(name) => Err("backupdirname can't be a path, just a dirname"),
        _ => Ok(()),
    }
}

pub(super) fn preload_file(value: &Value, _: bool) -> Checked {
    let text = text(value);
    let path = text.strip_prefix("rdb:").or_else(|| text.strip_prefix("aof:"));
    match path {
        None if !text.is_empty() => Err("argument must be in the format 'rdb:path' or 'aof:path'"),
        Some(path) if std::path::Path::new(path).extension().is_none() => {
            Err("preload-file must end with an extension")
        }
        _ => Ok(()),
    }
}

pub(super) fn cluster_config_file(value: &Value, _: bool) -> Checked {
    if text(value).is_empty() { Err("cluster-config-file can't be empty") } else { Ok(()) }
}

pub(super) fn shutdown(value: &Value, _: bool) -> Checked {
    match value {
        Value::Words(words) if words.contains(&"save") && words.contains(&"nosave") => {
            Err("shutdown options SAVE and NOSAVE can't be used simultaneously")
        }
        _ => Ok(()),
    }
}

pub(super) fn hostname(value: &Value, _: bool) -> Checked {
    let name = text(value);
    if name.len() >= 256 {
        return Err("Hostnames must be less than 256 characters");
    }
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')) {
        Ok(())
    } else {
        Err("Hostnames may only contain alphanumeric characters, hyphens or dots")
    }
}

pub(super) fn node_name(value: &Value, _: bool) -> Checked {
    let fine =
        |byte: u8| byte.is_ascii_graphic() && !b"!\"#$&'()*+,;<>=?@[]^{}|~\\".contains(&byte);
    if text(value).bytes().all(fine) {
        Ok(())
    } else {
        Err("Announced human node name contained invalid character")
    }
}

pub(super) fn ipv4(value: &Value, _: bool) -> Checked {
    let text = text(value);
    if text.is_empty() || text.parse::<Ipv4Addr>().is_ok() {
        Ok(())
    } else {
        Err("Invalid IPv4 address")
    }
}

pub(super) fn ipv6(value: &Value, _: bool) -> Checked {
    let text = text(value);
    if text.is_empty() || text.parse::<Ipv6Addr>().is_ok() {
        Ok(())
    } else {
        Err("Invalid IPv6 address")
    }
}

/// A title made of text and of known names in braces, which has more than the program's name.
pub(super) fn title_template(value: &Value, _: bool) -> Checked {
    const WRONG: Checked = Err("template format is invalid or contains unknown variables");
    const KNOWN: [&str; 7] =
        ["title", "listen-addr", "server-mode", "port", "tls-port", "unixsocket", "config-file"];
    let template = text(value);
    if template.replace("{title}", "").trim().is_empty() {
        return WRONG;
    }
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { return WRONG };
        if before.contains('}') || !KNOWN.contains(&name) {
            return WRONG;
        }
        rest = after;
    }
    if rest.contains('}') { WRONG } else { Ok(()) }
}

/// A running server says that it cannot defragment; a configuration file that asks for it loads.
pub(super) fn activedefrag(value: &Value, at_start: bool) -> Checked {
    if *value == Value::Bool(true) && !at_start {
        return Err("Active defragmentation cannot be enabled: this server does not need it");
    }
    Ok(())
}
