//! Whoever makes a thing owns it, whatever happens in between; and with preset `team` nobody touches or sees the things
//! of others. The table of all commands that were tried is docs/ownership-commands.md.

use crate::harness::http::{call, get};
use crate::harness::{Cli, Engine, Firewall, Shell, eventually};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

mod commands;

/// A user of this machine, with a docker client.
struct User<'a> {
    shell: &'a Shell,
    uid: u32,
}

const ALICE: u32 = 5;
const BOB: u32 = 65534;
/// Stands in everything of Alice's that is her own business.
const SECRET: &str = "alices-own-business";

impl User<'_> {
    /// Runs a line of shell as this user.
    fn run(&self, line: &str) -> (i32, String) {
        let quoted = line.replace('\'', r"'\''");
        let home = format!("HOME=$WORK/home-{0}; mkdir -p $HOME; chown {0} $HOME; export HOME", self.uid);
        let line = format!(
            "{home}; cd $HOME; setpriv --reuid={0} --regid={0} --clear-groups bash -c 'export LC_ALL=C; {quoted}' 2>&1",
            self.uid
        );
        let outcome = self.shell.run(&line);
        (outcome.code, outcome.out)
    }

    fn must(&self, line: &str) -> String {
        let (code, said) = self.run(line);
        assert_eq!(code, 0, "`{line}` failed: {said}");
        said.trim().to_owned()
    }

    /// The command fails by our words.
    fn refused(&self, line: &str, words: &str) -> String {
        let (code, said) = self.run(line);
        assert!(code != 0 && said.contains(words), "`{line}` gave {code}, no `{words}` in: {said}");
        said
    }
}

fn start(engine: &Engine, more: &str) -> Firewall {
    let firewall = Firewall::start(engine.socket(), |_| format!("policy:\n  preset: team\n{more}"));
    open_to_all(&firewall.socket());
    firewall
}

fn open_to_all(socket: &Path) {
    fs::set_permissions(socket, fs::Permissions::from_mode(0o666)).expect("the socket's mode");
    let folder = socket.parent().expect("its folder");
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("the folder's mode");
}

/// A shell whose folder other users may enter. The machine's own client: the other one needs root.
fn shell(firewall: &Firewall) -> Shell {
    let shell = Shell::new(&firewall.socket(), Cli::Machine);
    fs::set_permissions(shell.place(), fs::Permissions::from_mode(0o755)).expect("the shell's folder");
    shell
}

/// Alice's things.
fn populate(alice: &User<'_>) {
    alice.must("docker network create alice-net --subnet 10.91.1.0/24 --label team=alice");
    alice.must("docker volume create alice-data --label team=alice");
    alice.must(&format!(
        "docker run -d --name alice-web --network alice-net -v alice-data:/data --label team=alice -e KEY={SECRET} tiny \
         sh -c 'echo {SECRET}; echo {SECRET} >/data/file; echo {SECRET} >/file; sleep 1000'"
    ));
    alice.must("docker commit -c 'LABEL team=alice' alice-web alice-image:1");
}

#[test]
fn ownership_is_not_to_be_had_by_tricks() {
    let engine = Engine::start();
    let firewall = start(&engine, "");
    let shell = shell(&firewall);
    let (alice, bob) = (User { shell: &shell, uid: ALICE }, User { shell: &shell, uid: BOB });
    populate(&alice);
    let label = |name: &str| {
        let inspected = get(engine.socket(), &format!("/containers/{name}/json"));
        inspected["Config"]["Labels"]["dockwarden.owner"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(label("alice-web"), "games");
    // A label that claims somebody else's name is overwritten.
    bob.must("docker run -d --name bob-web --label dockwarden.owner=games tiny sleep 1000");
    assert_eq!(label("bob-web"), "nobody");
    alice.refused("docker inspect bob-web", "");
    // An image that claims it, too: what is made of it is its maker's.
    let dockerfile = "FROM tiny\\nLABEL dockwarden.owner=games\\n";
    bob.must(&format!("printf '{dockerfile}' | DOCKER_BUILDKIT=0 docker build -q -t bob-image -"));
    bob.must("docker run -d --name bob-second --network none bob-image sleep 1000");
    assert_eq!(label("bob-second"), "nobody");
    // What a build prints is no proof.
    let id = alice.must("docker image inspect -f '{{.Id}}' alice-image:1");
    let dockerfile = format!("FROM tiny\\nRUN echo {id}\\n");
    bob.must(&format!("printf '{dockerfile}' | DOCKER_BUILDKIT=0 docker build --no-cache -t bob-print -"));
    bob.refused(&format!("docker run --rm {id} cat /file"), "not yours");
    // A name that is given on does not carry the thing with it.
    alice.must("docker rename alice-web alice-old");
    bob.must("docker rename bob-second alice-web");
    alice.refused("docker exec alice-web true", "dockwarden");
    alice.must("docker exec alice-old true");
    // A name is not taken from another's image.
    bob.refused("docker tag bob-image alice-image:1", "others use it");
    // Shared with a group: like its own members.
    alice.must("docker run -d --name shared --label dockwarden.shared-with=nogroup tiny sleep 1000");
    bob.refused("docker exec alice-old true", "dockwarden");
    bob.must("docker exec shared true");
    let shown = bob.must("docker ps --format '{{.Names}}'");
    assert!(shown.lines().any(|name| name == "shared"), "{shown}");
    // What was there before is nobody's: images are for all, the rest for administrators.
    let direct = Shell::new(engine.socket(), Cli::Machine);
    direct.must("docker run -d --name before tiny sleep 1000");
    bob.refused("docker stop before", "not yours");
    shell.must("docker stop -t 0 before");
}

#[test]
fn quotas_hold_also_when_many_ask_at_once() {
    let engine = Engine::start();
    let quotas = "quotas:\n  - { except: root, containers: 3, memory: 100m, volumes: 2, ports: 2 }\n";
    let firewall = start(&engine, quotas);
    let shell = shell(&firewall);
    let bob = User { shell: &shell, uid: BOB };
    bob.refused("docker create tiny true", "--memory");
    let made = bob.must(
        "for i in 1 2 3 4 5 6 7 8 9 10; do docker create -m 10m tiny true >/dev/null 2>&1 & done; wait; docker ps -aq | wc -l",
    );
    assert_eq!(made, "3");
    let said = bob.refused("docker create -m 10m tiny true", "3 of 3 containers");
    assert!(said.contains("quotas"), "{said}");
    bob.must("docker rm $(docker ps -aq)");
    let made = || eventually(Duration::from_secs(5), || bob.run("docker create -m 60m --name big tiny true").0 == 0);
    assert!(made(), "what is removed counts no more");
    bob.refused("docker create -m 60m tiny true", "60m of 100m of memory");
    bob.refused("docker update --memory 101m --memory-swap 101m big", "of memory");
    bob.must("docker update --memory 90m --memory-swap 90m big");
    bob.refused("docker create -m 20m tiny true", "90m of 100m of memory");
    bob.must("docker volume create one && docker volume create two && docker volume create two");
    bob.refused("docker volume create three", "2 of 2 volumes");
    bob.refused("docker create -m 6m -v three:/x tiny true", "2 of 2 volumes");
    bob.refused("docker create -m 6m -p 1024-1026:80-82 tiny true", "published ports");
    bob.refused("docker create -m 6m -P tiny true", "-p for each");
    bob.must("docker create -m 6m -p 8000:80 tiny true");
    shell.must("for i in 1 2 3 4 5; do docker create tiny true >/dev/null || exit 1; done");
}

/// What an attacker found, who looked at all of this: each was a way to another's things once.
#[test]
fn ways_to_the_things_of_others_that_were_found_are_closed() {
    let engine = Engine::start();
    let firewall = start(&engine, "");
    let shell = shell(&firewall);
    let (alice, bob) = (User { shell: &shell, uid: ALICE }, User { shell: &shell, uid: BOB });
    let direct = Shell::new(engine.socket(), Cli::Machine);
    let owner_label = "dockwarden.owner=nobody";

    // An intent that was left open, and a container that has its label from an image: whoever made the image got it.
    direct.must(&format!(
        "docker run -d --name legacy -v legacy:/l --network none --label {owner_label} tiny sleep 1000"
    ));
    let create = r#"{"Image":"tiny","Cmd":["true"]}"#;
    bob.must(&format!(
        "curl -s --unix-socket $SOCKET -H 'Content-Type: application/json' -H 'User-Agent: a' -H 'User-agent: b' \
         -d '{create}' http://d/containers/create | grep -q User-Agent"
    ));
    bob.run(&format!(
        "timeout 0.05 curl -s --unix-socket $SOCKET -H 'Content-Type: application/json' -d '{create}' http://d/containers/create"
    ));
    std::thread::sleep(Duration::from_secs(3));
    bob.refused("docker exec legacy true", "not yours");
    bob.refused("docker volume inspect legacy", "not yours");

    // An image that came around the firewall is nobody's, not everybody's.
    direct.must("printf 'FROM tiny\nRUN echo secret >/file\n' | DOCKER_BUILDKIT=0 docker build -q -t around:1 -");
    bob.refused("docker create around:1 cat /file", "not yours");
    bob.must("docker create tiny true");
    // But one that all had stays everybody's, whoever pulls it and fails.
    bob.run("docker pull 127.0.0.1:1/tiny");
    alice.must("docker create tiny true");

    // Under a bare name the daemon saves and pushes all tags there are.
    alice.must("docker run --name aa --network none tiny sh -c 'echo alices >/mark'");
    alice.must("docker commit aa mix:private");
    bob.must("docker run --name bb --network none tiny true && docker commit bb mix:latest");
    let saved = bob.must("docker save mix | tar -xO manifest.json");
    assert!(saved.contains("mix:latest") && !saved.contains("private"), "{saved}");
    let pushed = bob.run("curl -s --unix-socket $SOCKET -X POST http://d/images/mix/push -H 'X-Registry-Auth: e30='");
    assert!(pushed.1.contains("one tag by its name"), "{pushed:?}");

    // A name that was free when a build began is not taken from who gave it meanwhile.
    let slow = "printf 'FROM tiny\nRUN sleep 4\n' | DOCKER_BUILDKIT=0 docker build --network none -t webapp:1 - >/dev/null 2>&1 &";
    bob.must(&format!("{slow} sleep 1.5"));
    alice.refused("docker tag mix:private webapp:1", "try again");

    // A second network of one name would keep others from theirs.
    alice.must("docker network create alice-net --subnet 10.93.1.0/24");
    let second = bob.run(
        "curl -s --unix-socket $SOCKET -H 'Content-Type: application/json' \
         -d '{\"Name\":\"alice-net\",\"CheckDuplicate\":false}' http://d/networks/create",
    );
    assert!(second.1.contains("already exists"), "{second:?}");
    // What is below an image that is taken away stays.
    alice.must("docker run --name cc --network none tiny true && docker commit cc lib:1");
    alice.must("docker run --name dd --network none lib:1 true && docker commit dd child:1 && docker rm cc dd && docker rmi child:1");
    alice.must("docker image inspect lib:1");
}

/// The firewall is killed at any moment; whatever was made has its owner when it is back.
#[test]
fn what_is_made_has_its_owner_whenever_the_firewall_dies() {
    let engine = Engine::start();
    let mut firewall = start(&engine, "limits: { drain: 1s }\n");
    let mut killed = 0;
    let many = if std::env::var_os("CREATES").is_some() { 500 } else { 100 };
    let mut sent = 0;
    while sent < many {
        // Eight at once, of which the kill meets some somewhere in between.
        let socket = firewall.socket();
        let clients: Vec<_> = (0..8)
            .map(|_| {
                let line = format!(
                    "exec setpriv --reuid={ALICE} --regid={ALICE} --clear-groups curl -s --unix-socket {} -H \
                     'Content-Type: application/json' -d '{{\"Image\":\"tiny\",\"Cmd\":[\"true\"],\"HostConfig\":\
                     {{\"Mounts\":[{{\"Type\":\"volume\",\"Target\":\"/v\"}}]}}}}' http://d/containers/create",
                    socket.display()
                );
                std::process::Command::new("bash").args(["-c", &line]).stdout(std::process::Stdio::null()).spawn()
            })
            .collect();
        std::thread::sleep(Duration::from_millis(5 + (sent * 37) % 180));
        firewall.kill_and_start_again();
        killed += 1;
        for client in clients {
            let _ = client.expect("a client").wait();
        }
        sent += 8;
        open_to_all(&firewall.socket());
    }
    let containers = get(engine.socket(), "/containers/json?all=1").as_array().map_or(0, Vec::len);
    assert!(containers > 0, "nothing was made at all");
    let shell = shell(&firewall);
    let alice = User { shell: &shell, uid: ALICE };
    let count = |what: &str| alice.must(what).parse::<usize>().expect("a number");
    let all_owned = || count("docker ps -aq | wc -l") == containers;
    assert!(
        eventually(Duration::from_secs(20), all_owned),
        "{} of {} have an owner; {killed} kills",
        count("docker ps -aq | wc -l"),
        containers
    );
    let volumes = get(engine.socket(), "/volumes");
    assert_eq!(count("docker volume ls -q | wc -l"), volumes["Volumes"].as_array().map_or(0, Vec::len));
    eprintln!("{} containers after {killed} kills in {sent} creates, each with its owner", containers);
}

/// A create that cannot be written down is not done.
#[test]
fn a_full_disk_makes_nothing_that_nobody_owns() {
    let engine = Engine::start();
    let firewall = start(&engine, "");
    let (status, said) =
        call(&firewall.socket(), "POST", "/containers/create?name=first", Some(r#"{"Image":"tiny","Cmd":["true"]}"#));
    assert_eq!(status, 201, "{said}");
    // The table is gone: every write fails, as it would on a full disk.
    let state = firewall.folder().join("state.db");
    let broken = std::process::Command::new("python3")
        .args(["-c", "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute('DROP TABLE intents'); c.commit()"])
        .arg(&state)
        .status();
    assert!(broken.expect("python3").success());
    let (status, said) =
        call(&firewall.socket(), "POST", "/containers/create?name=second", Some(r#"{"Image":"tiny","Cmd":["true"]}"#));
    assert_eq!(status, 503, "{said}");
    assert!(said.contains("owner"), "{said}");
    assert_eq!(call(engine.socket(), "GET", "/containers/second/json", None).0, 404);
}

#[test]
fn administrators_see_and_give() {
    let engine = Engine::start();
    let firewall = start(&engine, "");
    let shell = shell(&firewall);
    let (alice, bob) = (User { shell: &shell, uid: ALICE }, User { shell: &shell, uid: BOB });
    alice.must("docker run -d --name web -v data:/data tiny sleep 1000");
    let binary = std::env::var("DOCKWARDEN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_dockwarden").to_owned());
    let socket = firewall.folder().join("admin.sock");
    let owners = |line: &str| shell.run(&format!("{binary} owners --socket {} {line}", socket.display()));
    let listed = owners("list");
    assert_eq!(listed.code, 0, "{listed:?}");
    let row = |name: &str| {
        let found = listed.out.lines().find(|line| line.split_whitespace().any(|word| word == name));
        found.unwrap_or_else(|| panic!("no `{name}` in {}", listed.out)).to_owned()
    };
    assert!(row("web").contains("games") && row("data").contains("games"), "{}", listed.out);
    assert!(row("tiny:latest").contains("everybody"), "{}", listed.out);
    bob.refused("docker exec web true", "not yours");
    let shared = owners("share web --with nogroup");
    assert!(shared.code == 0 && shared.out.contains("nogroup"), "{shared:?}");
    // Whoever drives a container has what it has mounted, too.
    bob.refused("docker exec web true", "may not mount volume");
    assert_eq!(owners("share volume/data --with nogroup").code, 0);
    bob.must("docker exec web true");
    assert_eq!(owners("share web --with nogroup --stop").code, 0);
    bob.refused("docker exec web true", "not yours");
    let given = owners("give web nobody --json");
    assert!(given.code == 0 && given.out.contains(r#""owners":["nobody"]"#), "{given:?}");
    bob.must("docker exec web true");
    alice.refused("docker exec web true", "not yours");
    // A prune by its maker would go by the label, and take it away from its owner.
    bob.must("docker stop -t 0 web");
    alice.refused("docker container prune -f", "belongs to others now");
    bob.must("docker ps -a --format '{{.Names}}'");
    let none = owners("show nosuch");
    assert!(none.code == 1 && none.err.contains("nothing that is called `nosuch`"), "{none:?}");
    let not_allowed = bob.run(&format!("{binary} owners --socket {} list", socket.display()));
    assert_ne!(not_allowed.0, 0, "{not_allowed:?}");
}
