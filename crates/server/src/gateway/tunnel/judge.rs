//! The decision about a call within a tunnel, and its record.
//!
//! The same as for a request: what it names is looked at, images are checked, the policy is asked, what will be made is
//! written down. A build is asked about twice: as its client puts it, and as BuildKit has worked it out.

use std::sync::Arc;

use docker::answer::is_id;
use docker::buildkit::build::{Build, Judged, Reading};
use docker::buildkit::message::control::SolveResponse;
use docker::buildkit::wire::{self, Strictness};
use docker::endpoint::{Kind, Operation};
use docker::facts::{Canonical, CanonicalBody, Facts};
use docker::http::Method;
use docker::privilege::Privilege;
use docker::resource::Resource;
use http::{HeaderMap, Response};
use policy::{Door, Permit, Policy};

use super::call;
use super::kept::namespace;
use super::message::Message;
use super::refusal::{Code, Refusal};
use super::{NOT_YOUR_SESSION, Tunnel};
use crate::firewall::ask::Line;
use crate::firewall::checked::{self, Asking, Passed};
use crate::firewall::entry::Entry;
use crate::firewall::judge::{self, Stop};
use crate::firewall::making::{Afterwards, Plan};
use crate::firewall::resolve;
use crate::owners::{Intent, Thing};
use crate::record::Outcome;

/// A call that is being decided about.
pub(super) struct Judging {
    tunnel: Arc<Tunnel>,
    policy: Arc<Policy>,
    entry: Entry,
    line: Line,
    /// Found out when it is first needed.
    manner: Option<Manner>,
    plan: Option<Plan>,
}

/// How a subject's builds are read, which follows from what is granted.
struct Manner {
    any_frontend: bool,
    cache_namespace: Option<String>,
    owner: Option<String>,
    deny_sources: Vec<&'static str>,
    allow_sources: Vec<String>,
}

impl Manner {
    fn of(policy: &Policy, tunnel: &Tunnel) -> Manner {
        let granted = |privilege| grants(policy, tunnel, &privilege);
        let shared = granted(Privilege::MountBuildCache { id: "shared".to_owned(), own: false });
        let fetch = |from: &str| granted(Privilege::BuildFetch { from: from.to_owned() });
        let denied: Vec<&str> =
            NEVER_UNASKED.iter().filter(|(probe, _)| !fetch(probe)).map(|(_, pattern)| *pattern).collect();
        // A part of what is denied as a whole.
        let within = |named: &&str| denied.iter().any(|pattern| named.starts_with(pattern.trim_end_matches('*')));
        let allowed = policy.named_fetches().filter(within).filter(|named| fetch(&named.replace('*', "")));
        Manner {
            any_frontend: granted(Privilege::UseFrontend { image: None }),
            cache_namespace: (!shared).then(|| namespace(&tunnel.subject.user)),
            owner: tunnel.gateway.firewall.settings.owners.as_ref().map(|_| tunnel.subject.user.clone()),
            // To BuildKit, one star is anything, and two are a mistake.
            allow_sources: allowed.map(|named| named.replace("**", "*")).collect(),
            deny_sources: denied,
        }
    }
}

impl Judging {
    /// Begins the record of a call.
    pub(super) fn begin(tunnel: &Arc<Tunnel>, path: &str) -> Judging {
        let firewall = &tunnel.gateway.firewall;
        let policy = firewall.policy.load_full();
        let mut entry = Entry::new(firewall, Door::Gateway, Some(&tunnel.subject), &policy);
        entry.call_within(path, None);
        Judging { tunnel: Arc::clone(tunnel), policy, entry, line: None, manner: None, plan: None }
    }

    /// The build that the call is of.
    pub(super) fn of_build(mut self, reference: Option<&str>) -> Judging {
        reference.inspect(|reference| self.entry.build(reference));
        self
    }

    /// The build that the call begins.
    pub(super) fn begins(&mut self, reference: &str) {
        self.entry.build(reference);
    }

    /// Whether something is granted, without a record.
    pub(super) fn grants(tunnel: &Tunnel, privilege: &Privilege) -> bool {
        let policy = tunnel.gateway.firewall.policy.load();
        grants(&policy, tunnel, privilege)
    }

    /// Ends it, and records why.
    fn stop(&mut self, outcome: Outcome, refusal: Refusal) -> Refusal {
        self.entry.outcome(outcome, None, Some(refusal.message.clone()));
        refusal
    }

    /// Ends what cannot be understood.
    pub(super) fn malformed(&mut self, refusal: Refusal) -> Refusal {
        self.stop(Outcome::Malformed, refusal)
    }

    /// Ends it as its call ends.
    pub(super) fn stopped_by(&mut self, stop: call::Stop) -> call::Stop {
        match stop {
            call::Stop::Malformed(refusal) => self.malformed(refusal).into(),
            said => said,
        }
    }

    /// Refuses what no policy is asked about.
    pub(super) fn refuse(&mut self, what: &str) -> Refusal {
        let words = format!("dockwarden: {what}. Record {}.", self.entry.id());
        self.stop(Outcome::Refused, Refusal::new(Code::PermissionDenied, words))
    }

    fn stopped(&mut self, stop: Stop) -> Refusal {
        let Stop { outcome, answer, .. } = stop;
        self.stop(outcome, Refusal::of_status(answer.status, answer.message))
    }

    /// It was passed on.
    pub(super) fn passed(&mut self) {
        self.entry.outcome(Outcome::Allowed, None, None);
    }

    /// An operation of the Docker API that a call stands for.
    pub(super) fn operation(mut self, operation: Operation) -> Result<(), Refusal> {
        self.entry.call_within(operation.endpoint().path, Some(operation));
        self.decide(plain(operation)).map_err(|stop| self.stopped(stop))?;
        self.passed();
        Ok(())
    }

    /// A privilege that a call takes.
    pub(super) fn privilege(mut self, privilege: &Privilege) -> Result<(), Refusal> {
        self.decide(asking(privilege)).map_err(|stop| self.stopped(stop))?;
        self.passed();
        Ok(())
    }

    fn decide(&mut self, facts: Facts) -> Result<Permit, Stop> {
        let Tunnel { gateway, subject, .. } = &*self.tunnel;
        judge::decide(&gateway.firewall, &mut self.entry, &self.policy, subject, facts, Door::Gateway)
    }

    /// How this subject's builds are read.
    pub(super) fn reading(&mut self) -> Reading<'_> {
        let manner = self.manner.get_or_insert_with(|| Manner::of(&self.policy, &self.tunnel));
        Reading {
            allow_fields: &self.tunnel.gateway.firewall.settings.reading.allow_fields,
            any_frontend: manner.any_frontend,
            cache_namespace: manner.cache_namespace.as_deref(),
            owner: manner.owner.as_deref(),
            deny_sources: &manner.deny_sources,
            allow_sources: &manner.allow_sources,
        }
    }

    /// Judges what is asked for. Gives the message that may be sent.
    pub(super) async fn build(&mut self, build: &Build) -> Result<Vec<u8>, Refusal> {
        self.entry.call_within(build.path(), Some(Operation::ImageBuild));
        let permit = self.judge(build).await?;
        // Last, for a session may be waited for.
        self.own_sessions(build).await?;
        match permit.into_canonical().body {
            CanonicalBody::Message(message) => Ok(message),
            _ => Err(Refusal::new(Code::Unavailable, "dockwarden: what was judged is no message")),
        }
    }

    /// Judges what BuildKit says that it would do.
    pub(super) async fn answer(&mut self, build: &Build) -> Result<(), Refusal> {
        self.judge(build).await?;
        self.own_sessions(build).await
    }

    /// Files, secrets and logins are taken from sessions of the subject's own alone.
    async fn own_sessions(&mut self, build: &Build) -> Result<(), Refusal> {
        let tunnel = Arc::clone(&self.tunnel);
        for session in build.sessions() {
            if !tunnel.gateway.builds.is_own_session(session, &tunnel.subject.user).await {
                return Err(self.refuse(NOT_YOUR_SESSION));
            }
        }
        Ok(())
    }

    async fn judge(&mut self, build: &Build) -> Result<Permit, Refusal> {
        let mut judged = self.look(build).await?;
        let (mut passed, mut looked) = (Passed::default(), self.moment());
        let firewall = &Arc::clone(&self.tunnel.gateway.firewall);
        if checked::concerns(firewall, Operation::ImageBuild) {
            let (policy, subject) = (Arc::clone(&self.policy), Arc::clone(&self.tunnel.subject));
            let (line, entry) = (&mut self.line, &mut self.entry);
            let mut asking =
                Asking { firewall, line, subject: &subject, entry, policy: &policy, door: Door::Gateway, login: None };
            let asked = asking.check_images(&judged.facts).await;
            passed = asked.map_err(|stop| self.refused(stop, &judged))?;
            if passed.anew {
                looked = self.moment();
                judged = self.look(build).await?;
            }
        }
        let still = passed.still(&judged.facts);
        let decided = self.decide(judged.facts.clone());
        let permit = decided.map_err(|stop| self.refused(stop, &judged))?;
        still.and_then(|()| judge::may_change(firewall)).map_err(|stop| self.stopped(stop))?;
        if judged.facts.makes.is_some() {
            self.plan = Some(Plan::new(&judged.facts, looked));
        }
        Ok(permit)
    }

    /// Everything that a build names looked at afresh.
    async fn look(&mut self, build: &Build) -> Result<Judged, Refusal> {
        let firewall = &self.tunnel.gateway.firewall;
        let settled = resolve::settled(firewall, &mut self.line, |world| build.facts(world)).await;
        settled.map_err(|unresolved| self.stopped(Stop::new(unresolved.outcome, unresolved.answer)))
    }

    /// A refusal, with the step of the Dockerfile that asks for what is refused.
    fn refused(&mut self, mut stop: Stop, judged: &Judged) -> Refusal {
        let refused = |privilege: &&Privilege| Some(privilege.to_string()) == stop.may_not;
        let place = judged.facts.privileges.iter().find(refused).and_then(|privilege| judged.place(privilege));
        if let Some(place) = place {
            stop.answer.message.push_str(&format!(" At {place}"));
        }
        self.stopped(stop)
    }

    fn moment(&self) -> u64 {
        self.tunnel.gateway.firewall.settings.owners.as_ref().map(|owners| owners.moment()).unwrap_or_default()
    }

    /// Writes down what a build is about to make.
    pub(super) async fn begin_making(&mut self) -> Result<Afterwards, Refusal> {
        let Tunnel { gateway, subject, .. } = &*self.tunnel;
        let (Some(plan), Some(owners)) = (self.plan.take(), &gateway.firewall.settings.owners) else {
            return Ok(Afterwards::Nothing);
        };
        let begun = plan.begin(owners, &self.policy, subject, self.entry.id()).await;
        begun.map_err(|stop| self.stopped(stop))
    }

    /// Writes down what it made, by the daemon's own word, before its client hears of it. Of a build that failed it is
    /// found out later whether it made something all the same.
    pub(super) async fn made(
        &mut self,
        mut intent: Intent,
        head: &Response<()>,
        trailers: Option<&HeaderMap>,
        message: &Message,
    ) -> Result<(), call::Stop> {
        let status = trailers.and_then(|trailers| trailers.get(STATUS)).or_else(|| head.headers().get(STATUS));
        if message.is_empty() || status.is_none_or(|status| status != "0") {
            return Ok(());
        }
        let told: SolveResponse =
            wire::read(message.bytes()?, Strictness::Lenient).map_err(super::message::malformed)?;
        let digests = DIGESTS.iter().filter_map(|name| told.told.get(*name));
        let mut ids: Vec<String> =
            digests.filter(|digest| digest.strip_prefix("sha256:").is_some_and(is_id)).cloned().collect();
        ids.sort_unstable();
        ids.dedup();
        let things = ids.into_iter().map(|id| Thing { kind: Kind::Image, id }).collect();
        let kept = match intent.made(things).await {
            Ok(()) => intent.settle().await,
            Err(unkept) => Err(unkept),
        };
        kept.map_err(|unkept| {
            let words = format!("dockwarden: whose the image is could not be written down: {unkept}");
            self.stop(Outcome::Failed, Refusal::new(Code::Unavailable, words)).into()
        })
    }
}

/// The facts of an operation on the daemon that asks for nothing beside.
fn plain(operation: Operation) -> Facts {
    let target = operation.endpoint().path.to_owned();
    let canonical = Canonical { method: Method::Post, target, body: CanonicalBody::None };
    Facts::plain(operation, None, vec![Resource::Daemon], canonical)
}

/// The facts of a build that asks for this alone.
fn asking(privilege: &Privilege) -> Facts {
    Facts { privileges: vec![privilege.clone()], ..plain(Operation::ImageBuild) }
}

fn grants(policy: &Policy, tunnel: &Tunnel, privilege: &Privilege) -> bool {
    policy.refuses(&tunnel.subject, &asking(privilege), &judge::circumstances(Door::Gateway)).is_none()
}

const STATUS: &str = "grpc-status";
/// By what names an answer tells the image: which of them is its id depends on how the daemon stores images.
const DIGESTS: &[&str] = &["containerimage.digest", "containerimage.config.digest"];
/// What BuildKit itself is told to refuse unless it is granted: the services of a cloud and of the host that answer
/// whoever can reach them. It fetches some things before it tells what it would do.
const NEVER_UNASKED: &[(&str, &str)] = &[
    ("http://169.254.169.254/", "http://169.254.*"),
    ("http://127.0.0.1/", "http://127.*"),
    ("http://localhost/", "http://localhost*"),
    ("https://127.0.0.1/", "https://127.*"),
    ("https://localhost/", "https://localhost*"),
];
