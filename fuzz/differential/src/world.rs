//! A made-up world, in which every name is its own id: so that what is forwarded differs from what was
//! sent in spelling alone, and reading it again must give the same.

use docker::body::container::CreateRequest;
use docker::body::plugin::PluginConfig;
use docker::defaults::Defaults;
use docker::facts::Facts;
use docker::http::{HeadLimits, Parsed, RequestHead};
use docker::image::Reference;
use docker::ownership::Ownership;
use docker::privilege::{Absent, Privilege};
use docker::request::{Call, Misread, Reading, Request, Unsettled};
use docker::resource::{Container, Image, Labels, Network, Thing, Volume};
use docker::world::{KnownExec, KnownImage, KnownPath, KnownThing, KnownVolume, Lookup, World};

/// The most rounds of lookups that a request may need.
const ROUNDS: usize = 6;

/// A request of the API, from its parts.
pub fn request(method: &str, target: &str, body: &[u8]) -> Result<Request, Misread> {
    let reading = Reading::default();
    let call = call(method, target)?;
    Request::understand(call, body, &reading)
}

/// The head of a request. Its content type is JSON, which end points without a body do not mind.
pub fn call(method: &str, target: &str) -> Result<Call, Misread> {
    let head = format!("{method} {target} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n\r\n");
    match RequestHead::parse(head.as_bytes(), &HeadLimits::default())? {
        Parsed::Complete { head, consumed } if consumed == head_length(head.target(), method) => {
            Call::read(&head, &Reading::default())
        }
        _ => Err(Misread::NoOperation { method: method.to_owned(), path: String::new() }),
    }
}

fn head_length(target: &str, method: &str) -> usize {
    format!("{method} {target} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n\r\n").len()
}

/// The facts of a request in the made-up world. `None`: it is refused after all, or something is not there.
///
/// # Panics
/// When the request still has something open after every question was answered.
pub fn settle(request: &Request) -> Option<Facts> {
    let mut world = World::new();
    for _ in 0..ROUNDS {
        match request.facts(&world, &Defaults::default()) {
            Ok(facts) => return Some(facts),
            Err(Unsettled::Open(open)) => open.into_iter().for_each(|lookup| look_up(&mut world, lookup)),
            Err(Unsettled::NotFound(_) | Unsettled::Misread(_)) => return None,
        }
    }
    panic!("the request is never settled")
}

/// What was asked for, but for the spelling in which a host path was asked.
pub fn asked(facts: &Facts) -> Vec<Privilege> {
    let mut privileges = facts.privileges.clone();
    for privilege in &mut privileges {
        if let Privilege::MountHostPath(mount) = privilege {
            mount.asked = None;
        }
    }
    privileges
}

fn look_up(world: &mut World, lookup: Lookup) {
    let absent = |name: &str| name.contains("absent");
    match lookup {
        Lookup::Container(name) => {
            // No id has a slash, and no name a second one.
            let there = !name.is_empty() && !name.contains('/') && !absent(&name);
            let known = there.then(|| container(&name));
            world.learn_stored(name.clone(), CreateRequest::default());
            world.learn_container(name, known);
        }
        Lookup::Image(name) => {
            let names = Reference::parse(&name).map(Reference::with_default_tag).into_iter().collect();
            let image = Image { id: Some(name.clone()), names, ..Image::default() };
            let (volumes, triggers) = (vec!["/data".to_owned()], vec!["RUN make".to_owned()]);
            let known = KnownImage { image, user: "1000".to_owned(), volumes, triggers, ..KnownImage::default() };
            let there = !absent(&name);
            world.learn_image(name, there.then_some(known));
        }
        Lookup::Network(name) => {
            let driver = if name == "hostnet" { "host" } else { "bridge" }.to_owned();
            let known = Network { id: name.clone(), name: name.clone(), driver, ..Network::default() };
            let there = !absent(&name);
            world.learn_network(name, there.then_some(known));
        }
        Lookup::Volume(name) => {
            let volume = Volume { name: name.clone(), driver: "local".to_owned(), exists: true, ..Volume::default() };
            let options = [("type", "none"), ("o", "bind"), ("device", "/etc")];
            let options = options.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
            let there = name.contains("evil");
            world.learn_volume(name, there.then_some(KnownVolume { volume, options }));
        }
        Lookup::Exec(name) => {
            let user = docker::privilege::run_user("0");
            let known = KnownExec { id: name.clone(), container: container("web"), privileged: false, user };
            world.learn_exec(name, Some(known));
        }
        Lookup::Thing(kind, name) => {
            let absent = absent(&name).then(|| Absent { status: 404, message: "not found".to_owned() });
            let thing = Thing {
                kind,
                id: name.clone(),
                name: name.clone(),
                labels: Labels::new(),
                ownership: Ownership::default(),
            };
            world.learn_plugin(name.clone(), PluginConfig::default());
            let known = absent.map_or(Ok(KnownThing { thing, previous: None, service: None }), Err);
            world.learn_thing(kind, name, known);
        }
        Lookup::HostPath(path) => {
            let known = KnownPath::Resolved(host_path(&path));
            world.learn_host_path(path, known);
        }
    }
}

/// Where a path of the host leads.
pub fn host_path(path: &str) -> String {
    path.replace("/srv/link", "/etc")
}

fn container(name: &str) -> Container {
    Container { id: name.to_owned(), name: name.to_owned(), ..Container::default() }
}
