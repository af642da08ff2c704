//! Seals: what we put on requests to the daemon, so that our own plugin knows them again.
//!
//! The daemon shows its plugins the head of every request. A header field in it says that the request is Dockwarden's
//! own, or that the gateway has judged it and for whom, and proves it with a key that only our doors have. A client's
//! copy never gets this far through the gateway, which builds heads anew; past the gateway, it has no key to make one
//! with. What an attacker would try: a seal of his own making, one that he saw (there is none to see without reading
//! root's memory or socket), the same one twice, on another request, on another body, or later.
//!
//! `v1;TIME;NONCE;WHO;REQUEST;BODY;MAC`: milliseconds since 1970; a number that is never used twice; `own`, or the
//! subject as base64 of JSON; SHA-256 of method and target; SHA-256 of the body, `none` or `archive`; and HMAC-SHA256
//! of all that stands before it.

use std::fmt::Write;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use docker::body::base64;
use docker::facts::CanonicalBody;
use docker::http::Method;
use policy::Subject;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};

mod key;
mod nonces;
#[cfg(test)]
mod tests;

pub use key::{KEY, KeyError, read_or_make};

use nonces::{Nonce, Nonces};

/// The header field. Not `X-Meta-…`, which the daemon tells to registries.
pub(crate) const FIELD: &str = "X-Dockwarden-Seal";

/// Makes seals and knows them again.
pub struct Seal {
    key: hmac::Key,
    /// The first half of our nonces; two of us never count from the same.
    place: u64,
    count: AtomicU64,
    /// What was sealed before we began may have been used already.
    since: u64,
    seen: Mutex<Nonces>,
}

/// Whose a sealed request is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sealed {
    /// A question of our own.
    Own,
    /// A client's, judged at the gateway.
    For(Box<Subject>),
}

/// Why a seal is not taken. Said to whoever sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealError {
    #[error("it is none of this version's")]
    Form,
    #[error("its signature is not ours")]
    Forged,
    #[error("it was made for another request")]
    OtherRequest,
    #[error("it was made for another body")]
    OtherBody,
    #[error("it was made at another time; do the clocks of gateway and plugin agree?")]
    Stale,
    #[error("it was used before")]
    Replayed,
    #[error("more requests come than can be told apart")]
    Crowded,
}

impl Seal {
    /// With a key that both doors know.
    pub fn new(key: &[u8; KEY]) -> Result<Seal, KeyError> {
        let mut place = [0; 8];
        SystemRandom::new().fill(&mut place).map_err(|_| KeyError::Random)?;
        Ok(Seal {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            place: u64::from_ne_bytes(place),
            count: AtomicU64::new(0),
            since: milliseconds(SystemTime::now()),
            seen: Mutex::new(Nonces::new(MOST_SEEN)),
        })
    }

    /// With a key that is gone with this process, for doors of the same one.
    pub fn of_this_process() -> Result<Seal, KeyError> {
        Seal::new(&key::random()?)
    }

    /// For a question of our own, which has no body.
    pub(crate) fn own(&self, method: &Method, target: &str) -> String {
        self.seal(OWN, method, target, "none")
    }

    /// For a client's request that was judged, as it is sent.
    pub(crate) fn judged(&self, subject: &Subject, method: &Method, target: &str, body: &CanonicalBody) -> String {
        let who = serde_json::to_vec(subject).unwrap_or_default();
        let body = match body {
            CanonicalBody::None => "none".to_owned(),
            CanonicalBody::Json(body) | CanonicalBody::Message(body) => hash(&[body]),
            CanonicalBody::Archive | CanonicalBody::Unread => "archive".to_owned(),
        };
        self.seal(&base64::encode(&who), method, target, &body)
    }

    fn seal(&self, who: &str, method: &Method, target: &str, body: &str) -> String {
        let (time, place) = (milliseconds(SystemTime::now()), self.place);
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let request = request(method.as_str(), target);
        let mut text = format!("v1;{time};{place:016x}{count:016x};{who};{request};{body}");
        let mac = hmac::sign(&self.key, text.as_bytes());
        text.push(';');
        push_hex(&mut text, mac.as_ref());
        text
    }

    /// Whose a request with this seal is, once everything about it is right. `shown`: the body, as far as the daemon
    /// shows it. What it withholds cannot be another's: nobody else writes on the gateway's connection.
    pub(crate) fn open(&self, seal: &str, method: &str, target: &str, shown: &[u8]) -> Result<Sealed, SealError> {
        self.open_at(seal, method, target, shown, milliseconds(SystemTime::now()))
    }

    fn open_at(&self, seal: &str, method: &str, target: &str, shown: &[u8], now: u64) -> Result<Sealed, SealError> {
        let (signed, mac) = seal.rsplit_once(';').ok_or(SealError::Form)?;
        let parts: Vec<&str> = signed.split(';').collect();
        let ["v1", time, nonce, who, of_request, of_body] = parts.as_slice() else { return Err(SealError::Form) };
        let mac = from_hex(mac).ok_or(SealError::Form)?;
        hmac::verify(&self.key, signed.as_bytes(), &mac).map_err(|_| SealError::Forged)?;
        if *of_request != request(method, target) {
            return Err(SealError::OtherRequest);
        }
        if !shown.is_empty() && *of_body != hash(&[shown]) {
            return Err(SealError::OtherBody);
        }
        let time: u64 = time.parse().map_err(|_| SealError::Form)?;
        let soonest = now.saturating_sub(FRESH).max(self.since);
        if time < soonest || time > now.saturating_add(SKEW) {
            return Err(SealError::Stale);
        }
        let nonce = Nonce::read(nonce).ok_or(SealError::Form)?;
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).take(nonce, Instant::now())?;
        if *who == OWN {
            return Ok(Sealed::Own);
        }
        let who = base64::decode(who.as_bytes()).ok_or(SealError::Form)?;
        serde_json::from_slice(&who).map(Sealed::For).map_err(|_| SealError::Form)
    }
}

/// Method and target in one. Neither holds a blank.
fn request(method: &str, target: &str) -> String {
    hash(&[method.as_bytes(), b" ", target.as_bytes()])
}

fn hash(pieces: &[&[u8]]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    pieces.iter().for_each(|piece| context.update(piece));
    let mut text = String::with_capacity(64);
    push_hex(&mut text, context.finish().as_ref());
    text
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Who Dockwarden itself is. No base64 of a subject is this short.
const OWN: &str = "own";
/// How old a seal may be, in milliseconds. The daemon asks as soon as it has read the request.
const FRESH: u64 = 30_000;
/// How far it may lie ahead: clocks of two machines, or of one that was set.
const SKEW: u64 = 5_000;
/// Seals that are remembered at one time: 12 MiB, some 10,000 requests a second.
const MOST_SEEN: usize = 350_000;
