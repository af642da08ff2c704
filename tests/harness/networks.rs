//! Three networks in a row: a client's, the firewall's, a daemon's. All that the client and the daemon say to one another
//! goes through the firewall's, where rules of the kernel can send it elsewhere.

use super::{Engine, eventually};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// Where the daemon is, as the client sees it.
pub const DAEMON: &str = "10.77.2.2:2375";
/// The same by IPv6.
pub const DAEMON_6: &str = "[fd77:2::2]:2375";
/// Where the client is.
pub const CLIENT: &str = "10.77.1.2";
/// Where the firewall is, as the client sees it.
pub const FIREWALL: &str = "10.77.1.1";

/// The networks; they go when dropped, the daemon's with the daemon.
pub struct Networks {
    client: String,
    firewall: String,
}

impl Networks {
    /// Puts a daemon that answers over TCP into such a row.
    pub fn around(engine: &Engine) -> Networks {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = |what: &str| format!("dockwarden-{what}-{}-{number}", std::process::id());
        let networks = Networks { client: name("client"), firewall: name("firewall") };
        let made = run(&format!("C={} F={} D={}\n{ROW}", networks.client, networks.firewall, engine.pid()));
        assert!(made.is_ok(), "{made:?}");
        networks
    }

    /// A line of shell in the firewall's network; what it says where it fails.
    pub fn rule(&self, line: &str) -> Result<(), String> {
        let line = line.replace('\'', "'\\''");
        run(&format!("ip netns exec {} bash -ec '{line}'", self.firewall))
    }

    /// What a line of the client's shell begins with.
    pub fn client(&self) -> String {
        format!("ip netns exec {} ", self.client)
    }

    /// The binary in the firewall's network, in a folder of its own with these files.
    pub fn serve(&self, arguments: &[&str], files: &[(&str, &str)]) -> Served {
        let place = tempfile::Builder::new().prefix("dockwarden-e2e.").tempdir_in("/tmp").expect("a folder");
        for (name, text) in files {
            fs::write(place.path().join(name), text).expect("a file");
        }
        let log = fs::File::create(place.path().join("log")).expect("the log");
        let process = Command::new("ip")
            .args(["netns", "exec", &self.firewall, &binary()])
            .args(arguments)
            .current_dir(place.path())
            .env("XDG_STATE_HOME", place.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log"))
            .stderr(log)
            .spawn()
            .expect("ip netns exec");
        let mut served = Served { process, place };
        let up = eventually(Duration::from_secs(20), || {
            served.log().contains("listening on") || served.process.try_wait().expect("its status").is_some()
        });
        assert!(up && served.log().contains("listening on"), "it did not come up; it said:\n{}", served.log());
        served
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        let _ = run(&format!("ip netns del {}; ip netns del {}", self.client, self.firewall));
    }
}

/// A running binary; killed when dropped.
pub struct Served {
    process: Child,
    place: TempDir,
}

impl Served {
    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.place.path()
    }

    /// What it said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.place.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("it said:\n{}", self.log());
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The binary just built, or the one that `DOCKWARDEN` names.
pub fn binary() -> String {
    let named = std::env::var_os("DOCKWARDEN").map(PathBuf::from);
    named.unwrap_or_else(|| env!("CARGO_BIN_EXE_dockwarden").into()).display().to_string()
}

fn run(script: &str) -> Result<(), String> {
    let ended = Command::new("bash").args(["-c", script]).stdin(Stdio::null()).output().expect("bash");
    if ended.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&ended.stderr).trim().to_owned()) }
}

const ROW: &str = "
set -e
ip netns add $C
ip netns add $F
ip link add c0 netns $C type veth peer name f0 netns $F
ip link add f1 netns $F type veth peer name d0 netns $D
c() { ip netns exec $C ip \"$@\"; }
f() { ip netns exec $F ip \"$@\"; }
d() { nsenter --net --target $D ip \"$@\"; }
c addr add 10.77.1.2/24 dev c0; c -6 addr add fd77:1::2/64 dev c0 nodad
f addr add 10.77.1.1/24 dev f0; f -6 addr add fd77:1::1/64 dev f0 nodad
f addr add 10.77.2.1/24 dev f1; f -6 addr add fd77:2::1/64 dev f1 nodad
d addr add 10.77.2.2/24 dev d0; d -6 addr add fd77:2::2/64 dev d0 nodad
c link set lo up; c link set c0 up
f link set lo up; f link set f0 up; f link set f1 up
d link set d0 up
c route add default via 10.77.1.1; c -6 route add default via fd77:1::1
d route add 10.77.1.0/24 via 10.77.2.1; d -6 route add fd77:1::/64 via fd77:2::1
ip netns exec $F sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
";
