//! `examples/corpus.yaml`: the corpus' baseline policy, on the facts that its cases come to. The cases
//! themselves are replayed by the end-to-end tests.

use docker::endpoint::{Kind, Operation};
use docker::facts::Facts;
use docker::privilege::{HostMount, Namespace, Peer, Privilege};
use docker::resource::{Container, Image, Resource, Volume};
use policy::{Policy, PolicySection, Sources};

use crate::support::*;

#[derive(serde::Deserialize)]
struct File {
    policy: PolicySection,
}

fn corpus() -> Policy {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    let read = |name: &str| std::fs::read_to_string(format!("{examples}/{name}")).unwrap();
    let file: File = serde_saphyr::from_str(&read("corpus.yaml")).unwrap();
    let sources = Sources {
        file: text("corpus.yaml", &read("corpus.yaml")),
        policy: file.policy,
        policies: vec![text("corpus.cedar", &read("corpus.cedar"))],
        ..Sources::default()
    };
    load(&sources).unwrap_or_else(|faults| panic!("{faults}"))
}

fn mine() -> Container {
    Container { user: "1000".to_owned(), ..container("mine", &[("owner", "ci")]) }
}

fn victim() -> Container {
    container("victim", &[("owner", "alice")])
}

/// A create as its cases ask: image tiny, user 1000, the default network, and one thing more.
fn create_with(privilege: Option<Privilege>) -> Facts {
    let mut asked = vec![
        Privilege::UseImage { image: image("tiny") },
        Privilege::RunAs(docker::privilege::RunUser {
            name: "1000".to_owned(),
            uid: docker::privilege::Uid::Number(1000),
        }),
        Privilege::JoinNetwork { network: network("bridge", "bridge") },
    ];
    asked.extend(privilege);
    facts(Operation::ContainerCreate, vec![Resource::Daemon], asked)
}

#[test]
fn attacks_are_refused() {
    use Privilege as P;
    let s = str::to_owned;
    let policy = corpus();
    let user = subject("root", &["root"]);
    let foreign = |name: &str| Some(P::UseImage { image: image(name) });
    let by_id = Image {
        reference: None,
        id: Some(s("sha256:1")),
        names: vec![image("evil.example/app:1").reference.unwrap()],
        ..Image::default()
    };
    let with = |privilege| create_with(Some(privilege));
    let host = |namespace| P::ShareNamespace { namespace, with: Peer::Host };
    let security = |name: &str, value: &str| P::SetSecurityOption { name: s(name), value: s(value) };
    let hidden = HostMount { through_volume: true, ..mount("/", false) };
    let spread = HostMount { propagation: s("rshared"), ..mount("/srv/ci/work", false) };
    let alices = Volume { labels: map(&[("owner", "alice")]), ..volume("alices-data") };
    let mut attacks = vec![
        ("privileged", with(P::Privileged)),
        ("/", with(P::MountHostPath(mount("/", false)))),
        ("/srv/ci2", with(P::MountHostPath(mount("/srv/ci2", true)))),
        ("through a volume", with(P::MountHostPath(hidden))),
        ("shared", with(P::MountHostPath(spread))),
        ("pid of victim", with(P::ShareNamespace { namespace: Namespace::Pid, with: Peer::Container(victim()) })),
        ("capability", with(P::AddCapability { name: s("DAC_OVERRIDE") })),
        ("device", with(P::UseDevice { path: s("/dev/vda"), permissions: s("r") })),
        ("device rule", with(P::AllowDeviceClass { rule: s("a *:* rwm") })),
        ("gpu", with(P::RequestDevice { driver: s("nvidia"), devices: s("all") })),
        ("seccomp", with(security("seccomp", "unconfined"))),
        ("builtin", with(security("seccomp", "builtin"))),
        ("nnp off", with(security("no-new-privileges", "false"))),
        ("masked", with(P::ExposeKernelFiles { list: "MaskedPaths" })),
        ("root", with(run_as("", Some(0)))),
        ("named user", with(run_as("app", None))),
        ("group", with(P::JoinGroup { group: s("6") })),
        ("sysctl", with(P::SetSysctl { name: s("net.ipv4.tcp_syncookies"), value: s("1") })),
        ("cgroup", with(P::SetCgroupParent { path: s("/") })),
        ("runtime", with(P::UseRuntime { name: s("io.containerd.evil.v2") })),
        ("volumes from", with(P::MountVolumesFrom { container: victim(), read_only: true })),
        ("volumes from own", with(P::MountVolumesFrom { container: mine(), read_only: true })),
        ("driver", with(P::UseVolumeDriver { driver: s("rexray/ebs") })),
        ("volume device", with(P::SetVolumeOption { name: s("device"), value: s("/dev/vda") })),
        ("tmpfs volume", with(P::SetVolumeOption { name: s("type"), value: s("tmpfs") })),
        ("alice's volume", with(P::MountVolume { volume: alices, target: s("/v"), read_only: true })),
        ("port", with(port("", 1000, 1100))),
        ("link", with(P::LinkContainer { container: victim() })),
        ("syslog", with(P::UseLogDriver { driver: s("syslog"), options: Vec::new() })),
        ("image by id", with(P::UseImage { image: by_id })),
        ("nameless image", with(P::UseImage { image: Image::default() })),
        (
            "pull",
            facts(Operation::ImageCreate, vec![Resource::Daemon], vec![P::PullImage { image: image("someuser/evil") }]),
        ),
        (
            "import",
            facts(
                Operation::ImageCreate,
                vec![Resource::Daemon],
                vec![P::ImportImage { image: image("tiny:2"), from: None }],
            ),
        ),
        ("load", facts(Operation::ImageLoad, vec![Resource::Daemon], vec![P::LoadImages { unnamed: false }])),
        (
            "commit",
            facts(
                Operation::ImageCommit,
                vec![Resource::Container(mine())],
                vec![P::NameImage { image: image("tiny:evil") }],
            ),
        ),
        (
            "tag",
            facts(
                Operation::ImageTag,
                vec![Resource::Image(image("evil.example/app:1"))],
                vec![P::NameImage { image: image("tiny:evil") }],
            ),
        ),
        (
            "exec as root",
            facts(Operation::ContainerExec, vec![Resource::Container(mine())], vec![run_as("0", Some(0))]),
        ),
        (
            "privileged exec",
            facts(
                Operation::ContainerExec,
                vec![Resource::Container(mine())],
                vec![P::Privileged, run_as("1000", Some(1000))],
            ),
        ),
        ("exec in prepared", drive(Operation::ContainerExec)),
        ("start prepared", drive(Operation::ContainerStart)),
        (
            "macvlan",
            facts(Operation::NetworkCreate, vec![Resource::Daemon], vec![P::UseNetworkDriver { driver: s("macvlan") }]),
        ),
        (
            "build on the host's network",
            facts(Operation::ImageBuild, vec![Resource::Daemon], vec![host(Namespace::Network)]),
        ),
        (
            "remote build",
            facts(Operation::ImageBuild, vec![Resource::Daemon], vec![P::FetchBuildContext { from: s("http://x/") }]),
        ),
        (
            "extra hosts",
            facts(
                Operation::ImageBuild,
                vec![Resource::Daemon],
                vec![P::SetBuildOption { name: s("extrahosts"), value: s("a:1.1.1.1") }],
            ),
        ),
    ];
    for name in [
        "someuser/app:1",
        "docker.io/libraryx/app:1",
        "localhost/app:1",
        "registry.test.evil.example/app:1",
        "registry.test:5000/app:1",
    ] {
        attacks.push(("image", create_with(foreign(name))));
    }
    for namespace in
        [Namespace::Pid, Namespace::Network, Namespace::Ipc, Namespace::Uts, Namespace::User, Namespace::Cgroup]
    {
        attacks.push(("host namespace", create_with(Some(host(namespace)))));
    }
    use Operation as O;
    for operation in [
        O::ContainerExec,
        O::ExecStart,
        O::ContainerAttach,
        O::ContainerAttachWebsocket,
        O::ContainerArchive,
        O::ContainerArchiveInfo,
        O::PutContainerArchive,
        O::ContainerExport,
        O::ContainerKill,
        O::ContainerRename,
        O::ContainerUpdate,
        O::CheckpointCreate,
        O::ImageCommit,
    ] {
        attacks.push((operation.name(), on_container(operation, &victim())));
    }
    for operation in [O::SwarmInit, O::SwarmInspect, O::PluginPull, O::SecretList, O::DebugVars] {
        attacks.push((operation.name(), on_daemon(operation)));
    }
    // What is said to BuildKit.
    let built = |privilege| facts(O::ImageBuild, vec![Resource::Daemon], vec![privilege]);
    attacks.push(("another frontend", built(P::UseFrontend { image: Some(image("evil/frontend")) })));
    attacks.push(("whichever frontend", built(P::UseFrontend { image: None })));
    attacks.push(("a build that is not shown", built(P::Unexamined { part: "a build" })));
    // A service that asks for what no container may have is no better.
    let services: Vec<_> = attacks
        .iter()
        .filter(|(_, facts)| facts.operation == O::ContainerCreate)
        .map(|(name, facts)| (*name, Facts { operation: O::ServiceCreate, ..facts.clone() }))
        .collect();
    attacks.extend(services);
    let used = |privilege| facts(O::ServiceCreate, vec![Resource::Daemon], vec![privilege]);
    attacks.push(("another's secret", used(P::UseSecret { secret: thing(Kind::Secret, "alice-secret") })));
    attacks.push(("another's config", used(P::UseConfig { config: thing(Kind::Config, "alice-config") })));
    attacks.push(("a plugin", used(P::InstallPlugin { image: image("evil") })));
    let mut alices = thing(Kind::Service, "alices");
    alices.labels = map(&[("owner", "alice")]);
    attacks.push(("another's service", facts(O::ServiceUpdate, vec![Resource::Thing(alices)], Vec::new())));
    for (name, facts) in attacks {
        assert!(!allows(&policy, &user, &facts), "{name} passes");
    }
}

#[test]
fn ordinary_work_is_allowed() {
    use Privilege as P;
    let s = str::to_owned;
    let policy = corpus();
    let user = subject("root", &["root"]);
    let with = |privilege| create_with(Some(privilege));
    let log = |driver: &str| with(P::UseLogDriver { driver: s(driver), options: Vec::new() });
    let own_names = vec![image("tiny").reference.unwrap()];
    let by_id = Image { reference: None, id: Some(s("sha256:2")), names: own_names, ..Image::default() };
    let mut benign = vec![
        ("run", create_with(None)),
        ("/srv/ci", with(P::MountHostPath(mount("/srv/ci/work", false)))),
        ("port", with(port("", 8080, 8080))),
        ("publish all", with(P::PublishAllPorts)),
        (
            "volume",
            with(P::MountVolume { volume: Volume { exists: false, ..volume("x") }, target: s("/d"), read_only: false }),
        ),
        ("anonymous", with(P::MountVolume { volume: volume(""), target: s("/d"), read_only: false })),
        ("tmpfs", with(P::MountTmpfs { target: s("/t"), options: String::new() })),
        ("json-file", log("json-file")),
        ("none", log("none")),
        ("mac", with(P::SetMacAddress { address: s("02:42:ac:11:00:09") })),
        ("runc", with(P::UseRuntime { name: s("runc") })),
        ("own namespace", with(P::ShareNamespace { namespace: Namespace::Network, with: Peer::Container(mine()) })),
        ("registry.test", with(P::UseImage { image: image("registry.test/app:1") })),
        ("by id", with(P::UseImage { image: by_id })),
        (
            "pull",
            facts(Operation::ImageCreate, vec![Resource::Daemon], vec![P::PullImage { image: image("alpine:3.20") }]),
        ),
        (
            "build",
            facts(
                Operation::ImageBuild,
                vec![Resource::Daemon],
                vec![P::NameImage { image: image("registry.test/py:1") }],
            ),
        ),
        (
            "network",
            facts(Operation::NetworkCreate, vec![Resource::Daemon], vec![P::UseNetworkDriver { driver: s("bridge") }]),
        ),
        ("exec", facts(Operation::ContainerExec, vec![Resource::Container(mine())], vec![run_as("1000", Some(1000))])),
        (
            "search",
            facts(
                Operation::ImageSearch,
                vec![Resource::Daemon],
                vec![P::ContactRegistry { registry: s("docker.io") }],
            ),
        ),
        ("save", facts(Operation::ImageGet, vec![Resource::Image(image("tiny"))], vec![])),
        ("volume rm", facts(Operation::VolumeDelete, vec![Resource::Volume(volume("vdel"))], vec![])),
        (
            "network inspect",
            facts(Operation::NetworkInspect, vec![Resource::Network(network("appnet", "bridge"))], vec![]),
        ),
        ("victim's logs", on_container(Operation::ContainerLogs, &victim())),
    ];
    use Operation as O;
    for operation in [
        O::ContainerAttach,
        O::ContainerArchiveInfo,
        O::PutContainerArchive,
        O::ContainerLogs,
        O::ContainerInspect,
        O::ContainerStats,
        O::ContainerStart,
        O::ContainerPause,
        O::ContainerUnpause,
        O::ContainerUpdate,
        O::ContainerDelete,
        O::ContainerKill,
        O::ContainerWait,
    ] {
        benign.push((operation.name(), on_container(operation, &mine())));
    }
    for operation in [
        O::ContainerList,
        O::ImageList,
        O::VolumeList,
        O::NetworkList,
        O::NetworkListSlash,
        O::SystemInfo,
        O::SystemEvents,
        O::SystemDataUsage,
        O::SystemPing,
        O::SystemPingHead,
        O::SystemVersion,
        O::SystemOptions,
        O::ServiceList,
        O::ServiceCreate,
        O::NodeList,
        O::BuildPrune,
        O::BuildCancel,
    ] {
        benign.push((operation.name(), on_daemon(operation)));
    }
    for (name, facts) in benign {
        assert_eq!(verdict(&policy, &user, &facts), "allowed", "{name}");
    }
}

/// Somebody else's privileged container, and its powers, which are asked of whoever drives it.
fn drive(operation: Operation) -> Facts {
    facts(operation, vec![Resource::Container(container("prepared", &[]))], vec![Privilege::Privileged])
}
