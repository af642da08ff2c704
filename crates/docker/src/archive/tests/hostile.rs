//! Bombs, cut off archives and random damage: a limit or a refusal, never a panic.

use super::*;
use crate::archive::context::dockerfile;
use crate::archive::files::{readable, summary};
use crate::archive::images::images;
use crate::dockerfile::{BuildArgs, Builder, read};

#[test]
fn bombs_stop_at_a_limit() {
    let small = Limits { unpacked: 4 << 20, ratio: 20, grace: 1 << 20, ..Limits::default() };
    let zeros = Maker::default().entry(b'0', "zeros", "", &vec![0; 2 << 20]).file("Dockerfile", "FROM a\n").end();
    let many = Maker::default().entry(b'0', "zeros", "", &vec![0; 5 << 20]).end();
    let zstd = |bytes: &[u8]| ::zstd::encode_all(bytes, 3).unwrap();
    let stopped = |bytes: &[u8], limits: &Limits| dockerfile(&opener(bytes), "", Builder::Classic, limits);
    for form in [gzip(&zeros), bzip2(&zeros), xz(&zeros, 6), zstd(&zeros)] {
        let limit = Refusal::TooMuch { of: "bytes from each compressed one", limit: 20 };
        assert_eq!(stopped(&form, &small), Err(limit));
        assert!(stopped(&form, &Limits::default()).is_ok(), "harmless by the usual limits");
    }
    let any_ratio = Limits { ratio: 100_000, ..small.clone() };
    for form in [gzip(&many), zstd(&many), many.clone()] {
        let limit = Refusal::TooMuch { of: "bytes after decompression", limit: 4 << 20 };
        assert_eq!(stopped(&form, &any_ratio), Err(limit));
    }
}

/// A small archive that has itself read five times: what it may cost is bounded over all passes.
#[test]
fn one_look_has_one_budget() {
    let links = |maker: Maker| {
        let maker = maker.file("f0", "FROM a\n").hardlink("f1", "f0").hardlink("f2", "f1");
        bzip2(&maker.hardlink("Dockerfile", "f2").hardlink("dockerfile", "f2").end())
    };
    let zeros = links(Maker::default().entry(b'0', "zeros", "", &vec![0; 3 << 19]));
    assert!(zeros.len() < 1000, "{}", zeros.len());
    let stopped = |bytes: &[u8], limits: &Limits| dockerfile(&opener(bytes), "", Builder::Classic, limits);
    let once = Limits { grace: 2 << 20, ..Limits::default() };
    let limit = Refusal::TooMuch { of: "bytes from each compressed one", limit: 250 };
    assert_eq!(stopped(&zeros, &once), Err(limit), "each pass by itself would do");
    assert!(stopped(&zeros, &Limits::default()).is_ok());

    let deep = (0..100).fold(Maker::default(), |maker, _| maker.folder(&"a/".repeat(45)));
    let deep = links(deep);
    let once = Limits { steps: 10_000, ..Limits::default() };
    assert_eq!(stopped(&deep, &once), Err(Refusal::TooMuch { of: "parts of names", limit: 10_000 }));
    assert!(stopped(&deep, &Limits::default()).is_ok());
}

/// Whoever wants a look to end is heard while bytes are taken, while they come out, and while names are followed.
#[test]
fn a_look_ends_when_it_is_told_to() {
    use crate::archive::effort::Effort;
    use std::sync::atomic::Ordering;
    let limits = Limits::default();
    let effort = Effort::new(&limits);
    let goes_on = || [effort.packed(1), effort.unpacked(1), effort.step()];
    assert_eq!(goes_on(), [Ok(()), Ok(()), Ok(())]);
    limits.stop.store(true, Ordering::Relaxed);
    assert_eq!(goes_on(), [Err(Refusal::TooSlow), Err(Refusal::TooSlow), Err(Refusal::TooSlow)]);
    let context = Maker::default().file("Dockerfile", "FROM a\n").end();
    for form in [context.clone(), gzip(&context), bzip2(&context)] {
        assert_eq!(dockerfile(&opener(&form), "", Builder::Classic, &limits), Err(Refusal::TooSlow));
    }
}

#[test]
fn decompressors_get_no_more_memory_than_allowed() {
    let plain = Maker::default().file("Dockerfile", "FROM a\n").entry(b'0', "x", "", &vec![b'x'; 100 << 10]).end();
    let read = |bytes: &[u8]| {
        dockerfile(&opener(bytes), "", Builder::Classic, &Limits { ratio: 100_000, ..Limits::default() })
    };
    assert!(read(&xz(&plain, 6)).is_ok(), "what xz does by default: 8 MiB");
    assert_eq!(read(&xz(&plain, 9)), Err(Refusal::Decompress(Compression::Xz)), "64 MiB");
    let mut long = ::zstd::Encoder::new(Vec::new(), 3).unwrap();
    long.window_log(27).unwrap();
    long.write_all(&plain).unwrap();
    assert_eq!(read(&long.finish().unwrap()), Err(Refusal::Decompress(Compression::Zstd)), "128 MiB");
}

#[test]
fn counts_and_sizes_stop_at_a_limit() {
    let few = Limits { entries: 10, name: 100, links: 700, file: 1000, ..Limits::default() };
    let of = |maker: Maker| match dockerfile(&opener(&maker.end()), "", Builder::Classic, &few) {
        Err(Refusal::TooMuch { of, .. }) => of,
        other => panic!("{other:?}"),
    };
    assert_eq!(of((0..11).fold(Maker::default(), |maker, n| maker.file(&n.to_string(), ""))), "entries");
    assert_eq!(of(Maker::default().pax(b'x', &[("path", &"x".repeat(101))]).file("x", "")), "bytes of a name");
    let links = (0..4).fold(Maker::default(), |maker, n| maker.symlink(&n.to_string(), &"t".repeat(90)));
    assert_eq!(of(links), "bytes of symbolic links");
    assert_eq!(of(Maker::default().file("Dockerfile", &"#".repeat(1001))), "bytes of a file that must be read");
    assert_eq!(of(Maker::default().entry(b'x', "x", "", &vec![b'x'; 300 << 10])), "bytes of a header");
}

/// Pseudo-random, the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap().checked_rem(sides).unwrap()
    }
}

fn all_readers(bytes: &[u8]) {
    let limits = Limits { unpacked: 1 << 20, ..Limits::default() };
    let source = opener(bytes);
    for builder in [Builder::Classic, Builder::BuildKit] {
        if let Ok(text) = dockerfile(&source, "", builder, &limits) {
            let _ = read(&text, &BuildArgs::new(), builder);
        }
    }
    let _ = images(&source, &limits);
    let _ = summary(&source, &limits);
    let _ = readable(&source, &limits);
}

#[test]
fn damage_never_panics() {
    let plain = Maker::default()
        .pax(b'x', &[("path", "d/file"), ("mtime", "1.5"), ("size", "4")])
        .file("a", "1234")
        .symlink("d/link", "../Dockerfile")
        .hardlink("hard", "a")
        .entry(b'L', "././@LongLink", "", b"long/name\0")
        .file("Dockerfile", "ARG A=b\nFROM ${A:-c} AS x\nCOPY --from=x a b\nRUN <<E\necho\nE\n")
        .file("manifest.json", r#"[{"RepoTags":["a:1"]}]"#)
        .end();
    let forms =
        [plain.clone(), gzip(&plain), bzip2(&plain), xz(&plain, 1), ::zstd::encode_all(plain.as_slice(), 1).unwrap()];
    let mut dice = Dice(7);
    for form in &forms {
        for length in (0..form.len()).step_by(form.len() / 60 + 1) {
            all_readers(&form[..length]);
        }
        for _ in 0..400 {
            let mut damaged = form.clone();
            for _ in 0..=dice.roll(3) {
                let (at, with) = (dice.roll(damaged.len()), dice.roll(256));
                damaged[at] = u8::try_from(with).unwrap();
            }
            // Half of them with checksums that are right again.
            if dice.roll(2) == 0 && form.len() == plain.len() {
                damaged.chunks_exact_mut(tar::BLOCK).filter(|block| block[257] == b'u').for_each(checksum);
            }
            all_readers(&damaged);
        }
    }
}
