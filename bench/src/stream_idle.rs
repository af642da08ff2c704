//! `bench stream-idle`: what a proxy's memory grows by for each taken-over stream on which nothing happens.
//! The process should be fresh: memory freed by earlier work would be used again and hide the growth.

use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::process::Process;
use crate::takeover;

const SETTLE: Duration = Duration::from_millis(500);

/// Opens `--connections` streams and compares resident memory before and after.
pub fn run(arguments: &Arguments) -> Result<String, Failure> {
    let socket: String = arguments.required("socket")?;
    let connections: u32 = arguments.required("connections")?;
    let process = Process::required(arguments, "pid")?;

    // What is set up once, by the first stream, is not a price of each.
    let first = takeover::open(&socket)?;
    thread::sleep(SETTLE);
    let before = process.resident_kib()?;
    let streams = (0..connections).map(|_| takeover::open(&socket)).collect::<Result<Vec<_>, _>>()?;
    thread::sleep(SETTLE);
    let after = process.resident_kib()?;
    drop((first, streams));
    Ok(json!({ "kib_each": (after as f64 - before as f64) / f64::from(connections) }).to_string())
}
