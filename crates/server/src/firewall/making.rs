//! What is to be written down about a request: before it is sent, that something is about to be made and for whom; once
//! the daemon has done it, what was made.

use std::sync::Arc;

use docker::answer;
use docker::endpoint::{Kind, Operation};
use docker::facts::Facts;
use docker::ownership::{Making, Ownership};
use docker::resource::Resource;
use policy::{Mode, Policy, Quota, Subject};
use serde::Deserialize;

use super::Firewall;
use super::answer::Answer;
use super::judge::Stop;
use crate::owners::{Exceeded, Hindrance, Intent, Owners, Thing, Usage, Wish};
use crate::record::Outcome;

/// What a request does to what somebody owns, told by its facts.
pub(crate) struct Plan {
    wish: Option<(Making, Vec<String>)>,
    /// The container whose limits it changes, and what they will be.
    limits: Option<(String, i64, i64)>,
    /// Whether it only gives a name to an image that is there.
    only_names: bool,
    /// When the looks began that it was judged by.
    looked: u64,
}

/// What is to be written down once the daemon has done it.
#[derive(Debug)]
pub(crate) enum Afterwards {
    /// Nothing.
    Nothing,
    /// Something is made.
    Making(Intent),
    /// A name is given, and nothing made.
    Naming(Intent),
    /// The limits of a container are changed.
    Resizing(Resizing),
}

/// A change of a container's limits under way; they are counted already, and counted as before again if it fails.
#[derive(Debug)]
pub(crate) struct Resizing {
    owners: Arc<Owners>,
    id: String,
    memory: i64,
    cpus: i64,
    before: Usage,
    done: bool,
}

impl Plan {
    pub(crate) fn new(facts: &Facts, looked: u64) -> Plan {
        let limits = match (facts.operation, facts.resources.first(), &facts.spec) {
            (Operation::ContainerUpdate, Some(Resource::Container(container)), Some(spec)) => {
                Some((container.id.clone(), spec.memory, spec.nano_cpus))
            }
            _ => None,
        };
        let only_names = facts.operation == Operation::ImageTag;
        Plan { wish: facts.makes.clone().map(|making| (making, facts.shared_with.clone())), limits, only_names, looked }
    }

    /// Writes down what is about to be made, if it may be.
    pub(crate) async fn begin(
        self,
        owners: &Arc<Owners>,
        policy: &Policy,
        subject: &Subject,
        record: &str,
    ) -> Result<Afterwards, Stop> {
        // In the modes that only warn, quotas are not in force either.
        let quota = if policy.mode() == Mode::Enforce { policy.quota(subject) } else { Quota::default() };
        if let Some((making, shared_with)) = self.wish {
            let wish = Wish { making, owner: subject.user.clone(), shared_with };
            let begun = owners.begin(record.to_owned(), wish, &quota, self.looked).await;
            let intent = begun.map_err(|hindrance| hindered(&hindrance))?;
            return Ok(if self.only_names { Afterwards::Naming(intent) } else { Afterwards::Making(intent) });
        }
        let Some((id, memory, cpus)) = self.limits else { return Ok(Afterwards::Nothing) };
        let resized = owners.resize(&id, memory, cpus, &quota).map_err(|exceeded| over(&exceeded))?;
        let resizing = |before| Resizing { owners: Arc::clone(owners), id, memory, cpus, before, done: false };
        Ok(resized.map_or(Afterwards::Nothing, |before| Afterwards::Resizing(resizing(before))))
    }
}

fn hindered(hindrance: &Hindrance) -> Stop {
    match hindrance {
        Hindrance::Exceeded(exceeded) => over(exceeded),
        Hindrance::Taken(_) => Stop::new(Outcome::Refused, Answer::new(409, format!("dockwarden: {hindrance}"))),
        Hindrance::Unkept(unkept) => {
            let words =
                format!("dockwarden: nothing can be made while nobody can be written down as its owner: {unkept}");
            Stop::new(Outcome::Failed, Answer::new(503, words))
        }
    }
}

fn over(exceeded: &Exceeded) -> Stop {
    Stop::new(Outcome::Refused, Answer::new(403, format!("dockwarden: {exceeded} (quotas)")))
}

impl Resizing {
    /// It was done.
    pub(crate) async fn done(mut self) {
        self.done = true;
        if let Err(error) = self.owners.resized(self.id.clone(), self.memory, self.cpus).await {
            // It counts with them as long as this process lives; the next one counts with what the daemon says.
            tracing::warn!(container = self.id, "its new limits could not be written down: {error}");
        }
    }
}

impl Drop for Resizing {
    fn drop(&mut self) {
        if !self.done {
            let Usage { memory, cpus, .. } = self.before;
            let _ = self.owners.resize(&self.id, memory, cpus, &Quota::default());
        }
    }
}

impl Firewall {
    /// Writes into a thing whose it is.
    pub(crate) fn mark(&self, resource: &mut Resource) {
        if let Some(owners) = &self.settings.owners {
            owners.mark(resource);
        }
    }

    /// Whose a thing is.
    pub(crate) fn owners_of(&self, kind: Kind, id: &str) -> Ownership {
        self.settings.owners.as_ref().map(|owners| owners.of(kind, id)).unwrap_or_default()
    }
}

/// The daemon's answer to something that makes a thing: each kind has its own word for the id.
#[derive(Deserialize)]
struct Made {
    #[serde(rename = "Id", alias = "ID")]
    id: Option<String>,
    #[serde(rename = "Name")]
    name: Option<String>,
}

/// The thing that the daemon says it has made.
pub(crate) fn made(kind: Kind, body: &[u8]) -> Option<Thing> {
    let made: Made = serde_json::from_slice(body).ok()?;
    let id = if kind == Kind::Volume { made.name } else { made.id };
    let id = id.filter(|id| !id.is_empty())?;
    // Old daemons answer a commit without it.
    let id = if kind == Kind::Image && answer::is_id(&id) { format!("sha256:{id}") } else { id };
    Some(Thing { kind, id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_word() {
        let id = "4".repeat(64);
        for (kind, body, made_id) in [
            (Kind::Container, format!(r#"{{"Id":"{id}","Warnings":[]}}"#), Some(id.clone())),
            (Kind::Volume, r#"{"Name":"data","Driver":"local"}"#.to_owned(), Some("data".to_owned())),
            (Kind::Secret, r#"{"ID":"abc"}"#.to_owned(), Some("abc".to_owned())),
            (Kind::Image, format!(r#"{{"Id":"{id}"}}"#), Some(format!("sha256:{id}"))),
            (Kind::Network, r#"{"Warning":""}"#.to_owned(), None),
            (Kind::Network, "[]".to_owned(), None),
        ] {
            assert_eq!(made(kind, body.as_bytes()).map(|thing| thing.id), made_id, "{body}");
        }
    }
}
