//! A swarm through the firewall: harmless services run, dangerous ones are refused whichever way they ask, and secrets
//! and configs are for those whom the policy lets have them.

use crate::harness::http::{call, get};
use crate::harness::{Cli, Engine, Firewall, Shell, eventually};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// Services, with the secrets and configs of one application; everything else is as in `developer`.
const POLICY: &str = "policy:\n  preset: developer\n  rules:\n    \
     - allow: [service create, service update, service rm, service ls, service inspect, service ps, service logs]\n    \
     - allow: [secret ls, secret create, config create]\n    \
     - allow: [secret rm, secret inspect, config inspect]\n      on: { label: { owner: ci } }\n    \
     - allow: [{ use_secret: \"app-*\" }, { use_config: \"app-*\" }]\n    \
     - deny: { user: root }\n";

/// One manager for all of them, one test at a time.
static ENGINE: OnceLock<Mutex<Engine>> = OnceLock::new();

fn manager() -> MutexGuard<'static, Engine> {
    let engine = ENGINE.get_or_init(|| {
        let engine = Engine::start();
        let init = r#"{"ListenAddr":"127.0.0.1:2377","AdvertiseAddr":"127.0.0.1"}"#;
        let (status, said) = call(engine.socket(), "POST", "/swarm/init", Some(init));
        assert_eq!(status, 200, "{said}");
        Mutex::new(engine)
    });
    engine.lock().unwrap_or_else(PoisonError::into_inner)
}

fn firewall(engine: &Engine) -> Firewall {
    Firewall::start(engine.socket(), |_| POLICY.to_owned())
}

/// A service without tasks: what counts is what is asked for.
fn service(name: &str, container: &str, more: &str) -> String {
    format!(
        r#"{{"Name":"{name}","TaskTemplate":{{"ContainerSpec":{{"Image":"tiny","User":"1000","Command":["sleep","1000"]{container}}}}},
           "Mode":{{"Replicated":{{"Replicas":0}}}}{more}}}"#
    )
}

/// Sends a service that is refused by a message of ours with these words, and is not there afterwards.
fn refuse(firewall: &Firewall, daemon: &Path, body: &str, words: &str) {
    let before = get(daemon, "/services");
    let (status, said) = call(&firewall.socket(), "POST", "/services/create", Some(body));
    assert!(matches!(status, 400 | 403), "{status} {said}: {body}");
    assert!(said.contains("dockwarden: ") && said.contains(words), "no `{words}` in {said}");
    assert_eq!(get(daemon, "/services"), before, "{body} left something behind");
}

#[test]
fn a_harmless_service_runs() {
    let engine = manager();
    let firewall = firewall(&engine);
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    shell.must(
        "docker service create -d --name web --no-resolve-image --user 1000 --env A=1 --limit-memory 64m -p 8080:80 \
         --mount type=volume,src=web-data,dst=/data tiny sleep 1000",
    );
    let runs = || shell.must("docker service ps web --format '{{.CurrentState}}'").starts_with("Running");
    assert!(eventually(Duration::from_secs(20), runs), "{}", shell.must("docker service ps --no-trunc web"));
    let image = get(engine.socket(), "/services/web")["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"].clone();
    assert_eq!(image, "tiny:latest");
    shell.must("docker service update -d --no-resolve-image --env-add B=2 web");
    shell.must("docker service scale -d web=0");
    assert!(shell.must("docker service ls").contains("web"));
    shell.must("docker service rm web");
}

#[test]
fn dangerous_services_are_refused() {
    let engine = manager();
    let firewall = firewall(&engine);
    for (container, words) in [
        (r#","Mounts":[{"Type":"bind","Source":"/etc","Target":"/e"}]"#, "mount host path /etc read-write"),
        (
            r#","Mounts":[{"Type":"volume","Target":"/h","VolumeOptions":{"DriverConfig":{"Options":{"type":"none","o":"bind","device":"/"}}}}]"#,
            "mount host path / read-write through a volume",
        ),
        (r#","CapabilityAdd":["CAP_SYS_ADMIN"]"#, "add capability SYS_ADMIN"),
        (r#","Sysctls":{"net.ipv4.ip_forward":"1"}"#, "set sysctl net.ipv4.ip_forward=1"),
        (r#","Privileges":{"SELinuxContext":{"Disable":true}}"#, "label=disable"),
        (r#","Privileges":{"Seccomp":{"Mode":"unconfined"}}"#, "seccomp=unconfined"),
        (r#","Privileges":{"AppArmor":{"Mode":"disabled"}}"#, "apparmor=unconfined"),
        (r#","OomScoreAdj":-1000"#, "oom-score"),
        (r#","Brandnew":true"#, "Brandnew"),
    ] {
        refuse(&firewall, engine.socket(), &service("x", container, ""), words);
    }
    for (more, words) in [
        (r#","Networks":[{"Target":"host"}]"#, "share the host's network namespace"),
        (r#","EndpointSpec":{"Ports":[{"TargetPort":22,"PublishedPort":22}]}"#, "publish port 22/tcp"),
    ] {
        refuse(&firewall, engine.socket(), &service("x", "", more), words);
    }
    let root = service("x", "", "").replace(r#""User":"1000""#, r#""User":"+0""#);
    refuse(&firewall, engine.socket(), &root, "run as root");
    let log = service("x", "", "").replace(r#""TaskTemplate":{"#, r#""TaskTemplate":{"LogDriver":{"Name":"syslog"},"#);
    refuse(&firewall, engine.socket(), &log, "use log driver syslog");
    let plugin =
        r#"{"Name":"x","TaskTemplate":{"Runtime":"plugin","PluginSpec":{"name":"p","remote":"evil.example/p:1"}}}"#;
    refuse(&firewall, engine.socket(), plugin, "install plugin evil.example/p:1");
    let attached =
        r#"{"Name":"x","TaskTemplate":{"Runtime":"attachment","NetworkAttachmentSpec":{"ContainerID":"x"}}}"#;
    refuse(&firewall, engine.socket(), attached, "attaches a container to a network");
}

/// The network of the host under the id that the swarm knows it by.
#[test]
fn the_hosts_network_is_known_by_its_id_too() {
    let engine = manager();
    let firewall = firewall(&engine);
    let id = get(engine.socket(), "/networks/host?scope=swarm")["Id"].as_str().unwrap_or_default().to_owned();
    assert_eq!(id.len(), 25, "{id}");
    let body = service("x", "", &format!(r#","Networks":[{{"Target":"{id}"}}]"#));
    refuse(&firewall, engine.socket(), &body, "share the host's network namespace");
}

#[test]
fn updates_and_rollbacks_are_judged_like_creates() {
    let engine = manager();
    let firewall = firewall(&engine);
    let daemon = engine.socket();
    let version = || get(daemon, "/services/upd")["Version"]["Index"].clone();
    let etc = r#","Mounts":[{"Type":"bind","Source":"/etc","Target":"/e"}]"#;
    assert_eq!(call(daemon, "POST", "/services/create", Some(&service("upd", etc, ""))).0, 201);
    let update = |socket: &Path, body: &str, query: &str| {
        call(socket, "POST", &format!("/services/upd/update?version={}{query}", version()), Some(body))
    };
    let harmless = service("upd", "", "");
    let (status, said) = update(&firewall.socket(), &harmless, "");
    assert_eq!(status, 200, "{said}");
    let (status, said) = update(&firewall.socket(), &service("upd", etc, ""), "");
    assert!(status == 403 && said.contains("mount host path /etc"), "{status} {said}");
    // What the body says does not count then: the daemon takes what the service was before.
    let (status, said) = update(&firewall.socket(), &harmless, "&rollback=previous");
    assert!(status == 403 && said.contains("mount host path /etc"), "{status} {said}");
    let now = get(daemon, "/services/upd")["Spec"].to_string();
    assert!(!now.contains("/etc"), "{now}");
    let (status, said) = update(daemon, &harmless, "");
    assert_eq!(status, 200, "{said}");
    let (status, said) = update(&firewall.socket(), &harmless, "&rollback=previous");
    assert_eq!(status, 200, "{said}");
    assert_eq!(call(daemon, "DELETE", "/services/upd", None).0, 200);
}

#[test]
fn secrets_and_configs_are_for_those_who_may() {
    let engine = manager();
    let firewall = firewall(&engine);
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
    direct.must("printf foreign-data | docker secret create alice-key -");
    direct.must("printf foreign-data | docker config create alice-conf -");
    shell.must("printf app-data | docker secret create --label owner=ci app-key -");
    shell.must("printf app-data | docker config create --label owner=ci app-conf -");
    let id =
        |list: &str, name: &str| get(engine.socket(), &format!("/{list}/{name}"))["ID"].as_str().unwrap().to_owned();
    let secret = |name: &str, id: &str| {
        format!(
            r#","Secrets":[{{"SecretID":"{id}","SecretName":"{name}","File":{{"Name":"s","UID":"0","GID":"0","Mode":292}}}}]"#
        )
    };
    let config = |name: &str, id: &str| {
        format!(
            r#","Configs":[{{"ConfigID":"{id}","ConfigName":"{name}","File":{{"Name":"c","UID":"0","GID":"0","Mode":292}}}}]"#
        )
    };
    let own = secret("app-key", &id("secrets", "app-key")) + &config("app-conf", &id("configs", "app-conf"));
    let (status, said) = call(&firewall.socket(), "POST", "/services/create", Some(&service("own", &own, "")));
    assert_eq!(status, 201, "{said}");
    let alices = id("secrets", "alice-key");
    for name in ["alice-key", "app-key"] {
        let body = service("x", &secret(name, &alices), "");
        refuse(&firewall, engine.socket(), &body, "use secret alice-key");
    }
    let body = service("x", &config("alice-conf", &id("configs", "alice-conf")), "");
    refuse(&firewall, engine.socket(), &body, "use config alice-conf");
    shell.must("docker config inspect app-conf");
    for line in [
        "docker config inspect alice-conf",
        "docker config ls",
        "docker secret inspect alice-key",
        "docker secret rm alice-key",
    ] {
        let outcome = shell.run(line);
        assert!(outcome.code != 0 && outcome.err.contains("dockwarden: "), "`{line}`: {outcome:?}");
    }
    let records: String = firewall.records().iter().map(ToString::to_string).collect();
    for data in ["app-data", "YXBwLWRhdGE", "foreign-data"] {
        assert!(!records.contains(data) && !firewall.log().contains(data), "{data} is kept");
    }
    direct.must("docker service rm own");
    direct.must("docker secret rm app-key alice-key && docker config rm app-conf alice-conf");
}

/// Preset `developer` grants none of it, and says so.
#[test]
fn the_swarm_is_left_to_those_who_are_told() {
    let engine = manager();
    let firewall = Firewall::preset(engine.socket(), "developer");
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    for (line, words) in [
        ("docker service create -d --name x --no-resolve-image tiny true", "create services"),
        ("docker swarm join-token worker", "join tokens"),
        ("docker swarm leave --force", "leave the swarm"),
        ("docker swarm update --autolock", "swarm"),
        ("docker swarm unlock-key", "unlock key"),
        ("docker node ls", "list nodes"),
        ("printf x | docker secret create x -", "create secrets"),
        ("docker config ls", "list configs"),
        ("docker stack deploy -c <(printf 'version: \"3\"\\nservices: {a: {image: tiny}}\\n') s", "dockwarden: "),
    ] {
        let outcome = shell.run(line);
        assert_ne!(outcome.code, 0, "`{line}` went through: {outcome:?}");
        let said = format!("{}{}", outcome.out, outcome.err);
        assert!(said.contains("dockwarden: ") && said.contains(words), "`{line}` says no `{words}`: {said}");
    }
}

/// Names that are not there, and swarms that are not: the daemon's own words, for those who may know.
#[test]
fn what_is_not_there_is_told_as_the_daemon_tells_it() {
    let engine = Engine::start();
    let firewall = Firewall::start(engine.socket(), |_| POLICY.to_owned());
    let (status, said) = call(&firewall.socket(), "GET", "/services/x", None);
    assert_eq!(status, 503);
    assert!(said.contains("This node is not a swarm manager"), "{said}");
    let (status, said) = call(&firewall.socket(), "POST", "/plugins/x/enable?timeout=0", None);
    assert!(status == 403 && said.contains("enable plugin x"), "{status} {said}");
}

/// Commands that share an end point, told apart by what their requests say.
#[test]
fn commands_of_one_end_point_are_denied_each_by_itself() {
    let engine = manager();
    let with = |command: &str| {
        let rule = format!("policy:\n  preset: open\n  rules:\n    - {{ deny: {command}, message: switched off }}\n");
        let firewall = Firewall::start(engine.socket(), |_| rule);
        let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
        (firewall, shell)
    };
    let refused = |shell: &Shell, line: &str| {
        let outcome = shell.run(line);
        assert!(outcome.code != 0 && outcome.err.contains("switched off"), "{line}: {outcome:?}");
    };
    let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
    direct.must("docker service create -d --name told --replicas 0 --no-resolve-image --user 1000 tiny sleep 1000");
    let (_firewall, shell) = with("service rollback");
    shell.must("docker service update -d --no-resolve-image --env-add A=1 told && docker service scale -d told=0");
    refused(&shell, "docker service rollback -d told");
    refused(&shell, "docker service update -d --rollback told");
    let (_firewall, shell) = with("service update");
    refused(&shell, "docker service update -d --no-resolve-image --env-add A=2 told");
    refused(&shell, "docker service scale -d told=1");
    shell.must("docker service rollback -d told && docker service rm told");

    let (_firewall, shell) = with("swarm join-token --rotate");
    shell.must("docker swarm join-token -q worker && docker swarm update --task-history-limit 4");
    refused(&shell, "docker swarm join-token --rotate worker");
    let (_firewall, shell) = with("swarm join-token");
    refused(&shell, "docker swarm join-token -q worker");
    let (_firewall, shell) = with("swarm update");
    refused(&shell, "docker swarm update --task-history-limit 5");
    let (_firewall, shell) = with("node update");
    refused(&shell, "docker node update --label-add a=b $(docker node ls -q)");
    let (_firewall, shell) = with("import");
    refused(&shell, "tar -c . | docker import - x:1");
    shell.must("docker pull 127.0.0.1:5577/none 2>&1 | grep -v 'switched off'");
    let (_firewall, shell) = with("pull");
    refused(&shell, "docker pull 127.0.0.1:5577/none");
    shell.must("tar -c . | docker import - x:1 && docker rmi x:1");
}
