//! Base files: the data set at one moment, as a snapshot or as commands.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aof::FileInfo;
use command::scripts::Libraries;
use effects::encode_slices;
use encryption::{Kind, Output};
use keyspace::Lent;
use rdb::Records;
use snapshot::{Encode, Pace, Preamble, RdbEncode, Snapshot, Target};

use super::AppendOnly;
use super::resp_base::RespEncode;
use crate::persistence::{self, Wrapped};

/// A base whose moment is fixed, and that is to be written.
pub(super) struct Base {
    snapshot: Snapshot,
    rdb: bool,
    checksum: bool,
    records: Records,
    timestamps: bool,
    now_ms: i64,
    pace: Pace,
    functions: Arc<Libraries>,
}

impl Base {
    /// Fixes the moment; everything is held. No other snapshot may be under way.
    pub(super) fn cut(files: &AppendOnly, held: &mut Lent<'_>) -> Self {
        let services = &files.services;
        let (config, now_ms) = (services.config.load(), services.clock.unix_ms());
        let rdb = config.aof_use_rdb_preamble;
        let records = persistence::records(&config);
        let encode: Box<dyn Encode> = match rdb {
            true => Box::new(RdbEncode { records, uses: persistence::uses(&config), now_ms }),
            false => Box::new(RespEncode),
        };
        let snapshot = persistence::cut(held, encode);
        {
            let mut base = services.persistence.base();
            *base = Some(Box::new(Wrapped(snapshot.handle())));
            // Whoever lets the threads end says so first, and then looks for a base to give up.
            if files.is_stopping() {
                snapshot.handle().give_up();
            } else if services.aof.is_unwanted() {
                snapshot.handle().stop();
            }
        }
        let delay_us = config.rdb_key_save_delay_us.max(0).unsigned_abs();
        let pace = Pace { per_key_us: delay_us };
        let functions = services.scripts.libraries();
        let (checksum, timestamps) = (config.rdbchecksum, config.aof_timestamp_enabled);
        Self { snapshot, rdb, checksum, records, timestamps, now_ms, pace, functions }
    }

    /// Whether it is a snapshot.
    pub(super) fn is_rdb(&self) -> bool {
        self.rdb
    }

    /// Forgets it. The calling thread is outside of the gate.
    pub(super) fn drop_unwritten(self, files: &AppendOnly) {
        let services = &files.services;
        persistence::with_all(services, |held| persistence::give_up_base(services, held));
    }

    /// Writes the file beside everybody else.
    pub(super) fn write(self, files: &AppendOnly, info: &FileInfo) -> io::Result<()> {
        let name = files.directory.file(&info.name);
        let temporary =
            files.directory.file(&format!("temp-rewriteaof-bg-{}.aof", std::process::id()));
        let written = if self.rdb {
            self.write_rdb(files, temporary, &name)
        } else {
            let written = self.write_resp(files, &temporary, &name);
            if written.is_err() {
                let _ = fs::remove_file(&temporary);
            }
            written
        };
        match written {
            Ok(()) => {
                persistence::note_whole();
                *files.services.persistence.base() = None;
            }
            // Whoever gave it up has taken it away, and another may be under way.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                *files.services.persistence.base() = None;
                return Err(error);
            }
        }
        Ok(())
    }

    fn write_rdb(self, files: &AppendOnly, temporary: PathBuf, name: &Path) -> io::Result<()> {
        let failed = |error: snapshot::SaveError| io::Error::other(error.to_string());
        let keys = files.services.encryption.get();
        let mut target =
            Target::create(temporary, self.checksum, keys.as_deref()).map_err(failed)?;
        let preamble = Preamble {
            texts: vec![
                ("redis-ver", command::REDIS_VERSION.to_owned()),
                ("redis-bits", usize::BITS.to_string()),
                ("ctime", (self.now_ms / 1000).to_string()),
                ("aof-base", "1".to_owned()),
            ],
            functions: self.functions.by_name.values().map(|one| one.code.to_vec()).collect(),
        };
        target.begin(&preamble, self.snapshot.sizes(), self.records)?;
        let keyspace = &files.services.keyspace;
        self.snapshot.run(keyspace, self.pace, &mut |bytes| target.write(bytes))?;
        target.seal(self.records).and_then(|sealed| sealed.publish(name)).map_err(failed)?;
        snapshot::sync_directory(name).map_err(failed)
    }

    fn write_resp(self, files: &AppendOnly, temporary: &Path, name: &Path) -> io::Result<()> {
        let keys = files.services.encryption.get();
        let output = Output::new(File::create(temporary)?, keys.as_deref(), Kind::Whole)?;
        let mut file = BufWriter::new(output);
        if self.timestamps {
            write!(file, "#TS:{}\r\n", self.now_ms / 1000)?;
        }
        for library in self.functions.by_name.values() {
            let mut load = Vec::new();
            encode_slices(&mut load, &[&b"FUNCTION"[..], b"LOAD", &library.code]);
            file.write_all(&load)?;
        }
        let keyspace = &files.services.keyspace;
        self.snapshot.run(keyspace, self.pace, &mut |bytes| file.write_all(bytes))?;
        let mut output = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        output.finish()?;
        output.file().sync_all()?;
        fs::rename(temporary, name)?;
        aof::sync_directory(files.directory.path())
    }
}
