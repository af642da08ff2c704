//! Findings in files for a container.

use super::*;
use crate::archive::files::{Finding, Packed, Summary, summary};

fn put_in(maker: Maker) -> Summary {
    summary(&opener(&maker.end()), Packed::Refused, &Limits::default()).unwrap()
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
    let found = summary(&opener(&block), Packed::Refused, &Limits::default()).unwrap();
    assert_eq!(first(&found.set_id), (1, "suid"));
}

#[test]
fn compressed_only_where_it_is_taken() {
    let packed = gzip(&Maker::default().file("a", "").end());
    let read = |packed_as| summary(&opener(&packed), packed_as, &Limits::default());
    assert_eq!(read(Packed::Refused), Err(Refusal::Compressed(Compression::Gzip)));
    assert_eq!(read(Packed::Taken).map(|summary| summary.entries), Ok(1));
}
