use std::cell::RefCell;

use super::*;

/// A worker's mailbox that keeps what comes.
#[derive(Default)]
struct Mail(Mutex<Vec<Invalidation>>);

impl Post for Mail {
    fn invalidate(&self, invalidation: Invalidation) {
        self.0.lock().push(invalidation);
    }
}

struct Fixture {
    tracking: Tracking,
    notes: RefCell<Notes>,
    mail: Arc<Mail>,
}

impl Fixture {
    fn new() -> Self {
        let (tracking, mail) = (Tracking::default(), Arc::new(Mail::default()));
        tracking.join(0, Arc::clone(&mail) as Arc<dyn Post>);
        Self { tracking, notes: RefCell::default(), mail }
    }

    fn start(&self, client: u64, mode: Mode, prefixes: &[&[u8]]) -> Arc<Tracker> {
        let tracker = Arc::new(Tracker::new(client, 0));
        let request = Request { redirect: None, mode, prefixes: prefixes.to_vec() };
        self.tracking.start(&tracker, request);
        tracker
    }

    fn read(&self, tracker: &Arc<Tracker>, key: &str) {
        if tracker.remembers() {
            self.tracking.remember(hash(key), key.as_bytes(), tracker);
        }
    }

    /// Changes keys, and says who is told what: `client:keys`.
    fn change(&self, client: u64, keys: &[&str]) -> Vec<String> {
        let recorder = Recorder { tracking: &self.tracking, notes: &self.notes, client };
        keys.iter().for_each(|key| recorder.changed(hash(key), key.as_bytes()));
        self.told()
    }

    fn told(&self) -> Vec<String> {
        self.tracking.broadcast(&mut self.notes.borrow_mut());
        let mail = std::mem::take(&mut *self.mail.0.lock());
        let line = |one: &Invalidation| {
            let what = match &one.what {
                What::Keys(keys) => {
                    let text = String::from_utf8_lossy(keys).into_owned();
                    let words: Vec<&str> = text.split("\r\n").skip(2).step_by(2).collect();
                    words.join(" ").trim_end().to_owned()
                }
                What::Everything => "everything".into(),
                What::Broken(client) => format!("broken {client}"),
            };
            let name = |to: &Receiver| format!("{}:{what}", to.client);
            one.to.iter().map(name).collect::<Vec<_>>()
        };
        mail.iter().flat_map(line).collect()
    }
}

/// Few different hashes, so that keys meet.
fn hash(key: &str) -> u64 {
    key.len() as u64 % 3
}

#[test]
fn who_read_a_key_is_told_once() {
    let fixture = Fixture::new();
    let (a, b) = (fixture.start(1, Mode::empty(), &[]), fixture.start(2, Mode::empty(), &[]));
    fixture.read(&a, "x");
    fixture.read(&a, "x");
    fixture.read(&b, "x");
    fixture.read(&b, "yy");
    assert_eq!((fixture.tracking.keys(), fixture.tracking.items()), (2, 3));
    assert_eq!(fixture.change(9, &["x", "other"]), ["1:x", "2:x"]);
    assert!(fixture.change(9, &["x"]).is_empty());
    assert_eq!(fixture.change(2, &["yy"]), ["2:yy"]);
    assert_eq!((fixture.tracking.keys(), fixture.tracking.items()), (0, 0));
}

#[test]
fn a_client_without_loop_hears_nothing_of_its_own_changes() {
    let fixture = Fixture::new();
    let a = fixture.start(1, Mode::NO_LOOP, &[]);
    fixture.read(&a, "x");
    assert!(fixture.change(1, &["x"]).is_empty());
    assert_eq!(fixture.tracking.keys(), 0);
    fixture.read(&a, "x");
    assert_eq!(fixture.change(2, &["x"]), ["1:x"]);
}

#[test]
fn caching_decides_what_is_remembered() {
    let fixture = Fixture::new();
    let opt_in = fixture.start(1, Mode::OPT_IN, &[]);
    assert!(!opt_in.remembers());
    opt_in.set_caching(true);
    assert!(opt_in.remembers());
    let opt_out = fixture.start(2, Mode::OPT_OUT, &[]);
    assert!(opt_out.remembers());
    opt_out.set_caching(true);
    assert!(!opt_out.remembers());
    opt_out.set_caching(false);
    assert!(opt_out.remembers());
}

#[test]
fn broadcasts_go_by_prefix_and_tell_each_key_once() {
    let fixture = Fixture::new();
    fixture.start(1, Mode::BROADCAST, &[]);
    fixture.start(2, Mode::BROADCAST, &[b"a:", b"b:"]);
    fixture.start(3, Mode::BROADCAST.union(Mode::NO_LOOP), &[b"a:"]);
    assert_eq!(fixture.tracking.prefixes(), 3);
    let told = fixture.change(3, &["b:1", "a:2", "c", "a:1", "a:2"]);
    assert_eq!(told, ["1:a:1 a:2 b:1 c", "2:a:1 a:2", "2:b:1"]);
    assert_eq!(fixture.change(1, &["a:9"]), ["1:a:9", "2:a:9", "3:a:9"]);
}

#[test]
fn own_keys_are_left_out_of_a_broadcast() {
    let fixture = Fixture::new();
    fixture.start(1, Mode::BROADCAST.union(Mode::NO_LOOP), &[]);
    let recorder = |client| Recorder { tracking: &fixture.tracking, notes: &fixture.notes, client };
    recorder(1).changed(hash("own"), b"own");
    recorder(2).changed(hash("other"), b"other");
    recorder(1).changed(hash("gone"), b"gone");
    recorder(1).expired(hash("gone"), b"gone");
    assert_eq!(fixture.told(), ["1:gone other"]);
}

#[test]
fn who_stops_is_told_nothing_and_leaves_no_prefix() {
    let fixture = Fixture::new();
    let a = fixture.start(1, Mode::empty(), &[]);
    let b = fixture.start(2, Mode::BROADCAST, &[b"x"]);
    fixture.read(&a, "x");
    fixture.tracking.stop(&a);
    assert_eq!(fixture.change(9, &["x"]), ["2:x"]);
    fixture.tracking.leave(&b);
    assert!(!fixture.tracking.is_on());
    assert_eq!(fixture.tracking.prefixes(), 0);
    assert!(fixture.change(9, &["x"]).is_empty());
}

#[test]
fn the_table_empties_with_the_last_client() {
    let fixture = Fixture::new();
    let a = fixture.start(1, Mode::empty(), &[]);
    fixture.read(&a, "x");
    fixture.tracking.stop(&a);
    assert_eq!((fixture.tracking.keys(), fixture.tracking.items()), (0, 0));
}

#[test]
fn a_redirection_whose_end_has_gone_is_told_to_its_beginning() {
    let fixture = Fixture::new();
    let (a, b) = (Arc::new(Tracker::new(1, 0)), Arc::new(Tracker::new(2, 0)));
    let redirect = Some(Arc::clone(&b));
    let request = Request { redirect, mode: Mode::empty(), prefixes: Vec::new() };
    fixture.tracking.start(&a, request);
    fixture.read(&a, "x");
    assert_eq!(fixture.change(9, &["x"]), ["2:x"]);
    fixture.read(&a, "x");
    fixture.tracking.leave(&b);
    assert_eq!(fixture.change(9, &["x"]), ["1:broken 2"]);
    assert!(a.mode().contains(Mode::BROKEN));
    assert_eq!(a.redirect().map(|one| one.client()), Some(2));
}

#[test]
fn everybody_forgets_everything_after_a_flush() {
    let fixture = Fixture::new();
    let a = fixture.start(1, Mode::empty(), &[]);
    fixture.start(2, Mode::BROADCAST.union(Mode::NO_LOOP), &[b"p"]);
    fixture.read(&a, "x");
    let recorder = Recorder { tracking: &fixture.tracking, notes: &fixture.notes, client: 2 };
    recorder.flushed();
    assert_eq!(fixture.told(), ["1:everything", "2:everything"]);
    assert_eq!(fixture.tracking.keys(), 0);
}

#[test]
fn evicted_keys_are_told_and_the_effort_grows() {
    let fixture = Fixture::new();
    let a = fixture.start(1, Mode::empty(), &[]);
    (0..250).for_each(|n| fixture.read(&a, &format!("k{n}")));
    let mut told = 0;
    for expected in [100, 249] {
        fixture.tracking.evict(1, &mut fixture.notes.borrow_mut());
        told += fixture.told().len();
        assert_eq!(told, expected);
    }
    fixture.tracking.evict(0, &mut fixture.notes.borrow_mut());
    assert_eq!(fixture.tracking.keys(), 1);
}

#[test]
fn only_subscribers_are_told_in_resp2() {
    use resp::{Protocol, Writer};
    let written = |what: &What, protocol, redirected, is_subscriber| {
        let mut out = Vec::new();
        what.write(&mut Writer::new(&mut out, protocol), redirected, is_subscriber);
        String::from_utf8(out).expect("text")
    };
    let keys = What::Keys(b"*1\r\n$1\r\nx\r\n".as_slice().into());
    let pushed = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nx\r\n";
    assert_eq!(written(&keys, Protocol::Resp3, false, false), pushed);
    let message = "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nx\r\n";
    assert_eq!(written(&keys, Protocol::Resp2, true, true), message);
    for (redirected, is_subscriber) in [(true, false), (false, true), (false, false)] {
        assert_eq!(written(&keys, Protocol::Resp2, redirected, is_subscriber), "");
    }
    let null = written(&What::Everything, Protocol::Resp3, false, false);
    assert_eq!(null, ">2\r\n$10\r\ninvalidate\r\n_\r\n");
    assert_eq!(written(&What::Broken(7), Protocol::Resp2, true, true), "");
}
