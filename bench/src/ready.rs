//! `bench ready`: waits until a server that was just started answers. A server that ends or stays
//! silent fails the run here, with its name, and not later as a strange figure.

use std::thread;
use std::time::{Duration, Instant};

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::http::{Connection, request};
use crate::process::Process;

const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(20);

/// Asks `GET /_ping` until the answer is 200.
pub fn run(arguments: &Arguments) -> Result<String, Failure> {
    let socket: String = arguments.required("socket")?;
    let process = Process::required(arguments, "pid")?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let failure = match ping(&socket) {
            Ok(()) => return Ok(String::new()),
            Err(failure) => failure,
        };
        if !process.is_alive() {
            return Err(Failure::trial(format!("the server of {socket} ended instead of answering")));
        }
        if Instant::now() > deadline {
            return Err(failure);
        }
        thread::sleep(PAUSE);
    }
}

fn ping(socket: &str) -> Result<(), Failure> {
    let answer = Connection::open(socket)?
        .ask(&request("GET", "/_ping", None))
        .map_err(Failure::during(format!("no answer from {socket}")))?;
    match answer.status {
        200 => Ok(()),
        other => Err(Failure::trial(format!("{socket} answers GET /_ping with {other}"))),
    }
}
