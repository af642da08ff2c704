//! Archives, received whole before they are judged.
//!
//! An archive can be larger than memory, and what it asks for can stand anywhere in it. So it is written to a file that
//! has no name, looked into there, and only then sent: what was looked into is what is sent. The file is gone with the
//! last one who holds it, however that ends.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::task::spawn_blocking;
use ulid::Ulid;

use crate::limits::Limits;
use crate::share::{Held, Share, Short};

#[cfg(test)]
mod tests;

/// Where archives are stored, and how much of them there is.
#[derive(Debug)]
pub(crate) struct Spools {
    folder: PathBuf,
    /// Room for all archives that are stored at one time, in units of [`PIECE`].
    room: Arc<Share>,
    /// Those who may look into one at the same time.
    pub(crate) looks: Share,
    /// Those who may read and write a piece at the same time.
    writes: Arc<Share>,
}

/// An archive that is being received.
#[derive(Debug)]
pub(crate) struct Receiving {
    stored: Spool,
    /// What is to be written next.
    piece: Vec<u8>,
    user: String,
    room: Arc<Share>,
    writes: Arc<Share>,
    limits: Limits,
}

/// An archive that was received whole.
#[derive(Debug)]
pub(crate) struct Spool {
    file: Arc<File>,
    length: u64,
    held: Held,
}

/// Why an archive is not stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpoolError {
    #[error("the archive is larger than {0} bytes, the most that is taken (limits.archive_bytes)")]
    TooLarge(usize),
    #[error(
        "too many archives are being judged at this time: they may take {0} bytes (limits.archives_bytes); try again later"
    )]
    Crowded(usize),
    #[error(
        "your archives take all the room that one subject may take: {0} bytes (limits.archives_bytes_per_subject); try again when the others are done"
    )]
    Share(usize),
    #[error(
        "there is no room to judge the archive: less than {0} bytes would be left on the disk (limits.archive_free_bytes)"
    )]
    Full(usize),
    #[error("the archive cannot be stored to be judged: {0}")]
    Io(#[from] io::Error),
}

impl Spools {
    pub(crate) fn new(folder: PathBuf, limits: &Limits) -> Self {
        let pieces = |bytes: usize| bytes.div_ceil(PIECE);
        Spools {
            folder,
            room: Arc::new(Share::new(pieces(limits.archives_bytes), pieces(limits.archives_bytes_per_subject))),
            looks: Share::new(limits.archive_looks, limits.archive_looks_per_subject),
            writes: Arc::new(Share::new(WRITES, WRITES_OF_EACH)),
        }
    }

    /// Begins to store a subject's archive, of that length where it is known.
    pub(crate) async fn receive(
        &self,
        user: &str,
        length: Option<u64>,
        limits: &Limits,
    ) -> Result<Receiving, SpoolError> {
        let folder = self.folder.clone();
        let file = spawn_blocking(move || unnamed(&folder)).await.map_err(io::Error::other)??;
        let receiving = Receiving {
            stored: Spool { file: Arc::new(file), length: 0, held: Held::default() },
            piece: Vec::new(),
            user: user.to_owned(),
            room: Arc::clone(&self.room),
            writes: Arc::clone(&self.writes),
            limits: limits.clone(),
        };
        // What cannot be received whole is not begun.
        if let Some(length) = length {
            receiving.bound(length)?;
            let (file, free) = (Arc::clone(&receiving.stored.file), limits.archive_free_bytes);
            spawn_blocking(move || room(&file, length, free)).await.map_err(io::Error::other)??;
        }
        Ok(receiving)
    }
}

impl Receiving {
    /// A turn at reading a piece and putting it down. A thousand clients that send at once would otherwise have a
    /// thousand pieces wait in memory for one disk.
    pub(crate) async fn turn(&self) -> Held {
        let mut turn = Held::default();
        self.writes.wait(&self.user, &mut turn, 1).await;
        turn
    }

    /// Adds some bytes. Whether that makes a whole piece.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> bool {
        self.piece.extend_from_slice(bytes);
        self.piece.len() >= PIECE
    }

    /// Writes what has come. Of what waits for its client little is in memory.
    pub(crate) async fn put_down(&mut self) -> Result<(), SpoolError> {
        if self.piece.len() > KEPT {
            self.write().await?;
        }
        self.piece.shrink_to(KEPT);
        Ok(())
    }

    /// That was all.
    pub(crate) async fn end(mut self) -> Result<Spool, SpoolError> {
        self.write().await?;
        Ok(self.stored)
    }

    async fn write(&mut self) -> Result<(), SpoolError> {
        let (at, length) = (self.stored.length, self.stored.length.saturating_add(self.piece.len() as u64));
        self.bound(length)?;
        let pieces = usize::try_from(length.div_ceil(PIECE as u64)).unwrap_or(usize::MAX);
        self.room.take(&self.user, &mut self.stored.held, pieces).map_err(|short| match short {
            Short::Own => SpoolError::Share(self.limits.archives_bytes_per_subject),
            Short::All => SpoolError::Crowded(self.limits.archives_bytes),
        })?;
        self.stored.length = length;
        let (file, piece) = (Arc::clone(&self.stored.file), std::mem::take(&mut self.piece));
        let free = self.limits.archive_free_bytes;
        let written = spawn_blocking(move || {
            room(&file, piece.len() as u64, free)?;
            file.write_all_at(&piece, at).map_err(|error| match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => SpoolError::Full(free),
                _ => SpoolError::Io(error),
            })?;
            Ok::<Vec<u8>, SpoolError>(piece)
        });
        self.piece = written.await.map_err(io::Error::other)??;
        self.piece.clear();
        Ok(())
    }

    fn bound(&self, length: u64) -> Result<(), SpoolError> {
        let most = self.limits.archive_bytes;
        if length > most as u64 { Err(SpoolError::TooLarge(most)) } else { Ok(()) }
    }
}

impl Spool {
    /// How many bytes there are.
    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    /// The next bytes from a place on; none at the end.
    pub(crate) async fn read(&self, at: u64) -> io::Result<Bytes> {
        let file = Arc::clone(&self.file);
        let left = usize::try_from(self.length.saturating_sub(at)).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(Bytes::new());
        }
        let mut piece = BytesMut::zeroed(left.min(PIECE));
        let read = spawn_blocking(move || {
            let read = file.read_at(&mut piece, at)?;
            piece.truncate(read);
            Ok::<Bytes, io::Error>(piece.freeze())
        });
        let piece = read.await.map_err(io::Error::other)??;
        if piece.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(piece) }
    }

    /// What opens it at its first byte, as often as needed. Reading it blocks.
    pub(crate) fn opener(&self) -> impl Fn() -> io::Result<Box<dyn Read>> + Send + use<> {
        let file = Arc::clone(&self.file);
        move || Ok(Box::new(Reader { file: Arc::clone(&file), at: 0 }))
    }
}

/// One who reads the archive from its first byte on, beside others.
struct Reader {
    file: Arc<File>,
    at: u64,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at = self.at.saturating_add(read as u64);
        Ok(read)
    }
}

/// A file without a name, which nobody else can open.
fn unnamed(folder: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    match options.clone().custom_flags(libc::O_TMPFILE).open(folder) {
        // Not every file system can.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EOPNOTSUPP | libc::EISDIR | libc::EINVAL)) => {
            let path = folder.join(format!(".archive-{}", Ulid::generate()));
            let file = options.create_new(true).open(&path)?;
            std::fs::remove_file(&path)?;
            Ok(file)
        }
        opened => opened,
    }
}

/// Whether archives can be stored there.
pub fn probe(folder: &Path) -> io::Result<()> {
    unnamed(folder).map(drop)
}

/// Whether so many bytes more leave enough of the disk for others.
fn room(file: &File, bytes: u64, free: usize) -> Result<(), SpoolError> {
    let disk = rustix::fs::fstatvfs(file).map_err(io::Error::from)?;
    let left = disk.f_bavail.saturating_mul(disk.f_frsize).saturating_sub(bytes);
    if left < free as u64 { Err(SpoolError::Full(free)) } else { Ok(()) }
}

/// Bytes that are written, and read, at once.
const PIECE: usize = 64 << 10;
/// Bytes that are kept in memory while their client is waited for.
pub(crate) const KEPT: usize = 4 << 10;
/// Pieces that are read and written at the same time: more than a disk can, and what they take is 6 MiB at most.
const WRITES: usize = 32;
/// How many of them may be one subject's.
const WRITES_OF_EACH: usize = 24;
