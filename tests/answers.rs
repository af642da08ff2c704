//! What is shown of answers: lists, events and the disk usage without what policy hides, values hidden within things,
//! errors that name nobody else.

use crate::harness::daemon::{FakeDaemon, answer};
use crate::harness::http::{call, get};
use crate::harness::{Cli, Engine, Firewall, Shell, eventually};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Root sees everything; everybody else what is labelled as the red team's.
fn teams() -> String {
    let mut policies = r#"
@id("teams/everything")
forbid (principal, action == Action::"show", resource is Daemon) unless { principal == User::"root" };
"#
    .to_owned();
    for kind in ["Container", "Image", "Volume", "Network"] {
        policies.push_str(&format!(
            "@id(\"teams/{kind}\")\nforbid (principal, action == Action::\"show\", resource is {kind})\n\
             unless {{ principal == User::\"root\" || (resource.hasTag(\"team\") && resource.getTag(\"team\") == \"red\") }};\n"
        ));
    }
    policies
}

fn start(engine: &Engine, more: &str) -> Firewall {
    let firewall = Firewall::start(engine.socket(), |folder| {
        fs::write(folder.join("teams.cedar"), teams()).expect("the policies");
        format!("policy:\n  preset: developer\n  cedar: [teams.cedar]\n{more}")
    });
    open_to_all(&firewall.socket());
    firewall
}

fn open_to_all(socket: &Path) {
    fs::set_permissions(socket, fs::Permissions::from_mode(0o666)).expect("the socket's mode");
    let folder = socket.parent().expect("its folder");
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("the folder's mode");
}

/// Asks as user `nobody`, who is of the red team.
fn ask(shell: &Shell, method: &str, path: &str, more: &str) -> String {
    let line = format!(
        "setpriv --reuid=65534 --regid=65534 --clear-groups curl -sg -X {method} {more} --unix-socket $SOCKET 'http://d{path}'"
    );
    shell.must(&line)
}

fn read(shell: &Shell, path: &str) -> Value {
    let said = ask(shell, "GET", path, "");
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{path}: {error}: {said}"))
}

/// The values of a key in a list, in order.
fn each(list: &Value, key: &str) -> Vec<String> {
    let text = |item: &Value| match &item[key] {
        Value::Array(names) => names[0].as_str().unwrap_or_default().to_owned(),
        other => other.as_str().unwrap_or_default().to_owned(),
    };
    let mut found: Vec<String> = list.as_array().into_iter().flatten().map(text).collect();
    found.sort();
    found
}

/// Two teams, each with a container, a volume, a network and an image.
fn populate(direct: &Shell) {
    for (team, net) in [("red", "10.77.1.0/24"), ("blue", "10.78.1.0/24")] {
        direct.must(&format!("docker network create {team}-net --subnet {net} --label team={team}"));
        direct.must(&format!("docker volume create {team}-data --label team={team}"));
        direct.must(&format!(
            "docker run -d --name {team}-web --network {team}-net -v {team}-data:/data --label team={team} \
             -e DB_PASSWORD={team}-s3cret -e PLAIN=visible tiny sleep 1000"
        ));
        direct.must(&format!("docker commit -c 'LABEL team={team}' {team}-web {team}-image"));
    }
}

#[test]
fn lists_show_what_policy_shows() {
    let engine = Engine::start();
    let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
    populate(&direct);
    let firewall = start(&engine, "");
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));

    assert_eq!(each(&read(&shell, "/containers/json?all=1"), "Names"), ["/red-web"]);
    assert_eq!(each(&read(&shell, "/images/json?all=1"), "RepoTags"), ["red-image:latest"]);
    assert_eq!(each(&read(&shell, "/volumes")["Volumes"], "Name"), ["red-data"]);
    assert_eq!(each(&read(&shell, "/networks"), "Name"), ["red-net"]);
    assert_eq!(each(&read(&shell, "/v1.24/networks"), "Name"), ["red-net"]);
    let usage = read(&shell, "/system/df");
    assert_eq!(each(&usage["Containers"], "Names"), ["/red-web"]);
    assert_eq!(each(&usage["Volumes"], "Name"), ["red-data"]);
    assert_eq!(each(&usage["Images"], "RepoTags"), ["red-image:latest"]);
    let all = [usage, read(&shell, "/containers/json?all=1&size=1"), read(&shell, "/images/json?digests=1")];
    assert!(!format!("{all:?}").contains("blue"), "{all:?}");
    let records = firewall.records();
    let hidden = records.iter().find(|record| record["request"]["operation"] == "ContainerList").expect("a record");
    assert_eq!(hidden["hidden"]["things"], 1, "{hidden}");

    // Who is shown the daemon is shown all of it, as it came (asked again where the daemon itself says something new: `Up 2
    // seconds`, of each container at a moment of its own).
    for path in ["/containers/json?all=1", "/images/json"] {
        let same = || get(engine.socket(), path) == get(&firewall.socket(), path);
        assert!(eventually(Duration::from_secs(10), same), "{path}: {}", get(&firewall.socket(), path));
    }
    assert_eq!(each(&get(&firewall.socket(), "/volumes")["Volumes"], "Name"), ["blue-data", "red-data"]);
    assert!(each(&get(&firewall.socket(), "/networks"), "Name").contains(&"blue-net".to_owned()));
    assert!(shell.must("docker ps -a --format '{{.Names}}'").contains("blue-web"));
}

/// A network that both use, an image that both have named: each sees its own.
#[test]
fn things_that_are_shared_do_not_tell_of_others() {
    let engine = Engine::start();
    let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
    populate(&direct);
    direct.must("docker network connect red-net blue-web");
    direct.must("docker tag red-image other/name:1");
    let firewall = start(&engine, "");
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    let names = |network: &Value| -> Vec<String> {
        let containers = network["Containers"].as_object().cloned().unwrap_or_default();
        containers.values().map(|container| container["Name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(names(&get(engine.socket(), "/networks/red-net")).len(), 2);
    assert_eq!(names(&read(&shell, "/networks/red-net")), ["red-web"]);
    let old = read(&shell, "/v1.24/networks");
    assert_eq!(names(&old[0]), ["red-web"], "{old}");
    assert_eq!(names(&get(&firewall.socket(), "/networks/red-net")).len(), 2);
}

#[test]
fn events_of_others_are_not_told() {
    let engine = Engine::start();
    let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
    populate(&direct);
    let firewall = start(&engine, "");
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    let begin = "(setpriv --reuid=65534 --regid=65534 --clear-groups \
                 timeout 20 curl -sgN --unix-socket $SOCKET http://d/events >$WORK/seen &)";
    shell.must(begin);
    std::thread::sleep(Duration::from_millis(700));
    for team in ["blue", "red"] {
        direct.must(&format!("docker stop -t 0 {team}-web; docker start {team}-web"));
        direct.must(&format!("docker tag {team}-image {team}-again"));
        direct.must(&format!("docker volume create {team}-more --label team={team}; docker volume rm {team}-more"));
        direct.must(&format!("docker rm -f {team}-web"));
    }
    let seen = || shell.run("cat $WORK/seen").out;
    assert!(eventually(Duration::from_secs(10), || seen().contains("\"destroy\"")), "{}", seen());
    std::thread::sleep(Duration::from_millis(300));
    let seen = seen();
    for action in ["\"die\"", "\"start\"", "\"tag\"", "\"destroy\"", "\"network\"", "\"volume\"", "\"create\""] {
        assert!(seen.contains(action), "no {action} in {seen}");
    }
    assert!(!seen.contains("blue"), "{seen}");
    // The same from the past, where things are gone already.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_secs();
    let past = ask(&shell, "GET", &format!("/events?since=0&until={now}"), "");
    assert!(past.contains("red-web") && !past.contains("blue"), "{past}");
}

#[test]
fn errors_name_nobody_else() {
    let engine = Engine::start();
    let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
    populate(&direct);
    let blue = get(engine.socket(), "/containers/blue-web/json")["Id"].as_str().unwrap_or_default().to_owned();
    let firewall = start(&engine, "");
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    let json = |body: &str| format!("-H 'Content-Type: application/json' -d '{body}'");
    let conflict = ask(&shell, "POST", "/containers/create?name=blue-web", &json(r#"{"Image":"tiny","Cmd":["true"]}"#));
    assert!(conflict.contains("already in use by container") && conflict.contains('…'), "{conflict}");
    let rename = ask(&shell, "POST", "/containers/red-web/rename?name=blue-web", "");
    let volume = ask(&shell, "DELETE", "/volumes/blue-data", "");
    let image = ask(&shell, "DELETE", "/images/tiny", "");
    for said in [conflict, rename, volume, image] {
        assert!(said.contains("message") && !said.contains(&blue[..12]), "{said}");
    }
    // Who sees it may be told.
    let (_, said) = call(
        &firewall.socket(),
        "POST",
        "/containers/create?name=blue-web",
        Some(r#"{"Image":"tiny","Cmd":["true"]}"#),
    );
    assert!(said.contains(&blue), "{said}");
}

#[test]
fn values_are_hidden_from_one_and_not_from_the_other() {
    let engine = Engine::start();
    let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
    populate(&direct);
    direct.must("docker run -d --name args --network none tiny sh -c 'PASSWORD=red-s3cret sleep 1000'");
    let redact = "redact:\n  - environment: [\"*PASSWORD*\"]\n    except: [\"user:root\"]\n";
    let firewall = Firewall::start(engine.socket(), |_| format!("policy: {{ preset: developer }}\n{redact}"));
    open_to_all(&firewall.socket());
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    let inspected = read(&shell, "/containers/red-web/json");
    let env = format!("{}", inspected["Config"]["Env"]);
    assert!(env.contains("DB_PASSWORD=[redacted by dockwarden]") && env.contains("PLAIN=visible"), "{env}");
    for path in [
        "/containers/red-web/json?size=1",
        "/v1.24/containers/red-web/json",
        "/containers/json?all=1",
        "/containers/args/json",
        "/containers/args/top",
        "/images/red-image/json",
        "/images/red-image/history",
        "/images/json",
        "/system/df",
        "/info",
    ] {
        let said = read(&shell, path).to_string();
        assert!(!said.contains("s3cret"), "{path}: {said}");
    }
    // The one whom it is not hidden from gets the bytes as they came.
    for path in ["/containers/red-web/json", "/images/red-image/history"] {
        assert_eq!(call(&firewall.socket(), "GET", path, None).1, call(engine.socket(), "GET", path, None).1);
    }
    let record = firewall.records().into_iter().find(|record| record["hidden"]["values"] == 1);
    assert!(record.is_some(), "{:?}", firewall.records());
}

/// What a service was before its update holds the same values, and what is read is not written back.
#[test]
fn values_of_services_configs_and_the_swarm_are_hidden() {
    let engine = Engine::start();
    let daemon = engine.socket();
    let init = r#"{"ListenAddr":"127.0.0.1:2377","AdvertiseAddr":"127.0.0.1"}"#;
    assert_eq!(call(daemon, "POST", "/swarm/init", Some(init)).0, 200);
    let service = |env: &str| {
        format!(
            r#"{{"Name":"app","TaskTemplate":{{"ContainerSpec":{{"Image":"tiny","Command":["sleep","100"],"Env":["{env}"]}}}},
               "Mode":{{"Replicated":{{"Replicas":1}}}}}}"#
        )
    };
    assert_eq!(call(daemon, "POST", "/services/create", Some(&service("PASSWORD=s3cret-1"))).0, 201);
    let version = || get(daemon, "/services/app")["Version"]["Index"].clone();
    let update = format!("/services/app/update?version={}", version());
    assert_eq!(call(daemon, "POST", &update, Some(&service("PASSWORD=s3cret-2"))).0, 200);
    // `s3cret` in Base64.
    assert_eq!(call(daemon, "POST", "/configs/create", Some(r#"{"Name":"app-conf","Data":"czNjcmV0"}"#)).0, 201);
    let redact =
        "redact:\n  - { environment: PASSWORD, configs: \"app-*\", join_tokens: true, except: [\"user:root\"] }\n";
    let firewall = Firewall::start(daemon, |_| format!("policy: {{ preset: open }}\n{redact}"));
    open_to_all(&firewall.socket());
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    let config = get(daemon, "/configs")[0]["ID"].as_str().unwrap_or_default().to_owned();
    let paths = ["/services", "/services/app", "/tasks", "/configs", &format!("/configs/{config}"), "/swarm"];
    for path in paths {
        let hidden = |said: &str| said.contains("s3cret") || said.contains("czNjcmV0") || said.contains("SWMTKN-1");
        let direct = get(daemon, path).to_string();
        assert!(path == "/tasks" || hidden(&direct), "{path} shows nothing: {direct}");
        let said = read(&shell, path).to_string();
        assert!(!hidden(&said), "{path}: {said}");
        assert_eq!(get(&firewall.socket(), path), get(daemon, path), "{path}, to root");
    }
    let mut spec = read(&shell, "/services/app")["Spec"].clone();
    spec["TaskTemplate"]["ForceUpdate"] = 1.into();
    fs::write(firewall.folder().join("spec"), spec.to_string()).expect("a file");
    fs::set_permissions(firewall.folder().join("spec"), fs::Permissions::from_mode(0o644)).expect("its mode");
    let more = format!("-H 'Content-Type: application/json' -d @{}", firewall.folder().join("spec").display());
    let said = ask(&shell, "POST", &format!("/services/app/update?version={}", version()), &more);
    assert!(said.contains("would become the value of what was hidden"), "{said}");
    assert!(get(daemon, "/services/app")["Spec"].to_string().contains("s3cret-2"));
}

/// An hour of work for nobody: a long list is a matter of a moment.
#[test]
fn a_long_list_is_filtered_fast() {
    let engine = Engine::start();
    let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
    for at in 0..300 {
        let team = if at % 3 == 0 { "red" } else { "blue" };
        let body = format!(
            r#"{{"Image":"tiny","Cmd":["true"],"Labels":{{"team":"{team}","filler":"{}"}}}}"#,
            "x".repeat(2000)
        );
        assert_eq!(call(engine.socket(), "POST", &format!("/containers/create?name={team}{at}"), Some(&body)).0, 201);
    }
    drop(direct);
    let firewall = start(&engine, "");
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    let begin = Instant::now();
    let list = read(&shell, "/containers/json?all=1");
    let took = begin.elapsed();
    let names = each(&list, "Names");
    assert_eq!(names.len(), 100);
    assert!(names.iter().all(|name| name.starts_with("/red")), "{names:?}");
    println!("300 containers in {took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    // HTTP/1.0 knows no chunks.
    let old = ask(&shell, "GET", "/containers/json?all=1", "--http1.0");
    assert_eq!(each(&serde_json::from_str(&old).expect("JSON"), "Names"), names);
}

/// What a daemon says that is no list ends the answer: nothing of it is passed on unread.
#[test]
fn what_cannot_be_read_is_not_passed_on() {
    let id = "a".repeat(64);
    let item = |label: &str| format!(r#"{{"Id":"{id}","Names":["/secret-name"],"Labels":{{"secret":"{label}"}}}}"#);
    let answers = [
        ("no", 200, format!("[{}]", item("no")), true),
        ("yes", 200, format!("[{}]", item("yes")), false),
        ("object", 200, item("yes"), false),
        ("nameless", 200, r#"[{"Names":["/secret-name"]}]"#.to_owned(), false),
        ("cut", 200, format!("[{}", item("yes")), false),
        ("text", 200, "secret-name".to_owned(), false),
        ("after", 200, format!("[]{}", item("no")), false),
    ];
    let said = answers.clone();
    let daemon = FakeDaemon::start(move |seen, to| {
        let path = seen.line.split(' ').nth(1).unwrap_or_default();
        if path.contains("encoded") {
            let body = b"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 14\r\n\r\n[secret-name  ]";
            return std::io::Write::write_all(to, body).is_ok();
        }
        let found = said.iter().find(|(word, ..)| path.contains(word));
        let (status, body) = found.map_or((200, "[]"), |(_, status, body, _)| (*status, body));
        answer(to, status, body)
    });
    let rules = "policy:\n  preset: developer\n  rules:\n    - deny: show\n      on: { label: { secret: \"yes\" } }\n";
    let firewall = Firewall::start(&daemon.socket(), |_| rules.to_owned());
    let list = |word: &str| {
        call(&firewall.socket(), "GET", &format!("/v1.41/containers/json?filters={{\"name\":[\"{word}\"]}}"), None)
    };
    for (word, _, _, shown) in answers {
        assert_eq!(list(word).1.contains("secret-name"), shown, "{word}");
    }
    assert_eq!(list("else"), (200, "[]\n".to_owned()));
    let (status, said) = list("encoded");
    assert!(status == 502 && !said.contains("secret-name"), "{status} {said}");
    let broken = firewall.records().into_iter().find(|record| record["outcome"] == "interrupted").expect("a record");
    assert!(broken["message"].to_string().contains("cannot be filtered"), "{broken}");
}
