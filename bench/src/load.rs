//! `bench load`: requests at a fixed rate, whatever the answers take (open loop).
//!
//! Every request has a time at which it is due, and its latency counts from then: when an answer is
//! late, the requests that wait behind it on the same connection are late too, and that is measured
//! instead of being left out ("coordinated omission"). The number of requests is fixed, so none that
//! was due goes unsent. Each answer's status is checked; one wrong answer fails the trial.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::http::{self, Connection};
use crate::meters::{Meters, Used};
use crate::os;
use crate::percentile::percentile;
use crate::process::Process;

/// Requests on each connection before the clock starts: connections made, code and caches warm.
const WARM_UP: u32 = 50;
/// What is done after the answer (records, looks at what was created) belongs to the request.
const AFTERWORK: Duration = Duration::from_millis(100);
/// A contender this many times slower than asked for is overloaded: no latency to speak of.
const OVERLOAD: u32 = 3;

struct Plan {
    socket: String,
    request: Vec<u8>,
    expect: u16,
    interval: Duration,
    connections: u32,
    each: u32,
    limit: Duration,
}

/// Measures CPU time a request and latency.
pub fn run(arguments: &Arguments) -> Result<String, Failure> {
    let plan = Plan::read(arguments)?;
    let proxy = Process::optional(arguments, "pid")?;
    let upstream = Process::optional(arguments, "upstream-pid")?;
    let own = Process::own()?;
    os::sleep_exactly().map_err(Failure::during("cannot set the timer slack"))?;

    let warm = Barrier::new(plan.connections as usize + 1);
    let go = Barrier::new(plan.connections as usize + 1);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..plan.connections)
            .map(|number| {
                let (plan, warm, go) = (&plan, &warm, &go);
                scope.spawn(move || client(plan, number, warm, go))
            })
            .collect();
        warm.wait();
        thread::sleep(AFTERWORK);
        // Not `?`: the clients wait behind the barrier and must be let go.
        let meters = Meters::start(proxy.as_ref(), upstream.as_ref(), &own);
        let begin = Instant::now();
        go.wait();
        let mut tally = Tally::default();
        for client in clients {
            tally.add(client.join().map_err(|_| Failure::trial("a client panicked"))?);
        }
        let elapsed = begin.elapsed();
        thread::sleep(AFTERWORK);
        tally.result(&plan, elapsed, &meters?.used()?)
    })
}

impl Plan {
    fn read(arguments: &Arguments) -> Result<Self, Failure> {
        let rate: u32 = arguments.required("rate")?;
        let seconds: u32 = arguments.required("seconds")?;
        let connections: u32 = arguments.required("connections")?;
        if rate == 0 || seconds == 0 || connections == 0 {
            return Err(Failure::Usage("--rate, --seconds and --connections must be above 0".into()));
        }
        let method = arguments.optional("method")?.unwrap_or_else(|| "GET".to_owned());
        let path: String = arguments.required("path")?;
        let body = arguments.optional::<String>("body")?.map(|file| read_body(&file)).transpose()?;
        Ok(Self {
            socket: arguments.required("socket")?,
            request: http::request(&method, &path, body.as_deref()),
            expect: arguments.required("expect")?,
            interval: Duration::from_secs(1) / rate,
            connections,
            each: rate * seconds / connections,
            limit: Duration::from_secs(seconds.into()) * OVERLOAD,
        })
    }
}

/// The body file is laid out for its readers; docker's CLI sends JSON without spaces, and so do we.
fn read_body(file: &str) -> Result<Vec<u8>, Failure> {
    let text = std::fs::read(file).map_err(Failure::during(format!("cannot read {file}")))?;
    let value: serde_json::Value =
        serde_json::from_slice(&text).map_err(Failure::during(format!("{file} is not JSON")))?;
    Ok(value.to_string().into_bytes())
}

/// What one connection saw.
#[derive(Default)]
struct Tally {
    nanoseconds: Vec<u64>,
    failed: u64,
    first_failure: Option<String>,
    overloaded: bool,
}

/// One connection: warm up, wait for the others, then send what is due when it is due.
fn client(plan: &Plan, number: u32, warm: &Barrier, go: &Barrier) -> Tally {
    let mut tally = Tally::default();
    let mut connection = warm_up(plan, &mut tally);
    warm.wait();
    go.wait();
    let begin = Instant::now() + plan.interval * number;
    let period = plan.interval * plan.connections;
    for turn in 0..plan.each {
        let due = begin + period * turn;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if begin.elapsed() > plan.limit {
            tally.overloaded = true;
            break;
        }
        let Some(open) = connection.as_mut() else {
            break;
        };
        if let Err(message) = exchange(plan, open) {
            tally.fail(message);
            connection = Connection::open(&plan.socket).ok();
        }
        tally.nanoseconds.push(u64::try_from(due.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    tally
}

fn warm_up(plan: &Plan, tally: &mut Tally) -> Option<Connection> {
    let warm = Connection::open(&plan.socket).map_err(|failure| failure.to_string()).and_then(|mut connection| {
        for _ in 0..WARM_UP {
            exchange(plan, &mut connection)?;
        }
        Ok(connection)
    });
    warm.map_err(|message| tally.fail(message)).ok()
}

fn exchange(plan: &Plan, connection: &mut Connection) -> Result<(), String> {
    let answer = connection.ask(&plan.request).map_err(|error| error.to_string())?;
    if answer.status == plan.expect {
        return Ok(());
    }
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    Err(format!("answered {} instead of {}: {}", answer.status, plan.expect, body.trim()))
}

impl Tally {
    fn fail(&mut self, message: String) {
        self.failed += 1;
        self.first_failure.get_or_insert(message);
    }

    fn add(&mut self, other: Self) {
        self.nanoseconds.extend(other.nanoseconds);
        self.failed += other.failed;
        self.overloaded |= other.overloaded;
        self.first_failure = self.first_failure.take().or(other.first_failure);
    }

    fn result(mut self, plan: &Plan, elapsed: Duration, used: &Used) -> Result<String, Failure> {
        if let Some(message) = self.first_failure {
            let total = self.nanoseconds.len();
            return Err(Failure::trial(format!("{} failures in {total} requests; the first: {message}", self.failed)));
        }
        if self.overloaded {
            return Err(Failure::trial(format!(
                "cannot keep up: {} requests in {elapsed:.1?}",
                self.nanoseconds.len()
            )));
        }
        self.nanoseconds.sort_unstable();
        let requests = self.nanoseconds.len() as f64;
        let each = |cpu: Option<Duration>| cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / requests);
        let microseconds = |per_mille| percentile(&self.nanoseconds, per_mille) as f64 / 1e3;
        Ok(json!({
            "requests": self.nanoseconds.len(),
            "request_bytes": plan.request.len(),
            "requests_per_second": requests / elapsed.as_secs_f64(),
            "cpu_us": each(used.proxy),
            "upstream_cpu_us": each(used.upstream),
            "others_percent": used.others.as_secs_f64() * 100.0 / elapsed.as_secs_f64(),
            "p50_us": microseconds(500),
            "p99_us": microseconds(990),
            "p99_9_us": microseconds(999),
        })
        .to_string())
    }
}
