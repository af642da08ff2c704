//! docksec's own configuration, as it was used: a plugin that switches docker commands off by name. The examples are those of
//! docs/coming-from-docksec.md.

use crate::harness::{Cli, Engine, Firewall, Shell, eventually, http};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The file of examples/, with what is said to whom.
fn example() -> String {
    let path = crate::harness::repository().join("examples/docksec.json");
    fs::read_to_string(path).expect("examples/docksec.json")
}

/// A daemon that asks, or a gateway before it, with that file of docksec's.
fn switched(engine: &mut Engine, file: &str, plugin: bool) -> (Firewall, Shell) {
    let socket = engine.plugin_socket();
    let firewall = Firewall::start(engine.socket(), |folder| {
        fs::write(folder.join("main.json"), file).expect("docksec's file");
        let door = if plugin { format!("plugin: {{ socket: {} }}\n", socket.display()) } else { String::new() };
        format!("{door}policy: {{ preset: open, docksec: main.json }}\n")
    });
    let cli = Cli::from(engine.kind());
    if plugin {
        engine.authorize();
        let shell = Shell::new(engine.socket(), cli);
        return (firewall, shell);
    }
    let shell = Shell::new(&firewall.socket(), cli);
    (firewall, shell)
}

/// What a refused line says.
fn refused(shell: &Shell, line: &str) -> String {
    let outcome = shell.run(line);
    assert_ne!(outcome.code, 0, "{line}: {outcome:?}");
    format!("{}{}", outcome.out, outcome.err)
}

#[test]
fn commands_are_switched_off_at_both_doors() {
    for plugin in [true, false] {
        let mut engine = Engine::start();
        let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
        direct.must("docker run -d --name web --network none tiny sleep 1000");
        let (firewall, shell) = switched(&mut engine, &example(), plugin);
        for (line, words) in [
            ("docker ps", "may not list containers"),
            ("docker container ls -a", "main.json:4: containers are nobody's business here; ask ops"),
            // These two look at the container first.
            ("docker exec web true", "docker inspect is switched off"),
            ("docker logs web", "docker inspect is switched off"),
            ("docker inspect web", "may not inspect container web"),
            ("docker image inspect tiny", "docker inspect is switched off"),
        ] {
            let text = refused(&shell, line);
            assert!(text.contains(words), "{line}: {text}");
            assert_eq!(text.contains("authorization denied by plugin dockwarden: "), plugin, "{line}: {text}");
        }
        // Kept in the file, but not denied; and what the file does not name.
        assert_eq!(shell.must("docker run --rm --network none tiny echo hi"), "hi");
        shell.must("docker images && docker version && docker stop -t 0 web");
        let records = firewall.records();
        let listed = records.iter().find(|record| record["request"]["operation"] == "ContainerList").expect("a record");
        assert_eq!(listed["outcome"], "refused");
        let reason = listed["questions"][0]["reason"].as_str().expect("a reason");
        assert!(reason.ends_with("ask ops [somebody looks around]"), "{reason}");
        assert!(firewall.log().contains("somebody looks around"), "{}", firewall.log());
    }
}

#[test]
fn exec_and_logs_have_their_own_words() {
    let mut engine = Engine::start();
    let file = example().replace("      { \"cmd\": \"inspect\" },\n", "");
    let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
    direct.must("docker run -d --name web --network none tiny sleep 1000");
    let (_firewall, shell) = switched(&mut engine, &file, true);
    for (line, words) in [
        ("docker exec web true", "exec is off on this host"),
        ("docker container exec -d web true", "exec is off on this host"),
        ("docker logs web", "docker container logs is switched off"),
    ] {
        let text = refused(&shell, line);
        assert!(text.contains(words), "{line}: {text}");
    }
    shell.must("docker inspect web");
}

#[test]
fn who_is_refused_need_not_be_told_why() {
    let mut engine = Engine::start();
    let file = example().replace("\"description\": true", "\"description\": false");
    let (firewall, shell) = switched(&mut engine, &file, true);
    let text = refused(&shell, "docker ps");
    assert!(
        text.contains("may not list containers.") && !text.contains("ask ops") && !text.contains("main.json"),
        "{text}"
    );
    let records = firewall.records();
    let listed = records.iter().find(|record| record["request"]["operation"] == "ContainerList").expect("a record");
    let reason = listed["questions"][0]["reason"].as_str().expect("a reason");
    assert!(reason.contains("ask ops [somebody looks around]"), "{reason}");
}

/// What the handler was to do: a command that is on for a while, although the file says otherwise.
#[test]
fn a_command_is_switched_on_for_a_while() {
    let mut engine = Engine::start();
    let (firewall, shell) = switched(&mut engine, &example(), false);
    refused(&shell, "docker ps");
    let binary = std::env::var("DOCKWARDEN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_dockwarden").to_owned());
    let config = firewall.folder().join("config.yaml");
    shell.must(&format!("{binary} rules --config {} add --allow ps --for 10m --reason migration", config.display()));
    shell.must("docker ps");
    refused(&shell, "docker inspect nothing");
}

#[test]
fn a_file_at_fault_stops_the_start() {
    let engine = Engine::start();
    let shell = Shell::new(engine.socket(), Cli::Machine);
    let binary = std::env::var("DOCKWARDEN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_dockwarden").to_owned());
    for (file, words) in [
        (
            r#"{"plugin": {"commands": [{"cmd": "contaner logs"}]}}"#,
            "main.json:1:34: there is no docker command `contaner logs` (did you mean `container logs`?)",
        ),
        (r#"{"plugin": {"commands": [], "commands": []}}"#, "key `commands` is given twice"),
        (r#"{"plugin": {"command": []}}"#, "`plugin` has no key `command` (did you mean `commands`?)"),
        (
            r#"{"plugin": {"commands": [{"cmd": "rm"}, {"cmd": "container rm", "allow": true}]}}"#,
            "`container rm` is allowed here, and denied as `rm` in line 1",
        ),
    ] {
        fs::write(shell.work().join("main.json"), file).expect("docksec's file");
        let socket = engine.socket().display();
        let line = format!(
            "export XDG_STATE_HOME=$WORK; {binary} --json serve --docksec main.json --listen unix://$WORK/x.sock --upstream unix://{socket}"
        );
        let outcome = shell.run(&line);
        assert_eq!(outcome.code, 3, "{file}: {outcome:?}");
        let plain = shell.run(&line.replace("--json serve", "serve"));
        assert_eq!(plain.code, 3, "{file}: {plain:?}");
        let words =
            words.split_once(": ").filter(|(place, _)| place.starts_with("main.json")).map_or(words, |(_, rest)| rest);
        let words = words.split(" (did").next().unwrap_or_default();
        assert!(outcome.err.contains(words), "{file}: {outcome:?}");
        assert!(plain.err.contains("main.json:1:"), "{file}: {plain:?}");
    }
}

/// `dockwarden serve` with docksec's file and nothing about doors.
struct Alone {
    process: Child,
}

impl Alone {
    /// In a place where the host's folder of plugins is the daemon's own.
    fn start(engine: &Engine, folder: &Path, docksec: &str) -> Alone {
        let state = folder.display();
        let configuration = format!(
            "upstream: unix://{}\nstate: {state}/state.db\nrecords: {{ file: {state}/records.jsonl }}\npolicy: {{ preset: open }}\n",
            engine.socket().display()
        );
        fs::write(folder.join("config.yaml"), configuration).expect("the configuration");
        fs::write(folder.join("main.json"), docksec).expect("docksec's file");
        let plugins = engine.plugin_socket().parent().expect("its folder").to_owned();
        let log = fs::File::create(folder.join("log")).expect("the log");
        let named = std::env::var_os("DOCKWARDEN").unwrap_or_else(|| env!("CARGO_BIN_EXE_dockwarden").into());
        let process = Command::new("unshare")
            .args(["--mount", "--propagation", "slave", "sh", "-c"])
            .arg("mkdir -p /run/docker/plugins && mount --bind \"$0\" /run/docker/plugins && exec \"$@\"")
            .arg(plugins)
            .arg(named)
            .arg("serve")
            .arg("--config")
            .arg(folder.join("config.yaml"))
            .arg("--docksec")
            .arg(folder.join("main.json"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("unshare");
        Alone { process }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Drop-in: the daemon's own configuration names docksec still, and finds it.
#[test]
fn the_socket_is_where_the_daemon_looks_for_docksec() {
    let mut engine = Engine::start();
    let place = tempfile::Builder::new().prefix("dockwarden-e2e.").tempdir_in("/tmp").expect("a folder");
    let plugins = engine.plugin_socket().parent().expect("its folder").to_owned();
    let _alone = Alone::start(&engine, place.path(), &example());
    let socket = plugins.join("docksec.sock");
    assert!(eventually(Duration::from_secs(10), || http::connects(&socket)), "{}", log(place.path()));
    // The daemon of the tests knows its plugin by another name.
    std::os::unix::fs::symlink("docksec.sock", engine.plugin_socket()).expect("a link");
    engine.authorize();
    let shell = Shell::new(engine.socket(), Cli::from(engine.kind()));
    let text = refused(&shell, "docker ps");
    assert!(text.contains("containers are nobody's business here; ask ops"), "{text}");
    shell.must("docker images");
    assert!(!log(place.path()).contains("INFO listening on"), "{}", log(place.path()));
}

/// The port is for root of this host, as the socket is.
#[test]
fn the_port_is_for_the_daemon_alone() {
    let engine = Engine::start();
    let place = tempfile::Builder::new().prefix("dockwarden-e2e.").tempdir_in("/tmp").expect("a folder");
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("a port").port();
    let file = example().replace("\"socket\": true", &format!("\"socket\": false, \"port\": {free}"));
    let _alone = Alone::start(&engine, place.path(), &file);
    assert!(
        eventually(Duration::from_secs(10), || TcpStream::connect(("127.0.0.1", free)).is_ok()),
        "{}",
        log(place.path())
    );
    let question = r#"{"RequestMethod":"GET","RequestUri":"/v1.41/containers/json"}"#;
    let post = format!(
        "POST /AuthZPlugin.AuthZReq HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{question}",
        question.len()
    );
    let mut stream = TcpStream::connect(("127.0.0.1", free)).expect("the port");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
    stream.write_all(post.as_bytes()).expect("a question");
    let mut answer = [0; 4096];
    let read = stream.read(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.contains(r#""Allow":false"#) && answer.contains("ask ops"), "{answer}");
    // Nobody else is answered.
    let shell = Shell::new(engine.socket(), Cli::Machine);
    let other = shell.run(&format!(
        "setpriv --reuid=65534 --regid=65534 --clear-groups curl -sS -m 5 -d '{question}' http://127.0.0.1:{free}/AuthZPlugin.AuthZReq"
    ));
    assert!(other.code != 0 && other.out.is_empty(), "{other:?}");
    let said = log(place.path());
    assert!(said.contains("somebody who is not the daemon was turned away"), "{said}");
    assert!(said.contains("without TLS: root of this host can ask"), "{said}");
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}
