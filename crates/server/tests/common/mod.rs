//! A server in this process, and clients of it.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use command::{MemoryFigures, Services, Shutdown};
use config::{Caller, Config};
use server::{ProcessMemory, Server};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server; it ends with this value.
pub struct Running {
    services: Arc<Services>,
    stop: Box<dyn Fn(Shutdown) -> bool + Send>,
    waiting: Option<JoinHandle<Shutdown>>,
    pub port: u16,
    pub socket: PathBuf,
}

struct NoMemory;

impl ProcessMemory for NoMemory {
    fn figures(&self) -> MemoryFigures {
        MemoryFigures::default()
    }
    fn purge(&self) {}
    fn report(&self) -> String {
        String::new()
    }
    fn allocator(&self) -> &'static str {
        "none"
    }
}

/// Starts a server on a Unix socket and a TCP port of the loopback interface.
pub fn start(adjust: impl FnOnce(&mut Config)) -> Running {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    let socket = std::env::temp_dir().join(format!("rubrica-{}-{number}.sock", std::process::id()));
    let mut config = Config {
        unixsocket: socket.display().to_string(),
        bind: vec!["127.0.0.1".into()],
        workers: 2,
        maxclients: 200,
        save: Vec::new(),
        dbfilename: "there-is-none.rdb".into(),
        ..Config::default()
    };
    adjust(&mut config);
    // Somebody else may take the port in between.
    let server = (0..20).find_map(|_| {
        config.port = free_port();
        Server::start(config.clone(), Box::new(NoMemory)).ok()
    });
    let server = server.expect("the server starts");
    server.load().expect("there is nothing to load");
    let services = Arc::clone(server.services());
    let stop = Box::new(server.stopper());
    let waiting = Some(std::thread::spawn(move || server.wait()));
    Running { services, stop, waiting, port: config.port, socket }
}

fn free_port() -> u16 {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    probe.local_addr().expect("an address").port()
}

impl Running {
    /// A connection over the Unix socket.
    pub fn connect(&self) -> Client<UnixStream> {
        let stream = UnixStream::connect(&self.socket).expect("the server accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        Client(stream)
    }

    /// A connection over TCP.
    pub fn connect_tcp(&self) -> Client<TcpStream> {
        let stream =
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("the server accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        Client(stream)
    }

    pub fn configure(&self, name: &str, value: &str) {
        self.services.config.set(&[(name, value)], Caller::default()).expect("a valid option");
    }

    /// The number of clients that are connected.
    pub fn clients(&self) -> usize {
        self.services.clients.len()
    }

    /// Waits until so many clients are connected.
    pub fn wait_for_clients(&self, count: usize) {
        for _ in 0..2000 {
            if self.clients() == count {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{} clients instead of {count}", self.clients());
    }

    /// How many connections each worker has.
    pub fn spread(&self) -> Vec<usize> {
        let mut spread = vec![0; self.services.host.workers()];
        self.services.clients.all().iter().for_each(|client| spread[client.worker] += 1);
        spread
    }

    /// Asks the server to end and waits for it.
    pub fn stop(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            (self.stop)(Shutdown::default());
            waiting.join().expect("the server ends in order");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// One end of a connection.
pub struct Client<S>(pub S);

impl<S: Read + Write> Client<S> {
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).expect("the server reads");
    }

    /// Reads exactly what is expected.
    pub fn expect(&mut self, expected: &str) {
        let mut received = vec![0; expected.len()];
        self.0.read_exact(&mut received).expect("the server answers");
        assert_eq!(String::from_utf8_lossy(&received), expected);
    }

    /// Sends a command and reads a reply of one line.
    pub fn ask(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n"));
        self.line()
    }

    /// Reads a line, without its end.
    pub fn line(&mut self) -> String {
        let mut line = Vec::new();
        let mut byte = [0];
        while !line.ends_with(b"\r\n") {
            self.0.read_exact(&mut byte).expect("the server answers");
            line.extend(byte);
        }
        line.truncate(line.len() - 2);
        String::from_utf8(line).expect("text")
    }

    /// Sends a command and reads a bulk string.
    pub fn ask_bulk(&mut self, line: &str) -> String {
        let header = self.ask(line);
        let length: usize = header.strip_prefix('$').expect("a bulk").parse().expect("a length");
        let mut bulk = vec![0; length + 2];
        self.0.read_exact(&mut bulk).expect("the server answers");
        bulk.truncate(length);
        String::from_utf8(bulk).expect("text")
    }

    /// Reads so many bytes.
    pub fn read(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).expect("the server answers");
        bytes
    }

    /// Reads until the server closes the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset counts as closed.
        let _ = self.0.read_to_end(&mut rest);
        rest
    }
}
