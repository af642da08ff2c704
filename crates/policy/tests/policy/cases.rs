//! Requests that presets differ on: what is asked, by name.

use docker::endpoint::{Kind, Operation};
use docker::facts::{Facts, Spec};
use docker::privilege::{HostMount, Namespace, Peer, Privilege, SpecialFile};
use docker::resource::{Image, Resource, Volume};

use crate::support::*;

/// Every case with its name.
pub fn all() -> Vec<(String, Facts)> {
    let mut cases = operations();
    cases.extend(privileges().into_iter().map(|(name, privilege)| (format!("asks for: {name}"), alone(privilege))));
    cases
}

/// The privilege by itself, on an operation that every preset grants.
fn alone(privilege: Privilege) -> Facts {
    facts(Operation::SystemVersion, vec![Resource::Daemon], vec![privilege])
}

fn operations() -> Vec<(String, Facts)> {
    let web = container("web", &[]);
    let mut cases: Vec<(String, Facts)> = Vec::new();
    for endpoint in docker::endpoint::ENDPOINTS {
        let operation = endpoint.operation;
        let named = endpoint.path.contains('{') && operation != Operation::SystemOptions;
        let resource = match (endpoint.kind, named) {
            (_, false) | (Kind::System | Kind::Build | Kind::Session | Kind::Swarm, _) => Resource::Daemon,
            (Kind::Container | Kind::Exec, true) => Resource::Container(web.clone()),
            (Kind::Image | Kind::Distribution, true) => Resource::Image(image("alpine:3.20")),
            (Kind::Volume, true) => Resource::Volume(volume("data")),
            (Kind::Network, true) => Resource::Network(network("appnet", "bridge")),
            (kind, true) => Resource::Thing(thing(kind, "x")),
        };
        if operation == Operation::ImageCommit {
            cases.push((operation.name().to_owned(), on_container(operation, &web)));
            continue;
        }
        cases.push((operation.name().to_owned(), facts(operation, vec![resource], Vec::new())));
    }
    let mut hardened = on_daemon(Operation::ContainerCreate);
    let dropped = vec!["ALL".to_owned()];
    hardened.spec = Some(Spec { no_new_privileges: true, dropped_capabilities: dropped, ..Spec::default() });
    cases.push(("ContainerCreate, no new privileges, drop ALL".to_owned(), hardened));
    cases
}

fn privileges() -> Vec<(&'static str, Privilege)> {
    use Privilege as P;
    let s = str::to_owned;
    let web = container("web", &[]);
    let option = |name: &str, value: &str| (s(name), s(value));
    let namespace = |namespace, with| P::ShareNamespace { namespace, with };
    let host = |path: &str| HostMount { path: s(path), ..mount("/", false) };
    let by_id = Image { reference: None, id: Some(format!("sha256:{:0<64}", "1")), ..image("alpine") };
    let anonymous = Volume { exists: false, ..volume("") };
    let nfs = Volume { driver: s("nfs"), ..volume("share") };
    let security = |name: &str, value: &str| P::SetSecurityOption { name: s(name), value: s(value) };
    let volume_option = |name: &str, value: &str| P::SetVolumeOption { name: s(name), value: s(value) };
    let ulimit = |name: &str, soft, hard| P::SetUlimit { name: s(name), soft, hard };
    let sysctl = |name: &str| P::SetSysctl { name: s(name), value: s("1") };
    let log = |driver: &str| P::UseLogDriver { driver: s(driver), options: vec![option("max-size", "10m")] };
    let capability = |name: &str| P::AddCapability { name: s(name) };
    let network_option = |name: &str| P::SetNetworkOption { name: s(name), value: s("1") };
    vec![
        ("privileged", P::Privileged),
        ("host path /", P::MountHostPath(host("/"))),
        ("host path /srv/ci/work read-only", P::MountHostPath(mount("/srv/ci/work", true))),
        ("volume", P::MountVolume { volume: volume("data"), target: s("/data"), read_only: false }),
        ("anonymous volume", P::MountVolume { volume: anonymous, target: s("/data"), read_only: false }),
        ("volume of another driver", P::MountVolume { volume: nfs, target: s("/data"), read_only: true }),
        ("image as a mount", P::MountImage { image: image("alpine"), target: s("/i") }),
        ("tmpfs", P::MountTmpfs { target: s("/run"), options: s("size=64m") }),
        ("volumes from", P::MountVolumesFrom { container: web.clone(), read_only: false }),
        ("volume driver", P::UseVolumeDriver { driver: s("rexray/ebs") }),
        ("volume option type=tmpfs", volume_option("type", "tmpfs")),
        ("volume option o=size=1m", volume_option("o", "size=1m,uid=1000")),
        ("volume option type=nfs", volume_option("type", "nfs")),
        ("volume option o=lowerdir=/etc", volume_option("o", "lowerdir=/etc:/usr")),
        ("volume option device=/dev/vda", volume_option("device", "/dev/vda")),
        ("host's pid namespace", namespace(Namespace::Pid, Peer::Host)),
        ("host's network namespace", namespace(Namespace::Network, Peer::Host)),
        ("host's ipc namespace", namespace(Namespace::Ipc, Peer::Host)),
        ("host's uts namespace", namespace(Namespace::Uts, Peer::Host)),
        ("host's user namespace", namespace(Namespace::User, Peer::Host)),
        ("host's cgroup namespace", namespace(Namespace::Cgroup, Peer::Host)),
        ("container's network namespace", namespace(Namespace::Network, Peer::Container(web.clone()))),
        ("unknown pid mode", namespace(Namespace::Pid, Peer::Unknown(s("HOST")))),
        ("capability CHOWN", capability("CHOWN")),
        ("capability NET_BIND_SERVICE", capability("NET_BIND_SERVICE")),
        ("capability NET_RAW", capability("NET_RAW")),
        ("capability SYS_ADMIN", capability("SYS_ADMIN")),
        ("capability ALL", capability("ALL")),
        ("device", P::UseDevice { path: s("/dev/fuse"), permissions: s("rwm") }),
        ("device request", P::RequestDevice { driver: s("nvidia"), devices: s("gpu") }),
        ("device class", P::AllowDeviceClass { rule: s("c 1:3 rwm") }),
        ("seccomp=unconfined", security("seccomp", "unconfined")),
        ("seccomp=builtin", security("seccomp", "builtin")),
        ("seccomp profile", security("seccomp", "custom")),
        ("apparmor=unconfined", security("apparmor", "unconfined")),
        ("label=type:spc_t", security("label", "type:spc_t")),
        ("no-new-privileges=false", security("no-new-privileges", "false")),
        ("masked paths", P::ExposeKernelFiles { list: "MaskedPaths" }),
        ("sysctl net.ipv4.ip_forward", sysctl("net.ipv4.ip_forward")),
        ("sysctl net.ipv4.tcp_syncookies", sysctl("net.ipv4.tcp_syncookies")),
        ("runtime runc", P::UseRuntime { name: s("runc") }),
        ("runtime io.containerd.evil.v2", P::UseRuntime { name: s("io.containerd.evil.v2") }),
        ("parent cgroup", P::SetCgroupParent { path: s("/") }),
        ("port 8080", port("", 8080, 8080)),
        ("port 127.0.0.1:8080", port("127.0.0.1", 8080, 8080)),
        ("port [::1]:8080", port("::1", 8080, 8080)),
        ("a free port", port("", 0, 0)),
        ("a free port on 127.0.0.1", port("127.0.0.1", 0, 0)),
        ("port 80", port("", 80, 80)),
        ("ports 1000-1100", port("127.0.0.1", 1000, 1100)),
        ("all exposed ports", P::PublishAllPorts),
        ("root", run_as("", Some(0))),
        ("user 1000", run_as("1000", Some(1000))),
        ("user app", run_as("app", None)),
        ("group 999", P::JoinGroup { group: s("999") }),
        ("group 0", P::JoinGroup { group: s("0") }),
        ("group docker", P::JoinGroup { group: s("docker") }),
        ("log driver json-file", log("json-file")),
        ("log driver syslog", log("syslog")),
        ("link", P::LinkContainer { container: web }),
        ("image", P::UseImage { image: image("someone/app:1") }),
        ("image by id", P::UseImage { image: by_id }),
        ("pull", P::PullImage { image: image("alpine:3.20") }),
        ("import", P::ImportImage { image: image("app:1"), from: None }),
        ("import without a name", P::ImportImage { image: Image::default(), from: None }),
        ("import from a URL", P::ImportImage { image: image("app:1"), from: Some(s("http://169.254.169.254/")) }),
        ("load", P::LoadImages { unnamed: false }),
        ("load without a name", P::LoadImages { unnamed: true }),
        ("name an image", P::NameImage { image: image("app:2") }),
        ("registry", P::ContactRegistry { registry: s("docker.io") }),
        ("network", P::JoinNetwork { network: network("appnet", "bridge") }),
        (
            "network that is not there",
            P::JoinNetwork { network: docker::resource::Network { name: s("x"), ..Default::default() } },
        ),
        ("network host", P::JoinNetwork { network: network("host", "host") }),
        ("network driver bridge", P::UseNetworkDriver { driver: s("bridge") }),
        ("network driver macvlan", P::UseNetworkDriver { driver: s("macvlan") }),
        ("network driver overlay", P::UseNetworkDriver { driver: s("overlay") }),
        ("network option enable_icc", network_option("com.docker.network.bridge.enable_icc")),
        ("network option bridge.name", network_option("com.docker.network.bridge.name")),
        ("network option parent", network_option("parent")),
        ("hardware address", P::SetMacAddress { address: s("02:42:ac:11:00:09") }),
        ("ulimit nofile=65536", ulimit("nofile", 65_536, 65_536)),
        ("ulimit nofile=10000000", ulimit("nofile", 10_000_000, 10_000_000)),
        ("ulimit nofile unlimited", ulimit("nofile", -1, -1)),
        ("ulimit memlock unlimited", ulimit("memlock", -1, -1)),
        ("ulimit rtprio", ulimit("rtprio", 99, 99)),
        ("oom-score 500", P::Prioritise { what: "oom-score", value: 500 }),
        ("oom-score -1000", P::Prioritise { what: "oom-score", value: -1000 }),
        ("oom-kill-disable", P::Prioritise { what: "oom-kill-disable", value: 1 }),
        ("storage option", P::SetStorageOption { name: s("size"), value: s("100G") }),
        ("annotation", P::Annotate { name: s("run.oci.x") }),
        ("checkpoint", P::Checkpoint { directory: String::new() }),
        ("checkpoint in /etc", P::Checkpoint { directory: s("/etc") }),
        ("remote build context", P::FetchBuildContext { from: s("https://example.org/x.git") }),
        ("build option", P::SetBuildOption { name: s("extrahosts"), value: s("a:127.0.0.1") }),
        ("commands in a build", P::BuildRun { network: s("default") }),
        ("pushing from a build", P::PushImage { image: image("registry.test/app:1") }),
        ("frontend docker/dockerfile", P::UseFrontend { image: Some(image("docker/dockerfile:1")) }),
        ("another frontend", P::UseFrontend { image: Some(image("evil/frontend:1")) }),
        ("whichever frontend", P::UseFrontend { image: None }),
        ("folder kept for own builds", P::MountBuildCache { id: s("alice/go"), own: true }),
        ("folder kept for all builds", P::MountBuildCache { id: s("go"), own: false }),
        ("build results from a store", P::UseBuildCache { kind: s("s3"), export: false }),
        ("secret in a build", P::UseBuildSecret { id: s("token"), agent: false }),
        ("builds of others", P::UseBuildsOfOthers),
        ("SSH agent in a build", P::UseBuildSecret { id: s("default"), agent: true }),
        ("fetching in a build", P::BuildFetch { from: s("https://example.org/x.tar") }),
        ("device file", P::CopySpecialFile { kind: SpecialFile::Device, path: s("dev/null") }),
        ("link out of a folder", P::CopySpecialFile { kind: SpecialFile::OutsideLink, path: s("d/link") }),
        ("secret", P::UseSecret { secret: thing(Kind::Secret, "app-key") }),
        ("config", P::UseConfig { config: thing(Kind::Config, "app-conf") }),
        ("secret driver", P::UseSecretDriver { driver: s("vault") }),
        ("swarm of another manager", P::SetSwarmOption { name: "manager", value: s("192.0.2.1:2377") }),
        ("swarm with keys of its own", P::SetSwarmOption { name: "signing-ca", value: String::new() }),
        ("node as a manager", P::SetSwarmOption { name: "role", value: s("manager") }),
        ("plugin", P::InstallPlugin { image: image("vieux/sshfs") }),
        ("unexamined", P::Unexamined { part: "a body" }),
    ]
}
