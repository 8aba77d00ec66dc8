//! A small file system of its own whose power can be cut: what was not made durable is gone then.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::durable::Folder;

/// Bytes of the disk.
const SIZE: &str = "96M";

/// Stops an ext4 at once without writing anything more, journal included: `EXT4_IOC_SHUTDOWN`, with
/// `EXT4_GOING_FLAGS_NOLOGFLUSH`.
const CUT: &str = "import fcntl, os, struct, sys\n\
                   fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))";

/// A disk, mounted; gone when dropped.
pub struct Disk {
    folder: Folder,
}

impl Disk {
    /// A new one; `None`, saying so, where none can be had: it needs root and loop devices.
    pub fn new() -> Option<Self> {
        let disk = Self { folder: Folder::new() };
        let image = disk.image();
        std::fs::create_dir(disk.mount_point()).expect("a folder");
        let made = run(Command::new("truncate").args(["-s", SIZE]).arg(&image))
            && run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image))
            && disk.mount();
        if !made {
            println!("left out: no file system of its own can be had here (root and loop devices)");
        }
        made.then_some(disk)
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    fn mount_point(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    fn mount(&self) -> bool {
        run(Command::new("mount").args(["-o", "loop"]).arg(self.image()).arg(self.mount_point()))
    }

    fn unmount(&self) -> bool {
        run(Command::new("umount").arg(self.mount_point()))
    }

    /// Where its files are.
    pub fn path(&self) -> PathBuf {
        self.mount_point()
    }

    /// Cuts its power: nothing can be read or written any more.
    ///
    /// # Panics
    /// When that is not possible.
    pub fn cut(&self) {
        assert!(cut(&self.mount_point()), "the file system cannot be shut down");
    }

    /// Has power again. Nobody uses it.
    ///
    /// # Panics
    /// When it cannot be mounted.
    pub fn restore(&self) {
        assert!(self.unmount(), "somebody uses the disk");
        assert!(self.mount(), "the disk cannot be mounted again");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if !self.unmount() {
            let _ = run(Command::new("umount").arg("-l").arg(self.mount_point()));
        }
    }
}

fn cut(path: &Path) -> bool {
    run(Command::new("python3").args(["-c", CUT]).arg(path))
}

fn run(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
