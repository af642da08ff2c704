//! Nobody uses a build, a session or the history of another, and what a build asks for is refused however it is asked: by
//! raw calls, as a client of one's own would make them.
//!
//! The calls are HTTP/2 from the first byte, which the firewall takes as the tunnel; so curl makes them, as any user.

use crate::harness::engine::buildx;
use crate::harness::{Cli, Engine, Firewall, Kind, Shell, eventually, skipped};
use docker::buildkit::message::bridge::{NewContainerRequest, ResolveImageConfigRequest, SolveRequest as Step};
use docker::buildkit::message::content::InfoRequest;
use docker::buildkit::message::control::{
    BuildHistoryEvent, BuildHistoryRecord, BuildHistoryRequest, CacheOptions, CacheOptionsEntry, SolveRequest,
    StatusRequest, UpdateBuildHistoryRequest,
};
use docker::buildkit::message::llb::{BuildOp, Definition, ExecOp, Input, Meta, Mount, Op, SourceOp};
use docker::buildkit::wire::{self, Frames, MOST_MESSAGE, Message, Strictness};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

mod dangers;

const ALICE: u32 = 5;
const BOB: u32 = 65534;
const SOLVE: &str = "moby.buildkit.v1.Control/Solve";
const BRIDGE: &str = "moby.buildkit.v1.frontend.LLBBridge";
const STEP: &str = "moby.buildkit.v1.frontend.LLBBridge/Solve";
const BUILD_ID: &str = "buildkit-controlapi-buildid";

/// A daemon, a firewall, and a folder that all users may enter.
struct Place {
    engine: Engine,
    firewall: Firewall,
    shell: Shell,
}

/// What came of a call.
#[derive(Debug)]
struct Answer {
    status: String,
    message: String,
    body: Vec<u8>,
}

impl Place {
    fn new(preset: &str) -> Place {
        Place::with(&format!("preset: {preset}\n"))
    }

    fn with(policy: &str) -> Place {
        let engine = Engine::start();
        let firewall = Firewall::start(engine.socket(), |_| format!("policy:\n  {policy}"));
        let shell = Shell::new(&firewall.socket(), Cli::Machine);
        fs::set_permissions(firewall.socket(), fs::Permissions::from_mode(0o666)).expect("the socket's mode");
        for folder in [firewall.folder(), shell.place(), &shell.work()] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).expect("a folder's mode");
        }
        Place { engine, firewall, shell }
    }

    /// Calls a method with one message, as a user.
    fn call(&self, user: u32, method: &str, fields: &[(&str, &str)], message: &[u8]) -> Answer {
        self.call_framed(user, method, fields, &wire::framed(message).expect("a frame"))
    }

    fn call_framed(&self, user: u32, method: &str, fields: &[(&str, &str)], frame: &[u8]) -> Answer {
        let work = self.shell.work();
        fs::write(work.join("message"), frame).expect("the message");
        let fields: String = fields.iter().map(|(name, value)| format!(" -H '{name}: {value}'")).collect();
        let _ = self.shell.run("rm -f head body");
        self.shell.must(&format!(
            "setpriv --reuid={user} --regid={user} --clear-groups curl -s -m 20 --http2-prior-knowledge --unix-socket $SOCKET \
             -H 'content-type: application/grpc' -H 'te: trailers'{fields} --data-binary @message -D head -o body \
             'http://docker/{method}' || true; touch head body",
        ));
        let head = fs::read_to_string(work.join("head")).expect("its head");
        let field = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            line.unwrap_or_default().trim().to_owned()
        };
        let body = fs::read(work.join("body")).expect("its body");
        Answer { status: field("grpc-status"), message: field("grpc-message"), body }
    }

    /// The call is refused by our words.
    fn refused(&self, what: &str, user: u32, method: &str, fields: &[(&str, &str)], message: &[u8], words: &str) {
        let answer = self.call(user, method, fields, message);
        let refused = answer.status == "7" && answer.message.starts_with("dockwarden: ");
        assert!(refused && answer.message.contains(words), "{what}: no `{words}` in {answer:?}");
    }

    /// Whether a record says what came of a call.
    fn recorded(&self, outcome: &str, method: &str, words: &str) -> bool {
        let says = |record: &serde_json::Value| {
            let text = |name: &str| record[name].as_str().unwrap_or_default();
            text("outcome") == outcome && record.to_string().contains(method) && text("message").contains(words)
        };
        eventually(Duration::from_secs(5), || self.firewall.records().iter().any(says))
    }

    /// A build that somebody has run, by its reference.
    fn built(&self, user: u32, name: &str) -> String {
        let reference = format!("{name}0123456789abcdefghijkl");
        let solve = SolveRequest { reference: reference.clone(), ..SolveRequest::default() };
        // It waits for its client to go on, until the client leaves.
        let message = wire::framed(&solve.written()).expect("a frame");
        fs::write(self.shell.work().join(name), message).expect("the message");
        self.shell.must(&format!(
            "(setpriv --reuid={user} --regid={user} --clear-groups curl -s -m 300 --http2-prior-knowledge --unix-socket $SOCKET \
             -H 'content-type: application/grpc' -H 'te: trailers' --data-binary @{name} -o /dev/null http://docker/{SOLVE} &)"
        ));
        let goes_on = || self.call(user, &format!("{BRIDGE}/Ping"), &[(BUILD_ID, &reference)], &[]);
        assert!(eventually(Duration::from_secs(20), || goes_on().status == "0"), "{name}: {:?}", goes_on());
        reference
    }
}

/// One operation, and its result.
fn graph(op: &Op) -> Definition {
    let first = op.written();
    let last = Op { inputs: vec![Input { digest: digest(&first), index: 0 }], ..Op::default() };
    Definition { def: vec![first, last.written()], ..Definition::default() }
}

fn digest(bytes: &[u8]) -> String {
    use std::process::{Command, Stdio};
    let mut child = Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sha256sum");
    std::io::Write::write_all(&mut child.stdin.take().expect("its input"), bytes).expect("its input");
    let out = child.wait_with_output().expect("its end").stdout;
    format!("sha256:{}", String::from_utf8_lossy(&out).split_whitespace().next().unwrap_or_default())
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn run(network: i32, security: i32, mounts: Vec<Mount>) -> Op {
    let meta = Meta { args: vec!["/bin/sh".into(), "-c".into(), "id".into()], cwd: "/".into(), ..Meta::default() };
    let root = Mount { input: -1, dest: "/".into(), ..Mount::default() };
    let mounts = [vec![root], mounts].concat();
    Op {
        exec: Some(Box::new(ExecOp { meta: Some(meta), mounts, network, security, ..ExecOp::default() })),
        ..Op::default()
    }
}

fn source(identifier: &str) -> Op {
    Op { source: Some(SourceOp { identifier: identifier.to_owned(), ..SourceOp::default() }), ..Op::default() }
}

/// A build with nothing but these operations, which the daemon would run at once.
fn raw(op: &Op) -> SolveRequest {
    SolveRequest {
        reference: "raw0123456789abcdefghijkl".into(),
        definition: Some(graph(op)),
        ..SolveRequest::default()
    }
}

#[test]
fn whatever_a_build_asks_for_is_refused_however_it_is_asked() {
    let place = Place::new("developer");
    let of = |change: &dyn Fn(&mut SolveRequest)| {
        let mut solve = SolveRequest { reference: "own0123456789abcdefghijkl".into(), ..SolveRequest::default() };
        change(&mut solve);
        solve.written()
    };
    let cache = |kind: &str| {
        let import = CacheOptionsEntry { kind: kind.into(), attrs: map(&[("ref", "127.0.0.1:9/x")]) };
        Some(CacheOptions { imports: vec![import], ..CacheOptions::default() })
    };
    for (what, message, words) in [
        ("network.host", of(&|it| it.entitlements = vec!["network.host".into()]), "host's network namespace"),
        ("security.insecure", of(&|it| it.entitlements = vec!["security.insecure".into()]), "privileged"),
        ("devices", of(&|it| it.entitlements = vec!["device=x".into()]), "device"),
        ("an unknown entitlement", of(&|it| it.entitlements = vec!["everything".into()]), "entitlement"),
        ("a frontend of its own", of(&|it| it.frontend = "dockerfile.v0".into()), "does not show"),
        ("a cache elsewhere", of(&|it| it.cache = cache("s3")), "cache of type s3"),
        ("a session's exporter", of(&|it| it.enable_session_exporter = true), "session-exporter"),
        ("a command in the host's network", raw(&run(1, 0, Vec::new())).written(), "host's network namespace"),
        ("an insecure command", raw(&run(0, 1, Vec::new())).written(), "privileged"),
        ("a fetch", raw(&source("https://169.254.169.254/")).written(), "169.254.169.254"),
        ("a repository", raw(&source("git://evil.test/x.git")).written(), "evil.test"),
    ] {
        place.refused(what, BOB, SOLVE, &[], &message, words);
    }
    let own = place.built(BOB, "bob");
    for (what, frontend, attrs, words) in [
        ("a control group", "dockerfile.v0", &[("cgroup-parent", "../../up")], "cgroup"),
        ("the host's network", "dockerfile.v0", &[("force-network-mode", "host")], "host's network namespace"),
        ("a context by URL", "dockerfile.v0", &[("context", "http://169.254.169.254/x")], "169.254.169.254"),
        ("a named context by URL", "dockerfile.v0", &[("context:x", "https://evil.test/x.tgz")], "evil.test"),
        ("an image as frontend", "gateway.v0", &[("source", "evil/frontend")], "evil/frontend"),
        (
            "the same by an argument",
            "dockerfile.v0",
            &[("build-arg:BUILDKIT_SYNTAX", "evil/frontend")],
            "evil/frontend",
        ),
    ] {
        let step = Step { frontend: frontend.into(), frontend_opt: map(attrs), ..Step::default() };
        place.refused(what, BOB, STEP, &[(BUILD_ID, &own)], &step.written(), words);
    }
    // What nobody may be asked about.
    let inner = Op { build: Some(Box::new(BuildOp { builder: -1, ..BuildOp::default() })), ..Op::default() };
    for (what, message) in [
        ("a build within a build", raw(&inner).written()),
        ("a source of a kind that is not known", raw(&source("file:///etc")).written()),
        ("a field that is not known", [of(&|_| {}), vec![0xfa, 0x07, 0x01, 0x78]].concat()),
    ] {
        let answer = place.call(BOB, SOLVE, &[], &message);
        assert!(["3", "7"].contains(&answer.status.as_str()), "{what}: {answer:?}");
    }
    let compressed = [vec![1], wire::framed(&of(&|_| {})).unwrap().split_off(1)].concat();
    let answer = place.call_framed(BOB, SOLVE, &[], &compressed);
    assert!(answer.status == "3" && answer.message.contains("compressed"), "{answer:?}");
    for method in ["moby.buildkit.v1.Control/Own", "containerd.services.tasks.v1.Tasks/Create", "v1.41/containers/json"]
    {
        let answer = place.call(BOB, method, &[], &[]);
        assert_eq!(answer.status, "12", "{method}: {answer:?}");
    }
    // What cannot be read, by a method that is judged and by methods that look at their message.
    let history = "moby.buildkit.v1.Control/ListenBuildHistory";
    let status = "moby.buildkit.v1.Control/Status";
    for (what, method, frame) in [
        ("no protobuf", SOLVE, wire::framed(&[0xff; 9]).unwrap()),
        ("half a frame", SOLVE, vec![0, 0, 0, 1, 0, 7]),
        ("two messages", SOLVE, [wire::framed(&of(&|_| {})).unwrap(), wire::framed(&[]).unwrap()].concat()),
        ("no protobuf, by the history", history, wire::framed(&[0xff; 9]).unwrap()),
        ("half a frame, by the output", status, vec![0, 0, 0, 1, 0, 7]),
    ] {
        let answer = place.call_framed(BOB, method, &[], &frame);
        assert!(answer.status == "3" && answer.message.starts_with("dockwarden: "), "{what}: {answer:?}");
        assert!(place.recorded("malformed", &format!("/{method}"), &answer.message), "{what}: {answer:?}");
    }
    assert!(place.recorded("malformed", &format!("/{SOLVE}"), "compressed"));
    assert!(place.recorded("malformed", "/moby.buildkit.v1.Control/Own", "is not known to have a method"));
    assert!(place.recorded("refused", &format!("/{SOLVE}"), "git://evil.test/x.git"));
}

#[test]
fn builds_and_sessions_are_of_those_who_began_them() {
    let place = Place::new("team");
    let alices = place.built(ALICE, "alice");
    let bobs = place.built(BOB, "bob");
    let of_alice: &[(&str, &str)] = &[(BUILD_ID, &alices)];
    let of_bob: &[(&str, &str)] = &[(BUILD_ID, &bobs)];
    let bridge = |method: &str| format!("{BRIDGE}/{method}");

    // Somebody else's build.
    let step =
        Step { definition: Some(graph(&source("docker-image://docker.io/library/tiny:latest"))), ..Step::default() };
    for method in ["Solve", "Return", "ReadFile", "ReadDir", "StatFile", "Evaluate", "Inputs", "Ping", "Warn"] {
        place.refused(method, BOB, &bridge(method), of_alice, &step.written(), "not yours");
    }
    for (what, fields) in [("no build", vec![]), ("two builds", [of_bob, of_alice].concat())] {
        let answer = place.call(BOB, &bridge("Ping"), &fields, &[]);
        assert!(answer.status == "3" && answer.message.contains("once"), "{what}: {answer:?}");
    }
    let taken = SolveRequest { reference: alices.clone(), ..SolveRequest::default() };
    place.refused("her reference", BOB, SOLVE, &[], &taken.written(), "belongs to somebody else");

    // Somebody else's session, in each place where one can be named.
    place.shell.must(&format!(
        "(setpriv --reuid={ALICE} --regid={ALICE} --clear-groups curl -s -N -m 300 -X POST --unix-socket $SOCKET -H 'Connection: Upgrade' \
         -H 'Upgrade: h2c' -H 'X-Docker-Expose-Session-Uuid: alices-session' http://docker/session -D session -o /dev/null &)"
    ));
    let opened = || place.shell.run("cat session").out;
    assert!(eventually(Duration::from_secs(20), || opened().contains("101")), "{}", opened());
    let mut named = SolveRequest { reference: "s10123456789abcdefghijkl".into(), ..SolveRequest::default() };
    named.session = "alices-session".into();
    place.refused("her session", BOB, SOLVE, &[], &named.written(), "session: it is not yours");
    named.session = "nobodys-session".into();
    place.refused("nobody's session", BOB, SOLVE, &[], &named.written(), "session: it is not yours");
    let attrs = map(&[("local-sessionid:context", "alices-session")]);
    let step_of = |attrs| Step { frontend: "dockerfile.v0".into(), frontend_opt: attrs, ..Step::default() };
    place.refused("her files", BOB, STEP, of_bob, &step_of(attrs).written(), "session: it is not yours");
    let mut local = source("local://context");
    if let Some(source) = &mut local.source {
        source.attrs = map(&[("local.session", "alices-session")]);
    }
    let step = Step { definition: Some(graph(&local)), ..Step::default() };
    place.refused("her files, raw", BOB, STEP, of_bob, &step.written(), "session: it is not yours");
    let mut layout = source(&format!("oci-layout://x@sha256:{}", "a".repeat(64)));
    if let Some(source) = &mut layout.source {
        source.attrs = map(&[("oci.session", "alices-session")]);
    }
    let step = Step { definition: Some(graph(&layout)), ..Step::default() };
    place.refused("her layouts", BOB, STEP, of_bob, &step.written(), "session: it is not yours");
    let mut look =
        ResolveImageConfigRequest { reference: "docker.io/library/tiny:latest".into(), ..Default::default() };
    look.session_id = "alices-session".into();
    let method = bridge("ResolveImageConfig");
    place.refused("her logins", BOB, &method, of_bob, &look.written(), "session: it is not yours");
    // BuildKit looks for what stands behind the colon.
    named.session = "x:alices-session".into();
    place.refused("her session, by another name", BOB, SOLVE, &[], &named.written(), "session: it is not yours");
    let within = [("x-docker-expose-session-uuid", "x:alices-session")];
    let session = "moby.buildkit.v1.Control/Session";
    let answer = place.call(BOB, session, &within, &[]);
    assert!(answer.status == "3" && answer.message.contains("must name itself"), "{answer:?}");
    let within = [("x-docker-expose-session-uuid", "alices-session")];
    place.refused("her session, opened within a tunnel", BOB, session, &within, &[], "belongs to somebody else");
    for (id, words) in [("alices-session", "belongs to somebody else"), ("x:alices-session", "must name itself")] {
        let answer = place.shell.must(&format!(
            "setpriv --reuid={BOB} --regid={BOB} --clear-groups curl -s -m 5 -X POST --unix-socket $SOCKET -H 'Connection: Upgrade' \
             -H 'Upgrade: h2c' -H 'X-Docker-Expose-Session-Uuid: {id}' http://docker/session"
        ));
        assert!(answer.contains(words), "{answer}");
    }

    // Output, history, contents.
    let status = StatusRequest { reference: alices.clone() }.written();
    place.refused("her output", BOB, "moby.buildkit.v1.Control/Status", &[], &status, "builds of others");
    let gone = UpdateBuildHistoryRequest { reference: alices.clone(), delete: true, ..Default::default() }.written();
    place.refused("her history", BOB, "moby.buildkit.v1.Control/UpdateBuildHistory", &[], &gone, "builds of others");
    let content = InfoRequest { digest: format!("sha256:{}", "a".repeat(64)) }.written();
    for method in ["Info", "Read"] {
        let method = format!("containerd.services.content.v1.Content/{method}");
        place.refused("her contents", BOB, &method, &[], &content, "builds of others");
    }
    place.refused("all contents", BOB, "containerd.services.content.v1.Content/List", &[], &[], "store");
    for method in ["Prune", "DiskUsage"] {
        let method = format!("moby.buildkit.v1.Control/{method}");
        place.refused("everybody's cache", BOB, &method, &[], &[], "build cache");
    }
    let container = NewContainerRequest::default().written();
    place.refused("a container", BOB, &bridge("NewContainer"), of_bob, &container, "container within a build");

    // What is one's own goes on.
    let ping = place.call(ALICE, &bridge("Ping"), of_alice, &[]);
    assert_eq!(ping.status, "0", "{ping:?}");
    if place.engine.kind() == Kind::Modern {
        let asked = BuildHistoryRequest { early_exit: true, ..Default::default() }.written();
        let listen = "moby.buildkit.v1.Control/ListenBuildHistory";
        let told = |user| references(&place.call(user, listen, &[], &asked).body);
        assert!(told(BOB).iter().all(|reference| reference == &bobs), "{:?}", told(BOB));
        let active = BuildHistoryRequest { active_only: true, early_exit: true, ..Default::default() }.written();
        let all = references(&place.call(0, listen, &[], &active).body);
        assert!(all.len() >= 2, "an administrator sees all: {all:?}");
    }
}

/// The builds that a history tells of.
fn records(body: &[u8]) -> Vec<BuildHistoryRecord> {
    let mut frames = Frames::new(MOST_MESSAGE);
    frames.feed(body);
    let mut all = Vec::new();
    while let Some(message) = frames.next().expect("frames") {
        let event: BuildHistoryEvent = wire::read(&message, Strictness::Lenient).expect("an event");
        all.extend(event.record);
    }
    all
}

fn references(body: &[u8]) -> Vec<String> {
    records(body).into_iter().map(|record| record.reference).collect()
}

/// Folders that one's builds keep are one's own; names of others' images are not given; and what the Dockerfile would be read by
/// is not the file's choice.
#[test]
fn builds_of_two_users_leave_one_another_alone() {
    let Some(buildx) = buildx() else {
        return skipped("builds of two users", "no ../shared/bin/modern-engine here, so no buildx");
    };
    let place = Place::new("team");
    let build = |user: u32, file: &str, options: &str| {
        let folder = format!("$WORK/{user}");
        let file = file.replace('\'', r"'\''").replace('\n', "\\n");
        place.shell.run(&format!(
            "mkdir -p {folder}/home; chown -R {user} {folder}; printf '{file}' >{folder}/Dockerfile; cd {folder}; HOME={folder}/home; export HOME; \
             setpriv --reuid={user} --regid={user} --clear-groups {buildx} build --load --network none {options} {folder} 2>&1"
        ))
    };
    let keeps =
        "FROM tiny\nARG N\nRUN --mount=type=cache,id=keep,target=/c echo of-@ >>/c/x; cp /c/x /x; echo $N >/n\n";
    let built = |user: u32, who: &str, n: u32| {
        let outcome = build(user, &keeps.replace('@', who), &format!("--build-arg N={n} -t keep-{who}"));
        assert_eq!(outcome.code, 0, "{outcome:?}");
        place.shell.must(&format!(
            "docker -H unix://{} run --rm --network none keep-{who} cat /x",
            place.engine.socket().display()
        ))
    };
    assert_eq!(built(ALICE, "alice", 1), "of-alice");
    assert_eq!(built(BOB, "bob", 1), "of-bob", "a folder of alice's builds");
    assert_eq!(built(ALICE, "alice", 2), "of-alice\nof-alice");

    let stolen = build(BOB, "FROM keep-alice\nRUN cat /x\n", "");
    assert!(stolen.code != 0 && stolen.out.contains("not yours"), "{stolen:?}");
    let taken = build(BOB, "FROM tiny\n", "-t keep-alice");
    assert!(taken.code != 0 && taken.out.contains("may not name an image keep-alice"), "{taken:?}");
    let led_out = build(BOB, "FROM tiny\nRUN --mount=type=cache,id=../sys/keep,target=/c cat /c/x\n", "");
    let shown = led_out.out.contains("of-alice");
    assert!(!shown, "{led_out:?}");

    // Of a build that is refused by its last step, no step has run: the folder that the first one writes to is empty.
    let early = "FROM tiny\nRUN --mount=type=cache,id=early,target=/c echo ran >/c/ran\n";
    let refused = build(ALICE, &format!("{early}ADD http://127.0.0.1:9/x /x\n"), "");
    assert!(refused.code != 0 && refused.out.contains("may not fetch"), "{refused:?}");
    std::thread::sleep(Duration::from_secs(1));
    let seen = build(ALICE, "FROM tiny\nRUN --mount=type=cache,id=early,target=/c ls /c | wc -l >/n\n", "-t seen");
    assert_eq!(seen.code, 0, "{seen:?}");
    let daemon = place.engine.socket().display();
    assert_eq!(place.shell.must(&format!("docker -H unix://{daemon} run --rm --network none seen cat /n")), "0");

    let elsewhere = build(BOB, "# syntax=evil.test/frontend:1\nFROM tiny\nRUN true\n", "-t own");
    assert_eq!(elsewhere.code, 0, "the built-in frontend reads it: {elsewhere:?}");

    // The records of one build, by its id.
    let records = place.firewall.records();
    let named = records.iter().find(|record| record["questions"].to_string().contains("nameImage"));
    let id = named.and_then(|record| record["request"]["build"].as_str()).expect("the build of a record");
    let explained = explain(&place.firewall.folder().join("records.jsonl"), id);
    for part in ["Control/Solve", "nameImage on Image::\"", "LLBBridge/Solve", "useImage on ", "buildRun on "] {
        assert!(explained.contains(part), "no {part}: {explained}");
    }
    assert!(explained.lines().filter(|line| line.contains("record 0")).all(|line| line.ends_with(id)), "{explained}");
    let unknown = explain(&place.firewall.folder().join("records.jsonl"), "nosuchbuild");
    assert!(unknown.contains("there is no record `nosuchbuild`, or of a build of that name"), "{unknown}");
}

fn explain(records: &std::path::Path, what: &str) -> String {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dockwarden"));
    let said = command.args(["explain", what, "--records"]).arg(records).output().expect("the binary");
    format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr))
}

/// Half a dozen builds at once, of two users: each image holds what its own Dockerfile says.
#[test]
fn builds_at_once_are_not_mixed_up() {
    let Some(buildx) = buildx() else {
        return skipped("builds at once", "no ../shared/bin/modern-engine here, so no buildx");
    };
    let place = Place::new("team");
    let line = format!(
        "for n in 1 2 3 4 5 6 7 8; do u=$([ $((n % 2)) = 0 ] && echo {ALICE} || echo {BOB}); d=$WORK/m$n; mkdir -p $d/home; chown -R $u $d; \
         echo marker-$n >$d/f; printf 'FROM tiny\\nCOPY f /f\\nRUN cat /f >/g; sleep 1\\n' >$d/Dockerfile; \
         (HOME=$d/home setpriv --reuid=$u --regid=$u --clear-groups {buildx} build --load --network none -q -t m$n $d >$d/out 2>&1; \
          echo $? >$d/code) & done; wait; cat $WORK/m*/code | sort | uniq -c"
    );
    let outcome = place.shell.run(&line);
    assert_eq!(
        outcome.out.split_whitespace().collect::<Vec<_>>(),
        ["8", "0"],
        "{outcome:?}: {}",
        place.shell.must("cat m*/out")
    );
    for n in 1..=8 {
        let daemon = place.engine.socket().display();
        let held = place.shell.must(&format!("docker -H unix://{daemon} run --rm --network none m{n} cat /g"));
        assert_eq!(held, format!("marker-{n}"));
    }
}
