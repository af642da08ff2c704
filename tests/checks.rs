//! Images are checked by others before a byte goes to the daemon, and what is used is what was checked.

use crate::harness::engine::modern_engine;
use crate::harness::http::{call, get};
use crate::harness::{Cli, Engine, Firewall, Service, Shell, skipped};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The registry as the daemon sees it.
const REGISTRY: &str = "127.0.0.1:5577";

fn firewall(engine: &Engine, checks: &str) -> Firewall {
    Firewall::start(engine.socket(), |_| policy(checks))
}

fn policy(checks: &str) -> String {
    format!("policy:\n  preset: developer\n  checks:\n    {checks}\n")
}

/// A web hook that says yes to all but these images.
fn hook(but: &'static [&'static str]) -> Service {
    Service::start(move |seen| {
        let asked = question(&seen.body);
        let image = asked["image"].as_str().unwrap_or_default();
        let bad = but.iter().any(|name| image.contains(name));
        (200, if bad { r#"{"allow":false,"reason":"three holes"}"# } else { r#"{"allow":true}"# }.to_owned())
    })
}

fn question(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

/// What a service was asked about since the last time.
fn asked(service: &Service) -> Vec<String> {
    let name = |body: &[u8]| question(body)["image"].as_str().unwrap_or_default().to_owned();
    service.take_seen().iter().map(|seen| name(&seen.body)).collect()
}

/// The checks in the last record of an operation.
fn recorded(firewall: &Firewall, operation: &str) -> Value {
    let records = firewall.records();
    let last = records.iter().rfind(|record| record["request"]["operation"] == operation);
    last.unwrap_or_else(|| panic!("no {operation}"))["checks"].clone()
}

/// An image that is not `tiny`, under a name.
fn other_image(engine: &Engine, name: &str) {
    let direct = Shell::new(engine.socket(), Cli::Machine);
    direct.must(&format!("echo {name} >x; tar c x | docker import - {name}"));
}

/// `tiny` in the registry, and not here.
fn pushed(engine: &Engine, name: &str) {
    push(engine.socket(), "tiny", name);
    let direct = Shell::new(engine.socket(), Cli::Machine);
    direct.must(&format!("docker rmi {REGISTRY}/{name}"));
}

fn push(daemon: &Path, image: &str, name: &str) {
    let direct = Shell::new(daemon, Cli::Machine);
    direct.must(&format!("docker tag {image} {REGISTRY}/{name} && docker push -q {REGISTRY}/{name}"));
}

#[test]
fn a_container_is_made_from_an_image_that_passes() {
    let engine = Engine::start();
    let hook = hook(&["bad"]);
    let firewall = firewall(&engine, &format!("- http: {}/image", hook.url()));
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    Shell::new(engine.socket(), Cli::Machine).must("docker tag tiny bad:1; docker tag tiny late:1");

    assert_eq!(shell.must("docker run --rm --network none tiny echo hi"), "hi");
    let seen = hook.take_seen();
    assert_eq!((seen.len(), seen[0].line.as_str()), (1, "POST /image HTTP/1.1"));
    let id = get(engine.socket(), "/images/tiny/json")["Id"].clone();
    let told = question(&seen[0].body);
    assert_eq!(
        (&told["image"], &told["id"], &told["digest"]),
        (&json!("docker.io/library/tiny:latest"), &id, &Value::Null)
    );
    let checked = &recorded(&firewall, "ContainerCreate")[0];
    let expected = json!({ "check": "http", "image": "tiny:latest", "digest": id, "answer": "yes", "cached": false, "passes": true });
    assert_eq!(*checked, expected);
    shell.must("docker create --network none tiny true");
    assert!(hook.take_seen().is_empty(), "the answer is known");
    assert_eq!(recorded(&firewall, "ContainerCreate")[0]["cached"], true);

    // A rehearsal says who would be asked, and asks nobody.
    let config = firewall.folder().join("config.yaml").display().to_string();
    let explain = format!(
        "{} explain --config {config} -- docker create --network none late:1 true",
        env!("CARGO_BIN_EXE_dockwarden")
    );
    let explained = Shell::new(&firewall.socket(), Cli::Machine).must(&explain);
    assert!(explained.contains("? checked  image late:1 would be asked about, check http"), "{explained}");
    assert!(hook.take_seen().is_empty());
    // What is refused anyway is not asked about, nor what is not there.
    let refused = shell.run("docker create --privileged --network none late:1 true");
    assert!(refused.err.contains("may not run privileged"), "{refused:?}");
    call(&firewall.socket(), "POST", "/containers/create", Some(r#"{"Image":"nosuch:1"}"#));
    assert!(hook.take_seen().is_empty());

    let before = get(engine.socket(), "/containers/json?all=1");
    let refused = shell.run("docker run --network none bad:1 true");
    assert!(
        refused.err.contains("dockwarden: may not use image bad:1 (check http: three holes). Record "),
        "{refused:?}"
    );
    let by_id = shell.run("docker run --network none $(docker inspect -f '{{.Id}}' bad:1) true");
    assert_eq!(by_id.code, 125, "{by_id:?}");
    assert_eq!(get(engine.socket(), "/containers/json?all=1"), before);
    assert_eq!(recorded(&firewall, "ContainerCreate")[0]["answer"], "no");
}

#[test]
fn what_cannot_be_checked_is_not_used_unless_the_policy_says_so() {
    let engine = Engine::start();
    let hook = hook(&[]);
    for on_error in ["deny", "allow"] {
        let url = hook.url();
        let checks = format!(
            "- http: {url}/\n      timeout: 700ms\n      on_error: {on_error}\n      images: [slow, odd, error, large, moved]\n    \
             - http: http://127.0.0.1:1/\n      on_error: {on_error}\n      images: gone\n    \
             - command: [/bin/sh, -c, 'echo broken >&2; exit 3']\n      name: script\n      on_error: {on_error}\n      images: script"
        );
        let firewall = firewall(&engine, &checks);
        let shell = Shell::new(&firewall.socket(), Cli::Machine);
        for (name, words) in [
            ("slow", "no answer within 700 ms"),
            ("odd", "answered something else than was agreed"),
            ("error", "answered 500"),
            ("moved", "answered 302"),
            ("large", "answers with more than 8 MiB"),
            ("gone", "127.0.0.1:1 cannot be reached: Connection refused"),
            ("script", "check script: /bin/sh ended with status 3: broken"),
        ] {
            hook.say(move |_| match name {
                "slow" => {
                    std::thread::sleep(Duration::from_secs(2));
                    (200, r#"{"allow":true}"#.to_owned())
                }
                "odd" => (200, r#"{"allow":"yes"}"#.to_owned()),
                "error" => (500, r#"{"allow":true}"#.to_owned()),
                "moved" => (302, r#"{"allow":true}"#.to_owned()),
                _ => (200, format!(r#"{{"allow":true,"reason":"{}"}}"#, "x".repeat(9 << 20))),
            });
            other_image(&engine, &format!("{name}:1"));
            let outcome = shell.run(&format!("docker create --network none {name}:1 true"));
            let checked = &recorded(&firewall, "ContainerCreate")[0];
            assert_eq!(checked["answer"], "error", "{name} {outcome:?}");
            if on_error == "allow" {
                assert_eq!((outcome.code, &checked["passes"]), (0, &json!(true)), "{name} {outcome:?}");
            } else {
                assert_eq!(outcome.code, 1, "{name}");
                assert!(outcome.err.contains(words), "no `{words}` in {}", outcome.err);
                assert!(outcome.err.contains(&format!("image {name}:1 could not be checked")), "{}", outcome.err);
            }
        }
    }
    // Where refusals are not carried out, this one is not either; the record tells.
    hook.say(|_| (200, r#"{"allow":false,"reason":"three holes"}"#.to_owned()));
    let warns = Firewall::start(engine.socket(), |_| policy(&format!("- http: {}", hook.url())) + "  mode: warn\n");
    Shell::new(&warns.socket(), Cli::Machine).must("docker create --network none tiny true");
    let records = warns.records();
    let record = records.iter().rfind(|record| record["request"]["operation"] == "ContainerCreate").unwrap();
    assert!(record["message"].as_str().unwrap().contains("three holes"), "{record}");
}

#[test]
fn many_who_want_one_image_wait_for_one_answer() {
    let engine = Engine::start();
    let hook = hook(&[]);
    hook.say(|_| {
        std::thread::sleep(Duration::from_secs(1));
        (200, r#"{"allow":true}"#.to_owned())
    });
    let firewall = firewall(&engine, &format!("- http: {}", hook.url()));
    let shell = Shell::new(&firewall.socket(), Cli::Machine);
    let began = Instant::now();
    shell.must("for n in 1 2 3 4 5 6 7 8; do docker create --network none tiny true & done; wait");
    assert_eq!(hook.take_seen().len(), 1);
    assert!(began.elapsed() < Duration::from_secs(8));
    assert_eq!(get(engine.socket(), "/containers/json?all=1").as_array().unwrap().len(), 8);
}

#[test]
fn a_name_that_is_given_away_while_it_is_checked_is_not_used() {
    let engine = Engine::start();
    other_image(&engine, "evil:1");
    let direct = engine.socket().to_owned();
    let hook = Service::start(move |_| {
        call(&direct, "POST", "/images/evil:1/tag?repo=moving&tag=1", None);
        (200, r#"{"allow":true}"#.to_owned())
    });
    let firewall = firewall(&engine, &format!("- http: {}", hook.url()));
    Shell::new(engine.socket(), Cli::Machine).must("docker tag tiny moving:1");
    let outcome = Shell::new(&firewall.socket(), Cli::Machine).run("docker create --network none moving:1 x");
    assert!(outcome.err.contains("image moving:1 became another one while it was checked"), "{outcome:?}");
    assert_eq!(get(engine.socket(), "/containers/json?all=1"), json!([]));
}

#[test]
fn a_pull_fetches_what_was_checked_and_gives_it_its_name() {
    let engine = Engine::start();
    let daemon = engine.socket().to_owned();
    for name in ["app:1", "bad:1", "moving:1"] {
        pushed(&engine, name);
    }
    other_image(&engine, "evil:1");
    let hook = hook(&["bad"]);
    let firewall = firewall(&engine, &format!("- http: {}", hook.url()));
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    let id = |name: &str| get(&daemon, &format!("/images/{name}/json"))["Id"].clone();
    let app = format!("{REGISTRY}/app:1");
    let out = shell.must(&format!("docker pull {app}"));
    assert!(out.contains("Status: Downloaded newer image") && out.ends_with(&app), "{out}");
    assert_eq!(id(&app), id("tiny"));
    let told = question(&hook.take_seen()[0].body);
    let names = get(&daemon, &format!("/images/{app}/json"))["RepoDigests"].clone();
    assert_eq!((&told["image"], &told["pinned"]), (&json!(app), &names[0]), "{names}");
    assert_eq!(recorded(&firewall, "ImageCreate")[0]["digest"], told["digest"]);
    assert_eq!(shell.must(&format!("docker pull -q {app}")), app);
    assert_eq!(asked(&hook), Vec::<String>::new(), "known");

    for (image, words) in [
        ("bad:1", "may not use image 127.0.0.1:5577/bad:1 (check http: three holes)"),
        ("nosuch:1", "its registry does not tell which image that is"),
        ("-a app", "all tags at once cannot be checked"),
    ] {
        let (option, name) = image.split_once(' ').unwrap_or(("", image));
        let refused = shell.run(&format!("docker pull {option} {REGISTRY}/{name}"));
        assert!(refused.code == 1 && refused.err.contains(words), "{refused:?}");
    }
    assert_eq!(call(&daemon, "GET", &format!("/images/{REGISTRY}/bad:1/json"), None).0, 404);

    // The tag is given to another image in the registry while this one is checked.
    let moving = format!("{REGISTRY}/moving:1");
    let away = daemon.clone();
    hook.say(move |_| {
        push(&away, "evil:1", "moving:1");
        Shell::new(&away, Cli::Machine).must(&format!("docker rmi {REGISTRY}/moving:1"));
        (200, r#"{"allow":true}"#.to_owned())
    });
    shell.must(&format!("docker pull {moving}"));
    assert_eq!(id(&moving), id("tiny"), "what was checked, whatever the tag is now");
}

#[test]
fn a_build_starts_and_copies_from_what_passes() {
    let engine = Engine::start();
    for name in ["base:1", "tool:1", "bad:1"] {
        pushed(&engine, name);
    }
    let hook = hook(&["bad"]);
    let firewall = firewall(&engine, &format!("- http: {}", hook.url()));
    let shell = Shell::new(&firewall.socket(), Cli::Machine);
    let build = |from: &str, tool: &str| {
        let dockerfile = format!("FROM {REGISTRY}/{from}\nCOPY --from={REGISTRY}/{tool} /etc/group /group\n");
        std::fs::write(shell.work().join("Dockerfile"), dockerfile).expect("a Dockerfile");
        shell.run("DOCKER_BUILDKIT=0 docker build -q -t built .")
    };
    let refused = build("base:1", "bad:1");
    assert!(refused.err.contains("may not use image 127.0.0.1:5577/bad:1 (check http: three holes)"), "{refused:?}");
    let here = |name: &str| call(engine.socket(), "GET", &format!("/images/{name}/json"), None).0 == 200;
    assert!(!here(&format!("{REGISTRY}/bad:1")) && !here("built"));
    let built = build("base:1", "tool:1");
    assert_eq!(built.code, 0, "{built:?}");
    assert!(here("built") && here(&format!("{REGISTRY}/base:1")) && here(&format!("{REGISTRY}/tool:1")));
    let told = asked(&hook);
    for name in ["base:1", "tool:1"] {
        assert!(told.contains(&format!("{REGISTRY}/{name}")), "{told:?}");
    }
    // An image that is here already is asked about as it is here.
    Shell::new(engine.socket(), Cli::Machine).must("docker tag tiny bad:here");
    let refused = shell.run("printf 'FROM bad:here\n' >Dockerfile; DOCKER_BUILDKIT=0 docker build .");
    assert!(refused.err.contains("may not use image bad:here"), "{refused:?}");
}

/// BuildKit says itself which images it takes; each is asked about before a step runs.
#[test]
fn a_build_through_buildkit_starts_and_copies_from_what_passes() {
    if modern_engine().is_none() {
        return skipped("checks of builds through BuildKit", "no ../shared/bin/modern-engine here, so no buildx");
    }
    let engine = Engine::start();
    for name in ["base:1", "tool:1", "bad:1"] {
        pushed(&engine, name);
    }
    other_image(&engine, "bad:here");
    let hook = hook(&["bad"]);
    let firewall = firewall(&engine, &format!("- http: {}", hook.url()));
    let shell = Shell::new(&firewall.socket(), Cli::Modern);
    let build = |dockerfile: &str| {
        std::fs::write(shell.work().join("Dockerfile"), dockerfile).expect("a Dockerfile");
        shell.run("docker build --network none -t built $WORK")
    };
    let here = |name: &str| call(engine.socket(), "GET", &format!("/images/{name}/json"), None).0 == 200;
    // What BuildKit itself would fetch meanwhile, nobody could have checked.
    for from in ["base:1", "bad:1"] {
        let refused = build(&format!("FROM {REGISTRY}/{from}\nRUN true\n"));
        let words = "it is not here, and would be fetched while it builds: pull it first";
        assert!(refused.code != 0 && refused.err.contains(words) && !here("built"), "{refused:?}");
        assert!(refused.err.contains(" At Dockerfile:1: FROM"), "{refused:?}");
    }
    let pulled = shell.run(&format!("docker pull {REGISTRY}/bad:1"));
    assert!(pulled.code != 0 && pulled.err.contains("three holes"), "{pulled:?}");
    shell.must(&format!("docker pull -q {REGISTRY}/base:1; docker pull -q {REGISTRY}/tool:1"));

    for (dockerfile, step) in [
        ("FROM bad:here\nRUN true\n", "Dockerfile:1: FROM"),
        ("FROM tiny\nRUN true\nFROM bad:here\nCOPY --from=0 /etc /x\n", "Dockerfile:3: FROM"),
        ("FROM tiny\nCOPY --from=bad:here /etc /x\n", "Dockerfile:2: COPY"),
        ("FROM tiny\nRUN --mount=from=bad:here,target=/m ls /m\n", "Dockerfile:2: RUN"),
    ] {
        let refused = build(dockerfile);
        let words = "dockwarden: may not use image bad:here (check http: three holes)";
        assert!(refused.code != 0 && refused.err.contains(words), "{dockerfile}: {refused:?}");
        assert!(refused.err.contains(&format!(" At {step}")), "no `{step}` in {refused:?}");
        assert!(!here("built"), "{dockerfile}");
    }

    let built = build(&format!("FROM {REGISTRY}/base:1\nCOPY --from={REGISTRY}/tool:1 /etc/group /group\n"));
    assert!(built.code == 0 && here("built"), "{built:?}");
    let told = asked(&hook);
    for name in ["base:1", "tool:1"] {
        assert!(told.contains(&format!("{REGISTRY}/{name}")), "{told:?}");
    }
    let records = firewall.records();
    let checked: Vec<&Value> = records.iter().filter_map(|record| record["checks"].as_array()).flatten().collect();
    assert!(checked.iter().any(|check| check["image"] == "bad:here" && check["answer"] == "no"), "{checked:?}");
}

#[test]
fn a_service_runs_the_digest_that_was_checked() {
    let engine = Engine::start();
    let init = r#"{"ListenAddr":"127.0.0.1:2377","AdvertiseAddr":"127.0.0.1"}"#;
    assert_eq!(call(engine.socket(), "POST", "/swarm/init", Some(init)).0, 200);
    pushed(&engine, "app:1");
    pushed(&engine, "bad:1");
    let hook = hook(&["bad"]);
    let firewall = Firewall::start(engine.socket(), |_| {
        policy(&format!("- http: {}", hook.url()))
            + "  rules:\n    - allow: [service create, service update, service inspect, service ls]\n"
    });
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    let create = "docker service create -d --replicas 0 --user 1000 --no-resolve-image";
    shell.must(&format!("{create} --name web {REGISTRY}/app:1"));
    let image = |name: &str| {
        let service = get(engine.socket(), &format!("/services/{name}"));
        service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"].as_str().unwrap_or_default().to_owned()
    };
    let digest = question(&hook.take_seen()[0].body)["digest"].as_str().unwrap().to_owned();
    assert_eq!(image("web"), format!("{REGISTRY}/app:1@{digest}"));
    for (name, words) in [("bad:1", "three holes"), ("nosuch:1", "its registry does not tell which image that is")] {
        let refused = shell.run(&format!("{create} {REGISTRY}/{name}"));
        assert!(refused.err.contains(words), "{refused:?}");
        let refused = shell.run(&format!("docker service update -d --no-resolve-image --image {REGISTRY}/{name} web"));
        assert!(refused.err.contains(words), "{refused:?}");
    }
    assert_eq!(image("web"), format!("{REGISTRY}/app:1@{digest}"));
    shell.must("docker service update -d --no-resolve-image --env-add A=1 web");
    assert_eq!(get(engine.socket(), "/services").as_array().unwrap().len(), 1);
}

/// With the registry that the daemon has, which is Debian's.
#[test]
fn what_the_registry_has_under_the_name_must_be_what_is_here() {
    let engine = Engine::start();
    pushed(&engine, "app:1");
    other_image(&engine, "evil:1");
    let direct = Shell::new(engine.socket(), Cli::Machine);
    let firewall = Firewall::beside(&engine, |_| policy("- registry:\n      ttl: 0s"));
    let shell = Shell::new(&firewall.socket(), Cli::Machine);
    let app = format!("{REGISTRY}/app:1");
    shell.must(&format!("docker pull {app} && docker create --network none {app} true"));
    let create = |image: &str| shell.run(&format!("docker create --network none {image} true"));
    direct.must(&format!("docker tag evil:1 {REGISTRY}/mine:1"));
    for (image, words) in [
        (format!("{REGISTRY}/mine:1"), "it did not come from 127.0.0.1:5577"),
        ("tiny".to_owned(), "it did not come from docker.io"),
    ] {
        let refused = create(&image);
        assert!(refused.err.contains(words), "{refused:?}");
    }
    // By another name it is still the registry's image.
    let only = Firewall::beside(&engine, |_| policy(&format!("- registry:\n      images: {REGISTRY}")));
    direct.must(&format!("docker tag {app} own:1"));
    Shell::new(&only.socket(), Cli::Machine).must("docker create --network none own:1 true");
    // Somebody pushes another image under the name; what is here is out of date.
    direct.must(&format!("docker tag {app} keep:1"));
    push(engine.socket(), "evil:1", "app:1");
    direct.must(&format!(
        "docker rmi {app}; docker pull -q {app}; docker tag {app} {REGISTRY}/app:new; docker tag tiny {app}"
    ));
    push(engine.socket(), "tiny", "app:1");
    assert_eq!(create(&app).code, 0, "it is what was pushed");
    direct.must(&format!("docker tag evil:1 {REGISTRY}/x:1; docker push -q {REGISTRY}/x:1; docker rmi {REGISTRY}/x:1"));
    push(engine.socket(), "evil:1", "app:1");
    direct.must(&format!("docker tag tiny {app}"));
    let refused = create(&app);
    assert!(refused.err.contains("under this name, and it is"), "{refused:?}");
}

/// The documented API of Anchore Engine, version 1.
#[test]
fn anchore_engine_counts_and_judges() {
    let engine = Engine::start();
    pushed(&engine, "app:1");
    let direct = Shell::new(engine.socket(), Cli::Machine);
    direct.must(&format!("docker pull -q {REGISTRY}/app:1"));
    let severities: &[(&[&str], &str, &str)] = &[
        (&["High", "Low"], "pass", ""),
        (
            &["High", "Critical", "Low"],
            "pass",
            "2 vulnerabilities of severity high or worse, such as CVE-0, CVE-1; at most 1",
        ),
        (&["High", "Dreadful"], "pass", "2 vulnerabilities"),
        (&["Low"], "fail", "the engine's policy fails"),
        (&["Low"], "later", "its policy neither passes nor fails"),
        (&[], "failed", "it could not analyse the image"),
        (&[], "other", "it took another image"),
    ];
    for (found, policy_says, words) in severities {
        let mut looks = 0;
        let digest = std::sync::Mutex::new(String::new());
        let anchore = Service::start(move |seen| {
            let path = seen.line.split(' ').nth(1).unwrap_or_default().to_owned();
            assert!(seen.fields.iter().any(|field| field.to_lowercase() == "authorization: basic ywrtaw46cgfzcw=="
                || field.contains("YWRtaW46cGFzcw==")));
            let mut digest = digest.lock().unwrap();
            let known = |digest: &str, status: &str| {
                (200, json!([{ "imageDigest": digest, "parentDigest": digest, "analysis_status": status, "image_status": "active" }]).to_string())
            };
            if seen.line.starts_with("POST /v1/images ") {
                let source = question(&seen.body)["source"]["digest"].clone();
                assert_eq!(source["tag"], format!("{REGISTRY}/app:1"));
                *digest = source["pullstring"].as_str().unwrap().split('@').nth(1).unwrap().to_owned();
                if *policy_says == "other" {
                    return known(&format!("sha256:{}", "0".repeat(64)), "analyzed");
                }
                return known(&digest, "not_analyzed");
            }
            if path == format!("/v1/images/{digest}") {
                looks += 1;
                let status = if *policy_says == "failed" {
                    "analysis_failed"
                } else if looks < 2 {
                    "analyzing"
                } else {
                    "analyzed"
                };
                return known(&digest, status);
            }
            if path == format!("/v1/images/{digest}/vuln/os") {
                let all: Vec<Value> = found.iter().enumerate().map(|(at, severity)| json!({ "vuln": format!("CVE-{at}"), "severity": severity, "package": "x-1", "fix": "None" })).collect();
                return (
                    200,
                    json!({ "imageDigest": *digest, "vulnerability_type": "os", "vulnerabilities": all }).to_string(),
                );
            }
            if path.starts_with(&format!("/v1/images/{digest}/check?tag=127.0.0.1")) {
                let tag = format!("{REGISTRY}/app:1");
                return (200, json!([{ digest.clone(): { tag: [{ "status": policy_says, "policyId": "p", "last_evaluation": "2026-01-01T00:00:00Z", "detail": {} }] } }]).to_string());
            }
            (404, json!({ "message": path }).to_string())
        });
        let firewall = Firewall::start(engine.socket(), |folder| {
            let password = folder.join("password");
            std::fs::write(&password, "pass\n").unwrap();
            std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
            policy(&format!(
                "- anchore: {{ url: \"{}/v1\", user: admin, password_file: {}, severity: high, most: 1, within: os, policy: true }}\n      name: scan",
                anchore.url(),
                password.display()
            ))
        });
        let shell = Shell::new(&firewall.socket(), Cli::Machine);
        let outcome = shell.run(&format!("docker create --network none {REGISTRY}/app:1 true"));
        assert_eq!(outcome.code == 0, words.is_empty(), "{policy_says} {outcome:?}");
        assert!(outcome.err.contains(words), "no `{words}` in {}", outcome.err);
        let local = shell.run("docker create --network none tiny true");
        assert!(local.err.contains("check scan: no registry has it, so it cannot be analysed"), "{local:?}");
    }
}

#[test]
fn a_program_says_yes_or_no() {
    let engine = Engine::start();
    let firewall = Firewall::start(engine.socket(), |folder| {
        let script = folder.join("scan");
        let text =
            "#!/bin/sh\ngrep -q '\"tag\":\"bad\"' || exit 0\necho scanning...\necho \"$1 found in $2\" >&2\nexit 1\n";
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        policy(&format!("- command: [{}, malware, '{{image}}']", script.display()))
    });
    Shell::new(engine.socket(), Cli::Machine).must("docker tag tiny tiny:bad");
    let shell = Shell::new(&firewall.socket(), Cli::Machine);
    shell.must("docker create --network none tiny true");
    let refused = shell.run("docker create --network none tiny:bad true");
    let words = "may not use image tiny:bad (check command: malware found in docker.io/library/tiny:bad)";
    assert!(refused.err.contains(words), "{refused:?}");
}

#[test]
fn opa_decides_with_a_token() {
    let engine = Engine::start();
    let opa = Service::start(|seen| {
        let known = seen.fields.iter().any(|field| field.eq_ignore_ascii_case("authorization: Bearer s3cret"));
        let input = question(&seen.body)["input"].clone();
        let result = if !known { json!("?") } else { json!({ "allow": input["tag"] != "bad", "reason": "too old" }) };
        (200, if input["tag"] == "unknown" { json!({}) } else { json!({ "result": result }) }.to_string())
    });
    let firewall = Firewall::start(engine.socket(), |folder| {
        let token: PathBuf = folder.join("token");
        std::fs::write(&token, "Bearer s3cret\n").unwrap();
        std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
        let url = format!("{}/v1/data/images/allow", opa.url());
        policy(&format!("- http: {{ url: \"{url}\", form: opa, header: {{ Authorization: {} }} }}", token.display()))
    });
    Shell::new(engine.socket(), Cli::Machine).must("docker tag tiny tiny:bad; docker tag tiny tiny:unknown");
    let shell = Shell::new(&firewall.socket(), Cli::Machine);
    shell.must("docker create --network none tiny true");
    for (tag, words) in [("bad", "(check http: too old)"), ("unknown", "its policy does not decide about it")] {
        let refused = shell.run(&format!("docker create --network none tiny:{tag} true"));
        assert!(refused.err.contains(words), "{refused:?}");
    }
    let told = std::fs::read_to_string(firewall.folder().join("records.jsonl")).unwrap() + &firewall.log();
    assert!(!told.contains("s3cret"));
}

#[test]
fn the_plugin_asks_too_and_refuses_what_it_cannot_pin() {
    let mut engine = Engine::start();
    pushed(&engine, "app:1");
    Shell::new(engine.socket(), Cli::Machine).must("docker tag tiny bad:1");
    let hook = hook(&["bad"]);
    let plugin = engine.plugin_socket().display().to_string();
    let _firewall = Firewall::start(engine.socket(), |_| {
        let checks = format!("checks: [{{ http: \"{}\" }}]", hook.url());
        format!("plugin: {{ socket: {plugin}, require: policy }}\npolicy: {{ preset: open, {checks} }}\n")
    });
    engine.authorize();
    let shell = Shell::new(engine.socket(), Cli::Machine);
    shell.must("docker create --network none tiny true");
    let refused = shell.run("docker create --network none bad:1 true");
    assert!(refused.err.contains("may not use image bad:1 (check http: three holes)"), "{refused:?}");
    // It cannot make the daemon fetch another name than it was told, so the digest must be said.
    let refused = shell.run(&format!("docker pull {REGISTRY}/app:1"));
    assert!(refused.err.contains("which was judged as `sha256:"), "{refused:?}");
    let digest = question(&hook.take_seen().last().unwrap().body)["pinned"].as_str().unwrap().to_owned();
    shell.must(&format!("docker pull {digest}"));
    let refused = shell.run("printf 'FROM tiny\n' >Dockerfile; DOCKER_BUILDKIT=0 docker build .");
    assert!(refused.err.contains("which images it uses cannot be seen"), "{refused:?}");
}
