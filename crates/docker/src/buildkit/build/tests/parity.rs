//! What both builders do, both ask for in the same words.

use super::*;
use crate::archive::tests_unpack;
use crate::buildkit::message::llb::{ExecOp, HostIp, Meta, Platform, SourceOp, Ulimit, network};
use crate::defaults::Defaults;
use crate::dockerfile::{self, Ask, BuildArgs, Builder};
use crate::http::{HeadLimits, Parsed, RequestHead};
use crate::request::{Archive, Call, Request};

/// What the classic builder asks for.
fn classic(query: &str, dockerfile: &str) -> BTreeSet<String> {
    let head = format!("POST /build?{query} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/x-tar\r\n\r\n");
    let parsed = RequestHead::parse(head.as_bytes(), &HeadLimits::default()).unwrap();
    let Parsed::Complete { head, .. } = parsed else { panic!("partial") };
    let reading = crate::request::Reading::default();
    let call = Call::read(&head, &reading).unwrap();
    let build = dockerfile::read(dockerfile.as_bytes(), &BuildArgs::new(), Builder::Classic).unwrap();
    let request = Request::understand(call, b"", &reading).unwrap().with_archive(Archive::Context(build));
    let mut world = World::new();
    loop {
        match request.facts(&world, &Defaults::default()) {
            Ok(facts) => return facts.privileges.iter().map(|privilege| format!("may not {privilege}")).collect(),
            Err(Unsettled::Open(open)) => {
                open.into_iter().for_each(|lookup| learn(&mut world, lookup, &["tiny:latest"]))
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// What BuildKit's answer asks for, with what the request asked for.
fn buildkit(solve: &control::SolveRequest, ops: &[Op]) -> BTreeSet<String> {
    control(solve).unwrap().into_iter().chain(operations(ops).unwrap()).collect()
}

fn from(name: &str) -> Op {
    let platform = Platform { os: "linux".to_owned(), architecture: "amd64".to_owned(), ..Platform::default() };
    let source = Some(SourceOp { identifier: name.to_owned(), ..SourceOp::default() });
    Op { source, platform: Some(platform), ..Op::default() }
}

fn run(network: i32, meta: Meta) -> Op {
    Op { exec: Some(Box::new(ExecOp { network, meta: Some(meta), ..ExecOp::default() })), ..Op::default() }
}

#[test]
fn the_same_build_asks_for_the_same() {
    let tiny = || from("docker-image://docker.io/library/tiny:latest");
    let plain = control::SolveRequest::default;
    let exporter = control::Exporter { kind: "moby".into(), attrs: [("name".to_owned(), "a,b:1".to_owned())].into() };
    let named = control::SolveRequest { exporters: vec![exporter], ..plain() };
    let hosted = control::SolveRequest { entitlements: vec!["network.host".into()], ..plain() };
    let meta = Meta {
        extra_hosts: vec![HostIp { host: "h".into(), ip: "1.2.3.4".into() }],
        ulimit: vec![Ulimit { name: "nofile".into(), soft: 1, hard: 2 }],
        cgroup_parent: "/x".into(),
        ..Meta::default()
    };
    let limits =
        "extrahosts=h:1.2.3.4&cgroupparent=/x&ulimits=%5B%7B%22Name%22:%22nofile%22,%22Soft%22:1,%22Hard%22:2%7D%5D";
    let nothing = Meta::default;
    for (query, text, solve, ops) in [
        ("", "FROM tiny\n", plain(), vec![tiny()]),
        ("", "FROM other:1\n", plain(), vec![from("docker-image://docker.io/library/other:1")]),
        ("t=a&t=b:1", "FROM tiny\nCOPY x /\n", named, vec![tiny()]),
        ("", "FROM tiny\nRUN id\n", plain(), vec![tiny(), run(network::SANDBOX, nothing())]),
        ("networkmode=none", "FROM tiny\nRUN id\n", plain(), vec![tiny(), run(network::NONE, nothing())]),
        ("networkmode=host", "FROM tiny\nRUN id\n", hosted, vec![tiny(), run(network::HOST, nothing())]),
        ("", "FROM tiny\nADD http://h/x /\n", plain(), vec![tiny(), from("http://h/x")]),
        (limits, "FROM tiny\nRUN id\n", plain(), vec![tiny(), run(network::SANDBOX, meta)]),
    ] {
        assert_eq!(classic(query, text), buildkit(&solve, &ops), "{query} {text}");
    }
}

/// What BuildKit made of these files, by its own account, asks for what our reader of Dockerfiles finds in them.
#[test]
fn dockerfiles_that_the_daemon_has_read() {
    #[derive(serde::Deserialize)]
    struct Verdict {
        err: Option<String>,
        #[serde(default)]
        run: Vec<String>,
        #[serde(default)]
        src: Vec<String>,
    }
    let mut files = tests_unpack(include_bytes!("../../../../tests-data/builds/dockerfiles.tar.gz"));
    let truth = files.iter().position(|(name, _)| name == "truth.json").unwrap();
    let truth: std::collections::BTreeMap<String, Verdict> = serde_json::from_slice(&files.remove(truth).1).unwrap();
    let mut compared = 0;
    for (name, text) in files {
        let Verdict { err: None, run: runs, src } = &truth[&name] else { continue };
        let Ok(read) = dockerfile::read(&text, &BuildArgs::new(), Builder::BuildKit) else { continue };
        if !read.syntax.is_empty() {
            continue;
        }
        let sources = src.iter().filter(|source| !source.starts_with("local://")).map(|source| from(source));
        let ops: Vec<Op> = sources.chain(runs.iter().map(|_| run(network::SANDBOX, Meta::default()))).collect();
        let asked = operations(&ops).unwrap();
        let runs = asked.iter().any(|asked| asked == "may not run commands in a build");
        assert_eq!(runs, read.asks().contains(&Ask::Run), "{name}");
        let images = read.asks().iter().any(|ask| matches!(ask, Ask::UseImage(_)));
        assert_eq!(asked.iter().any(|asked| asked.contains("use image")), images, "{name}: {asked:?}");
        compared += 1;
    }
    assert!(compared > 25, "{compared}");
}
