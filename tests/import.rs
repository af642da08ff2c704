//! The configurations of other proxies in our words, before a real daemon: what they said passes, and nothing else. The files
//! are those of tests/imports; golden outputs and broken files are unit tests beside the code.

use crate::harness::{Cli, Engine, Firewall, Shell, eventually, http, repository};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

fn binary() -> PathBuf {
    std::env::var_os("DOCKWARDEN").unwrap_or_else(|| env!("CARGO_BIN_EXE_dockwarden").into()).into()
}

/// What a file becomes, but for its ways in and out, which are the test's own.
fn policy(name: &str, file: &str, more: &[&str]) -> String {
    let path = repository().join(file);
    let output = Command::new(binary()).args(["import", name]).arg(path).args(more).output().expect("import");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let ways = |line: &&str| line.starts_with("listen:") || line.starts_with("upstream:");
    text.lines().filter(|line| !ways(line)).map(|line| format!("{line}\n")).collect()
}

/// `compat docker-socket-proxy`, or LinuxServer's, with its variables.
struct Proxy {
    process: Child,
    place: TempDir,
}

impl Proxy {
    fn start(daemon: &Path, variables: &[(&str, &str)], more: &[&str]) -> Proxy {
        Proxy::start_as("docker-socket-proxy", daemon, variables, more)
    }

    fn start_as(tool: &str, daemon: &Path, variables: &[(&str, &str)], more: &[&str]) -> Proxy {
        let place = tempfile::Builder::new().prefix("dockwarden-e2e.").tempdir_in("/tmp").expect("a folder");
        let log = fs::File::create(place.path().join("log")).expect("the log");
        let process = Command::new(binary())
            .args(["compat", tool, "--listen"])
            .arg(format!("unix://{}/docker.sock", place.path().display()))
            .arg("--state")
            .arg(place.path().join("state.db"))
            .args(more)
            .env("SOCKET_PATH", daemon)
            .env("HOME", place.path())
            .env("XDG_STATE_HOME", place.path())
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the firewall");
        let proxy = Proxy { process, place };
        let up = eventually(Duration::from_secs(10), || http::connects(&proxy.socket()));
        assert!(up, "{}", proxy.log());
        proxy
    }

    fn log(&self) -> String {
        fs::read_to_string(self.place.path().join("log")).unwrap_or_default()
    }

    fn socket(&self) -> PathBuf {
        self.place.path().join("docker.sock")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn refused(shell: &Shell, line: &str) {
    let outcome = shell.run(line);
    assert!(
        outcome.code != 0 && format!("{}{}", outcome.out, outcome.err).contains("dockwarden: "),
        "{line}: {outcome:?}"
    );
}

/// What Traefik is given, and what it is not.
#[test]
fn a_socket_proxy_by_its_variables_looks_and_touches_nothing() {
    let engine = Engine::start();
    let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
    direct.must("docker run -d --name web --network none tiny sleep 1000");
    let proxy = Proxy::start(engine.socket(), &[("CONTAINERS", "1"), ("NETWORKS", "1"), ("LOG_LEVEL", "err")], &[]);
    let shell = Shell::new(&proxy.socket(), Cli::from(engine.kind()));
    for line in ["docker version", "docker ps", "docker inspect web", "docker logs web", "docker network ls"] {
        shell.must(line);
    }
    for line in [
        "docker images",
        "docker info",
        "docker stop web",
        "docker rm -f web",
        "docker exec web true",
        "docker volume ls",
    ] {
        refused(&shell, line);
    }
    direct.must("docker exec web true");
}

/// What Portainer is given: it makes containers, and none that gives the host away unless that is asked for.
#[test]
fn a_socket_proxy_that_makes_containers_keeps_the_host() {
    let engine = Engine::start();
    let variables = [("POST", "1"), ("CONTAINERS", "1"), ("IMAGES", "1"), ("EXEC", "1"), ("NETWORKS", "1")];
    let guarded = Proxy::start(engine.socket(), &variables, &[]);
    let shell = Shell::new(&guarded.socket(), Cli::from(engine.kind()));
    shell.must("docker run -d --name app --network none tiny sleep 1000");
    shell.must("docker exec app true");
    let host = "docker run --rm --network none -v /etc:/host tiny true";
    refused(&shell, host);
    refused(&shell, "docker run --rm --privileged tiny true");
    refused(&shell, "docker run --rm --network host tiny true");
    refused(&shell, "docker volume ls");
    let said = guarded.log();
    assert!(said.contains("POST=1: ") || said.contains("CONTAINERS=1: ContainerList, ContainerCreate"), "{said}");
    assert!(said.contains("may ask for what gives nobody the host; --as-permissive"), "{said}");
}

/// It judged paths alone: who may create a container gets any. That is had by asking for it, and is said.
#[test]
fn a_socket_proxy_as_permissive_grants_privileged_containers_and_says_so() {
    let engine = Engine::start();
    let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
    let variables = [("POST", "1"), ("CONTAINERS", "1"), ("LOG_LEVEL", "err")];
    let proxy = Proxy::start(engine.socket(), &variables, &["--as-permissive"]);
    let shell = Shell::new(&proxy.socket(), Cli::from(engine.kind()));
    // Made and not started: not every machine that tests run on may start it.
    shell.must("docker create --name root --network none --privileged -v /etc:/host tiny sleep 1000");
    let made = direct.must("docker inspect --format {{.HostConfig.Privileged}}{{.HostConfig.Binds}} root");
    assert_eq!(made.trim(), "true[/etc:/host]");
    shell.must("docker create --network host --pid host --cap-add ALL --device /dev/null tiny true");
    shell.must("docker run --rm --network host --pid host -v /:/host tiny true");
    let said = proxy.log();
    assert!(said.contains("whoever can connect is as good as root"), "{said}");
    // The list counts all the same.
    for line in ["docker volume ls", "docker info", "docker images", "docker exec root true"] {
        refused(&shell, line);
    }
    // Nothing can be made, so nothing is said, and what is privileged is not entered.
    let looking = Proxy::start(engine.socket(), &[("CONTAINERS", "1")], &["--as-permissive"]);
    let shell = Shell::new(&looking.socket(), Cli::from(engine.kind()));
    shell.must("docker inspect root");
    refused(&shell, "docker create --network none --privileged tiny true");
    assert!(!looking.log().contains("root on it"), "{}", looking.log());
}

/// A watchdog may restart what it does not see, also what was made with paths of the host.
#[test]
fn a_socket_proxy_restarts_what_is_there() {
    let engine = Engine::start();
    let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
    direct.must("docker run -d --name web --network none -v /etc:/host:ro tiny sleep 1000");
    let proxy = Proxy::start_as("linuxserver-socket-proxy", engine.socket(), &[("ALLOW_RESTARTS", "1")], &[]);
    let shell = Shell::new(&proxy.socket(), Cli::from(engine.kind()));
    shell.must("docker restart -t 0 web");
    for line in ["docker ps", "docker start web", "docker run --rm --network none tiny true"] {
        refused(&shell, line);
    }
}

#[test]
fn a_variable_that_is_wrong_keeps_it_from_starting() {
    let output =
        Command::new(binary()).args(["compat", "docker-socket-proxy"]).env("POST", "yes").output().expect("a run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("`POST` is 0 or 1, not `yes`"), "{said}");
    let output =
        Command::new(binary()).args(["compat", "docker-socket-proxy"]).env("ALLOW_START", "1").output().expect("a run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("say `linuxserver-socket-proxy`"), "{said}");
}

/// Patterns over paths: operations, names of containers, and the paths of the host that were named.
#[test]
fn patterns_of_wollomatics_proxy_decide() {
    let engine = Engine::start();
    let policy = policy("socket-proxy", "tests/imports/runner.flags", &[]);
    let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
    for name in ["web", "ci-1", "other"] {
        direct.must(&format!("docker run -d --name {name} --network none tiny sleep 1000"));
    }
    let firewall = Firewall::start(engine.socket(), |_| policy);
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    fs::create_dir_all("/srv/ci").expect("a folder");
    for line in [
        "docker inspect web",
        "docker restart -t 0 web ci-1",
        "docker run --rm --network none tiny true",
        "docker run --rm --network none -v /srv/ci:/work tiny true",
        "docker rm -f other",
    ] {
        shell.must(line);
    }
    for line in [
        "docker ps",
        "docker stop web",
        "docker exec web true",
        "docker run --rm --network none -v /etc:/host tiny true",
        "docker volume ls",
    ] {
        refused(&shell, line);
    }
    direct.must("docker run -d --name fresh --network none tiny sleep 1000");
    refused(&shell, "docker restart -t 0 fresh");
}

#[test]
fn rules_of_cetusguard_and_sockguard_decide() {
    let engine = Engine::start();
    let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
    for name in ["dashboard", "traefik", "web"] {
        direct.must(&format!("docker run -d --name {name} --network none tiny sleep 1000"));
    }
    let of_cetusguard = policy("cetusguard", "tests/imports/cetusguard.rules", &[]);
    let firewall = Firewall::start(engine.socket(), |_| of_cetusguard);
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    for line in ["docker info", "docker ps", "docker image history tiny", "docker restart -t 0 dashboard"] {
        shell.must(line);
    }
    for line in ["docker images", "docker restart -t 0 web", "docker stop dashboard", "docker network ls"] {
        refused(&shell, line);
    }
    drop(firewall);
    let of_sockguard = policy("sockguard", "tests/imports/sockguard.yaml", &[]);
    let firewall = Firewall::start(engine.socket(), |_| of_sockguard);
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    for line in ["docker ps", "docker logs web", "docker network ls", "docker restart -t 0 traefik"] {
        shell.must(line);
    }
    let shown = shell.must("docker inspect --format {{.Config.Env}} web");
    assert!(!shown.contains("PATH=/"), "{shown}");
    for line in ["docker cp web:/etc/passwd -", "docker restart -t 0 web", "docker info", "docker volume ls"] {
        refused(&shell, line);
    }
}

/// SecDocker's own example: what it lists is refused, and whatever is made gets its settings.
#[test]
fn restrictions_and_settings_of_secdocker_hold() {
    let engine = Engine::start();
    let of_secdocker = policy("secdocker", "examples/secdocker.yml", &[]);
    let firewall = Firewall::start(engine.socket(), |_| of_secdocker);
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    shell.must("docker run -d --name box --network none -v /etc:/host:ro tiny sleep 1000");
    let made = shell.must("docker inspect --format {{.HostConfig.Memory}}/{{.Config.User}}/{{.Config.Env}} box");
    assert!(made.starts_with("1073741824/1000/") && made.contains("MY_ENV=true"), "{made}");
    for asked in [
        "-v /root:/x",
        "-v /root/below:/x",
        "-v /:/x",
        "--mount type=bind,source=/root,target=/x",
        "-p 22:22",
        "-p 20-30:20-30",
        "-e USER=0",
        "--user 0:0",
        "--privileged",
    ] {
        refused(&shell, &format!("docker run --rm {asked} tiny true"));
    }
    shell.must("docker run --rm --network none -e USER=1 tiny true");
    refused(&shell, "docker volume create -o type=none -o o=bind -o device=/root hidden-root");
    refused(&shell, "docker pull ubuntu:16.04");
}
