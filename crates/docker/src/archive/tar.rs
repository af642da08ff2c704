//! Tar, entry by entry, as Go's `archive/tar` reads it.
//!
//! What Go refuses is refused; so is what Go reads and other readers read differently: sparse files,
//! sizes and names that contradict one another, global headers that would rename things.

use std::io::{self, Read};

use super::pax::Records;
use super::{Limits, Refusal, compression, number, shown};

/// Tar is made of blocks of this size.
pub(super) const BLOCK: usize = 512;
/// The most that a header's name, link or records may take in the archive. Go takes a mebibyte.
const MOST_SPECIAL: u64 = 256 << 10;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    HardLink,
    SymbolicLink,
    Character,
    Block,
    Directory,
    Fifo,
    /// A global header: nothing is unpacked for it.
    Global,
    /// Anything else: the daemon refuses it.
    Unknown(u8),
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its number, from 0 on.
    pub(crate) number: u64,
    pub(crate) kind: Kind,
    pub(crate) name: Vec<u8>,
    /// The target, of links.
    pub(crate) link: Vec<u8>,
    pub(crate) size: u64,
    pub(crate) mode: i64,
    pub(crate) uid: i64,
    pub(crate) gid: i64,
    /// The names of its extended attributes.
    pub(crate) attributes: Vec<Vec<u8>>,
}

/// An archive that is being read.
pub(crate) struct Tar<R> {
    reader: R,
    limits: Limits,
    /// Headers so far, and whether an entry was given out.
    count: u64,
    begun: bool,
    /// Bytes of the current entry that are still to come, and the padding behind them.
    data: u64,
    padding: u64,
}

/// What the special headers before an entry have said of it.
#[derive(Default)]
struct Said {
    records: Option<Records>,
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
}

impl<R: Read> Tar<R> {
    pub(super) fn new(reader: R, limits: &Limits) -> Self {
        Tar { reader, limits: limits.clone(), count: 0, begun: false, data: 0, padding: 0 }
    }

    /// The next entry; `None` at the end. What follows the end is not read: the daemon does not, either.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, Refusal> {
        let mut said = Said::default();
        loop {
            if !self.skip()? {
                return Ok(None);
            }
            let Some(block) = self.header()? else { return Ok(None) };
            let mut entry = plain(&block)?;
            entry.number = self.count()?;
            self.expect(&entry)?;
            match block_type(&block) {
                b'x' => said.records = Some(self.records()?),
                b'g' => {
                    if self.records()?.says_anything() {
                        return Err(Refusal::Ambiguous("a global header that renames or resizes"));
                    }
                    return self.give(entry);
                }
                b'L' => said.name = Some(self.special_name()?),
                b'K' => said.link = Some(self.special_name()?),
                b'S' => return Err(Refusal::Ambiguous("a sparse file")),
                flag => {
                    said.complete(&mut entry, flag)?;
                    self.expect(&entry)?;
                    return self.give(entry);
                }
            }
        }
    }

    /// The contents of the entry that [`Tar::next`] gave last.
    pub(crate) fn contents(&mut self, most: usize) -> Result<Vec<u8>, Refusal> {
        if self.data > most as u64 {
            return Err(Refusal::TooMuch { of: "bytes of a file that must be read", limit: most as u64 });
        }
        let mut contents = Vec::new();
        self.reader.by_ref().take(self.data).read_to_end(&mut contents)?;
        if contents.len() as u64 != self.data {
            return Err(Refusal::Truncated);
        }
        self.data = 0;
        Ok(contents)
    }

    /// Skips what is left of the entry. `false`: the archive ends within the padding, which is an end.
    fn skip(&mut self) -> Result<bool, Refusal> {
        if io::copy(&mut self.reader.by_ref().take(self.data), &mut io::sink())? != self.data {
            return Err(Refusal::Truncated);
        }
        self.data = 0;
        let skipped = io::copy(&mut self.reader.by_ref().take(self.padding), &mut io::sink())?;
        let whole = skipped == self.padding;
        self.padding = 0;
        Ok(whole)
    }

    /// The next header. The archive ends with two blocks of zeros, with one at the end of the file, or
    /// with the file.
    fn header(&mut self) -> Result<Option<Vec<u8>>, Refusal> {
        let Some(block) = self.block()? else { return Ok(None) };
        if block.iter().any(|byte| *byte != 0) {
            return if is_header(&block) { Ok(Some(block)) } else { Err(Refusal::Malformed("a checksum")) };
        }
        match self.block()? {
            Some(block) if block.iter().any(|byte| *byte != 0) => {
                Err(Refusal::Malformed("one block of zeros between entries"))
            }
            _ => Ok(None),
        }
    }

    fn block(&mut self) -> Result<Option<Vec<u8>>, Refusal> {
        let mut block = Vec::with_capacity(BLOCK);
        self.reader.by_ref().take(BLOCK as u64).read_to_end(&mut block)?;
        match block.len() {
            0 => Ok(None),
            BLOCK => Ok(Some(block)),
            _ => Err(Refusal::Truncated),
        }
    }

    /// The number of a header.
    fn count(&mut self) -> Result<u64, Refusal> {
        let number = self.count;
        self.count = number.saturating_add(1);
        match self.count > self.limits.entries {
            true => Err(Refusal::TooMuch { of: "entries", limit: self.limits.entries }),
            false => Ok(number),
        }
    }

    /// Prepares for the data of an entry.
    fn expect(&mut self, entry: &Entry) -> Result<(), Refusal> {
        self.data = if entry.kind.has_data() { entry.size } else { 0 };
        self.padding = self.data.wrapping_neg() & (BLOCK as u64).wrapping_sub(1);
        match entry.name.len().max(entry.link.len()) > self.limits.name {
            true => Err(Refusal::TooMuch { of: "bytes of a name", limit: self.limits.name as u64 }),
            false => Ok(()),
        }
    }

    /// Hands an entry out. A first name that looks compressed is refused: for a build the daemon writes
    /// the archive anew, names without what is not ASCII in them, and looks at its first bytes again.
    fn give(&mut self, entry: Entry) -> Result<Option<Entry>, Refusal> {
        if !std::mem::replace(&mut self.begun, true) {
            let ascii: Vec<u8> = entry.name.iter().copied().filter(u8::is_ascii).collect();
            let parts = ascii.split(|byte| *byte == b'/').chain([entry.name.as_slice()]);
            if parts.into_iter().any(looks_compressed) {
                return Err(Refusal::Ambiguous("its first name looks compressed"));
            }
        }
        Ok(Some(entry))
    }

    fn records(&mut self) -> Result<Records, Refusal> {
        let text = self.special()?;
        Records::read(&text, &self.limits)
    }

    fn special_name(&mut self) -> Result<Vec<u8>, Refusal> {
        let name = until_nul(&self.special()?).to_vec();
        match name.len() > self.limits.name {
            true => Err(Refusal::TooMuch { of: "bytes of a name", limit: self.limits.name as u64 }),
            false => Ok(name),
        }
    }

    fn special(&mut self) -> Result<Vec<u8>, Refusal> {
        if self.data > MOST_SPECIAL {
            return Err(Refusal::TooMuch { of: "bytes of a header", limit: MOST_SPECIAL });
        }
        self.contents(MOST_SPECIAL as usize)
    }
}

impl Said {
    /// Adds what was said to the entry itself: GNU names before PAX names before the plain header.
    fn complete(self, entry: &mut Entry, flag: u8) -> Result<(), Refusal> {
        let records = self.records.unwrap_or_default();
        entry.name = one(self.name, records.path)?.unwrap_or_else(|| std::mem::take(&mut entry.name));
        entry.link = one(self.link, records.link)?.unwrap_or_else(|| std::mem::take(&mut entry.link));
        entry.uid = records.uid.unwrap_or(entry.uid);
        entry.gid = records.gid.unwrap_or(entry.gid);
        entry.attributes = records.attributes;
        if let Some(size) = records.size {
            let size = u64::try_from(size).map_err(|_| Refusal::Malformed("a negative size"))?;
            if size != entry.size && entry.size != 0 {
                return Err(Refusal::Ambiguous("two sizes of one entry"));
            }
            entry.size = size;
        }
        // The old way of saying that something is a directory.
        if flag == 0 && entry.name.ends_with(b"/") {
            entry.kind = Kind::Directory;
        }
        if let Kind::Unknown(flag) = entry.kind {
            return Err(Refusal::UnknownKind { name: shown(&entry.name), flag: char::from(flag) });
        }
        Ok(())
    }
}

/// The one of two that is given; both only if they agree.
fn one(gnu: Option<Vec<u8>>, pax: Option<Vec<u8>>) -> Result<Option<Vec<u8>>, Refusal> {
    match (gnu.filter(|name| !name.is_empty()), pax) {
        (Some(gnu), Some(pax)) if gnu != pax => Err(Refusal::Ambiguous("two names of one entry")),
        (gnu, pax) => Ok(gnu.or(pax)),
    }
}

impl Kind {
    fn of(flag: u8) -> Kind {
        match flag {
            0 | b'0' => Kind::File,
            b'1' => Kind::HardLink,
            b'2' => Kind::SymbolicLink,
            b'3' => Kind::Character,
            b'4' => Kind::Block,
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            b'g' => Kind::Global,
            other => Kind::Unknown(other),
        }
    }

    /// Whether the size of the header counts (Go `isHeaderOnlyType`).
    fn has_data(self) -> bool {
        matches!(self, Kind::File | Kind::Global | Kind::Unknown(_))
    }
}

/// Whether a block is a header, going by its checksum as Go does: the sum of the bytes, or of the
/// bytes taken as signed, its own field counted as spaces.
pub(super) fn is_header(block: &[u8]) -> bool {
    if block.len() < BLOCK {
        return false;
    }
    let Ok(given) = number::octal(field(block, 148, 8)) else { return false };
    let (mut unsigned, mut signed) = (0_i64, 0_i64);
    for (index, byte) in block.iter().take(BLOCK).enumerate() {
        let byte = if (148..156).contains(&index) { b' ' } else { *byte };
        unsigned = unsigned.saturating_add(i64::from(byte));
        signed = signed.saturating_add(i64::from(byte.cast_signed()));
    }
    given == unsigned || given == signed
}

/// The header alone.
fn plain(block: &[u8]) -> Result<Entry, Refusal> {
    let numeric = |start, length| number::parse(field(block, start, length));
    let mut name = until_nul(field(block, 0, 100)).to_vec();
    let (size, kind) = (numeric(124, 12)?, Kind::of(block_type(block)));
    if size < 0 {
        return Err(Refusal::Malformed("a negative size"));
    }
    numeric(136, 12)?;
    let (mode, uid, gid) = (numeric(100, 8)?, numeric(108, 8)?, numeric(116, 8)?);
    if let Some(prefix) = prefix(block)?.filter(|prefix| !prefix.is_empty()) {
        name = [prefix, &name].join(&b'/');
    }
    Ok(Entry {
        number: 0,
        kind,
        name,
        link: until_nul(field(block, 157, 100)).to_vec(),
        size: size.unsigned_abs(),
        mode,
        uid,
        gid,
        attributes: Vec::new(),
    })
}

/// The first part of the name, in the formats that have one.
fn prefix(block: &[u8]) -> Result<Option<&[u8]>, Refusal> {
    let (magic, version) = (field(block, 257, 6), field(block, 263, 2));
    let ustar = magic == b"ustar\0";
    let gnu = magic == b"ustar " && version == b" \0";
    if ustar || gnu {
        number::parse(field(block, 329, 8))?;
        number::parse(field(block, 337, 8))?;
    }
    if ustar && field(block, 508, 4) == b"tar\0" {
        number::parse(field(block, 476, 12))?;
        number::parse(field(block, 488, 12))?;
        return Ok(Some(until_nul(field(block, 345, 131))));
    }
    let prefix = until_nul(field(block, 345, 155));
    if gnu {
        // Go takes a prefix where GNU has times, if these cannot be read as times.
        let unreadable = |start| field(block, start, 1) != [0] && number::parse(field(block, start, 12)).is_err();
        return Ok(Some(prefix).filter(|prefix| (unreadable(345) || unreadable(357)) && prefix.is_ascii()));
    }
    Ok(Some(prefix).filter(|_| ustar))
}

fn looks_compressed(name: &[u8]) -> bool {
    let mut start = name.to_vec();
    start.resize(name.len().max(8), 0);
    compression::detect(&start) != compression::Compression::None
}

fn block_type(block: &[u8]) -> u8 {
    block.get(156).copied().unwrap_or_default()
}

fn field(block: &[u8], start: usize, length: usize) -> &[u8] {
    block.get(start..start.saturating_add(length)).unwrap_or_default()
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}
