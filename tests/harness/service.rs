//! A service of the test's own on a port of this machine, asked over HTTP: a web hook, a scanner.

use super::daemon::{Seen, answer, read};
use std::io::BufReader;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

/// How it answers: a status and a body.
type Say = Box<dyn FnMut(&Seen) -> (u16, String) + Send>;

/// A listening service. Its threads end with the connections that they serve.
pub struct Service {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    say: Arc<Mutex<Say>>,
}

impl Service {
    /// One that answers so, one question at a time.
    pub fn start(say: impl FnMut(&Seen) -> (u16, String) + Send + 'static) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let say: Arc<Mutex<Say>> = Arc::new(Mutex::new(Box::new(say)));
        let (all, saying) = (Arc::clone(&seen), Arc::clone(&say));
        std::thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let (all, saying) = (Arc::clone(&all), Arc::clone(&saying));
                std::thread::spawn(move || {
                    let mut from = BufReader::new(client.try_clone().expect("a second handle"));
                    while let Some(request) = read(&mut from) {
                        all.lock().expect("no test thread panicked").push(request.clone());
                        let (status, body) = (saying.lock().expect("no answer panicked"))(&request);
                        if !answer(&mut client, status, &body) {
                            break;
                        }
                    }
                });
            }
        });
        Service { address, seen, say }
    }

    /// From now on it answers so.
    pub fn say(&self, say: impl FnMut(&Seen) -> (u16, String) + Send + 'static) {
        *self.say.lock().expect("no answer panicked") = Box::new(say);
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was asked since the last time.
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().expect("no test thread panicked"))
    }
}
