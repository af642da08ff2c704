//! A build as it is asked for, or as BuildKit has worked it out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::append::{self, Of};
use super::message::bridge::{
    NewContainerRequest, Ref, ResolveImageConfigRequest, ResolveSourceMetaRequest, SolveResponse, SolveResult,
};
use super::message::llb::Definition;
use super::message::{bridge, control};
use super::wire::{Reader, Strictness};
use crate::endpoint::{Kind, Operation};
use crate::facts::{Canonical, CanonicalBody, Facts};
use crate::http::Method;
use crate::ownership::{Making, OWNER_LABEL};
use crate::privilege::Privilege;
use crate::privilege::asked::Asked;
use crate::request::{Misread, Unsettled};
use crate::resource::Resource;
use crate::world::World;

mod attributes;
mod graph;
mod looks;
mod operation;
mod output;
mod place;
mod results;
mod source;

pub use place::Place;
pub use results::named;

use graph::Graph;
use place::{File, Spot};

/// The method whose answer is judged too.
pub const BRIDGE_SOLVE: &str = "/moby.buildkit.v1.frontend.LLBBridge/Solve";

/// How messages are read, and what is appended to them.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// Fields that are not known and let through all the same: `Control.SolveRequest.18`.
    pub allow_fields: &'a BTreeSet<String>,
    /// Whether the Dockerfile may name its own frontend; that is asked for then. Otherwise the built-in one reads it.
    pub any_frontend: bool,
    /// The beginning of the names of the folders that are kept for later builds, where they are kept apart.
    pub cache_namespace: Option<&'a str>,
    /// Whose the image is, where images are labelled so.
    pub owner: Option<&'a str>,
    /// Sources that BuildKit itself is told to refuse, with `*` for anything: a second net.
    pub deny_sources: &'a [&'a str],
    /// What of these it takes all the same.
    pub allow_sources: &'a [String],
}

/// A call that asks for a build or a part of one, or the answer to it.
#[derive(Debug, Clone)]
pub struct Build {
    path: &'static str,
    message: Vec<u8>,
    content: Content,
    /// What is to be done, as far as it is told here.
    graphs: Vec<Graph>,
    /// What it was made from, as far as it is told.
    files: Arc<Vec<File>>,
    /// The results that it names, or gives.
    results: BTreeSet<String>,
    /// How much it holds, in bytes.
    held: usize,
    begins: Option<String>,
    any_frontend: bool,
    cache_namespace: Option<String>,
    owner: Option<String>,
}

#[derive(Debug, Clone)]
enum Content {
    Control(Box<control::SolveRequest>),
    Bridge(Box<bridge::SolveRequest>),
    Answer,
    Image(Box<ResolveImageConfigRequest>),
    Source(Box<ResolveSourceMetaRequest>),
    Container(Box<NewContainerRequest>),
}

/// The facts of a build, and where its privileges come from.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The facts.
    pub facts: Facts,
    /// For each of their privileges, in the same order, the first step of the Dockerfile that asks for it.
    spots: Vec<Option<Spot>>,
    files: Arc<Vec<File>>,
}

impl Judged {
    /// The first step that asks for a privilege.
    pub fn place(&self, privilege: &Privilege) -> Option<Place> {
        let at = self.facts.privileges.iter().position(|other| other == privilege)?;
        self.spots.get(at)?.and_then(|spot| spot.place(&self.files))
    }
}

impl Build {
    /// The request of a method that is judged.
    pub fn of_request(method: &super::method::Method, message: &[u8], reading: &Reading<'_>) -> Result<Build, Misread> {
        let mut reader = Reader::new(Strictness::Known(reading.allow_fields), message.len());
        let mut build = Build::new(method.path, message, reading);
        match method.name() {
            "Control/Solve" => {
                let asked: control::SolveRequest = reader.read(message)?;
                build.graphs(
                    asked.definition.iter().chain(asked.frontend_inputs.values().map(|it| &it.0)),
                    &mut reader,
                )?;
                build.begins = Some(asked.reference.clone());
                if !reading.deny_sources.is_empty() && asked.source_policy.is_none() {
                    let but = reading.allow_sources;
                    append::deny_sources(Of::Control, &mut build.message, reading.deny_sources, but);
                }
                if !asked.frontend.is_empty() {
                    build.settle(Of::Control, &asked.frontend_attrs)?;
                }
                build.content = Content::Control(Box::new(asked));
            }
            "LLBBridge/Solve" => {
                let asked: bridge::SolveRequest = reader.read(message)?;
                build.graphs(
                    asked.definition.iter().chain(asked.frontend_inputs.values().map(|it| &it.0)),
                    &mut reader,
                )?;
                if asked.evaluate {
                    append::no_evaluation(&mut build.message);
                }
                if !asked.frontend.is_empty() {
                    build.settle(Of::Bridge, &asked.frontend_opt)?;
                }
                build.content = Content::Bridge(Box::new(asked));
            }
            "LLBBridge/ResolveImageConfig" => build.content = Content::Image(Box::new(reader.read(message)?)),
            "LLBBridge/ResolveSourceMeta" => build.content = Content::Source(Box::new(reader.read(message)?)),
            "LLBBridge/NewContainer" => {
                let asked: NewContainerRequest = reader.read(message)?;
                build.results = results::mounted(&asked);
                build.content = Content::Container(Box::new(asked));
            }
            _ => return Err(Misread::value(method.path, "is not judged")),
        }
        build.held = build.held.saturating_add(reader.held());
        Ok(build)
    }

    fn new(path: &'static str, message: &[u8], reading: &Reading<'_>) -> Build {
        Build {
            path,
            message: message.to_vec(),
            content: Content::Answer,
            graphs: Vec::new(),
            files: Arc::default(),
            results: BTreeSet::new(),
            held: message.len(),
            begins: None,
            any_frontend: reading.any_frontend,
            cache_namespace: reading.cache_namespace.map(str::to_owned),
            owner: reading.owner.map(str::to_owned),
        }
    }

    /// The answer to `LLBBridge/Solve`: what BuildKit would do, before it does it.
    pub fn of_answer(message: &[u8], reading: &Reading<'_>) -> Result<Build, Misread> {
        let mut reader = Reader::new(Strictness::Known(reading.allow_fields), message.len());
        let answer: SolveResponse = reader.read(message)?;
        let mut build = Build::new(BRIDGE_SOLVE, message, &Reading { any_frontend: false, ..*reading });
        build.graphs(definitions(&answer)?.into_iter(), &mut reader)?;
        build.results = answer.result.iter().flat_map(results::of).map(str::to_owned).collect();
        build.held = build.held.saturating_add(reader.held());
        Ok(build)
    }

    /// What is appended where a frontend is at work.
    fn settle(&mut self, of: Of, attrs: &BTreeMap<String, String>) -> Result<(), Misread> {
        // Told of a command line, it looks for no other frontend.
        if !self.any_frontend && !attrs.contains_key("cmdline") {
            append::built_in_frontend(of, &mut self.message);
        }
        // Labels that are asked for win over those of the Dockerfile.
        let label = format!("label:{OWNER_LABEL}");
        match &self.owner {
            Some(owner) => append::attribute(of, &mut self.message, &label, owner),
            None if attrs.contains_key(&label) => {
                return Err(Misread::value("a label", "is `dockwarden.owner`, which only the firewall sets"));
            }
            None => {}
        }
        if let Some(namespace) = &self.cache_namespace {
            append::cache_namespace(of, &mut self.message, namespace);
        }
        Ok(())
    }

    fn graphs<'d>(
        &mut self,
        definitions: impl Iterator<Item = &'d Definition>,
        reader: &mut Reader<'_>,
    ) -> Result<(), Misread> {
        let mut files = Vec::new();
        for definition in definitions {
            self.graphs.extend(Graph::read(definition, reader, &mut files)?);
        }
        self.files = Arc::new(files);
        Ok(())
    }

    /// The method.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The name of the build that it begins.
    pub fn begins(&self) -> Option<&str> {
        self.begins.as_deref()
    }

    /// The ids of the results that an answer gives, or that a call names. One that is named must have been given by an
    /// answer that was judged: BuildKit has more, of answers that were withheld, and tells their ids to whoever asks for one
    /// that there is not.
    pub fn results(&self) -> &BTreeSet<String> {
        &self.results
    }

    /// How much it holds, in bytes.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Whether it asks BuildKit for nothing but a build that its client drives step by step: nothing runs before a step's
    /// answer was told, and nothing is made.
    pub fn only_begins(&self) -> bool {
        match &self.content {
            Content::Control(asked) => asked.frontend.is_empty() && asked.definition.is_none(),
            _ => false,
        }
    }

    /// Whether it begins a build of the client's own house-keeping, which gives no image.
    pub fn is_internal(&self) -> bool {
        matches!(&self.content, Content::Control(asked) if asked.internal && asked.exporters.is_empty() && asked.exporter.is_empty())
    }

    /// The sessions that files, secrets and logins would be taken from: each must be the subject's own.
    pub fn sessions(&self) -> Vec<&str> {
        let mut sessions: Vec<&str> = self.graphs.iter().flat_map(Graph::sessions).collect();
        match &self.content {
            Content::Control(asked) => {
                sessions.push(&asked.session);
                sessions.push(&asked.source_policy_session);
                sessions.extend(attributes::sessions(&asked.frontend_attrs));
            }
            Content::Bridge(asked) => sessions.extend(attributes::sessions(&asked.frontend_opt)),
            Content::Image(asked) => sessions.push(&asked.session_id),
            Content::Source(asked) => sessions.extend(asked.source.iter().flat_map(source::sessions)),
            Content::Answer | Content::Container(_) => {}
        }
        for session in &mut sessions {
            // As BuildKit looks for it: what stands before the first colon only tells contexts apart.
            *session = session.split_once(':').map(|(_, id)| id).filter(|id| !id.is_empty()).unwrap_or(session);
        }
        sessions.retain(|session| !session.is_empty());
        sessions.sort_unstable();
        sessions.dedup();
        sessions
    }

    /// What it is about, given what is known of the world. While that lacks something, the answer is
    /// [`Unsettled::Open`].
    pub fn facts(&self, world: &World) -> Result<Judged, Unsettled> {
        let mut asked = Asked::new(world);
        let mut spots = Vec::new();
        let outcome = self.ask(&mut asked, &mut spots);
        let open = world.take_open();
        if world.asked_too_much() || asked.too_much {
            return Err(Misread::TooMuch.into());
        }
        if !open.is_empty() {
            return Err(Unsettled::Open(open));
        }
        outcome?;
        spots.resize(asked.privileges.len(), None);
        let body = CanonicalBody::Message(self.message.clone());
        let canonical = Canonical { method: Method::Post, target: self.path.to_owned(), body };
        let mut facts = Facts::plain(Operation::ImageBuild, None, vec![Resource::Daemon], canonical);
        facts.makes = self.making(&asked.privileges);
        facts.privileges = asked.privileges;
        Ok(Judged { facts, spots, files: Arc::clone(&self.files) })
    }

    fn ask(&self, asked: &mut Asked<'_>, spots: &mut Vec<Option<Spot>>) -> Result<(), Misread> {
        match &self.content {
            Content::Control(solve) => asked.control_solve(solve, self.any_frontend)?,
            Content::Bridge(solve) => asked.bridge_solve(solve, self.any_frontend)?,
            Content::Answer => {}
            Content::Image(look) => asked.look_at_image(look)?,
            Content::Source(look) => asked.look_at_source(look)?,
            Content::Container(container) => asked.build_container(container, self.cache_namespace.as_deref())?,
        }
        for step in self.graphs.iter().flat_map(|graph| &graph.steps) {
            spots.resize(asked.privileges.len(), None);
            asked.operation(&step.op, self.cache_namespace.as_deref())?;
            spots.resize(asked.privileges.len(), step.spot);
        }
        Ok(())
    }

    /// The images that there will be, where it begins a build.
    fn making(&self, privileges: &[Privilege]) -> Option<Making> {
        self.begins.as_ref()?;
        let images = privileges.iter().filter_map(|privilege| match privilege {
            Privilege::NameImage { image } => image.reference.clone(),
            _ => None,
        });
        let names = images.map(|reference| reference.familiar()).collect();
        Some(Making { kind: Kind::Image, names, volumes: Vec::new(), memory: 0, nano_cpus: 0, ports: 0 })
    }
}

/// What gives the results of an answer. A result of which that is not told cannot be judged.
fn definitions(answer: &SolveResponse) -> Result<Vec<&Definition>, Misread> {
    let untold = |what: &SolveResult| !what.old_ref.is_empty() || what.old_refs.is_some();
    if !answer.reference.is_empty() || answer.result.iter().any(untold) {
        return Err(Misread::value("a result of BuildKit's", "does not tell how it is made"));
    }
    let told = |it: &Ref| it.id.is_empty() || it.def.as_ref().is_some_and(|def| !def.def.is_empty());
    let refs: Vec<&Ref> = answer.result.iter().flat_map(results::refs).collect();
    if !refs.iter().all(|it| told(it)) {
        return Err(Misread::value("a result of BuildKit's", "does not tell how it is made"));
    }
    Ok(refs.into_iter().filter_map(|it| it.def.as_ref()).collect())
}

#[cfg(test)]
mod tests;
