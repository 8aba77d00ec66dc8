//! The backup that BACKUP makes: a snapshot in a directory of its own, read back, and a manifest that names it, so
//! that the directory is one of append-only files.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aof::{BackupSums, Directory, FileSum, Manifest, Summing};
use command::backup::{Backup, BackupStage};
use command::{Error, Services};
use config::Config;
use encryption::{Input, Keyring};
use keyspace::Lent;
use rdb::{Item, Scanner};

use super::save::{Purpose, begin_in_background};
use super::with_all;

/// Where backups go.
fn directory(config: &Config) -> PathBuf {
    Path::new(&config.dir).join(&config.backupdirname)
}

/// Begins a backup: at once, or behind the snapshot that is under way. Everything is held.
///
/// # Errors
/// When the directory cannot be had, or is not empty.
pub fn start(services: &Arc<Services>, held: &mut Lent<'_>) -> Result<(), Error> {
    let config = services.config.snapshot();
    let directory = directory(&config);
    let shown = directory.display();
    make_empty(&directory).map_err(|error| match error.kind() {
        io::ErrorKind::DirectoryNotEmpty => {
            Error::new(format!("ERR Backup directory '{shown}' is not empty"))
        }
        _ => Error::new(format!("ERR Can't create backup directory '{shown}': {error}")),
    })?;
    {
        let mut backup = services.backups.now();
        let attempt = backup.attempt + 1;
        let started_s = services.clock.unix_ms() / 1000;
        let stage = BackupStage::Pending;
        *backup = Backup { stage, attempt, started_s, directory, ..Backup::default() };
    }
    let is_free =
        services.persistence.base().is_none() && services.persistence.saves().current.is_none();
    if is_free {
        snapshot(services, held);
    }
    Ok(())
}

fn make_empty(directory: &Path) -> io::Result<()> {
    match fs::create_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made,
    }
    match fs::read_dir(directory)?.next() {
        None => Ok(()),
        Some(_) => Err(io::ErrorKind::DirectoryNotEmpty.into()),
    }
}

/// Marks the cut of the backup that waits for it. Everything is held, and no snapshot is under way.
fn snapshot(services: &Arc<Services>, held: &mut Lent<'_>) {
    let config = services.config.snapshot();
    let (attempt, directory) = {
        let mut backup = services.backups.now();
        (backup.stage, backup.walks) = (BackupStage::Snapshotting, true);
        (backup.attempt, backup.directory.clone())
    };
    let base = Manifest::default().next_base(&config.appendfilename, true);
    let purpose = Purpose::Backup { attempt, path: directory.join(base.name) };
    if let Err(error) = begin_in_background(services, held, purpose) {
        fail(services, attempt, &error.to_string());
    }
}

/// Begins a backup that waits, and removes one whose time is over. The calling thread is outside of the gate.
pub fn tick(services: &Arc<Services>, config: &Config, now_ms: i64) {
    let (stage, ended_s) = {
        let backup = services.backups.now();
        (backup.stage, backup.ended_s)
    };
    let ttl_s = i64::try_from(config.backup_sealed_ttl_s).unwrap_or(i64::MAX);
    if stage == BackupStage::Sealed
        && ttl_s > 0
        && now_ms / 1000 >= ended_s.saturating_add(ttl_s)
        && let Err(error) = end(services, None)
    {
        tracing::warn!("The sealed backup cannot be removed: {error}");
    }
    let is_free =
        || services.persistence.base().is_none() && services.persistence.saves().current.is_none();
    if stage == BackupStage::Pending && is_free() {
        with_all(services, |held| {
            // Whoever closed the gate before may have begun something, or ended this.
            if services.backups.now().stage == BackupStage::Pending && is_free() {
                snapshot(services, held);
            }
        });
    }
}

/// What becomes of a backup whose snapshot is in its place: it is read back before it counts.
pub fn written(services: &Services, attempt: u64, path: &Path, keys: u64) {
    let sum = match read_back(path, keys, services.encryption.get().as_deref()) {
        Ok(sum) => sum,
        Err(error) => return fail(services, attempt, &format!("reading it back: {error}")),
    };
    let mut backup = services.backups.now();
    if backup.attempt != attempt || backup.stage != BackupStage::Snapshotting {
        // It was given up meanwhile, and its files are to be gone.
        let _ = fs::remove_file(path);
        return;
    }
    (backup.keys, backup.bytes) = (sum.keys, sum.bytes);
    let sums = BackupSums { files: vec![sum] };
    match write_new(&backup.directory.join(BackupSums::NAME), &sums.to_string()) {
        Ok(()) => {
            backup.stage = BackupStage::Incrementing;
            backup.files = vec![path.to_owned()];
        }
        Err(error) => {
            drop(backup);
            fail(services, attempt, &format!("{}: {error}", BackupSums::NAME));
        }
    }
}

/// Notes that a backup's snapshot is no longer under way.
pub fn walked(services: &Services, attempt: u64) {
    let mut backup = services.backups.now();
    if backup.attempt == attempt {
        backup.walks = false;
    }
}

/// Notes that a backup has come to nothing, and removes what there is of it.
pub fn fail(services: &Services, attempt: u64, why: &str) {
    let mut backup = services.backups.now();
    if backup.attempt == attempt && backup.stage.is_under_way() {
        tracing::warn!("The backup has failed: {why}");
        why.clone_into(&mut backup.error);
        backup.stage = BackupStage::Failed;
        backup.files.clear();
        // What is left over is said at the next BACKUP START.
        let _ = remove(&backup.directory);
    }
}

/// Reads a snapshot as loading would, but for its values, and compares the checksums and the number of keys.
fn read_back(path: &Path, keys: u64, ring: Option<&Keyring>) -> io::Result<FileSum> {
    let mut summing = Summing::new(File::open(path)?);
    let wrong = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let mut found = 0;
    {
        let mut input = Input::open(&mut summing, ring)?;
        let mut scanner = Scanner::new(&mut input).map_err(|error| wrong(error.to_string()))?;
        loop {
            match scanner.next_item().map_err(|error| wrong(error.to_string()))? {
                Item::Chunk(chunk) => found += chunk.records().len() as u64,
                Item::End { .. } => break,
                _ => {}
            }
        }
        // Behind the data set an encrypted file has an end mark.
        io::copy(&mut input, &mut io::sink())?;
    }
    if found != keys {
        return Err(wrong(format!("{found} of {keys} keys are in it")));
    }
    io::copy(&mut summing, &mut io::sink())?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(FileSum { name, bytes: summing.bytes(), crc64: summing.value(), keys })
}

/// Compares a backup with what was noted of it, if anything was; `manifest` is that of the backup.
///
/// # Errors
/// Says what differs.
pub fn check(manifest: &Path) -> Result<(), String> {
    let directory = manifest.parent().unwrap_or(Path::new("."));
    let sums = BackupSums::read(directory).map_err(|error| error.to_string())?;
    for file in sums.unwrap_or_default().files {
        let why = file.mismatch(directory).map_err(|error| format!("{}: {error}", file.name))?;
        if let Some(why) = why {
            return Err(format!("{} is not as the backup has it: {why}", file.name));
        }
    }
    Ok(())
}

/// Completes the backup: its manifest makes it one that can be loaded.
///
/// # Errors
/// When the manifest cannot be written.
pub fn seal(services: &Services) -> Result<(), Error> {
    let config = services.config.load();
    let mut backup = services.backups.now();
    let mut manifest = Manifest::default();
    let base = manifest.next_base(&config.appendfilename, true);
    manifest.rebase(base, 0);
    let directory = Directory::new(&backup.directory, &config.appendfilename);
    directory
        .save(&manifest)
        .map_err(|error| Error::new(format!("ERR Can't write the backup's manifest: {error}")))?;
    let sums = backup.directory.join(BackupSums::NAME);
    backup.files.extend([directory.manifest(), sums]);
    backup.stage = BackupStage::Sealed;
    backup.ended_s = services.clock.unix_ms() / 1000;
    tracing::info!("The backup in {} is sealed", backup.directory.display());
    Ok(())
}

/// Removes the backup's files, and forgets it, or remembers why it was given up.
///
/// # Errors
/// When they cannot be removed.
pub fn end(services: &Services, why: Option<&str>) -> Result<(), Error> {
    let mut backup = services.backups.now();
    if backup.stage == BackupStage::Idle {
        return Ok(());
    }
    remove(&backup.directory)
        .map_err(|error| Error::new(format!("ERR Can't remove the backup: {error}")))?;
    let attempt = backup.attempt;
    *backup = match why {
        None => Backup { attempt, ..Backup::default() },
        Some(why) => Backup {
            attempt,
            stage: BackupStage::Failed,
            error: why.to_owned(),
            started_s: backup.started_s,
            ..Backup::default()
        },
    };
    Ok(())
}

/// Removes what a backup's directory holds; the directory itself stays. It was empty when the backup began.
fn remove(directory: &Path) -> io::Result<()> {
    if directory.as_os_str().is_empty() {
        return Ok(());
    }
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Whatever else somebody has put here is left alone; a snapshot that is given up removes its own file.
        let is_ours = name == BackupSums::NAME
            || name.ends_with(".base.rdb")
            || name.ends_with(".manifest")
            || name.starts_with("temp-");
        if is_ours {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Writes a small file and makes it durable, name included.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    aof::sync_directory(path.parent().unwrap_or(Path::new(".")))
}
