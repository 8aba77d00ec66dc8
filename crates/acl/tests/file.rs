//! Files of users: what is wrong is told by line, and nothing changes then.

use acl::{Acl, Catalogue, Defaults, Facts};

const DEFAULTS: Defaults = Defaults { all_channels: false, databases: 16 };

fn acl() -> Acl {
    let get = Facts { name: "get".into(), container: None, categories: 1 };
    Acl::new(Catalogue::new(vec![get], vec![("read", 1)]), DEFAULTS)
}

fn load(acl: &Acl, text: &str) -> Result<Vec<String>, String> {
    acl.load(text.as_bytes(), "users.acl", DEFAULTS)?;
    Ok(lines(acl))
}

fn lines(acl: &Acl) -> Vec<String> {
    acl.lines().iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect()
}

#[test]
fn a_file_replaces_all_users_and_what_was_saved_loads_as_it_was() {
    let acl = acl();
    acl.set_user(b"old", &["on"], DEFAULTS).unwrap();
    let text = "user alice on nopass  ~a* (+get\t ~b )\r\n\n  user default on nopass +@all\nrole r +get\n\
                user bob role=r\n";
    let expected = [
        "role r resetchannels -@all +get",
        "user alice on nopass ~a* resetchannels -@all (~b resetchannels -@all +get)",
        "user bob off role=r resetchannels -@all",
        "user default on nopass resetchannels +@all",
    ];
    assert_eq!(load(&acl, text).unwrap(), expected);
    let saved = expected.join("\n");
    assert_eq!(load(&acl, &saved).unwrap(), expected);
    assert_eq!(load(&acl, "user eve on").unwrap()[0], "user default on nopass ~* &* +@all");
}

#[test]
fn everything_that_is_wrong_is_told_by_line() {
    let acl = acl();
    let before = lines(&acl);
    let end =
        "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";
    for (text, why) in [
        ("# users", "users.acl:1 should start with user keyword followed by the username. "),
        ("\nuser", "users.acl:2 should start with user keyword followed by the username. "),
        ("user a on\nuser b\nuser a", "WARNING: Duplicate user 'a' found on line 3. "),
        ("user a on nonsense more", "users.acl:1: Syntax error. "),
        (
            "user a +x +get -y",
            "users.acl:1: Error in applying operation '+x': Unknown command or category name in ACL. \
             users.acl:1: Error in applying operation '-y': Unknown command or category name in ACL. ",
        ),
        ("user a (+get", "users.acl:1: Unmatched parenthesis in selector definition."),
        ("role", "users.acl:1: role line requires a role name. "),
        (
            "role r >x",
            "users.acl:1: Error in role declaration: The rule is not allowed in a role. ",
        ),
        ("role r\nrole r", "WARNING: Duplicate role 'r' found on line 2. "),
        ("user a role=r", "users.acl:1: The role does not exist. "),
    ] {
        assert_eq!(load(&acl, text), Err(format!("{why}{end}")), "{text}");
        assert_eq!(lines(&acl), before);
    }
}
