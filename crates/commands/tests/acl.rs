//! Every command of the table is checked: that rules about it, about its categories, its keys and its
//! channels decide. The calls are made from the declarations, so a new command is checked as well.
#![forbid(unsafe_code)]

mod call;

use acl::{Access, Acl, Defaults, Reason, User};
use call::Call;
use command::{Categories, Channels, Command, Flags, KeyFlags, OwnedArgs, Table, permission};

const DEFAULTS: Defaults = Defaults { all_channels: false, databases: 16 };

struct Lab {
    table: Table,
    acl: Acl,
}

impl Lab {
    fn new() -> Self {
        let table = Table::new(commands::FAMILIES);
        let acl = Acl::new(table.catalogue(), DEFAULTS);
        Self { table, acl }
    }

    /// A user with these rules.
    fn user(&self, rules: &[String]) -> std::sync::Arc<User> {
        self.acl.delete_user(b"u", DEFAULTS);
        self.acl.set_user(b"u", rules, DEFAULTS).expect("rules");
        self.acl.user(b"u").expect("the user")
    }

    /// Why a user with these rules may not run a command; `None` when it may.
    fn denied(
        &self,
        rules: &[String],
        command: Command,
        words: &[String],
    ) -> Option<(Reason, usize)> {
        let args = OwnedArgs::new(words);
        let denied = permission::check(&self.user(rules), command, args.view(), 0).err()?;
        Some((denied.reason, denied.word))
    }

    /// What clients call: containers only lead to their subcommands.
    fn called(&self) -> impl Iterator<Item = Command> {
        self.table.all().iter().copied().filter(|command| command.subcommands.is_empty())
    }
}

fn rules(rules: &str) -> Vec<String> {
    rules.split(' ').map(str::to_owned).collect()
}

#[test]
fn every_command_is_allowed_and_denied_by_name_and_by_category() {
    let lab = Lab::new();
    for command in lab.called() {
        let name = command.full_name();
        let call = Call::of(command);
        let is_denied = |text: &str| {
            let denied = lab.denied(&rules(text), command, &call.words);
            assert!(denied.is_none_or(|(reason, _)| reason == Reason::Command), "{name}: {text}");
            denied.is_some()
        };
        // These have to work for those who may do nothing.
        let is_free = command.flags.contains(Flags::NO_AUTH);
        let own = lab.denied(&rules(&format!("~* &* +{name}")), command, &call.words);
        assert_eq!(own, None, "{name} by name, as {:?}", call.words);
        assert!(is_free || is_denied("~* &* -@all"), "{name}, nothing allowed");
        assert!(is_free || is_denied(&format!("~* &* +@all -{name}")), "{name} taken away");
        if let Some(container) = command.container {
            assert!(!is_denied(&format!("~* &* +{container}")), "{name} by its container");
        }
        for (category, one) in Categories::named() {
            let is_member = command.all_categories().contains(one);
            let by = is_denied(&format!("~* &* +@{category}"));
            assert_eq!(by, !is_member && !is_free, "{name} by @{category}");
            let without = is_denied(&format!("~* &* +@all -@{category}"));
            assert_eq!(without, is_member && !is_free, "{name} without @{category}");
        }
    }
}

#[test]
fn every_key_of_every_command_is_checked_for_what_is_done_with_it() {
    let lab = Lab::new();
    let mut checked = 0;
    for command in lab.called() {
        let name = command.full_name();
        let call = Call::of(command);
        let args = OwnedArgs::new(&call.words);
        let found = command.keys_of(args.view()).unwrap_or_else(|error| {
            panic!("{name}: no keys are found in {:?}: {error}", call.words);
        });
        let found: Vec<(usize, KeyFlags)> =
            found.into_iter().filter(|(_, flags)| !flags.contains(KeyFlags::NOT_KEY)).collect();
        let mut places: Vec<usize> = found.iter().map(|(word, _)| *word).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places, call.keys, "{name}: the keys of {:?}", call.words);
        for (word, _) in &found {
            checked += 1;
            let others = found.iter().filter(|(other, _)| other != word);
            let others = others.map(|(other, _)| format!("~{}", call.words[*other]));
            let base: Vec<String> = rules("+@all &*").into_iter().chain(others).collect();
            let with = |rule: &str| {
                let mut rules = base.clone();
                rules.push(format!("{rule}{}", call.words[*word]));
                lab.denied(&rules, command, &call.words)
            };
            let denied = Some((Reason::Key, *word));
            assert_eq!(lab.denied(&base, command, &call.words), denied, "{name}: key {word}");
            assert_eq!(with("~"), None, "{name}: key {word} allowed");
            // A key may stand in a declaration twice, with another purpose each time.
            let wanted = found.iter().filter(|(same, _)| same == word);
            let wanted =
                wanted.fold(Access::empty(), |all, (_, one)| all | permission::access(*one));
            let reads = with("%R~");
            assert_eq!(
                reads.is_some(),
                wanted.contains(Access::WRITE),
                "{name}: key {word} read only"
            );
            let writes = with("%W~");
            assert_eq!(
                writes.is_some(),
                wanted.contains(Access::READ),
                "{name}: key {word} write only"
            );
        }
    }
    assert!(checked > 200, "{checked} keys were checked");
}

#[test]
fn every_channel_of_every_command_is_checked() {
    let lab = Lab::new();
    let mut checked = 0;
    for command in lab.called() {
        let name = command.full_name();
        let call = Call::of(command);
        let denied = lab.denied(&rules("+@all ~*"), command, &call.words);
        if command.channels == Channels::Nothing {
            assert_eq!(denied, None, "{name} names no channel");
            let begins =
                command.name.contains("subscribe") && !command.name.contains("unsubscribe");
            assert!(!begins && !command.name.ends_with("publish"), "{name} names channels");
            continue;
        }
        checked += 1;
        assert_eq!(denied, Some((Reason::Channel, 1)), "{name}");
        let channel = format!("&{}", call.words[1]);
        assert_eq!(lab.denied(&rules(&format!("+@all ~* {channel}")), command, &call.words), None);
    }
    assert_eq!(checked, 5);
}

#[test]
fn every_command_about_keys_is_kept_to_its_databases() {
    let lab = Lab::new();
    for command in lab.called() {
        let call = Call::of(command);
        let elsewhere = lab.denied(&rules("+@all ~* &* db=7"), command, &call.words);
        if !call.keys.is_empty() || command.all_categories().contains(Categories::KEYSPACE) {
            let reason = elsewhere.map(|(reason, _)| reason);
            assert_eq!(reason, Some(Reason::Database), "{}", command.full_name());
        }
    }
}
