//! Bundles of Rego policies: packed, signed, and fetched from a server that comes and goes.

use crate::harness::{Engine, Firewall, eventually, http, repository};
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A folder with a bundle, and what is needed to sign and to serve it.
struct Maker(TempDir);

impl Maker {
    fn new() -> Maker {
        let place = tempfile::tempdir().expect("a folder");
        for folder in ["bundle/docker", "served"] {
            fs::create_dir_all(place.path().join(folder)).expect("a folder");
        }
        fs::write(place.path().join("served/token"), "Bearer geheim").expect("a token");
        fs::set_permissions(place.path().join("served/token"), Permissions::from_mode(0o600)).expect("its mode");
        let maker = Maker(place);
        for key in ["key", "other"] {
            maker.tool("openssl", &["genrsa", "-out", key, "2048"]);
            maker.tool("openssl", &["rsa", "-in", key, "-pubout", "-out", &format!("{key}.pem")]);
        }
        maker
    }

    fn tool(&self, program: &str, arguments: &[&str]) {
        let ended = Command::new(program).args(arguments).current_dir(self.0.path()).output().expect(program);
        assert!(ended.status.success(), "{ended:?}");
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// Puts a bundle with this policy at a place, signed with a key where one is named.
    fn pack(&self, policy: &str, to: &str, key: Option<&str>) {
        let policy = format!("package docker.authz\n\n{policy}\n");
        fs::write(self.0.path().join("bundle/docker/authz.rego"), policy).expect("the policy");
        fs::write(self.0.path().join("bundle/.manifest"), r#"{"roots": ["docker"]}"#).expect("the manifest");
        let tool = repository().join("tests/harness/bundles.py").display().to_string();
        let arguments = [vec![tool.as_str(), "pack", "bundle", to], key.into_iter().collect()].concat();
        self.tool("python3", &arguments);
    }

    /// Serves on a port, or on a new one.
    fn serve(&self, port: Option<u16>) -> Server {
        let said = self.0.path().join("said");
        let out = fs::File::create(&said).expect("a file");
        let tool = repository().join("tests/harness/bundles.py");
        let mut command = Command::new("python3");
        command.arg(tool).args(["serve", "served"]).args(port.map(|port| port.to_string()));
        let process = command.current_dir(self.0.path()).stdout(out).stdin(Stdio::null()).spawn().expect("python3");
        let read = || fs::read_to_string(&said).unwrap_or_default();
        assert!(eventually(Duration::from_secs(20), || read().contains('\n')));
        let port = read().lines().next().and_then(|line| line.parse().ok()).expect("its port");
        Server { process, port, said }
    }
}

struct Server {
    process: Child,
    port: u16,
    said: std::path::PathBuf,
}

impl Server {
    /// How often it has answered so.
    fn answered(&self, status: &str) -> usize {
        let said = fs::read_to_string(&self.said).unwrap_or_default();
        said.lines().filter(|line| line.starts_with(status)).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn check(config: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dockwarden"));
    command.arg("check").arg("--config").arg(config).stdin(Stdio::null()).output().expect("the binary")
}

/// The status of a list that the policies are about.
fn status(firewall: &Firewall) -> u16 {
    http::call(&firewall.socket(), "GET", "/info", None).0
}

const SOON: Duration = Duration::from_secs(20);
const ALL: &str = "allow := true";
const NO_INFO: &str = "allow if not endswith(input.Path, \"/info\")";

#[test]
fn a_bundle_that_is_fetched_is_signed_and_the_last_good_one_stays() {
    let (engine, maker) = (Engine::start(), Maker::new());
    maker.pack(ALL, "served/docker.tar.gz", Some("key"));
    let server = maker.serve(None);
    let port = server.port;
    let section = format!(
        "policy:\n  preset: open\n  rego:\n    bundle:\n      url: http://127.0.0.1:{port}/docker.tar.gz\n      poll: 1s\n      \
         header: {{ Authorization: {} }}\n    verify: {{ key: {} }}\n",
        maker.path("served/token"),
        maker.path("key.pem"),
    );
    let mut firewall = Firewall::start(engine.socket(), |_| section);
    assert_eq!(status(&firewall), 200);
    assert!(eventually(SOON, || server.answered("304") >= 2), "it is asked for again, by its ETag");
    assert_eq!(server.answered("200"), 1);

    maker.pack(NO_INFO, "served/docker.tar.gz", Some("key"));
    assert!(eventually(SOON, || status(&firewall) == 403), "{}", firewall.log());
    let refused = http::call(&firewall.socket(), "GET", "/info", None).1;
    assert!(
        refused.contains("policy docker.tar.gz/docker/authz.rego:3 (data.docker.authz.allow) is undefined"),
        "{refused}"
    );

    // Signed by somebody else, by nobody, and signed but broken: it stays as it is, and the log says why.
    for (policy, key, words) in [
        (ALL, Some("other"), "`docker.tar.gz` is not used: its signature is not good by `verify`"),
        (ALL, None, "`docker.tar.gz` is not used: it is not signed"),
        ("allow :=", Some("key"), "docker.tar.gz/docker/authz.rego:4"),
        ("package x\nallow := true", Some("key"), "docker.tar.gz/docker/authz.rego:"),
    ] {
        maker.pack(policy, "served/docker.tar.gz", key);
        assert!(eventually(SOON, || firewall.log().contains(words)), "{words}: {}", firewall.log());
        assert_eq!(status(&firewall), 403, "{words}");
    }
    // Started anew, and its server has nothing good to give, or is away.
    firewall.kill_and_start_again();
    assert!(firewall.log().contains("the last good bundle decides, for the server's is faulty"), "{}", firewall.log());
    assert_eq!(status(&firewall), 403);
    drop(server);
    assert!(eventually(SOON, || firewall.log().contains("bundle `docker.tar.gz` stays as it is: 127.0.0.1")));
    firewall.kill_and_start_again();
    assert!(firewall.log().contains("for a newer one cannot be fetched: 127.0.0.1"), "{}", firewall.log());
    assert_eq!(status(&firewall), 403);

    maker.pack(ALL, "served/docker.tar.gz", Some("key"));
    let server = maker.serve(Some(port));
    assert!(eventually(SOON, || status(&firewall) == 200), "{}", firewall.log());
    assert!(firewall.log().contains("bundle `docker.tar.gz` can be fetched again"), "{}", firewall.log());

    // The key follows the bundle that it fits, which was refused until then.
    maker.pack(NO_INFO, "served/docker.tar.gz", Some("other"));
    assert!(eventually(SOON, || server.answered("200") >= 2), "it is fetched");
    assert_eq!(status(&firewall), 200);
    fs::copy(maker.path("other.pem"), maker.path("key.pem")).expect("a new key");
    assert!(eventually(SOON, || status(&firewall) == 403), "{}", firewall.log());

    // Nowhere is told what is secret; and a start that knows no good one says so.
    assert!(!firewall.log().contains("geheim"));
    fs::write(maker.path("served/token"), "Bearer another").expect("a token");
    drop(server);
    let config = fs::read_to_string(firewall.folder().join("config.yaml")).expect("the configuration");
    let elsewhere = Path::new(&maker.path("fresh.yaml")).to_owned();
    let state = firewall.folder().join("state.db").display().to_string();
    fs::write(&elsewhere, config.replace(&state, &maker.path("state.db"))).expect("a configuration");
    let said = check(&elsewhere);
    let out = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.code() == Some(3) && out.contains("cannot be fetched, and none is kept"), "{out}");
}

#[test]
fn a_reload_that_waits_does_not_keep_signals_waiting() {
    let (engine, maker) = (Engine::start(), Maker::new());
    maker.pack(ALL, "served/docker.tar.gz", None);
    let server = maker.serve(None);
    let port = server.port;
    let mut firewall = Firewall::start(engine.socket(), |_| {
        format!(
            "policy:\n  preset: open\n  rego:\n    bundle:\n      url: http://127.0.0.1:{port}/docker.tar.gz\n      \
             poll: 1h\n      header: {{ Authorization: {} }}\n",
            maker.path("served/token")
        )
    });
    assert!(firewall.log().contains("bundle `docker.tar.gz`, which names no revision"), "{}", firewall.log());
    drop(server);
    // Somebody who takes questions, and answers none.
    let silent = TcpListener::bind(("127.0.0.1", port)).expect("the same port");
    firewall.signal("HUP");
    let (_asked, _) = silent.accept().expect("a question");
    assert_eq!(status(&firewall), 200);
    firewall.terminate();
    assert!(eventually(Duration::from_secs(5), || firewall.ended().is_some()), "{}", firewall.log());
}

#[test]
fn a_packed_bundle_is_a_file_like_others() {
    let (engine, maker) = (Engine::start(), Maker::new());
    maker.pack(ALL, "policy.tar.gz", None);
    let packed = maker.path("policy.tar.gz");
    let firewall = Firewall::start(engine.socket(), |_| format!("policy:\n  preset: open\n  rego: [{packed}]\n"));
    assert_eq!(status(&firewall), 200);
    fs::write(&packed, "no bundle").expect("the bundle");
    let words = "policy.tar.gz` is not used: it is not packed as bundles are";
    assert!(eventually(SOON, || firewall.log().contains(words)), "{}", firewall.log());
    assert_eq!(status(&firewall), 200);
    maker.pack(NO_INFO, "policy.tar.gz", None);
    assert!(eventually(SOON, || status(&firewall) == 403), "{}", firewall.log());
}

#[test]
fn a_folder_is_signed_like_a_bundle() {
    let maker = Maker::new();
    maker.pack(ALL, "policy.tar.gz", Some("key"));
    let folder = maker.path("bundle");
    let config = Path::new(&maker.path("config.yaml")).to_owned();
    let said = |rest: &str| {
        fs::write(&config, format!("policy:\n  rego:\n{rest}")).expect("the configuration");
        let said = check(&config);
        (said.status.code(), String::from_utf8_lossy(&said.stdout).into_owned())
    };
    let with_key = format!("    verify: {{ key: {} }}\n", maker.path("key.pem"));
    let (code, out) = said(&format!("    files: [{folder}]\n{with_key}"));
    assert!(code == Some(0) && out.contains("1 Rego file"), "{out}");
    let (code, out) = said(&format!("    files: [{folder}]\n"));
    assert!(code == Some(3) && out.contains("nothing says whose signature counts"), "{out}");
    let (code, out) = said(&format!("    files: [{folder}/docker/authz.rego]\n{with_key}"));
    assert!(code == Some(3) && out.contains("a file alone cannot be signed"), "{out}");
    fs::write(Path::new(&folder).join("docker/more.rego"), "package docker.authz\n").expect("another file");
    let (code, out) = said(&format!("    files: [{folder}]\n{with_key}"));
    assert!(code == Some(3) && out.contains("its file `docker/more.rego` is not signed"), "{out}");
    let outside = "package elsewhere\n";
    fs::write(Path::new(&folder).join("docker/more.rego"), outside).expect("another file");
    fs::remove_file(Path::new(&folder).join(".signatures.json")).expect("no signature");
    let (code, out) = said(&format!("    files: [{folder}]\n"));
    assert!(code == Some(3) && out.contains("it defines `elsewhere`, outside of the `roots`"), "{out}");
}
