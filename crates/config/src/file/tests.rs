use super::*;
use crate::{LogLevel, MemoryFiles, Primary, SavePoint};

fn load(text: &str) -> Result<Config, String> {
    load_with(text, &MemoryFiles::default())
}

fn load_with(text: &str, files: &MemoryFiles) -> Result<Config, String> {
    Config::parse(text.as_bytes(), files).map_err(|error| error.to_string())
}

/// The last line of the error.
fn refusal(text: &str) -> String {
    load(text).unwrap_err().lines().last().unwrap().to_owned()
}

#[test]
fn an_unknown_directive_names_line_and_text() {
    assert_eq!(
        load("# comment\n\n  foo bar  \n").unwrap_err(),
        "*** FATAL CONFIG FILE ERROR (Rubrica 0.1.0) ***\n\
         Reading the configuration file, at line 3\n>>> 'foo bar'\n\
         Bad directive or wrong number of arguments"
    );
}

#[test]
fn an_error_in_an_included_file_names_the_file() {
    let files = MemoryFiles::default().with("/more.conf", "port 1\nport x\n");
    let error = load_with("include more.conf", &files).unwrap_err();
    assert!(error.contains("Reading the configuration file '/more.conf', at line 2\n>>> 'port x'"));
}

#[test]
fn wrong_values_are_refused_in_the_words_of_redis() {
    let cases = [
        ("port abc", "argument couldn't be parsed into an integer"),
        ("port 65536", "argument must be between 0 and 65535 inclusive"),
        ("port 1 2", "wrong number of arguments"),
        ("port", "wrong number of arguments"),
        ("appendonly maybe", "argument must be 'yes' or 'no'"),
        ("maxmemory 1x", "argument must be a memory value"),
        ("maxmemory-clients x", "argument must be a memory or percent value"),
        ("maxmemory-clients 101%", "percentage argument must be less or equal to 100"),
        ("unixsocketperm 9", "argument couldn't be parsed as an octal number"),
        ("unixsocketperm 1000", "argument must be between 0 and 777 inclusive"),
        (
            "loglevel loud",
            "argument(s) must be one of the following: debug, verbose, notice, warning, nothing",
        ),
        ("save 1", "Invalid save parameters"),
        ("save 0 1", "Invalid save parameters"),
        ("dbfilename a/b", "dbfilename can't be a path, just a filename"),
        (
            "encryption-key-command \"echo k:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"",
            "a key must not stand here: name the file, the variable or the command that holds it",
        ),
        ("appendfilename \"\"", "appendfilename can't be empty"),
        (
            "shutdown-on-sigint save nosave",
            "shutdown options SAVE and NOSAVE can't be used simultaneously",
        ),
        (
            "client-output-buffer-limit wrong 0 0 0",
            "Invalid client class specified in buffer limit configuration.",
        ),
        (
            "client-output-buffer-limit normal 0 0",
            "Wrong number of arguments in buffer limit configuration.",
        ),
        (
            "client-output-buffer-limit normal a 0 0",
            "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
        ),
        (
            "oom-score-adj-values 1 2 3000",
            "Invalid oom-score-adj-values, elements must be between -2000 and 2000.",
        ),
        ("oom-score-adj-values 1", "wrong number of arguments"),
        ("replicaof a", "wrong number of arguments"),
        ("replicaof a b", "Invalid master port"),
        (
            "latency-tracking-info-percentiles 101",
            "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]",
        ),
        (
            "proc-title-template {nothing}",
            "template format is invalid or contains unknown variables",
        ),
        ("port \"1", "Unbalanced quotes in configuration line"),
        ("bind \"a 'b\"", "Unbalanced quotes in configuration line"),
        ("sentinel monitor a", "sentinel directive while not in sentinel mode"),
        ("module.option", "Module config specified without value"),
        ("rename-command a", "Bad directive or wrong number of arguments"),
        ("cluster-enabled yes\nreplicaof a 1", "replicaof directive not allowed in cluster mode"),
    ];
    for (text, message) in cases {
        assert_eq!(refusal(text), message, "{text}");
    }
}

#[test]
fn a_secret_is_not_repeated_in_an_error() {
    let error = load("requirepass top secret").unwrap_err();
    assert!(error.contains(">>> 'requirepass (hidden)'\nwrong number of arguments"), "{error}");
}

#[test]
fn values_of_every_form_are_read() {
    let config = load(
        "BIND 127.0.0.1 -::1\nport 7000\nmaxmemory 2gb\nmaxmemory-clients 5%\nunixsocketperm 0700\n\
         loglevel VERBOSE\nrequirepass \"a\\x00b\"\nlogfile ''\nslave-priority 3\nhz 100000\n\
         client-output-buffer-limit replica 1mb 1kb 5\nclient-output-buffer-limit pubsub 0 0 0\n\
         notify-keyspace-events KEA\nreplicaof \"10.0.0.1 6380\"\noom-score-adj relative\n\
         shutdown-on-sigterm \"force nosave\"\nlatency-tracking-info-percentiles 50 99.90\n",
    )
    .unwrap();
    assert_eq!(config.bind, ["127.0.0.1", "-::1"]);
    assert_eq!((config.port, config.maxmemory, config.unixsocketperm), (7000, 2 << 30, 0o700));
    assert_eq!(config.maxmemory_clients, crate::ClientMemory::Percent(5));
    assert_eq!((config.loglevel, config.hz), (LogLevel::Verbose, 500));
    assert_eq!(config.requirepass, b"a\0b");
    let [normal, replica, pubsub] = config.client_output_buffer_limit;
    assert_eq!((normal.hard_bytes, replica.hard_bytes, pubsub.hard_bytes), (0, 1 << 20, 0));
    assert_eq!((replica.soft_bytes, replica.soft_s), (1024, 5));
    assert_eq!(config.notify_keyspace_events.letters(), "AKE");
    let primary = Primary { host: "10.0.0.1".into(), port: 6380 };
    assert_eq!(config.other("slaveof"), Some(Value::Primary(Some(primary))));
    assert_eq!(config.other("replica-priority"), Some(Value::Int(3)));
    assert_eq!(config.other("oom-score-adj"), Some(Value::Word("yes")));
    assert_eq!(config.shutdown_on_sigterm, ["nosave", "force"]);
    assert_eq!(config.latency_tracking_info_percentiles, [50.0, 99.9]);
}

#[test]
fn the_first_save_line_replaces_the_defaults_and_others_add() {
    let point = |seconds, changes| SavePoint { seconds, changes };
    assert_eq!(load("").unwrap().save.len(), 3);
    assert_eq!(
        load("save 60 1\nsave 30 2 10 3").unwrap().save,
        [point(60, 1), point(30, 2), point(10, 3)]
    );
    assert_eq!(load("save 60 1\nsave \"\"").unwrap().save, []);
    assert_eq!(load("save \"\"\nsave \"5 6\"").unwrap().save, [point(5, 6)]);
}

#[test]
fn file_standard_input_and_command_line_are_read_in_this_order() {
    let mut files = MemoryFiles::default().with("a.conf", "port 1\ntimeout 1\nhz 20");
    files.input = b"timeout 2\nhz 30".to_vec();
    let args = ["a.conf", "-", "--hz", "40"].map(|arg| arg.as_bytes().to_vec());
    let mut sources = Sources::from_args(&args);
    sources.stdin = true;
    sources.options = b"hz 40".to_vec();
    let config = Config::load(&sources, &files).unwrap();
    assert_eq!((config.port, config.timeout_s, config.hz), (1, 2, 40));
    assert_eq!(config.file, Some(PathBuf::from("a.conf")));
}

#[test]
fn includes_take_patterns_and_come_in_order() {
    let files = MemoryFiles::default()
        .with("/conf.d/b.conf", "port 2")
        .with("/conf.d/a.conf", "port 1\ntimeout 7")
        .with("/conf.d/.hidden.conf", "port 9")
        .with("/conf.d/readme", "nonsense");
    let config = load_with("include conf.d/*.conf\ninclude none/*.conf", &files).unwrap();
    assert_eq!((config.port, config.timeout_s), (2, 7));
    let error = load_with("include none.conf", &files).unwrap_err();
    assert!(error.starts_with("Fatal error, can't open config file '/none.conf'"), "{error}");
}

#[test]
fn includes_end_even_if_files_include_each_other() {
    let twice = "include a.conf\ninclude a.conf\n";
    let files = MemoryFiles::default().with("/a.conf", twice);
    assert!(
        load_with(twice, &files).unwrap_err().ends_with("Too many files that include each other")
    );
    let mut files = MemoryFiles::default();
    for depth in 0..14 {
        let next = format!("include {}.conf\n", depth + 1).repeat(2);
        files = files.with(&format!("/{depth}.conf"), &next);
    }
    let files = files.with("/14.conf", "");
    assert!(load_with("include 0.conf", &files).unwrap_err().ends_with("Too many included files"));
}

#[test]
fn relative_paths_start_at_dir_once_it_is_set() {
    let files = MemoryFiles::default().with("/data/x.conf", "port 5");
    let config = load_with("dir /data\ninclude x.conf\n", &files).unwrap();
    assert_eq!((config.port, config.dir.as_str()), (5, "/data"));
}

#[test]
fn other_lines_are_kept_for_the_server() {
    let config = load(
        "rename-command FLUSHALL \"\"\nuser alice on >secret ~*\nloadmodule /m.so a b\n\
         my.option 1 2\nsearch-workers 4\nlist-max-ziplist-entries 1\nlua-replicate-commands yes\n\
         sentinel\n",
    )
    .unwrap();
    assert_eq!(config.renames[0].args, [b"FLUSHALL".to_vec(), Vec::new()]);
    assert_eq!((config.users[0].line, config.users[0].args.len()), (2, 4));
    assert_eq!(config.modules[0].args.len(), 3);
    assert_eq!(config.module_options[0].args[0], b"my.option");
    assert_eq!(config.module_options[1].args[1], b"4");
    let error = config.renames[0].error("No such command in rename-command").to_string();
    assert!(error.contains("at line 1\n>>> 'rename-command FLUSHALL \"\"'\nNo such command"));
}

#[test]
fn options_that_are_ignored_are_known() {
    let config = load("io-threads 4\nport 1\nappendonly no\n").unwrap();
    assert_eq!(config.ignored(), ["io-threads"]);
}

#[test]
fn the_configuration_of_the_peers_tests_loads() {
    load(
        "always-show-logo yes\nnotify-keyspace-events KEA\ndaemonize no\npidfile /var/run/redis.pid\n\
         port 6379\ntimeout 0\nbind 127.0.0.1\nloglevel verbose\nlogfile ''\ndatabases 16\n\
         latency-monitor-threshold 1\nrepl-diskless-sync-delay 0\nsave 900 1\nsave ''\n\
         rdbcompression yes\ndbfilename dump.rdb\ndir ./\nslave-serve-stale-data yes\nappendonly no\n\
         appendfsync everysec\nno-appendfsync-on-rewrite no\nactiverehashing yes\n\
         enable-protected-configs yes\nenable-debug-command yes\nenable-module-command yes\n\
         propagation-error-behavior panic\nshutdown-on-sigterm force\nenable-debug-assert yes\n\
         hide-user-data-from-log yes\n",
    )
    .unwrap();
}
