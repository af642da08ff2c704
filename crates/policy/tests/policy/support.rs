//! Facts, subjects and policies for tests.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use docker::endpoint::{Kind, Operation};
use docker::facts::{Canonical, CanonicalBody, Facts, Spec};
use docker::http::Method;
use docker::image::Reference;
use docker::ownership::Ownership;
use docker::privilege::{HostMount, Privilege, PublishedPort, RunUser, Uid};
use docker::resource::{Container, Image, Labels, Network, Resource, Thing, Volume};
use docker::target::ApiVersion;
use policy::{
    Circumstances, Decision, Diagnostics, Directory, Door, NamedText, Policy, PolicySection, Proof, Sources, Subject,
};

pub fn subject(user: &str, groups: &[&str]) -> Subject {
    Subject {
        user: user.to_owned(),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        uid: Some(1001),
        proof: Proof::PeerCredentials { uid: 1001, gid: 1001, pid: Some(1) },
        container: None,
        address: None,
    }
}

pub fn now() -> Circumstances {
    let time: SystemTime = UNIX_EPOCH + Duration::from_secs(1_795_345_872);
    Circumstances { door: Door::Gateway, time }
}

pub fn facts(operation: Operation, resources: Vec<Resource>, privileges: Vec<Privilege>) -> Facts {
    let canonical = Canonical { method: Method::Post, target: "/x".to_owned(), body: CanonicalBody::None };
    let version = Some(ApiVersion { major: 1, minor: 51 });
    let spec = (operation == Operation::ContainerCreate).then(Spec::default);
    let obligations = Vec::new();
    let fetches = Vec::new();
    Facts {
        operation,
        version,
        resources,
        privileges,
        spec,
        marks: Vec::new(),
        obligations,
        absent: None,
        fetches,
        makes: None,
        shared_with: Vec::new(),
        posed: None,
        dockerfile: None,
        canonical,
    }
}

pub fn create(privilege: Privilege) -> Facts {
    facts(Operation::ContainerCreate, vec![Resource::Daemon], vec![privilege])
}

pub fn on_daemon(operation: Operation) -> Facts {
    facts(operation, vec![Resource::Daemon], Vec::new())
}

pub fn on_container(operation: Operation, container: &Container) -> Facts {
    facts(operation, vec![Resource::Container(container.clone())], Vec::new())
}

pub fn container(name: &str, labels: &[(&str, &str)]) -> Container {
    Container {
        id: format!("{name:0<64}"),
        name: name.to_owned(),
        labels: map(labels),
        image: "alpine".to_owned(),
        running: true,
        ..Container::default()
    }
}

pub fn image(name: &str) -> Image {
    Image { reference: Some(Reference::parse(name).unwrap().with_default_tag()), ..Image::default() }
}

pub fn volume(name: &str) -> Volume {
    Volume { name: name.to_owned(), driver: "local".to_owned(), exists: true, ..Volume::default() }
}

pub fn network(name: &str, driver: &str) -> Network {
    Network { id: format!("{name:0<64}"), name: name.to_owned(), driver: driver.to_owned(), ..Network::default() }
}

pub fn thing(kind: Kind, name: &str) -> Thing {
    Thing {
        kind,
        id: format!("{name:0<25}"),
        name: name.to_owned(),
        labels: Labels::new(),
        ownership: Ownership::default(),
    }
}

pub fn mount(path: &str, read_only: bool) -> HostMount {
    HostMount {
        path: path.to_owned(),
        asked: None,
        target: "/mnt".to_owned(),
        read_only,
        propagation: String::new(),
        through_volume: false,
        resolved: true,
    }
}

pub fn port(address: &str, first: u16, last: u16) -> Privilege {
    Privilege::PublishPort(PublishedPort { protocol: "tcp".to_owned(), address: address.to_owned(), first, last })
}

pub fn run_as(name: &str, uid: Option<u32>) -> Privilege {
    Privilege::RunAs(RunUser { name: name.to_owned(), uid: uid.map_or(Uid::Unknown, Uid::Number) })
}

pub fn map(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub fn text(name: &str, text: &str) -> NamedText {
    NamedText { name: name.to_owned(), text: text.to_owned() }
}

/// A preset and nothing else.
pub fn preset(name: &str) -> Policy {
    load(&Sources { preset: Some(name.to_owned()), ..Sources::default() }).unwrap_or_else(|faults| panic!("{faults}"))
}

/// Preset `none` with Cedar policies.
pub fn cedar(policies: &str) -> Result<Policy, Diagnostics> {
    load(&Sources {
        preset: Some("none".to_owned()),
        policies: vec![text("local.cedar", policies)],
        ..Sources::default()
    })
}

/// A configuration's section `policy:`, with some groups.
pub fn yaml(section: &str) -> Result<Policy, Diagnostics> {
    let policy: PolicySection = serde_saphyr::from_str(section).map_err(|error| panic!("{error}")).unwrap();
    let groups = BTreeMap::from([
        ("admins".to_owned(), vec!["root".to_owned(), "alice".to_owned()]),
        ("ci".to_owned(), vec!["runner".to_owned()]),
    ]);
    load(&Sources { file: text("config.yaml", section), policy, groups, ..Sources::default() })
}

/// On a host with groups `docker` and `staff`, and users `root` and `bob`.
pub fn load(sources: &Sources) -> Result<Policy, Diagnostics> {
    let directory = Directory {
        is_group: &|name| ["docker", "staff"].contains(&name),
        is_user: &|name| ["root", "bob"].contains(&name),
        names: ["docker", "staff", "root", "bob"].map(str::to_owned).to_vec(),
    };
    Policy::load(sources, &directory)
}

pub fn allows(policy: &Policy, subject: &Subject, facts: &Facts) -> bool {
    matches!(policy.decide(subject, facts.clone(), &now()), Decision::Allowed(_))
}

/// What the user reads, or `allowed`.
pub fn verdict(policy: &Policy, subject: &Subject, facts: &Facts) -> String {
    match policy.decide(subject, facts.clone(), &now()) {
        Decision::Allowed(_) => "allowed".to_owned(),
        Decision::Refused(refusal) => refusal.message().to_owned(),
    }
}

/// Compares a text with the file of that name beside the tests; writes it when `UPDATE` is set.
pub fn compare(name: &str, text: &str) {
    let path = format!("{}/tests/policy/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    for (number, (is, should)) in text.lines().zip(expected.lines()).enumerate() {
        assert_eq!(is, should, "{path}:{}", number + 1);
    }
    assert_eq!(text.lines().count(), expected.lines().count(), "{path} (UPDATE=1 writes it anew)");
}
