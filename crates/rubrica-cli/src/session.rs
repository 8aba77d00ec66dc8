//! A user's session: one connection at a time, and what the client must remember about its state to
//! restore it or to show it.

use crate::args::{Options, Protocol};
use crate::connection::{Broken, Connection, system_text};
use crate::interactive::interrupt::Interrupt;
use crate::output::Format;
use resp::Value;
use std::io::Write;
use std::os::fd::AsFd;

mod redirect;
mod verbatim;

use redirect::Redirect;

/// Why a command did not come to its end. What there is to say has been printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It failed; the next one may succeed.
    Failed,
    /// The process must end with this status.
    Exit(u8),
}

/// Whether a failure to connect is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    Quiet,
    Loud,
}

/// The kinds of reply that change what the client remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Error,
    Null,
    Other,
}

/// See the module.
pub struct Session {
    pub options: Options,
    connection: Option<Connection>,
    /// The database that the connection has selected.
    database: i64,
    in_transaction: bool,
    /// The database before MULTI, to which a transaction that did not happen returns.
    database_before: i64,
    /// A user is there: Ctrl-C ends what streams, and a lost connection is not the end.
    interactive: bool,
    redirect: Option<Redirect>,
    shutting_down: bool,
}

impl Session {
    /// A session that is not connected.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            connection: None,
            database: 0,
            in_transaction: false,
            database_before: 0,
            interactive: false,
            redirect: None,
            shutting_down: false,
        }
    }

    /// A user is there from now on.
    pub fn make_interactive(&mut self) {
        self.interactive = true;
    }

    /// Commands are being queued.
    pub fn in_transaction(&self) -> bool {
        self.in_transaction
    }

    /// Connected, as far as is known.
    pub fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// The connection, if there is one.
    pub fn connection(&mut self) -> Option<&mut Connection> {
        self.connection.as_mut()
    }

    /// Where commands go, which database they see and whether they are queued.
    pub fn prompt(&self) -> String {
        if !self.is_connected() {
            return "not connected> ".into();
        }
        let mut prompt = match &self.options.socket {
            Some(path) => format!("redis {}", String::from_utf8_lossy(path)),
            None if self.options.host.contains(':') => {
                format!("[{}]:{}", self.options.host, self.options.port)
            }
            None => format!("{}:{}", self.options.host, self.options.port),
        };
        if self.database != 0 {
            prompt.push_str(&format!("[{}]", self.database));
        }
        if self.in_transaction {
            prompt.push_str("(TX)");
        }
        prompt.push_str("> ");
        prompt
    }

    /// Opens a new connection in place of the present one, authenticates, selects the database and
    /// the protocol.
    ///
    /// When the server refuses one of the latter, the connection stays open all the same: the
    /// server answers commands by what it thinks of them.
    pub fn connect(&mut self, report: Report) -> Result<(), Stop> {
        self.connection = None;
        self.database = 0;
        self.in_transaction = false;
        match Connection::open(&self.options) {
            Ok(connection) => self.connection = Some(connection),
            Err(error) => {
                if report == Report::Loud {
                    let place = match &self.options.socket {
                        Some(path) => String::from_utf8_lossy(path).into_owned(),
                        None => format!("{}:{}", self.options.host, self.options.port),
                    };
                    eprintln!("Could not connect to Redis at {place}: {}", system_text(&error));
                }
                return Err(Stop::Failed);
            }
        }
        self.authenticate()?;
        self.select()?;
        self.switch_protocol()
    }

    /// Sends one of the commands that set a connection up. The text of an error reply is returned.
    fn prepare(&mut self, words: &[&[u8]]) -> Result<Option<String>, Stop> {
        let Some(connection) = self.connection.as_mut() else { return Err(Stop::Failed) };
        match connection.call(words) {
            Ok(Value::Error(text)) => Ok(Some(String::from_utf8_lossy(&text).into_owned())),
            Ok(_) => Ok(None),
            Err(_) => {
                eprintln!("\nI/O error");
                Err(Stop::Failed)
            }
        }
    }

    fn authenticate(&mut self) -> Result<(), Stop> {
        let Some(password) = self.options.password.clone() else { return Ok(()) };
        let refused = match self.options.user.clone() {
            Some(user) => self.prepare(&[b"AUTH", &user, &password])?,
            None => self.prepare(&[b"AUTH", &password])?,
        };
        refuse(refused, "AUTH failed")
    }

    fn select(&mut self) -> Result<(), Stop> {
        let database = self.options.database;
        if database == self.database {
            return Ok(());
        }
        let refused = self.prepare(&[b"SELECT", database.to_string().as_bytes()])?;
        refuse(refused, &format!("SELECT {database} failed"))?;
        self.database = database;
        Ok(())
    }

    fn switch_protocol(&mut self) -> Result<(), Stop> {
        let protocol = self.options.protocol;
        if !matches!(protocol, Protocol::Three | Protocol::PreferThree) {
            return Ok(());
        }
        let refused = self.prepare(&[b"HELLO", b"3"])?;
        let result = refuse(refused, "HELLO 3 failed");
        if protocol == Protocol::PreferThree { Ok(()) } else { result }
    }

    /// Runs a command `repeat` times (forever when negative) and prints the replies, connecting
    /// first if need be and following a cluster's redirections.
    pub fn issue(&mut self, words: &[Vec<u8>], repeat: i64) -> Result<(), Stop> {
        loop {
            if self.connection.is_none() || self.redirect.is_some() {
                let asking = self.redirect.take().is_some_and(|redirect| redirect.asking);
                self.connect(Report::Loud)?;
                if asking {
                    let refused = self.prepare(&[b"ASKING"])?;
                    refuse(refused, "ASKING failed")?;
                }
            }
            self.run(words, repeat)?;
            if self.redirect.is_none() {
                return Ok(());
            }
        }
    }

    fn run(&mut self, words: &[Vec<u8>], repeat: i64) -> Result<(), Stop> {
        let name = words.first().map(|word| word.to_ascii_lowercase()).unwrap_or_default();
        let verbatim = verbatim::is_text(words);
        self.shutting_down |= name == b"shutdown";
        let mut left = repeat;
        while left != 0 {
            left = if left > 0 { left - 1 } else { left };
            if let Some(connection) = self.connection.as_mut() {
                // A connection that fails here fails again, with its reason, when the reply is read.
                let _ = connection.send(words);
            }
            match name.as_slice() {
                b"monitor" => return self.stream(verbatim),
                b"subscribe" | b"psubscribe" | b"ssubscribe" => {
                    if self.options.style.format != Format::Raw {
                        self.print(b"Reading messages... (press Ctrl-C to quit)\n")?;
                    }
                    self.stream(verbatim)?;
                    continue;
                }
                b"sync" | b"psync" => {
                    eprintln!("Replication streams are not supported.");
                    self.connection = None;
                    return Err(Stop::Failed);
                }
                _ => {}
            }
            let outcome = self.show_reply(verbatim)?;
            if self.redirect.is_some() || self.connection.is_none() {
                return Ok(());
            }
            self.remember(&name, words, outcome);
            if !self.options.interval.is_zero() {
                std::thread::sleep(self.options.interval);
            }
        }
        Ok(())
    }

    /// Reads the reply to a command and prints it, and the push messages before it if wanted.
    fn show_reply(&mut self, verbatim: bool) -> Result<Outcome, Stop> {
        loop {
            let Some(connection) = self.connection.as_mut() else { return Err(Stop::Failed) };
            match connection.read() {
                Ok(push @ Value::Push(_)) => {
                    if self.options.show_pushes {
                        self.print(&self.options.style.render(&push))?;
                    }
                }
                Ok(reply) => return self.show(&reply, verbatim),
                Err(_) if self.shutting_down => {
                    self.connection = None;
                    self.shutting_down = false;
                    return Ok(Outcome::Other);
                }
                Err(broken) => return Err(self.lose(&broken)),
            }
        }
    }

    /// Prints whatever arrives until an error reply or Ctrl-C.
    fn stream(&mut self, verbatim: bool) -> Result<(), Stop> {
        let interrupt = if self.interactive { Interrupt::new().ok() } else { None };
        loop {
            let Some(connection) = self.connection.as_mut() else { return Err(Stop::Failed) };
            let reply = match connection.buffered() {
                Ok(Some(reply)) => reply,
                Ok(None) => {
                    if let Some(interrupt) = &interrupt
                        && connection.wait(interrupt.as_fd()).unwrap_or(false)
                    {
                        // The server goes on sending, so only a new connection is quiet.
                        return self.connect(Report::Loud);
                    }
                    match connection.fill() {
                        Ok(0) => return Err(self.lose_stream(&Broken::Closed)),
                        Ok(_) => continue,
                        Err(error) => return Err(self.lose_stream(&Broken::Io(error))),
                    }
                }
                Err(broken) => return Err(self.lose_stream(&broken)),
            };
            if self.show(&reply, verbatim)? == Outcome::Error {
                return Ok(());
            }
        }
    }

    /// Prints a reply, or notes where it redirects to.
    fn show(&mut self, reply: &Value, verbatim: bool) -> Result<Outcome, Stop> {
        let outcome = match reply {
            Value::Error(text) => {
                if self.options.cluster
                    && let Some(redirect) = Redirect::parse(text)
                {
                    self.follow(redirect)?;
                    return Ok(Outcome::Error);
                }
                if self.options.fail_on_error && !self.interactive {
                    eprintln!("{}", String::from_utf8_lossy(text));
                    return Err(Stop::Exit(1));
                }
                Outcome::Error
            }
            reply if reply.is_null() => Outcome::Null,
            _ => Outcome::Other,
        };
        let style = &self.options.style;
        let text = if verbatim { style.render_verbatim(reply) } else { style.render(reply) };
        self.print(&text)?;
        Ok(outcome)
    }

    fn follow(&mut self, redirect: Redirect) -> Result<(), Stop> {
        if !redirect.host.is_empty() {
            self.options.host.clone_from(&redirect.host);
        }
        self.options.port = redirect.port;
        if self.interactive {
            self.print(
                format!(
                    "-> Redirected to slot [{}] located at {}:{}\n",
                    redirect.slot, self.options.host, redirect.port
                )
                .as_bytes(),
            )?;
        }
        self.redirect = Some(redirect);
        Ok(())
    }

    /// Writes to standard output at once, so that a reader downstream sees it.
    fn print(&self, bytes: &[u8]) -> Result<(), Stop> {
        let mut out = std::io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(|_| Stop::Exit(1))
    }

    /// A lost connection ends the process unless a user is there to try again.
    fn lose(&mut self, broken: &Broken) -> Stop {
        eprintln!("Error: {broken}");
        self.connection = None;
        self.in_transaction = false;
        if self.interactive && broken.is_lost() { Stop::Failed } else { Stop::Exit(1) }
    }

    fn lose_stream(&mut self, broken: &Broken) -> Stop {
        self.lose(broken);
        Stop::Exit(1)
    }

    /// Keeps the database and the transaction in step with what the commands did.
    fn remember(&mut self, name: &[u8], words: &[Vec<u8>], outcome: Outcome) {
        let alone = words.len() == 1;
        let done = outcome != Outcome::Error;
        match name {
            b"select" if words.len() == 2 && done => {
                let number = words.get(1).map_or(0, |word| crate::args::leading_integer(word));
                self.set_database(number);
            }
            b"auth" if matches!(words.len(), 2 | 3) => {
                let _ = self.select();
            }
            b"multi" if alone && done => {
                self.in_transaction = true;
                self.database_before = self.database;
            }
            b"exec" if alone && self.in_transaction => {
                self.in_transaction = false;
                if outcome != Outcome::Other {
                    self.set_database(self.database_before);
                }
            }
            b"discard" if alone && done => {
                self.in_transaction = false;
                self.set_database(self.database_before);
            }
            b"reset" if alone && done => {
                self.in_transaction = false;
                self.set_database(0);
                self.options.protocol = Protocol::Default;
            }
            _ => {}
        }
    }

    fn set_database(&mut self, database: i64) {
        self.database = database;
        self.options.database = database;
    }
}

fn refuse(refused: Option<String>, what: &str) -> Result<(), Stop> {
    match refused {
        None => Ok(()),
        Some(text) => {
            eprintln!("{what}: {text}");
            Err(Stop::Failed)
        }
    }
}
