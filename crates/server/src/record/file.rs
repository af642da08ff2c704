//! The file that records are appended to, with disk space held ahead.
//!
//! A disk that is full is noticed when the space ahead cannot be had, while there is still room for
//! the records of what is under way; noticing it on write would be after a change went through.

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// An open record file.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    /// Pipes and devices have no space to hold and no inode to compare.
    regular: bool,
    identity: (u64, u64),
    /// How much to hold ahead, in bytes.
    ahead: u64,
    /// Up to where space is held.
    held_to: u64,
}

impl LogFile {
    /// Opens for appending; makes the file, with mode 0640, if there is none. A last line that was
    /// cut off by a crash is ended, so that the next record has a line of its own.
    pub(super) fn open(path: &Path, ahead: u64) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o640)
            // A pipe without a reader must not stop us.
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)?;
        let found = file.metadata()?;
        if found.is_file() && found.len() > 0 && !ends_a_line(path) {
            file.write_all(b"\n")?;
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            regular: found.is_file(),
            identity: (found.dev(), found.ino()),
            ahead,
            held_to: 0,
        })
    }

    /// Opens the file anew when somebody moved it away (or when `forced`); true when it did.
    pub(super) fn follow(&mut self, forced: bool) -> io::Result<bool> {
        let same = !self.regular
            || std::fs::metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == self.identity);
        if same && !forced {
            return Ok(false);
        }
        *self = Self::open(&self.path, self.ahead)?;
        Ok(true)
    }

    /// Holds space ahead. Cheap while enough is held; an error when there is none to be had.
    pub(super) fn hold_space(&mut self) -> io::Result<()> {
        if !self.regular || self.ahead == 0 {
            return Ok(());
        }
        let length = self.file.metadata()?.len();
        let held = self.held_to.saturating_sub(length);
        // More than ever: the file was cut short (copytruncate) and what was held is gone.
        let enough = held >= self.ahead.saturating_sub(self.ahead.wrapping_div(4));
        if enough && held <= self.ahead {
            return Ok(());
        }
        match fallocate(&self.file, FallocateFlags::KEEP_SIZE, length, self.ahead) {
            Ok(()) => {
                self.held_to = length.saturating_add(self.ahead);
                Ok(())
            }
            // This file system cannot hold space: a full disk is noticed on write.
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
                self.ahead = 0;
                Ok(())
            }
            Err(errno) => Err(errno.into()),
        }
    }

    /// Appends; how many bytes went in, and the error that ended it.
    pub(super) fn append(&mut self, mut bytes: &[u8]) -> (usize, io::Result<()>) {
        let whole = bytes.len();
        let ended = loop {
            if bytes.is_empty() {
                break Ok(());
            }
            match self.file.write(bytes) {
                Ok(0) => break Err(ErrorKind::WriteZero.into()),
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        (whole.saturating_sub(bytes.len()), ended)
    }

    /// Brings what was appended to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        if self.regular { self.file.sync_data() } else { Ok(()) }
    }
}

/// Whether the last byte is an end of line; taken for granted where the file may not be read.
fn ends_a_line(path: &Path) -> bool {
    let last = || -> io::Result<u8> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::End(-1))?;
        let mut byte = [0];
        file.read_exact(&mut byte)?;
        let [byte] = byte;
        Ok(byte)
    };
    last().map_or(true, |byte| byte == b'\n')
}
