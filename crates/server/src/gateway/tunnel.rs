//! BuildKit's tunnels: two HTTP/2 connections that meet here, and call by call what passes from the one to the other.
//!
//! In `/grpc` the client calls the daemon, in `/session` the daemon calls the client; both are ended on both sides. What a
//! call needs is known by its method ([`docker::buildkit`]); here it gets it: whose builds and sessions those are that it
//! names ([`Builds`]), the decision about what it asks for ([`judge`]), a held answer, a list without what is others'.
//! Nothing is passed on that was not looked up there first, and what is refused is answered as the daemon would refuse.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use docker::buildkit::method::Tunnel as Kind;
use docker::endpoint::Operation;
use docker::request::Call as Request;
use policy::Subject;
use tokio::sync::Notify;

use super::Gateway;
use super::exchange::{Exchange, Stop};
use super::forward::SESSION_ID;
use crate::firewall::answer::Answer;
use crate::firewall::entry::Entry;
use crate::record::Outcome;
use crate::share::{Held, Short};
use crate::stream::{ClientStream, DaemonStream, Traffic};
use crate::wire::Wire;

mod builds;
mod call;
mod end;
mod history;
mod judge;
mod kept;
mod message;
mod nested;
mod pump;
mod refusal;
mod relay;

pub(super) use builds::Builds;
pub(super) use kept::{SHARED_KEY, shared_key};

use builds::{OpenSession, is_session_id};
use end::End;

/// A tunnel that is about to be opened, or open.
pub(super) struct Tunnel {
    kind: Kind,
    gateway: Arc<Gateway>,
    subject: Arc<Subject>,
    /// A build was refused in it.
    refused: Notify,
    /// What the daemon asked its client for.
    noted: Arc<Noted>,
    /// Keeps the session its client's for as long as it lasts.
    _session: Option<OpenSession>,
    /// Its place among all tunnels.
    _place: Held,
}

/// Names of secrets and hosts, for the record.
#[derive(Default)]
struct Noted(Mutex<BTreeSet<String>>);

impl Noted {
    fn note(&self, what: String) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() < MOST_NOTED {
            noted.insert(what);
        }
    }

    fn words(&self) -> Option<String> {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let words: Vec<&str> = noted.iter().map(String::as_str).collect();
        (!words.is_empty()).then(|| format!("the daemon asked its client for {}", words.join(", ")))
    }
}

/// Bytes that may be on the way to the daemon: usual are 208 KiB, by which a large context goes in small steps, each of which
/// wakes somebody.
const ON_THE_WAY: usize = 1 << 20;
/// The most names that are kept of one tunnel.
const MOST_NOTED: usize = 50;

impl Exchange<'_> {
    /// What a call opens, where it opens a tunnel. A session is its client's from now on.
    pub(super) fn tunnel_of(&self, call: &Request) -> Result<Option<Tunnel>, Stop> {
        let kind = match call.operation {
            Operation::Grpc => Kind::Grpc,
            Operation::Session => Kind::Session,
            _ => return Ok(None),
        };
        let (gateway, subject) = (Arc::clone(self.gateway), Arc::clone(&self.connection.subject));
        let session =
            match kind {
                Kind::Grpc => None,
                Kind::Session => {
                    let id = self.head.headers().one(SESSION_ID).ok().flatten();
                    let id = id.and_then(|id| std::str::from_utf8(id).ok()).filter(|id| is_session_id(id));
                    let Some(id) = id else {
                        return Err(Stop::new(Outcome::Malformed, Answer::new(400, nameless_session())));
                    };
                    let opened = Builds::open_session(&gateway.builds, id, &subject.user);
                    Some(opened.map_err(|taken| {
                        Stop::new(Outcome::Refused, Answer::new(403, format!("dockwarden: {taken}")))
                    })?)
                }
            };
        let place = place(&gateway, &subject).map_err(|words| Stop::new(Outcome::Failed, Answer::new(429, words)))?;
        let (refused, noted) = (Notify::new(), Arc::default());
        Ok(Some(Tunnel { kind, gateway, subject, refused, noted, _session: session, _place: place }))
    }
}

impl Tunnel {
    /// Carries it to its end.
    pub(super) async fn run(self, client: Wire<ClientStream>, daemon: Wire<DaemonStream>, entry: &mut Entry) {
        // Not the client's end: whoever reads nothing would have so much held.
        daemon.stream.widen(ON_THE_WAY);
        let client = End::new(client, Arc::clone(&entry.traffic), Traffic::to_daemon);
        let daemon = End::new(daemon, Arc::clone(&entry.traffic), Traffic::to_client);
        let (kind, noted) = (self.kind, Arc::clone(&self.noted));
        let tunnel = Arc::new(self);
        let ended = match kind {
            Kind::Grpc => relay::run(client, daemon, tunnel).await,
            Kind::Session => relay::run(daemon, client, tunnel).await,
        };
        if let Err(error) = ended {
            entry.warning(&format!("the tunnel broke: {error}"));
        }
        noted.words().inspect(|words| entry.warning(words));
    }

    /// The connection in which the daemon calls the client within another one.
    fn nested(&self, session: OpenSession) -> Result<Tunnel, String> {
        let (gateway, subject, noted) = (Arc::clone(&self.gateway), Arc::clone(&self.subject), Arc::clone(&self.noted));
        let (kind, refused, place) = (Kind::Session, Notify::new(), place(&gateway, &subject)?);
        Ok(Tunnel { kind, gateway, subject, refused, noted, _session: Some(session), _place: place })
    }
}

fn nameless_session() -> String {
    format!("dockwarden: a session must name itself, once, with letters, digits and `-_.` ({SESSION_ID})")
}

/// What is said of a session that a build names and its client has not opened.
pub(super) const NOT_YOUR_SESSION: &str = "may not use this session: it is not yours";

/// A place among all tunnels: in each, a client can have a good deal held by not reading.
fn place(gateway: &Gateway, subject: &Subject) -> Result<Held, String> {
    let mut held = Held::default();
    let bound = match gateway.tunnels.take(&subject.user, &mut held, 1) {
        Ok(()) => return Ok(held),
        Err(Short::Own) => {
            "you have too many builds running; wait, or ask for a higher limit (limits.tunnels_per_subject)"
        }
        Err(Short::All) => "too many builds are running; wait, or ask for a higher limit (limits.tunnels)",
    };
    Err(format!("dockwarden: {bound}"))
}
