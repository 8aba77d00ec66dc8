//! Rules of users: no text of them panics, and what a user's rules are told as makes the same user.

use std::sync::OnceLock;

use acl::{Access, Account, Catalogue, Channel, Databases, Defaults, Facts, Kind, Request};

const DEFAULTS: Defaults = Defaults { all_channels: false, databases: 16 };

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        let facts = |name: &str, container, categories| Facts {
            name: name.to_owned(),
            container,
            categories,
        };
        let commands = vec![
            facts("get", None, 1),
            facts("set", None, 2),
            facts("config", None, 4),
            facts("config|get", Some(2), 4),
            facts("config|set", Some(2), 6),
            facts("select", None, 4),
        ];
        Catalogue::new(commands, vec![("read", 1), ("write", 2), ("slow", 4)])
    })
}

/// `input` is rules, one after the other, with line ends between them.
pub fn acl_rules(input: &[u8]) {
    let kind = Kind::User(&|role| role == b"r");
    let mut account = Account::new(catalogue(), DEFAULTS);
    for rule in input.split(|byte| *byte == b'\n') {
        let before = account.clone();
        if account.apply(rule, catalogue(), DEFAULTS, kind).is_err() {
            assert_eq!(account, before, "a rule that is wrong changes nothing");
        }
    }
    let told = account.describe();
    let words: Vec<&[u8]> = told.split(|byte| *byte == b' ').collect();
    let mut again = Account::new(catalogue(), DEFAULTS);
    again.apply_all(&words, catalogue(), DEFAULTS, kind).expect("what is told can be set");
    assert_eq!(again, account);
    let key: &[(usize, &[u8], Access)] = &[(1, input, Access::READ)];
    let channel: &[(Channel, &[u8])] = &[(Channel { word: 1, is_pattern: false }, input)];
    for command in 0..catalogue().len() {
        for selector in &account.selectors {
            let allowed = selector.allows(&Request {
                command,
                is_free: false,
                first: Some(b"0"),
                keys: key,
                channels: channel,
                databases: Databases::These(&[(0, 3)]),
            });
            assert!(allowed || !selector.is_unrestricted());
        }
    }
}
