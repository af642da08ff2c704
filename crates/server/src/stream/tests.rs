//! Real sockets on both sides; the middle is [`relay`].

#![allow(clippy::arithmetic_side_effects)]

use super::*;
use crate::tls;
use bytes::Bytes;
use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Descriptors are counted for the process, so these tests run one after the other.
static ALONE: Mutex<()> = Mutex::const_new(());

type Ended = (io::Result<Transferred>, Arc<Traffic>);
const SOON: Duration = Duration::from_secs(20);

fn start(client: ClientStream, daemon: DaemonStream, already: Already, silence: Option<Duration>) -> JoinHandle<Ended> {
    tokio::spawn(async move {
        let traffic = Arc::new(Traffic::default());
        (relay(client, daemon, already, silence, &traffic).await, traffic)
    })
}

async fn between_unix() -> (UnixStream, UnixStream, JoinHandle<Ended>, MutexGuard<'static, ()>) {
    let alone = ALONE.lock().await;
    let (client, middle) = UnixStream::pair().unwrap();
    let (inner, daemon) = UnixStream::pair().unwrap();
    let relay = start(ClientStream::Unix(local(middle)), DaemonStream::Unix(local(inner)), Already::default(), None);
    (client, daemon, relay, alone)
}

fn local(socket: UnixStream) -> LocalStream {
    socket.try_into().unwrap()
}

async fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (a, b) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (a.unwrap(), b.unwrap().0)
}

fn pipes() -> usize {
    let links = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    links.filter(|fd| std::fs::read_link(fd.path()).is_ok_and(|to| to.to_string_lossy().starts_with("pipe:"))).count()
}

async fn says(stream: &mut (impl AsyncRead + Unpin), expected: &[u8]) {
    let mut got = vec![0; expected.len()];
    timeout(SOON, stream.read_exact(&mut got)).await.expect("in time").unwrap();
    assert_eq!(got, expected);
}

async fn ends(stream: &mut (impl AsyncRead + Unpin)) {
    assert_eq!(timeout(SOON, stream.read(&mut [0; 1])).await.expect("in time").unwrap(), 0);
}

#[tokio::test]
async fn output_after_the_end_of_input_arrives() {
    let (mut client, mut daemon, relay, _alone) = between_unix().await;
    client.write_all(b"hi").await.unwrap();
    client.shutdown().await.unwrap();
    says(&mut daemon, b"hi").await;
    ends(&mut daemon).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    daemon.write_all(b"late").await.unwrap();
    says(&mut client, b"late").await;
    drop(daemon);
    ends(&mut client).await;
    assert_eq!(relay.await.unwrap().0.unwrap(), Transferred { to_daemon: 2, to_client: 4 });
}

#[tokio::test]
async fn input_after_the_end_of_output_arrives() {
    let (mut client, mut daemon, relay, _alone) = between_unix().await;
    daemon.shutdown().await.unwrap();
    ends(&mut client).await;
    client.write_all(b"still here").await.unwrap();
    says(&mut daemon, b"still here").await;
    client.shutdown().await.unwrap();
    ends(&mut daemon).await;
    assert_eq!(relay.await.unwrap().0.unwrap(), Transferred { to_daemon: 10, to_client: 0 });
}

#[tokio::test]
async fn bytes_read_with_the_head_go_first() {
    let _alone = ALONE.lock().await;
    let (mut client, middle) = tcp_pair().await;
    let (inner, mut daemon) = UnixStream::pair().unwrap();
    let already = Already { to_daemon: Bytes::from_static(b"in "), to_client: Bytes::from_static(b"out ") };
    let relay = start(ClientStream::Tcp(middle), DaemonStream::Unix(local(inner)), already, None);
    client.write_all(b"more").await.unwrap();
    client.shutdown().await.unwrap();
    daemon.write_all(b"else").await.unwrap();
    daemon.shutdown().await.unwrap();
    says(&mut daemon, b"in more").await;
    says(&mut client, b"out else").await;
    assert_eq!(relay.await.unwrap().0.unwrap(), Transferred { to_daemon: 7, to_client: 8 });
}

/// 30 MB that differ everywhere, both ways at once, in pieces of odd sizes; each side closes its
/// own direction.
async fn bulk<C, D>(client: C, daemon: D)
where
    C: AsyncRead + AsyncWrite + Send + 'static,
    D: AsyncRead + AsyncWrite + Send + 'static,
{
    async fn send(mut to: impl AsyncWrite + Unpin, seed: u64) -> (u64, u64) {
        let (mut hash, mut sent, mut state) = (DefaultHasher::new(), 0_u64, seed);
        while sent < 30_000_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let piece: Vec<u8> = (0..(state >> 33) % 90_000).map(|i| (i ^ (state >> 40) ^ sent) as u8).collect();
            hash.write(&piece);
            sent += piece.len() as u64;
            to.write_all(&piece).await.unwrap();
        }
        to.shutdown().await.unwrap();
        hash.write(b"");
        (sent, hash.finish())
    }
    async fn receive(mut from: impl AsyncRead + Unpin) -> Vec<u8> {
        let mut all = Vec::new();
        from.read_to_end(&mut all).await.unwrap();
        all
    }
    async fn check(sent: (u64, u64), got: &[u8], seed: u64) {
        // The same pieces again, to hash what came in the same steps.
        let (mut hash, mut at, mut state) = (DefaultHasher::new(), 0_usize, seed);
        while at < 30_000_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let end = at + ((state >> 33) % 90_000) as usize;
            hash.write(&got[at..end]);
            at = end;
        }
        hash.write(b"");
        assert_eq!((got.len() as u64, hash.finish()), sent);
    }
    let (client_in, client_out) = tokio::io::split(client);
    let (daemon_in, daemon_out) = tokio::io::split(daemon);
    let (up, down) = (tokio::spawn(send(client_out, 1)), tokio::spawn(send(daemon_out, 2)));
    let (at_daemon, at_client) = (tokio::spawn(receive(daemon_in)), tokio::spawn(receive(client_in)));
    check(up.await.unwrap(), &at_daemon.await.unwrap(), 1).await;
    check(down.await.unwrap(), &at_client.await.unwrap(), 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_megabytes_each_way_by_splice() {
    let (client, daemon, relay, _alone) = between_unix().await;
    bulk(client, daemon).await;
    let moved = relay.await.unwrap().0.unwrap();
    assert!(moved.to_daemon >= 30_000_000 && moved.to_client >= 30_000_000, "{moved:?}");
}

#[tokio::test]
async fn an_idle_stream_holds_no_pipe() {
    let (mut client, mut daemon, _relay, _alone) = between_unix().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let before = pipes();
    client.write_all(b"x").await.unwrap();
    says(&mut daemon, b"x").await;
    assert_eq!(pipes(), before + 2, "one pipe while bytes flow");
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(pipes(), before, "none at rest");
    daemon.write_all(b"y").await.unwrap();
    says(&mut client, b"y").await;
}

#[tokio::test]
async fn a_stream_silent_for_too_long_ends() {
    let _alone = ALONE.lock().await;
    let (client, middle) = UnixStream::pair().unwrap();
    let (inner, mut daemon) = UnixStream::pair().unwrap();
    let silence = Some(Duration::from_millis(400));
    let relay = start(ClientStream::Unix(local(middle)), DaemonStream::Unix(local(inner)), Already::default(), silence);
    let begin = Instant::now();
    tokio::time::sleep(Duration::from_millis(250)).await;
    daemon.write_all(b"alive").await.unwrap();
    let (ended, traffic) = timeout(SOON, relay).await.unwrap().unwrap();
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!(begin.elapsed() >= Duration::from_millis(600), "{:?}", begin.elapsed());
    assert_eq!(traffic.so_far().to_client, 5, "known in spite of the error");
    drop(client);
}

#[tokio::test]
async fn an_error_in_one_direction_ends_both() {
    let (client, mut daemon, relay, _alone) = between_unix().await;
    drop(client);
    // The client is gone: what the daemon says has nowhere to go.
    let chatter = async {
        while daemon.write_all(&[0; 4096]).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, chatter).await.expect("the daemon's end is closed too");
    assert!(relay.await.unwrap().0.is_err());
}

#[tokio::test]
async fn a_killed_client_of_a_silent_container_is_noticed() {
    let (client, daemon, relay, _alone) = between_unix().await;
    drop(client);
    timeout(SOON, relay).await.expect("noticed").unwrap().0.unwrap();
    drop(daemon);
}

#[tokio::test]
async fn a_half_closed_client_that_waits_is_left_alone() {
    let (mut client, mut daemon, relay, _alone) = between_unix().await;
    client.shutdown().await.unwrap();
    ends(&mut daemon).await;
    tokio::time::sleep(Duration::from_millis(5_500)).await;
    daemon.write_all(b"patience").await.unwrap();
    says(&mut client, b"patience").await;
    drop(daemon);
    relay.await.unwrap().0.unwrap();
}

/// A client and a relay's end of it under TLS.
async fn tls_pair() -> (tokio_rustls::client::TlsStream<TcpStream>, ClientStream) {
    let files = tls::tests::Files::make();
    let server = tls::server_config(&files.certificate, &files.key, None).unwrap().config;
    let trust = tls::client_config(&files.ca, None, None).unwrap().config;
    let (outer, middle) = tcp_pair().await;
    let name = "localhost".try_into().unwrap();
    let (client, accepted) = tokio::join!(
        tokio_rustls::TlsConnector::from(trust).connect(name, outer),
        tokio_rustls::TlsAcceptor::from(server).accept(middle),
    );
    (client.unwrap(), ClientStream::Tls(Box::new(accepted.unwrap())))
}

#[tokio::test]
async fn under_tls_a_half_close_is_a_close_notify() {
    let _alone = ALONE.lock().await;
    let (mut client, middle) = tls_pair().await;
    let (inner, mut daemon) = UnixStream::pair().unwrap();
    let relay = start(middle, DaemonStream::Unix(local(inner)), Already::default(), None);
    client.write_all(b"hi").await.unwrap();
    client.shutdown().await.unwrap();
    says(&mut daemon, b"hi").await;
    ends(&mut daemon).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    daemon.write_all(b"late").await.unwrap();
    says(&mut client, b"late").await;
    drop(daemon);
    ends(&mut client).await;
    assert_eq!(relay.await.unwrap().0.unwrap(), Transferred { to_daemon: 2, to_client: 4 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_megabytes_each_way_under_tls() {
    let _alone = ALONE.lock().await;
    let (client, middle) = tls_pair().await;
    let (inner, daemon) = UnixStream::pair().unwrap();
    let relay = start(middle, DaemonStream::Unix(local(inner)), Already::default(), None);
    bulk(client, daemon).await;
    relay.await.unwrap().0.unwrap();
}

#[tokio::test]
async fn a_write_waits_for_room() {
    let _alone = ALONE.lock().await;
    let (mut client, middle) = UnixStream::pair().unwrap();
    let mut ours = ClientStream::Unix(local(middle));
    let sent = vec![b'x'; 4 << 20];
    let writing = tokio::spawn({
        let sent = sent.clone();
        async move { ours.write_all(&sent).await }
    });
    // Long enough that the socket's buffer is full and the write waits.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!writing.is_finished());
    let mut got = Vec::new();
    timeout(SOON, client.read_to_end(&mut got)).await.expect("in time").unwrap();
    writing.await.unwrap().unwrap();
    assert_eq!(got.len(), sent.len());
}
