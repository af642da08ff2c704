//! What a client is shown of an answer: each thing in it is put to policy, and values are hidden within.
//!
//! What lists do not tell is looked up on a line of its own, for the client's is busy with the answer: the labels of
//! what an event is about, the containers of a network. What cannot be looked up is not shown.

use std::collections::{HashMap, HashSet};

use docker::answer::filter::listed::{self, About};
use docker::answer::filter::{
    Answered as Form, Item, Malformed, Split, Tree, Whole, keep_containers, keep_names, names, neighbours,
};
use docker::endpoint::Kind;
use docker::image::Reference;
use docker::resource::{Image, Resource};
use policy::{Door, Filter, Policy, Subject, Viewer};
use tokio::sync::SemaphorePermit;

use super::super::Gateway;
use crate::firewall::BODY_UNIT;
use crate::firewall::entry::Withheld;
use crate::firewall::judge::circumstances;
use crate::wire::BodyError;

mod look;

use look::Look;

/// An answer under way.
pub(super) struct Filtering<'a> {
    filter: &'a Filter,
    form: Option<Form>,
    split: Option<Split>,
    viewer: Viewer<'a>,
    gateway: &'a Gateway,
    look: Look<'a>,
    /// What was found out of things that an answer only names. Events tell of what is gone already.
    found: HashMap<(Kind, String), bool>,
    withheld: &'a Withheld,
    asked: usize,
    /// The room that is taken among all answers.
    room: Option<SemaphorePermit<'a>>,
}

impl<'a> Filtering<'a> {
    pub(super) fn new(
        gateway: &'a Gateway,
        policy: &'a Policy,
        subject: &'a Subject,
        filter: &'a Filter,
        withheld: &'a Withheld,
    ) -> Self {
        let form = filter.form();
        Filtering {
            filter,
            form,
            split: form.map(|form| Split::new(form.shape)),
            viewer: policy.viewer(subject, filter, &circumstances(Door::Gateway)),
            gateway,
            look: Look::new(&gateway.firewall),
            found: HashMap::new(),
            withheld,
            asked: 0,
            room: None,
        }
    }

    /// Whether there is anything to be changed in an answer that is none of an error.
    pub(super) fn changes(&self) -> bool {
        self.form.is_some()
    }

    /// Whether there are things that are not shown.
    pub(super) fn hides(&self) -> bool {
        self.filter.hides()
    }

    /// The target of the request.
    pub(super) fn request(&self) -> &'a str {
        self.filter.request()
    }

    /// Takes a piece of the answer, and adds to `out` what may be shown.
    pub(super) async fn pass(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        let Some(mut split) = self.split.take() else { return Err(broken(&"it has no form")) };
        split.feed(piece);
        while let Some(whole) = split.next_item().map_err(|error| broken(&error))? {
            if let Some(shown) = self.shown(whole).await? {
                split.put(&shown);
            }
            self.asked = self.asked.wrapping_add(1);
            if self.asked.is_multiple_of(A_WHILE) {
                tokio::task::yield_now().await;
            }
        }
        out.append(&mut split.take());
        self.split = Some(split);
        Ok(())
    }

    /// Takes room for what is held of the answer, `ready` of it to be written. A thing can be large and its reader slow,
    /// and there may be many of both. Small ones, as nearly all are, take none.
    pub(super) fn make_room(&mut self, ready: usize) -> Result<(), BodyError> {
        let held = self.split.as_ref().map_or(0, Split::held).saturating_add(ready);
        let wanted = held.wrapping_div(BODY_UNIT);
        let taken = self.room.as_ref().map_or(0, SemaphorePermit::num_permits);
        if wanted < SMALL {
            self.room = None;
        } else if let Ok(more @ 1..) = u32::try_from(wanted.saturating_sub(taken)) {
            let more = self.gateway.answers.try_acquire_many(more);
            let more = more.map_err(|_| broken(&"too many large answers are filtered at one time; try again"))?;
            match &mut self.room {
                Some(room) => room.merge(more),
                None => self.room = Some(more),
            }
        }
        Ok(())
    }

    /// The answer has ended.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        let Some(split) = &mut self.split else { return Err(broken(&"it has no form")) };
        split.finish().map_err(|error| broken(&error))?;
        out.append(&mut split.take());
        Ok(())
    }

    /// A thing as it may be shown, if it is.
    async fn shown(&mut self, whole: Whole) -> Result<Option<Vec<u8>>, BodyError> {
        let Whole { item, bytes } = whole;
        let hides = self.filter.hides();
        let listed = hides && self.form.is_some_and(|form| form.listed);
        if listed && !self.is_shown(item, &bytes).await? {
            Withheld::add(&self.withheld.things, 1);
            return Ok(None);
        }
        let names_others = hides && (item.names_others() || item == Item::Image);
        let redactions =
            if self.is_own(item, &bytes) { self.filter.own_redactions() } else { self.filter.redactions() };
        if !names_others && !redactions.reach(item) {
            return Ok(Some(bytes));
        }
        let mut tree = Tree::read(&bytes).map_err(|error| broken(&error))?;
        if names_others {
            self.without_others(item, &bytes, &mut tree).await?;
        }
        Withheld::add(&self.withheld.values, redactions.hide(item, &mut tree));
        Ok(Some(tree.write().map_err(|error| broken(&error))?))
    }

    /// Whether an item of a list is shown.
    async fn is_shown(&mut self, item: Item, bytes: &[u8]) -> Result<bool, BodyError> {
        if item == Item::Event {
            return self.is_event_shown(bytes).await;
        }
        match listed::resource(item, bytes).map_err(|error| broken(&error))? {
            Some(Resource::Image(image)) => {
                Ok(listed::under_each_name(&image).into_iter().any(|(_, image)| self.sees(&Resource::Image(image))))
            }
            Some(resource) => Ok(self.sees(&resource)),
            None => Err(broken(&Malformed("it lists what cannot be listed"))),
        }
    }

    /// Whether a thing of a list belongs to who asks. What an event tells of may be gone, and nobody's any more.
    fn is_own(&self, item: Item, bytes: &[u8]) -> bool {
        let listed = self.form.is_some_and(|form| form.listed) && item != Item::Event;
        if !listed || !self.filter.redactions().reach(item) {
            return false;
        }
        let Ok(Some(mut resource)) = listed::resource(item, bytes) else { return false };
        self.gateway.firewall.mark(&mut resource);
        resource.is_of(self.viewer.user())
    }

    /// The one question that everything here comes down to.
    fn sees(&self, resource: &Resource) -> bool {
        let mut resource = resource.clone();
        self.gateway.firewall.mark(&mut resource);
        self.viewer.sees(&resource)
    }

    async fn is_event_shown(&mut self, bytes: &[u8]) -> Result<bool, BodyError> {
        let event = listed::event(bytes).map_err(|error| broken(&error))?;
        let shown = match event.about {
            About::Known(Resource::Container(container)) => {
                let key = (Kind::Container, container.id.clone());
                let shown = self.sees(&Resource::Container(container));
                self.remember(key, shown)
            }
            About::Known(resource) => self.sees(&resource),
            About::Named { kind, id, name } => self.is_named_shown(kind, id, name).await?,
        };
        match event.container {
            Some(id) if shown => {
                self.look_up(&[id.as_str()]).await?;
                Ok(self.found.get(&(Kind::Container, id)).copied().unwrap_or(false))
            }
            _ => Ok(shown),
        }
    }

    /// Whether something is shown of which only a name is told. What is gone is, if it was before.
    async fn is_named_shown(&mut self, kind: Kind, id: String, name: Option<Reference>) -> Result<bool, BodyError> {
        let key = (kind, name.as_ref().map_or(id.clone(), Reference::familiar));
        let Some(body) = self.look.inspect(kind, &id).await? else {
            return Ok(self.found.get(&key).copied().unwrap_or(false));
        };
        let resource = match listed::inspected(kind, &body).map_err(|error| broken(&error))? {
            Resource::Image(image) => {
                let reference = name.or_else(|| Reference::parse(&id).ok().map(Reference::with_default_tag));
                Resource::Image(Image { reference, ..image })
            }
            resource => resource,
        };
        let shown = self.sees(&resource);
        self.remember((kind, id), shown);
        Ok(self.remember(key, shown))
    }

    fn remember(&mut self, key: (Kind, String), shown: bool) -> bool {
        // A stream of events may go on for months.
        if self.found.len() >= MOST_FOUND {
            self.found.clear();
        }
        self.found.insert(key, shown);
        shown
    }

    /// Takes away what a thing tells of others that are not shown.
    async fn without_others(&mut self, item: Item, bytes: &[u8], tree: &mut Tree) -> Result<(), BodyError> {
        match item {
            Item::Network => {
                self.look_up(&neighbours(tree)).await?;
                let found = &self.found;
                let sees = |id: &str| found.get(&(Kind::Container, id.to_owned())).copied().unwrap_or(false);
                keep_containers(tree, sees);
            }
            Item::Layer => {
                let mut seen = HashSet::new();
                for name in names(tree).into_iter().filter_map(|name| Reference::parse(name).ok()) {
                    if self.is_named_shown(Kind::Image, name.familiar(), Some(name.clone())).await? {
                        seen.insert(name.familiar());
                    }
                }
                keep_names(tree, |name| is_among(&seen, name));
            }
            Item::Image | Item::ImageInspect => {
                let image = match item {
                    Item::Image => listed::resource(item, bytes),
                    _ => listed::inspected(Kind::Image, bytes).map(Some),
                };
                let Some(Resource::Image(image)) = image.map_err(|error| broken(&error))? else { return Ok(()) };
                let names = listed::under_each_name(&image).into_iter();
                let seen = names.filter(|(_, image)| self.sees(&Resource::Image(image.clone())));
                let seen: HashSet<String> = seen.filter_map(|(name, _)| name).collect();
                keep_names(tree, |name| is_among(&seen, name));
            }
            _ => {}
        }
        Ok(())
    }

    /// Finds out which of these containers are shown.
    async fn look_up(&mut self, ids: &[&str]) -> Result<(), BodyError> {
        let open: Vec<&str> =
            ids.iter().copied().filter(|id| !self.found.contains_key(&(Kind::Container, (*id).to_owned()))).collect();
        for some in open.chunks(AT_ONCE) {
            for resource in self.look.containers(some).await? {
                if let Resource::Container(container) = resource {
                    let key = (Kind::Container, container.id.clone());
                    let shown = self.sees(&Resource::Container(container));
                    self.remember(key, shown);
                }
            }
        }
        Ok(())
    }
}

fn is_among(seen: &HashSet<String>, name: &str) -> bool {
    Reference::parse(name).is_ok_and(|name| seen.contains(&name.familiar()))
}

/// The answer cannot be passed on.
fn broken(why: &dyn std::fmt::Display) -> BodyError {
    std::io::Error::other(why.to_string()).into()
}

/// What takes no room, in units of [`BODY_UNIT`].
const SMALL: usize = 4;
/// After so many things others get their turn.
const A_WHILE: usize = 64;
/// Containers that are looked up with one question.
const AT_ONCE: usize = 100;
/// The most that is remembered of one stream of events.
const MOST_FOUND: usize = 10_000;
