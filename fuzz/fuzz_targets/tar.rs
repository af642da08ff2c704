//! Archives: contexts of builds, images to load, files for a container.
//!
//! What is found depends neither on how the bytes are compressed, nor on how they are cut into reads, nor on what
//! follows the end. A limit makes a refusal of an answer, never another answer. What an archive holds adds to what is
//! asked by the head that it follows.
#![no_main]

use std::fmt::Debug;
use std::io::{self, Cursor, Read, Write};

use differential::archive::mended;
use differential::world::{asked, request, settle};
use docker::archive::compression::detect;
use docker::archive::context::dockerfile;
use docker::archive::files::{Summary, readable, summary};
use docker::archive::images::{Images, images};
use docker::archive::{Compression, Limits, Refusal};
use docker::dockerfile::Builder;
use docker::image::Reference;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    let mended = mended(bytes);
    if mended != bytes {
        check(&mended);
    }
});

fn check(bytes: &[u8]) {
    let limits = Limits { unpacked: 4 << 20, grace: 1 << 20, ..Limits::default() };
    let whole = found(bytes, usize::MAX, &limits);
    let slow = found(bytes, 100, &limits);
    if detect(bytes) != Compression::None {
        // A decompressor may give what it has before it fails, or not.
        same_or_refused(&slow.readable, &whole.readable);
        same_or_refused(&slow.images, &whole.images);
        same_or_refused(&slow.dockerfile, &whole.dockerfile);
    } else {
        assert_eq!(slow, whole, "read by a hundred");
        // A summary is of plain archives only.
        let compressed = Found { summary: whole.summary.clone(), ..found(&compressed(bytes), usize::MAX, &limits) };
        assert_eq!(compressed, whole, "compressed");
        if whole.summary.is_ok() {
            // The padding of the last file, the end, and what nobody reads.
            let followed = [bytes, &[0; 4 * 512], b"more"].concat();
            assert_eq!(found(&followed, usize::MAX, &limits), whole, "with something behind its end");
        }
    }
    let tight = Limits {
        unpacked: 8 << 10,
        entries: 5,
        name: 60,
        links: 300,
        file: 200,
        follow: 1,
        window: 1 << 20,
        ..limits.clone()
    };
    let tight = found(bytes, usize::MAX, &tight);
    same_or_refused(&tight.summary, &whole.summary);
    same_or_refused(&tight.readable, &whole.readable);
    same_or_refused(&tight.images, &whole.images);
    same_or_refused(&tight.dockerfile, &whole.dockerfile);

    for name in whole.images.iter().flat_map(|images| &images.names) {
        assert_eq!(Reference::parse(&name.to_string()).as_ref(), Ok(name), "a planted name is read otherwise");
        assert!(name.tag.is_some() || name.digest.is_some(), "a planted name has no tag");
    }
    // BuildKit takes what is no archive for the Dockerfile itself, and finds in archives what the classic builder finds.
    if let Ok(text) = dockerfile(&opener(bytes, usize::MAX), "", Builder::BuildKit, &limits) {
        assert!(text == bytes || whole.dockerfile == Ok(text), "BuildKit finds another Dockerfile");
    }
    for (method, target) in BODIES {
        let request = request(method, target, b"").expect("it is understood");
        let Ok(archive) = request.call.inspect(&opener(bytes, usize::MAX), &limits) else { continue };
        let before = asked(&settle(&request).expect("it has facts"));
        let Some(facts) = settle(&request.with_archive(archive)) else { continue };
        let after = asked(&facts);
        assert!(before.iter().all(|privilege| after.contains(privilege)), "{target}: {before:?} became {after:?}");
    }
}

/// What has an archive for a body.
const BODIES: [(&str, &str); 4] = [
    ("POST", "/build?t=a"),
    ("POST", "/images/load"),
    ("POST", "/images/create?fromSrc=-&repo=a"),
    ("PUT", "/containers/web/archive?path=/"),
];

/// All that is asked of archives.
#[derive(Debug, PartialEq)]
struct Found {
    summary: Result<Summary, Refusal>,
    readable: Result<(), Refusal>,
    images: Result<Images, Refusal>,
    dockerfile: Result<Vec<u8>, Refusal>,
}

fn found(bytes: &[u8], pace: usize, limits: &Limits) -> Found {
    let source = opener(bytes, pace);
    Found {
        summary: summary(&source, limits),
        readable: readable(&source, limits),
        images: images(&source, limits),
        dockerfile: dockerfile(&source, "", Builder::Classic, limits),
    }
}

fn same_or_refused<T: PartialEq + Debug>(one: &Result<T, Refusal>, other: &Result<T, Refusal>) {
    let expected = |refusal: &Refusal| matches!(refusal, Refusal::TooMuch { .. } | Refusal::Decompress(_));
    let refused = [one, other].into_iter().any(|found| found.as_ref().is_err_and(expected));
    assert!(one == other || refused, "{one:?} and {other:?}");
}

/// In one of the ways that daemons take.
fn compressed(plain: &[u8]) -> Vec<u8> {
    let (first, second) = plain.split_at(plain.len() / 2);
    match plain.len() % 5 {
        0 => gzip(plain),
        1 => [gzip(first), gzip(second)].concat(),
        2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(plain).and_then(|()| encoder.finish()).expect("it can be compressed")
        }
        3 => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
            encoder.write_all(plain).and_then(|()| encoder.finish()).expect("it can be compressed")
        }
        _ => zstd::encode_all(plain, 1).expect("it can be compressed"),
    }
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).and_then(|()| encoder.finish()).expect("it can be compressed")
}

/// Opens bytes that come a few at a time.
fn opener(bytes: &[u8], pace: usize) -> impl Fn() -> io::Result<Box<dyn Read>> + use<> {
    let bytes = bytes.to_vec();
    move || Ok(Box::new(Slow { bytes: Cursor::new(bytes.clone()), pace }) as Box<dyn Read>)
}

struct Slow {
    bytes: Cursor<Vec<u8>>,
    pace: usize,
}

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(self.pace);
        self.bytes.read(&mut buffer[..most])
    }
}
