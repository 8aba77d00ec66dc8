//! Base files: the data set at one moment, as a snapshot or as commands.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use aof::FileInfo;
use config::Config;
use keyspace::gate::Closed;
use keyspace::{Held, Keyspace};
use rdb::{Encoder, Records};
use snapshot::{Encode, Preamble, RdbEncode, Snapshot, Target, Uses};

use super::Persistence;
use super::resp_base::RespEncode;

/// A base whose moment is fixed, and that is to be written.
pub(super) struct Base {
    snapshot: Snapshot,
    rdb: bool,
    checksum: bool,
    records: Records,
    timestamps: bool,
    now_ms: i64,
}

impl Base {
    /// Fixes the moment. No other snapshot may be under way.
    pub(super) fn cut(
        keyspace: &Keyspace,
        closed: &Closed<'_>,
        config: &Config,
        now_ms: i64,
    ) -> Self {
        let rdb = config.aof_use_rdb_preamble;
        let records = Records { encoder: Encoder { compress: config.rdbcompression } };
        let encode: Box<dyn Encode> = match rdb {
            true => Box::new(RdbEncode { records, uses: Uses::None, now_ms }),
            false => Box::new(RespEncode),
        };
        let mut held = Held::all(keyspace, closed);
        let snapshot = Snapshot::begin(&mut held.lend(), encode);
        let (checksum, timestamps) = (config.rdbchecksum, config.aof_timestamp_enabled);
        Self { snapshot, rdb, checksum, records, timestamps, now_ms }
    }

    /// Whether it is a snapshot.
    pub(super) fn is_rdb(&self) -> bool {
        self.rdb
    }

    /// Writes the file beside everybody else.
    pub(super) fn write(self, files: &Persistence, info: &FileInfo) -> io::Result<()> {
        let name = files.directory.file(&info.name);
        let temporary =
            files.directory.file(&format!("temp-rewriteaof-bg-{}.aof", std::process::id()));
        if self.rdb {
            self.write_rdb(files, temporary, &name)
        } else {
            self.write_resp(files, temporary, &name)
        }
    }

    fn write_rdb(
        self,
        files: &Persistence,
        temporary: PathBuf,
        name: &std::path::Path,
    ) -> io::Result<()> {
        let failed = |error: snapshot::SaveError| io::Error::other(error.to_string());
        let mut target = Target::create(temporary, self.checksum).map_err(failed)?;
        let preamble = Preamble {
            texts: vec![
                ("redis-ver", command::REDIS_VERSION.to_owned()),
                ("redis-bits", usize::BITS.to_string()),
                ("ctime", (self.now_ms / 1000).to_string()),
                ("aof-base", "1".to_owned()),
            ],
            functions: Vec::new(),
        };
        target.begin(&preamble, self.snapshot.sizes(), self.records)?;
        let keyspace = &files.services.keyspace;
        self.snapshot.run(keyspace, &mut |bytes| target.write(bytes))?;
        target.finish(name, self.records).map_err(failed)
    }

    fn write_resp(
        self,
        files: &Persistence,
        temporary: PathBuf,
        name: &std::path::Path,
    ) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(&temporary)?);
        if self.timestamps {
            write!(file, "#TS:{}\r\n", self.now_ms / 1000)?;
        }
        let keyspace = &files.services.keyspace;
        self.snapshot.run(keyspace, &mut |bytes| file.write_all(bytes))?;
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&temporary, name)?;
        aof::sync_directory(files.directory.path())
    }
}
