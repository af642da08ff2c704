//! What somebody would try (the dangers that were seen on Docker 28.5).

use super::*;
use crate::buildkit::message::bridge::{Attestation, Attestations, NewContainerRequest, OldRefs, RefMap};
use crate::buildkit::message::llb::{BuildOp, ExecOp, MergeOp, SourceInfo, SourceOp, network};
use crate::buildkit::message::policy::Policy;
use crate::buildkit::wire::{Strictness, Whole, read};

fn host() -> Op {
    Op { exec: Some(Box::new(ExecOp { network: network::HOST, ..ExecOp::default() })), ..Op::default() }
}

const IN_THE_HOSTS_NETWORK: &str = "may not share the host's network namespace";

#[test]
fn entitlements_are_the_privileges_that_they_give() {
    let solve = |entitlement: &str| {
        control(&control::SolveRequest { entitlements: vec![entitlement.to_owned()], ..Default::default() })
    };
    assert_eq!(solve("network.host"), words(&["share the host's network namespace"]));
    assert_eq!(solve("security.insecure"), words(&["run privileged"]));
    assert_eq!(solve("device=vendor.com/gpu"), words(&["request devices vendor.com/gpu of driver `cdi`"]));
    assert_eq!(solve("new"), words(&["set build option entitlement"]));
}

#[test]
fn a_build_within_a_build_is_refused_whoever_asks() {
    let op = Op { build: Some(Box::new(BuildOp { builder: -1, ..BuildOp::default() })), ..Op::default() };
    assert!(operations(std::slice::from_ref(&op)).unwrap_err().contains("a build of its own"));
    let raw = control::SolveRequest { definition: Some(definition(&[op])), ..Default::default() };
    assert!(control(&raw).unwrap_err().contains("a build of its own"));
    let two = Op { exec: Some(Box::default()), merge: Some(MergeOp::default()), ..Op::default() };
    assert!(operations(&[two]).unwrap_err().contains("two operations"));
}

#[test]
fn operations_are_found_wherever_they_hide() {
    let def = || definition(&[host()]);
    let one = Ref { id: "x".into(), def: Some(def()) };
    let within = |result: SolveResult| {
        let message = SolveResponse { result: Some(result), ..Default::default() }.written();
        asked(&Build::of_answer(&message, &reading(&BTreeSet::new())).unwrap()).unwrap()
    };
    let many = RefMap { refs: [("linux/amd64".to_owned(), Whole(one.clone()))].into() };
    let stated = Attestations { attestation: vec![Attestation { one: Some(one.clone()), ..Default::default() }] };
    let info = SourceInfo { definition: Some(Box::new(def())), ..Default::default() };
    let source = crate::buildkit::message::llb::Source { infos: vec![info], ..Default::default() };
    let behind = Definition { source: Some(source), ..definition(&[Op::default()]) };
    for result in [
        SolveResult { one: Some(one), ..Default::default() },
        SolveResult { many: Some(many), ..Default::default() },
        SolveResult { attestations: [("a".to_owned(), Whole(stated))].into(), ..Default::default() },
        SolveResult { one: Some(Ref { id: "y".into(), def: Some(behind) }), ..Default::default() },
    ] {
        assert!(within(result).iter().any(|asked| asked == IN_THE_HOSTS_NETWORK));
    }
    // The same in what is asked for: raw operations, and inputs, in which a Dockerfile may lie.
    let inputs: std::collections::BTreeMap<_, _> = [("dockerfile".to_owned(), Whole(def()))].into();
    let raw = control::SolveRequest { definition: Some(def()), ..Default::default() };
    let input = control::SolveRequest { frontend_inputs: inputs.clone(), ..Default::default() };
    for solve in [raw, input] {
        assert!(control(&solve).unwrap().iter().any(|asked| asked == IN_THE_HOSTS_NETWORK));
    }
    let raw = bridge::SolveRequest { definition: Some(def()), ..Default::default() };
    let input = bridge::SolveRequest { frontend_inputs: inputs, ..Default::default() };
    for solve in [raw, input] {
        let build = request(BRIDGE_SOLVE, &solve.written(), &reading(&BTreeSet::new())).unwrap();
        assert!(asked(&build).unwrap().iter().any(|asked| asked == IN_THE_HOSTS_NETWORK));
    }
}

#[test]
fn a_result_of_which_nobody_tells_how_it_is_made_is_refused() {
    let result = |result: SolveResult| SolveResponse { result: Some(result), ..Default::default() };
    let old = OldRefs { refs: [("a".to_owned(), "b".to_owned())].into() };
    for answer in [
        SolveResponse { reference: "x".into(), ..Default::default() },
        result(SolveResult { old_ref: "x".into(), ..Default::default() }),
        result(SolveResult { old_refs: Some(old), ..Default::default() }),
        result(SolveResult { one: Some(Ref { id: "x".into(), def: None }), ..Default::default() }),
        result(SolveResult {
            one: Some(Ref { id: "x".into(), def: Some(Definition::default()) }),
            ..Default::default()
        }),
    ] {
        let refused = Build::of_answer(&answer.written(), &reading(&BTreeSet::new())).unwrap_err();
        assert_eq!(refused.to_string(), "a result of BuildKit's does not tell how it is made");
    }
    // Nothing at all (`FROM scratch` alone, or a check).
    let nothing = result(SolveResult { one: Some(Ref::default()), ..Default::default() });
    assert!(Build::of_answer(&nothing.written(), &reading(&BTreeSet::new())).is_ok());
}

#[test]
fn a_build_that_is_not_shown_says_so() {
    let solve = control::SolveRequest { frontend: "dockerfile.v0".into(), ..Default::default() };
    let asked = control(&solve).unwrap();
    assert!(asked.iter().any(|asked| asked.contains("does not show before it runs (use buildx)")), "{asked:?}");
    assert!(control(&control::SolveRequest { frontend: "new.v0".into(), ..Default::default() }).is_err());
}

#[test]
fn the_dockerfile_chooses_no_frontend_unless_that_is_granted() {
    let none = BTreeSet::new();
    let solve = bridge::SolveRequest { frontend: "dockerfile.v0".into(), evaluate: true, ..Default::default() };
    let sent = |any_frontend, solve: &bridge::SolveRequest| {
        let reading = Reading { any_frontend, cache_namespace: Some("alice"), ..reading(&none) };
        let judged = judge(&request(BRIDGE_SOLVE, &solve.written(), &reading).unwrap()).unwrap();
        let CanonicalBody::Message(message) = judged.facts.canonical.body else { panic!() };
        assert!(message.starts_with(&solve.written()));
        let sent: bridge::SolveRequest = read(&message, Strictness::Known(&none)).unwrap();
        (sent, judged.facts.privileges)
    };
    let (usual, privileges) = sent(false, &solve);
    assert!(usual.frontend_opt.contains_key("cmdline") && !usual.evaluate && privileges.is_empty());
    assert_eq!(usual.frontend_opt["build-arg:BUILDKIT_CACHE_MOUNT_NS"], "alice");
    let (any, privileges) = sent(true, &solve);
    assert!(!any.frontend_opt.contains_key("cmdline") && !any.evaluate);
    assert_eq!(privileges, [Privilege::UseFrontend { image: None }]);
    // An image that was allowed may hand the Dockerfile on to another one too.
    let mut gateway = bridge::SolveRequest { frontend: "gateway.v0".into(), ..Default::default() };
    gateway.frontend_opt.insert("source".into(), "tiny".into());
    assert!(sent(false, &gateway).0.frontend_opt.contains_key("cmdline"));
    // Operations alone have no Dockerfile.
    let (raw, _) = sent(false, &bridge::SolveRequest::default());
    assert!(raw.frontend_opt.is_empty());
}

#[test]
fn frontends_by_name() {
    let gateway = |attrs: &[(&str, &str)]| attributes("gateway.v0", attrs);
    assert_eq!(gateway(&[("source", "tiny")]), words(&["use image tiny:latest", "build with frontend tiny:latest"]));
    assert_eq!(
        attributes("dockerfile.v0", &[("build-arg:BUILDKIT_SYNTAX", " tiny  x")]),
        words(&["use image tiny:latest", "build with frontend tiny:latest"])
    );
    assert!(gateway(&[]).is_err());
    assert!(gateway(&[("source", "A B")]).is_err());
    // A named context takes the place of the image that was allowed.
    for context in
        ["context:tiny", "context:docker.io/library/tiny", "context:tiny:latest", "context:tiny::linux/amd64"]
    {
        let asked = gateway(&[("source", "tiny"), (context, "docker-image://evil")]).unwrap();
        assert!(asked.iter().any(|asked| asked.contains("whichever frontend")), "{context} {asked:?}");
    }
    assert_eq!(
        gateway(&[("gateway-devel", ""), ("source", "tiny")]).unwrap()[0],
        "may not set build option gateway-devel"
    );
}

#[test]
fn policies_of_the_clients_own_could_turn_what_was_judged() {
    let option = words(&["set build option source-policy"]);
    assert_eq!(
        control(&control::SolveRequest { source_policy: Some(Policy::default()), ..Default::default() }),
        option
    );
    assert_eq!(control(&control::SolveRequest { source_policy_session: "x".into(), ..Default::default() }), option);
    let solve = bridge::SolveRequest { source_policies: vec![Policy::default()], ..Default::default() };
    assert_eq!(asked(&request(BRIDGE_SOLVE, &solve.written(), &reading(&BTreeSet::new())).unwrap()), option);
    for solve in [
        control::SolveRequest { enable_session_exporter: true, ..Default::default() },
        control::SolveRequest { proxy_network: true, ..Default::default() },
    ] {
        assert!(control(&solve).unwrap()[0].contains("set build option"));
    }
}

#[test]
fn no_result_is_taken_before_its_answer_was_seen() {
    let solve = bridge::SolveRequest { is_final: true, ..Default::default() };
    assert!(asked(&request(BRIDGE_SOLVE, &solve.written(), &reading(&BTreeSet::new())).unwrap()).is_err());
}

#[test]
fn a_second_net_is_spread_on_request() {
    let none = BTreeSet::new();
    let solve = control::SolveRequest { reference: "b".into(), ..Default::default() };
    let but = ["http://169.254.1.1/x".to_owned()];
    let reading = Reading { deny_sources: &["http://169.254.*"], allow_sources: &but, ..reading(&none) };
    let judged = judge(&request(SOLVE, &solve.written(), &reading).unwrap()).unwrap();
    let CanonicalBody::Message(message) = judged.facts.canonical.body else { panic!() };
    let sent: control::SolveRequest = read(&message, Strictness::Known(&none)).unwrap();
    let rules = sent.source_policy.unwrap().rules.into_iter();
    let rules: Vec<_> = rules.map(|rule| (rule.action, rule.selector.unwrap().identifier)).collect();
    assert_eq!(
        rules,
        [(1, "http://169.254.*".to_owned()), (0, "http://169.254.1.1/x".to_owned())],
        "the last one counts"
    );
    assert!(judged.facts.privileges.is_empty());
}

#[test]
fn every_session_that_is_named_is_told() {
    let local = |session: &str| Op {
        source: Some(SourceOp {
            identifier: "local://x".into(),
            attrs: [("local.session".to_owned(), session.to_owned())].into(),
        }),
        ..Op::default()
    };
    let solve = control::SolveRequest {
        reference: "b".into(),
        session: "own".into(),
        frontend_attrs: [("local-sessionid:context".to_owned(), "other".to_owned())].into(),
        frontend_inputs: [("x".to_owned(), Whole(definition(&[local("third"), local("own")])))].into(),
        ..Default::default()
    };
    let build = request(SOLVE, &solve.written(), &reading(&BTreeSet::new())).unwrap();
    assert_eq!((build.sessions(), build.begins()), (vec!["other", "own", "third"], Some("b")));
    let build = Build::of_answer(&answer(&[local("theirs")]), &reading(&BTreeSet::new())).unwrap();
    assert_eq!((build.sessions(), build.begins()), (vec!["theirs"], None));
}

#[test]
fn looks_and_containers() {
    let path = |method: &str| format!("/moby.buildkit.v1.frontend.LLBBridge/{method}");
    let none = BTreeSet::new();
    let asks = |method: &str, message: Vec<u8>| asked(&request(&path(method), &message, &reading(&none)).unwrap());
    let image = ResolveImageConfigRequest { reference: "evil.test/x".into(), ..Default::default() };
    assert_eq!(
        asks("ResolveImageConfig", image.written()),
        words(&["pull image evil.test/x:latest", "use image evil.test/x:latest"])
    );
    let layout = ResolveImageConfigRequest { resolver_type: 1, session_id: "s".into(), ..image };
    assert_eq!(asks("ResolveImageConfig", layout.written()), words(&[]));
    assert_eq!(request(&path("ResolveImageConfig"), &layout.written(), &reading(&none)).unwrap().sessions(), ["s"]);
    let source = SourceOp { identifier: "http://169.254.169.254/".into(), ..Default::default() };
    let look = ResolveSourceMetaRequest { source: Some(source), ..Default::default() };
    assert_eq!(asks("ResolveSourceMeta", look.written()), words(&["fetch http://169.254.169.254/ in a build"]));
    let container = NewContainerRequest { network: network::HOST, ..Default::default() };
    assert_eq!(
        asks("NewContainer", container.written()),
        words(&[
            "use a container within a build, which this version does not look into",
            "run commands in a build on network host",
            "share the host's network namespace",
        ])
    );
}

#[test]
fn results_are_named_by_whoever_was_given_them() {
    let none = BTreeSet::new();
    let named = |path: &str, message: &[u8]| {
        let method = Known::of(Tunnel::Grpc, &format!("/moby.buildkit.v1.frontend.LLBBridge/{path}")).unwrap();
        named(method, message, &none).map(|ids| ids.into_iter().collect::<Vec<_>>().join(" "))
    };
    let reference = || "r".to_owned();
    let file = bridge::ReadFileRequest { reference: reference(), path: "/x".to_owned(), ..Default::default() };
    assert_eq!(named("ReadFile", &file.written()), Ok(reference()));
    assert_eq!(named("ReadFile", &bridge::ReadFileRequest::default().written()), Ok(String::new()));
    let folder = bridge::ReadDirRequest { reference: reference(), ..Default::default() };
    assert_eq!(named("ReadDir", &folder.written()), Ok(reference()));
    let stat = bridge::StatFileRequest { reference: reference(), ..Default::default() };
    assert_eq!(named("StatFile", &stat.written()), Ok(reference()));
    let evaluated = bridge::EvaluateRequest { reference: reference() };
    assert_eq!(named("Evaluate", &evaluated.written()), Ok(reference()));
    assert!(named("Evaluate", &[&evaluated.written()[..], &[0x12, 0]].concat()).is_err(), "a field that it has not");
    let a = |id: &str| Ref { id: id.to_owned(), def: None };
    let stated = Attestations { attestation: vec![Attestation { one: Some(a("e")), ..Default::default() }] };
    let result = SolveResult {
        old_ref: "a".to_owned(),
        old_refs: Some(bridge::OldRefs { refs: [("p".to_owned(), "b".to_owned())].into() }),
        one: Some(a("c")),
        many: Some(RefMap { refs: [("p".to_owned(), Whole(a("d")))].into() }),
        attestations: [("p".to_owned(), Whole(stated))].into(),
        ..Default::default()
    };
    let returned = bridge::ReturnRequest { result: Some(result), ..Default::default() };
    assert_eq!(named("Return", &returned.written()), Ok("a b c d e".to_owned()));

    let given = Build::of_answer(&answer(&[host()]), &reading(&none)).unwrap();
    assert!(given.results().iter().eq(["r"]));
    let mount = crate::buildkit::message::llb::Mount { result_id: reference(), ..Default::default() };
    let container = NewContainerRequest { mounts: vec![mount], ..Default::default() };
    let path = "/moby.buildkit.v1.frontend.LLBBridge/NewContainer";
    assert!(request(path, &container.written(), &reading(&none)).unwrap().results().iter().eq(["r"]));
}

#[test]
fn a_session_is_known_by_what_stands_behind_the_colon() {
    let none = BTreeSet::new();
    let of = |session: &str| {
        let solve = control::SolveRequest { session: session.to_owned(), ..Default::default() };
        request(SOLVE, &solve.written(), &reading(&none)).unwrap().sessions().join(" ")
    };
    assert_eq!([of("x:hers"), of("x:y:z"), of(":hers"), of("x:"), of("own")], ["hers", "y:z", "hers", "x:", "own"]);
}

#[test]
fn small_messages_do_not_become_large() {
    let none = BTreeSet::new();
    let empty = Definition { def: vec![Vec::new(); 1 << 17], ..Definition::default() };
    let solve = control::SolveRequest { definition: Some(empty), ..Default::default() };
    let refused = request(SOLVE, &solve.written(), &reading(&none)).unwrap_err().to_string();
    assert!(refused.contains("too many parts"), "{refused}");
    let mounts = vec![crate::buildkit::message::llb::Mount::default(); 1 << 17];
    let run = Op { exec: Some(Box::new(ExecOp { mounts, ..ExecOp::default() })), ..Op::default() };
    assert!(Build::of_answer(&answer(&[run]), &reading(&none)).is_err());
}

#[test]
fn many_operations_of_a_large_file_are_located_at_once() {
    use crate::buildkit::message::llb::{Location, Locations, Position, Range, Source};
    let ops: Vec<Op> = (0..4000).map(|at| from_name(&format!("docker-image://tiny:{at}"))).collect();
    let range = Range { start: Some(Position { line: i32::MAX, character: 0 }), end: None };
    let location = || Whole(Locations { locations: vec![Location { source_index: 0, ranges: vec![range.clone()] }] });
    let locations = ops.iter().map(|op| (super::place::digest(&op.written()), location())).collect();
    let info = SourceInfo { data: vec![b'x'; 4 << 20], ..Default::default() };
    let def = Definition { source: Some(Source { locations, infos: vec![info] }), ..definition(&ops) };
    let solve = control::SolveRequest { definition: Some(def), ..Default::default() };
    let (message, none) = (solve.written(), BTreeSet::new());
    let begun = std::time::Instant::now();
    let build = request(SOLVE, &message, &reading(&none)).unwrap();
    // Each of them searching the file took a minute.
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(build.held() < crate::buildkit::wire::most_held(message.len()));
}

fn from_name(name: &str) -> Op {
    Op { source: Some(SourceOp { identifier: name.to_owned(), ..SourceOp::default() }), ..Op::default() }
}
