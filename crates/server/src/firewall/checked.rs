//! Images that others are asked about before they are used; and what is used is what they were asked about.
//!
//! Who is refused by the policy is not asked about. A name is first settled: an image that is here is its id, one at a
//! registry is the digest that the daemon finds there, which then stands in the request in place of the tag. Asking may
//! take minutes, in which everything else that the request names may become something else: so everything is looked at
//! anew afterwards, and decided by that.

use std::collections::BTreeMap;
use std::sync::Arc;

use docker::endpoint::Operation;
use docker::facts::Facts;
use docker::http::Method;
use docker::image::Reference;
use docker::privilege::Privilege;
use docker::request::{Pins, Request};
use docker::target::encode_segment;
use policy::{Door, Mode, Policy, Subject};
use serde::Deserialize;

use super::answer::Answer;
use super::ask::{Line, ask, ask_as};
use super::entry::Entry;
use super::judge::{self, Stop};
use super::{Firewall, Manner, resolve};
use crate::checks::{Checked, Checks, Image, Use};
use crate::record::Outcome;

/// What was asked about for a request, and passes.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    checks: Arc<Checks>,
    images: Vec<Wanted>,
    settled: Settled,
    /// Whether everything must be looked at anew: time has passed, or something else is asked for now.
    pub(crate) anew: bool,
}

/// An image that a request uses, as others are asked about it; or why it cannot be told which it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    image: Image,
    wanted: Use,
    untold: Option<String>,
}

/// What names of images stand for, or why that is not known.
#[derive(Debug, Default)]
struct Settled {
    pins: Pins,
    untold: BTreeMap<Reference, String>,
}

/// A request on its way to a decision.
pub(crate) struct Asking<'a> {
    pub(crate) firewall: &'a Arc<Firewall>,
    pub(crate) line: &'a mut Line,
    pub(crate) subject: &'a Subject,
    pub(crate) entry: &'a mut Entry,
    pub(crate) policy: &'a Policy,
    pub(crate) door: Door,
    /// What the client sent for the registry (`X-Registry-Auth`).
    pub(crate) login: Option<Vec<u8>>,
}

/// Whether any image that an operation may use is to be checked.
pub(crate) fn concerns(firewall: &Firewall, operation: Operation) -> bool {
    use_of(operation).is_some() && !firewall.settings.checks.checks().is_empty()
}

impl Asking<'_> {
    /// Has the images of a request checked. Gives the request with names settled, if there is another now, and what passes.
    pub(crate) async fn check(&mut self, request: &Request, facts: &Facts) -> Result<(Option<Request>, Passed), Stop> {
        let passed = self.check_images(facts).await?;
        let pins = &passed.settled.pins;
        let pinned = (!pins.is_empty()).then(|| request.clone().pinned(pins.clone()));
        Ok((pinned, passed))
    }

    /// Has the images checked that are used by what has these facts.
    pub(crate) async fn check_images(&mut self, facts: &Facts) -> Result<Passed, Stop> {
        let checks = self.firewall.settings.checks.checks();
        let mut settled = Settled::default();
        // What is not there is not used: the answer to that is another.
        if checks.is_empty() || facts.absent.is_some() || wanted(&checks, facts, &settled).is_empty() {
            return Ok(Passed { checks, ..Passed::default() });
        }
        judge::refuse_early(self.entry, self.policy, self.subject, facts, self.door)?;
        if self.firewall.settings.manner == Manner::Rehearse {
            let all = wanted(&checks, facts, &settled);
            self.entry.checked(all.iter().flat_map(|one| checks.rehearse(&one.image, one.wanted)).collect());
            return Ok(Passed { checks, images: all, settled, anew: false });
        }
        self.settle(&checks, facts, &mut settled).await;
        let all = wanted(&checks, facts, &settled);
        let cached = match self.ask(&checks, &all).await {
            Ok(cached) => cached,
            Err(stop) => {
                // All was granted; the record tells that, too.
                let circumstances = judge::circumstances(self.door);
                self.entry.answers(&self.policy.judge(self.subject, facts, &circumstances).answers);
                return Err(stop);
            }
        };
        let anew = !cached || !settled.pins.is_empty();
        Ok(Passed { checks, images: all, settled, anew })
    }

    /// The same of an image that is to be fetched for a build: the digest to fetch it by. `None`: by its name.
    pub(crate) async fn fetch(&mut self, name: &Reference) -> Result<Option<Naming>, Stop> {
        let checks = self.firewall.settings.checks.checks();
        if !checks.concern(&Image::named(name.clone()), Use::Build) {
            return Ok(None);
        }
        let mut settled = Settled::default();
        if name.digest.is_none() {
            self.find(name, &mut settled).await;
        }
        self.ask(&checks, &[at_registry(name, Use::Build, &settled)]).await?;
        Ok(settled.naming())
    }

    /// Finds out what the names stand for that a registry knows.
    async fn settle(&mut self, checks: &Checks, facts: &Facts, settled: &mut Settled) {
        for privilege in &facts.privileges {
            match (facts.operation, privilege) {
                // Mounted by its id. (A container is looked at when it is made, and keeps the name of its image.)
                (Operation::ContainerCreate, Privilege::MountImage { image, .. }) => {
                    if let (Some(name), Some(id)) = (&image.reference, &image.id)
                        && checks.concern(&Image::here(image), Use::Create)
                    {
                        settled.pins.insert(name.clone().with_default_tag(), id.clone());
                    }
                }
                (Operation::ImageCreate, Privilege::PullImage { image })
                | (Operation::ServiceCreate | Operation::ServiceUpdate, Privilege::UseImage { image }) => {
                    let Some(name) = image.reference.as_ref().filter(|name| name.digest.is_none()) else { continue };
                    if let Some(wanted) = use_of(facts.operation)
                        && checks.concern(&Image::named(name.clone()), wanted)
                    {
                        self.find(name, settled).await;
                    }
                }
                _ => {}
            }
        }
    }

    /// Asks the daemon what its registry has under a name: by the very way that it would be fetched.
    async fn find(&mut self, name: &Reference, settled: &mut Settled) {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Found {
            descriptor: Descriptor,
        }
        #[derive(Deserialize)]
        struct Descriptor {
            digest: String,
        }
        if name.tag.is_none() {
            settled.untold.insert(name.clone(), "all tags at once cannot be checked, name one".to_owned());
            return;
        }
        let mut target = "/distribution/".to_owned();
        encode_segment(&mut target, &name.to_string());
        target.push_str("/json");
        let login = self.login.as_deref();
        let found = match ask_as(self.firewall, self.line, &target, login).await {
            Ok((200, body)) => serde_json::from_slice::<Found>(&body).ok().map(|found| found.descriptor.digest),
            Ok((_, body)) => {
                let why = resolve::said(&body).unwrap_or_default();
                settled.untold.insert(name.clone(), format!("its registry does not tell which image that is: {why}"));
                return;
            }
            Err(answer) => {
                settled.untold.insert(name.clone(), answer.message);
                return;
            }
        };
        let is_digest = |digest: &String| digest.strip_prefix("sha256:").is_some_and(docker::answer::is_id);
        match found.filter(is_digest) {
            Some(digest) => drop(settled.pins.insert(name.clone(), digest)),
            None => drop(settled.untold.insert(name.clone(), "the daemon does not tell its digest".to_owned())),
        }
    }

    /// Asks about images; the first that does not pass ends the exchange, where refusals are carried out. Whether all
    /// answers were known.
    async fn ask(&mut self, checks: &Checks, all: &[Wanted]) -> Result<bool, Stop> {
        let mut cached = true;
        let user = self.subject.user.clone();
        for Wanted { image, wanted, untold } in all {
            let told = match untold {
                Some(why) => checks.untold(image, *wanted, why),
                None => checks.ask(image, *wanted, &user, &self.firewall.settings.checks.turns).await,
            };
            cached &= told.iter().all(|told| told.cached);
            let refused = told.iter().find(|told| !told.passes).map(Checked::refusal);
            self.entry.checked(told);
            let Some(words) = refused else { continue };
            if self.policy.mode() == Mode::Enforce {
                let message = format!("dockwarden: {words} Record {}.", self.entry.id());
                let may_not = Some(format!("use image {}", image.describe()));
                return Err(Stop { may_not, ..Stop::new(Outcome::Refused, Answer::new(403, message)) });
            }
            tracing::warn!(user, "dockwarden: {words}");
            self.entry.warning(&format!("dockwarden: {words}"));
        }
        Ok(cached)
    }
}

impl Passed {
    /// Whether the request still uses what passes and nothing else, after everything was looked at anew.
    pub(crate) fn still(&self, facts: &Facts) -> Result<(), Stop> {
        let changed = wanted(&self.checks, facts, &self.settled).into_iter().find(|one| !self.images.contains(one));
        let Some(changed) = changed.filter(|_| facts.absent.is_none()) else { return Ok(()) };
        let image = changed.image.describe();
        let words = format!("dockwarden: image {image} became another one while it was checked; try again");
        Err(Stop::new(Outcome::Failed, Answer::new(409, words)))
    }

    /// The name to give to what is fetched by its digest.
    pub(crate) fn naming(&self, operation: Operation) -> Option<Naming> {
        self.settled.naming().filter(|_| operation == Operation::ImageCreate)
    }
}

impl Settled {
    fn naming(&self) -> Option<Naming> {
        let (name, digest) = self.pins.first_key_value()?;
        Some(Naming { name: name.clone(), digest: digest.clone() })
    }
}

/// An image that is fetched by its digest, and the name that it was asked for by: the daemon gives that to nothing that it
/// fetches so, and whoever asked looks for it.
#[derive(Debug, Clone)]
pub(crate) struct Naming {
    name: Reference,
    pub(crate) digest: String,
}

impl Naming {
    /// Gives it the name.
    pub(crate) async fn give(&self, firewall: &Firewall, line: &mut Line) -> Result<(), Answer> {
        let Naming { name, digest } = self;
        let mut target = "/images/".to_owned();
        encode_segment(&mut target, &format!("{}@{digest}", name.name()));
        target.push_str("/tag?repo=");
        encode_segment(&mut target, &name.name());
        target.push_str("&tag=");
        encode_segment(&mut target, name.tag.as_deref().unwrap_or_default());
        let answers = ask(firewall, line, &Method::Post, &[&target]).await?;
        match answers.first() {
            Some((201, _)) => Ok(()),
            other => {
                let status = other.map_or(0, |(status, _)| *status);
                Err(Answer::garbled(&format!("it answered {status} when {} was to be named", name.familiar())))
            }
        }
    }
}

/// The images of a request that a check has a say about.
fn wanted(checks: &Checks, facts: &Facts, settled: &Settled) -> Vec<Wanted> {
    let Some(wanted) = use_of(facts.operation) else { return Vec::new() };
    let mut all: Vec<Wanted> = Vec::new();
    for privilege in &facts.privileges {
        let one = match (wanted, privilege) {
            (Use::Build | Use::Service, Privilege::Unexamined { .. }) => {
                let why = "which images it uses cannot be seen".to_owned();
                Wanted { image: Image::unseen(), wanted, untold: Some(why) }
            }
            (Use::Create, Privilege::UseImage { image } | Privilege::MountImage { image, .. })
            | (Use::Build, Privilege::UseImage { image })
                if image.id.is_some() =>
            {
                Wanted { image: Image::here(image), wanted, untold: None }
            }
            (Use::Build, Privilege::PullImage { image }) if !is_here(facts, image.reference.as_ref()) => {
                let why = "it is not here, and would be fetched while it builds: pull it first".to_owned();
                let name = image.reference.clone();
                Wanted { image: name.map_or_else(Image::unseen, Image::named), wanted, untold: Some(why) }
            }
            (Use::Service, Privilege::MountImage { image, .. }) => {
                let why = "a service mounts it, and on other machines it may be another".to_owned();
                Wanted { image: Image::here(image), wanted, untold: Some(why) }
            }
            (Use::Pull, Privilege::PullImage { image }) | (Use::Service, Privilege::UseImage { image }) => {
                let Some(name) = &image.reference else { continue };
                at_registry(name, wanted, settled)
            }
            _ => continue,
        };
        if checks.concern(&one.image, wanted) && !all.contains(&one) {
            all.push(one);
        }
    }
    all
}

/// An image at a registry, by the digest that it is fetched by.
fn at_registry(name: &Reference, wanted: Use, settled: &Settled) -> Wanted {
    // A service's image that was settled names both, and is the same image.
    let tagged = Reference { digest: name.digest.clone().filter(|_| name.tag.is_none()), ..name.clone() };
    match name.digest.as_ref().or_else(|| settled.pins.get(name)) {
        Some(digest) => Wanted { image: Image::at_registry(tagged, digest.clone()), wanted, untold: None },
        None => {
            let why = settled.untold.get(name).cloned();
            let why = why.unwrap_or_else(|| "it is not known which image that is".to_owned());
            Wanted { image: Image::named(name.clone()), wanted, untold: Some(why) }
        }
    }
}

/// Whether a build has the image that it may fetch.
fn is_here(facts: &Facts, name: Option<&Reference>) -> bool {
    facts.privileges.iter().any(|privilege| match privilege {
        Privilege::UseImage { image } => image.id.is_some() && image.reference.as_ref() == name && name.is_some(),
        _ => false,
    })
}

fn use_of(operation: Operation) -> Option<Use> {
    Some(match operation {
        Operation::ContainerCreate => Use::Create,
        Operation::ImageCreate => Use::Pull,
        Operation::ServiceCreate | Operation::ServiceUpdate => Use::Service,
        Operation::ImageBuild => Use::Build,
        _ => return None,
    })
}
