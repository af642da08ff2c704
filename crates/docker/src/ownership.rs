//! To whom things belong, and the label that says so on the things themselves.
//!
//! What counts is what the firewall has recorded under a thing's immutable id. The label is for people, for the
//! daemon's own filters, and for finding out whose a thing is that was made in the moment of a crash. Clients cannot
//! set it: theirs is overwritten, or refused where nothing can be rewritten.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::body::container::CreateRequest;
use crate::body::mount::Mount;
use crate::endpoint::{Kind, Operation};
use crate::json;
use crate::request::{Body, Misread};
use crate::target::Query;

/// To whom a thing belongs. An image may belong to several, who each pulled or built the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ownership {
    /// The users whose it is. Nobody's: it was there before the firewall, or made around it.
    pub owners: Vec<String>,
    /// The groups that may handle it like its owners.
    pub shared_with: Vec<String>,
    /// Whether it is an image for all to use: it was there before the firewall, or an administrator says so.
    pub everybodys: bool,
}

/// What a request makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Making {
    /// The kind of the thing.
    pub kind: Kind,
    /// The names by which it can be found; of images all that they are given.
    pub names: Vec<String>,
    /// The volumes that are made with it, or that it is; an anonymous one has an empty name.
    pub volumes: Vec<String>,
    /// The limit of a container on memory in bytes, 0 for none.
    pub memory: i64,
    /// The limit of a container on CPUs in billionths of a CPU, 0 for none.
    pub nano_cpus: i64,
    /// Ports of the host that it publishes; -1 where only the image knows how many.
    pub ports: i64,
}

/// The label that names the owner of a thing.
pub const OWNER_LABEL: &str = "dockwarden.owner";
/// The label that names the record of the request that made a thing: nobody else can know it beforehand.
pub const RECORD_LABEL: &str = "dockwarden.record";
/// The label by which the maker of a thing shares it with groups: `dev` or `dev,qa`.
pub const SHARED_LABEL: &str = "dockwarden.shared-with";

type Labels = Option<BTreeMap<String, String>>;

/// Writes the owner into the labels of what a request makes. `owner`: `None` for a thing that is nobody's.
pub(crate) fn stamp(
    operation: Operation,
    body: &mut Body,
    query: &mut Query,
    owner: Option<&str>,
    record: Option<&str>,
) -> Result<(), Misread> {
    if operation == Operation::ImageBuild {
        return stamp_build(query, owner);
    }
    // An image's label would be another one each time, and its id with it.
    let record = record.filter(|_| operation != Operation::ImageCommit);
    if operation == Operation::ImageCommit && *body == Body::None {
        *body = Body::Commit(Box::new(json::Body::new(CreateRequest::default())));
    }
    for (labels, of_the_thing) in all_labels(body) {
        if let Some(labels) = labels {
            labels.remove(OWNER_LABEL);
            labels.remove(RECORD_LABEL);
        }
        if let Some(record) = record.filter(|_| of_the_thing) {
            labels.get_or_insert_default().insert(RECORD_LABEL.to_owned(), record.to_owned());
        }
        if let Some(owner) = owner.filter(|_| of_the_thing) {
            labels.get_or_insert_default().insert(OWNER_LABEL.to_owned(), owner.to_owned());
        }
    }
    Ok(())
}

/// A build takes labels as JSON in its query; they win over those of the Dockerfile.
fn stamp_build(query: &mut Query, owner: Option<&str>) -> Result<(), Misread> {
    let mut labels = build_labels(query)?;
    labels.remove(OWNER_LABEL);
    if let Some(owner) = owner {
        labels.insert(OWNER_LABEL.to_owned(), owner.to_owned());
    }
    if !labels.is_empty() || !query.value("labels")?.is_empty() {
        query.set("labels", serde_json::json!(labels).to_string());
    }
    Ok(())
}

fn build_labels(query: &Query) -> Result<BTreeMap<String, String>, Misread> {
    match query.value("labels")? {
        "" | "null" => Ok(BTreeMap::new()),
        text => Ok(json::read::<BTreeMap<String, String>>(text.as_bytes(), &json::Options::default())?.into_value()),
    }
}

/// Adds to the filters of a prune that only things with this owner's label are meant.
pub(crate) fn limit(query: &mut Query, owner: &str) -> Result<(), Misread> {
    let wanted = format!("{OWNER_LABEL}={owner}");
    let mut filters: BTreeMap<String, Value> = match query.value("filters")? {
        "" => BTreeMap::new(),
        // What is read here is what is sent: it cannot be read in two ways.
        text => serde_json::from_str(text).map_err(|_| Misread::value("filters", "is no JSON object"))?,
    };
    // Two forms, of which clients of 2015 send the list.
    match filters.entry("label".to_owned()).or_insert_with(|| Value::Object(serde_json::Map::new())) {
        Value::Object(labels) => drop(labels.insert(wanted, Value::Bool(true))),
        Value::Array(labels) => labels.push(Value::String(wanted)),
        _ => return Err(Misread::value("filters", "holds a `label` that is no list")),
    }
    query.set("filters", serde_json::json!(filters).to_string());
    Ok(())
}

/// Refuses labels of ours where they cannot be rewritten.
pub(crate) fn refuse_labels(operation: Operation, body: &mut Body, query: &Query) -> Result<(), Misread> {
    let of_build = if operation == Operation::ImageBuild { build_labels(query)? } else { BTreeMap::new() };
    let given = all_labels(body).into_iter().flat_map(|(labels, _)| labels.iter().flatten());
    match given.chain(&of_build).map(|(name, _)| name).find(|name| name.as_str() == OWNER_LABEL) {
        Some(_) => Err(Misread::value("Labels", "holds `dockwarden.owner`, which only the firewall sets")),
        None => Ok(()),
    }
}

/// The groups that the maker of a thing shares it with.
pub(crate) fn shared_with(body: &mut Body) -> Vec<String> {
    let of_the_thing = all_labels(body).into_iter().find(|(_, of_the_thing)| *of_the_thing);
    let named = of_the_thing.and_then(|(labels, _)| labels.as_ref()?.get(SHARED_LABEL));
    let names = named.map_or("", String::as_str).split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// The labels in a body: those of the thing that is made, and those of others that it brings along.
fn all_labels(body: &mut Body) -> Vec<(&mut Labels, bool)> {
    match body {
        Body::Create(body) | Body::Commit(body) => {
            let body = body.value_mut();
            let mounts = body.host_config.as_mut().and_then(|host| host.mounts.as_mut());
            of_volumes(mounts).chain([(&mut body.labels, true)]).collect()
        }
        Body::VolumeCreate(body) => vec![(&mut body.value_mut().labels, true)],
        Body::NetworkCreate(body) => vec![(&mut body.value_mut().labels, true)],
        Body::Secret(body) => vec![(&mut body.value_mut().labels, true)],
        Body::Config(body) => vec![(&mut body.value_mut().labels, true)],
        Body::Service(body) => {
            let body = body.value_mut();
            let mut all = vec![(&mut body.labels, true)];
            if let Some(spec) = &mut body.task_template.container_spec {
                all.push((&mut spec.labels, false));
                all.extend(of_volumes(spec.mounts.as_mut()));
            }
            all
        }
        _ => Vec::new(),
    }
}

/// The labels of volumes that would be made with what mounts them.
fn of_volumes(mounts: Option<&mut Vec<Mount>>) -> impl Iterator<Item = (&mut Labels, bool)> {
    mounts.into_iter().flatten().filter_map(|mount| Some((&mut mount.volume_options.as_mut()?.labels, false)))
}
