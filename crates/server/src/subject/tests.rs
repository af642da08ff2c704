//! Peers as the kernel shows them, certificates as Go reads them, cgroups as attackers write them.

use super::*;
use crate::tls::tests::Files;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::net::SocketAddr;

const ID: &str = "4f5e6d7c8b9a0123456789abcdef0123456789abcdef0123456789abcdef0123";
const FALSE: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

fn ids(cgroup: &str) -> Vec<String> {
    process::containers(cgroup).into_iter().collect()
}

#[test]
fn containers_are_found_in_v1_and_v2_paths() {
    for cgroup in [
        format!("12:pids:/docker/{ID}\n11:cpu,cpuacct:/docker/{ID}\n0::/\n"),
        format!("0::/system.slice/docker-{ID}.scope\n"),
        format!("0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-{ID}.scope"),
        format!("0::/kubepods/besteffort/pod0f1b/cri-containerd-{ID}.scope"),
        format!("0::/../{ID}"),
        // Docker in docker moves its processes down; a privileged container can too.
        format!("0::/docker/{ID}/init"),
        format!("1:name=systemd:/a:b/docker/{ID}"),
    ] {
        assert_eq!(ids(&cgroup), [ID], "{cgroup}");
    }
}

#[test]
fn what_is_no_container_is_none() {
    for cgroup in [
        "0::/user.slice/user-1000.slice/session-3.scope\n",
        "0::/",
        "0::/system.slice/docker.service",
        "0::/docker/4f5e6d7c8b9a",
        "",
    ] {
        assert!(ids(cgroup).is_empty(), "{cgroup}");
    }
    assert!(ids(&format!("0::/docker/{}", ID.to_uppercase())).is_empty());
    assert!(ids(&format!("0::/docker/{ID}0")).is_empty());
}

#[test]
fn a_false_id_above_or_below_makes_a_doubt() {
    assert_eq!(ids(&format!("0::/evil/docker/{FALSE}/{ID}")), [ID, FALSE]);
    assert_eq!(ids(&format!("0::/docker/{ID}/{FALSE}")), [ID, FALSE]);
}

fn held(pid: u32) -> std::os::fd::OwnedFd {
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap()
}

#[tokio::test]
async fn a_process_of_this_host_is_its_user() {
    let me = nix::unistd::getuid();
    let name = nix::unistd::User::from_uid(me).unwrap().unwrap().name;
    let peer = Peer::Unix {
        uid: me.as_raw(),
        gid: 4_000_001,
        groups: vec![4_000_002],
        process: Process::Held { pid: std::process::id().cast_signed(), pidfd: held(std::process::id()) },
    };
    let subject = Identifier::new().identify(peer).await.unwrap();
    assert_eq!(subject.user, name);
    assert_eq!(subject.groups, ["gid:4000001", "gid:4000002"], "the primary group too");
    assert_eq!(subject.uid, Some(me.as_raw()));
    assert_eq!(subject.container, None);
}

#[tokio::test]
async fn a_uid_without_a_name_is_called_by_its_number() {
    let names = Names::new(REMEMBER);
    let found = names.of(4_000_003, BTreeSet::from([0])).await.unwrap();
    assert_eq!(found, ("uid:4000003".to_owned(), vec!["root".to_owned()]));
}

#[tokio::test]
async fn a_process_that_has_ended_is_nobody() {
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let pidfd = held(child.id());
    assert_eq!(process::home(child.id().cast_signed(), &pidfd, &BTreeSet::new()).unwrap(), {
        let own = std::process::id();
        process::home(own.cast_signed(), &held(own), &BTreeSet::new()).unwrap()
    });
    child.kill().unwrap();
    child.wait().unwrap();
    let process = Process::Held { pid: child.id().cast_signed(), pidfd };
    let peer = Peer::Unix { uid: 0, gid: 0, groups: vec![], process };
    let error = Identifier::new().identify(peer).await.unwrap_err();
    assert!(matches!(error, IdentifyError::Gone), "{error}");
    let peer = Peer::Unix { uid: 0, gid: 0, groups: vec![], process: Process::Gone };
    assert!(matches!(Identifier::new().identify(peer).await, Err(IdentifyError::Gone)));
}

#[tokio::test]
async fn root_in_a_process_namespace_of_its_own_is_not_root() {
    let sandbox = std::process::Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc", "--kill-child", "sleep", "60"])
        .spawn();
    let Ok(mut sandbox) = sandbox else { return eprintln!("SKIPPED: no unshare(1)") };
    let children = format!("/proc/{0}/task/{0}/children", sandbox.id());
    let mut inner = None;
    for _ in 0..50 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        inner = std::fs::read_to_string(&children).ok().and_then(|text| text.trim().parse::<u32>().ok());
        if inner.is_some() {
            break;
        }
    }
    let Some(inner) = inner else { return eprintln!("SKIPPED: may not make a process namespace") };
    let process = Process::Held { pid: inner.cast_signed(), pidfd: held(inner) };
    let peer = Peer::Unix { uid: 0, gid: 0, groups: vec![0], process };
    let subject = Identifier::new().identify(peer).await.unwrap();
    sandbox.kill().unwrap();
    sandbox.wait().unwrap();
    assert_eq!((subject.user.as_str(), subject.uid), ("uid:0", None));
    assert!(subject.groups.is_empty());
}

#[tokio::test]
async fn a_process_that_cannot_be_seen_has_no_groups() {
    let peer = Peer::Unix { uid: 0, gid: 0, groups: vec![0, 5], process: Process::Elsewhere };
    let subject = Identifier::new().identify(peer).await.unwrap();
    assert_eq!((subject.user.as_str(), subject.groups.len(), subject.uid), ("uid:0", 0, None));
    assert_eq!(subject.proof, Proof::PeerCredentials { uid: 0, gid: 0, pid: None });
}

#[test]
fn root_in_a_container_is_the_container() {
    let subject = container(ID.to_owned(), Proof::PeerCredentials { uid: 0, gid: 0, pid: Some(7) });
    assert_eq!(subject.user, format!("container:{ID}"));
    assert_eq!(subject.groups, ["containers"]);
    assert_eq!((subject.uid, subject.container.as_deref()), (None, Some(ID)));
}

/// A process in a cgroup named like a container, where the test may make one.
#[tokio::test]
async fn the_container_of_a_real_process_is_found() {
    let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/pids"].map(std::path::Path::new);
    let made = roots.iter().filter(|root| root.join("cgroup.procs").exists()).find_map(|root| {
        let path = root.join(format!("docker-{ID}.scope"));
        std::fs::create_dir(&path).ok().map(|()| path)
    });
    let Some(cgroup) = made else { return eprintln!("SKIPPED: may not make a cgroup") };
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let moved = std::fs::write(cgroup.join("cgroup.procs"), child.id().to_string());
    let process = Process::Held { pid: child.id().cast_signed(), pidfd: held(child.id()) };
    let subject = Identifier::new().identify(Peer::Unix { uid: 0, gid: 0, groups: vec![], process }).await;
    child.kill().unwrap();
    child.wait().unwrap();
    std::fs::remove_dir(&cgroup).unwrap();
    if moved.is_err() {
        return eprintln!("SKIPPED: may not move a process");
    }
    assert_eq!(subject.unwrap().user, format!("container:{ID}"));
}

#[tokio::test]
async fn plain_network_peers_are_addresses() {
    for (address, user) in [
        ("192.0.2.1:4711", "address:192.0.2.1"),
        ("[::ffff:192.0.2.1]:4711", "address:192.0.2.1"),
        ("[2001:db8::1]:4711", "address:2001:db8::1"),
    ] {
        let address: SocketAddr = address.parse().unwrap();
        let subject = Identifier::new().identify(Peer::Tcp { address, certificate: None }).await.unwrap();
        assert_eq!((subject.user.as_str(), &subject.proof), (user, &Proof::Address));
    }
}

fn named(common_names: &[&str], mails: &[&str]) -> Result<certificate::Named, String> {
    let files = Files::make();
    let (file, _) = files.client(common_names, mails);
    let certificate = CertificateDer::from_pem_file(file).unwrap();
    certificate::named(&certificate).map_err(|error| error.to_string())
}

#[test]
fn the_common_name_is_the_user_else_the_first_mail_address() {
    assert_eq!(named(&["alice"], &["a@example.test"]).unwrap().user, "alice");
    let named = named(&[], &["a@example.test", "b@example.test"]).unwrap();
    assert_eq!((named.user.as_str(), named.common_name), ("a@example.test", None));
    assert_eq!(named.names, ["email:a@example.test", "email:b@example.test"]);
}

#[test]
fn a_certificate_may_not_borrow_another_kind_of_name() {
    for name in ["uid:0", "container:4f5e", "address:127.0.0.1", "gid:0"] {
        let error = named(&[name], &[]).unwrap_err();
        assert!(error.contains("are for other subjects"), "{error}");
    }
    assert!(named(&["root\nallowed"], &[]).unwrap_err().contains("control characters"));
    assert!(named(&["root "], &[]).unwrap_err().contains("space"));
    assert!(named(&[], &[]).unwrap_err().contains("neither a common name nor"));
}
