//! One exchange: a request understood, decided, carried out, recorded.
//!
//! Every step may end it with an answer of ours; nothing reaches the daemon before the last one, and
//! that takes a permit.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use docker::body::auth;
use docker::endpoint::{BodyKind, Effect, Operation};
use docker::facts::{Facts, Fetch};
use docker::http::{HeadError, HeadLimits, HeadScan, Method, Parsed, RequestHead};
use docker::privilege::Privilege;
use docker::request::{Call, Request};
use policy::{Door, Permit, Policy};
use tokio::io::AsyncWriteExt;

use super::connection::{Next, gone};
use super::tunnel::{NOT_YOUR_SESSION, Tunnel};
use super::{Gateway, fetch, forward};
use crate::firewall::answer::Answer;
use crate::firewall::checked::{self, Asking, Naming, Passed};
use crate::firewall::connection::Connection;
use crate::firewall::entry::Entry;
use crate::firewall::making::{Afterwards, Plan};
use crate::firewall::{BODY_UNIT, Manner, judge, prune, resolve};
use crate::record::Outcome;
use crate::share::Held;
use crate::spool::Spool;
use crate::stream::ClientStream;
use crate::wire::{BodyError, Rest};

pub(super) use super::forward::Takeover;
pub(super) use crate::firewall::judge::Stop;

/// An exchange under way.
pub(super) struct Exchange<'a> {
    pub(super) gateway: &'a Arc<Gateway>,
    pub(super) connection: &'a mut Connection,
    pub(super) entry: Entry,
    pub(super) head: RequestHead,
    /// What is left of the request's body.
    pub(super) rest: Rest,
    /// The archive that the body was, once it is judged.
    pub(super) spool: Option<Spool>,
    /// The room that the judged body takes among all others.
    room: Held,
    /// The tunnel that it opens.
    pub(super) tunnel: Option<Tunnel>,
    /// Whether its client speaks HTTP/2 already, and waits for no answer that opens it.
    pub(super) native: bool,
    /// The turn of a change of limits.
    turn: Option<tokio::sync::OwnedMutexGuard<()>>,
}

/// Carries out the exchange whose first bytes have arrived.
pub(super) async fn run(gateway: &Arc<Gateway>, connection: &mut Connection) -> Next {
    let policy = gateway.firewall.policy.load_full();
    let mut entry = Entry::new(&gateway.firewall, Door::Gateway, Some(&connection.subject), &policy);
    let (head, native) = match read_head(gateway, connection).await {
        Ok(Some(read)) => read,
        Ok(None) => {
            entry.forget();
            return Next::Close;
        }
        Err(answer) => {
            entry.outcome(Outcome::Malformed, Some(answer.status), Some(answer.message.clone()));
            return match answer.send(&mut connection.client, false, true).await {
                Ok(()) => Next::Linger,
                Err(_) => Next::Close,
            };
        }
    };
    entry.head(&head);
    let rest = Rest::from(head.framing());
    let mut exchange = Exchange {
        gateway,
        connection,
        entry,
        head,
        rest,
        spool: None,
        room: Held::default(),
        tunnel: None,
        native,
        turn: None,
    };
    match exchange.judge(&policy).await {
        // On the heap when it begins: who uploads for an hour holds no room for what comes after.
        Ok(granted) => Box::pin(forward::run(exchange, granted, &policy)).await,
        Err(stop) => exchange.stop(stop).await,
    }
}

/// A request that may be carried out.
pub(super) struct Granted {
    pub(super) permit: Permit,
    pub(super) call: Call,
    /// The id of the image that a new container must turn out to be made from.
    pub(super) image: Option<String>,
    /// The name that is to be given to what it fetches.
    pub(super) naming: Option<Naming>,
    /// What is to be written down once it is done.
    pub(super) afterwards: Afterwards,
}

impl Exchange<'_> {
    /// Understand, look up, decide.
    async fn judge(&mut self, policy: &Policy) -> Result<Granted, Stop> {
        let reading = &self.gateway.firewall.settings.reading;
        let call = Call::read(&self.head, reading).map_err(|misread| Stop::malformed(&misread))?;
        self.entry.call(&call);
        let body = match call.body_kind() {
            BodyKind::Tar => Bytes::new(),
            _ => self.read_body().await?,
        };
        let mut request = Request::understand(call, &body, reading).map_err(|misread| Stop::malformed(&misread))?;
        self.own_session(&request.call).await?;
        let owners = self.gateway.firewall.settings.owners.as_ref();
        if owners.is_some() && request.call.operation == Operation::ContainerUpdate {
            // From the look to the answer: two at once would both count from what was there before.
            self.turn = Some(Arc::clone(&self.gateway.updates).lock_owned().await);
        }
        if owners.is_some() {
            request = prune::limited(policy, &self.connection.subject, request, Door::Gateway);
            request = request.made_by(&self.connection.subject.user, self.entry.id());
        }
        let moment = || owners.map(|owners| owners.moment()).unwrap_or_default();
        let mut looked = moment();
        let mut facts = self.facts(policy, &request).await?;
        if request.is_unread() {
            // Nobody uploads for an hour to be told what the query says.
            self.refuse_early(policy, &facts)?;
            let spool = self.receive().await?;
            let archive = self.look_into(&request.call, &spool).await?;
            self.spool = Some(spool);
            request = request.with_archive(archive);
            facts = self.facts(policy, &request).await?;
        }
        if !facts.fetches.is_empty() && self.gateway.firewall.settings.manner == Manner::Forward {
            self.refuse_early(policy, &facts)?;
            judge::may_change(&self.gateway.firewall)?;
            Box::pin(self.fetch(policy, &facts.fetches)).await?;
            request = request.fetched();
            facts = self.facts(policy, &request).await?;
        }
        let passed = Box::pin(self.check(policy, &mut request, &facts)).await?;
        if passed.anew {
            looked = moment();
            facts = self.facts(policy, &request).await?;
        }
        let limited = request.is_limited();
        let granted = Box::pin(self.decide(policy, request.call, facts, &passed, looked)).await?;
        if limited {
            prune::only_own(&self.gateway.firewall, &self.connection.subject, granted.call.operation).await?;
        }
        Ok(granted)
    }

    /// A build may take files and secrets from its client's own session alone, whatever else is granted.
    async fn own_session(&mut self, call: &Call) -> Result<(), Stop> {
        if call.operation != Operation::ImageBuild {
            return Ok(());
        }
        let Some(session) = call.query.all("session").find(|session| !session.is_empty()) else { return Ok(()) };
        if self.gateway.builds.is_own_session(session, &self.connection.subject.user).await {
            return Ok(());
        }
        let words = format!("dockwarden: {NOT_YOUR_SESSION}. Record {}.", self.entry.id());
        Err(Stop::new(Outcome::Refused, Answer::new(403, words)))
    }

    /// Everything that the request names looked at afresh.
    async fn facts(&mut self, policy: &Policy, request: &Request) -> Result<Facts, Stop> {
        let facts =
            resolve::facts(&self.gateway.firewall, &mut self.connection.daemon, request, policy.defaults()).await;
        facts.map_err(|unresolved| Stop::new(unresolved.outcome, unresolved.answer))
    }

    /// Ends here what would be refused whatever is found out yet.
    fn refuse_early(&mut self, policy: &Policy, facts: &Facts) -> Result<(), Stop> {
        let subject = &self.connection.subject;
        judge::refuse_early(&mut self.entry, policy, subject, facts, Door::Gateway)
    }

    /// Has the images checked that the request uses, for as long as the client waits for that.
    async fn check(&mut self, policy: &Policy, request: &mut Request, facts: &Facts) -> Result<Passed, Stop> {
        if !checked::concerns(&self.gateway.firewall, facts.operation) {
            return Ok(Passed::default());
        }
        let login = self.field("X-Registry-Auth");
        let socket = self.connection.client.stream.number();
        let mut asking = self.asking(policy, login);
        let checked = tokio::select! {
            biased;
            checked = asking.check(request, facts) => checked?,
            () = gone(socket) => {
                self.connection.daemon = None;
                return Err(client_left());
            }
        };
        let (pinned, passed) = checked;
        if let Some(pinned) = pinned {
            *request = pinned;
        }
        Ok(passed)
    }

    fn asking<'b>(&'b mut self, policy: &'b Policy, login: Option<Vec<u8>>) -> Asking<'b> {
        let Exchange { gateway, connection, entry, .. } = self;
        Asking {
            firewall: &gateway.firewall,
            line: &mut connection.daemon,
            subject: &connection.subject,
            entry,
            policy,
            door: Door::Gateway,
            login,
        }
    }

    fn field(&self, name: &str) -> Option<Vec<u8>> {
        self.head.headers().one(name).ok().flatten().map(<[u8]>::to_vec)
    }

    /// Fetches the images that a build starts from, so that what they bring along is known.
    async fn fetch(&mut self, policy: &Policy, images: &[Fetch]) -> Result<(), Stop> {
        let logins = self.field("X-Registry-Config");
        for image in images {
            let login = logins.as_ref().and_then(|logins| auth::of_registry(logins, &image.image.registry));
            let socket = self.connection.client.stream.number();
            let mut asking = self.asking(policy, login.clone().map(String::into_bytes));
            let naming = tokio::select! {
                biased;
                naming = asking.fetch(&image.image) => naming?,
                () = gone(socket) => {
                self.connection.daemon = None;
                return Err(client_left());
            }
            };
            let firewall = &self.gateway.firewall;
            let fetched = fetch::image(firewall, self.connection, image, naming.as_ref(), login.as_deref()).await;
            fetched.map_err(|answer| Stop::new(Outcome::Failed, answer))?;
            self.own_fetched(image).await.map_err(|answer| Stop::new(Outcome::Failed, answer))?;
        }
        Ok(())
    }

    /// An image that was fetched belongs to whoever builds from it, as one that they pull.
    async fn own_fetched(&self, fetch: &Fetch) -> Result<(), Answer> {
        let Some(owners) = &self.gateway.firewall.settings.owners else { return Ok(()) };
        let name = fetch.image.familiar();
        let body = self
            .gateway
            .firewall
            .inspected(Operation::ImageInspect, &name)
            .await
            .map_err(|error| Answer::garbled(&error))?;
        let image = body.map(|body| docker::answer::image(&body)).transpose();
        let image = image.map_err(|error| Answer::garbled(&error))?;
        let Some(id) = image.and_then(|known| known.image.id) else { return Ok(()) };
        let kept = owners.pulled(&self.connection.subject.user, id).await;
        kept.map_err(|unkept| Answer::new(503, format!("dockwarden: {unkept}")))
    }

    async fn decide(
        &mut self,
        policy: &Policy,
        call: Call,
        facts: Facts,
        passed: &Passed,
        looked: u64,
    ) -> Result<Granted, Stop> {
        let still = passed.still(&facts);
        let plan = Plan::new(&facts, looked);
        let (effect, absent, image) = (facts.effect(), facts.absent.clone(), pinned_image(&facts));
        let subject = &self.connection.subject;
        let permit = judge::decide(&self.gateway.firewall, &mut self.entry, policy, subject, facts, Door::Gateway)?;
        if let Some(absent) = absent
            && self.gateway.firewall.settings.manner == Manner::Forward
        {
            return Err(Stop::new(Outcome::NotFound, Answer::new(absent.status, absent.message)));
        }
        still?;
        if effect == Effect::Change {
            judge::may_change(&self.gateway.firewall)?;
        }
        // What cannot be sent must not leave anything behind that was about to be made.
        forward::sendable(&self.head, &call)?;
        let afterwards = match &self.gateway.firewall.settings.owners {
            Some(owners) => plan.begin(owners, policy, subject, self.entry.id()).await?,
            None => Afterwards::Nothing,
        };
        let naming = passed.naming(call.operation);
        Ok(Granted { permit, call, image, naming, afterwards })
    }

    /// The whole body of what is judged by its body, within bounds.
    async fn read_body(&mut self) -> Result<Bytes, Stop> {
        let limits = &self.gateway.firewall.settings.limits;
        let too_large = || {
            let words = format!(
                "dockwarden: the body is larger than {} bytes, the most that is judged (limits.judged_body_bytes)",
                limits.judged_body_bytes
            );
            Stop::new(Outcome::Malformed, Answer::new(413, words))
        };
        if matches!(self.rest, Rest::Length(length) if length > limits.judged_body_bytes as u64) {
            return Err(too_large());
        }
        if self.rest.is_done() {
            return Ok(Bytes::new());
        }
        self.say_continue().await?;
        let Connection { client, subject, .. } = &mut *self.connection;
        let (mut whole, room, socket) = (BytesMut::new(), &mut self.room, client.stream.number());
        let reading = async {
            let silence = Some(limits.body_silence);
            while let Some(piece) =
                self.rest.read_some(&mut client.stream, &mut client.ahead, BODY_UNIT, silence).await?
            {
                whole.extend_from_slice(&piece.data());
                if whole.len() > limits.judged_body_bytes {
                    return Ok(false);
                }
                // A small body, as nearly all are, takes none.
                tokio::select! {
                    biased;
                    () = self.gateway.firewall.bodies.wait(&subject.user, room, whole.len().wrapping_div(BODY_UNIT)) => {}
                    () = gone(socket) => return Err(BodyError::Cut),
                }
            }
            Ok::<bool, BodyError>(true)
        };
        let failed =
            |status, what: String| Stop::new(Outcome::Malformed, Answer::new(status, format!("dockwarden: {what}")));
        let read = tokio::time::timeout(limits.judged_body_wait, reading).await;
        match read {
            Ok(Ok(true)) => Ok(whole.freeze()),
            Ok(Ok(false)) => Err(too_large()),
            Ok(Err(error @ BodyError::Silent(_))) => Err(failed(408, error.to_string())),
            Ok(Err(error)) => Err(failed(400, error.to_string())),
            Err(_) => Err(failed(408, "the body took too long (limits.judged_body_wait)".to_owned())),
        }
    }

    /// Tells a client that waits for it to send its body.
    pub(super) async fn say_continue(&mut self) -> Result<(), Stop> {
        if !self.head.expects_continue() {
            return Ok(());
        }
        let said = self.connection.client.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
        said.map_err(|error| Stop::new(Outcome::Interrupted, Answer::new(400, error.to_string())))
    }

    /// Answers in place of the daemon. The connection can go on if the request was read to its end.
    pub(super) async fn stop(mut self, stop: Stop) -> Next {
        let Stop { outcome, answer, .. } = stop;
        self.entry.outcome(outcome, Some(answer.status), Some(answer.message.clone()));
        let reusable = self.rest.is_done() && self.head.keep_alive();
        let head_only = *self.head.method() == Method::Head;
        match answer.send(&mut self.connection.client, head_only, !reusable).await {
            Ok(()) if reusable => Next::Request,
            Ok(()) => Next::Linger,
            Err(_) => Next::Close,
        }
    }
}

pub(super) fn client_left() -> Stop {
    Stop::new(Outcome::Interrupted, Answer::new(400, "dockwarden: the client left"))
}

/// The image that a new container is to be made from, where it is named by a name that could be given to
/// another image between the look and the making. (An id is sent as it is.)
fn pinned_image(facts: &Facts) -> Option<String> {
    if facts.operation != Operation::ContainerCreate {
        return None;
    }
    facts.privileges.iter().find_map(|privilege| match privilege {
        Privilege::UseImage { image } => image.id.clone(),
        _ => None,
    })
}

/// Reads a head, from its first byte within one time limit. `None`: the client left.
async fn read_head(gateway: &Gateway, connection: &mut Connection) -> Result<Option<(RequestHead, bool)>, Answer> {
    let settings = &gateway.firewall.settings.limits;
    let limits = HeadLimits { bytes: settings.head_bytes, ..HeadLimits::default() };
    if is_tls(connection) {
        return Err(Answer::new(400, SAY_TLS));
    }
    let client = &mut connection.client;
    // Nearly every head has come whole: then no clock is set.
    if let Some(head) = take_head(&mut client.ahead, &limits)? {
        return Ok(Some(head));
    }
    let mut scan = HeadScan::new(&limits);
    let reading = async {
        while matches!(client.fill().await, Ok(1..)) {
            if scan.advance(&client.ahead).map_err(misread)?.is_some() {
                return take_head(&mut client.ahead, &limits);
            }
        }
        Ok(None)
    };
    tokio::time::timeout(settings.head_wait, reading)
        .await
        .unwrap_or_else(|_| Err(Answer::new(408, "dockwarden: the request's head took too long")))
}

/// The head at the beginning of what was read, if it is there whole; and whether its client speaks HTTP/2 from there on.
fn take_head(ahead: &mut BytesMut, limits: &HeadLimits) -> Result<Option<(RequestHead, bool)>, Answer> {
    match RequestHead::parse(ahead, limits) {
        Ok(Parsed::Complete { head, consumed }) => {
            ahead.advance(consumed.min(ahead.len()));
            Ok(Some((head, false)))
        }
        Ok(Parsed::Partial) => Ok(None),
        // What was read of it belongs to the tunnel.
        Err(HeadError::Http2Preface) => match RequestHead::parse(PRIOR_KNOWLEDGE, limits).map_err(misread)? {
            Parsed::Complete { head, .. } => Ok(Some((head, true))),
            Parsed::Partial => Ok(None),
        },
        Err(error) => Err(misread(error)),
    }
}

/// What a client asks for that speaks HTTP/2 from the first byte, as those of BuildKit's do to daemons that know it: to
/// all daemons, ours is a tunnel. Nothing can follow on the same connection.
const PRIOR_KNOWLEDGE: &[u8] =
    b"POST /grpc HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n";

/// Clients who speak TLS where nobody does. They can read no answer, but some know one when they see it, and the record
/// keeps it.
fn is_tls(connection: &Connection) -> bool {
    matches!(connection.client.stream, ClientStream::Tcp(_)) && connection.client.ahead.starts_with(TLS_HANDSHAKE)
}

/// The record type of a handshake and the first byte of every version.
const TLS_HANDSHAKE: &[u8] = &[0x16, 0x03];
const SAY_TLS: &str =
    "dockwarden: this is TLS, which cannot be looked into here: `tls` of the listener is not configured";

fn misread(error: HeadError) -> Answer {
    Answer::new(error.status(), format!("dockwarden: {error}"))
}
