//! Who asks: users of the host, containers that were given the socket, clients with certificates. The policy and
//! the record must mean the same subject, and a container's root must never be the host's.

use crate::harness::{Cli, Engine, Firewall, Kind, Shell, skipped};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Root may look at containers, everybody else may not.
const ROOT_ONLY: &str =
    "groups: { admins: [root] }\npolicy:\n  preset: none\n  rules:\n    - allow: ps\n      to: admins\n";

#[test]
fn users_of_the_host_are_known_by_their_names() {
    let engine = Engine::start();
    let firewall = Firewall::start(engine.socket(), |_| ROOT_ONLY.to_owned());
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    shell.must("docker ps");
    open_to_all(&firewall.socket());
    let refused = shell.run(
        "setpriv --reuid=65534 --regid=65534 --clear-groups curl -s --unix-socket $SOCKET http://d/containers/json",
    );
    assert!(refused.out.contains("may not"), "{refused:?}");
    let subject = |at: usize| firewall.records()[at]["subject"].clone();
    let last = firewall.records().len() - 1;
    assert_eq!(subject(0)["user"], "root");
    assert_eq!((subject(last)["user"].clone(), subject(last)["uid"].clone()), ("nobody".into(), 65534.into()));
}

#[test]
fn root_in_a_container_is_not_root_of_the_host() {
    let engine = Engine::start();
    if engine.kind() == Kind::Modern {
        return skipped("root_in_a_container_is_not_root_of_the_host", "the engine's root does not see our socket");
    }
    let firewall = Firewall::start(engine.socket(), |_| ROOT_ONLY.to_owned());
    // On the daemon itself, past the firewall: somebody gave a container the firewall's socket and a curl.
    let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
    let line = format!(
        "docker run --rm --network none -v /:/host tiny busybox chroot /host \
         curl -s --unix-socket {} http://d/containers/json",
        firewall.socket().display()
    );
    let refused = direct.run(&line);
    assert!(refused.out.contains("may not"), "{refused:?}");
    let record = firewall.records().pop().expect("a record");
    let user = record["subject"]["user"].as_str().expect("a user");
    let container = user.strip_prefix("container:").unwrap_or_else(|| panic!("`{user}` is no container"));
    assert_eq!(container.len(), 64);
    assert_eq!(record["subject"]["uid"], Value::Null);
}

#[test]
fn clients_with_certificates_are_known_by_them() {
    let engine = Engine::start();
    let port = 20_000 + std::process::id() % 20_000;
    let firewall = Firewall::start(engine.socket(), |folder| {
        certificates(folder);
        // A second way in, beside the socket that the harness waits for.
        let listen = format!(
            "  - address: 127.0.0.1:{port}\n    tls: {{ certificate: server.pem, key: server.key, client_ca: ca.pem }}\n"
        );
        fs::write(folder.join("listen"), listen).expect("a note");
        "policy:\n  preset: none\n  rules:\n    - allow: ps\n      to: user:alice\n".to_owned()
    });
    let folder = firewall.folder();
    let shell = Shell::new(&firewall.socket(), Cli::Machine);
    let docker = |name: &str| {
        format!(
            "env -u DOCKER_HOST docker -H tcp://127.0.0.1:{port} --tlsverify --tlscacert {f}/ca.pem --tlscert {f}/{name}.pem \
             --tlskey {f}/{name}.key ps",
            f = folder.display()
        )
    };
    shell.must(&docker("alice"));
    let refused = shell.run(&docker("bob"));
    assert!(refused.err.contains("may not list containers"), "{refused:?}");
    let users: Vec<Value> = firewall.records().iter().map(|record| record["subject"]["user"].clone()).collect();
    assert!(users.contains(&"alice".into()) && users.contains(&"bob".into()), "{users:?}");
    // Without a certificate nobody gets as far as asking.
    let nobody = shell.run(&format!("curl -sS --cacert {}/ca.pem https://127.0.0.1:{port}/_ping", folder.display()));
    assert_ne!(nobody.code, 0, "{nobody:?}");
}

/// Lets every user of the host connect.
pub fn open_to_all(socket: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o666)).expect("the socket's mode");
    let folder = socket.parent().expect("its folder");
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("the folder's mode");
}

/// A throw-away authority, a server, and two clients.
pub fn certificates(folder: &Path) {
    let script = r#"
        set -e
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.pem
        make() { # name, extensions
          openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout $1.key -out $1.csr
          printf '%s\n' "$2" >$1.ext
          openssl x509 -req -days 2 -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile $1.ext -out $1.pem
        }
        make server 'subjectAltName=IP:127.0.0.1'
        make alice 'extendedKeyUsage=clientAuth'
        make bob 'extendedKeyUsage=clientAuth'
    "#;
    let made = Command::new("bash").args(["-c", script]).current_dir(folder).output().expect("openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}
