//! One question judged: the same reading, looks and decision as at the gateway, and then the difference that this
//! door makes. What was judged must be what the daemon will do, for nothing can be changed here.

use std::sync::Arc;

use docker::endpoint::{BodyKind, Effect, Operation};
use docker::facts::{Canonical, CanonicalBody, Facts};
use docker::image::Reference;
use docker::obligation::Obligation;
use docker::privilege::Privilege;
use docker::request::{Call, Edit, Misread, Request};
use docker::resource::{Container, Image, Network, Resource, Volume};
use docker::target::Target;
use policy::{Door, Mode, Permit, Policy, Quota, Subject};

use super::connection::Verdict;
use super::question::Question;
use super::{Plugin, Require, subject};
use crate::firewall::answer::Answer;
use crate::firewall::checked::{self, Asking, Passed};
use crate::firewall::connection::Connection;
use crate::firewall::entry::Entry;
use crate::firewall::judge::{self, Stop};
use crate::firewall::{prune, resolve};
use crate::record::Outcome;
use crate::seal::{self, Sealed};

/// The answer to a question. One record each, but for our own looks.
pub(super) async fn judge(plugin: &Arc<Plugin>, connection: &mut Connection, question: &Question) -> Verdict {
    let sealed = match (question.field(seal::FIELD), &plugin.firewall.settings.seal) {
        (Some(text), Some(seal)) => {
            let (method, target) = (question.head.method().as_str(), question.head.target());
            Some(seal.open(text, method, target, &question.body).map_err(|error| error.to_string()))
        }
        (Some(_), None) => Some(Err("this plugin has no key to it".to_owned())),
        (None, _) => None,
    };
    if let Some(Ok(Sealed::Own)) = sealed {
        return Verdict::Allow;
    }
    let policy = plugin.firewall.policy.load_full();
    let (subject, stop) = match (sealed, plugin.require) {
        (Some(Ok(Sealed::For(subject))), _) => return judged_already(plugin, &policy, question, &subject),
        (Some(Err(reason)), _) => (None, Some(unsealed(&reason))),
        (_, Require::Gateway) => (subject::of(question).ok(), Some(around())),
        (_, Require::Policy) => match subject::of(question) {
            Ok(subject) => (Some(subject), None),
            Err(error) => (None, Some(forbidden(format!("it cannot be told who you are: {error}")))),
        },
    };
    let mut entry = Entry::new(&plugin.firewall, Door::Plugin, subject.as_ref(), &policy);
    entry.head(&question.head);
    let judged = match (stop, subject) {
        (Some(stop), _) => Err(stop),
        (None, subject) => {
            connection.subject = Arc::new(subject.unwrap_or_else(subject::nobody));
            decide(plugin, connection, &policy, question, &mut entry).await
        }
    };
    match judged {
        Ok(()) => {
            entry.outcome(Outcome::Allowed, None, None);
            Verdict::Allow
        }
        Err(Stop { outcome, answer, .. }) => {
            // The daemon makes it a 403, whatever it is.
            entry.outcome(outcome, Some(403), Some(answer.message.clone()));
            Verdict::Deny(answer.message)
        }
    }
}

/// One policy decided at the gateway, and the request is the one that it decided about. The record says so.
fn judged_already(plugin: &Arc<Plugin>, policy: &Policy, question: &Question, subject: &Subject) -> Verdict {
    let mut entry = Entry::new(&plugin.firewall, Door::Plugin, Some(subject), policy);
    entry.head(&question.head);
    if let Ok(call) = Call::read(&question.head, &plugin.firewall.settings.reading) {
        entry.call(&call);
    }
    entry.outcome(Outcome::Allowed, None, Some("judged at the gateway".to_owned()));
    Verdict::Allow
}

async fn decide(
    plugin: &Arc<Plugin>,
    connection: &mut Connection,
    policy: &Policy,
    question: &Question,
    entry: &mut Entry,
) -> Result<(), Stop> {
    let (firewall, reading) = (&plugin.firewall, &plugin.firewall.settings.reading);
    let mut call = Call::read(&question.head, reading).map_err(|misread| misread_here(&misread))?;
    entry.call(&call);
    // The head was written anew, of what matters to us; policies are shown what the daemon shows.
    let headers = question.headers().map_err(|error| misread_here(&Misread::from(error)))?;
    Arc::make_mut(&mut call.posed).headers = headers;
    nothing_left_out(&call, question)?;
    if question.withholds(&call) {
        return Err(withheld(&call));
    }
    let request = Request::understand(call, &question.body, reading).map_err(|misread| misread_here(&misread))?;
    let subject = Arc::clone(&connection.subject);
    if prune::limited(policy, &subject, request.clone(), Door::Plugin) != request {
        return Err(forbidden(format!("this takes away what is not yours as well{GATEWAY_LIMITS}")));
    }
    let facts = match resolve::facts(firewall, &mut connection.daemon, &request, policy.defaults()).await {
        Ok(facts) => facts,
        Err(unresolved) => match by_name(&request.call, question) {
            Some(facts) if unresolved.outcome == Outcome::NotFound => facts,
            _ => return Err(Stop::new(unresolved.outcome, unresolved.answer)),
        },
    };
    let unseen = unseen(&request);
    let unseen_too = |facts| match unseen {
        Some((part, _)) => with_unseen(facts, part),
        None => facts,
    };
    let mut facts = unseen_too(facts);
    let mut passed = Passed::default();
    if checked::concerns(firewall, facts.operation) {
        let mut asking = Asking {
            firewall,
            line: &mut connection.daemon,
            subject: &subject,
            entry,
            policy,
            door: Door::Plugin,
            login: None,
        };
        let (pinned, passing) = asking.check(&request, &facts).await?;
        passed = passing;
        if passed.anew {
            let judged = pinned.as_ref().unwrap_or(&request);
            let anew = resolve::facts(firewall, &mut connection.daemon, judged, policy.defaults()).await;
            facts = unseen_too(anew.map_err(|unresolved| Stop::new(unresolved.outcome, unresolved.answer))?);
        }
    }
    let still = passed.still(&facts);
    let effect = facts.effect();
    let counted = facts.makes.is_some() || facts.operation == Operation::ContainerUpdate;
    let permit = judge::decide(firewall, entry, policy, &subject, facts, Door::Plugin).map_err(|mut stop| {
        if let Some((_, what)) = unseen
            && stop.outcome == Outcome::Refused
        {
            stop.answer.message.push_str(&format!(" The daemon shows {what} to no plugin"));
            stop.answer.message.push_str(GATEWAY);
        }
        stop
    })?;
    still?;
    // What is made here is written down for nobody, so it could not be counted.
    if counted && policy.mode() == Mode::Enforce && policy.quota(&subject) != Quota::default() {
        return Err(forbidden(format!("you have a quota, and the plugin does not count{GATEWAY_COUNTS}")));
    }
    if effect == Effect::Change {
        judge::may_change(firewall)?;
    }
    match as_judged(&request, &permit) {
        Err(stop) if policy.mode() == Mode::Enforce => Err(stop),
        Err(stop) => {
            entry.warning(&stop.answer.message);
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Whether the daemon, which does what it was given, does what was judged, and shows what may be shown.
fn as_judged(request: &Request, permit: &Permit) -> Result<(), Stop> {
    if permit.answer_changes() {
        return Err(forbidden(
            "you are not shown all of this, and the daemon does not let its plugin change what it shows: ask through \
             Dockwarden's gateway, which shows the rest."
                .to_owned(),
        ));
    }
    if !permit.obligations().is_empty() {
        let wanted: Vec<String> = permit.obligations().iter().map(spelled).collect();
        return Err(forbidden(format!(
            "containers have defaults on this host, and the daemon does not let its plugin add them: say {} yourself, \
             or send the request{GATEWAY_ADDS}",
            wanted.join(" ")
        )));
    }
    match request.edited(permit.canonical()) {
        Ok(None) => Ok(()),
        Ok(Some(Edit { place, given, judged })) => Err(forbidden(format!(
            "{place} is `{given}`, which was judged as `{judged}`, and may be something else when the daemon looks: \
             write `{judged}`, or send the request{GATEWAY_ADDS}"
        ))),
        Err(misread) => Err(Stop::malformed(&misread)),
    }
}

/// A default as it is said to the docker command.
fn spelled(obligation: &Obligation) -> String {
    let value = obligation.value();
    match obligation {
        Obligation::Memory(_) => format!("--memory {value}"),
        Obligation::Cpus(_) => format!("--cpus {value}"),
        Obligation::Pids(_) => format!("--pids-limit {value}"),
        Obligation::User(_) => format!("--user {value}"),
        Obligation::Env(_) => format!("--env {value}=..."),
        Obligation::NoNewPrivileges => "--security-opt no-new-privileges".to_owned(),
        Obligation::SecurityOption(_) => format!("--security-opt {value}"),
        Obligation::DropCapability(_) => format!("--cap-drop {value}"),
        Obligation::AddCapability(_) => format!("--cap-add {value}"),
    }
}

/// Parameters that are not known are left out at the gateway. Here the daemon would read them.
fn nothing_left_out(call: &Call, question: &Question) -> Result<(), Stop> {
    let target = Target::parse(question.head.target(), question.head.method());
    let target = target.map_err(|error| misread_here(&Misread::from(error)))?;
    let parameters = call.operation.endpoint().parameters;
    let left_out = target.query().names().find(|name| !parameters.contains(name) && !DEAD.contains(name));
    // `OPTIONS` executes nothing, whatever it names.
    match left_out.filter(|_| call.operation != Operation::SystemOptions) {
        None => Ok(()),
        Some(name) => {
            let (operation, name) = (call.operation.name(), name.to_owned());
            Err(misread_here(&Misread::Parameter { operation, name }))
        }
    }
}

/// An inspection of what is not there is judged by the name, as of a thing of which nothing is known: then the daemon
/// may say itself that there is none. Clients go by its 404, which no plugin can give.
fn by_name(call: &Call, question: &Question) -> Option<Facts> {
    let name = call.names.first()?.clone();
    let resource = match call.operation {
        Operation::ContainerInspect => Resource::Container(Container { name, ..Container::default() }),
        Operation::NetworkInspect => Resource::Network(Network { name, ..Network::default() }),
        Operation::VolumeInspect => Resource::Volume(Volume { name, ..Volume::default() }),
        Operation::ImageInspect => {
            let reference = Reference::parse(&name).ok()?.with_default_tag();
            Resource::Image(Image { reference: Some(reference), ..Image::default() })
        }
        _ => return None,
    };
    let (method, target) = (question.head.method().clone(), question.head.target().to_owned());
    let canonical = Canonical { method, target, body: CanonicalBody::None };
    let posed = Some(Arc::clone(&call.posed));
    Some(Facts { posed, ..Facts::plain(call.operation, call.version, vec![resource], canonical) })
}

/// What of a request the daemon shows to no plugin, and what all such are called.
fn unseen(request: &Request) -> Option<(&'static str, &'static str)> {
    match request {
        request if request.is_tunnel() => Some(("an unseen tunnel of BuildKit's", "these tunnels")),
        request if request.is_unread() => Some(("an unseen archive", "archives")),
        _ => None,
    }
}

/// An archive or a tunnel may ask for anything: whether it may pass unseen is a question of its own.
fn with_unseen(mut facts: Facts, part: &'static str) -> Facts {
    facts.privileges.push(Privilege::Unexamined { part });
    facts
}

fn withheld(call: &Call) -> Stop {
    let what = match call.body_kind() {
        BodyKind::Json => {
            "the daemon does not show its plugin the body of this request (of 1 MiB or more, or not declared \
                           as JSON)"
        }
        _ => "the daemon does not show its plugin whether this request has a body, nor what it holds",
    };
    forbidden(format!("{what}{GATEWAY}"))
}

/// At the gateway it would have been refused as well.
fn misread_here(misread: &Misread) -> Stop {
    Stop::malformed(misread)
}

fn unsealed(reason: &str) -> Stop {
    forbidden(format!("the request bears a seal of Dockwarden's that is not taken: {reason}"))
}

fn around() -> Stop {
    forbidden(
        "this daemon takes requests only through Dockwarden's gateway: point DOCKER_HOST or `docker context` at its \
         socket"
            .to_owned(),
    )
}

fn forbidden(words: String) -> Stop {
    Stop::new(Outcome::Refused, Answer::new(403, format!("dockwarden: {words}")))
}

/// Sent by clients of long ago, read by no daemon since 1.0.
const DEAD: &[&str] = &["trunc_cmd"];
const GATEWAY: &str = ": send it through Dockwarden's gateway, which looks into it.";
const GATEWAY_LIMITS: &str = ": send it through Dockwarden's gateway, which limits it to your own.";
const GATEWAY_COUNTS: &str = ": send it through Dockwarden's gateway, which does.";
const GATEWAY_ADDS: &str = " through Dockwarden's gateway, which does so by itself.";
