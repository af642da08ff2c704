//! SecDocker's configuration: what each entry blocks, what is forced, and what is said of a broken file.

use docker::defaults::Force;
use docker::endpoint::Operation;
use docker::facts::{Facts, Spec, Variables};
use docker::privilege::{Privilege, security_option};
use docker::resource::{Image, Resource, Volume};
use policy::{Policy, SecDocker, Sources};

use crate::support::*;

/// The example of SecDocker's own documentation.
const EXAMPLE: &str = include_str!("../../../../examples/secdocker.yml");

fn sources(config: &str) -> Sources {
    let secdocker = SecDocker::read(&text("config.yml", config)).unwrap_or_else(|faults| panic!("{faults}"));
    Sources { preset: Some("open".to_owned()), secdocker: Some(secdocker), ..Sources::default() }
}

fn restricting(what: &str) -> Policy {
    load(&sources(&format!("restrictions:\n  {what}\n"))).unwrap_or_else(|faults| panic!("{what}: {faults}"))
}

/// What is said to a create that asks for that.
fn asking(policy: &Policy, privilege: Privilege) -> String {
    verdict(policy, &subject("bob", &[]), &create(privilege))
}

fn passes(policy: &Policy, privilege: Privilege) -> bool {
    asking(policy, privilege) == "allowed"
}

fn at(path: &str) -> Privilege {
    Privilege::MountHostPath(mount(path, true))
}

fn faults(config: &str) -> String {
    match SecDocker::read(&text("config.yml", config)) {
        Err(faults) => faults.to_string(),
        Ok(secdocker) => {
            let sources = Sources { secdocker: Some(secdocker), ..Sources::default() };
            load(&sources).expect_err("a fault").to_string()
        }
    }
}

#[test]
fn the_documented_example_does_what_it_says() {
    let policy = load(&sources(EXAMPLE)).unwrap();
    assert_eq!(
        *policy.defaults(),
        docker::defaults::Defaults {
            force: Force {
                memory: Some(1 << 30),
                nano_cpus: Some(250_000_000),
                user: Some("1000".to_owned()),
                env: vec![("MY_ENV".to_owned(), "true".to_owned())],
                ..Force::default()
            },
            ..Default::default()
        }
    );
    assert_eq!(policy.warnings().len(), 0);
    for (privilege, words) in [
        (port("", 22, 22), "blocked by restrictions.ports: 22"),
        (at("/root/x"), "blocked by restrictions.mounts: /root"),
        (at("/"), "blocked by restrictions.mounts: /"),
        (run_as("0:0", Some(0)), "blocked by restrictions.users: root"),
        (Privilege::Privileged, "blocked by restrictions."),
        (Privilege::UseImage { image: image("ubuntu:16.04") }, "blocked by restrictions.images: ubuntu:16.04"),
    ] {
        let said = asking(&policy, privilege);
        assert!(said.contains("config.yml:") && said.contains(words), "{said}");
    }
    for harmless in
        [port("", 80, 80), at("/srv"), run_as("1000", Some(1000)), Privilege::UseImage { image: image("ubuntu") }]
    {
        assert_eq!(asking(&policy, harmless), "allowed");
    }
}

#[test]
fn ports_are_blocked_wherever_they_are_taken() {
    let blocks = |list: &str, address: &str, first, last| {
        !passes(&restricting(&format!("ports: [{list}]")), port(address, first, last))
    };
    for (list, address, first, last, expected) in [
        ("22", "", 22, 22, true),
        ("22", "127.0.0.1", 22, 22, true),
        ("22", "", 20, 30, true),
        ("22", "", 23, 30, false),
        ("22", "", 0, 0, false),
        ("'22'", "", 22, 22, true),
        ("8000-8010", "", 8010, 8011, true),
        ("8000-8010", "", 8011, 8012, false),
        ("22/udp", "", 22, 22, false),
        ("22/TCP", "", 22, 22, true),
        ("127.0.0.1:22", "127.0.0.1", 22, 22, true),
        ("'[::ffff:127.0.0.1]:22'", "127.0.0.1", 22, 22, true),
        ("127.0.0.1:22", "", 22, 22, true),
        ("127.0.0.1:22", "0.0.0.0", 22, 22, true),
        ("127.0.0.1:22", "10.0.0.1", 22, 22, false),
        ("0.0.0.0:22", "", 22, 22, true),
        ("0.0.0.0:22", "::", 22, 22, true),
        ("0.0.0.0:22", "127.0.0.1", 22, 22, false),
        ("'[::1]:22'", "::1", 22, 22, true),
        // What is left to the daemon may be this one.
        ("50000", "", 0, 0, true),
        ("127.0.0.1:50000", "10.0.0.1", 0, 0, false),
    ] {
        assert_eq!(blocks(list, address, first, last), expected, "{list} {address}:{first}-{last}");
    }
    assert!(!passes(&restricting("ports: [50000]"), Privilege::PublishAllPorts));
    assert!(passes(&restricting("ports: [22]"), Privilege::PublishAllPorts));
}

#[test]
fn a_path_is_blocked_with_what_is_in_it_and_what_it_is_in() {
    for (list, path, expected) in [
        ("/root", "/root", true),
        ("/root", "/root/x/y", true),
        ("/root/", "/root/x", true),
        ("/root", "/rootx", false),
        ("/root", "/", true),
        ("/srv/a/b", "/srv/a", true),
        ("/srv/a/b", "/srv/c", false),
        ("/", "/", true),
        ("/", "/root", false),
        ("/*", "/anything", true),
        ("/var/run/docker.sock", "/run/docker.sock", true),
        ("/run/docker.sock", "/var/run/docker.sock", true),
        ("/var/run/docker.sock", "/run", true),
        ("/var/runner", "/runner", false),
    ] {
        let policy = restricting(&format!("mounts: ['{list}']"));
        assert_eq!(!passes(&policy, at(path)), expected, "{list} {path}");
    }
    let mut linked = sources("restrictions: { mounts: [/secret] }");
    linked.secdocker.as_mut().unwrap().leads_to.insert("/secret".to_owned(), "/data/real".to_owned());
    let linked = load(&linked).unwrap();
    assert!(
        !passes(&linked, at("/data/real/x")) && !passes(&linked, at("/data")) && passes(&linked, at("/data/other"))
    );
}

#[test]
fn volumes_hide_no_path() {
    let option =
        |name: &str, value: &str| Privilege::SetVolumeOption { name: name.to_owned(), value: value.to_owned() };
    let policy = restricting("mounts: [/root]");
    for (name, value, expected) in [
        ("device", "/dev/sda1", false),
        ("device", "root", false),
        ("device", "tmpfs", true),
        ("device", ":/export", true),
        ("device", "nas.test:/export", true),
        ("o", "lowerdir=/root,upperdir=/a", false),
        ("o", "bind,shared", false),
        ("o", "addr=10.0.0.1,rw", true),
        ("type", "nfs", true),
    ] {
        assert_eq!(passes(&policy, option(name, value)), expected, "{name}={value}");
        assert!(passes(&restricting("mounts: [data]"), option(name, value)));
    }
    let volume = |name: &str| Privilege::MountVolume { volume: volume(name), target: "/x".to_owned(), read_only: true };
    let policy = restricting("mounts: [data]");
    assert!(!passes(&policy, volume("data")) && passes(&policy, volume("data2")));
    let anonymous = Privilege::MountVolume { volume: Volume::default(), target: "/x".to_owned(), read_only: true };
    assert!(passes(&policy, anonymous));
}

#[test]
fn users_are_blocked_in_every_spelling() {
    for (list, name, uid, expected) in [
        ("root", "", Some(0), true),
        ("root", "root", Some(0), true),
        ("root", "0:0", Some(0), true),
        ("'0'", "root", Some(0), true),
        ("root:root", "0", Some(0), true),
        ("root", "1000", Some(1000), false),
        // A name that only the image knows may be anybody's.
        ("root", "app", None, true),
        ("1000", "01000:5", Some(1000), true),
        ("1000", "1001", Some(1001), false),
        ("1000", "app", None, true),
        ("jenkins", "jenkins", None, true),
        ("jenkins", "jenkins:docker", None, true),
        ("jenkins", "jenkins2", None, false),
        ("jenkins", "1000", Some(1000), false),
    ] {
        let policy = restricting(&format!("users: [{list}]"));
        assert_eq!(!passes(&policy, run_as(name, uid)), expected, "{list} {name}");
    }
}

#[test]
fn variables_are_compared_and_never_told() {
    let creating = |policy: &Policy, operation, entries: &[&str]| {
        let names = entries.iter().map(|entry| entry.split('=').next().unwrap().to_owned()).collect();
        let variables = Variables(entries.iter().map(|entry| (*entry).to_owned()).collect());
        assert_eq!(format!("{variables:?}"), format!("Variables({})", entries.len()));
        let spec = Some(Spec { environment: names, variables, ..Spec::default() });
        let resource = Resource::Daemon;
        verdict(policy, &subject("bob", &[]), &Facts { spec, ..facts(operation, vec![resource], Vec::new()) })
    };
    let policy = restricting("environment: [TOKEN=s3cret, LD_PRELOAD]");
    for (entries, expected) in [
        (&["TOKEN=s3cret"][..], "TOKEN"),
        (&["A=1", "LD_PRELOAD=/x.so"], "LD_PRELOAD"),
        (&["LD_PRELOAD"], "LD_PRELOAD"),
        (&["TOKEN=other", "TOKEN", "token=s3cret"], ""),
    ] {
        let said = creating(&policy, Operation::ContainerCreate, entries);
        assert!(!said.contains("s3cret"), "{said}");
        match expected {
            "" => assert_eq!(said, "allowed", "{entries:?}"),
            name => assert!(said.contains(&format!("blocked by restrictions.environment: {name}")), "{said}"),
        }
    }
    // What a container has already holds what its image set.
    assert_eq!(creating(&policy, Operation::ContainerList, &["TOKEN=s3cret"]), "allowed");
    assert_ne!(creating(&policy, Operation::ServiceCreate, &["TOKEN=s3cret"]), "allowed");
}

#[test]
fn security_options_are_read_as_the_daemon_reads_them() {
    let asked = |option: &str| {
        let (name, value) = security_option(option).unwrap();
        Privilege::SetSecurityOption { name, value }
    };
    for (list, option, expected) in [
        ("seccomp=unconfined", "seccomp:unconfined", true),
        ("seccomp:unconfined", "seccomp=unconfined", true),
        ("seccomp=unconfined", "seccomp={}", false),
        ("seccomp=profile.json", "seccomp={}", true),
        ("seccomp", "seccomp={}", true),
        ("label=disable", "disable", true),
        ("label=disable", "label=type:x", false),
        ("apparmor", "apparmor=unconfined", true),
        ("no-new-privileges=false", "no-new-privileges=false", true),
        ("no-new-privileges", "no-new-privileges=false", true),
    ] {
        let policy = restricting(&format!("securitypolicies: ['{list}']"));
        assert_eq!(!passes(&policy, asked(option)), expected, "{list} {option}");
    }
    assert!(!passes(&restricting("securitypolicies: [privileged]"), Privilege::Privileged));
    let spec = Some(Spec { no_new_privileges: true, ..Spec::default() });
    let hardened = Facts { spec, ..on_daemon(Operation::ContainerCreate) };
    assert!(!allows(&restricting("securitypolicies: [no-new-privileges]"), &subject("bob", &[]), &hardened));
    assert!(allows(&restricting("securitypolicies: [no-new-privileges=false]"), &subject("bob", &[]), &hardened));
}

#[test]
fn images_are_blocked_under_all_their_names() {
    let used = |image: Image| Privilege::UseImage { image };
    let pulled = |name: &str| {
        let reference = Some(docker::image::Reference::parse(name).unwrap());
        Privilege::PullImage { image: Image { reference, ..Image::default() } }
    };
    let blocked = restricting("images: [nginx, ubuntu:16.04]");
    for (name, expected) in [
        ("nginx", true),
        ("docker.io/library/nginx:1.27", true),
        ("index.docker.io/nginx", true),
        ("registry.test/nginx", false),
        ("nginx/unit", false),
        ("ubuntu:16.04", true),
        ("ubuntu:18.04", false),
        ("ubuntu", false),
    ] {
        assert_eq!(!passes(&blocked, used(image(name))), expected, "{name}");
    }
    // By another name, and by id.
    let names = ["mine:1", "ubuntu:16.04"].map(|name| image(name).reference.unwrap()).to_vec();
    let renamed = Image { id: Some(format!("sha256:{:064}", 1)), names, ..image("mine:1") };
    assert!(!passes(&blocked, used(renamed.clone())));
    assert!(!passes(&blocked, used(Image { reference: None, ..renamed.clone() })));
    assert!(!passes(&restricting(&format!("images: ['sha256:{:064}']", 1)), used(renamed)));
    assert!(!passes(&blocked, pulled("ubuntu:16.04")) && passes(&blocked, pulled("ubuntu:18.04")));
    // All tags at once.
    assert!(!passes(&blocked, pulled("ubuntu")) && passes(&blocked, pulled("debian")));
}

#[test]
fn privileged_is_blocked_where_it_says_so() {
    assert!(!passes(&restricting("privileged: true"), Privilege::Privileged));
    // SecDocker blocked every container that was not.
    let off = restricting("privileged: false");
    assert!(passes(&off, Privilege::Privileged) && passes(&off, at("/srv")));
}

#[test]
fn broken_files_are_told_whole() {
    assert_eq!(
        faults(
            "plugins: [Anchor, clair]\ndockerapi: [a]\nrestriction: {}\nrestrictions:\n  port: [22]\n  mounts: /root\n  users: [[a]]\n  \
             images: ['']\n  privileged: 'yes'\ngeneral:\n  memmory: 1g\n  cpu: {}\n"
        ),
        "\
config.yml:1:11: nobody knows a plugin `Anchor` (did you mean `Anchore`?)
config.yml:1:19: nobody knows a plugin `clair` (SecDocker's own are Anchore and Notary; another is a check of the configuration, `command` or `http`)
config.yml:2:12: `dockerapi` holds a list, where a text is expected
config.yml:3:1: SecDocker's configuration has no key `restriction` (did you mean `restrictions`?)
config.yml:5:3: `restrictions` has no key `port` (did you mean `ports`?)
config.yml:6:11: `mounts` must be a list, not a text (begin each of its lines with `- `)
config.yml:7:11: `users` holds a list, where a text is expected
config.yml:8:12: `images` holds an empty text
config.yml:9:15: `privileged` is true or false, not a text
config.yml:11:3: `general` has no key `memmory` (did you mean `memory`?)
config.yml:12:8: `cpu` holds a mapping, where a text is expected"
    );
    let list = faults("[]");
    assert!(list.starts_with("config.yml:1:1: SecDocker's configuration must be a mapping, not a list"), "{list}");
    let broken = faults("general:\n  a: b: c");
    assert!(broken.starts_with("config.yml:2:"), "{broken}");
}

#[test]
fn words_that_mean_nothing_are_told() {
    assert_eq!(
        faults(
            "restrictions:\n  ports: [x, 0, 70000, 9-1, host:22, 22/xdp]\n  mounts: [../x, /a/*, data:/x, \"/a\\0\"]\n  \
             users: [a b, 'a*']\n  environment: [=x]\n  images: [UPPER, 'a b']\n"
        ),
        "\
config.yml:2:11: `x` is no port (such as `22`, `8000-8010/udp` or `127.0.0.1:8080`)
config.yml:2:14: `0` is no port (such as `22`, `8000-8010/udp` or `127.0.0.1:8080`)
config.yml:2:17: `70000` is no port (such as `22`, `8000-8010/udp` or `127.0.0.1:8080`)
config.yml:2:24: `9-1` is no port (such as `22`, `8000-8010/udp` or `127.0.0.1:8080`)
config.yml:2:29: `host:22` is no port (such as `22`, `8000-8010/udp` or `127.0.0.1:8080`)
config.yml:2:38: `22/xdp` is no port (such as `22`, `8000-8010/udp` or `127.0.0.1:8080`)
config.yml:3:12: `../x` is neither a path nor a volume (write the path or the volume alone, such as `/root` or `data`, without where it is mounted)
config.yml:3:18: `*` cannot stand within a path, as in `/a/*` (`/root` blocks all that is below it, `/*` every path)
config.yml:3:24: `data:/x` is neither a path nor a volume (write the path or the volume alone, such as `/root` or `data`, without where it is mounted)
config.yml:3:33: this is no path of a host (such as `/root`; a path is blocked with all that is below it)
config.yml:4:11: `a b` is no user (a name or a number, such as `root` or `1000`)
config.yml:4:16: `a*` is no user (a name or a number, such as `root` or `1000`)
config.yml:5:17: this is no variable (such as `USER=0`, or `USER` for any value)
config.yml:6:12: `UPPER`: an image name must be lower case (such as `nginx`, `ubuntu:16.04` or `registry.test/team/app`; a name without a tag is all tags)
config.yml:6:19: `a b`: this is not an image name: expected [registry/]path[:tag][@digest] (such as `nginx`, `ubuntu:16.04` or `registry.test/team/app`; a name without a tag is all tags)"
    );
}

#[test]
fn contradictions_are_told() {
    assert_eq!(
        faults(
            "restrictions:\n  users: [1000]\n  environment: [A, B=1]\n  securitypolicies: [label]\n\
             general:\n  memory: 1k\n  cpu: 0\n  user: 01000\n  environment: [A=1, B=1, C=1, C=2, D]\n  \
             secopts: [label=disable, opt1, seccomp=/x.json]\n  capdrop: [KILL, cap1]\n  capadd: [cap_kill]\n"
        ),
        "\
config.yml:6:11: `memory` cannot be `1k` (the daemon takes no less than 6MiB)
config.yml:7:8: `cpu` cannot be `0` (a number of CPUs is at least 0.01, such as `0.5` or `2`)
config.yml:8:9: every container would get this, and `restrictions.users` blocks it (leave one out; a name can be any user's in an image: write a number)
config.yml:9:17: every container would get this, and `restrictions.environment` blocks it (leave one out)
config.yml:9:22: every container would get this, and `restrictions.environment` blocks it (leave one out)
config.yml:9:32: variable `C` is given twice, with different values (say it in one place)
config.yml:9:37: this is no variable with its value (such as `MY_ENV=true`)
config.yml:10:13: every container would get this, and `restrictions.securitypolicies` blocks it (leave one out)
config.yml:10:28: `opt1` is no security option (the daemon knows seccomp, apparmor, label, no-new-privileges and writable-cgroups, each as `NAME=VALUE`)
config.yml:10:34: `seccomp=/x.json` is no security option (the daemon takes no file; write the profile itself, as JSON on one line)
config.yml:11:19: `cap1` is no capability
config.yml:12:12: capability `cap_kill` is both added and dropped (leave one of them out)"
    );
    let named = faults("restrictions: { users: [root] }\ngeneral: { user: app }");
    assert!(
        named.starts_with("config.yml:2:18: every container would get this, and `restrictions.users` blocks it"),
        "{named}"
    );
}
