//! What was made around the gateway: the daemon shows its plugin the answers, too.
//!
//! It waits for us before it passes an answer on, so whose a thing is can be written down before the client hears of it.
//! Only small JSON answers are shown; what images a pull or a build made is not. A failure here comes too late to undo
//! anything: the client is told, and the thing is nobody's.

use std::sync::Arc;

use docker::answer;
use docker::body::base64;
use docker::endpoint::{Kind, Operation};
use docker::request::Call;
use serde::Deserialize;

use super::connection::Verdict;
use super::question::Question;
use super::{Plugin, subject};
use crate::firewall::making::made;
use crate::owners::{Owners, Thing};
use crate::seal;

/// The answer, as far as it is shown.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Shown {
    response_status_code: u16,
    response_body: Option<String>,
}

/// Writes down whose a thing is that was made.
pub(super) async fn learn(plugin: &Arc<Plugin>, bytes: &[u8]) -> Verdict {
    let Some(owners) = &plugin.firewall.settings.owners else { return Verdict::Allow };
    match thing(plugin, bytes) {
        None => Verdict::Allow,
        Some((owner, thing)) => match write_down(plugin, owners, owner, thing).await {
            Ok(()) => Verdict::Allow,
            Err(error) => Verdict::Deny(format!("it was made, but who owns it could not be written down: {error}")),
        },
    }
}

/// What was made, and by whom; nothing, where the gateway knows it, or nothing was made.
fn thing(plugin: &Arc<Plugin>, bytes: &[u8]) -> Option<(String, Thing)> {
    let question = Question::read(bytes).ok().filter(|question| question.field(seal::FIELD).is_none())?;
    let call = Call::read(&question.head, &plugin.firewall.settings.reading).ok()?;
    let kind = match call.operation {
        Operation::ContainerCreate => Kind::Container,
        Operation::VolumeCreate => Kind::Volume,
        Operation::NetworkCreate => Kind::Network,
        Operation::ImageCommit => Kind::Image,
        Operation::ServiceCreate => Kind::Service,
        Operation::SecretCreate => Kind::Secret,
        Operation::ConfigCreate => Kind::Config,
        _ => return None,
    };
    let shown: Shown = serde_json::from_slice(bytes).ok()?;
    let body = base64::decode(shown.response_body?.as_bytes()).filter(|_| shown.response_status_code < 300)?;
    let owner = subject::of(&question).ok()?.user;
    Some((owner, made(kind, &body)?))
}

async fn write_down(plugin: &Arc<Plugin>, owners: &Owners, owner: String, thing: Thing) -> Result<(), String> {
    let mut things = Vec::new();
    if thing.kind == Kind::Container {
        let body = plugin.firewall.inspected(Operation::ContainerInspect, &thing.id).await?;
        let volumes = body.map(|body| answer::volumes_of_container(&body)).transpose();
        let volumes = volumes.map_err(|error| error.to_string())?.unwrap_or_default();
        things.extend(volumes.into_iter().map(|id| Thing { kind: Kind::Volume, id }));
    }
    things.push(thing);
    owners.learn(owner, things).await.map_err(|unkept| unkept.to_string())
}
