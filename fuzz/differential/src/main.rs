//! `differ`: runs the differential test.
//!
//! ```text
//! differ --oracles FOLDER --recorded FILE [--cases N] [--seed S] [--only json|target|head|reference|archive|dockerfile] [--first I]
//! differ --recorded FILE --seeds FOLDER [--conversations FILE]
//! ```
//!
//! Case I of a kind and a seed is the same case everywhere. Prints each difference as a small case, one JSON
//! line, then one line of figures. Exit codes: 0 no difference, 1 differences, 2 it could not run.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use differential::check::{Case, Check, Judge, Reading};
use differential::oracle::Oracle;
use differential::random::Random;
use differential::recorded::Recorded;
use differential::{archive, dockerfile, head, json, reference, shrink, target};
use serde_json::json;

mod seeds;

/// How many of a hundred cases are of which kind.
const SHARES: &[(&str, u64)] =
    &[("json", 50), ("target", 20), ("head", 15), ("reference", 5), ("archive", 5), ("dockerfile", 5)];

/// Cases that are shown to an oracle at once.
const BATCH: u64 = 200;

/// Differences after which it stops.
const ENOUGH: usize = 10;

fn main() -> ExitCode {
    match Settings::read(std::env::args().skip(1)).map_err(io::Error::other).and_then(|settings| run(&settings)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("differ: {error}");
            ExitCode::from(2)
        }
    }
}

/// The command line.
struct Settings {
    oracles: PathBuf,
    recorded: PathBuf,
    seeds: Option<PathBuf>,
    conversations: Option<PathBuf>,
    cases: u64,
    seed: u64,
    first: u64,
    only: Option<String>,
}

impl Settings {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Settings, String> {
        let mut settings = Settings {
            oracles: PathBuf::new(),
            recorded: PathBuf::new(),
            seeds: None,
            conversations: None,
            cases: 100_000,
            seed: 1,
            first: 0,
            only: None,
        };
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("`{word}` needs a value"))?;
            let number =
                || value.replace('_', "").parse().map_err(|_| format!("`{word}` needs a number, not `{value}`"));
            match word.as_str() {
                "--oracles" => settings.oracles = value.into(),
                "--recorded" => settings.recorded = value.into(),
                "--conversations" => settings.conversations = Some(value.into()),
                "--seeds" => settings.seeds = Some(value.into()),
                "--cases" => settings.cases = number()?,
                "--seed" => settings.seed = number()?,
                "--first" => settings.first = number()?,
                "--only" if SHARES.iter().any(|(name, _)| *name == value) => settings.only = Some(value),
                "--only" => {
                    return Err(format!("`{value}` is none of json, target, head, reference, archive and dockerfile"));
                }
                _ => return Err(format!("unknown option `{word}`")),
            }
        }
        Ok(settings)
    }

    fn cases_of(&self, kind: &str) -> u64 {
        match &self.only {
            Some(only) if only == kind => self.cases,
            Some(_) => 0,
            None => SHARES.iter().find(|(name, _)| *name == kind).map_or(0, |(_, share)| self.cases * share / 100),
        }
    }
}

/// What one kind of check came to.
#[derive(Default)]
struct Figures {
    next: AtomicU64,
    done: AtomicU64,
    taken: AtomicU64,
}

fn run(settings: &Settings) -> io::Result<bool> {
    let started = Instant::now();
    let recorded = Recorded::load(&settings.recorded)?;
    if let Some(folder) = &settings.seeds {
        seeds::write(&recorded, folder)?;
        if let Some(conversations) = &settings.conversations {
            seeds::conversations(conversations, folder)?;
        }
        return Ok(true);
    }
    let mut first = Oracle::start_all(&settings.oracles)?;
    if first.is_empty() {
        return Err(io::Error::other("there is no oracle; build them with fuzz/differ"));
    }
    let names: Vec<String> = first.iter().map(|oracle| oracle.name.clone()).collect();
    let bodies = json::Bodies::new(&mut first, &recorded)?;
    let (targets, heads) = (target::Targets::new(&recorded), head::Heads::new(&recorded));
    let checks: [&dyn Check; 6] =
        [&bodies, &targets, &heads, &reference::References, &archive::Archives, &dockerfile::Dockerfiles];
    let (found, stop) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let figures: Vec<Figures> = checks.iter().map(|_| Figures::default()).collect();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let work = |mut oracles: Vec<Oracle>| -> io::Result<()> {
        for (check, figures) in checks.iter().zip(&figures) {
            while !stop.load(Ordering::Relaxed) && batch(*check, figures, settings, &mut oracles, &found)? {
                stop.store(found.lock().is_ok_and(|found| found.len() >= ENOUGH), Ordering::Relaxed);
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let others: Vec<_> =
            (1..workers).map(|_| scope.spawn(|| work(Oracle::start_all(&settings.oracles)?))).collect();
        let own = work(first);
        others
            .into_iter()
            .map(|other| other.join().unwrap_or_else(|_| Err(io::Error::other("a worker has panicked"))))
            .fold(own, Result::and)
    })?;
    let found = found.into_inner().map_err(|_| io::Error::other("a worker has panicked"))?;
    let part = |(check, figures): (&&dyn Check, &Figures)| {
        let number = |of: &AtomicU64| of.load(Ordering::Relaxed);
        format!("{} {} ({} taken)", check.name(), number(&figures.done), number(&figures.taken))
    };
    let parts: Vec<String> =
        checks.iter().zip(&figures).filter(|(_, f)| f.done.load(Ordering::Relaxed) > 0).map(part).collect();
    let all: u64 = figures.iter().map(|figures| figures.done.load(Ordering::Relaxed)).sum();
    println!(
        "differ: {all} cases with seed {}: {}; against Go for {}; {} differences; {:.0} s",
        settings.seed,
        parts.join(", "),
        names.join(", "),
        found.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(found.is_empty())
}

/// Does the next batch. False: there is none.
fn batch(
    check: &dyn Check,
    figures: &Figures,
    settings: &Settings,
    oracles: &mut [Oracle],
    found: &Mutex<Vec<String>>,
) -> io::Result<bool> {
    let all = settings.cases_of(check.name());
    let from = figures.next.fetch_add(BATCH, Ordering::Relaxed);
    if from >= all {
        return Ok(false);
    }
    let indices = from..all.min(from + BATCH);
    figures.done.fetch_add(indices.end - indices.start, Ordering::Relaxed);
    let mut asked: Vec<(Case, Vec<u8>, Judge)> = Vec::new();
    let mut differing: Vec<(Case, String)> = Vec::new();
    for index in indices {
        let case = check.make(&mut Random::of_case(settings.seed, check.name(), settings.first + index));
        match check.read(&case) {
            Reading::Refused => {}
            Reading::Taken(question) => asked.push((case, question.frame, question.judge)),
            Reading::Broken(why) => differing.push((case, why)),
        }
    }
    figures.taken.fetch_add(asked.len() as u64, Ordering::Relaxed);
    for oracle in oracles.iter_mut() {
        oracle.ask(asked.iter().map(|(_, frame, _)| frame.as_slice()))?;
    }
    for oracle in oracles.iter_mut() {
        for ((case, _, judge), answer) in asked.iter().zip(oracle.answers()?) {
            if let Err(why) = judge(&oracle.name, &answer) {
                differing.push((case.clone(), format!("{}: {why}", oracle.name)));
            }
        }
    }
    for (case, _) in differing.iter().take(ENOUGH) {
        report(check, case, oracles, found);
    }
    Ok(true)
}

/// Shrinks a difference and prints it, once for each small case.
fn report(check: &dyn Check, case: &Case, oracles: &mut [Oracle], found: &Mutex<Vec<String>>) {
    let small = shrink::shrink(check, case, |case| difference(check, case, oracles).is_some());
    let why = difference(check, &small, oracles).unwrap_or_default();
    let input = match String::from_utf8(small.bytes.clone()) {
        Ok(text) => json!({ "input": text }),
        Err(_) => json!({ "input_latin1": small.bytes.iter().map(|byte| char::from(*byte)).collect::<String>() }),
    };
    let mut line = json!({ "kind": check.name(), "about": small.about, "why": why });
    line.as_object_mut().into_iter().for_each(|line| line.extend(input.as_object().cloned().unwrap_or_default()));
    let key = format!("{} {} {:?}", check.name(), small.about, small.bytes);
    let Ok(mut found) = found.lock() else { return };
    if !found.contains(&key) {
        found.push(key);
        println!("{line}");
    }
}

/// What differs in a case, if anything.
fn difference(check: &dyn Check, case: &Case, oracles: &mut [Oracle]) -> Option<String> {
    match check.read(case) {
        Reading::Refused => None,
        Reading::Broken(why) => Some(why),
        Reading::Taken(question) => oracles.iter_mut().find_map(|oracle| {
            let answer = oracle.ask_one(&question.frame).ok()?;
            (question.judge)(&oracle.name, &answer).err().map(|why| format!("{}: {why}", oracle.name))
        }),
    }
}
