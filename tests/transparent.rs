//! Clients who think that they talk to a daemon: connections that the kernel sends to the firewall, and go on from there.

use crate::harness::networks::{CLIENT, DAEMON, DAEMON_6, FIREWALL, Networks, Served};
use crate::harness::{Cli, Engine, Outcome, Shell, eventually, skipped};
use serde_json::Value;
use std::fs;
use std::time::Duration;

/// What makes connections to the daemon come to port 8999.
const REDIRECT: &str = "for iptables in iptables ip6tables; do
    $iptables -t nat -A PREROUTING -i f0 -p tcp --dport 2375 -j REDIRECT --to-port 8999
done";
const TPROXY: &str = "for iptables in iptables ip6tables; do
    $iptables -t mangle -A PREROUTING -i f0 -p tcp --dport 2375 -j TPROXY --on-port 8999 --tproxy-mark 1
done
ip rule add fwmark 1 lookup 100; ip route add local 0.0.0.0/0 dev lo table 100
ip -6 rule add fwmark 1 lookup 100; ip -6 route add local ::/0 dev lo table 100";

/// The daemon, the networks around it with a way to the firewall, and a shell. `None`: this kernel has no such way.
fn around(rules: &str) -> Option<(Engine, Networks, Shell)> {
    let engine = Engine::over_tcp();
    let networks = Networks::around(&engine);
    if let Err(reason) = networks.rule(rules) {
        skipped("transparent interception", &reason.replace('\n', " "));
        return None;
    }
    let shell = Shell::new(engine.socket(), Cli::Machine);
    Some((engine, networks, shell))
}

fn serve(networks: &Networks, listen: &str, policy: &str) -> Served {
    let config = format!("listen: [{listen}]\nstate: state.db\nrecords: {{ file: records.jsonl }}\npolicy: {policy}\n");
    networks.serve(&["serve", "--config", "config.yaml"], &[("config.yaml", &config)])
}

fn docker(networks: &Networks, shell: &Shell, daemon: &str, line: &str) -> Outcome {
    shell.run(&format!("{}docker -H tcp://{daemon} {line}", networks.client()))
}

fn records(served: &Served, name: &str) -> Vec<Value> {
    std::thread::sleep(Duration::from_millis(300));
    let text = fs::read_to_string(served.folder().join(name)).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("a record is JSON")).collect()
}

/// What was said in them.
fn messages(records: &[Value]) -> String {
    let said = records.iter().filter_map(|record| record["message"].as_str());
    said.collect::<Vec<_>>().join("\n")
}

#[test]
fn connections_go_on_to_where_they_were_going() {
    for (by, rules) in [("redirect", REDIRECT), ("tproxy", TPROXY)] {
        let Some((_engine, networks, shell)) = around(rules) else { continue };
        let listen = format!("{{ address: \"[::]:8999\", transparent: {by} }}");
        let served = serve(&networks, &listen, "{ preset: developer }");
        for daemon in [DAEMON, DAEMON_6] {
            let run = docker(&networks, &shell, daemon, "run --rm --network none tiny echo hello");
            assert_eq!((run.code, run.out.trim()), (0, "hello"), "{by} {daemon}: {run:?}");
            let piped = shell.run(&format!(
                "echo through | {}docker -H tcp://{daemon} run -i --rm --network none tiny cat",
                networks.client()
            ));
            assert_eq!((piped.code, piped.out.trim()), (0, "through"), "{by} {daemon}: {piped:?}");
            let refused = docker(&networks, &shell, daemon, "run --rm -v /etc:/e tiny true");
            assert_eq!(refused.code, 125, "{by} {daemon}: {refused:?}");
            assert!(refused.err.contains("may not mount host path /etc"), "{by} {daemon}: {refused:?}");
        }
        let told = records(&served, "records.jsonl");
        let of = |user: String, daemon: String| {
            told.iter().any(|record| record["subject"]["user"] == user && record["daemon"] == daemon)
        };
        assert!(of(format!("address:{CLIENT}"), format!("tcp://{DAEMON}")), "{by}: {}", told.len());
        assert!(of("address:fd77:1::2".to_owned(), format!("tcp://{DAEMON_6}")), "{by}: {}", told.len());

        // Straight to our own port.
        let direct = docker(&networks, &shell, &format!("{FIREWALL}:8999"), "ps");
        assert!(direct.err.contains("this is dockwarden's own port, which leads nowhere"), "{by}: {direct:?}");
        // To a daemon that is not there.
        let nobody = docker(&networks, &shell, "10.77.2.9:2375", "ps");
        assert!(nobody.code != 0 && nobody.err.contains("the Docker daemon cannot be reached"), "{by}: {nobody:?}");
        // TLS cannot be looked into.
        let tls = shell.run(&format!("{}curl -sk -m 5 https://{DAEMON}/version", networks.client()));
        assert!(tls.code != 0 && tls.out.is_empty(), "{by}: {tls:?}");
        let told = messages(&records(&served, "records.jsonl"));
        assert!(told.contains("this is TLS, which cannot be looked into here"), "{by}: {told}");
    }
}

#[test]
fn connections_go_nowhere_else() {
    let Some((_engine, networks, shell)) = around(REDIRECT) else { return };
    let served = serve(
        &networks,
        "{ address: \"0.0.0.0:8999\", transparent: redirect, to: [10.77.9.0/24, \"10.77.2.2:2376\"] }",
        "{ preset: developer }",
    );
    let refused = docker(&networks, &shell, DAEMON, "ps");
    let words = format!("connections to {DAEMON} are not let through here");
    assert!(refused.code != 0 && refused.err.contains(&words), "{refused:?}");
    drop(served);

    // The host's own services are nobody's daemons: a client's packets to them, and its own connections sent back to it.
    let served = serve(&networks, "{ address: \"0.0.0.0:8999\", transparent: redirect }", "{ preset: developer }");
    networks.rule("ip addr add 169.254.169.254/32 dev lo").expect("an address");
    let metadata = docker(&networks, &shell, "169.254.169.254:2375", "ps");
    assert!(metadata.err.contains("connections to 169.254.169.254:2375 are not let through here"), "{metadata:?}");
    networks.rule("iptables -t nat -A OUTPUT -p tcp --dport 2375 -j REDIRECT --to-port 8999").expect("a rule");
    let looped = docker(&networks, &shell, DAEMON, "ps");
    assert!(looped.code != 0 && looped.err.contains("this connection is dockwarden's own"), "{looped:?}");
    assert!(served.log().contains("daemons wherever clients were going"), "{}", served.log());
}

#[test]
fn secdocker_is_replaced_by_its_own_command_line() {
    let Some((_engine, networks, shell)) = around(REDIRECT) else { return };
    let example = include_str!("../examples/secdocker.yml");
    let arguments = ["compat", "secdocker", "-tcp", "8999"];
    let served = networks.serve(&arguments, &[("config.yml", example)]);
    let docker = |line: &str| docker(&networks, &shell, DAEMON, line);
    for (line, words) in [
        ("run --rm -p 22:22 tiny true", "config.yml:9: blocked by restrictions.ports: 22"),
        ("run --rm -p 127.0.0.1:20-30:20-30 tiny true", "blocked by restrictions.ports: 22"),
        ("run --rm -v /root:/x tiny true", "config.yml:12: blocked by restrictions.mounts: /root"),
        ("run --rm -v /root/x/../y:/x tiny true", "blocked by restrictions.mounts: /root"),
        ("run --rm --mount type=bind,src=/root/,dst=/x tiny true", "blocked by restrictions.mounts: /root"),
        ("run --rm -v /:/x tiny true", "blocked by restrictions.mounts: /"),
        ("volume create -o type=none -o o=bind -o device=/root v", "blocked by restrictions.mounts: /root"),
        ("volume create -o type=ext4 -o device=/dev/sda1 v", "this volume could be any path of the host"),
        ("run --rm -u 0:0 tiny true", "config.yml:15: blocked by restrictions.users: root"),
        ("run --rm -u root tiny true", "blocked by restrictions.users: root"),
        ("run --rm -e USER=0 tiny true", "config.yml:17: blocked by restrictions.environment: USER"),
        ("run --rm --privileged tiny true", "may not run privileged (config.yml:"),
        ("pull ubuntu:16.04", "config.yml:21/2: blocked by restrictions.images: ubuntu:16.04"),
        ("run --rm ubuntu:16.04 true", "blocked by restrictions.images: ubuntu:16.04"),
    ] {
        let refused = docker(line);
        assert!(refused.code != 0 && refused.err.contains(words), "`{line}`: {refused:?}");
    }
    // All else is allowed, as it was there; and every container has the settings, whatever is said.
    let seen =
        docker("run --rm --network none -v /srv:/srv -e USER=1 -e MY_ENV=mine tiny sh -c 'id -u; echo $MY_ENV $USER'");
    assert_eq!((seen.code, seen.out.as_str()), (0, "1000\ntrue 1\n"), "{seen:?}");
    let made = docker("create --name box --network none -m 64m --cpus 2 -u 7 tiny sleep 1000");
    assert_eq!(made.code, 0, "{made:?}");
    let settings = docker("inspect -f '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.Config.User}}' box");
    assert_eq!(settings.out.trim(), "1073741824 250000000 1000", "{settings:?}");
    let started = docker("start box");
    assert_eq!(started.code, 0, "{started:?}");
    let exec = docker("exec -u 0 box id");
    assert!(exec.err.contains("blocked by restrictions.users: root"), "{exec:?}");
    let update = docker("update --cpus 3 box");
    assert_eq!(update.code, 0, "{update:?}");
    assert_eq!(docker("inspect -f '{{.HostConfig.NanoCpus}}' box").out.trim(), "250000000");
    // An image under any of its names.
    assert_eq!(docker("tag tiny ubuntu:16.04").code, 0);
    for image in ["ubuntu:16.04", "tiny", "$(docker images -q tiny)"] {
        let refused = docker(&format!("run --rm {image} true"));
        assert!(refused.err.contains("blocked by restrictions.images: ubuntu:16.04"), "{image}: {refused:?}");
    }
    // Its log, where it always was.
    let told = records(&served, "secdocker.log");
    let outcome = |outcome: &str| told.iter().filter(|record| record["outcome"] == outcome).count();
    assert!(outcome("refused") >= 17 && outcome("allowed") >= 6, "{}", messages(&told));
    let obliged = told.iter().any(|record| record["obligations"].to_string().contains("\"1g\""));
    assert!(obliged && !told.iter().any(|record| record.to_string().contains("mine")), "{}", messages(&told));

    // A change of its file is noticed.
    fs::write(served.folder().join("config.yml"), example.replace("    - 25\n", "    - 25\n    - 8080\n"))
        .expect("the file");
    let noticed = eventually(Duration::from_secs(10), || {
        docker("create -p 8080:80 tiny true").err.contains("blocked by restrictions.ports: 8080")
    });
    assert!(noticed, "{}", served.log());
}

#[test]
fn one_container_by_secdockers_rules() {
    let engine = Engine::start();
    let shell = Shell::new(engine.socket(), Cli::Machine);
    let config = shell.work().join("config.yml");
    fs::write(&config, include_str!("../examples/secdocker.yml")).expect("the example");
    let compat = format!("{} compat secdocker", crate::harness::networks::binary());
    assert_eq!(shell.must(&format!("{compat} run --rm --network none tiny id -u")), "1000");
    let refused = shell.run(&format!("{compat} -config {} run --rm -v /root:/r tiny true", config.display()));
    assert_eq!(refused.code, 125, "{refused:?}");
    assert!(refused.err.contains("config.yml:12: blocked by restrictions.mounts: /root"), "{refused:?}");
    assert!(shell.work().join("secdocker.log").exists());
    for (text, code, words) in [
        ("restrictions:\n  port: [22]\n", 3, "broken.yml:2:3: `restrictions` has no key `port`"),
        ("restrictions: {users: [root]}\ngeneral: {user: app}\n", 3, "broken.yml:2:17: every container would get this"),
        ("plugins: [Clair]\n", 3, "broken.yml:1:11: nobody knows a plugin `Clair`"),
        ("plugins: [Anchore]\n", 0, "broken.yml:1:11: plugin `Anchore` is not run from here"),
    ] {
        fs::write(shell.work().join("broken.yml"), text).expect("a file");
        let told = shell.run(&format!("{compat} -config broken.yml run --rm --network none tiny true"));
        let plain = told.err.replace('\n', " ");
        assert!(told.code == code && plain.contains(words.split(": ").nth(1).expect("words")), "{text}: {told:?}");
    }
    for (line, code) in [("-nonsense", 64), ("-h", 0), ("run", 1), ("stop", 1)] {
        let told = shell.run(&format!("{compat} {line}"));
        assert_eq!(told.code, code, "{line}: {told:?}");
    }
}
