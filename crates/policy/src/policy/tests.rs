//! What must hold of every decision: the index finds all that the whole set would, what is built is as
//! the schema says, and there is an action for everything.

use std::collections::BTreeSet;
use std::time::SystemTime;

use cedar_policy::{Authorizer, Entities, Policy as CedarPolicy, PolicySet, Request};
use docker::endpoint::{ENDPOINTS, Kind, Operation};
use docker::facts::{Canonical, CanonicalBody, Facts, Spec};
use docker::http::Method;
use docker::image::Reference;
use docker::ownership::Ownership;
use docker::privilege::{HostMount, Namespace, Peer, Privilege, PublishedPort, RunUser, SpecialFile, Uid};
use docker::resource::{Container, Image, Labels, Network, Resource, Thing, Volume};
use docker::target::ApiVersion;

use super::*;
use crate::entities::Cast;
use crate::looks::Looks;
use crate::schema::{PRIVILEGES, Type};
use crate::{Door, Proof};

/// Names that could break something.
const NAMES: &[&str] =
    &["web", "", "a\"b", "a\\", "line\nbreak\0", "🐳", "ｗeb", "../..", "*", "Action::\"x\"", "\u{202e}"];

fn subject(name: &str) -> Subject {
    Subject {
        user: name.to_owned(),
        groups: vec![name.to_owned(), "docker".to_owned()],
        uid: Some(0),
        proof: Proof::Certificate { common_name: None, names: Vec::new() },
        container: Some("c".repeat(64)),
        address: Some("2001:db8::1".parse().unwrap()),
    }
}

fn facts(operation: Operation, resources: Vec<Resource>, privileges: Vec<Privilege>) -> Facts {
    let spec = Spec {
        labels: labels("web"),
        dropped_capabilities: vec!["ALL".to_owned()],
        environment: vec!["PATH".to_owned()],
        ..Spec::default()
    };
    let canonical = Canonical { method: Method::Get, target: "/".to_owned(), body: CanonicalBody::None };
    Facts {
        operation,
        version: Some(ApiVersion { major: 1, minor: 51 }),
        resources,
        privileges,
        spec: Some(spec),
        marks: Vec::new(),
        obligations: Vec::new(),
        absent: None,
        fetches: Vec::new(),
        makes: None,
        shared_with: Vec::new(),
        posed: None,
        dockerfile: None,
        canonical,
    }
}

fn labels(name: &str) -> Labels {
    Labels::from([(name.to_owned(), name.to_owned()), ("owner".to_owned(), "ci".to_owned())])
}

fn container(name: &str) -> Container {
    Container { id: format!("id of {name}"), name: name.to_owned(), labels: labels(name), ..Container::default() }
}

fn image(name: &str) -> Image {
    let reference = Reference::parse(
        "registry.test/team/app:1@sha256:0000000000000000000000000000000000000000000000000000000000000000",
    )
    .ok();
    let ownership =
        Ownership { owners: vec!["alice".to_owned()], shared_with: vec!["ops".to_owned()], everybodys: false };
    Image { reference, id: Some("sha256:1".to_owned()), names: Vec::new(), labels: labels(name), ownership }
}

/// Every kind of resource.
fn resources(name: &str) -> Vec<Resource> {
    let names = vec![Reference::parse("alpine").unwrap(), Reference::parse("registry.test/x/y").unwrap()];
    let by_id = Image { reference: None, names, ..image(name) };
    let mut all = vec![
        Resource::Daemon,
        Resource::Container(container(name)),
        Resource::Image(image(name)),
        Resource::Image(by_id),
        Resource::Image(Image::default()),
        Resource::Volume(Volume { name: name.to_owned(), labels: labels(name), ..Volume::default() }),
        Resource::Network(Network { name: name.to_owned(), labels: labels(name), ..Network::default() }),
    ];
    for kind in [Kind::Service, Kind::Task, Kind::Node, Kind::Secret, Kind::Config, Kind::Plugin] {
        all.push(Resource::Thing(thing(kind, name)));
    }
    all
}

fn thing(kind: Kind, name: &str) -> Thing {
    let labels = if kind == Kind::Plugin { Labels::new() } else { labels(name) };
    Thing { kind, id: name.to_owned(), name: name.to_owned(), labels, ownership: Ownership::default() }
}

/// Every privilege, made of that name.
fn privileges(name: &str) -> Vec<Privilege> {
    use Privilege as P;
    let s = || name.to_owned();
    let (c, i) = (container(name), image(name));
    let volume = Volume { name: s(), labels: labels(name), ..Volume::default() };
    let network = Network { id: s(), name: s(), driver: s(), labels: labels(name), ownership: Ownership::default() };
    let mount = |path: &str| HostMount {
        path: path.to_owned(),
        asked: None,
        target: s(),
        read_only: true,
        propagation: s(),
        through_volume: true,
        resolved: true,
    };
    let port =
        |address: &str| P::PublishPort(PublishedPort { protocol: s(), address: address.to_owned(), first: 1, last: 2 });
    let share = |with| P::ShareNamespace { namespace: Namespace::Uts, with };
    vec![
        P::Privileged,
        P::MountHostPath(mount("/srv/ci")),
        P::MountHostPath(mount(name)),
        P::MountVolume { volume, target: s(), read_only: true },
        P::MountImage { image: i.clone(), target: s() },
        P::MountTmpfs { target: s(), options: s() },
        P::MountVolumesFrom { container: c.clone(), read_only: true },
        P::UseVolumeDriver { driver: s() },
        P::SetVolumeOption { name: s(), value: s() },
        share(Peer::Host),
        share(Peer::Container(c.clone())),
        share(Peer::Unknown(s())),
        P::AddCapability { name: s() },
        P::AddCapability { name: "NET_RAW".to_owned() },
        P::UseDevice { path: s(), permissions: s() },
        P::RequestDevice { driver: s(), devices: s() },
        P::AllowDeviceClass { rule: s() },
        P::SetSecurityOption { name: s(), value: s() },
        P::ExposeKernelFiles { list: "MaskedPaths" },
        P::SetSysctl { name: s(), value: s() },
        P::UseRuntime { name: s() },
        P::SetCgroupParent { path: s() },
        port("127.0.0.1"),
        port("::1"),
        port(name),
        P::PublishAllPorts,
        P::RunAs(RunUser { name: s(), uid: Uid::Number(0) }),
        P::RunAs(RunUser { name: s(), uid: Uid::Unknown }),
        P::JoinGroup { group: s() },
        P::UseLogDriver { driver: s(), options: vec![(s(), s())] },
        P::LinkContainer { container: c },
        P::UseImage { image: i.clone() },
        P::PullImage { image: i.clone() },
        P::ImportImage { image: i.clone(), from: Some(s()) },
        P::ImportImage { image: Image::default(), from: None },
        P::LoadImages { unnamed: false },
        P::NameImage { image: i.clone() },
        P::PushImage { image: i.clone() },
        P::UseFrontend { image: Some(i) },
        P::UseFrontend { image: None },
        P::MountBuildCache { id: s(), own: true },
        P::UseBuildCache { kind: s(), export: true },
        P::UseBuildSecret { id: s(), agent: true },
        P::UseBuildsOfOthers,
        P::ContactRegistry { registry: s() },
        P::JoinNetwork { network },
        P::UseNetworkDriver { driver: s() },
        P::SetNetworkOption { name: s(), value: s() },
        P::SetMacAddress { address: s() },
        P::SetUlimit { name: s(), soft: -1, hard: i64::MAX },
        P::Prioritise { what: "oom-score", value: i64::MIN },
        P::SetStorageOption { name: s(), value: s() },
        P::Annotate { name: s() },
        P::Checkpoint { directory: String::new() },
        P::Checkpoint { directory: "/etc".to_owned() },
        P::FetchBuildContext { from: s() },
        P::SetBuildOption { name: s(), value: s() },
        P::BuildRun { network: s() },
        P::BuildFetch { from: s() },
        P::CopySpecialFile { kind: SpecialFile::SetId, path: s() },
        P::UseSecret { secret: thing(Kind::Secret, name) },
        P::UseConfig { config: thing(Kind::Config, name) },
        P::UseSecretDriver { driver: s() },
        P::SetSwarmOption { name: "manager", value: s() },
        P::InstallPlugin { image: image(name) },
        P::Unexamined { part: "x" },
    ]
}

/// Every operation on each of its resources, and every privilege, for one name.
fn questions(world: &World, name: &str) -> Vec<Facts> {
    let mut all = Vec::new();
    for endpoint in ENDPOINTS {
        let types = &world.action(World::operation(endpoint.operation)).unwrap().resources;
        for resource in resources(name) {
            let kind = Cast::new(&world.types).resource(&resource).unwrap().unwrap().kind;
            if types.contains(&kind) {
                all.push(facts(endpoint.operation, vec![resource], Vec::new()));
            }
        }
    }
    all.extend(
        privileges(name)
            .into_iter()
            .map(|privilege| facts(Operation::ContainerCreate, vec![Resource::Daemon], vec![privilege])),
    );
    all
}

/// The request and the entities of the last question, validated by the schema.
fn validated(world: &World, subject: &Subject, facts: &Facts) -> (Request, Entities) {
    let mut cast = Cast::new(&world.types);
    let groups: Vec<&str> = subject.groups.iter().map(String::as_str).collect();
    let principal = cast.subject(subject, &groups).unwrap();
    let (action, asked) = match facts.privileges.last() {
        Some(privilege) => (world.privilege(privilege), cast.privilege(privilege).unwrap()),
        None => (World::operation(facts.operation), cast.resource(facts.resources.last().unwrap()).unwrap().unwrap()),
    };
    let container = match facts.resources.last() {
        Some(Resource::Container(container)) => Some(cast.container(container).unwrap()),
        _ => None,
    };
    let circumstances = Circumstances { door: Door::Plugin, time: SystemTime::UNIX_EPOCH };
    let context = crate::circumstances::context(subject, facts, &circumstances, container, Looks::EVERYWHERE).unwrap();
    let context = context.merge(cedar_policy::Context::from_pairs(asked.extra).unwrap()).unwrap();
    let uid = world.action(action).unwrap().uid.clone();
    let request = Request::new(principal, uid, asked.uid, context, Some(&world.schema))
        .unwrap_or_else(|error| panic!("{facts:?}: {error}"));
    let entities = cast.finish().unwrap().expect("no contradiction");
    let entities = Entities::from_entities(entities.iter().cloned(), Some(&world.schema))
        .unwrap_or_else(|error| panic!("{facts:?}: {error}"));
    (request, entities)
}

fn load(policies: &str) -> Policy {
    let policies = vec![crate::NamedText { name: "p.cedar".to_owned(), text: policies.to_owned() }];
    let sources = Sources {
        preset: Some("developer".to_owned()),
        policies,
        groups: BTreeMap::from([("ops".to_owned(), vec!["web".to_owned()])]),
        ..Sources::default()
    };
    let directory = Directory { is_group: &|_| true, is_user: &|_| true, names: Vec::new() };
    Policy::load(&sources, &directory).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn everything_built_is_as_the_schema_says() {
    let world = World::new().unwrap();
    for name in NAMES {
        for facts in questions(&world, name) {
            validated(&world, &subject(name), &facts);
        }
    }
}

#[test]
fn every_operation_and_every_privilege_is_an_action() {
    let world = World::new().unwrap();
    for (at, endpoint) in ENDPOINTS.iter().enumerate() {
        assert_eq!(world.by_name(endpoint.operation.name()).unwrap().0, at);
        assert_eq!(World::operation(endpoint.operation).0, at);
    }
    let named: BTreeSet<usize> = privileges("x").iter().map(|privilege| world.privilege(privilege).0).collect();
    let expected: BTreeSet<usize> = (ENDPOINTS.len()..world.show().0).collect();
    assert_eq!(named, expected);
    assert_eq!(world.show().0, ENDPOINTS.len() + PRIVILEGES.len());
    assert_eq!(world.by_name("show"), Some(world.show()));
}

/// Policies of many shapes: every kind of scope, conditions that hold and that do not.
const SHAPES: &str = r#"
permit (principal, action, resource) when { context has address && context.address.isIpv6() && context.door == "gateway" };
permit (principal == User::"web", action in Action::"read", resource);
permit (principal in Group::"ops", action in [Action::"change", Action::"mountHostPath"], resource);
permit (principal is User, action in Action::"privilege", resource is HostPath in HostPath::"/srv");
permit (principal is User in Group::"docker", action == Action::"mountHostPath", resource in HostPath::"/");
permit (principal, action in [Action::"useImage", Action::"pullImage"], resource in Registry::"registry.test");
permit (principal, action, resource in Repository::"docker.io/library");
permit (principal, action, resource == Daemon::"local");
permit (principal, action == Action::"addCapability", resource in CapabilitySet::"docker-default");
forbid (principal == User::"*", action, resource);
forbid (principal in Group::"../..", action in Action::"container", resource);
forbid (principal, action == Action::"useImage", resource in Repository::"registry.test/team");
forbid (principal, action in Action::"exec", resource is Container) when { resource.hasTag("owner") && resource.getTag("owner") == "ci" };
forbid (principal, action == Action::"setUlimit", resource) when { context.hard + 1 > 0 };
forbid (principal, action == Action::"prioritise", resource) when { context.value - 1 < 0 };
"#;

#[test]
fn the_index_decides_as_the_whole_set_would() {
    let policy = load(SHAPES);
    let texts = crate::preset::text("developer").unwrap().to_owned() + SHAPES;
    let whole: PolicySet = texts.parse().unwrap();
    let circumstances = Circumstances { door: Door::Plugin, time: SystemTime::UNIX_EPOCH };
    let mut seen = BTreeSet::new();
    for name in NAMES {
        let asker =
            Subject { groups: vec![(*name).to_owned(), "docker".to_owned(), "ops".to_owned()], ..subject(name) };
        for facts in questions(&policy.base.world, name) {
            let (request, entities) = validated(&policy.base.world, &asker, &facts);
            let actions = policy.base.world.schema.action_entities().unwrap();
            let entities = entities.add_entities(actions.iter().cloned(), None).unwrap();
            let response = Authorizer::new().is_authorized(&request, &whole, &entities);
            let error = response.diagnostics().errors().next().is_some();
            let expected = response.decision() == cedar_policy::Decision::Allow && !error;
            let asked_by = if *name == "web" { subject(name) } else { asker.clone() };
            let judgement = policy.judge(&asked_by, &facts, &circumstances);
            let answer = judgement.answers.last().unwrap();
            assert_eq!(answer.allowed, expected, "{name:?} {answer:?} {request}");
            assert_eq!(answer.error.is_some(), error, "{answer:?}");
            assert_eq!(answer.policies.len(), response.diagnostics().reason().count(), "{answer:?}");
            seen.insert((answer.allowed, answer.error.is_some()));
        }
    }
    assert_eq!(seen.len(), 3, "all of allowed, refused and failed occurred");
}

#[test]
fn a_resource_of_the_wrong_kind_is_refused() {
    let policy = load("permit (principal, action, resource);");
    let circumstances = Circumstances { door: Door::Plugin, time: SystemTime::UNIX_EPOCH };
    for resources in
        [vec![Resource::Volume(Volume::default())], Vec::new(), vec![Resource::Thing(thing(Kind::Exec, "x"))]]
    {
        let judgement =
            policy.judge(&subject("web"), &facts(Operation::ContainerStart, resources, Vec::new()), &circumstances);
        assert!(!judgement.allowed());
    }
}

#[test]
fn contradicting_descriptions_are_judged_one_by_one() {
    let policy = load(
        "permit (principal, action == Action::\"unexamined\", resource); forbid (principal, action == Action::\"nameImage\", resource) when { resource.present };",
    );
    let circumstances = Circumstances { door: Door::Plugin, time: SystemTime::UNIX_EPOCH };
    let (there, wanted) = (image("web"), Image { id: None, labels: Labels::new(), ..image("web") });
    let judge = |name: Image| {
        let asked = vec![Privilege::UseImage { image: there.clone() }, Privilege::NameImage { image: name }];
        policy
            .judge(&subject("web"), &facts(Operation::ImageBuild, vec![Resource::Daemon], asked), &circumstances)
            .allowed()
    };
    assert!(judge(wanted));
    assert!(!judge(there.clone()));
}

#[test]
fn remembered_answers_are_of_the_same_question() {
    let policy = load("permit (principal in Group::\"ops\", action == Action::\"SecretList\", resource);");
    let circumstances = Circumstances { door: Door::Gateway, time: SystemTime::UNIX_EPOCH };
    let ask = |subject: &Subject, operation| {
        let facts = Facts { spec: None, ..facts(operation, vec![Resource::Daemon], Vec::new()) };
        policy.judge(subject, &facts, &circumstances)
    };
    let ops = Subject { groups: vec!["ops".to_owned()], ..subject("x") };
    for _ in 0..3 {
        assert!(ask(&ops, Operation::SecretList).allowed());
        assert!(!ask(&subject("x"), Operation::SecretList).allowed());
        assert!(!ask(&ops, Operation::SwarmInspect).allowed());
    }
    let (first, second) = (ask(&ops, Operation::SecretList), ask(&ops, Operation::SecretList));
    assert!(Arc::ptr_eq(&first.answers, &second.answers));
}

#[test]
fn every_shipped_policy_is_an_ordinary_cedar_file() {
    for (name, text) in crate::presets() {
        let set: PolicySet = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(set.policies().all(|policy: &CedarPolicy| policy.annotation("id").is_some()));
    }
    assert!(Type::ALL.len() > 40);
}
