//! What is taken, and what is not, to the word.

#![allow(clippy::arithmetic_side_effects)]

use super::*;
use crate::tls::tests::Scratch;
use policy::Proof;
use std::os::unix::fs::PermissionsExt;

const GET: Method = Method::Get;

fn alice() -> Subject {
    Subject {
        user: "alice".to_owned(),
        groups: vec!["docker".to_owned()],
        uid: Some(1000),
        proof: Proof::PeerCredentials { uid: 1000, gid: 1000, pid: Some(7) },
        container: None,
        address: None,
    }
}

fn now() -> u64 {
    milliseconds(SystemTime::now())
}

#[test]
fn a_seal_is_taken_once_for_its_request() {
    let seal = Seal::of_this_process().unwrap();
    let own = seal.own(&GET, "/containers/web/json");
    assert_eq!(seal.open(&own, "GET", "/containers/web/json", b""), Ok(Sealed::Own));
    assert_eq!(seal.open(&own, "GET", "/containers/web/json", b""), Err(SealError::Replayed));
    let body = CanonicalBody::Json(b"{}".to_vec());
    let judged = || seal.judged(&alice(), &Method::Post, "/containers/create", &body);
    let open = |sealed: &str, method: &str, target: &str, shown: &[u8]| seal.open(sealed, method, target, shown);
    assert_eq!(open(&judged(), "POST", "/containers/create", b"{}"), Ok(Sealed::For(Box::new(alice()))));
    // What is 1 MiB long or longer is withheld by the daemon.
    assert_eq!(open(&judged(), "POST", "/containers/create", b""), Ok(Sealed::For(Box::new(alice()))));
    assert_eq!(open(&judged(), "POST", "/containers/create", b"{ }"), Err(SealError::OtherBody));
    assert_eq!(open(&judged(), "POST", "/containers/create?name=x", b"{}"), Err(SealError::OtherRequest));
    assert_eq!(open(&judged(), "PUT", "/containers/create", b"{}"), Err(SealError::OtherRequest));
    let empty = seal.judged(&alice(), &GET, "/info", &CanonicalBody::None);
    assert_eq!(open(&empty, "GET", "/info", b"{}"), Err(SealError::OtherBody));
}

#[test]
fn whatever_was_changed_is_not_ours() {
    let (seal, other) = (Seal::of_this_process().unwrap(), Seal::of_this_process().unwrap());
    let good = seal.own(&GET, "/info");
    assert_eq!(other.open(&good, "GET", "/info", b""), Err(SealError::Forged));
    let mallory = base64::encode(serde_json::to_string(&alice()).unwrap().as_bytes());
    assert_eq!(seal.open(&good.replacen("own", &mallory, 1), "GET", "/info", b""), Err(SealError::Forged));
    for wrong in ["", ";", "v1", "v1;1;1;own;x;none;", "v2;1;1;own;x;none;00", "v1;1;1;own;x;none;zz"] {
        let opened = seal.open(wrong, "GET", "/info", b"");
        assert!(matches!(opened, Err(SealError::Form | SealError::Forged)), "{wrong}: {opened:?}");
    }
    for at in 0..good.len() {
        let mut changed = good.clone().into_bytes();
        changed[at] ^= 1;
        let changed = String::from_utf8(changed).unwrap();
        assert!(seal.open(&changed, "GET", "/info", b"").is_err(), "{changed}");
    }
    assert_eq!(seal.open(&good, "GET", "/info", b""), Ok(Sealed::Own));
}

#[test]
fn a_seal_is_taken_in_its_time() {
    let seal = Seal::of_this_process().unwrap();
    let open = |at: u64| seal.open_at(&seal.own(&GET, "/info"), "GET", "/info", b"", at);
    assert_eq!(open(now()), Ok(Sealed::Own));
    assert_eq!(open(now() + FRESH + 1000), Err(SealError::Stale));
    assert_eq!(open(now() - SKEW - 1000), Err(SealError::Stale));
    // Made before this plugin was there: it may have been used on the one before.
    let key = [7; KEY];
    let before = Seal::new(&key).unwrap().own(&GET, "/info");
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(Seal::new(&key).unwrap().open(&before, "GET", "/info", b""), Err(SealError::Stale));
}

#[test]
fn what_was_used_is_remembered_for_as_long_as_it_could_be_used_again() {
    let (life, start) = (Duration::from_millis(FRESH + SKEW), Instant::now());
    let (mut nonces, soon) = (Nonces::new(2), Duration::from_millis(1));
    let nonce = |count: u64| Nonce::read(&format!("{:016x}{count:016x}", 7)).unwrap();
    assert_eq!(nonces.take(nonce(1), start), Ok(()));
    assert_eq!(nonces.take(nonce(1), start + life), Err(SealError::Replayed));
    assert_eq!(nonces.take(nonce(3), start), Ok(()));
    assert_eq!(nonces.take(nonce(4), start), Err(SealError::Crowded));
    assert_eq!(nonces.take(nonce(4), start + life + soon * 2), Ok(()));
    assert_eq!(nonces.take(nonce(1), start + life + soon * 3), Err(SealError::Replayed));
    // Two turns on, the clock on the wall may say again what it said at first: what was forgotten stays used.
    for count in [1, 2, 3, 4] {
        assert_eq!(nonces.take(nonce(count), start + life * 3), Err(SealError::Replayed), "{count}");
    }
    assert_eq!(nonces.take(nonce(5), start + life * 3), Ok(()));
    let other = Nonce::read(&format!("{:016x}{:016x}", 8, 1)).unwrap();
    assert_eq!(nonces.take(other, start + life * 3), Ok(()));
    for wrong in ["", "1", "00000000000000070000000000000001x", "ü00000000000000070000000000000001"] {
        assert_eq!(Nonce::read(wrong), None, "{wrong}");
    }
}

#[test]
fn the_key_is_made_once_and_kept_to_its_owner() {
    let scratch = Scratch::new();
    let file = scratch.0.join("key");
    let key = read_or_make(&file).unwrap();
    assert_eq!(read_or_make(&file).unwrap(), key);
    let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    for exposed in [0o640, 0o604, 0o620] {
        mode(exposed);
        assert!(matches!(read_or_make(&file), Err(KeyError::Exposed { .. })));
    }
    mode(0o600);
    std::fs::write(&file, b"short").unwrap();
    assert!(matches!(read_or_make(&file), Err(KeyError::NotAKey { .. })));
    assert!(matches!(read_or_make(&scratch.0.join("no/key")), Err(KeyError::System { .. })));
}
