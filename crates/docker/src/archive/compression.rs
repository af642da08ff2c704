//! How an archive is compressed, told from its first bytes as the daemon tells it, and its plain bytes.
//!
//! Daemons differ in one thing: up to 20.10 they do not know zstd and take such bytes for a plain
//! archive. So bytes that are both are refused.

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::rc::Rc;

use super::effort::Effort;
use super::tar::{BLOCK, is_header};
use super::{Limits, Refusal};

/// A way of compressing that the daemon knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Compression {
    None,
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

/// `moby/go-archive` `compression.Detect`.
pub fn detect(start: &[u8]) -> Compression {
    match start {
        [b'B', b'Z', b'h', ..] => Compression::Bzip2,
        [0x1F, 0x8B, 0x08, ..] => Compression::Gzip,
        [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Xz,
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Compression::Zstd,
        // A skippable frame. The daemon wants eight bytes to see it.
        [0x50..=0x5F, 0x2A, 0x4D, 0x18, _, _, _, _, ..] => Compression::Zstd,
        _ => Compression::None,
    }
}

/// The plain bytes, which stop with a [`Refusal`] where a limit is reached.
pub(super) fn unpack(source: Box<dyn Read>, effort: &Rc<Effort>) -> Result<(Compression, Box<dyn Read>), Refusal> {
    let mut source = Counted { source, effort: Rc::clone(effort) };
    let mut head = Vec::with_capacity(BLOCK);
    source.by_ref().take(BLOCK as u64).read_to_end(&mut head)?;
    let compression = detect(&head);
    if compression == Compression::Zstd && is_header(&head) {
        return Err(Refusal::Ambiguous("as zstd and as a plain archive"));
    }
    let packed = BufReader::with_capacity(32 << 10, Cursor::new(head).chain(source));
    let limits = &effort.limits;
    let failed = |_| Refusal::Decompress(compression);
    let plain: Box<dyn Read> = match compression {
        Compression::None => Box::new(packed),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
        Compression::Xz => Box::new(xz(packed, limits).map_err(failed)?),
        Compression::Zstd => Box::new(zstd(packed, limits).map_err(failed)?),
    };
    let metered = Metered { plain, compression, effort: Rc::clone(effort) };
    Ok((compression, Box::new(BufReader::with_capacity(32 << 10, metered))))
}

fn xz<R: BufRead>(source: R, limits: &Limits) -> io::Result<impl Read + use<R>> {
    let stream = liblzma::stream::Stream::new_stream_decoder(limits.window, liblzma::stream::CONCATENATED)?;
    Ok(liblzma::bufread::XzDecoder::new_stream(source, stream))
}

fn zstd<R: BufRead + 'static>(source: R, limits: &Limits) -> io::Result<impl Read + use<R>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(source)?;
    decoder.window_log_max(limits.window.max(1).ilog2())?;
    Ok(decoder)
}

/// Counts what is taken from the stored archive.
struct Counted {
    source: Box<dyn Read>,
    effort: Rc<Effort>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.effort.packed(read)?;
        Ok(read)
    }
}

/// Counts what comes out.
struct Metered {
    plain: Box<dyn Read>,
    compression: Compression,
    effort: Rc<Effort>,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match self.plain.read(buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            // Of our own making: it is not the archive's fault.
            Err(error) if error.get_ref().is_some_and(|inner| inner.is::<Refusal>()) => return Err(error),
            Err(_) if self.compression != Compression::None => {
                return Err(Refusal::Decompress(self.compression).into());
            }
            Err(error) => return Err(error),
        };
        self.effort.unpacked(read)?;
        Ok(read)
    }
}
