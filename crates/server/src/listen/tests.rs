//! Real sockets in a directory of the test's own.

use super::*;
use crate::tls::tests::{Files, Scratch};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn spec(path: &Path) -> ListenSpec {
    let path = path.to_owned();
    ListenSpec { address: ListenAddress::Unix { path, mode: None, owner: None, group: None }, tls: None }
}

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_client_comes_in_and_is_known() {
    let scratch = Scratch::new();
    let path = scratch.0.join("docker.sock");
    let listener = Listener::bind(spec(&path)).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    let (client, accepted) = tokio::join!(tokio::net::UnixStream::connect(&path), listener.accept());
    let (mut stream, peer) = accepted.open(SOON).await.unwrap();
    client.unwrap().write_all(b"GET").await.unwrap();
    let mut head = Vec::new();
    stream.read_to_end(&mut head).await.unwrap();
    assert_eq!(head, b"GET");
    let Peer::Unix { uid, gid, process: Process::Held { pid, .. }, .. } = peer else { panic!("{peer:?}") };
    assert_eq!(uid, nix::unistd::getuid().as_raw());
    assert_eq!(gid, nix::unistd::getgid().as_raw());
    assert_eq!(pid, std::process::id().cast_signed());
}

#[tokio::test]
async fn mode_and_owner_are_as_configured() {
    if !nix::unistd::getuid().is_root() {
        return eprintln!("SKIPPED: only root may give sockets away");
    }
    let scratch = Scratch::new();
    let path = scratch.0.join("s");
    let address = ListenAddress::Unix {
        path: path.clone(),
        mode: Some(0o606),
        owner: Some("4321".to_owned()),
        group: Some("1234".to_owned()),
    };
    let _listener = Listener::bind(ListenSpec { address, tls: None }).unwrap();
    let found = std::fs::metadata(&path).unwrap();
    assert_eq!((found.mode() & 0o777, found.uid(), found.gid()), (0o606, 4321, 1234));
}

#[tokio::test]
async fn a_living_socket_stays_a_stale_one_is_replaced_ours_is_removed() {
    let scratch = Scratch::new();
    let path = scratch.0.join("docker.sock");
    let first = Listener::bind(spec(&path)).unwrap();
    let error = Listener::bind(spec(&path)).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "cannot listen on `{}`: another process is answering on this socket; stop it first or choose another path",
            path.display()
        )
    );
    drop(first);
    assert!(!path.exists(), "removed on drop");
    // What a crash leaves behind.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let second = Listener::bind(spec(&path)).unwrap();
    // Somebody else's socket in the place of ours.
    std::fs::remove_file(&path).unwrap();
    let _other = std::os::unix::net::UnixListener::bind(&path).unwrap();
    drop(second);
    assert!(path.exists(), "not ours to remove");
}

#[tokio::test]
async fn what_is_not_a_socket_is_never_removed() {
    let scratch = Scratch::new();
    let path = scratch.0.join("notes");
    std::fs::write(&path, "precious").unwrap();
    assert!(matches!(Listener::bind(spec(&path)), Err(ListenError::NotASocket { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    let link = scratch.0.join("link");
    std::os::unix::fs::symlink(scratch.0.join("elsewhere"), &link).unwrap();
    assert!(matches!(Listener::bind(spec(&link)), Err(ListenError::NotASocket { .. })));
}

#[tokio::test]
async fn mistakes_in_the_path_are_explained() {
    let long = format!("/tmp/{}", "x".repeat(120));
    for (path, part) in [
        ("docker.sock", "must be absolute"),
        (&*long, "too long"),
        ("/tmp/no-such-directory-of-dockwarden/s", "create it first"),
    ] {
        let error = Listener::bind(spec(Path::new(path))).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let address = ListenAddress::Unix {
        path: "/tmp/s".into(),
        mode: None,
        owner: None,
        group: Some("no-such-group-here".to_owned()),
    };
    let error = Listener::bind(ListenSpec { address, tls: None }).unwrap_err().to_string();
    assert_eq!(error, "cannot listen on `/tmp/s`: there is no group `no-such-group-here` on this host");
}

#[tokio::test]
async fn sockets_from_systemd_are_checked() {
    let scratch = Scratch::new();
    let listening = std::os::unix::net::UnixListener::bind(scratch.0.join("s")).unwrap();
    assert!(matches!(inherited::check_and_wrap(listening.into()), Ok(Socket::Unix { _file: None, .. })));
    let listening = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(matches!(inherited::check_and_wrap(listening.into()), Ok(Socket::Tcp(_))));
    let (connected, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    assert!(inherited::check_and_wrap(connected.into()).is_err());
    let datagrams = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    assert!(inherited::check_and_wrap(datagrams.into()).is_err());
    let address = ListenAddress::Inherited("gateway".to_owned());
    let error = Listener::bind(ListenSpec { address, tls: None }).unwrap_err().to_string();
    assert_eq!(
        error,
        "cannot take over socket `gateway` from systemd: no sockets were handed over; start through the socket unit"
    );
}

fn tls_listener(files: &Files) -> Listener {
    let tls = crate::tls::server_config(&files.certificate, &files.key, Some(&files.ca)).unwrap();
    let address = ListenAddress::Tcp("127.0.0.1:0".parse().unwrap());
    Listener::bind(ListenSpec { address, tls: Some(tls.config) }).unwrap()
}

async fn connect(files: &Files, to: SocketAddr, pair: Option<(PathBuf, PathBuf)>) -> io::Result<()> {
    let (certificate, key) = pair.unzip();
    let config = crate::tls::client_config(&files.ca, certificate.as_deref(), key.as_deref()).unwrap();
    let stream = TcpStream::connect(to).await?;
    let name = "localhost".try_into().unwrap();
    let mut stream = tokio_rustls::TlsConnector::from(config.config).connect(name, stream).await?;
    stream.read_u8().await.map(drop)
}

#[tokio::test]
async fn under_tls_the_certificate_is_required_and_names_the_client() {
    let files = Files::make();
    let listener = tls_listener(&files);
    let to = listener.local_addr().unwrap();
    let serve = async {
        let (mut stream, peer) = listener.accept().await.open(SOON).await?;
        let _ = stream.write_all(b"!").await;
        let _ = stream.shutdown().await;
        Ok::<_, HandshakeError>(crate::subject::Identifier::new().identify(peer).await.unwrap())
    };
    let pair = files.client(&["alice"], &["a@example.test"]);
    let (client, subject) = tokio::join!(connect(&files, to, Some(pair)), serve);
    client.unwrap();
    let subject = subject.unwrap();
    assert_eq!((subject.user.as_str(), subject.address), ("alice", Some(to.ip())));
    let serve = async { listener.accept().await.open(SOON).await.map(drop) };
    let (client, served) = tokio::join!(connect(&files, to, None), serve);
    assert!(client.is_err() && matches!(served, Err(HandshakeError::Failed(_))));
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_ended() {
    let files = Files::make();
    let listener = tls_listener(&files);
    let _silent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let accepted = listener.accept().await;
    let error = accepted.open(Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(error, HandshakeError::TooSlow(_)), "{error}");
}

#[tokio::test]
async fn tls_on_a_local_socket_is_a_mistake() {
    let files = Files::make();
    let tls = crate::tls::server_config(&files.certificate, &files.key, None).unwrap().config;
    let path = files.scratch.0.join("s");
    let error = Listener::bind(ListenSpec { tls: Some(tls), ..spec(&path) }).unwrap_err();
    assert!(matches!(error, ListenError::TlsOnUnix { .. }));
    assert!(!path.exists());
}

#[test]
fn running_out_of_descriptors_is_not_about_one_client() {
    for code in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM, libc::EINVAL] {
        assert!(!one_client_only(&io::Error::from_raw_os_error(code)), "{code}");
    }
    for code in [libc::ECONNABORTED, libc::EINTR, libc::ECONNRESET, libc::EPERM] {
        assert!(one_client_only(&io::Error::from_raw_os_error(code)), "{code}");
    }
}

/// Runs one of the ignored tests below in a process of its own, under `setup` and with `stdin`.
fn alone(test: &str, setup: &str, stdin: std::process::Stdio) {
    let script = format!("{setup}; exec \"$0\" --ignored --exact --nocapture listen::tests::{test}");
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().unwrap())
        .stdin(stdin)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn a_socket_from_systemd_is_taken_over() {
    let scratch = Scratch::new();
    let path = scratch.0.join("s");
    let socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let _waiting = std::os::unix::net::UnixStream::connect(&path).unwrap();
    let setup = "export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=gateway; exec 3<&0";
    alone("in_a_process_started_by_systemd", setup, std::os::fd::OwnedFd::from(socket).into());
    assert!(path.exists(), "systemd's file is not ours to remove");
}

#[tokio::test]
#[ignore = "run by a_socket_from_systemd_is_taken_over"]
async fn in_a_process_started_by_systemd() {
    let inherited = |name: &str| ListenSpec { address: ListenAddress::Inherited(name.to_owned()), tls: None };
    for name in ["gateway", "0", "gateway"] {
        drop(Listener::bind(inherited(name)).unwrap());
    }
    let error = Listener::bind(inherited("plugin")).unwrap_err().to_string();
    assert!(error.ends_with("there is none; handed over were `gateway`"), "{error}");
    let listener = Listener::bind(inherited("gateway")).unwrap();
    let accepted = tokio::time::timeout(SOON, listener.accept()).await.unwrap();
    assert!(matches!(accepted.peer, Peer::Unix { .. }));
}

#[test]
fn without_descriptors_accept_waits_and_goes_on() {
    alone("in_a_process_with_few_descriptors", "ulimit -n 40", std::process::Stdio::null());
}

#[tokio::test]
#[ignore = "run by without_descriptors_accept_waits_and_goes_on"]
async fn in_a_process_with_few_descriptors() {
    let scratch = Scratch::new();
    let path = scratch.0.join("s");
    let listener = Listener::bind(spec(&path)).unwrap();
    let _client = tokio::net::UnixStream::connect(&path).await.unwrap();
    let mut hoard = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        hoard.push(file);
    }
    let before = cpu_time();
    assert!(tokio::time::timeout(Duration::from_secs(1), listener.accept()).await.is_err());
    assert!(cpu_time() - before < Duration::from_millis(200), "it must not spin");
    drop(hoard);
    tokio::time::timeout(SOON, listener.accept()).await.unwrap();
}

fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0))
}
