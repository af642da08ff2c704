//! The key of the seals, in a file that only its owner can read.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};

/// Its length in bytes.
pub const KEY: usize = 32;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the sentences say it")]
pub enum KeyError {
    #[error("the system gives no random numbers")]
    Random,
    #[error("cannot use the key `{}`: {source}", file.display())]
    System { file: PathBuf, source: io::Error },
    #[error(
        "the key `{}` can be read by others than its owner: whoever has it can speak for everybody. \
         Remove it, so that a new one is made, here and wherever a copy is",
        file.display()
    )]
    Exposed { file: PathBuf },
    #[error("`{}` is no key: it must be a file of {KEY} bytes. Remove it, so that one is made", file.display())]
    NotAKey { file: PathBuf },
}

/// The key in a file. Where there is none it is made; of several that make it at once, all take the same.
pub fn read_or_make(file: &Path) -> Result<[u8; KEY], KeyError> {
    let failed = |source| KeyError::System { file: file.to_owned(), source };
    let opened = match File::open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(file, &random()?).map_err(failed)?;
            File::open(file)
        }
        opened => opened,
    };
    read(opened.map_err(failed)?, file)
}

fn read(mut opened: File, file: &Path) -> Result<[u8; KEY], KeyError> {
    let failed = |source| KeyError::System { file: file.to_owned(), source };
    let about = opened.metadata().map_err(failed)?;
    let us = rustix::process::geteuid().as_raw();
    if about.mode() & 0o077 != 0 || !(about.uid() == us || about.uid() == 0) {
        return Err(KeyError::Exposed { file: file.to_owned() });
    }
    if !about.is_file() || about.len() != KEY as u64 {
        return Err(KeyError::NotAKey { file: file.to_owned() });
    }
    let mut key = [0; KEY];
    opened.read_exact(&mut key).map_err(failed)?;
    Ok(key)
}

/// Whole or not at all: another door may be reading, or making one of its own.
fn make(file: &Path, key: &[u8; KEY]) -> io::Result<()> {
    let mut new = file.as_os_str().to_owned();
    new.push(format!(".{}", std::process::id()));
    let new = PathBuf::from(new);
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new);
    let linked = made
        .and_then(|mut made| {
            made.write_all(key)?;
            made.sync_all()
        })
        .and_then(|()| match std::fs::hard_link(&new, file) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        });
    let _ = std::fs::remove_file(&new);
    linked
}

/// A new one.
pub(super) fn random() -> Result<[u8; KEY], KeyError> {
    let mut key = [0; KEY];
    SystemRandom::new().fill(&mut key).map_err(|_| KeyError::Random)?;
    Ok(key)
}
