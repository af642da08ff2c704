//! Each thing that a build can ask for.

use super::*;
use crate::buildkit::message::llb::{
    CacheOpt, CdiDevice, ExecOp, HostIp, Location, Locations, Meta, Mount, Platform, Position, Range, SecretEnv,
    SecretOpt, Source, SourceInfo, SourceOp, Ulimit, mount_type, network, security,
};
use crate::buildkit::wire::Whole;

fn source(identifier: &str, attrs: &[(&str, &str)]) -> Op {
    let attrs = attrs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let platform = Platform { os: "linux".to_owned(), architecture: "amd64".to_owned(), ..Platform::default() };
    let source = Some(SourceOp { identifier: identifier.to_owned(), attrs });
    Op { source, platform: Some(platform), ..Op::default() }
}

fn run(exec: ExecOp) -> Op {
    Op { exec: Some(Box::new(exec)), ..Op::default() }
}

fn mounted(mount: Mount) -> Op {
    run(ExecOp { network: network::NONE, mounts: vec![mount], ..ExecOp::default() })
}

#[test]
fn where_files_come_from() {
    let none = words(&[]);
    assert_eq!(
        operations(&[source("docker-image://docker.io/library/tiny:latest", &[])]),
        words(&["use image tiny:latest"])
    );
    assert_eq!(
        operations(&[source("docker-image://docker.io/library/tiny:latest", &[("image.resolvemode", "pull")])]),
        words(&["use image tiny:latest", "pull image tiny:latest"])
    );
    assert_eq!(
        operations(&[source("docker-image://registry.test/other:1", &[])]),
        words(&["pull image registry.test/other:1", "use image registry.test/other:1"])
    );
    assert_eq!(operations(&[source("local://context", &[("local.session", "s")])]), none);
    assert_eq!(operations(&[source("oci-layout://a@sha256:b", &[("oci.session", "s"), ("oci.store", "x")])]), none);
    assert_eq!(operations(&[source("http://buildkit-session/abc", &[])]), none);
    assert_eq!(
        operations(&[source("http://buildkit-session.evil/abc", &[])]),
        words(&["fetch http://buildkit-session.evil/abc in a build"])
    );
    let git = [("git.fullurl", "https://u:p@host/a.git"), ("git.authtokensecret", "GIT_AUTH_TOKEN")];
    assert_eq!(operations(&[source("git://host/a.git", &git)]), words(&["fetch https://host/a.git in a build"]));
    assert_eq!(
        operations(&[source("git://h/a", &[("git.authtokensecret", "MINE"), ("git.mountsshsock", "default")])]),
        words(&["fetch git://h/a in a build", "use secret MINE in a build", "use SSH agent default in a build"])
    );
    assert_eq!(
        operations(&[source("https://h/a", &[("http.header.metadata-flavor", "Google")])]),
        words(&["fetch https://h/a in a build", "set build option http.header.metadata-flavor"])
    );
    for unknown in ["file:///etc", "docker-image:tiny", "", "://", "llb+build://x"] {
        assert!(operations(&[source(unknown, &[])]).unwrap_err().contains("kind that is not known"), "{unknown}");
    }
}

#[test]
fn what_is_run() {
    let privileges = ["run commands in a build", "join network bridge"];
    assert_eq!(operations(&[run(ExecOp::default())]), words(&privileges));
    let host = run(ExecOp { network: network::HOST, ..ExecOp::default() });
    assert_eq!(
        operations(&[host]),
        words(&["run commands in a build on network host", "share the host's network namespace"])
    );
    let insecure = run(ExecOp { network: network::NONE, security: security::INSECURE, ..ExecOp::default() });
    assert_eq!(operations(&[insecure]), words(&["run commands in a build on network none", "run privileged"]));
    for exec in [ExecOp { network: 3, ..ExecOp::default() }, ExecOp { security: 2, ..ExecOp::default() }] {
        assert!(operations(&[run(exec)]).unwrap_err().contains("is not known"));
    }
    let meta = Meta {
        extra_hosts: vec![HostIp { host: "h".into(), ip: "1.2.3.4".into() }],
        ulimit: vec![Ulimit { name: "nofile".into(), soft: 1, hard: 2 }],
        cgroup_parent: "/evil".into(),
        ..Meta::default()
    };
    let exec = ExecOp {
        network: network::NONE,
        meta: Some(meta),
        secretenv: vec![SecretEnv { id: "tok".into(), ..SecretEnv::default() }],
        cdi_devices: vec![CdiDevice { name: "vendor.com/gpu=0".into(), optional: false }],
        ..ExecOp::default()
    };
    assert_eq!(
        operations(&[run(exec)]),
        words(&[
            "run commands in a build on network none",
            "set build option extrahosts",
            "set ulimit nofile=1:2",
            "set the parent cgroup /evil",
            "use secret tok in a build",
            "request devices vendor.com/gpu=0 of driver `cdi`",
        ])
    );
}

#[test]
fn what_is_mounted_while_it_runs() {
    let run = "run commands in a build on network none";
    let secret = |id: &str| Some(SecretOpt { id: id.to_owned(), ..SecretOpt::default() });
    let bind = Mount { selector: "../../etc".into(), ..Mount::default() };
    assert_eq!(operations(&[mounted(bind)]), words(&[run]));
    let one = Mount { mount_type: mount_type::SECRET, secret: secret("tok"), ..Mount::default() };
    assert_eq!(operations(&[mounted(one)]), words(&[run, "use secret tok in a build"]));
    let agent = Mount { mount_type: mount_type::SSH, ssh: secret(""), ..Mount::default() };
    assert_eq!(operations(&[mounted(agent)]), words(&[run, "use SSH agent default in a build"]));
    let cache = |id: &str| Mount {
        dest: "/root/.cache".into(),
        mount_type: mount_type::CACHE,
        cache: Some(CacheOpt { id: id.to_owned(), sharing: 0 }),
        ..Mount::default()
    };
    assert_eq!(operations(&[mounted(cache("go"))]), words(&[run, "mount build cache go"]));
    assert_eq!(operations(&[mounted(cache(""))]), words(&[run, "mount build cache /root/.cache"]));
    assert!(operations(&[mounted(Mount { mount_type: 5, ..Mount::default() })]).is_err());
    let none = BTreeSet::new();
    let apart = Reading { cache_namespace: Some("alice"), ..reading(&none) };
    for (id, expected) in [
        ("alice/go", true),
        ("alice//root", true),
        ("alice", false),
        ("alicex/go", false),
        ("alice/../bob/go", false),
        ("go", false),
    ] {
        let judged = judge(&Build::of_answer(&answer(&[mounted(cache(id))]), &apart).unwrap()).unwrap();
        let own = judged.facts.privileges.contains(&Privilege::MountBuildCache { id: id.to_owned(), own: expected });
        assert!(own, "{id}");
    }
}

#[test]
fn what_the_frontend_is_told() {
    let asks = |attrs: &[(&str, &str)]| attributes("dockerfile.v0", attrs);
    assert_eq!(
        asks(&[
            ("filename", "D"),
            ("build-arg:A", "b"),
            ("label:a", "b"),
            ("no-cache", ""),
            ("vcs:source", "x"),
            ("platform", "linux/arm64")
        ]),
        words(&[])
    );
    assert_eq!(asks(&[("force-network-mode", "host")]), words(&["share the host's network namespace"]));
    assert_eq!(asks(&[("force-network-mode", "none")]), words(&[]));
    assert!(asks(&[("force-network-mode", "container:x")]).is_err());
    assert_eq!(
        asks(&[("add-hosts", "a=1.2.3.4,b=::1"), ("cgroup-parent", "x/y"), ("ulimit", "nofile=9:10,core=0")]),
        words(&[
            "set build option extrahosts",
            "set build option extrahosts",
            "set the parent cgroup x/y",
            "set ulimit nofile=9:10",
            "set ulimit core=0:0",
        ])
    );
    for (name, value) in [("add-hosts", "a"), ("add-hosts", "\"a=1\""), ("ulimit", "nofile"), ("ulimit", "a=b")] {
        assert!(asks(&[(name, value)]).is_err(), "{name}={value}");
    }
    assert_eq!(asks(&[("new-thing", "x")]), words(&["set build option new-thing"]));
    assert_eq!(asks(&[("context", "https://u:p@h/a.git#x")]), words(&["build from remote context https://h/a.git"]));
    for host in ["127.0.0.1", "0.0.0.0:80", "[::1]:80", "2130706433", "0x7f.1", "169.254.169.254.", "a.localhost", "ä"]
    {
        let url = format!("http://{host}/x");
        let both = words(&[&format!("build from remote context {url}"), &format!("fetch {url} in a build")]);
        assert_eq!(asks(&[("context", &url)]), both);
    }
    assert_eq!(
        asks(&[("context", "https://u:p@127.0.0.1/a.git#main")]),
        words(&["build from remote context https://127.0.0.1/a.git", "fetch https://127.0.0.1/a.git in a build"])
    );
    assert_eq!(asks(&[("context", "http://buildkit-session/x")]), words(&[]));
    let other = "http://buildkit-session/x.git";
    assert_eq!(asks(&[("context", other)]), words(&[&format!("build from remote context {other}")]));
    assert_eq!(
        asks(&[("contextkey", "x"), ("x", "git://h/a")]),
        words(&["build from remote context git://h/a", "set build option x"])
    );
    for key in ["build-arg:X", "cmdline", "filename", "context:x", "cache-from"] {
        assert!(asks(&[("contextkey", key)]).is_err(), "{key}");
    }
    assert_eq!(
        asks(&[
            ("context:a", "docker-image://tiny"),
            ("context:b", "local:b"),
            ("context:c", "https://h/c"),
            ("context:d", "input:d")
        ]),
        words(&["use image tiny:latest", "build from remote context https://h/c"])
    );
    assert!(asks(&[("context:a", "ftp://x")]).is_err());
    assert_eq!(
        asks(&[("cache-imports", r#"[{"Type":"registry","Attrs":{"ref":"r.test/c"}},{"Type":"s3","Attrs":{}}]"#)]),
        words(&[
            "pull image r.test/c:latest",
            "use image r.test/c:latest",
            "take build results from a cache of type registry",
            "take build results from a cache of type s3"
        ])
    );
    assert!(asks(&[("cache-imports", r#"[{"Type":"inline","type":"registry"}]"#)]).is_err());
    assert_eq!(
        asks(&[("cache-from", "tiny")]),
        words(&["use image tiny:latest", "pull image tiny:latest", "take build results from a cache of type registry"])
    );
    assert_eq!(
        asks(&[("cache-imports", r#"[{"Type":"local","Attrs":{"src":"x"}}]"#)]),
        words(&["take build results from a cache of type local"])
    );
}

#[test]
fn statements_about_the_result_run_an_image() {
    let run = ["run commands in a build", "join network bridge"];
    let asks = |name: &str, value: &str| attributes("", &[(name, value)]);
    assert_eq!(asks("attest:provenance", "mode=max"), words(&[]));
    assert_eq!(asks("attest:sbom", "generator=tiny"), words(&[&["use image tiny:latest"][..], &run].concat()));
    let usual = ["pull image docker/buildkit-syft-scanner:stable-1", "use image docker/buildkit-syft-scanner:stable-1"];
    assert_eq!(asks("attest:sbom", ""), words(&[&usual[..], &run].concat()));
    assert_eq!(asks("build-arg:BUILDKIT_ATTEST_SBOM", "generator=tiny"), asks("attest:sbom", "generator=tiny"));
    assert_eq!(asks("attest:SBOM", "generator=tiny"), asks("attest:sbom", "generator=tiny"));
    assert_eq!(asks("attest:new", ""), words(&["set build option attest"]));
}

#[test]
fn what_the_result_becomes() {
    let exporter = |kind: &str, attrs: &[(&str, &str)]| {
        let attrs = attrs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        control::Exporter { kind: kind.to_owned(), attrs }
    };
    let export = |kind: &str, attrs: &[(&str, &str)]| {
        control(&control::SolveRequest { exporters: vec![exporter(kind, attrs)], ..Default::default() })
    };
    assert_eq!(
        export("moby", &[("name", "a,registry.test/b:1")]),
        words(&["name an image a:latest", "name an image registry.test/b:1"])
    );
    assert_eq!(
        export("image", &[("name", "r.test/b"), ("push", "true")]),
        words(&["name an image r.test/b:latest", "push image r.test/b:latest from a build"])
    );
    assert_eq!(export("local", &[]), words(&[]));
    assert_eq!(export("image", &[("dangling-name-prefix", "x")]), words(&["set build option dangling-name-prefix"]));
    assert_eq!(export("new", &[]), words(&["set build option exporter"]));
    assert!(export("moby", &[("name", "*")]).is_err());
    // What older daemons look at.
    let mut old = control::SolveRequest {
        exporter: "moby".into(),
        exporters: vec![exporter("moby", &[("name", "a")])],
        ..Default::default()
    };
    old.exporter_attrs.insert("name".into(), "b".into());
    assert_eq!(control(&old), words(&["name an image a:latest", "name an image b:latest"]));
    let judged = judge(&request(SOLVE, &old.written(), &reading(&BTreeSet::new())).unwrap()).unwrap();
    assert_eq!(judged.facts.makes.unwrap().names, ["a:latest", "b:latest"]);
}

#[test]
fn caches_elsewhere() {
    let entry = |kind: &str, name: &str| control::CacheOptionsEntry {
        kind: kind.to_owned(),
        attrs: [("ref".to_owned(), name.to_owned())].into(),
    };
    let cache = control::CacheOptions {
        export_ref: "r.test/old".into(),
        import_refs: vec!["tiny".into()],
        exports: vec![entry("registry", "r.test/new"), entry("inline", ""), entry("gha", "")],
        imports: vec![entry("local", ""), entry("azblob", "")],
        ..Default::default()
    };
    assert_eq!(
        control(&control::SolveRequest { cache: Some(cache), ..Default::default() }),
        words(&[
            "push image r.test/old:latest from a build",
            "use image tiny:latest",
            "pull image tiny:latest",
            "take build results from a cache of type registry",
            "push image r.test/new:latest from a build",
            "write build results to a cache of type gha",
            "take build results from a cache of type local",
            "take build results from a cache of type azblob",
        ])
    );
}

#[test]
fn an_image_of_another_platform_is_not_the_one_that_is_here() {
    let on = |os: &str, architecture: &str, variant: &str| {
        let platform = Platform {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.to_owned(),
            ..Platform::default()
        };
        operations(&[Op { platform: Some(platform), ..source("docker-image://tiny", &[]) }])
    };
    let here = words(&["use image tiny:latest"]);
    let elsewhere = words(&["use image tiny:latest", "pull image tiny:latest", "use image tiny:latest"]);
    assert_eq!(on("linux", "amd64", ""), here);
    assert_eq!(on("linux", "amd64", "v1"), here);
    for (os, architecture, variant) in [("linux", "386", ""), ("linux", "amd64", "v3"), ("windows", "amd64", "")] {
        assert_eq!(on(os, architecture, variant), elsewhere);
    }
    assert_eq!(operations(&[Op { platform: None, ..source("docker-image://tiny", &[]) }]), elsewhere);
}

#[test]
fn a_refusal_can_name_the_step() {
    let ops = [source("docker-image://tiny", &[]), run(ExecOp { network: network::HOST, ..ExecOp::default() })];
    let bytes = ops[1].written();
    let digest = sha2::Sha256::digest(&bytes);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let range = Range { start: Some(Position { line: 2, character: 0 }), end: None };
    let location = Location { source_index: 0, ranges: vec![range] };
    let locations = [(format!("sha256:{digest}"), Whole(Locations { locations: vec![location] }))].into();
    let info = SourceInfo {
        filename: "Dockerfile".into(),
        data: b"FROM tiny\nRUN --network=host id\n".to_vec(),
        ..Default::default()
    };
    let def = Definition { source: Some(Source { locations, infos: vec![info] }), ..definition(&ops) };
    let one = Ref { id: "r".into(), def: Some(def) };
    let result = SolveResult { one: Some(one), ..SolveResult::default() };
    let message = SolveResponse { result: Some(result), ..Default::default() }.written();
    let judged = judge(&Build::of_answer(&message, &reading(&BTreeSet::new())).unwrap()).unwrap();
    assert_eq!(judged.spots.len(), judged.facts.privileges.len());
    let run = Privilege::BuildRun { network: "host".into() };
    assert_eq!(judged.place(&run).unwrap().to_string(), "Dockerfile:2: RUN --network=host id");
    assert_eq!(judged.spots[0], None);
}

use sha2::Digest as _;
