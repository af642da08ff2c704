//! What a request asks for, gathered while its body is read.
//!
//! Each family of fields has a file of its own beside this one; all of them add to the same list.
//! While they read, they also write: names become full ids, host paths become the paths that they lead
//! to, so that the body which is sent names exactly what was judged.

use std::collections::HashSet;

use crate::endpoint::Kind;
use crate::facts::Fetch;
use crate::image::Reference;
use crate::ownership::Ownership;
use crate::privilege::Privilege;
use crate::request::{Misread, Pins};
use crate::resource::{Container, Image, Labels, Thing};
use crate::world::World;

/// What the daemon would answer when a thing that the request needs is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// The HTTP status.
    pub status: u16,
    /// The message, worded as the daemon words it: clients go by it.
    pub message: String,
}

/// The privileges gathered so far.
pub(crate) struct Asked<'w> {
    pub(crate) world: &'w World,
    pub(crate) privileges: Vec<Privilege>,
    /// The first thing that is missing; told to the client only if all else is granted.
    pub(crate) absent: Option<Absent>,
    /// The images that must be fetched before it is known what is asked for.
    pub(crate) fetches: Vec<Fetch>,
    /// The containers whose powers were asked for.
    pub(crate) driven: HashSet<String>,
    /// Whether it happens on other machines too, as the tasks of a service do: what is found here may be otherwise
    /// there.
    pub(crate) elsewhere: bool,
    /// More was asked for than one request may ask.
    pub(crate) too_much: bool,
    /// What names of images are sent as.
    pub(crate) pins: Pins,
}

/// The most that one request may ask for. An honest one asks for some twenty things; each costs time, which an
/// attacker would take from others.
pub(crate) const MOST_PRIVILEGES: usize = 512;

impl<'w> Asked<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        Asked {
            world,
            privileges: Vec::new(),
            absent: None,
            fetches: Vec::new(),
            driven: HashSet::new(),
            elsewhere: false,
            too_much: false,
            pins: Pins::new(),
        }
    }

    pub(crate) fn ask(&mut self, privilege: Privilege) {
        if self.privileges.len() < MOST_PRIVILEGES {
            self.privileges.push(privilege);
        } else {
            self.too_much = true;
        }
    }

    /// Asks for what may have been asked for already.
    pub(crate) fn ask_once(&mut self, privilege: Privilege) {
        if !self.privileges.contains(&privilege) {
            self.ask(privilege);
        }
    }

    pub(crate) fn missing(&mut self, status: u16, message: String) {
        self.absent.get_or_insert(Absent { status, message });
    }

    /// The container that a body names. Where there is none, the daemon would refuse the body.
    pub(crate) fn container(&mut self, name: &str) -> Container {
        let name = name.strip_prefix('/').unwrap_or(name);
        match self.world.container(name) {
            Some(container) => container.clone(),
            None => {
                self.missing(400, format!("No such container: {name}"));
                Container { name: name.to_owned(), ..Container::default() }
            }
        }
    }

    /// A service, secret, config, node, task or plugin. Where there is none, the daemon's own words tell.
    pub(crate) fn thing(&mut self, kind: Kind, name: &str) -> Thing {
        match self.world.thing(kind, name) {
            Some(Ok(known)) => return known.thing.clone(),
            Some(Err(absent)) => {
                self.absent.get_or_insert_with(|| absent.clone());
            }
            None => {}
        }
        let ownership = Ownership::default();
        Thing { kind, id: String::new(), name: name.to_owned(), labels: Labels::new(), ownership }
    }

    /// What the name of an image is sent as, where it is pinned.
    pub(crate) fn pin(&self, name: &Reference) -> Option<&String> {
        self.pins.get(&name.clone().with_default_tag())
    }

    /// The image that a request names, and the user and volumes of its configuration.
    ///
    /// The daemon takes a name, an id, or the beginning of an id for one another; only it knows which
    /// one it is. An image whose names do not include the given one was found by its id.
    pub(crate) fn image(&mut self, given: &str) -> Result<(Image, String, Vec<String>), Misread> {
        let reference = Reference::parse(given).map(Reference::with_default_tag);
        match (self.world.image(given), reference) {
            (Some(known), reference) => {
                let named = reference.ok().filter(|asked| known.image.names.iter().any(|name| name.same_as(asked)));
                let image = Image { reference: named, ..known.image.clone() };
                Ok((image, known.user.clone(), known.volumes.clone()))
            }
            (None, Ok(reference)) => {
                self.missing(404, format!("No such image: {}", reference.familiar()));
                Ok((Image { reference: Some(reference), ..Image::default() }, String::new(), Vec::new()))
            }
            (None, Err(_)) => {
                self.missing(404, "No such image".to_owned());
                Ok((Image::default(), String::new(), Vec::new()))
            }
        }
    }
}
