use std::io::Read;
use std::net::TcpListener;

use super::*;
use crate::web::Trust;

#[test]
fn what_cannot_be_kept_leaves_nothing_older() {
    let folder = std::env::temp_dir().join(format!("dockwarden-bundle-test-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let kept = folder.join("bundle-1.tar.gz");
    keep(&kept, b"older").unwrap();
    assert_eq!(fs::read(&kept).unwrap(), b"older");
    // A folder stands where it would be written, as a full disk would.
    fs::create_dir(folder.join("bundle-1.tar.new")).unwrap();
    keep(&kept, b"newer").unwrap_err();
    assert!(!kept.exists());
    fs::remove_dir_all(&folder).unwrap();
}

/// A server that gives out the same again and again, unless its state is known.
fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, mut asked) = (client.unwrap(), Vec::new());
            while !asked.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                client.read_exact(&mut byte).unwrap();
                asked.extend(byte);
            }
            let is_known = String::from_utf8(asked).unwrap().to_lowercase().contains("if-none-match: \"1\"");
            let answer: &[u8] = match is_known {
                true => b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n",
                false => b"HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 3\r\nConnection: close\r\n\r\nnew",
            };
            client.write_all(answer).unwrap();
        }
    });
    port
}

#[tokio::test]
async fn what_was_refused_comes_again() {
    let url = Url::parse(&format!("http://127.0.0.1:{}/b.tar.gz", serve())).unwrap();
    let web = Web::new(&Trust::default()).unwrap();
    let poll = Duration::from_millis(10);
    let source = Arc::new(Source { url: url.clone(), web, header: None, poll });
    let mut poll = Poll::new(source, &Fetched { from: url.clone(), bytes: b"old"[..].into(), etag: None }, None);
    let fetched = poll.changed().await;
    assert_eq!((&*fetched.bytes, &fetched.from), (&b"new"[..], &url));
    let wait = Duration::from_millis(200);
    timeout(wait, poll.changed()).await.unwrap_err();
    poll.refused();
    assert_eq!(&*timeout(Duration::from_secs(10), poll.changed()).await.unwrap().bytes, b"new");
    timeout(wait, poll.changed()).await.unwrap_err();
}
