//! Requests in, words out: what is understood, refused, and sent.

use super::*;
use crate::body::mount::Mount;
use crate::body::task::ContainerSpec;
use crate::defaults::Defaults;
use crate::facts::{CanonicalBody, Facts};
use crate::http::{HeadLimits, Parsed};
use crate::ownership::Ownership;
use crate::privilege::{Absent, Privilege};
use crate::resource::{Container, Image, Network, Resource, Thing, Volume};
use crate::world::{KnownImage, KnownPath, KnownThing, KnownVolume, Lookup, Previous, World};

mod archives;
mod defaults;
mod networks;
mod plugins;
mod services;
mod swarm;

const WEB: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const TINY: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// A small world: container `web`, images `tiny` and `tiny-nonroot`, networks `appnet` and `host`, volume `evil`,
/// link /srv/link -> /etc. Services had a mount of /etc; `old` ones said what is not known, `new` ones never were
/// anything else. Plugins share the host's
/// processes and mount /etc; `odd` ones cannot be read.
fn look_up(world: &mut World, lookup: Lookup) {
    match lookup {
        Lookup::Container(name) => {
            let web = Container { id: WEB.into(), name: "web".into(), user: "1000".into(), ..Container::default() };
            let known = (name == "web" || WEB.starts_with(&name)).then_some(web);
            let stored = CreateRequest { user: "1000".into(), ..CreateRequest::default() };
            world.learn_stored(WEB.into(), stored);
            world.learn_container(name, known);
        }
        Lookup::Image(name) => {
            let names = vec![crate::image::Reference::parse("tiny:latest").unwrap()];
            let image = Image { id: Some(TINY.into()), names, ..Image::default() };
            let user = if name.contains("nonroot") { "1001" } else { "" }.to_owned();
            let triggers: &[&str] = match name.as_str() {
                "tiny:fetches" => &["RUN make", "ADD http://169.254.169.254/ /x", "COPY --from=evil.example/app:1 / /"],
                "tiny:copies" => &["COPY --from=tiny / /"],
                "tiny:unreadable" => &["FROM evil.example/app:1"],
                _ => &[],
            };
            let triggers = triggers.iter().map(|trigger| (*trigger).to_owned()).collect();
            let known =
                KnownImage { image, user, volumes: vec!["/data".into()], triggers, platform: "linux/amd64".into() };
            let there = name.contains("tiny") || TINY.contains(&name);
            world.learn_image(name, there.then_some(known));
        }
        Lookup::Network(name) => {
            let network = |driver: &str| Network {
                id: name.repeat(8),
                name: name.clone(),
                driver: driver.into(),
                ..Network::default()
            };
            let known = match name.as_str() {
                "bridge" | "appnet" => Some(network("bridge")),
                "1234" => Some(network("host")),
                _ => None,
            };
            world.learn_network(name, known);
        }
        Lookup::Volume(name) => {
            let volume = Volume { name: name.clone(), driver: "local".into(), exists: true, ..Volume::default() };
            let options =
                [("type", "none"), ("o", "bind"), ("device", "/")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
            world.learn_volume(name.clone(), (name == "evil").then_some(KnownVolume { volume, options }));
        }
        Lookup::Exec(name) => world.learn_exec(name, None),
        Lookup::Thing(kind, name) => {
            let thing = Thing {
                kind,
                id: thing_id(&name),
                name: name.clone(),
                labels: [("owner".to_owned(), "ci".to_owned())].into(),
                ownership: Ownership::default(),
            };
            let etc = Mount { kind: "bind".into(), source: "/etc".into(), target: "/e".into(), ..Mount::default() };
            let mut previous = ServiceSpec::default();
            previous.task_template.container_spec =
                Some(ContainerSpec { image: "tiny".into(), mounts: Some(vec![etc]), ..ContainerSpec::default() });
            let spec = (name != "old").then(|| Box::new(previous));
            let previous = (name != "new").then_some(Previous { version: 7, spec });
            let absent = Absent { status: 404, message: format!("{} {name} not found", kind.noun()) };
            if name != "odd" {
                let config = r#"{"PidHost":true,"Mounts":[{"Name":"m","Source":"/etc","Type":"bind"}]}"#;
                let config = crate::body::plugin::PluginConfig::read(config.as_bytes()).unwrap();
                world.learn_plugin(thing_id(&name), config);
            }
            let known = if name == "nosuch" { Err(absent) } else { Ok(KnownThing { thing, previous, service: None }) };
            world.learn_thing(kind, name, known);
        }
        Lookup::HostPath(path) => {
            let known = KnownPath::Resolved(path.replace("/srv/link", "/etc"));
            world.learn_host_path(path, known);
        }
    }
}

/// The id of a thing of that name.
fn thing_id(name: &str) -> String {
    format!("{name:z<25}")
}

fn understood(head: &str, body: &str) -> Result<Facts, String> {
    read(&Reading::default(), &Defaults::default(), head, body)
}

/// The facts of a request to which defaults were applied.
fn understood_with(head: &str, body: &str, defaults: &Defaults) -> Result<Facts, String> {
    read(&Reading::default(), defaults, head, body)
}

fn read_with(reading: &Reading, head: &str, body: &str) -> Result<Facts, String> {
    read(reading, &Defaults::default(), head, body)
}

fn read(reading: &Reading, defaults: &Defaults, head: &str, body: &str) -> Result<Facts, String> {
    settled_with(&request(reading, head, body)?, defaults)
}

fn request(reading: &Reading, head: &str, body: &str) -> Result<Request, String> {
    let mut text = format!("{head} HTTP/1.1\r\nHost: docker\r\n");
    if !body.is_empty() {
        text.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    let Parsed::Complete { head, .. } =
        RequestHead::parse(text.as_bytes(), &HeadLimits::default()).map_err(|e| e.to_string())?
    else {
        panic!("partial")
    };
    let call = Call::read(&head, reading).map_err(|e| e.to_string())?;
    Request::understand(call, body.as_bytes(), reading).map_err(|e| e.to_string())
}

/// The facts, with everything looked up in the small world.
fn settled(request: &Request) -> Result<Facts, String> {
    settled_with(request, &Defaults::default())
}

fn settled_with(request: &Request, defaults: &Defaults) -> Result<Facts, String> {
    let mut world = World::new();
    for _ in 0..4 {
        match request.facts(&world, defaults) {
            Ok(facts) => return Ok(facts),
            Err(Unsettled::Open(open)) => open.into_iter().for_each(|lookup| look_up(&mut world, lookup)),
            Err(Unsettled::NotFound(absent)) => return Err(format!("{} {}", absent.status, absent.message)),
            Err(Unsettled::Misread(misread)) => return Err(misread.to_string()),
        }
    }
    panic!("the world is never settled")
}

/// What a create asks for beyond the image, user, network and volume that every one of `tiny` has.
fn asks(host_config: &str) -> Vec<String> {
    let body = format!(r#"{{"Image":"tiny","User":"1000","HostConfig":{{{host_config}}}}}"#);
    let ordinary = ["use image tiny:latest", "run as uid 1000", "mount an anonymous volume", "join network bridge"];
    match understood("POST /v1.41/containers/create", &body) {
        Ok(facts) => facts
            .privileges
            .iter()
            .map(ToString::to_string)
            .filter(|asked| !ordinary.contains(&asked.as_str()))
            .collect(),
        Err(error) => vec![format!("refused: {error}")],
    }
}

fn sent(facts: &Facts) -> String {
    match &facts.canonical.body {
        CanonicalBody::Json(body) => String::from_utf8(body.clone()).unwrap(),
        _ => String::new(),
    }
}

#[test]
fn an_ordinary_create_asks_for_little() {
    assert_eq!(asks(""), Vec::<String>::new());
    assert_eq!(asks(r#""Memory":67108864,"Binds":null,"CapAdd":[],"IpcMode":"private""#), Vec::<String>::new());
}

#[test]
fn every_way_of_mounting_the_host_is_the_same_privilege() {
    let etc = "mount host path /etc read-write";
    for (given, expected) in [
        (r#""Binds":["/etc:/h"]"#, etc.to_owned()),
        (r#""Binds":["//etc/.:/h"]"#, format!("{etc} (asked for as //etc/.)")),
        (r#""Binds":["/srv/link:/h"]"#, format!("{etc} (asked for as /srv/link)")),
        (r#""Binds":["/srv/link/../../etc:/h"]"#, format!("{etc} (asked for as /srv/link/../../etc)")),
        (r#""Binds":["/etc:/h:ro"]"#, "mount host path /etc read-only".to_owned()),
        (r#""Mounts":[{"Type":"bind","Source":"/etc","Target":"/h"}]"#, etc.to_owned()),
        (r#""MOUNTS":[{"TYPE":"bind","SOURCE":"/etc","TARGET":"/h"}]"#, etc.to_owned()),
        (r#""Mount\u017f":[{"Type":"bind","Source":"/etc","Target":"/h"}]"#, etc.to_owned()),
        (
            r#""Mounts":[{"Type":"volume","Target":"/h","VolumeOptions":{"DriverConfig":{"Options":{"type":"none","o":"bind","device":"/etc"}}}}]"#,
            format!("{etc} through a volume"),
        ),
        (r#""Binds":["evil:/h"]"#, "mount host path / read-write through a volume".to_owned()),
    ] {
        assert_eq!(asks(given).first(), Some(&expected), "{given}");
    }
}

#[test]
fn each_field_that_ties_to_the_host_is_asked() {
    for (given, expected) in [
        (r#""Privileged":true"#, "run privileged"),
        (r#""CapAdd":["cap_sys_admin"]"#, "add capability SYS_ADMIN"),
        (r#""CapAdd":"all""#, "add capability ALL"),
        (r#""PidMode":"host""#, "share the host's pid namespace"),
        (r#""PidMode":"container:web""#, "share the pid namespace of container web"),
        (r#""PidMode":"HOST""#, "use pid mode `HOST`"),
        (r#""NetworkMode":"host""#, "share the host's network namespace"),
        (r#""NetworkMode":"1234""#, "share the host's network namespace"),
        (r#""NetworkMode":"container:aaaa""#, "share the network namespace of container web"),
        (r#""CgroupnsMode":"host""#, "share the host's cgroup namespace"),
        (r#""Devices":[{"PathOnHost":"/dev/vda"}]"#, "use device /dev/vda"),
        (r#""DeviceCgroupRules":["a *:* rwm"]"#, "add device cgroup rule `a *:* rwm`"),
        (r#""DeviceRequests":[{"Count":-1,"Capabilities":[["gpu"]]}]"#, "request devices gpu of driver ``"),
        (r#""SecurityOpt":["seccomp:unconfined"]"#, "set security option seccomp=unconfined"),
        (r#""SecurityOpt":["seccomp={\"secret\":1}"]"#, "set security option seccomp=custom"),
        (r#""SecurityOpt":["disable"]"#, "set security option label=disable"),
        (r#""SecurityOpt":["no-new-privileges=false"]"#, "set security option no-new-privileges=false"),
        (r#""MaskedPaths":[]"#, "lay open kernel files (MaskedPaths)"),
        (r#""ReadonlyPaths":["/x"]"#, "lay open kernel files (ReadonlyPaths)"),
        (r#""Sysctls":{"net.ipv4.ip_forward":"1"}"#, "set sysctl net.ipv4.ip_forward=1"),
        (r#""Runtime":"io.containerd.evil.v2""#, "use runtime io.containerd.evil.v2"),
        (r#""CgroupParent":"/x""#, "set the parent cgroup /x"),
        (r#""VolumesFrom":["web:ro"]"#, "mount the volumes of container web"),
        (r#""VolumeDriver":"rexray/ebs""#, "use volume driver rexray/ebs"),
        (r#""PortBindings":{"80/tcp":[{"HostPort":"00000000443"}]}"#, "publish port 443/tcp"),
        (
            r#""PortBindings":{"80/udp":[{"HostIp":"127.0.0.1","HostPort":"1000-1100"}]}"#,
            "publish ports 127.0.0.1:1000-1100/udp",
        ),
        (r#""PublishAllPorts":true"#, "publish all ports"),
        (r#""GroupAdd":["0"]"#, "join group 0"),
        (r#""LogConfig":{"Type":"syslog","Config":{"syslog-address":"tcp://x"}}"#, "use log driver syslog"),
        (r#""Links":["web:db"]"#, "link to container web"),
        (r#""OomScoreAdj":-1000"#, "set oom-score to -1000"),
        (r#""OomKillDisable":true"#, "set oom-kill-disable to 1"),
        (r#""Ulimits":[{"Name":"nofile","Soft":1,"Hard":2}]"#, "set ulimit nofile=1:2"),
        (r#""StorageOpt":{"size":"1G"}"#, "set storage option size"),
        (r#""Annotations":{"a":"b"}"#, "set annotation a"),
        (r#""Tmpfs":{"/run":"size=1"}"#, "mount a tmpfs at /run"),
    ] {
        assert_eq!(asks(given).first().map(String::as_str), Some(expected), "{given}");
    }
    assert_eq!(asks(r#""SecurityOpt":["no-new-privileges:true","no-new-privileges"]"#), Vec::<String>::new());
}

#[test]
fn the_endpoints_of_a_create_are_asked() {
    let create = |networking: &str| {
        let body = format!(r#"{{"Image":"tiny","NetworkingConfig":{{"EndpointsConfig":{networking}}}}}"#);
        let facts = understood("POST /containers/create", &body).unwrap();
        facts.privileges.last().unwrap().to_string()
    };
    assert_eq!(create(r#"{"host":{}}"#), "share the host's network namespace");
    assert_eq!(create(r#"{"appnet":null}"#), "join network appnet");
    assert_eq!(
        create(
            r#"{"appnet":{"DriverOpts":{"com.docker.network.endpoint.sysctls":"net.ipv4.conf.IFNAME.route_localnet=1"}}}"#
        ),
        "set sysctl net.ipv4.conf.IFNAME.route_localnet=1"
    );
}

#[test]
fn what_is_sent_is_what_was_judged() {
    let facts = understood(
        "POST /v1.41/containers/create?name=x",
        r#"{"image":"tiny","hostconfig":{"binds":["/srv/link/a:/h:ro"],"PidMode":"container:web","volumesfrom":["web"]}}"#,
    )
    .unwrap();
    assert_eq!(facts.canonical.target, "/v1.41/containers/create?name=x");
    assert_eq!(
        sent(&facts),
        format!(
            r#"{{"Image":"tiny","HostConfig":{{"Binds":["/etc/a:/h:ro"],"VolumesFrom":["{WEB}"],"PidMode":"container:{WEB}"}}}}"#
        )
    );
    let facts = understood("GET /v1.41/containers/web/logs?stdout=1&unknown=1&tail=5", "").unwrap();
    assert_eq!(facts.canonical.target, format!("/v1.41/containers/{WEB}/logs?stdout=1&tail=5"));
    let facts = understood("POST /commit?container=web&repo=registry.test%2Fapp&tag=1", "null").unwrap();
    assert_eq!(facts.canonical.target, format!("/commit?container={WEB}&repo=registry.test%2Fapp&tag=1"));
}

#[test]
fn images_asked_for_by_id_count_as_all_their_names() {
    let image = |given: &str| {
        let facts = understood("POST /containers/create", &format!(r#"{{"Image":"{given}"}}"#)).unwrap();
        (facts.privileges.first().unwrap().to_string(), facts.absent)
    };
    assert_eq!(image("tiny").0, "use image tiny:latest");
    assert_eq!(image("docker.io/library/tiny:latest").0, "use image tiny:latest");
    assert_eq!(image("bbbbbbbb").0, format!("use image {TINY}"));
    assert_eq!(image("nosuch").1.map(|absent| absent.message).as_deref(), Some("No such image: nosuch:latest"));
}

#[test]
fn a_mount_that_is_read_only_and_writable_is_no_plain_bind() {
    let volume = |o: &str| {
        let body = format!(r#"{{"Name":"v","DriverOpts":{{"type":"none","o":"{o}","device":"/srv"}}}}"#);
        understood("POST /volumes/create", &body).unwrap().privileges.first().unwrap().to_string()
    };
    assert_eq!(volume("bind,ro"), "mount host path /srv read-only through a volume");
    assert_eq!(volume("bind"), "mount host path /srv read-write through a volume");
    for other in ["bind,ro,rw", "bind,remount", "bind,shared", "bind,ro,x"] {
        assert!(volume(other).starts_with("set volume option"), "{other}");
    }
}

#[test]
fn networks_of_other_peoples_addresses_are_asked() {
    let network = |subnet: &str| {
        let body = format!(r#"{{"Name":"net","IPAM":{{"Config":[{{"Subnet":"{subnet}"}}]}}}}"#);
        understood("POST /networks/create", &body).unwrap().privileges.len()
    };
    for private in ["10.0.0.0/8", "172.28.0.0/16", "192.168.1.0/24", "fd00::/64"] {
        assert_eq!(network(private), 1, "{private}");
    }
    for public in ["93.184.216.0/24", "0.0.0.0/0", "10.0.0.0/7", "172.0.0.0/8", "2001:db8::/32", "x"] {
        assert_eq!(network(public), 2, "{public}");
    }
}

#[test]
fn no_request_asks_for_more_than_can_be_judged() {
    let capabilities: Vec<String> = (0..2000).map(|n| format!("\"C{n}\"")).collect();
    assert_eq!(
        asks(&format!(r#""CapAdd":[{}]"#, capabilities.join(","))),
        ["refused: the request asks for more things than can be judged at once"]
    );
    let volumes: Vec<String> = (0..2000).map(|n| format!("\"v{n}:/v{n}\"")).collect();
    assert_eq!(
        asks(&format!(r#""Binds":[{}]"#, volumes.join(","))),
        ["refused: the request asks for more things than can be judged at once"]
    );
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    for (head, body, expected) in [
        (
            "POST /v1.41/containers/create",
            r#"{"Image":"tiny","HostConfig":{},"hostConfig":{"Privileged":true}}"#,
            "twice",
        ),
        ("POST /v1.41/containers/create", r#"{"Image":"tiny","Privileged":true}"#, "unknown field `Privileged`"),
        ("POST /v1.41/containers/create", r#"{"Image":"tiny"}{}"#, "after"),
        ("POST /v1.41/containers/create", "null", "null"),
        ("POST /v1.23/containers/web/start", "{}", "API version 1.23"),
        ("POST /v1.41/containers/web/start", r#"{"Privileged":true}"#, "takes no body"),
        ("POST /v1.41/containers/create?NAME=x", r#"{"Image":"tiny"}"#, "takes no query parameter `NAME`"),
        ("POST /v1.41/images/create?fromImage=a&fromImage=b", "", "repeated"),
        ("POST /v1.41/images/create?fromImage=a&fromSrc=-", "", "has both"),
        ("POST /v1.41/images/create?fromImage=a:1&tag=2", "", "together"),
        ("POST /grpc", "x", "takes no body"),
        ("POST /session", "x", "takes no body"),
        ("POST /nosuch", "", "no operation"),
        ("POST /v1.41/volumes/create", r#"{"Name":"../../etc"}"#, "neither an absolute path nor the name of a volume"),
        ("GET /containers/nosuch/json", "", "404 No such container: nosuch"),
        ("POST /containers/web/rename?name=aaaaaaaaaaaa", "", "could be taken for an id"),
        ("POST /containers/web/rename?name=a&name=b", "", "repeated"),
        ("POST /containers/create?name=0123456789abcdef", r#"{"Image":"tiny"}"#, "could be taken for an id"),
        ("POST /networks/create", r#"{"Name":"0123456789abcdef"}"#, "could be taken for an id"),
    ] {
        let refused = understood(head, body).err().unwrap_or_else(|| panic!("{head} {body} is understood"));
        assert!(refused.contains(expected), "{head} {body}: {refused}");
    }
}
