//! Archives on disk: bounds, and what is left of them.

#![allow(clippy::arithmetic_side_effects)]

use super::*;
use crate::tls::tests::Scratch;

fn limits() -> Limits {
    Limits {
        archive_bytes: 1 << 20,
        archives_bytes: 5 << 19,
        archives_bytes_per_subject: 3 << 19,
        archive_free_bytes: 1,
        ..Limits::default()
    }
}

fn spools(limits: &Limits) -> (Scratch, Spools) {
    let folder = Scratch::new();
    let spools = Spools::new(folder.0.clone(), limits);
    (folder, spools)
}

async fn store(spools: &Spools, bytes: &[u8], limits: &Limits) -> Result<Spool, SpoolError> {
    store_of("somebody", spools, bytes, limits).await
}

async fn store_of(user: &str, spools: &Spools, bytes: &[u8], limits: &Limits) -> Result<Spool, SpoolError> {
    let mut receiving = spools.receive(user, None, limits).await?;
    for piece in bytes.chunks(100_000) {
        if receiving.add(piece) {
            receiving.put_down().await?;
        }
    }
    receiving.end().await
}

#[tokio::test]
async fn what_was_stored_is_read_back_by_several_readers() {
    let limits = limits();
    let (folder, spools) = spools(&limits);
    let bytes: Vec<u8> = (0..700_001_u32).map(|number| number.to_le_bytes()[1]).collect();
    let spool = store(&spools, &bytes, &limits).await.unwrap();
    assert_eq!(spool.len(), bytes.len() as u64);
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0, "it has no name");
    let open = spool.opener();
    let (mut one, mut other) = (open().unwrap(), open().unwrap());
    let (mut first, mut second) = (vec![0; 10], Vec::new());
    one.read_exact(&mut first).unwrap();
    other.read_to_end(&mut second).unwrap();
    assert_eq!((first.as_slice(), second), (&bytes[..10], bytes.clone()));
    let (mut sent, mut at) = (Vec::new(), 0);
    loop {
        let piece = spool.read(at).await.unwrap();
        if piece.is_empty() {
            break;
        }
        at += piece.len() as u64;
        sent.extend_from_slice(&piece);
    }
    assert_eq!(sent, bytes);
}

#[tokio::test]
async fn too_large_is_refused_before_and_after() {
    let limits = limits();
    let (_folder, spools) = spools(&limits);
    assert!(matches!(spools.receive("somebody", Some(1 << 21), &limits).await, Err(SpoolError::TooLarge(_))));
    assert!(matches!(store(&spools, &vec![0; 1 << 21], &limits).await, Err(SpoolError::TooLarge(_))));
    assert_eq!(spools.room.left(), 40);
}

#[tokio::test]
async fn all_together_have_a_bound_and_leave_no_trace() {
    let limits = limits();
    let (_folder, spools) = spools(&limits);
    let mebibyte = vec![0; 1 << 20];
    let one = store_of("one", &spools, &mebibyte, &limits).await.unwrap();
    assert!(matches!(store_of("one", &spools, &mebibyte, &limits).await, Err(SpoolError::Share(_))), "one's own");
    let other = store_of("other", &spools, &mebibyte, &limits).await.unwrap();
    assert!(matches!(store_of("third", &spools, &mebibyte, &limits).await, Err(SpoolError::Crowded(_))), "all");
    assert_eq!(spools.room.left(), 8);
    drop((one, other));
    assert_eq!(spools.room.left(), 40);
    store_of("third", &spools, &mebibyte, &limits).await.unwrap();
}

#[tokio::test]
async fn what_waits_is_on_the_disk() {
    let limits = limits();
    let (_folder, spools) = spools(&limits);
    let mut receiving = spools.receive("somebody", None, &limits).await.unwrap();
    assert!(!receiving.add(&[1; 60 << 10]), "no whole piece yet");
    receiving.put_down().await.unwrap();
    assert_eq!(receiving.stored.length, 60 << 10);
    assert!(receiving.piece.capacity() <= KEPT, "the room for a piece is given back");
    assert_eq!(spools.room.left(), 39);
    receiving.add(b"more");
    receiving.put_down().await.unwrap();
    assert_eq!(receiving.stored.length, 60 << 10, "a little may wait");
    let stored = receiving.end().await.unwrap();
    let mut whole = Vec::new();
    stored.opener()().unwrap().read_to_end(&mut whole).unwrap();
    assert_eq!(whole, [[1; 60 << 10].as_slice(), b"more"].concat());
}

#[tokio::test]
async fn the_disk_is_not_filled() {
    let limits = Limits { archive_free_bytes: usize::MAX, ..limits() };
    let (_folder, spools) = spools(&limits);
    assert!(matches!(spools.receive("somebody", Some(1), &limits).await, Err(SpoolError::Full(_))));
    assert!(matches!(store(&spools, b"x", &limits).await, Err(SpoolError::Full(_))));
}
