//! Dockerfiles. Whenever one is taken, BuildKit's parser, which both builders use, sees the same stages and commands in
//! it, and no copy or fetch that we do not see. Names that a shell would change are not compared: the parser leaves them
//! as they are.

use std::collections::BTreeSet;

use docker::dockerfile::{Build, BuildArgs, Builder, read};
use serde_json::Value;

use crate::check::{Case, Check, Question, Reading};
use crate::mutate;
use crate::random::Random;

/// Dockerfiles, for both builders.
pub struct Dockerfiles;

impl Check for Dockerfiles {
    fn name(&self) -> &'static str {
        "dockerfile"
    }

    fn make(&self, random: &mut Random) -> Case {
        let mut text = String::new();
        if random.chance(25) {
            text.push_str(random.pick(STARTS));
        }
        for _ in 0..=random.below(2) {
            text.push_str(random.pick(STAGES));
            text.push_str(random.pick(ENDS));
            for _ in 0..random.below(5) {
                text.push_str(random.pick(LINES));
                text.push_str(random.pick(ENDS));
            }
        }
        let mut bytes = text.into_bytes();
        for _ in 0..random.pick(&[0, 0, 1, 2]) {
            let at = random.below(bytes.len() + 1);
            match random.below(3) {
                0 => mutate::bytes(&mut bytes, random),
                _ => drop(bytes.splice(at..at, random.pick(ODD).bytes())),
            }
        }
        // Of a NUL the parser complains on stderr.
        bytes.retain(|byte| *byte != 0);
        let builder = if random.chance(60) { "classic" } else { "buildkit" };
        Case { about: builder.to_owned(), bytes }
    }

    fn read(&self, case: &Case) -> Reading {
        let builder = if case.about == "classic" { Builder::Classic } else { Builder::BuildKit };
        let Ok(build) = read(&case.bytes, &BuildArgs::new(), builder) else { return Reading::Refused };
        // Another reader reads it.
        if !build.syntax.is_empty() {
            return Reading::Refused;
        }
        let frame = [b"D", case.bytes.as_slice()].concat();
        // BuildKit is read as that of today; 20.10 had one of its own, with the parser of its classic builder.
        let asked = move |oracle: &str| builder == Builder::Classic || !oracle.starts_with("20.");
        let judge = move |oracle: &str, answer: &[u8]| if asked(oracle) { judge(&build, answer) } else { Ok(()) };
        Reading::Taken(Question { frame, judge: Box::new(judge) })
    }

    fn pieces(&self, case: &Case) -> Vec<usize> {
        case.bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::len).collect()
    }
}

/// What a build does, as far as it can be seen in instructions alone.
#[derive(Debug, Default)]
struct Seen {
    bases: Vec<(u64, String)>,
    runs: Vec<(u64, Vec<String>)>,
    copies: Vec<(u64, String)>,
    fetches: Vec<(u64, String)>,
}

fn judge(build: &Build, answer: &[u8]) -> Result<(), String> {
    let go: Value = serde_json::from_slice(answer).map_err(|error| error.to_string())?;
    // The daemon answers with an error, as it would have done without us.
    let Some(instructions) = go.get("instructions").and_then(Value::as_array) else { return Ok(()) };
    let (mut ours, mut gos) = (ours(build), gos(instructions));
    // What could not be told is refused later.
    let mut apart: BTreeSet<u64> = build.steps.unknown.iter().map(|unknown| unknown.line as u64).collect();
    let named = gos.bases.iter().chain(&gos.copies);
    apart.extend(named.filter(|(_, name)| is_changed(name)).map(|(line, _)| *line));
    [&mut ours, &mut gos].into_iter().for_each(|seen| seen.leave_out(&apart));
    let seen = |named: &[(u64, String)], all: &[(u64, String)]| named.iter().all(|named| all.contains(named));
    let same = (&ours.bases, &ours.runs) == (&gos.bases, &gos.runs);
    if same && seen(&gos.copies, &ours.copies) && seen(&gos.fetches, &ours.fetches) {
        return Ok(());
    }
    Err(format!("Go sees {gos:?} in {go}, we {ours:?}"))
}

impl Seen {
    /// Leaves out what is named in these lines.
    fn leave_out(&mut self, lines: &BTreeSet<u64>) {
        for list in [&mut self.bases, &mut self.copies, &mut self.fetches] {
            list.retain(|(line, _)| !lines.contains(line));
        }
    }
}

/// Whether a shell would change it.
fn is_changed(text: &str) -> bool {
    text.contains(['$', '"', '\'', '\\', '`'])
}

fn ours(build: &Build) -> Seen {
    let named = |line: usize, name: &String| (line as u64, name.clone());
    let steps = &build.steps;
    let options = |run: &docker::dockerfile::Run| {
        let given = |value: &&String| !value.is_empty();
        let one = |name, value: &Option<String>| value.as_ref().filter(given).map(|value| format!("--{name}={value}"));
        let all = |name, values: &[String]| -> Vec<String> { values.iter().map(|v| format!("--{name}={v}")).collect() };
        let mut options = [all("mount", &run.mounts), all("device", &run.devices)].concat();
        options.extend(one("network", &run.network).into_iter().chain(one("security", &run.security)));
        options.sort();
        options
    };
    Seen {
        bases: build.bases.iter().map(|base| named(base.line, &base.name)).collect(),
        runs: steps.runs.iter().map(|run| (run.line as u64, options(run))).collect(),
        copies: steps.copies_from.iter().map(|image| named(image.line, &image.name)).collect(),
        fetches: steps.fetches.iter().map(|fetch| named(fetch.line, &fetch.from)).collect(),
    }
}

fn gos(instructions: &[Value]) -> Seen {
    let mut seen = Seen::default();
    let mut stages: Vec<Option<String>> = Vec::new();
    for instruction in instructions {
        let texts = |field: &str| -> Vec<String> {
            let list = instruction.get(field).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let line = instruction.get("line").and_then(Value::as_u64).unwrap_or_default();
        let (words, flags) = (texts("words"), texts("flags"));
        let stage = |name: &str| stages.iter().flatten().any(|stage| *stage == name.to_lowercase());
        let earlier = |name: &str| {
            let (_, before) = stages.split_last().unwrap_or((&None, &[]));
            let number = name.parse::<usize>().is_ok_and(|number| number < before.len());
            number || before.iter().flatten().any(|stage| *stage == name.to_lowercase())
        };
        let from = |flag: &String| match flag.strip_prefix("--mount=") {
            Some(mount) => mount.split(',').find_map(|field| field.strip_prefix("from=")).map(str::to_owned),
            None => flag.strip_prefix("--from=").map(str::to_owned),
        };
        let images = flags.iter().filter_map(from).filter(|name| !name.is_empty() && !earlier(name));
        let images: Vec<_> = images.map(|name| (line, name)).collect();
        match instruction.get("keyword").and_then(Value::as_str).unwrap_or_default() {
            "from" => {
                let base = words.first().cloned().unwrap_or_default();
                if base != "scratch" && !stage(&base) {
                    seen.bases.push((line, base));
                }
                stages.push(words.get(2).map(|name| name.to_lowercase()));
            }
            "run" => {
                let usual = ["", "=", "=default", "=sandbox"];
                let is_usual = |flag: &str, name| flag.strip_prefix(name).is_some_and(|value| usual.contains(&value));
                // Without a value the daemon refuses them.
                let valued = |flag: &String| if flag.contains('=') { flag.clone() } else { format!("{flag}=") };
                let mut options: Vec<String> = flags.iter().map(valued).collect();
                options.retain(|flag| !is_usual(flag, "--network") && !is_usual(flag, "--security"));
                options.sort();
                seen.runs.push((line, options));
                seen.copies.extend(images);
            }
            "copy" => seen.copies.extend(images),
            "add" => {
                let sources = words.split_last().map_or(&[][..], |(_, sources)| sources);
                let fetched = |source: &&String| source.starts_with("http://") || source.starts_with("https://");
                let plain = sources.iter().filter(|source| !is_changed(source));
                seen.fetches.extend(plain.filter(fetched).map(|source| (line, source.clone())));
                seen.copies.extend(images);
            }
            _ => {}
        }
    }
    seen
}

const STARTS: &[&str] = &[
    "# escape=`\n",
    "# escape=\\\n",
    "#escape = `\n",
    "# a comment\n# escape=`\n",
    "\n",
    "\u{feff}",
    "# check=skip=all\n",
    "ARG A=alpine\n",
    "ARG A\n",
    "  # comment\n",
];

const STAGES: &[&str] = &[
    "FROM alpine",
    "from alpine AS one",
    "FROM scratch",
    "FROM one AS two",
    "FROM --platform=linux/amd64 registry.test/app:1",
    "FROM $A",
    "FROM \\\n  alpine",
    "FROM `\nalpine",
    "FROM alpine as One",
    "FROM\talpine",
    "FROM alpine #x",
];

const LINES: &[&str] = &[
    "RUN make",
    "RUN --network=host make",
    "RUN --network=none --mount=type=bind,from=other,target=/x make",
    "RUN --security=insecure make",
    "RUN --network=default a",
    "RUN a \\\n  && b",
    "RUN a `\n  && b",
    "RUN a \\\n# comment\n  b",
    "RUN a \\\n\n  b",
    "RUN [\"a\", \"b\"]",
    "RUN <<EOF\na\nRUN b\nEOF",
    "RUN <<-EOF\n\ta\n\tEOF",
    "RUN cat <<a <<b\nx\na\ny\nb",
    "run a",
    "COPY a b",
    "COPY --from=one /a /b",
    "COPY --from=0 /a /b",
    "COPY --from=alpine:3 /a /b",
    "COPY --from=two --chown=a /a /b",
    "COPY --from=\"x y\" a b",
    "COPY --from=$A a b",
    "COPY [\"a\", \"b\"]",
    "COPY <<EOF /x\nFROM evil\nEOF",
    "ADD a b",
    "ADD http://x/y /z",
    "ADD https://x/y http://z/ /",
    "ADD [\"http://x/y\", \"/z\"]",
    "ADD --chown=1 http://x /y",
    "ENV A=b C=\"d e\"",
    "ENV A b",
    "ARG B",
    "LABEL a=b",
    "CMD [\"a\"]",
    "CMD a \\",
    "USER app",
    "ONBUILD RUN make",
    "ONBUILD COPY --from=x a b",
    "HEALTHCHECK NONE",
    "HEALTHCHECK CMD a",
    "WORKDIR /x",
    "EXPOSE 80",
    "VOLUME /d",
    "SHELL [\"a\", \"b\"]",
    "STOPSIGNAL 9",
    "MAINTAINER me",
    "# RUN a",
    "",
];

const ENDS: &[&str] = &["\n", "\n", "\n", "\n", "\r\n", " \n", "\n\n", " \\\n", "\\\n", "\n  ", "\n# x\n", "\r\r\n"];

const ODD: &[&str] = &[
    "\\",
    "`",
    "\\\n",
    "`\n",
    "\n",
    "\r",
    "\t",
    "\u{b}",
    "\u{c}",
    "\u{a0}",
    "\u{85}",
    "#",
    " ",
    "--",
    "--from=x ",
    "<<E",
    "\"",
    "'",
    "$",
    "\0",
    "à",
    "FROM x\n",
    "[",
    "]",
    "\u{feff}",
    "\u{2028}",
];
