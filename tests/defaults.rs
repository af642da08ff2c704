//! What a container gets where its client says nothing, as the daemon sees it; by the example's own text.

use crate::harness::{Cli, Engine, Firewall, Shell, eventually, http, repository};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A firewall with `examples/limits.yaml`, and a shell on it.
fn with_limits(engine: &Engine) -> (Firewall, Shell) {
    let firewall = Firewall::start(engine.socket(), example);
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    (firewall, shell)
}

fn example(folder: &Path) -> String {
    let examples = repository().join("examples");
    fs::copy(examples.join("limits.cedar"), folder.join("limits.cedar")).expect("the example's policy");
    fs::read_to_string(examples.join("limits.yaml")).expect("the example")
}

/// What the daemon itself says of a container: its host configuration, and the rest.
fn inspect(engine: &Engine, name: &str) -> (Value, Value) {
    let all = http::get(engine.socket(), &format!("/containers/{name}/json"));
    (all["HostConfig"].clone(), all["Config"].clone())
}

fn limits(engine: &Engine, name: &str) -> Value {
    let (host, _) = inspect(engine, name);
    json!([host["Memory"], host["NanoCpus"], host["CpuQuota"], host["PidsLimit"]])
}

#[test]
fn a_container_gets_what_its_client_does_not_say() {
    let engine = Engine::start();
    let (firewall, shell) = with_limits(&engine);
    shell.must("docker create --name plain --network none tiny sleep 100");
    let (host, config) = inspect(&engine, "plain");
    assert_eq!(limits(&engine, "plain"), json!([1 << 30, 500_000_000, 0, 512]));
    assert_eq!((&host["CapDrop"], &host["SecurityOpt"]), (&json!(["MKNOD"]), &json!(["no-new-privileges"])));
    assert_eq!(config["User"], "1000:1000");
    assert!(config["Env"].as_array().is_some_and(|env| env.contains(&json!("MY_ENV=true"))), "{config}");

    let seen = shell.must(
        "docker run --rm --network none tiny sh -c 'grep -E \"^(Uid|NoNewPrivs|CapBnd)\" /proc/self/status; echo $MY_ENV'",
    );
    // 0xa80425fb is Docker's own set; MKNOD is bit 27.
    for words in ["Uid:\t1000\t1000", "NoNewPrivs:\t1", "CapBnd:\t00000000a00425fb", "true"] {
        assert!(seen.contains(words), "`{words}` is missing:\n{seen}");
    }

    let records = firewall.records();
    let create = records.iter().find(|record| record["request"]["operation"] == "ContainerCreate").expect("a record");
    let edits: Vec<String> = create["obligations"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|edit| {
            format!("{} {}", edit["set"].as_str().unwrap_or_default(), edit["value"].as_str().unwrap_or_default())
        })
        .collect();
    assert_eq!(
        edits,
        [
            "memory 1g",
            "cpus 0.5",
            "pids 512",
            "user 1000:1000",
            "env MY_ENV",
            "no_new_privileges true",
            "drop_capabilities MKNOD"
        ]
    );
}

#[test]
fn what_the_client_says_stays() {
    let engine = Engine::start();
    let (_firewall, shell) = with_limits(&engine);
    shell.must(
        "docker create --name own --network none --memory 64m --cpus 1 --pids-limit 10 -u 5 -e MY_ENV=mine --cap-add MKNOD tiny true",
    );
    let (host, config) = inspect(&engine, "own");
    assert_eq!(limits(&engine, "own"), json!([64 << 20, 1_000_000_000, 0, 10]));
    assert_eq!((&host["CapDrop"], &config["User"]), (&Value::Null, &json!("5")));
    assert!(config["Env"].as_array().is_some_and(|env| env.contains(&json!("MY_ENV=mine"))), "{config}");
    // No limit is nothing said.
    shell.must("docker create --name none --network none --pids-limit -1 --cpu-quota -1 tiny true");
    assert_eq!(limits(&engine, "none"), json!([1 << 30, 500_000_000, 0, 512]));
    shell.must("docker create --name period --network none --cpu-period 50000 tiny true");
    assert_eq!(limits(&engine, "period"), json!([1 << 30, 0, 25_000, 512]));
    let swap = shell.run("docker create --network none --memory-swap 64m tiny true");
    assert!(swap.code != 0 && swap.err.contains("dockwarden: HostConfig.MemorySwap is less than"), "{swap:?}");
    let gain = shell.run("docker create --network none --security-opt no-new-privileges=false tiny true");
    assert!(
        gain.code != 0 && gain.err.contains("dockwarden: may not set security option no-new-privileges"),
        "{gain:?}"
    );
}

#[test]
fn an_update_cannot_take_a_limit_away() {
    let engine = Engine::start();
    let (_firewall, shell) = with_limits(&engine);
    shell.must("docker run -d --name web --network none tiny sleep 1000");
    let update = |body: &str| {
        shell.run(&format!(
            "curl -sf --unix-socket $SOCKET http://d/v1.41/containers/web/update -H 'Content-Type: application/json' -d '{body}'"
        ))
    };
    for body in [
        r#"{"PidsLimit":-1}"#,
        r#"{"PidsLimit":0}"#,
        r#"{"CpuQuota":-1}"#,
        r#"{"Memory":-1}"#,
        r#"{"NanoCpus":-1}"#,
        r#"{"Memory":0,"NanoCpus":0,"CpuQuota":0,"PidsLimit":null}"#,
    ] {
        let outcome = update(body);
        assert_eq!(outcome.code, 0, "{body}: {outcome:?}");
        assert_eq!(limits(&engine, "web"), json!([1 << 30, 500_000_000, 0, 512]), "{body}");
    }
    shell.must("docker update --pids-limit 100 --restart always web");
    assert_eq!(limits(&engine, "web"), json!([1 << 30, 500_000_000, 0, 100]));
}

#[test]
fn a_policy_is_the_bound() {
    let engine = Engine::start();
    let (_firewall, shell) = with_limits(&engine);
    shell.must("docker create --name web --network none --memory 2g tiny true");
    for (line, words) in [
        ("docker create --network none --memory 64g tiny true", "4 GiB of memory"),
        ("docker create --network none --pids-limit 5000 tiny true", "4096 processes"),
        ("docker create --network none --cpu-quota 900000 tiny true", "2 CPUs"),
        ("docker update --memory 64g --memory-swap 64g web", "4 GiB of memory"),
        ("docker update --pids-limit 5000 web", "4096 processes"),
    ] {
        let outcome = shell.run(line);
        assert!(outcome.code != 0 && outcome.err.contains(words), "`{line}`: {outcome:?}");
    }
    assert_eq!(limits(&engine, "web"), json!([2_i64 << 30, 500_000_000, 0, 512]));
}

#[test]
fn defaults_make_an_ordinary_command_a_hardened_one() {
    let engine = Engine::start();
    let defaults = "policy: { preset: restricted }\ndefaults: { user: \"1000\", no_new_privileges: true, drop_capabilities: [ALL] }\n";
    let firewall = Firewall::start(engine.socket(), |_| defaults.to_owned());
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    assert_eq!(shell.must("docker run --rm --network none tiny id -u"), "1000");
    let config = firewall.folder().join("config.yaml");
    let without = fs::read_to_string(&config).expect("the configuration").replace("user: \"1000\", ", "");
    fs::write(&config, without).expect("the configuration");
    let told = Command::new("bash").args(["-c", &format!("builtin kill -HUP {}", firewall.pid())]).status();
    assert!(told.expect("bash").success());
    let refused = || shell.run("docker run --rm --network none tiny id -u").err.contains("may not run as root");
    assert!(eventually(Duration::from_secs(10), refused), "{}", firewall.log());
}

#[test]
fn explain_and_run_know_them() {
    let engine = Engine::start();
    let binary = std::env::var("DOCKWARDEN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_dockwarden").to_owned());
    let shell = Shell::new(engine.socket(), Cli::Machine);
    let config = shell.work().join("limits.yaml");
    fs::write(&config, example(&shell.work())).expect("the configuration");
    let with = format!("--upstream unix://{} --config {}", engine.socket().display(), config.display());
    let told = shell.run(&format!("XDG_STATE_HOME=$WORK {binary} explain {with} -- docker run --rm tiny true"));
    for words in ["+ default  memory 1g", "+ default  env MY_ENV\n", "+ default  drop_capabilities MKNOD"] {
        assert!(told.out.contains(words), "`{words}` is missing:\n{told:?}");
    }
    let ran = format!("XDG_STATE_HOME=$WORK {binary} run {with} -- docker run --rm --network none tiny id -u");
    assert_eq!(shell.must(&ran), "1000");
}
