//! A prune by somebody who does not see everything touches only their own.
//!
//! The daemon is told to look at the label that names the owner. It cannot be told more: so what bears the label and was
//! given away since, or belongs to others too, keeps the prune from being sent.

use docker::endpoint::{Kind, Operation};
use docker::ownership::OWNER_LABEL;
use docker::request::Request;
use docker::target::encode_segment;
use policy::{Door, Policy, Subject};

use super::Firewall;
use super::answer::Answer;
use super::judge::{Stop, circumstances};
use crate::record::Outcome;

/// The request, limited where it is a prune by somebody who does not see everything.
pub(crate) fn limited(policy: &Policy, subject: &Subject, request: Request, door: Door) -> Request {
    let operation = request.call.operation;
    let removes_image = operation == Operation::ImageDelete;
    if (kind(operation).is_none() && !removes_image) || policy.shows_daemon(subject, operation, &circumstances(door)) {
        return request;
    }
    if removes_image { request.keeping_parents() } else { request.only_of(&subject.user) }
}

/// Whether all that bears a subject's label is theirs alone.
pub(crate) async fn only_own(firewall: &Firewall, subject: &Subject, operation: Operation) -> Result<(), Stop> {
    let Some((kind, list, path)) = kind(operation) else { return Ok(()) };
    let mut target = path.to_owned();
    let filters = serde_json::json!({ "label": [format!("{OWNER_LABEL}={}", subject.user)] });
    encode_segment(&mut target, &filters.to_string());
    let listed = firewall.list(kind, list, &target).await;
    let listed = listed.map_err(|error| Stop::new(Outcome::Failed, Answer::garbled(&error)))?;
    let theirs = |id: &str| firewall.owners_of(kind, id).owners == [subject.user.as_str()];
    let others = listed.into_iter().flatten().filter(|found| !theirs(&found.thing.id)).count();
    if others == 0 {
        return Ok(());
    }
    let words = format!(
        "dockwarden: may not prune: {others} of what was made by you belongs to others now; remove your own one by one"
    );
    Err(Stop::new(Outcome::Refused, Answer::new(403, words)))
}

/// What a prune is of, and how such things are listed by a filter.
fn kind(operation: Operation) -> Option<(Kind, Operation, &'static str)> {
    Some(match operation {
        Operation::ContainerPrune => (Kind::Container, Operation::ContainerList, "/containers/json?all=1&filters="),
        Operation::ImagePrune => (Kind::Image, Operation::ImageList, "/images/json?all=1&filters="),
        Operation::VolumePrune => (Kind::Volume, Operation::VolumeList, "/volumes?filters="),
        Operation::NetworkPrune => (Kind::Network, Operation::NetworkList, "/networks?filters="),
        _ => return None,
    })
}
