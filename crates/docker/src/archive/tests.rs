//! Archives are made by hand here, block by block, so that they can be as wrong as they like.

use std::io::{self, Cursor, Read, Write};

use super::*;

mod contexts;
mod corpus;
mod hostile;
mod loads;
mod plugins;
mod puts;

pub(crate) use corpus::unpack;

/// An archive in the making.
#[derive(Default, Clone)]
pub(super) struct Maker(Vec<u8>);

impl Maker {
    pub(super) fn file(self, name: &str, contents: &str) -> Self {
        self.entry(b'0', name, "", contents.as_bytes())
    }

    pub(super) fn symlink(self, name: &str, target: &str) -> Self {
        self.entry(b'2', name, target, b"")
    }

    pub(super) fn hardlink(self, name: &str, target: &str) -> Self {
        self.entry(b'1', name, target, b"")
    }

    pub(super) fn folder(self, name: &str) -> Self {
        self.entry(b'5', name, "", b"")
    }

    /// A PAX header with these records, for what follows.
    pub(super) fn pax(self, flag: u8, records: &[(&str, &str)]) -> Self {
        let text: String = records.iter().map(|(key, value)| record(key, value)).collect();
        self.entry(flag, "PaxHeaders/x", "", text.as_bytes())
    }

    pub(super) fn entry(mut self, flag: u8, name: &str, link: &str, contents: &[u8]) -> Self {
        self.0.extend(header(flag, name, link, contents.len() as u64));
        self.0.extend(contents);
        self.0.resize(self.0.len().next_multiple_of(tar::BLOCK), 0);
        self
    }

    /// As it is, without an end.
    pub(super) fn open_ended(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn end(mut self) -> Vec<u8> {
        self.0.extend([0; 2 * tar::BLOCK]);
        self.0
    }
}

fn record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while format!("{length}{rest}").len() != length {
        length = length.saturating_add(1);
    }
    format!("{length}{rest}")
}

pub(super) fn header(flag: u8, name: &str, link: &str, size: u64) -> Vec<u8> {
    let mut block = vec![0; tar::BLOCK];
    put(&mut block, 0, name.as_bytes());
    put(&mut block, 100, b"0000644\0");
    put(&mut block, 108, b"0001750\0");
    put(&mut block, 116, b"0001750\0");
    put(&mut block, 124, format!("{size:011o}\0").as_bytes());
    put(&mut block, 136, b"00000000000\0");
    put(&mut block, 156, &[flag]);
    put(&mut block, 157, link.as_bytes());
    put(&mut block, 257, b"ustar\x0000");
    checksum(&mut block);
    block
}

fn put(block: &mut [u8], at: usize, bytes: &[u8]) {
    for (place, byte) in block.iter_mut().skip(at).zip(bytes) {
        *place = *byte;
    }
}

pub(super) fn checksum(block: &mut [u8]) {
    put(block, 148, b"        ");
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    put(block, 148, format!("{sum:06o}\0 ").as_bytes());
}

/// Opens bytes, as the server opens its file.
pub(super) fn opener(bytes: &[u8]) -> impl Fn() -> io::Result<Box<dyn Read>> + use<> {
    let bytes = bytes.to_vec();
    move || Ok(Box::new(Cursor::new(bytes.clone())) as Box<dyn Read>)
}

/// The names and kinds of all entries.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<Entry>, Refusal> {
    let source = opener(bytes);
    let (_, mut tar) = look::Look::new(&source, &Limits::default()).open()?;
    let mut entries = Vec::new();
    while let Some(entry) = tar.next()? {
        entries.push(entry);
    }
    Ok(entries)
}

fn names(bytes: &[u8]) -> Result<Vec<String>, Refusal> {
    Ok(entries(bytes)?.iter().map(|entry| shown(&entry.name)).collect())
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn xz(bytes: &[u8], preset: u32) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), preset);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_compression_gives_the_same_entries() {
    let plain = Maker::default().file("a", "1").file("b/c", "2").end();
    let (first, second) = plain.split_at(700);
    let forms = [
        plain.clone(),
        gzip(&plain),
        [gzip(first), gzip(second)].concat(),
        bzip2(&plain),
        [bzip2(first), bzip2(second)].concat(),
        xz(&plain, 6),
        [xz(first, 1), xz(second, 1)].concat(),
        ::zstd::encode_all(plain.as_slice(), 3).unwrap(),
        ::zstd::encode_all(plain.as_slice(), 19).unwrap(),
        [b"P*M\x18\x04\0\0\0skip".to_vec(), ::zstd::encode_all(plain.as_slice(), 1).unwrap()].concat(),
    ];
    for (number, form) in forms.iter().enumerate() {
        assert_eq!(names(form), Ok(vec!["a".to_owned(), "b/c".to_owned()]), "form {number}");
    }
}

#[test]
fn the_end_is_where_the_daemon_sees_it() {
    let one = Maker::default().file("a", "1");
    let a = Ok(vec!["a".to_owned()]);
    let behind = Maker::default().file("evil", "2").end();
    assert_eq!(names(&[one.clone().end(), behind].concat()), a, "a second archive");
    assert_eq!(names(&[one.clone().end(), vec![7; 100]].concat()), a, "garbage");
    assert_eq!(names(&one.clone().open_ended()), a, "no end marker");
    assert_eq!(names(&[one.clone().open_ended(), vec![0; 512]].concat()), a, "half a marker");
    let mut short = one.clone().open_ended();
    short.truncate(513 + 10);
    assert_eq!(names(&short), a, "cut off within the padding");
    short.truncate(512);
    assert_eq!(names(&short), Err(Refusal::Truncated), "cut off before the data");
    let between = [one.clone().open_ended(), vec![0; 512], Maker::default().file("b", "").end()].concat();
    assert!(matches!(names(&between), Err(Refusal::Malformed(_))), "one block of zeros");
    assert_eq!(names(&[]), Ok(vec![]), "nothing at all");
    assert_eq!(names(b"FROM alpine\n"), Err(Refusal::Truncated), "no archive");
}

#[test]
fn names_come_from_the_header_that_go_goes_by() {
    let long = "d/".repeat(80) + "file";
    let name = |maker: Maker| names(&maker.file("short", "x").end());
    let pax = |records: &[(&str, &str)]| Maker::default().pax(b'x', records);
    let gnu = Maker::default().entry(b'L', "././@LongLink", "", format!("{long}\0").as_bytes());
    assert_eq!(name(pax(&[("path", &long)])), Ok(vec![long.clone()]));
    assert_eq!(name(pax(&[("path", "first"), ("path", "last")])), Ok(vec!["last".to_owned()]));
    assert_eq!(name(pax(&[("path", "x"), ("path", "")])), Ok(vec!["short".to_owned()]), "empty: as in the header");
    assert_eq!(name(gnu.clone()), Ok(vec![long.clone()]));
    let both = gnu.pax(b'x', &[("path", "other")]);
    assert!(matches!(name(both), Err(Refusal::Ambiguous(_))));
    let global = Maker::default().pax(b'g', &[("comment", "0a1b")]);
    assert_eq!(name(global).map(|names| names.len()), Ok(2), "a global header is an entry of its own");
    let global = Maker::default().pax(b'g', &[("path", "renamed")]);
    assert!(matches!(name(global), Err(Refusal::Ambiguous(_))));
    let lost = Maker::default().pax(b'x', &[("path", "lost")]).pax(b'g', &[("comment", "x")]);
    assert_eq!(name(lost).map(|names| names[1].clone()), Ok("short".to_owned()), "Go forgets over a global header");
}

#[test]
fn sizes_must_be_one_and_not_negative() {
    let sized = |records: &[(&str, &str)], contents: &str| {
        names(&Maker::default().pax(b'x', records).file("a", contents).end())
    };
    assert_eq!(sized(&[("size", "1")], "1"), Ok(vec!["a".to_owned()]));
    assert!(matches!(sized(&[("size", "513")], "1"), Err(Refusal::Ambiguous(_))));
    assert!(matches!(sized(&[("size", "-1")], "1"), Err(Refusal::Malformed(_))));
    assert!(matches!(sized(&[("size", "x")], "1"), Err(Refusal::Malformed(_))));
    assert!(matches!(sized(&[("GNU.sparse.name", "evil")], "1"), Err(Refusal::Ambiguous(_))));
    assert!(matches!(names(&Maker::default().entry(b'S', "a", "", b"").end()), Err(Refusal::Ambiguous(_))));
    let mut negative = header(b'0', "a", "", 0);
    put(&mut negative, 124, &[0xFF; 12]);
    checksum(&mut negative);
    assert_eq!(names(&negative), Err(Refusal::Malformed("a negative size")));
    let mut large = header(b'0', "a", "", 0);
    put(&mut large, 124, &[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3]);
    checksum(&mut large);
    large.extend(*b"123");
    assert_eq!(entries(&large).map(|entries| entries[0].size), Ok(3), "base 256");
}

#[test]
fn numbers_are_read_as_go_reads_them() {
    let cases: &[(&[u8], Option<i64>)] = &[
        (b"0000644\0", Some(0o644)),
        (b"   12 \0 ", Some(0o12)),
        (b"", Some(0)),
        (b"\0\0\0", Some(0)),
        (b"8", None),
        (b"-1", None),
        (b"1 1", None),
        (b"12\x0034", Some(0o12)),
        (&[0x80, 0, 1], Some(1)),
        (&[0xFF, 0xFF], Some(-1)),
        (&[0xFF, 0xFE], Some(-2)),
        (&[0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0], None),
    ];
    for (field, value) in cases {
        assert_eq!(number::parse(field).ok(), *value, "{field:?}");
    }
}

#[test]
fn unknown_kinds_are_refused_and_old_ones_read() {
    assert!(matches!(names(&Maker::default().entry(b'7', "a", "", b"").end()), Err(Refusal::UnknownKind { .. })));
    let old = entries(&Maker::default().entry(0, "d/", "", b"").entry(0, "f", "", b"x").end()).unwrap();
    assert_eq!((old[0].kind, old[1].kind), (Kind::Directory, Kind::File));
}

#[test]
fn messages_are_sentences() {
    let said = [
        (Refusal::TooMuch { of: "entries", limit: 3 }, "the archive holds too much: more than 3 entries"),
        (Refusal::Outside("../x".to_owned()), "the archive names `../x`, which is outside of it"),
        (Refusal::Compressed(Compression::Gzip), "the archive is compressed (gzip); send it uncompressed"),
        (Refusal::NoDockerfile("Dockerfile".to_owned()), "the build context holds no file `Dockerfile`"),
    ];
    for (refusal, words) in said {
        assert_eq!(refusal.to_string(), words);
    }
}
