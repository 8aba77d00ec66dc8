//! Configuration files: no bytes panic the reader, and what is written back reads as the same.

use config::{AllowFrom, Caller, Config, MemoryFiles, Rewrite, Store};

/// Reads any bytes as a configuration file, and if they are one, asserts that the configuration
/// written back reads as the same one and that every value can be set to what CONFIG GET says.
///
/// # Panics
/// If one of these does not hold.
pub fn configuration(data: &[u8]) {
    let files = MemoryFiles::default().with("/self.conf", "include self.conf\nport 1\n");
    let load = |text: &[u8]| Config::parse(text, &files);
    let Ok(config) = load(data) else { return };
    let written = Rewrite::default().text(&config, b"");
    let again = load(&written)
        .unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(&written)));
    for option in config::all() {
        assert_eq!(option.value(&again), option.value(&config), "{}", option.name);
    }
    let twice = Rewrite::default().text(&again, &written);
    assert_eq!(String::from_utf8_lossy(&twice), String::from_utf8_lossy(&written));
    let over = Rewrite::default().text(&config, data);
    assert!(over.len() < data.len() * 2 + 100_000);
    set_back(config);
}

/// Sets every option to what it says.
fn set_back(mut config: Config) {
    config.enable_protected_configs = AllowFrom::Yes;
    let store = Store::new(config);
    for option in config::all().filter(|option| !option.flags.immutable) {
        // The directory is the one thing that is looked up outside, and asking a running server to
        // defragment is refused.
        if matches!(option.name, "dir" | "activedefrag") {
            continue;
        }
        let value = option.text(&store.load());
        let applied = store.set(&[(option.name, value)], Caller::default());
        let applied = applied.unwrap_or_else(|error| panic!("{}: {error}", option.name));
        assert!(applied.changed.is_empty() || option.flags.volatile, "{}", option.name);
    }
}
