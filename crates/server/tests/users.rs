//! Users that come from a file, and what loading them does to those that are connected.

mod common;

use std::path::PathBuf;

use common::start;

struct File(PathBuf);

impl File {
    fn new(text: &str) -> Self {
        let file = Self(std::env::temp_dir().join(format!("rubrica-{}.acl", std::process::id())));
        file.write(text);
        file
    }

    fn write(&self, text: &str) {
        std::fs::write(&self.0, text).expect("a file");
    }

    fn read(&self) -> String {
        std::fs::read_to_string(&self.0).expect("the file")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_file_of_users_is_loaded_at_the_start_saved_and_loaded_again() {
    let file = File::new("user alice on >p ~k* +@all\nuser bob on >p +@all &news\n");
    let path = file.0.display().to_string();
    let server = start(|config| config.aclfile = path.clone());
    let (mut admin, mut alice, mut bob) = (server.connect(), server.connect(), server.connect());
    assert_eq!(alice.ask("AUTH alice p"), "+OK");
    assert_eq!(bob.ask("AUTH bob p"), "+OK");
    assert_eq!(alice.ask("SET k1 v"), "+OK");
    bob.send("SUBSCRIBE news\r\n");
    bob.expect("*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");

    assert_eq!(admin.ask("ACL SETUSER eve on nopass"), "+OK");
    assert_eq!(admin.ask("ACL SAVE"), "+OK");
    let saved = file.read();
    let names: Vec<&str> = saved.lines().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(names, ["alice", "bob", "default", "eve"]);
    assert_eq!(admin.ask("ACL LOAD"), "+OK");

    // What is wrong changes nothing.
    file.write("user alice nonsense\n");
    let refused = admin.ask("ACL LOAD");
    assert!(refused.starts_with(&format!("-ERR {path}:1: Syntax error. WARNING")), "{refused}");
    assert_eq!(alice.ask("SET k1 v"), "+OK");

    // Alice stays, with other rules; Bob may not use his channel any more; Eve is gone.
    file.write("user alice on >p ~x* +@all\nuser bob on >p +@all\n");
    let mut eve = server.connect();
    assert_eq!(eve.ask("AUTH eve x"), "+OK");
    assert_eq!(admin.ask("ACL LOAD"), "+OK");
    assert!(alice.ask("SET k1 v").starts_with("-NOPERM"));
    assert_eq!(alice.ask("SET x v"), "+OK");
    assert_eq!(bob.rest(), b"");
    assert_eq!(eve.rest(), b"");
}
