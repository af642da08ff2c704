//! What a subject is shown of answers: which things of a list, and which values within them.
//!
//! Asked first is `show` on the daemon: who is shown the daemon is shown all, and answers pass untouched. Otherwise,
//! and where some policy forbids to show things, each thing is asked about by itself, with the facts that a list tells:
//! id, name, labels and image. A policy that wants to know more cannot be evaluated, and the thing is not shown.

use std::sync::Arc;

use docker::answer::filter::{Answered as Form, Redactions, holds_mark, shape};
use docker::endpoint::Operation;
use docker::facts::{Canonical, CanonicalBody, Facts};
use docker::http::Method;
use docker::privilege::{Peer, Privilege};
use docker::resource::{Image, Resource};
use docker::target::ApiVersion;

use crate::cache::Key;
use crate::decision::{Answered, Circumstances, Mode, Refusal};
use crate::judge::{Case, Judge};
use crate::message::{operation_words, printable};
use crate::{Policy, Subject};

mod forbidden;

pub(crate) use forbidden::Forbidden;

/// How the answer to a granted request must be changed on its way to the client.
#[derive(Debug)]
pub struct Filter {
    form: Option<Form>,
    hides: bool,
    redactions: Redactions,
    own_redactions: Redactions,
    operation: Operation,
    version: Option<ApiVersion>,
    request: String,
}

impl Filter {
    /// The form of the answer; `None`: it passes as it is, if it is no error.
    pub fn form(&self) -> Option<Form> {
        self.form
    }

    /// Whether there are things that are not shown. Then errors must not name them either.
    pub fn hides(&self) -> bool {
        self.hides
    }

    /// The values that are hidden within things.
    pub fn redactions(&self) -> &Redactions {
        &self.redactions
    }

    /// The values that are hidden within things that belong to who asks.
    pub fn own_redactions(&self) -> &Redactions {
        &self.own_redactions
    }

    /// The target of the request: what it names itself, errors may name.
    pub fn request(&self) -> &str {
        &self.request
    }
}

/// Somebody who is shown things, or is not.
pub struct Viewer<'a> {
    policy: &'a Policy,
    subject: &'a Subject,
    groups: Vec<&'a str>,
    facts: Facts,
    circumstances: Circumstances,
}

impl Viewer<'_> {
    /// Who asks.
    pub fn user(&self) -> &str {
        &self.subject.user
    }

    /// Whether that is shown.
    pub fn sees(&self, resource: &Resource) -> bool {
        self.ask(resource).allowed
    }

    fn ask(&self, resource: &Resource) -> Answered {
        let Viewer { policy, subject, groups, facts, circumstances } = self;
        let judge = Judge { world: &policy.base.world, index: &policy.index, describe: &|id| policy.reference(id) };
        judge.show(&Case { subject, groups, facts, circumstances }, resource)
    }
}

impl Policy {
    /// How the answer to a request must be changed; `None`: not at all.
    pub(crate) fn filter(
        &self,
        subject: &Subject,
        facts: &Facts,
        circumstances: &Circumstances,
    ) -> Option<Box<Filter>> {
        let redact = &self.base.gathered.redact;
        let groups = if redact.is_empty() { Vec::new() } else { self.groups(subject) };
        let own_redactions = redact.of(&subject.user, &groups, true);
        // What is asked about by itself is known to be their own or not; of a list it is found out thing by thing.
        let redactions = match facts.resources.first() {
            Some(resource) if resource.is_of(&subject.user) => own_redactions.clone(),
            _ => redact.of(&subject.user, &groups, false),
        };
        let hides = self.hides(subject, facts, circumstances);
        let must_change = |form: &Form| {
            form.items.iter().any(|item| redactions.reach(*item) || (hides && (form.listed || item.names_others())))
        };
        let form = shape(facts.operation).filter(must_change);
        let filter = || Filter {
            form,
            hides,
            redactions,
            own_redactions,
            operation: facts.operation,
            version: facts.version,
            request: facts.canonical.target.clone(),
        };
        (hides || form.is_some()).then(|| Box::new(filter()))
    }

    /// Somebody who asked for an answer that is filtered.
    pub fn viewer<'a>(&'a self, subject: &'a Subject, filter: &Filter, circumstances: &Circumstances) -> Viewer<'a> {
        let facts = nothing_but(filter.operation, filter.version);
        Viewer { policy: self, subject, groups: self.groups(subject), facts, circumstances: *circumstances }
    }

    /// Whether that subject is shown the daemon, and so may clean up after everybody.
    pub fn shows_daemon(&self, subject: &Subject, operation: Operation, circumstances: &Circumstances) -> bool {
        let (groups, facts) = (self.groups(subject), nothing_but(operation, None));
        let viewer = Viewer { policy: self, subject, groups, facts, circumstances: *circumstances };
        self.base.mode != Mode::Enforce || viewer.sees(&Resource::Daemon)
    }

    /// Somebody who asks for that.
    fn asked_by<'a>(&'a self, subject: &'a Subject, facts: &Facts, circumstances: &Circumstances) -> Viewer<'a> {
        let facts = nothing_but(facts.operation, facts.version);
        Viewer { policy: self, subject, groups: self.groups(subject), facts, circumstances: *circumstances }
    }

    /// Whether something is hidden from that subject. Asked of every request: nearly always it is remembered.
    fn hides(&self, subject: &Subject, facts: &Facts, circumstances: &Circumstances) -> bool {
        if self.base.mode != Mode::Enforce {
            return false;
        }
        if !self.forbidden.is_empty() && self.forbidden.concerns(&self.base.world, &subject.user, &self.groups(subject))
        {
            return true;
        }
        let remember = !self.index.looks(self.base.world.show()).at_time;
        let key = remember.then(|| Key::new(subject, facts.operation, facts.version, circumstances.door));
        let remembered = key.as_ref().and_then(|key| self.shown.get(key));
        let answers = remembered.unwrap_or_else(|| {
            let viewer = self.asked_by(subject, facts, circumstances);
            let answers: Arc<[Answered]> = vec![viewer.ask(&Resource::Daemon)].into();
            if let Some(key) = &key {
                self.shown.keep(key, subject, &answers);
            }
            answers
        });
        !answers.iter().all(|answer| answer.allowed)
    }

    /// The facts and answers without the names of what is not shown; `None`: there are none.
    pub(crate) fn unnamed(
        &self,
        subject: &Subject,
        facts: &Facts,
        circumstances: &Circumstances,
        answers: &[Answered],
    ) -> Option<(Facts, Vec<Answered>)> {
        if !self.hides(subject, facts, circumstances) {
            return None;
        }
        let viewer = self.asked_by(subject, facts, circumstances);
        let (mut facts, mut answers) = (facts.clone(), answers.to_vec());
        let mut words = answers.iter_mut().map(|answer| &mut answer.words);
        for resource in &mut facts.resources {
            let words = words.next();
            if !viewer.sees(resource) && rename(resource) {
                words.into_iter().for_each(|words| *words = operation_words(facts.operation, resource));
            }
        }
        for privilege in &mut facts.privileges {
            let words = words.next();
            if rename_within(privilege, |resource| !viewer.sees(resource)) {
                words.into_iter().for_each(|words| *words = printable(&privilege.to_string()));
            }
        }
        drop(words);
        Some((facts, answers))
    }

    /// The refusal of a request that would write back what was hidden from its sender, as if it were the value.
    pub(crate) fn refuses_mark(&self, facts: &Facts, answers: &Arc<[Answered]>) -> Option<Refusal> {
        let CanonicalBody::Json(body) = &facts.canonical.body else { return None };
        if self.base.gathered.redact.is_empty() || !holds_mark(body) {
            return None;
        }
        let words = "dockwarden: the request holds `[redacted by dockwarden]`, which would become the value of what was \
                     hidden; give the value, or have it changed by somebody who sees it.";
        Some(Refusal::new(words.to_owned(), answers.clone()))
    }
}

/// What a thing is called that its asker is not shown. Volumes and images are asked about by their names.
pub(crate) const NOT_SHOWN: &str = "that is not shown to you";

fn rename(resource: &mut Resource) -> bool {
    let name = match resource {
        Resource::Container(container) => &mut container.name,
        Resource::Network(network) => &mut network.name,
        Resource::Thing(thing) => &mut thing.name,
        Resource::Daemon | Resource::Image(_) | Resource::Volume(_) => return false,
    };
    NOT_SHOWN.clone_into(name);
    true
}

/// The same of what a privilege is about.
fn rename_within(privilege: &mut Privilege, hidden: impl Fn(&Resource) -> bool) -> bool {
    match privilege {
        Privilege::MountVolumesFrom { container, .. }
        | Privilege::LinkContainer { container }
        | Privilege::ShareNamespace { with: Peer::Container(container), .. } => {
            let hidden = hidden(&Resource::Container(container.clone()));
            hidden.then(|| NOT_SHOWN.clone_into(&mut container.name)).is_some()
        }
        Privilege::JoinNetwork { network } => {
            let hidden = hidden(&Resource::Network(network.clone()));
            hidden.then(|| NOT_SHOWN.clone_into(&mut network.name)).is_some()
        }
        Privilege::MountVolume { volume, .. } if volume.exists => {
            let hidden = hidden(&Resource::Volume(volume.clone()));
            hidden.then(|| NOT_SHOWN.clone_into(&mut volume.name)).is_some()
        }
        Privilege::UseImage { image } | Privilege::MountImage { image, .. } if image.id.is_some() => {
            let hidden = hidden(&Resource::Image(image.clone()));
            let nameless = || Image { id: Some(NOT_SHOWN.to_owned()), ..Image::default() };
            hidden.then(|| *image = nameless()).is_some()
        }
        _ => false,
    }
}

/// The facts of a question about nothing but an answer.
fn nothing_but(operation: Operation, version: Option<ApiVersion>) -> Facts {
    let canonical = Canonical { method: Method::Get, target: String::new(), body: CanonicalBody::None };
    Facts::plain(operation, version, Vec::new(), canonical)
}
