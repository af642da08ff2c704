//! The rules of the configuration file: what each form grants and denies.

use docker::endpoint::{Kind, Operation};
use docker::facts::{Facts, Spec, Variables};
use docker::privilege::{HostMount, Namespace, Peer, Privilege, PublishedPort, SpecialFile};
use docker::resource::{Image, Resource, Volume};
use policy::Policy;

use crate::support::*;

fn allowing(what: &str) -> Policy {
    yaml(&format!("preset: none\nrules:\n  - allow: {what}\n")).unwrap_or_else(|faults| panic!("{faults}"))
}

fn denying(what: &str) -> Policy {
    yaml(&format!("preset: open\nrules:\n  - deny: {what}\n")).unwrap_or_else(|faults| panic!("{faults}"))
}

/// On an operation that is always allowed.
fn passes(policy: &Policy, privilege: Privilege) -> bool {
    let facts = facts(Operation::SystemVersion, vec![docker::resource::Resource::Daemon], vec![privilege]);
    allows(policy, &subject("bob", &[]), &facts)
}

fn at(path: &str) -> Privilege {
    Privilege::MountHostPath(mount(path, false))
}

#[test]
fn a_mount_is_the_path_and_what_is_below() {
    let policy = allowing("{ mount: /srv/ci }");
    for (path, expected) in [
        ("/srv/ci", true),
        ("/srv/ci/a/b", true),
        ("/srv", false),
        ("/srv/ci2", false),
        ("/", false),
        ("/srv/cix/..", false),
    ] {
        assert_eq!(passes(&policy, at(path)), expected, "{path}");
    }
    assert!(passes(&allowing("{ mount: / }"), at("/etc")));
    let denied = denying("{ mount: /etc }");
    assert!(!passes(&denied, at("/etc/ssh")) && passes(&denied, at("/srv")) && passes(&denied, at("/")));
}

#[test]
fn a_mount_has_its_conditions() {
    let read_only = allowing("{ mount: /srv, readonly: true }");
    assert!(passes(&read_only, Privilege::MountHostPath(mount("/srv/a", true))));
    assert!(!passes(&read_only, at("/srv/a")));
    let plain = allowing("{ mount: /srv }");
    let shared = HostMount { propagation: "rshared".to_owned(), ..mount("/srv", false) };
    let unresolved = HostMount { resolved: false, ..mount("/srv", false) };
    assert!(!passes(&plain, Privilege::MountHostPath(shared.clone())));
    assert!(!passes(&plain, Privilege::MountHostPath(unresolved.clone())));
    assert!(passes(&allowing("{ mount: /srv, propagation: shared }"), Privilege::MountHostPath(shared)));
    assert!(passes(&allowing("{ mount: /srv, unresolved: true }"), Privilege::MountHostPath(unresolved)));
}

#[test]
fn a_path_alone_is_nothing_below_it() {
    let denied = denying("{ mount: [/, /srv], alone: true }");
    assert!(!passes(&denied, at("/")) && !passes(&denied, at("/srv")));
    assert!(passes(&denied, at("/srv/a")) && passes(&denied, at("/etc")));
    let allowed = allowing("{ mount: /srv, alone: true }");
    assert!(passes(&allowed, at("/srv")) && !passes(&allowed, at("/srv/a")) && !passes(&allowed, at("/")));
}

#[test]
fn variables_are_denied_by_name_or_with_their_value() {
    let creates = |entries: &[&str]| {
        let environment = entries.iter().map(|entry| entry.split('=').next().unwrap().to_owned()).collect();
        let variables = Variables(entries.iter().map(|entry| (*entry).to_owned()).collect());
        let spec = Some(Spec { environment, variables, ..Spec::default() });
        Facts { spec, ..facts(Operation::ContainerCreate, vec![Resource::Daemon], Vec::new()) }
    };
    let denied = denying("[{ environment: USER=0 }, { environment: [DEBUG] }]");
    for (entries, expected) in
        [(&["USER=1"][..], true), (&["USER=0"], false), (&["A=1", "DEBUG=x"], false), (&["XUSER=0"], true), (&[], true)]
    {
        assert_eq!(allows(&denied, &subject("bob", &[]), &creates(entries)), expected, "{entries:?}");
    }
    for (rule, fault) in [
        ("deny: environment", "`environment` needs a value"),
        ("allow: environment", "`environment` needs a value"),
        ("allow: { environment: A }", "variables can only be denied"),
        ("deny: { environment: =x }", "this is no variable"),
    ] {
        let faults = yaml(&format!("preset: open\nrules:\n  - {rule}\n")).unwrap_err().to_string();
        assert!(faults.contains(fault), "{rule}: {faults}");
    }
}

#[test]
fn images_are_of_registries_repositories_and_tags() {
    let table = [
        ("registry.test", "registry.test/a/b:1", true),
        ("registry.test", "registry.test.evil.example/a:1", false),
        ("registry.test", "registry.test:5000/a:1", false),
        ("registry.test/*", "registry.test/a:1", true),
        ("registry.test/team/*", "registry.test/team/app:1", true),
        ("registry.test/team/*", "registry.test/team2/app:1", false),
        ("alpine", "alpine:3.20", true),
        ("alpine", "docker.io/library/alpine", true),
        ("alpine", "someone/alpine", false),
        ("alpine", "library/alpine/evil", false),
        ("library/*", "alpine", true),
        ("library/*", "libraryx/alpine", false),
        ("alpine:3.20", "alpine:3.20", true),
        ("alpine:3.20", "alpine:3.21", false),
        ("\"alpine:3.*\"", "alpine:3.21", true),
        ("\"alpine:3.*\"", "alpine:4", false),
        ("localhost:5000/app", "localhost:5000/app:2", true),
        ("\"*\"", "evil.example/x", true),
    ];
    for (pattern, name, expected) in table {
        let policy = allowing(&format!("{{ image: {pattern} }}"));
        assert_eq!(passes(&policy, Privilege::UseImage { image: image(name) }), expected, "{pattern} {name}");
        let policy = denying(&format!("{{ image: {pattern} }}"));
        assert_eq!(passes(&policy, Privilege::UseImage { image: image(name) }), !expected, "deny {pattern} {name}");
    }
}

#[test]
fn an_image_by_id_is_of_all_its_repositories() {
    let names = ["evil.example/app:1", "registry.test/app:1"].map(|name| image(name).reference.unwrap()).to_vec();
    let by_id = Image { reference: None, id: Some("sha256:1".to_owned()), names, ..Image::default() };
    let by_name = Image { reference: image("evil.example/app:1").reference, ..by_id.clone() };
    let nameless = Image { names: Vec::new(), ..by_id.clone() };
    let policy = allowing("{ image: registry.test }");
    assert!(passes(&policy, Privilege::UseImage { image: by_id }));
    assert!(!passes(&policy, Privilege::UseImage { image: by_name }));
    assert!(!passes(&policy, Privilege::UseImage { image: nameless }));
}

#[test]
fn ports_are_allowed_whole_and_denied_in_part() {
    let on = |first, last| port("", first, last);
    let allowed = allowing("{ port: 8000-8999 }");
    assert!(passes(&allowed, on(8000, 8999)) && passes(&allowed, on(8080, 8080)));
    assert!(!passes(&allowed, on(7999, 8000)) && !passes(&allowed, on(8999, 9000)) && !passes(&allowed, on(0, 0)));
    let denied = denying("{ port: 80 }");
    assert!(!passes(&denied, on(1, 65535)) && !passes(&denied, on(80, 80)) && passes(&denied, on(81, 90)));
    assert!(passes(&allowing("{ port: free }"), on(0, 0)));
    let local = allowing("{ port: 8080, address: 127.0.0.0/8 }");
    assert!(
        passes(&local, port("127.0.0.1", 8080, 8080))
            && !passes(&local, on(8080, 8080))
            && !passes(&local, port("10.0.0.1", 8080, 8080))
    );
    let not_there = denying("{ port: 8080, address: 10.0.0.0/8 }");
    assert!(
        !passes(&not_there, on(8080, 8080))
            && !passes(&not_there, port("10.1.1.1", 8080, 8080))
            && passes(&not_there, port("127.0.0.1", 8080, 8080))
    );
    let udp = Privilege::PublishPort(PublishedPort {
        protocol: "udp".to_owned(),
        address: String::new(),
        first: 53,
        last: 53,
    });
    assert!(
        passes(&allowing("{ port: 53, protocol: udp }"), udp)
            && !passes(&allowing("{ port: 53, protocol: udp }"), on(53, 53))
    );
}

#[test]
fn other_privileges_have_their_words() {
    let s = str::to_owned;
    let shared = |with| Privilege::ShareNamespace { namespace: Namespace::Pid, with };
    let web = container("web", &[("owner", "ci")]);
    let device = |permissions: &str| Privilege::UseDevice { path: s("/dev/fuse"), permissions: s(permissions) };
    let table = [
        ("privileged", Privilege::Privileged, true),
        ("{ privileged: true }", Privilege::Privileged, true),
        ("{ capability: cap_sys_ptrace }", Privilege::AddCapability { name: s("SYS_PTRACE") }, true),
        ("{ capability: [CHOWN, KILL] }", Privilege::AddCapability { name: s("KILL") }, true),
        ("{ capability: CHOWN }", Privilege::AddCapability { name: s("ALL") }, false),
        ("{ device: /dev/fuse }", device("rwm"), true),
        ("{ device: /dev }", device("rwm"), true),
        ("{ device: /dev/fuse, permissions: r }", device("rw"), false),
        ("{ device: /dev/fuse, permissions: rw }", device("wr"), true),
        ("{ namespace: host/pid }", shared(Peer::Host), true),
        ("{ namespace: host }", shared(Peer::Host), true),
        ("{ namespace: host/net }", shared(Peer::Host), false),
        ("{ namespace: container }", shared(Peer::Container(web.clone())), true),
        ("{ namespace: container/ipc }", shared(Peer::Container(web.clone())), false),
        ("{ namespace: container }", shared(Peer::Host), false),
        ("{ namespace: host }", shared(Peer::Unknown(s("host "))), false),
        ("{ user: root }", run_as("", Some(0)), true),
        ("{ user: 1000 }", run_as("1000", Some(1000)), true),
        ("{ user: 1000 }", run_as("", Some(0)), false),
        ("{ user: nonroot }", run_as("app", None), false),
        ("{ user: app }", run_as("app", None), true),
        ("{ sysctl: net.* }", Privilege::SetSysctl { name: s("net.ipv4.ip_forward"), value: s("1") }, true),
        (
            "{ sysctl: net.ipv4.ip_forward=0 }",
            Privilege::SetSysctl { name: s("net.ipv4.ip_forward"), value: s("1") },
            false,
        ),
        (
            "{ security_option: seccomp=unconfined }",
            Privilege::SetSecurityOption { name: s("seccomp"), value: s("unconfined") },
            true,
        ),
        (
            "{ volume: ci-* }",
            Privilege::MountVolume { volume: volume("ci-cache"), target: s("/c"), read_only: false },
            true,
        ),
        (
            "{ volume: ci-*, readonly: true }",
            Privilege::MountVolume { volume: volume("ci-cache"), target: s("/c"), read_only: false },
            false,
        ),
        ("{ volumes_from: web }", Privilege::MountVolumesFrom { container: web.clone(), read_only: false }, true),
        ("{ network: appnet }", Privilege::JoinNetwork { network: network("appnet", "bridge") }, true),
        ("{ runtime: runsc }", Privilege::UseRuntime { name: s("runc") }, false),
        ("build_run", Privilege::BuildRun { network: s("default") }, true),
        ("build", Privilege::BuildRun { network: s("default") }, true),
        ("build", Privilege::BuildFetch { from: s("https://example.org/x") }, false),
        (
            "{ build_fetch: 'https://example.org/*' }",
            Privilege::BuildFetch { from: s("https://example.org/x.tar") },
            true,
        ),
        ("{ build_fetch: 'https://example.org/*' }", Privilege::BuildFetch { from: s("https://$HOST/x.tar") }, false),
        ("build", Privilege::UseBuildSecret { id: s("token"), agent: false }, true),
        ("build", Privilege::UseFrontend { image: None }, false),
        ("{ frontend: docker/dockerfile }", Privilege::UseFrontend { image: Some(image("docker/dockerfile:1")) }, true),
        ("{ frontend: docker/dockerfile }", Privilege::UseFrontend { image: Some(image("docker/other:1")) }, false),
        ("{ frontend: docker/dockerfile }", Privilege::UseFrontend { image: None }, false),
        ("{ frontend: '*' }", Privilege::UseFrontend { image: None }, true),
        (
            "{ push_image: registry.test/team/* }",
            Privilege::PushImage { image: image("registry.test/team/app:1") },
            true,
        ),
        ("{ push_image: registry.test/team/* }", Privilege::PushImage { image: image("registry.test/app:1") }, false),
        ("{ build_cache: '*', own: true }", Privilege::MountBuildCache { id: s("bob/go"), own: true }, true),
        ("{ build_cache: '*', own: true }", Privilege::MountBuildCache { id: s("go"), own: false }, false),
        ("{ build_cache: go }", Privilege::MountBuildCache { id: s("go"), own: false }, true),
        ("{ cache_store: s3 }", Privilege::UseBuildCache { kind: s("s3"), export: true }, true),
        ("{ build_secret: tok* }", Privilege::UseBuildSecret { id: s("token"), agent: false }, true),
        ("{ build_secret: tok* }", Privilege::UseBuildSecret { id: s("other"), agent: false }, false),
        ("{ special_file: set-id }", Privilege::CopySpecialFile { kind: SpecialFile::SetId, path: s("bin/su") }, true),
        (
            "{ special_file: set-id }",
            Privilege::CopySpecialFile { kind: SpecialFile::Device, path: s("dev/sda") },
            false,
        ),
        ("load", Privilege::LoadImages { unnamed: true }, true),
        ("load", Privilege::NameImage { image: image("x") }, true),
        ("everything", Privilege::Unexamined { part: "a body" }, true),
        ("pull", Privilege::PullImage { image: image("x") }, true),
        ("{ registry: docker.io }", Privilege::ContactRegistry { registry: s("docker.io") }, true),
    ];
    for (rule, privilege, expected) in table {
        assert_eq!(passes(&allowing(rule), privilege.clone()), expected, "{rule}: {privilege}");
    }
}

#[test]
fn commands_are_denied_by_what_makes_them_and_allowed_with_what_they_need() {
    let web = container("web", &[]);
    let user = subject("bob", &[]);
    let denied = denying("exec");
    assert!(!allows(&denied, &user, &on_container(Operation::ContainerExec, &web)));
    assert!(!allows(&denied, &user, &on_container(Operation::ExecStart, &web)));
    assert!(allows(&denied, &user, &on_container(Operation::ContainerInspect, &web)));
    let allowed = allowing("docker exec");
    assert!(allows(&allowed, &user, &on_container(Operation::ContainerInspect, &web)));
    assert!(!allows(&allowed, &user, &on_container(Operation::ContainerDelete, &web)));
    let compose = denying("compose up");
    let mut create = on_daemon(Operation::ContainerCreate);
    assert!(allows(&compose, &user, &create));
    create.spec.as_mut().unwrap().labels = map(&[("com.docker.compose.project", "x")]);
    assert!(!allows(&compose, &user, &create));
}

#[test]
fn on_looks_at_labels_and_names() {
    let user = subject("bob", &[]);
    let policy = yaml("preset: none\nrules:\n  - allow: [exec, logs]\n    on: { label: { owner: ci } }\n  - allow: { namespace: container }\n    on: { name: ci-* }\n").unwrap();
    let exec = |labels: &[(&str, &str)]| on_container(Operation::ContainerExec, &container("web", labels));
    assert!(allows(&policy, &user, &exec(&[("owner", "ci"), ("x", "y")])));
    assert!(!allows(&policy, &user, &exec(&[("owner", "alice")])) && !allows(&policy, &user, &exec(&[])));
    let shared = |name: &str| Privilege::ShareNamespace {
        namespace: Namespace::Network,
        with: Peer::Container(container(name, &[])),
    };
    assert!(passes(&policy, shared("ci-db")) && !passes(&policy, shared("db")));
    let volumes = yaml("preset: none\nrules:\n  - allow: volume\n    on: { label: team=a }\n").unwrap();
    let mounted = |labels| Privilege::MountVolume {
        volume: Volume { labels: map(labels), ..volume("v") },
        target: "/v".to_owned(),
        read_only: false,
    };
    assert!(passes(&volumes, mounted(&[("team", "a")])) && !passes(&volumes, mounted(&[("team", "b")])));
}

#[test]
fn rules_are_for_users_and_groups() {
    let policy = yaml("preset: none\nrules:\n  - allow: ps\n    to: [ci, bob, user:carol, group:docker]\n  - deny: ps\n    to: staff\n    except: root\n").unwrap();
    let list = on_daemon(Operation::ContainerList);
    for (user, groups, expected) in [
        ("runner", vec![], true),
        ("bob", vec![], true),
        ("carol", vec![], true),
        ("dave", vec!["docker"], true),
        ("dave", vec![], false),
        ("ci", vec![], false),
        ("bob", vec!["staff"], false),
        ("root", vec!["staff", "docker"], true),
    ] {
        assert_eq!(allows(&policy, &subject(user, &groups), &list), expected, "{user} {groups:?}");
    }
}

/// A build whose context nobody has read yet is refused by what its query says, and granted by nothing.
#[test]
fn what_is_refused_already_is_told_early() {
    let user = subject("bob", &[]);
    let option = Privilege::SetBuildOption { name: "extrahosts".to_owned(), value: "a:127.0.0.1".to_owned() };
    let asking = facts(Operation::ImageBuild, vec![docker::resource::Resource::Daemon], vec![option]);
    let developer = preset("developer");
    let refusal = developer.refuses(&user, &asking, &now()).unwrap();
    assert_eq!(refusal.message(), verdict(&developer, &user, &asking));
    assert!(developer.refuses(&user, &on_daemon(Operation::ImageBuild), &now()).is_none());
    let warning = yaml("preset: developer\nmode: warn\n").unwrap();
    assert!(warning.refuses(&user, &asking, &now()).is_none());
}

/// The firewall as a plugin is guarded whatever is allowed, but for a rule that says it is about this very plugin.
#[test]
fn the_firewall_itself_is_guarded_but_for_who_is_named() {
    let on = |operation, name: &str| facts(operation, vec![Resource::Thing(thing(Kind::Plugin, name))], Vec::new());
    let rules = "preset: open\nrules:\n  - allow: plugin disable\n  - { allow: plugin disable, on: { name: 'team/dockwarden:1' }, to: user:runner }\n";
    let policy = yaml(rules).unwrap_or_else(|faults| panic!("{faults}"));
    let (somebody, ci) = (subject("bob", &["staff"]), subject("runner", &["ci"]));
    for name in ["dockwarden:latest", "team/dockwarden:1", "registry.test:5000/x/dockwarden:2"] {
        for operation in
            [Operation::PluginDisable, Operation::PluginDelete, Operation::PluginSet, Operation::PluginUpgrade]
        {
            let lifted = name == "team/dockwarden:1" && operation == Operation::PluginDisable;
            assert!(!allows(&policy, &somebody, &on(operation, name)), "{operation} {name}");
            assert_eq!(allows(&policy, &ci, &on(operation, name)), lifted, "{operation} {name}");
        }
        assert!(allows(&policy, &somebody, &on(Operation::PluginInspect, name)), "{name}");
    }
    for name in ["other:1", "dockwarden-not:1", "dockwarden/other:1", "x/undockwarden:1"] {
        assert!(allows(&policy, &somebody, &on(Operation::PluginDisable, name)), "{name}");
    }
    // A service of the swarm takes over a plugin by its name.
    let install = |name: &str| create(Privilege::InstallPlugin { image: image(name) });
    assert!(!allows(&policy, &ci, &install("team/dockwarden:1")) && allows(&policy, &ci, &install("team/other:1")));
}

/// Who tells BuildKit itself what to refuse must leave out what is granted by name.
#[test]
fn what_builds_may_fetch_is_told_by_name() {
    let named = |policy: Policy| policy.named_fetches().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        named(allowing("{ build_fetch: [\"http://127.0.0.1:8081/x\", \"git://127.*\"] }")),
        ["git://127.*", "http://127.0.0.1:8081/x"]
    );
    assert!(named(denying("{ build_fetch: \"http://127.0.0.1/\" }")).is_empty());
    assert!(named(allowing("{ build_context: \"http://127.0.0.1/\" }")).is_empty());
}
