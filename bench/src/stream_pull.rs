//! `bench stream-pull`: much data over one taken-over stream: speed, and what it costs the proxy.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::process::{CpuMeter, Process};
use crate::takeover;

const BLOCK: usize = 256 * 1024;
const AFTERWORK: Duration = Duration::from_millis(50);

/// Pulls `--bytes` through `--socket`.
pub fn run(arguments: &Arguments) -> Result<String, Failure> {
    let socket: String = arguments.required("socket")?;
    let wanted: u64 = arguments.required("bytes")?;
    let process = Process::optional(arguments, "pid")?;

    let mut stream = takeover::open(&socket)?;
    let meter = CpuMeter::start(process.as_ref())?;
    let begin = Instant::now();
    stream.send(format!("{wanted}\n").as_bytes()).map_err(Failure::during("cannot ask for data"))?;
    let mut block = vec![0; BLOCK];
    let mut got: u64 = 0;
    loop {
        match stream.receive(&mut block).map_err(Failure::during(format!("the stream broke after {got} bytes")))? {
            0 => break,
            size => got += size as u64,
        }
    }
    let elapsed = begin.elapsed();
    if got != wanted {
        return Err(Failure::trial(format!("the stream gave {got} of {wanted} bytes")));
    }
    thread::sleep(AFTERWORK);
    let gigabytes = got as f64 / 1e9;
    Ok(json!({
        "gb_per_second": gigabytes / elapsed.as_secs_f64(),
        "cpu_s_per_gb": meter.used()?.map(|cpu| cpu.as_secs_f64() / gigabytes),
    })
    .to_string())
}
