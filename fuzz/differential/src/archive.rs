//! Archives. Whenever one is taken, archive/tar reads entries from it in which the same is to be found.

use std::collections::HashSet;
use std::io::{self, Cursor, Read};

use docker::archive::Limits;
use docker::archive::files::{Finding, Summary, summary};
use serde_json::Value;

use crate::check::{Case, Check, Question, Reading};
use crate::mutate;
use crate::random::Random;
use crate::recorded::latin1;

/// Tar is made of blocks of this size.
const BLOCK: usize = 512;

/// Archives, not compressed.
pub struct Archives;

impl Check for Archives {
    fn name(&self) -> &'static str {
        "archive"
    }

    fn make(&self, random: &mut Random) -> Case {
        let mut bytes = Vec::new();
        for _ in 0..random.below(6) {
            entry(&mut bytes, random);
        }
        if random.chance(80) {
            bytes.resize(bytes.len() + random.pick(&[BLOCK, 2 * BLOCK, 2 * BLOCK]), 0);
        }
        for _ in 0..random.pick(&[0, 0, 1, 2]) {
            // Most of an archive is zeros and contents: the headers are what is read.
            let block = random.below(bytes.len() / BLOCK + 1) * BLOCK;
            let at =
                (block + random.pick(&[0, 100, 108, 124, 136, 148, 156, 157, 257, 263, 345, 500]) + random.below(12))
                    .min(bytes.len());
            let mut rest = bytes.split_off(at);
            match random.below(4) {
                0 => mutate::bytes(&mut rest, random),
                _ if rest.is_empty() => {}
                _ => rest[0] = random.pick(b"\0 01789/.xgLKS\x7f\x80\xff"),
            }
            bytes.extend(rest);
        }
        Case { about: String::new(), bytes: if random.chance(85) { mended(&bytes) } else { bytes } }
    }

    fn read(&self, case: &Case) -> Reading {
        let bytes = case.bytes.clone();
        let open = move || -> io::Result<Box<dyn Read>> { Ok(Box::new(Cursor::new(bytes.clone()))) };
        let Ok(found) = summary(&open, &Limits::default()) else { return Reading::Refused };
        let frame = [b"A", case.bytes.as_slice()].concat();
        let judge = move |_: &str, answer: &[u8]| judge(&found, answer);
        Reading::Taken(Question { frame, judge: Box::new(judge) })
    }

    fn pieces(&self, case: &Case) -> Vec<usize> {
        case.bytes.chunks(BLOCK).map(<[u8]>::len).collect()
    }
}

fn judge(ours: &Summary, answer: &[u8]) -> Result<(), String> {
    let go: Value = serde_json::from_slice(answer).map_err(|error| error.to_string())?;
    // The daemon answers with an error, as it would have done without us.
    let Some(entries) = go.get("entries").and_then(Value::as_array) else { return Ok(()) };
    let (mut gos, mut ours) = (found(entries), ours.clone());
    // Names say where links lead only where none leads through another: that is not Go's to tell.
    if entries.iter().any(|entry| entry.get("kind").and_then(Value::as_str) == Some("2")) {
        for found in [&mut gos, &mut ours] {
            (found.escaping_links, found.foreign_hard_links) = Default::default();
        }
    }
    if gos == ours { Ok(()) } else { Err(format!("in what Go reads, {go}, is {gos:?}; we found {ours:?}")) }
}

/// What is to be found in the entries that Go reads.
fn found(entries: &[Value]) -> Summary {
    let mut found = Summary::default();
    let mut names = HashSet::new();
    for entry in entries {
        let text = |field: &str| latin1(entry.get(field).and_then(Value::as_str).unwrap_or_default());
        let number = |field: &str| entry.get(field).and_then(Value::as_i64).unwrap_or_default();
        let (kind, name, link) = (text("kind"), text("name"), text("link"));
        if kind == b"g" {
            continue;
        }
        let attributes = entry.get("attributes").and_then(Value::as_array).into_iter().flatten();
        let note = |finding: &mut Finding, so: bool| {
            if so {
                finding.count += 1;
                finding.first.get_or_insert_with(|| shown(&name));
            }
        };
        let place = cleaned(&name).unwrap_or_default();
        let folder = place.split_last().map_or(&[][..], |(_, folder)| folder);
        let symbolic = kind == b"2";
        found.entries += 1;
        found.bytes += if matches!(kind.as_slice(), b"0" | b"\0") { number("size").unsigned_abs() } else { 0 };
        note(&mut found.absolute, name.starts_with(b"/"));
        note(&mut found.upwards, name.split(|byte| *byte == b'/').any(|part| part == b".."));
        note(&mut found.absolute_links, symbolic && link.starts_with(b"/"));
        let from = if link.starts_with(b"/") { Vec::new() } else { folder.join(&b'/') };
        note(&mut found.escaping_links, symbolic && cleaned(&[from, link.clone()].join(&b'/')).is_none());
        let known = cleaned(&link).is_some_and(|target| names.contains(&target));
        note(&mut found.foreign_hard_links, kind == b"1" && !known);
        note(&mut found.devices, matches!(kind.as_slice(), b"3" | b"4"));
        note(&mut found.fifos, kind == b"6");
        note(&mut found.set_id, number("mode") & 0o6000 != 0 && !symbolic && kind != b"5");
        note(&mut found.capabilities, attributes.into_iter().any(|name| name == "security.capability"));
        note(&mut found.roots, number("uid") == 0);
        note(&mut found.others, number("uid") != 0);
        names.insert(place);
    }
    found
}

/// The parts of a name below the root; none where it leads out of it.
fn cleaned(name: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut parts = Vec::new();
    for part in name.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b".")) {
        if part == b".." { drop(parts.pop()?) } else { parts.push(part.to_vec()) }
    }
    Some(parts)
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().filter(|letter| !letter.is_control()).take(200).collect()
}

/// The archive with checksums that are right: neither chance nor a fuzzer guesses them.
pub fn mended(bytes: &[u8]) -> Vec<u8> {
    let mut archive = bytes.to_vec();
    let mut at = 0;
    while let Some(block) = archive.get_mut(at..at + BLOCK) {
        if block.iter().any(|byte| *byte != 0) {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        let size = block[124..135].iter().take_while(|byte| (b'0'..=b'7').contains(byte));
        let size = size.fold(0_usize, |size, digit| size * 8 + usize::from(digit - b'0'));
        let data = if matches!(block[156], b'1'..=b'6') { 0 } else { size };
        at += BLOCK + data.next_multiple_of(BLOCK);
    }
    archive
}

/// An entry, with the special headers that may come before it.
fn entry(out: &mut Vec<u8>, random: &mut Random) {
    if random.chance(25) {
        let records: Vec<u8> = (0..=random.below(3)).flat_map(|_| record(random)).collect();
        plain(out, random.pick(b"xxxxg"), "PaxHeaders/x", &records, random);
    }
    if random.chance(10) {
        let name =
            format!("{}{}", random.pick(NAMES).repeat(random.pick(&[1, 1, 30])), random.pick(&["", "\0", "\0x"]));
        plain(out, random.pick(b"LLK"), "././@LongLink", name.as_bytes(), random);
    }
    let contents = vec![b'x'; random.pick(&[0, 0, 1, 511, 512, 513])];
    let kind = random.pick(b"000\x00\x0012222111345567S");
    plain(out, kind, random.pick(NAMES), &contents, random);
}

fn plain(out: &mut Vec<u8>, kind: u8, name: &str, contents: &[u8], random: &mut Random) {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &[u8]| block.iter_mut().skip(at).zip(text).for_each(|(byte, other)| *byte = *other);
    put(0, name.as_bytes());
    put(100, random.pick(&["0000644\0", "0004755\0", "   755 \0", "02755\0"]).as_bytes());
    put(108, random.pick(&["0000000\0", "0001750\0", "\x7f\x7f", " 12 \0"]).as_bytes());
    put(116, b"0001750\0");
    put(124, format!("{:011o}\0", contents.len()).as_bytes());
    put(136, b"00000000000\0");
    put(156, &[kind]);
    if matches!(kind, b'1' | b'2') || random.chance(5) {
        put(157, random.pick(NAMES).as_bytes());
    }
    let magic: &[u8] =
        random.pick(&[b"ustar\x0000", b"ustar\x0000", b"ustar  \0", b"\0\0\0\0\0\0\0\0", b"ustar\x0001"]);
    put(257, magic);
    if random.chance(10) {
        put(345, random.pick(NAMES).as_bytes());
    }
    if random.chance(3) {
        put(508, b"tar\0");
    }
    out.extend(block);
    out.extend(contents);
    out.resize(out.len().next_multiple_of(BLOCK), 0);
}

/// `LENGTH KEY=VALUE\n`
fn record(random: &mut Random) -> Vec<u8> {
    let rest = format!(" {}={}\n", random.pick(KEYS), random.pick(VALUES));
    let mut length = rest.len() + 1;
    while length.to_string().len() + rest.len() != length {
        length += 1;
    }
    let length = if random.chance(90) { length } else { random.below(40) };
    format!("{}{length}{rest}", random.pick(&["", "", "", "", "0", "+"])).into_bytes()
}

const NAMES: &[&str] = &[
    "a",
    "b",
    "d/",
    "d/f",
    "./a",
    "../a",
    "d/../a",
    "d/../../a",
    "/a",
    "//etc/passwd",
    "é",
    "a\nb",
    "",
    ".",
    "..",
    "Dockerfile",
    "a/./b",
    "/",
    "a//b",
    "\u{7f}x",
];

const KEYS: &[&str] = &[
    "path",
    "path",
    "linkpath",
    "size",
    "uid",
    "gid",
    "mtime",
    "comment",
    "uname",
    "SCHILY.xattr.security.capability",
    "SCHILY.xattr.user.x",
    "GNU.sparse.major",
    "hdrcharset",
    "",
];

const VALUES: &[&str] = &[
    "",
    "a",
    "d/g",
    "../x",
    "/abs",
    "0",
    "1",
    "512",
    "+1",
    "-1",
    "007",
    "1.5",
    "é",
    "x\0y",
    "a=b",
    "9223372036854775808",
];
