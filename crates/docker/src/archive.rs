//! Archives that clients send, read as the daemon reads them.
//!
//! A build's context, images to load, files for a container: the daemon unpacks them with Go's
//! `archive/tar` onto a disk, entry by entry, a later one over an earlier one. Reading here follows the
//! same order and the same rules, keeps nothing but the names of links and the files that are asked
//! for, and refuses what two readers could read differently. What is refused is refused before a byte
//! of the archive reaches the daemon.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub mod compression;
pub mod context;
mod effort;
pub mod files;
pub mod images;
mod layout;
mod look;
mod number;
mod path;
mod pax;
pub mod plugin;
mod tar;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::unpack as tests_unpack;

pub use compression::Compression;
pub(crate) use tar::{Entry, Kind, Tar};

/// Opens the archive at its first byte. Called again where a second look is needed.
pub type Open<'a> = &'a dyn Fn() -> io::Result<Box<dyn Read>>;

/// Where reading stops. What is read at once is bounded by these, whatever the archive holds.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes after decompression, over all passes of a look.
    pub unpacked: u64,
    /// How many bytes one byte may become, once [`Limits::grace`] is used up.
    pub ratio: u64,
    /// Bytes after decompression that may come out at any ratio, over all passes.
    pub grace: u64,
    /// Parts of names that are followed, over all passes: what bounds the time that hostile names take.
    pub steps: u64,
    /// Entries.
    pub entries: u64,
    /// The length of a name: the kernel takes no longer path.
    pub name: usize,
    /// Bytes of all names and targets of symbolic links.
    pub links: usize,
    /// The size of a file that is read: a Dockerfile, a manifest.
    pub file: usize,
    /// Bytes that a decompressor may ask for; `xz -6` needs a little more than 8 MiB.
    pub window: u64,
    /// Hard links that are followed one after the other.
    pub follow: usize,
    /// Set by whoever wants the look to end: its time is up, or nobody waits for it any more.
    pub stop: Arc<AtomicBool>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            unpacked: 16 << 30,
            ratio: 250,
            grace: 256 << 20,
            steps: 32_000_000,
            entries: 1_000_000,
            name: 4096,
            links: 6 << 20,
            file: 1 << 20,
            window: 10 << 20,
            follow: 3,
            stop: Arc::default(),
        }
    }
}

/// Why an archive is not sent on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The stored archive cannot be read back.
    #[error("the archive cannot be read: {0}")]
    Io(String),
    /// Not what its first bytes say.
    #[error("the archive cannot be decompressed ({0}): it is damaged, or that takes more than 10 MiB of memory")]
    Decompress(Compression),
    /// More than [`Limits`] allow.
    #[error("the archive holds too much: more than {limit} {of}")]
    TooMuch {
        /// What is counted.
        of: &'static str,
        /// How much of it is taken.
        limit: u64,
    },
    /// Whoever looks into it has waited long enough ([`Limits::stop`]).
    #[error("looking into the archive takes too long")]
    TooSlow,
    /// It ends in the middle of an entry.
    #[error("the archive is cut off")]
    Truncated,
    /// The daemon would not take it either.
    #[error("the archive cannot be read: {0}")]
    Malformed(&'static str),
    /// Two readers, or two daemons, could read it differently.
    #[error("the archive can be read in two ways: {0}")]
    Ambiguous(&'static str),
    /// A name that leads out of the archive.
    #[error("the archive names `{0}`, which is outside of it")]
    Outside(String),
    /// A kind of entry that the daemon does not unpack.
    #[error("the archive holds `{name}` of the unknown type `{flag}`")]
    UnknownKind {
        /// Its name.
        name: String,
        /// The type flag.
        flag: char,
    },
    /// Compressed where only a plain archive is taken.
    #[error("the archive is compressed ({0}); send it uncompressed")]
    Compressed(Compression),
    /// No Dockerfile under the name that was asked for.
    #[error("the build context holds no file `{0}`")]
    NoDockerfile(String),
    /// A file that must be read and is none.
    #[error("`{0}` in the archive is not a regular file")]
    NotAFile(String),
    /// A file that must be understood and cannot be.
    #[error("`{file}` in the archive cannot be read: {reason}")]
    Contents {
        /// Its name.
        file: &'static str,
        /// What is wrong.
        reason: String,
    },
}

/// Errors of our own travel through readers as I/O errors.
impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        io::Error::other(refusal)
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        match error.downcast::<Refusal>() {
            Ok(refusal) => refusal,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Refusal::Truncated,
            Err(error) => Refusal::Io(error.to_string()),
        }
    }
}

/// A name in words, for messages: without control characters and not too long.
fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().filter(|c| !c.is_control()).take(200).collect()
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Bzip2 => "bzip2",
            Compression::Xz => "xz",
            Compression::Zstd => "zstd",
        })
    }
}
