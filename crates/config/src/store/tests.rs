use super::*;
use crate::Rewrite;

const ANYONE: Caller = Caller { local: false, loading: false };

fn store() -> Store {
    Store::new(Config::default())
}

fn value(store: &Store, name: &str) -> String {
    let found = store.get(&[name]);
    String::from_utf8(found[0].1.clone()).unwrap()
}

/// The error of setting these pairs.
fn refusal(store: &Store, pairs: &[(&str, &str)]) -> String {
    store.set(pairs, ANYONE).unwrap_err().to_string()
}

#[test]
fn a_change_is_seen_with_a_new_generation() {
    let store = store();
    let old = store.snapshot();
    let pairs = [("maxclients", "5"), ("hash-max-ziplist-entries", "7"), ("timeout", "0")];
    let applied = store.set(&pairs, ANYONE).unwrap();
    assert_eq!(applied.changed, ["maxclients", "hash-max-listpack-entries"]);
    assert!(applied.has("maxclients") && !applied.has("timeout"));
    assert_eq!((store.load().maxclients, old.maxclients), (5, 10000));
    assert_eq!(store.generation(), 1);
    store.roll_back(&applied);
    assert_eq!((store.load().maxclients, store.generation()), (10000, 2));
}

#[test]
fn a_wrong_pair_leaves_all_as_it_was() {
    let store = store();
    let pairs = [
        ("maxmemory", "10000001"),
        ("maxmemory-clients", "200%"),
        ("client-query-buffer-limit", "x"),
    ];
    assert_eq!(
        refusal(&store, &pairs),
        "CONFIG SET failed (possibly related to argument 'maxmemory-clients') - \
         percentage argument must be less or equal to 100"
    );
    assert_eq!((store.load().maxmemory, store.generation()), (0, 0));
}

#[test]
fn refusals_are_those_of_redis() {
    let store = store();
    let failed = |name: &str, why: &str| {
        format!("CONFIG SET failed (possibly related to argument '{name}') - {why}")
    };
    assert_eq!(
        refusal(&store, &[("maxmemory", "1"), ("foo\r\n", "1"), ("daemonize", "yes")]),
        "Unknown option or number of arguments for CONFIG SET - 'foo  '"
    );
    assert_eq!(
        refusal(&store, &[("Daemonize", "yes")]),
        failed("Daemonize", "can't set immutable config")
    );
    assert_eq!(refusal(&store, &[("dir", "/")]), failed("dir", "can't set protected config"));
    assert_eq!(
        refusal(&store, &[("maxmemory", "1"), ("maxmemory", "2")]),
        failed("maxmemory", "duplicate parameter")
    );
    assert_eq!(
        refusal(&store, &[("hash-max-listpack-entries", "1"), ("hash-max-ziplist-entries", "2")]),
        failed("hash-max-ziplist-entries", "duplicate parameter")
    );
    assert_eq!(refusal(&store, &[("save", "900  1")]), failed("save", "Invalid save parameters"));
    let loading = Caller { loading: true, local: false };
    assert_eq!(store.set(&[("appendonly", "yes")], loading).unwrap_err(), SetError::Loading);
}

#[test]
fn protected_options_follow_enable_protected_configs() {
    let local = Caller { local: true, loading: false };
    let config = Config { enable_protected_configs: AllowFrom::Local, ..Config::default() };
    let store = Store::new(config);
    assert!(store.set(&[("dbfilename", "x")], ANYONE).is_err());
    assert!(store.set(&[("dbfilename", "x")], local).is_ok());
    let error = store.set(&[("dir", "/no/such/directory")], local).unwrap_err().to_string();
    assert!(error.ends_with("- No such file or directory"), "{error}");
    store.set(&[("dir", "/")], local).unwrap();
    assert_eq!(value(&store, "dir"), "/");
}

#[test]
fn a_change_that_cannot_take_effect_is_not_published() {
    let store = store();
    let refuse = |applied: &Applied| {
        assert_eq!((applied.before.port, applied.after.port), (6379, 1));
        assert!(applied.has("port"));
        Err(SetError::failed("port", "Unable to listen on this port. Check server logs."))
    };
    let error = store.set_with(&[("port", "1"), ("timeout", "9")], ANYONE, refuse).unwrap_err();
    assert_eq!(
        error.to_string(),
        "CONFIG SET failed (possibly related to argument 'port') - \
         Unable to listen on this port. Check server logs."
    );
    assert_eq!((store.load().port, store.load().timeout_s, store.generation()), (6379, 0, 0));
}

#[test]
fn get_takes_patterns_aliases_and_full_names_of_hidden_options() {
    let store = store();
    let names = |patterns: &[&str]| -> Vec<String> {
        store.get(patterns).into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(
        names(&["MAXmemory", "maxmemory", "*of", "nothing"]),
        ["MAXmemory", "replicaof", "slaveof"]
    );
    assert_eq!(names(&["KEY-load-delay", "key-load-dela?"]), ["KEY-load-delay"]);
    let all = names(&["*"]);
    assert!(!all.contains(&"key-load-delay".to_owned()));
    assert!(all.contains(&"lua-time-limit".to_owned()) && all.len() > 250, "{}", all.len());
}

#[test]
fn values_are_answered_in_canonical_form() {
    let store = store();
    let pairs = [
        ("maxmemory", "1GB"),
        ("maxmemory-clients", "5%"),
        ("save", "900 1 30 2"),
        ("client-output-buffer-limit", "replica 1mb 0 0"),
        ("notify-keyspace-events", "EKg"),
        ("oom-score-adj", "Relative"),
        ("shutdown-on-sigint", "force now"),
        ("latency-tracking-info-percentiles", "50 99.90 100"),
        ("hz", "0"),
        ("requirepass", "pass word"),
        ("bind", "127.0.0.1 ::1"),
    ];
    store.set(&pairs, ANYONE).unwrap();
    let expected = [
        ("maxmemory", "1073741824"),
        ("maxmemory-clients", "5%"),
        ("save", "900 1 30 2"),
        ("client-output-buffer-limit", "normal 0 0 0 slave 1048576 0 0 pubsub 33554432 8388608 60"),
        ("notify-keyspace-events", "gKE"),
        ("oom-score-adj", "yes"),
        ("shutdown-on-sigint", "now force"),
        ("latency-tracking-info-percentiles", "50 99.9 100"),
        ("hz", "1"),
        ("requirepass", "pass word"),
        ("bind", "127.0.0.1 ::1"),
    ];
    for (name, text) in expected {
        assert_eq!(value(&store, name), text, "{name}");
    }
    store.set(&[("save", ""), ("bind", "")], ANYONE).unwrap();
    assert_eq!((value(&store, "save"), value(&store, "bind")), (String::new(), String::new()));
}

#[test]
fn every_option_keeps_its_value_through_get_set_rewrite_and_load() {
    let config = Config { enable_protected_configs: AllowFrom::Yes, ..Config::default() };
    let store = Store::new(config);
    for option in crate::all().filter(|option| !option.flags.immutable) {
        let other = match option.kind {
            crate::kind::Kind::Bool(yes) => crate::kind::yes_no(!yes).to_owned(),
            crate::kind::Kind::Int { min, default, .. }
            | crate::kind::Kind::Memory { min, default, .. } => {
                (if min == default { min + 1 } else { min }).to_string()
            }
            crate::kind::Kind::Word { words, .. } => (*words.last().unwrap()).to_owned(),
            crate::kind::Kind::Secret => "a \"b\" \\ '\n".to_owned(),
            _ => value(&store, option.name),
        };
        if option.name == "activedefrag" {
            continue;
        }
        let set = store.set(&[(option.name, &other)], ANYONE);
        set.unwrap_or_else(|error| panic!("{}: {error}", option.name));
        if option.name != "dir" && option.clamp.is_none() {
            assert_eq!(value(&store, option.name), other, "{}", option.name);
        }
    }
    let text = Rewrite { all: true, ..Rewrite::default() }.text(&store.load(), b"");
    let loaded = Config::parse(&text, &OsFiles).unwrap();
    for option in crate::all() {
        assert_eq!(option.value(&loaded), option.value(&store.load()), "{}", option.name);
    }
}
