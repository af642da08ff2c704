//! How long a decision takes: a list, and a container create with twelve privileges, under 60, 1,000
//! and 10,000 policies beside preset `developer`. Prints the median, in nanoseconds
//! of CPU time. Batches are long because the kernel counts in ticks.
//!
//! `cargo run --release -p policy --example decide`

#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a measurement, not a part of the product")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Instant, SystemTime};

use docker::endpoint::Operation;
use docker::facts::{Canonical, CanonicalBody, Facts, Spec};
use docker::http::Method;
use docker::image::Reference;
use docker::privilege::{HostMount, Privilege, PublishedPort, RunUser, Uid};
use docker::resource::{Image, Network, Resource};
use docker::target::ApiVersion;
use policy::{Circumstances, Decision, Directory, Door, NamedText, Policy, Proof, Sources, Subject};

fn main() {
    println!("{:>8}  {:>12}  {:>12}  {:>12}  {:>12}", "policies", "load ms", "list cached", "list", "create of 12");
    for count in [60, 1_000, 10_000] {
        let start = Instant::now();
        let (cached, uncached) = (load(count, false), load(count, true));
        let loaded = start.elapsed().as_millis() / 2;
        let list = || facts(Operation::ContainerList, Vec::new());
        println!(
            "{count:>8}  {loaded:>12}  {:>12}  {:>12}  {:>12}",
            median(&cached, &list, 60_000),
            median(&uncached, &list, 300),
            median(&cached, &create, 40)
        );
    }
}

/// Nanoseconds for one decision: the median of many batches. Making the facts is not counted.
fn median(policy: &Policy, facts: &dyn Fn() -> Facts, batch: usize) -> u128 {
    let subject = Subject {
        user: "alice".to_owned(),
        groups: vec!["docker".to_owned(), "team1".to_owned()],
        uid: Some(1001),
        proof: Proof::PeerCredentials { uid: 1001, gid: 1001, pid: Some(1) },
        container: None,
        address: None,
    };
    let circumstances = Circumstances { door: Door::Gateway, time: SystemTime::now() };
    assert!(matches!(policy.decide(&subject, facts(), &circumstances), Decision::Allowed(_)), "not allowed");
    let mut times: Vec<u128> = (0..31)
        .map(|_| {
            let asked: Vec<Facts> = (0..batch).map(|_| facts()).collect();
            let start = cpu_time();
            let decisions: Vec<Decision> =
                asked.into_iter().map(|facts| policy.decide(&subject, facts, &circumstances)).collect();
            let took = (cpu_time() - start) / batch as u128;
            black_box(decisions);
            took
        })
        .collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap()
}

/// Nanoseconds that this thread has had on a CPU: others share the machine.
fn cpu_time() -> u128 {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    schedule.split(' ').next().and_then(|time| time.parse().ok()).unwrap()
}

/// Preset `developer` with policies for as many teams as are needed. One that looks at the time keeps
/// answers from being remembered.
fn load(count: usize, looks_at_time: bool) -> Policy {
    let mut text = String::new();
    let mut groups = BTreeMap::new();
    for team in 0..count.div_ceil(5) {
        groups.insert(format!("team{team}"), vec![format!("user{team}")]);
        let group = format!("principal in Group::\"team{team}\"");
        let _ = writeln!(
            text,
            "permit ({group}, action == Action::\"mountHostPath\", resource in HostPath::\"/srv/team{team}\") when {{ context.resolved }};
             permit ({group}, action == Action::\"useImage\", resource in Repository::\"registry.test/team{team}\");
             permit ({group}, action == Action::\"publishPort\", resource) when {{ resource.first >= {0} && resource.last < {0} + 5 }};
             permit ({group}, action in [Action::\"ContainerExec\", Action::\"ExecStart\"], resource) when {{ resource.hasTag(\"team\") && resource.getTag(\"team\") == \"team{team}\" }};
             forbid (principal, action == Action::\"mountHostPath\", resource in HostPath::\"/srv/team{team}/secret\") unless {{ {group} }};",
            1024 + team * 5
        );
    }
    if looks_at_time {
        text.push_str("forbid (principal, action == Action::\"ContainerList\", resource) when { context.time < datetime(\"2020-01-01\") };");
    }
    let policies = vec![NamedText { name: "teams.cedar".to_owned(), text }];
    let sources = Sources { preset: Some("developer".to_owned()), policies, groups, ..Sources::default() };
    let directory = Directory { is_group: &|_| false, is_user: &|_| false, names: Vec::new() };
    Policy::load(&sources, &directory).unwrap()
}

fn facts(operation: Operation, privileges: Vec<Privilege>) -> Facts {
    let canonical = Canonical { method: Method::Get, target: "/v1.51/x".to_owned(), body: CanonicalBody::None };
    let version = Some(ApiVersion { major: 1, minor: 51 });
    Facts {
        operation,
        version,
        resources: vec![Resource::Daemon],
        privileges,
        spec: None,
        marks: Vec::new(),
        obligations: Vec::new(),
        absent: None,
        fetches: Vec::new(),
        makes: None,
        shared_with: Vec::new(),
        posed: None,
        dockerfile: None,
        canonical,
    }
}

fn create() -> Facts {
    let image = Image { reference: Reference::parse("registry.test/team1/app:1").ok(), ..Image::default() };
    let mount = |path: &str, read_only| {
        Privilege::MountHostPath(HostMount {
            path: path.to_owned(),
            asked: None,
            target: "/data".to_owned(),
            read_only,
            propagation: String::new(),
            through_volume: false,
            resolved: true,
        })
    };
    let port = |number| {
        let address = "127.0.0.1".to_owned();
        Privilege::PublishPort(PublishedPort { protocol: "tcp".to_owned(), address, first: number, last: number })
    };
    let capability = |name: &str| Privilege::AddCapability { name: name.to_owned() };
    let network =
        Network { id: "n".repeat(64), name: "bridge".to_owned(), driver: "bridge".to_owned(), ..Network::default() };
    let asked = vec![
        Privilege::UseImage { image },
        Privilege::RunAs(RunUser { name: "1000".to_owned(), uid: Uid::Number(1000) }),
        mount("/srv/team1/build/x", false),
        mount("/srv/team1/data", false),
        mount("/srv/team1/cache/zoneinfo", true),
        port(8080),
        port(8081),
        port(20_110),
        port(20_111),
        capability("CHOWN"),
        capability("SETUID"),
        Privilege::JoinNetwork { network },
    ];
    let spec = Spec {
        image: "registry.test/team1/app:1".to_owned(),
        memory: 1 << 30,
        pids: 512,
        network: "default".to_owned(),
        ..Spec::default()
    };
    Facts { spec: Some(spec), ..facts(Operation::ContainerCreate, asked) }
}
