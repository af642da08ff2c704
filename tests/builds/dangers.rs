//! What BuildKit does for whoever asks: each way that is known is refused to Bob, while a build of Alice's runs on.

use super::*;
use docker::buildkit::message::bridge::{
    EvaluateRequest, ReadDirRequest, ReadFileRequest, Ref, ResolveSourceMetaRequest, ReturnRequest, SolveResponse,
    SolveResult, StatFileRequest,
};
use docker::buildkit::message::content::ReadContentRequest;
use docker::buildkit::message::control::Exporter;
use docker::buildkit::message::llb::{CacheOpt, FileAction, FileActionMkFile, FileOp, HostIp};
use docker::buildkit::message::policy::{Policy, Rule, Selector};
use docker::buildkit::wire::Whole;

const CONTROL: &str = "moby.buildkit.v1.Control";

/// A build of Alice's that has begun and waits until she lets it go on.
fn waiting(place: &Place, buildx: &str) {
    let gated = "FROM tiny\nRUN --mount=type=cache,id=gate,target=/g echo is-$((40+2)); until [ -e /g/open ]; do sleep 0.1; done; echo went-on >/x\n";
    let line = by(ALICE, "gated", gated, &format!("{buildx} build --load --network none --progress plain -t gated ."));
    place.shell.must(&format!("({line} >$WORK/gated.log 2>&1; echo $? >$WORK/gated.code) &"));
    let log = || place.shell.run("cat $WORK/gated.log").out;
    assert!(eventually(Duration::from_secs(60), || log().contains("is-42")), "{}", log());
}

/// She does, and it ends as if nobody else had been there.
fn goes_on(place: &Place, buildx: &str) {
    let opens = "FROM tiny\nRUN --mount=type=cache,id=gate,target=/g touch /g/open\n";
    place.shell.must(&by(ALICE, "opens", opens, &format!("{buildx} build --network none .")));
    let code = || place.shell.run("cat $WORK/gated.code").out;
    let ended = eventually(Duration::from_secs(60), || !code().is_empty());
    assert!(ended && code().trim() == "0", "{} {}", code(), place.shell.run("cat $WORK/gated.log").out);
    let daemon = place.engine.socket().display();
    let held = place.shell.must(&format!("docker -H unix://{daemon} run --rm --network none gated cat /x"));
    assert_eq!(held, "went-on");
}

/// A line that a user runs in a folder of that name, with this Dockerfile in it.
fn by(user: u32, folder: &str, file: &str, line: &str) -> String {
    let file = file.replace('\n', "\\n");
    format!(
        "mkdir -p $WORK/{folder}/home; printf '{file}' >$WORK/{folder}/Dockerfile; chown -R {user} $WORK/{folder}; cd $WORK/{folder}; \
         HOME=$PWD/home setpriv --reuid={user} --regid={user} --clear-groups {line}"
    )
}

/// A base image of Alice's, and a build of hers that goes on meanwhile.
fn with_alice(policy: &str) -> Option<(Place, String)> {
    let Some(buildx) = buildx() else {
        skipped("what is refused while builds run", "no ../shared/bin/modern-engine here, so no buildx");
        return None;
    };
    let place = Place::with(policy);
    let hers = by(
        ALICE,
        "hers",
        "FROM tiny\nRUN echo hers >/hers\n",
        &format!("{buildx} build --load --network none -t hers ."),
    );
    place.shell.must(&hers);
    waiting(&place, &buildx);
    Some((place, buildx))
}

fn solve(change: impl FnOnce(&mut SolveRequest)) -> Vec<u8> {
    let mut solve = SolveRequest { reference: "own0123456789abcdefghijkl".into(), ..SolveRequest::default() };
    change(&mut solve);
    solve.written()
}

fn cache(kind: &str, name: &str) -> CacheOptionsEntry {
    CacheOptionsEntry { kind: kind.into(), attrs: map(&[("ref", name)]) }
}

fn exporter(kind: &str, attrs: &[(&str, &str)]) -> Exporter {
    Exporter { kind: kind.into(), attrs: map(attrs) }
}

fn keeps(id: &str) -> Op {
    let opt = CacheOpt { id: id.into(), ..CacheOpt::default() };
    run(0, 0, vec![Mount { input: -1, dest: "/c".into(), mount_type: 3, cache: Some(opt), ..Mount::default() }])
}

/// A command with this done to what is told of it.
fn command(change: impl FnOnce(&mut Meta)) -> Op {
    let mut op = run(2, 0, Vec::new());
    change(op.exec.as_mut().and_then(|exec| exec.meta.as_mut()).expect("a command"));
    op
}

#[test]
fn what_a_whole_build_may_not_do() {
    let team = "preset: team\n  rules:\n    - deny: [{ push_image: evil.test }, { image: evil.test }, { name_image: \"kept:latest\" }]\n";
    let Some((place, buildx)) = with_alice(team) else { return };
    let named =
        |name: &'static str| move |it: &mut SolveRequest| it.exporters = vec![exporter("moby", &[("name", name)])];
    let caches = |options: CacheOptions| move |it: &mut SolveRequest| it.cache = Some(options);
    let policy = Policy {
        version: 1,
        rules: vec![Rule {
            action: 2,
            selector: Some(Selector { identifier: "docker-image://tiny".into(), ..Selector::default() }),
            updates: None,
        }],
    };
    for (what, message, words) in [
        ("her image's name", solve(named("hers")), "may not name an image hers"),
        ("her image's name among others", solve(named("mine,hers")), "may not name an image hers"),
        ("a name with the tag that it will have", solve(named("kept")), "may not name an image kept:latest"),
        (
            "her image's name, as of old",
            solve(|it| (it.exporter, it.exporter_attrs) = ("moby".into(), map(&[("name", "hers")]))),
            "may not name an image hers",
        ),
        (
            "a push",
            solve(|it| it.exporters = vec![exporter("image", &[("name", "evil.test/x"), ("push", "true")])]),
            "may not push",
        ),
        ("an exporter that is not known", solve(|it| it.exporters = vec![exporter("ssh", &[])]), "exporter"),
        (
            "a cache written to a registry",
            solve(caches(CacheOptions { exports: vec![cache("registry", "evil.test/c")], ..CacheOptions::default() })),
            "may not push",
        ),
        (
            "the same as of old",
            solve(caches(CacheOptions { export_ref: "evil.test/c".into(), ..CacheOptions::default() })),
            "may not push",
        ),
        (
            "a cache taken from a registry",
            solve(caches(CacheOptions { imports: vec![cache("registry", "evil.test/c")], ..CacheOptions::default() })),
            "evil.test/c",
        ),
        (
            "the same as of old",
            solve(caches(CacheOptions { import_refs: vec!["evil.test/c".into()], ..CacheOptions::default() })),
            "evil.test/c",
        ),
        (
            "her image as a cache",
            solve(caches(CacheOptions { imports: vec![cache("registry", "hers")], ..CacheOptions::default() })),
            "not yours",
        ),
        (
            "results from a folder of his",
            solve(caches(CacheOptions { imports: vec![cache("local", "")], ..CacheOptions::default() })),
            "take build results from a cache of type local",
        ),
        (
            "a policy that makes another image of what was judged",
            solve(|it| it.source_policy = Some(policy)),
            "source-policy",
        ),
        ("her image", raw(&source("docker-image://docker.io/library/hers:latest")).written(), "not yours"),
        ("her folder", raw(&keeps("games/gate")).written(), "games/gate"),
        ("everybody's folder", raw(&keeps("gate")).written(), "gate"),
        ("a control group", raw(&command(|it| it.cgroup_parent = "/up".into())).written(), "cgroup"),
        (
            "another host under a known name",
            raw(&command(|it| it.extra_hosts = vec![HostIp { host: "a".into(), ip: "1.2.3.4".into() }])).written(),
            "extrahosts",
        ),
    ] {
        place.refused(what, BOB, SOLVE, &[], &message, words);
    }
    goes_on(&place, &buildx);
}

#[test]
fn what_a_step_of_a_build_may_not_do() {
    let Some((place, buildx)) = with_alice("preset: team\n") else { return };
    let direct = place.engine.socket().display();
    // Whoever may name images could give any this name.
    place.shell.must(&format!("docker -H unix://{direct} tag tiny docker/dockerfile:1"));
    let own = place.built(BOB, "bob");
    let of_bob: &[(&str, &str)] = &[(BUILD_ID, &own)];
    let step = |frontend: &str, attrs: &[(&str, &str)]| Step {
        frontend: frontend.into(),
        frontend_opt: map(attrs),
        ..Step::default()
    };
    let graphed = |op: &Op| Step { definition: Some(graph(op)), ..Step::default() };
    let inner = Op { build: Some(Box::new(BuildOp { builder: -1, ..BuildOp::default() })), ..Op::default() };
    let hers = "docker-image://docker.io/library/hers:latest";
    let imports = r#"[{"Type":"registry","Attrs":{"ref":"hers"}}]"#;
    for (what, step, words) in [
        ("an image that is here as frontend", step("gateway.v0", &[("source", "tiny")]), "only the built-in frontend"),
        (
            "one by the name of a good one",
            step("gateway.v0", &[("source", "docker/dockerfile:1")]),
            "only the built-in frontend",
        ),
        (
            "the same by an argument",
            step("dockerfile.v0", &[("build-arg:BUILDKIT_SYNTAX", "docker/dockerfile:1")]),
            "only the built-in frontend",
        ),
        ("her image as frontend", step("gateway.v0", &[("source", "hers")]), "not yours"),
        ("her image as scanner", step("dockerfile.v0", &[("attest:sbom", "generator=hers")]), "not yours"),
        (
            "the same by an argument",
            step("dockerfile.v0", &[("build-arg:BUILDKIT_ATTEST_SBOM", "generator=hers")]),
            "not yours",
        ),
        ("her image as a cache", step("dockerfile.v0", &[("cache-from", "hers")]), "not yours"),
        ("the same in JSON", step("dockerfile.v0", &[("cache-imports", imports)]), "not yours"),
        ("her image as a context", step("dockerfile.v0", &[("context:x", "docker-image://hers")]), "not yours"),
        ("her image in operations", graphed(&source(hers)), "not yours"),
        ("her folder in operations", graphed(&keeps("games/gate")), "games/gate"),
        ("a control group", graphed(&command(|it| it.cgroup_parent = "../../up".into())), "cgroup"),
        ("the host's network", graphed(&run(1, 0, Vec::new())), "host's network namespace"),
        ("more than a container has", graphed(&run(0, 1, Vec::new())), "privileged"),
    ] {
        place.refused(what, BOB, STEP, of_bob, &step.written(), words);
    }
    let hidden =
        Step { frontend_inputs: [("x".to_owned(), Whole(graph(&inner)))].into(), ..step("dockerfile.v0", &[]) };
    for step in [hidden, graphed(&inner)] {
        let answer = place.call(BOB, STEP, of_bob, &step.written());
        assert!(answer.status == "3" && answer.message.contains("build"), "a build within a build: {answer:?}");
    }
    // Looks that leave the machine, or tell of what is others'.
    let bridge = |method: &str| format!("{BRIDGE}/{method}");
    let image = ResolveImageConfigRequest { reference: "docker.io/library/hers:latest".into(), ..Default::default() };
    place.refused(
        "her image's configuration",
        BOB,
        &bridge("ResolveImageConfig"),
        of_bob,
        &image.written(),
        "not yours",
    );
    for (what, from, words) in [
        ("her image", hers, "not yours"),
        ("the cloud's services", "http://169.254.169.254/latest/meta-data", "169.254.169.254"),
    ] {
        let look = ResolveSourceMetaRequest { source: source(from).source, ..Default::default() };
        place.refused(what, BOB, &bridge("ResolveSourceMeta"), of_bob, &look.written(), words);
    }
    goes_on(&place, &buildx);
}

/// BuildKit has the result of a step whether its answer was passed on or not, and its errors tell the ids of all.
#[test]
fn a_result_that_was_withheld_is_not_to_be_had() {
    let place = Place::new("developer");
    let own = place.built(BOB, "bob");
    let of_bob: &[(&str, &str)] = &[(BUILD_ID, &own)];
    let bridge = |method: &str| format!("{BRIDGE}/{method}");
    let step = |file: &str| {
        let mut file = graph(&made("/Dockerfile", file));
        // Definitions that a frontend takes tell something of each operation.
        file.metadata = file.def.iter().map(|op| (digest(op), Whole::default())).collect();
        let file = Whole(file);
        let inputs = ["context", "dockerfile"].map(|name| (name.to_owned(), file.clone()));
        let (frontend, frontend_inputs) = ("dockerfile.v0".to_owned(), inputs.into());
        Step { frontend, frontend_inputs, allow_result_return: true, allow_result_array_ref: true, ..Step::default() }
    };
    let answer = place.call(BOB, STEP, of_bob, &step("FROM tiny").written());
    let message = wire::single(&answer.body).unwrap_or_else(|_| panic!("{answer:?}"));
    let given: SolveResponse = wire::read(message, Strictness::Lenient).expect("a result");
    let given = given.result.and_then(|result| result.one).expect("one result").id;
    let look =
        |reference: &str| ReadDirRequest { reference: reference.to_owned(), path: "/".into(), ..Default::default() };
    let listed = place.call(BOB, &bridge("ReadDir"), of_bob, &look(&given).written());
    assert!(!listed.body.is_empty(), "{listed:?}");

    let refused = step("FROM tiny\nADD http://127.0.0.1:9/x /x\n").written();
    place.refused("a step", BOB, STEP, of_bob, &refused, "may not fetch http://127.0.0.1:9/x in a build");
    let unknown = "nobody-knows-it";
    let one = Ref { id: unknown.into(), def: None };
    let result = SolveResult { one: Some(one), ..SolveResult::default() };
    for (method, message) in [
        ("ReadDir", look(unknown).written()),
        ("ReadFile", ReadFileRequest { reference: unknown.into(), path: "/".into(), range: None }.written()),
        ("StatFile", StatFileRequest { reference: unknown.into(), path: "/".into() }.written()),
        ("Evaluate", EvaluateRequest { reference: unknown.into() }.written()),
        ("Return", ReturnRequest { result: Some(result), ..ReturnRequest::default() }.written()),
    ] {
        place.refused(method, BOB, &bridge(method), of_bob, &message, "no answer gave it to you");
    }
}

/// A file of that content, on nothing.
fn made(path: &str, text: &str) -> Op {
    let (path, data) = (path.to_owned(), text.as_bytes().to_vec());
    let file = FileActionMkFile { path, mode: 0o644, data, timestamp: -1, ..FileActionMkFile::default() };
    let action = FileAction { input: -1, secondary_input: -1, mkfile: Some(Box::new(file)), ..FileAction::default() };
    Op { file: Some(FileOp { actions: vec![action] }), ..Op::default() }
}

/// Of 28.5 on, BuildKit tells of all builds to whoever asks, and keeps what came of them.
#[test]
fn a_build_that_runs_and_what_is_kept_of_it_are_its_owners() {
    let Some((place, buildx)) = with_alice("preset: team\n") else { return };
    if place.engine.kind() == Kind::Machine {
        return goes_on(&place, &buildx);
    }
    let history = |user: u32, active_only: bool| {
        let asked = BuildHistoryRequest { active_only, early_exit: true, ..Default::default() }.written();
        records(&place.call(user, &format!("{CONTROL}/ListenBuildHistory"), &[], &asked).body)
    };
    let running: Vec<String> = history(0, true).into_iter().map(|record| record.reference).collect();
    assert!(!running.is_empty(), "an administrator sees it");
    let nothing =
        Step { definition: Some(graph(&source("docker-image://docker.io/library/tiny:latest"))), ..Step::default() };
    for reference in &running {
        let of_alice: &[(&str, &str)] = &[(BUILD_ID, reference)];
        for method in ["Solve", "Return", "ReadFile", "Evaluate", "NewContainer", "ExecProcess", "ResolveImageConfig"] {
            place.refused(method, BOB, &format!("{BRIDGE}/{method}"), of_alice, &nothing.written(), "not yours");
        }
        let status = StatusRequest { reference: reference.clone() }.written();
        place.refused("its output", BOB, &format!("{CONTROL}/Status"), &[], &status, "builds of others");
        let delete = UpdateBuildHistoryRequest { reference: reference.clone(), delete: true, ..Default::default() };
        let update = format!("{CONTROL}/UpdateBuildHistory");
        place.refused("its history", BOB, &update, &[], &delete.written(), "builds of others");
        let again = SolveRequest { reference: reference.clone(), ..SolveRequest::default() };
        place.refused("its name", BOB, SOLVE, &[], &again.written(), "belongs to somebody else");
    }
    goes_on(&place, &buildx);

    let kept = || history(0, false).iter().flat_map(|record| own(record.digests())).collect::<Vec<String>>();
    assert!(eventually(Duration::from_secs(20), || !kept().is_empty()), "nothing is kept of it");
    assert!(history(BOB, false).is_empty(), "Bob has built nothing");
    let content = |method: &str| format!("containerd.services.content.v1.Content/{method}");
    for digest in kept() {
        let message = InfoRequest { digest }.written();
        for method in ["Info", "Read"] {
            place.refused("what is kept of it", BOB, &content(method), &[], &message, "builds of others");
        }
        let seen = place.call(0, &content("Info"), &[], &message);
        assert_eq!(seen.status, "0", "it is there: {seen:?}");
    }
    let hers: Vec<String> = history(ALICE, false).iter().flat_map(|record| own(record.digests())).collect();
    assert!(!hers.is_empty());
    for digest in hers {
        let read =
            place.call(ALICE, &content("Read"), &[], &ReadContentRequest { digest, ..Default::default() }.written());
        assert!(read.status.is_empty() || read.status == "0", "her own: {read:?}");
        assert!(!read.body.is_empty(), "her own");
    }
}

fn own(digests: Vec<&str>) -> Vec<String> {
    digests.into_iter().map(str::to_owned).collect()
}

/// BuildKit behind `/build`, which shows nobody what it does, and a body that is an archive to one reader and a Dockerfile
/// to another.
#[test]
fn what_two_readers_read_differently_is_not_built() {
    let Some((place, buildx)) = with_alice("preset: team\n") else { return };
    let work = place.shell.work();
    fs::write(work.join("polyglot"), polyglot("FROM tiny\nADD http://127.0.0.1:9/x /x\nRUN <<E\n")).expect("a file");
    let post = |target: &str| {
        place.shell.run(&format!(
            "setpriv --reuid={BOB} --regid={BOB} --clear-groups curl -s -m 20 --unix-socket $SOCKET -H 'Content-Type: application/x-tar' \
             --data-binary @$WORK/polyglot 'http://d/{target}'"
        ))
    };
    for target in
        ["build?version=2", "v1.41/build?version=2&session=x&remote=client-session", "v1.41/build?t=hers&version=2"]
    {
        let said = post(target).out;
        assert!(said.contains("dockwarden: ") && !said.contains("stream"), "{target}: {said}");
    }
    // By the client's own way it is what BuildKit takes it for.
    let sent = place
        .shell
        .run(&format!("{} 2>&1", by(BOB, "sent", "", &format!("{buildx} build --network none - <$WORK/polyglot"))));
    assert_ne!(sent.code, 0, "{sent:?}");
    if place.engine.kind() == Kind::Modern {
        assert!(sent.out.contains("may not fetch http://127.0.0.1:9/x in a build"), "{sent:?}");
    }
    goes_on(&place, &buildx);
}

/// An archive of one harmless Dockerfile, whose first header bears lines of another; the last of these takes all that
/// follows for its input.
fn polyglot(lines: &str) -> Vec<u8> {
    let header = |name: &str, kind: u8, size: usize| {
        let mut block = vec![0; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[100..108].copy_from_slice(b"0000644\0");
        block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
        block[136..148].copy_from_slice(b"00000000000\0");
        block[148..156].copy_from_slice(b"        ");
        block[156] = kind;
        block[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    };
    let padded = |text: &str| {
        let mut block = text.as_bytes().to_vec();
        block.resize(512, 0);
        block
    };
    let (said, file) = ("16 comment=none\n", "FROM tiny\n");
    let first = [header(lines, b'x', said.len()), padded(said)].concat();
    [first, header("Dockerfile", b'0', file.len()), padded(file), vec![0; 1024], b"\nE\n".to_vec()].concat()
}
