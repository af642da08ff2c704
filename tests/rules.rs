//! Rules that end by themselves, through the real CLI and a real daemon; and a policy that follows its files.

use crate::harness::{Cli, Engine, Firewall, Outcome, Shell, eventually, http};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

/// Everything but exec, which only admins may have.
const NO_EXEC: &str = "groups: { admins: [root] }\npolicy:\n  preset: developer\n  rules:\n    - deny: exec\n      \
                       except: [admins]\n      message: exec is off; ask ops\n";

/// A daemon with a container `web`, a firewall, and shells in front of it.
struct Place {
    engine: Engine,
    firewall: Firewall,
    shell: Shell,
}

impl Place {
    fn new(configuration: &str) -> Place {
        let engine = Engine::start();
        let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
        direct.must("docker run -d --name web --network none tiny sleep 1000");
        let firewall = Firewall::start(engine.socket(), |_| configuration.to_owned());
        let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
        Place { engine, firewall, shell }
    }

    /// `dockwarden rules …`, as root or as somebody else: `setpriv --reuid=65534 …`.
    fn rules_as(&self, whom: &str, line: &str) -> Outcome {
        let binary = std::env::var("DOCKWARDEN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_dockwarden").to_owned());
        self.shell.run(&format!("{whom} {binary} rules --socket {} {line}", self.admin()))
    }

    fn rules(&self, line: &str) -> Outcome {
        self.rules_as("", line)
    }

    /// Adds a rule that is not at fault; its id.
    fn add(&self, line: &str) -> String {
        let added = self.rules(&format!("add --json {line}"));
        assert_eq!(added.code, 0, "{line}: {added:?}");
        let rule: Value = serde_json::from_str(&added.out).expect("JSON");
        rule["id"].as_str().expect("an id").to_owned()
    }

    fn admin(&self) -> String {
        self.firewall.folder().join("admin.sock").display().to_string()
    }

    /// `docker exec` of root.
    fn exec(&self) -> Outcome {
        self.shell.run("docker exec web echo in")
    }

    /// The status of an exec that user nobody asks for.
    fn exec_of_nobody(&self) -> String {
        let asked = self.shell.run(
            "setpriv --reuid=65534 --regid=65534 --clear-groups curl -s -o /dev/null -w '%{http_code}' --unix-socket \
             $SOCKET http://d/v1.41/containers/web/exec -H 'Content-Type: application/json' -d '{\"Cmd\":[\"true\"]}'",
        );
        asked.out
    }

    fn open_to_all(&self) {
        for (path, mode) in [(self.firewall.socket(), 0o666), (self.firewall.folder().to_owned(), 0o755)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
        }
    }

    /// The records of the admin socket.
    fn administered(&self) -> Vec<Value> {
        self.firewall.records().into_iter().filter(|record| record["door"] == "admin").collect()
    }
}

#[test]
fn a_temporary_rule_denies_says_why_and_until_when_and_can_be_removed() {
    let place = Place::new("policy: { preset: developer }\n");
    assert_eq!(place.exec().code, 0);
    let id = place.add("--deny exec --for 2h --reason 'database migration'");
    let refused = place.exec();
    assert_ne!(refused.code, 0, "{refused:?}");
    let expected = format!("may not exec in container web (policy rules/{id}: database migration, until 20");
    assert!(refused.err.contains(&expected), "{refused:?}");
    let record = place.firewall.records().into_iter().rfind(|record| record["outcome"] == "refused").expect("a record");
    assert_eq!(record["questions"][0]["policies"][0], format!("rules/{id}"));
    let listed = place.rules("list");
    assert!(listed.out.contains(&id) && listed.out.contains("database migration"), "{listed:?}");
    let removed = place.rules(&format!("remove {id}"));
    assert_eq!(removed.code, 0, "{removed:?}");
    assert_eq!(place.exec().code, 0);
    assert_eq!(place.rules("list").out.trim(), "no temporary rules");
    let done: Vec<Value> = place.administered();
    let of = |at: usize| (done[at]["request"]["operation"].clone(), done[at]["changed"]["id"].clone());
    assert_eq!(of(0), ("rules add".into(), id.clone().into()));
    assert_eq!(of(2), ("rules remove".into(), id.into()));
    assert_eq!((done[0]["subject"]["user"].clone(), done[0]["outcome"].clone()), ("root".into(), "allowed".into()));
}

#[test]
fn a_temporary_rule_lifts_for_one_user_what_the_configuration_denies() {
    let place = Place::new(NO_EXEC);
    place.open_to_all();
    assert_eq!((place.exec().code, place.exec_of_nobody().as_str()), (0, "403"));
    place.add("--allow exec --to nobody --for 1h");
    assert_eq!(place.exec_of_nobody(), "201");
    place.add("--deny exec --for 1h");
    assert_eq!(place.exec_of_nobody(), "403", "a temporary rule lifts no other");
    assert_ne!(place.exec().code, 0, "and an exception of the configuration is none of its own");
}

#[test]
fn a_temporary_rule_ends_by_itself() {
    let place = Place::new(NO_EXEC);
    place.open_to_all();
    let id = place.add("--allow exec --to nobody --for 3s");
    assert_eq!(place.exec_of_nobody(), "201");
    assert!(eventually(Duration::from_secs(4), || place.exec_of_nobody() == "403"), "it does not end");
    assert_eq!(place.rules("list --json").out.trim(), "");
    let ended = place.administered().into_iter().find(|record| record["request"]["operation"] == "rules end");
    let ended = ended.expect("a record of the end");
    assert_eq!((ended["changed"]["id"].clone(), ended["subject"].clone()), (id.into(), Value::Null));
}

#[test]
fn temporary_rules_outlive_a_kill() {
    let mut place = Place::new("policy: { preset: developer }\n");
    let id = place.add("--deny exec --for 1h");
    place.add("--deny ps --for 1s");
    place.firewall.kill_and_start_again();
    assert!(place.rules("list").out.contains(&id));
    assert!(place.exec().err.contains(&format!("rules/{id}")));
    assert!(eventually(Duration::from_secs(3), || place.shell.run("docker ps").code == 0), "one that ended is back");
}

#[test]
fn only_root_and_the_groups_may_add_rules() {
    let place =
        Place::new("admin: { groups: [admins] }\ngroups: { admins: [daemon] }\npolicy: { preset: developer }\n");
    place.open_to_all();
    let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups";
    let refused = place.rules_as(nobody, "add --allow everything --for 1h");
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("`nobody` may not administer"), "{refused:?}");
    assert_eq!(place.rules_as(nobody, "list").code, 2);
    let member = place.rules_as("setpriv --reuid=1 --regid=1 --clear-groups", "add --deny exec --for 1h");
    assert_eq!(member.code, 0, "{member:?}");
    let listed: Value = serde_json::from_str(place.rules("list --json").out.trim()).expect("one rule");
    assert_eq!(listed["added_by"], "daemon");
    assert!(place.administered().iter().any(|record| record["outcome"] == "refused"));
}

/// A container with the admin socket and root within is nobody.
#[test]
fn root_in_a_container_may_not_add_rules() {
    let place = Place::new("policy: { preset: open }\n");
    if place.engine.kind() == crate::harness::Kind::Modern {
        return crate::harness::skipped(
            "root_in_a_container_may_not_add_rules",
            "the engine's root does not see our socket",
        );
    }
    let direct = Shell::new(place.engine.socket(), Cli::from(place.engine.kind()));
    let binary = env!("CARGO_BIN_EXE_dockwarden");
    let refused = direct.run(&format!(
        "docker run --rm --network none -v /:/host tiny busybox chroot /host {binary} rules --socket {} list",
        place.admin()
    ));
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("`container:"), "{refused:?}");
}

#[test]
fn an_admin_socket_that_was_asked_for_must_be_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("config.yaml");
    let place = folder.path().display();
    fs::write(&config, format!("listen: [{{ socket: {place}/docker.sock }}]\nstate: {place}/state.db\nadmin: {{ socket: {place}/nosuch/admin.sock }}\n"))
        .expect("the configuration");
    let binary = env!("CARGO_BIN_EXE_dockwarden");
    let ended = std::process::Command::new(binary).arg("serve").arg("--config").arg(&config).output().expect("it runs");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("its directory does not exist") && said.contains("see `admin`"), "{said}");
}

#[test]
fn a_faulty_temporary_rule_changes_nothing() {
    let place = Place::new("policy: { preset: developer }\n");
    let version = || place.administered().pop().expect("a record")["policy_version"].clone();
    place.rules("list");
    let before = version();
    for (line, words) in [
        ("add --deny exce --for 1h", "did you mean `exec`?"),
        ("add --deny exec --to admns --for 1h", "nobody knows a user or a group `admns`"),
        ("add --rule '{ deny: exec, too: root }' --for 1h", "did you mean `to`?"),
        ("add --deny exec --for 400d", "limits.temporary_time"),
    ] {
        let refused = place.rules(line);
        assert_eq!(refused.code, 3, "{refused:?}");
        assert!(refused.err.contains(words), "`{words}`: {refused:?}");
        assert_eq!(version(), before);
    }
    assert_eq!(place.rules("remove nosuch").code, 1);
    assert_eq!(place.exec().code, 0);
    let unreachable = place.shell.run(&format!("{} rules --socket /nosuch list", env!("CARGO_BIN_EXE_dockwarden")));
    assert_eq!(unreachable.code, 1);
    assert!(unreachable.err.contains("is `dockwarden serve` running"), "{unreachable:?}");
}

#[test]
fn explain_knows_the_temporary_rules_of_the_running_firewall() {
    let place = Place::new(&format!("{NO_EXEC}    - allow: ps\n"));
    let id = place.add("--deny exec --for 1h --reason migration");
    let config = place.firewall.folder().join("config.yaml").display().to_string();
    let explained = place.shell.run(&format!(
        "printf 'POST /v1.41/containers/web/exec HTTP/1.1\\r\\nHost: d\\r\\nContent-Type: application/json\\r\\n\
         Content-Length: 16\\r\\n\\r\\n{{\"Cmd\":[\"true\"]}}' | {} explain --config {config} --request -",
        env!("CARGO_BIN_EXE_dockwarden")
    ));
    assert_eq!(explained.code, 2, "{explained:?}");
    assert!(explained.out.contains(&format!("by policy rules/{id} (temporary, until 20")), "{explained:?}");
}

#[test]
fn a_changed_file_is_taken_and_a_faulty_one_is_not() {
    let engine = Engine::start();
    let firewall = Firewall::start(engine.socket(), |folder| {
        fs::write(folder.join("a.cedar"), "").expect("a policy");
        "policy:\n  preset: developer\n  cedar: ['*.cedar']\n".to_owned()
    });
    let config = firewall.folder().join("config.yaml");
    let good = fs::read_to_string(&config).expect("the configuration");
    let list = || http::call(&firewall.socket(), "GET", "/v1.41/containers/json", None).0;
    let soon = |status: u16| eventually(Duration::from_secs(5), || list() == status);
    assert_eq!(list(), 200);
    // As editors do it: another file in its place.
    let replace = |text: &str| {
        fs::write(firewall.folder().join("new"), text).expect("the configuration");
        fs::rename(firewall.folder().join("new"), &config).expect("the configuration");
    };
    replace(&good.replace("preset: developer", "preset: none"));
    assert!(soon(403), "{}", firewall.log());
    replace(&good.replace("preset: developer", "preset: developr"));
    assert!(
        eventually(Duration::from_secs(5), || firewall
            .log()
            .contains("config.yaml:7:11: there is no preset `developr`")),
        "{}",
        firewall.log()
    );
    assert_eq!(list(), 403);
    replace(&good);
    assert!(soon(200), "{}", firewall.log());
    // A file that the pattern names from now on; a mounted one is a link.
    let forbid = firewall.folder().join("forbid");
    fs::write(&forbid, "forbid (principal, action == Action::\"ContainerList\", resource);").expect("a policy");
    symlink(&forbid, firewall.folder().join("b.cedar")).expect("a link");
    assert!(soon(403), "{}", firewall.log());
    fs::write(&forbid, "").expect("a policy");
    assert!(soon(200), "{}", firewall.log());
}

#[test]
fn temporary_rules_stay_through_a_reload() {
    let place = Place::new("policy: { preset: developer }\n");
    let id = place.add("--deny exec --for 1h");
    let config = place.firewall.folder().join("config.yaml");
    let text = fs::read_to_string(&config).expect("the configuration");
    fs::write(&config, text.replace("preset: developer", "preset: open")).expect("the configuration");
    let taken = || place.firewall.log().contains("preset open, mode enforce, 1 temporary rule");
    assert!(eventually(Duration::from_secs(5), taken), "{}", place.firewall.log());
    assert!(place.exec().err.contains(&format!("rules/{id}")));
}

#[test]
fn a_firewall_without_a_watch_waits_to_be_told() {
    let place = Place::new("reload: { watch: false }\npolicy: { preset: developer }\n");
    let config = place.firewall.folder().join("config.yaml");
    let text = fs::read_to_string(&config).expect("the configuration");
    fs::write(&config, text.replace("preset: developer", "preset: none")).expect("the configuration");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(place.shell.run("docker ps").code, 0);
}
