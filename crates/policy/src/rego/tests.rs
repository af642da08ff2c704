//! Policies in both syntaxes, by the intent of the predecessors' samples, and what is refused at load.

use std::time::SystemTime;

use docker::facts::{CanonicalBody, Facts};
use docker::http::{HeadLimits, Parsed, RequestHead};
use docker::request::{Call, Reading, Request};
use docker::world::World;

use super::{RegoData, RegoModule, RegoSources, RegoTold};
use crate::source::Directory;
use crate::{Answered, Circumstances, Diagnostics, Door, NamedText, Policy, PolicySection, Proof, Sources, Subject};

fn named(name: &str, text: &str) -> RegoModule {
    RegoModule { text: NamedText { name: name.to_owned(), text: text.to_owned() }, ..RegoModule::default() }
}

pub(super) fn load(sources: RegoSources) -> Result<Policy, Diagnostics> {
    let nobody = |_: &str| true;
    let directory = Directory { is_group: &nobody, is_user: &nobody, names: Vec::new() };
    let sources = Sources {
        policy: PolicySection::default(),
        preset: Some("open".to_owned()),
        rego: Some(RegoSources { tell: true, ..sources }),
        ..Sources::default()
    };
    Policy::load(&sources, &directory)
}

fn policy(text: &str) -> Policy {
    load(RegoSources { modules: vec![named("authz.rego", text)], ..RegoSources::default() }).unwrap()
}

/// All faults of a policy that cannot be used.
fn faults(text: &str) -> String {
    load(RegoSources { modules: vec![named("authz.rego", text)], ..RegoSources::default() }).unwrap_err().to_string()
}

/// The facts of a request, as a gateway without a daemon would find them.
fn request(method: &str, target: &str, fields: &str, body: &str) -> Facts {
    let typed = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    let head =
        format!("{method} {target} HTTP/1.1\r\nHost: d\r\n{fields}{typed}Content-Length: {}\r\n\r\n", body.len());
    let Parsed::Complete { head, .. } = RequestHead::parse(head.as_bytes(), &HeadLimits::default()).unwrap() else {
        panic!("{head}")
    };
    let call = Call::read(&head, &Reading::default()).unwrap();
    let request = Request::understand(call, body.as_bytes(), &Reading::default()).unwrap();
    let mut world = World::new();
    for _ in 0..4 {
        match request.facts(&world, &docker::defaults::Defaults::default()) {
            Ok(facts) => return facts,
            Err(docker::request::Unsettled::Open(open)) => {
                open.into_iter().for_each(|lookup| learn(&mut world, lookup))
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("{method} {target} leads nowhere")
}

fn learn(world: &mut World, lookup: docker::world::Lookup) {
    use docker::world::{KnownImage, KnownPath, Lookup};
    match lookup {
        Lookup::HostPath(path) if path == "/srv/link" => {
            world.learn_host_path(path, KnownPath::Resolved("/etc".into()))
        }
        Lookup::HostPath(path) => world.learn_host_path(path.clone(), KnownPath::Resolved(path)),
        Lookup::Image(name) => {
            let reference = docker::image::Reference::parse(&name).ok().map(|name| name.with_default_tag());
            let image = docker::resource::Image {
                id: Some(format!("sha256:{}", "a".repeat(64))),
                reference,
                ..Default::default()
            };
            world.learn_image(name, Some(KnownImage { image, ..KnownImage::default() }));
        }
        Lookup::Network(name) => world.learn_network(name, None),
        Lookup::Container(name) => world.learn_container(name, None),
        Lookup::Volume(name) => world.learn_volume(name, None),
        other => panic!("{other:?}"),
    }
}

fn alice() -> Subject {
    let proof = Proof::Certificate { common_name: Some("alice".to_owned()), names: Vec::new() };
    Subject { user: "alice".into(), groups: vec!["dev".into()], uid: None, proof, container: None, address: None }
}

fn answer(policy: &Policy, facts: &Facts) -> Answered {
    let circumstances = Circumstances { door: Door::Gateway, time: SystemTime::UNIX_EPOCH };
    let judgement = policy.judge(&alice(), facts, &circumstances);
    judgement.answers.iter().find(|answer| &*answer.action == super::ACTION).unwrap().clone()
}

fn told(answer: &Answered) -> &RegoTold {
    answer.rego.as_ref().unwrap()
}

#[track_caller]
fn expect(policy: &Policy, facts: &Facts, allowed: bool) {
    let answer = answer(policy, facts);
    assert_eq!(answer.allowed, allowed, "{answer:#?}");
}

const CREATE: &str = "/v1.41/containers/create";

fn create(body: &str) -> Facts {
    request("POST", CREATE, "", body)
}

/// A classic build of this Dockerfile.
fn build(dockerfile: &str) -> Facts {
    let mut facts = request("POST", "/v1.41/build?dockerfile=Dockerfile", "", "");
    let read =
        docker::dockerfile::read(dockerfile.as_bytes(), &Default::default(), docker::dockerfile::Builder::Classic);
    let bases = read.unwrap().bases.into_iter().map(|base| base.name).collect();
    facts.dockerfile = Some(docker::facts::Dockerfile { text: dockerfile.into(), bases });
    facts.canonical.body = CanonicalBody::Archive;
    facts
}

#[test]
fn samples_in_the_old_syntax_decide_as_they_were_meant() {
    let networks = policy(
        r#"package docker.authz
        allow { not creates_network }
        creates_network { input.Method == "POST"; re_match("^(/v[0-9.]+)?/networks/create[?]?", input.Path) }"#,
    );
    expect(&networks, &request("POST", "/v1.41/networks/create", "", r#"{"Name":"n"}"#), false);
    expect(&networks, &request("POST", "/networks/create", "", r#"{"Name":"n"}"#), false);
    expect(&networks, &request("GET", "/v1.41/networks", "", ""), true);

    let header = policy("package docker.authz\nallow { has_field }\nhas_field { input.Headers[\"X-Foo\"] }");
    expect(&header, &request("GET", "/info", "x-foo: bar\r\n", ""), true);
    expect(&header, &request("GET", "/info", "", ""), false);

    let post = policy("package docker.authz\nallow { not input.Method = \"POST\" }");
    expect(&post, &request("POST", "/v1.41/containers/prune", "", ""), false);
    expect(&post, &request("GET", "/_ping", "", ""), true);
}

#[test]
fn builds_have_a_rule_of_their_own() {
    let modules = vec![
        named("authz.rego", "package docker.authz\ndefault allow = false"),
        named(
            "build.rego",
            r#"package docker.build
            allow { not from_node }
            from_node { images[_] = "node" }
            images[output] { line := input.Dockerfile[_]; startswith(line, "FROM "); output = substring(line, 5, -1) }"#,
        ),
    ];
    let policy = load(RegoSources { modules, ..RegoSources::default() }).unwrap();
    expect(&policy, &build("FROM node\nRUN true\n"), false);
    expect(&policy, &build("FROM alpine\nRUN true\n"), true);
    // Nothing but a Dockerfile that was seen is built.
    let unseen = answer(&policy, &request("POST", "/v1.41/build?dockerfile=Dockerfile", "", ""));
    assert_eq!(
        unseen.reason.as_deref(),
        Some("policy build.rego:2 (data.docker.build.allow): the Dockerfile is not seen here, so it cannot be judged")
    );
    expect(&policy, &request("GET", "/info", "", ""), false);
}

#[test]
fn variables_of_a_dockerfile_are_done() {
    let policy = policy("package docker.authz\nimport rego.v1\nallow if not \"node:18\" in input.BaseImages");
    expect(&policy, &build("ARG V=18\nFROM node:${V}\n"), false);
    expect(&policy, &build("ARG V=20\nFROM node:${V}\n"), true);
}

#[test]
fn todays_syntax_decides() {
    let policy = policy(
        r#"package docker.authz
        default allow := false
        allow if { count(deny) == 0; every cap in caps { cap in {"NET_ADMIN", "SYS_TIME"} } }
        caps := object.get(object.get(input.Body, "HostConfig", {}), "CapAdd", [])
        deny contains "privileged" if input.Body.HostConfig.Privileged
        deny contains sprintf("image %v", [input.Body.Image]) if startswith(input.Body.Image, "evil/")"#,
    );
    expect(&policy, &create(r#"{"Image":"alpine","HostConfig":{"CapAdd":["SYS_TIME"]}}"#), true);
    expect(&policy, &create(r#"{"Image":"alpine","HostConfig":{"CapAdd":["SYS_ADMIN"]}}"#), false);
    expect(&policy, &create(r#"{"Image":"alpine","HostConfig":{"Privileged":true,"CapAdd":[]}}"#), false);
    expect(&policy, &create(r#"{"Image":"evil/x","HostConfig":{"CapAdd":[]}}"#), false);
}

#[test]
fn the_document_of_opa_docker_authz() {
    let policy = policy(
        r#"package docker.authz
        import rego.v1
        allow if {
            input.PathArr[2] == "containers"
            input.PathPlain == "/v1.41/containers/create"
            input.Query.name == ["web"]
            input.User == "alice"
            input.AuthMethod == "TLS"
            every bind in input.BindMounts { bind.ReadOnly; startswith(bind.Resolved, "/srv/") }
        }"#,
    );
    let create = |binds: &str| {
        let body = format!(r#"{{"Image":"alpine","HostConfig":{{{binds}}}}}"#);
        request("POST", "/v1.41/containers/create?name=web", "", &body)
    };
    expect(&policy, &create(r#""Binds":["/srv/ci:/x:ro"]"#), true);
    expect(&policy, &create(r#""Binds":["/srv/ci:/x"]"#), false);
    expect(&policy, &create(r#""Binds":["/srv/link:/x:ro"]"#), false);
    expect(
        &policy,
        &create(r#""Mounts":[{"Type":"bind","Source":"/srv/../etc","Target":"/x","ReadOnly":true}]"#),
        false,
    );
}

#[test]
fn securing_dockers_policy_decides() {
    let text = r#"package docker.authz
        default allow = false
        allow { not deny }
        deny { input.Body.User == "root" }
        deny { input.Body.HostConfig.Privileged == true }
        deny { input.Body.HostConfig.UsernsMode == "host" }
        deny { count(input.Body.HostConfig.CapAdd) > 0 }
        deny { count(input.Body.HostConfig.SecurityOpt) > 0 }"#;
    // As docker run says it.
    let plain = r#""CapAdd":null,"SecurityOpt":null,"Privileged":false,"UsernsMode":"""#;
    let body = |user: &str, host: &str| format!(r#"{{"Image":"alpine","User":"{user}","HostConfig":{{{host}}}}}"#);
    let policy = policy(text);
    expect(&policy, &request("GET", "/info", "", ""), true);
    expect(&policy, &create(&body("1000", r#""Privileged":false"#)), true);
    for (user, host) in [
        ("root", ""),
        ("1000", r#""Privileged":true"#),
        ("1000", r#""UsernsMode":"host""#),
        ("1000", r#""CapAdd":["NET_ADMIN"]"#),
        ("1000", r#""SecurityOpt":["seccomp=unconfined"]"#),
    ] {
        expect(&policy, &create(&body(user, host)), false);
    }
    // `count(null)` is an error here, where OPA makes undefined of it: see docs/rego.md.
    let refused = answer(&policy, &create(&body("1000", plain)));
    assert!(refused.error.is_some(), "{refused:#?}");
}

#[test]
fn what_a_client_says_without_need_is_there() {
    let policy = policy(
        "package docker.authz\nallow { input.Body.HostConfig.Privileged == false; is_null(input.Body.HostConfig.CapAdd) }",
    );
    expect(&policy, &create(r#"{"Image":"a","hostconfig":{"Privileged":false,"CapAdd":null}}"#), true);
    expect(&policy, &create(r#"{"Image":"a","HostConfig":{"Privileged":true,"CapAdd":null}}"#), false);
}

#[test]
fn what_a_request_means_is_there() {
    let policy = policy(
        r#"package docker.authz
        import rego.v1
        allow if {
            input.dockwarden.operation == "ContainerCreate"
            input.dockwarden.effect == "change"
            "dev" in input.dockwarden.subject.groups
            input.dockwarden.door == "gateway"
            input.dockwarden.time == "1970-01-01T00:00:00Z"
            time.now_ns() == 0
            input.dockwarden.resources == [{"type": "daemon"}]
            not bad
        }
        bad if { some p in input.dockwarden.privileges; p.action == "mountHostPath"; p.path == "/etc" }"#,
    );
    expect(&policy, &create(r#"{"Image":"a"}"#), true);
    expect(&policy, &create(r#"{"Image":"a","HostConfig":{"Binds":["/srv/link:/x"]}}"#), false);
}

#[test]
fn privileges_are_called_as_in_cedar() {
    use docker::privilege::Privilege;
    for privilege in [
        Privilege::Privileged,
        Privilege::AddCapability { name: "ALL".into() },
        Privilege::PublishAllPorts,
        Privilege::UseRuntime { name: "kata".into() },
        Privilege::Unexamined { part: "x" },
        Privilege::RunAs(docker::privilege::RunUser { name: String::new(), uid: docker::privilege::Uid::Unknown }),
    ] {
        let described = serde_json::to_value(&privilege).unwrap();
        assert_eq!(described["action"], crate::schema::privilege_name(&privilege));
    }
}

#[test]
fn only_true_is_a_yes() {
    for (body, reason) in [
        ("allow = false", "is false"),
        ("allow { input.Nothing }", "is undefined: none of its rules holds"),
        ("allow = \"yes\"", "is a text, and neither true nor false"),
        ("allow = 1", "is a number, and neither true nor false"),
        ("allow { to_number(\"x\") > 1 }", "cannot be evaluated: authz.rego:2:"),
        ("allow = true\nallow = false", "cannot be evaluated: authz.rego:"),
    ] {
        let refused = answer(&policy(&format!("package docker.authz\n{body}")), &request("GET", "/info", "", ""));
        let given = refused.reason.unwrap_or_default();
        let whole = format!("policy authz.rego:2 (data.docker.authz.allow) {reason}");
        assert!(!refused.allowed && given.starts_with(&whole), "{body}: {given}");
    }
}

#[test]
fn bounds_hold() {
    let info = || request("GET", "/info?x=1", "", "");
    for (body, reason) in [
        ("allow { numbers.range(0, 100000000)[_] == -1 }", "more than 100000 numbers"),
        ("allow { net.cidr_expand(\"10.0.0.0/8\")[_] == \"x\" }", "too many addresses"),
        ("allow { bits.lsh(1, 100000000) == 0 }", "shifts by more than 1024 bits"),
        ("allow { sprintf(\"%99999999d\", [1]) == \"\" }", "wider than 1000"),
        ("r = numbers.range(0, 9999)\nallow { r[i] + r[j] == -1 }", "it took longer than 500 ms"),
        ("allow { strings.count(\"abc\", \"\") == 1 }", "it broke off"),
    ] {
        let refused = answer(&policy(&format!("package docker.authz\n{body}")), &info());
        let given = refused.reason.unwrap_or_default();
        assert!(!refused.allowed && given.contains(reason), "{body}: {given}");
    }
    let many = format!(r#"{{"Image":"a","Env":["X={}"]}}"#, "x".repeat(1 << 20));
    let large = answer(&policy("package docker.authz\nallow = true"), &create(&many));
    assert!(large.reason.unwrap().contains("too large"), "a large document");
}

#[test]
fn what_opa_knows_beside() {
    let policy = policy(
        r#"package docker.authz
        allow {
            re_match("^a.c$", "abc")
            any([false, true])
            all({true})
            net.cidr_intersects("10.0.0.0/8", "10.1.0.0/16")
            net.cidr_contains("10.0.0.0/8", "10.1.2.3")
            net.cidr_overlap("10.0.0.0/8", "10.1.2.3")
            net.cidr_contains_matches(["10.0.0.0/8", "192.0.2.0/24"], "192.0.2.1") == {[1, "192.0.2.1"]}
            net.cidr_merge(["192.0.2.0/25", "192.0.2.128/25"]) == {"192.0.2.0/24"}
            glob.match("/**/containers/json", ["/"], "/v1.41/containers/json")
            regex.replace("a1", "[0-9]", "x") == "ax"
        }"#,
    );
    expect(&policy, &request("GET", "/info", "", ""), true);
}

#[test]
fn what_cannot_work_is_a_fault_with_its_place() {
    for (body, fault) in [
        ("allow {", "authz.rego:2:"),
        ("allow if { true\n\n x x }", "authz.rego:4:"),
        (
            "allow { http.send({\"method\": \"get\", \"url\": \"http://x\"}).status == 200 }",
            "authz.rego:2:9: `http.send` cannot be used: a decision does not wait for the network",
        ),
        (
            "allow { starts_with(input.Path, \"/x\") }",
            "authz.rego:2:9: there is no function `starts_with` (did you mean `startswith`?)",
        ),
        ("allow { io.jwt.decode(\"x\") }", "authz.rego:2:9: there is no function `io.jwt.decode`"),
        ("allow { startswith(input.Path) }", "authz.rego:2:9: `startswith` takes 2 arguments, not 1"),
        ("allow { re_match(\"x\", input.Path, y) }", "`re_match` takes 2 arguments, not 3"),
        (
            "allow { allow }",
            "authz.rego:2:1: a rule is built on itself: data.docker.authz.allow → data.docker.authz.allow",
        ),
        (
            "allow { f(input) }\nf(x) { g(x) }\ng(x) { f(x.y) }",
            "authz.rego:3:1: a rule is built on itself: data.docker.authz.f → data.docker.authz.g → data.docker.authz.f",
        ),
        ("allow { data.docker[input.Path] }", "a rule is built on itself"),
        ("allow { x > 1 }", "authz.rego:2:"),
        ("deny { true }", "no Rego file has a rule `data.docker.authz.allow`"),
    ] {
        let faults = faults(&format!("package docker.authz\n{body}"));
        assert!(faults.contains(fault), "{body}: {faults}");
    }
}

/// Faults of a policy beside a document that stands at a path.
fn beside(policy: &str, path: &[&str], document: &str) -> String {
    let text = NamedText { name: "x/data.json".to_owned(), text: document.to_owned() };
    let path = path.iter().map(ToString::to_string).collect();
    let sources = RegoSources {
        modules: vec![named("authz.rego", policy)],
        data: vec![RegoData { path, text, ..RegoData::default() }],
        ..RegoSources::default()
    };
    load(sources).map_or_else(|faults| faults.to_string(), |_| "loaded".to_owned())
}

#[test]
fn data_does_not_overrule_a_rule() {
    let policy = "package docker.authz
default allow := false
allow if not denied
denied if data.lib.ok
users contains name if some name in input.Names
lists.open[name] := true if some name in input.Names
f(x) := x";
    for (path, document, words) in [
        (
            &[][..],
            "{\n  \"docker\": {\"authz\": {\"allow\": true}}\n}",
            "x/data.json:2:24: it gives a value to `data.docker.authz.allow`, which is a rule (authz.rego:2)",
        ),
        (
            &["docker", "authz"],
            r#"{"denied": false}"#,
            "x/data.json:1:2: it gives a value to `data.docker.authz.denied`",
        ),
        (&["docker", "authz", "allow"], r#"{"x": 1}"#, "it gives a value to `data.docker.authz.allow`"),
        (&["docker", "authz", "allow"], "{}", "it gives a value to `data.docker.authz.allow`"),
        (
            &["docker"],
            r#"{"authz": 1}"#,
            "it gives `data.docker.authz` a value of its own, and `data.docker.authz.allow`",
        ),
        (&["docker", "authz"], r#"{"users": []}"#, "it gives a value to `data.docker.authz.users`"),
        (&["docker", "authz"], r#"{"lists": {"open": {}}}"#, "it gives a value to `data.docker.authz.lists.open`"),
        (&["docker", "authz"], r#"{"f": 1}"#, "it gives a value to `data.docker.authz.f`"),
    ] {
        let said = beside(policy, path, document);
        assert!(said.contains(words), "{document}: {said}");
        assert!(said.contains("the data would overrule the rule"), "{document}: {said}");
    }
    for (path, document) in [
        (&["docker", "authz"][..], r#"{"names": ["alice"], "allowed": true, "lists": {"closed": 1}}"#),
        (&["docker"], r#"{"authz": {}, "build": {"allow": true}}"#),
        (&["lib"], r#"{"ok": true}"#),
    ] {
        assert_eq!(beside(policy, path, document), "loaded", "{document}");
    }
}

#[test]
fn names_cannot_look_like_lines_of_their_own() {
    let text = "package docker[\"a\\nb\"]\nallow := data.docker[\"a\\nb\"].allow\nf := data.docker[\"a\\nc\"](1)";
    for said in [faults(text), beside(text, &["docker"], r#"{"a\nb": {"allow": true}}"#)] {
        assert!(said.contains("data.docker.a\u{fffd}b.allow"), "{said}");
        assert!(!said.contains("a\nb") && !said.contains("a\nc"), "{said}");
    }
}

#[test]
fn local_names_are_no_recursion() {
    let text = r#"package docker.authz
        allow { path = input.Path; method(input) == "GET" }
        path := p { p := input.Path }
        method(input_) = method { method := input_.Method }
        names := [name | name := input.Query[_]]
        name = names"#;
    expect(&policy(text), &request("GET", "/info", "", ""), true);
}

#[test]
fn the_deepest_that_is_allowed_fits_on_the_stack() {
    let rules = |count: usize| {
        let chain = (1..count).map(|at| format!("r{at} {{ [x | x := r{}][0] }}\n", at + 1));
        format!("package docker.authz\nallow {{ r1 }}\n{}r{count} = true\n", chain.collect::<String>())
    };
    let deepest = (1..)
        .find(|count| {
            load(RegoSources { modules: vec![named("a.rego", &rules(*count))], ..RegoSources::default() }).is_err()
        })
        .unwrap();
    let policy = policy(&rules(deepest - 1));
    let judged = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
        expect(&policy, &request("GET", "/info", "", ""), true);
    });
    judged.unwrap().join().unwrap();
    assert!(faults(&rules(deepest)).contains("levels deep, more than"), "{deepest}");
}

#[test]
fn it_is_told_how_a_decision_came_about_without_secrets() {
    let policy = policy(
        r#"package docker.authz
        allow { input.Method == "GET" }
        allow { print("env", input.Body.Env, input.Headers["X-Registry-Auth"]); trace("looked"); input.Body.Image == "alpine" }"#,
    );
    let facts = request(
        "POST",
        CREATE,
        "X-Registry-Auth: c2VjcmV0\r\nUser-Agent: docker\r\n",
        r#"{"Image":"alpine","Env":["TOKEN=hunter2","EMPTY"],"HostConfig":{"LogConfig":{"Type":"splunk","Config":{"splunk-token":"t0ken"}}}}"#,
    );
    let answer = answer(&policy, &facts);
    let told = told(&answer);
    assert!(answer.allowed);
    assert_eq!(
        (told.decision.as_str(), told.held.as_slice(), told.failed.as_slice()),
        ("true", &["authz.rego:3".to_owned()][..], &["authz.rego:2".to_owned()][..])
    );
    assert_eq!(told.prints, ["authz.rego:3: env [\"TOKEN=[redacted]\", \"EMPTY\"] [redacted]", "looked"]);
    assert_eq!(told.input["Body"]["Env"][0], "TOKEN=[redacted]");
    assert_eq!(told.input["Headers"]["X-Registry-Auth"], "[redacted]");
    assert_eq!(told.input["Headers"]["User-Agent"], "docker");
    let shown = serde_json::to_string(told).unwrap();
    for secret in ["hunter2", "c2VjcmV0", "t0ken"] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}
