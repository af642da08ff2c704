//! Findings in files for a container.

use super::*;
use crate::archive::files::{Finding, Summary, readable, summary};

fn put_in(maker: Maker) -> Summary {
    summary(&opener(&maker.end()), &Limits::default()).unwrap()
}

fn first(finding: &Finding) -> (u64, &str) {
    (finding.count, finding.first.as_deref().unwrap_or(""))
}

#[test]
fn each_finding_by_its_first_name() {
    let archive = Maker::default()
        .file("plain", "12345")
        .file("/etc/absolute", "")
        .file("../up", "")
        .symlink("in", "plain")
        .symlink("d/in", "../plain")
        .symlink("abs", "/etc")
        .symlink("d/out", "../../x")
        .hardlink("own", "plain")
        .hardlink("foreign", "etc/shadow")
        .entry(b'3', "null", "", b"")
        .entry(b'4', "disk", "", b"")
        .entry(b'6', "pipe", "", b"")
        .pax(b'x', &[("SCHILY.xattr.security.capability", "\u{1}"), ("uid", "0")])
        .file("capable", "");
    let found = put_in(archive);
    assert_eq!((found.entries, found.bytes), (13, 5));
    assert_eq!(first(&found.absolute), (1, "/etc/absolute"));
    assert_eq!(first(&found.upwards), (1, "../up"));
    assert_eq!(first(&found.absolute_links), (1, "abs"));
    assert_eq!(first(&found.escaping_links), (1, "d/out"));
    assert_eq!(first(&found.foreign_hard_links), (1, "foreign"));
    assert_eq!(first(&found.devices), (2, "null"));
    assert_eq!(first(&found.fifos), (1, "pipe"));
    assert_eq!(first(&found.capabilities), (1, "capable"));
    assert_eq!(first(&found.roots), (1, "capable"));
    assert_eq!(first(&found.others), (12, "plain"));
    assert!(!found.set_id.any());
}

#[test]
fn set_id_bits() {
    let mut block = header(b'0', "suid", "", 0);
    put(&mut block, 100, b"0004755\0");
    checksum(&mut block);
    let found = summary(&opener(&block), &Limits::default()).unwrap();
    assert_eq!(first(&found.set_id), (1, "suid"));
}

#[test]
fn compressed_only_where_it_is_taken() {
    let packed = gzip(&Maker::default().file("a", "").end());
    assert_eq!(summary(&opener(&packed), &Limits::default()), Err(Refusal::Compressed(Compression::Gzip)));
    assert_eq!(readable(&opener(&packed), &Limits::default()), Ok(()), "an import");
}

#[test]
fn a_link_is_judged_where_it_lands() {
    // Up from `a/b`, which is the folder itself; from there, out of it.
    let up = || Maker::default().folder("a").folder("a/b").symlink("a/b/c", "../..");
    assert!(!put_in(up()).escaping_links.any(), "within the folder");
    assert_eq!(first(&put_in(up().symlink("a/b/c/m", "../etc")).escaping_links), (1, "a/b/c/m"));
    // A folder of the archive that becomes a link to another place, and a hard link through it.
    let stolen = up().folder("d").file("d/passwd", "x").symlink("a/b/c/d", "../etc").hardlink("stolen", "d/passwd");
    let found = put_in(stolen);
    assert_eq!(first(&found.foreign_hard_links), (1, "stolen"));
    assert_eq!(first(&found.escaping_links), (2, "a/b/c/d"));
    let own = Maker::default().folder("d").file("d/f", "").symlink("l", "d").hardlink("own", "l/f");
    assert!(!put_in(own).foreign_hard_links.any(), "its own file by another way");
    // What a link leads through is replaced behind it; what is left behind is put elsewhere.
    let later = Maker::default().folder("a/b/c").symlink("q", "a/b/c/../../..").symlink("a/b/c", "../..");
    assert_eq!(first(&put_in(later.clone()).escaping_links), (1, "q"));
    assert_eq!(first(&put_in(later.file("q/x", "").folder("q")).escaping_links), (1, "q/x"));
    // The same link under another name.
    let moved = Maker::default().symlink("a/b/l", "../x").hardlink("m", "a/b/l");
    assert_eq!(first(&put_in(moved).escaping_links), (1, "m"));
    let circle = Maker::default().symlink("a", "b").symlink("b", "a").symlink("self", "self");
    assert!(!put_in(circle).escaping_links.any(), "a circle leads nowhere");
}
