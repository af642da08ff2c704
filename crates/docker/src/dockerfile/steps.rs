//! The instructions that run, copy and fetch.

use super::lines::Line;
use super::shell::Shell;
use super::stages::Stages;
use super::{Builder, Fetch, ImageName, Misread, Run, Steps, Unknown, split};

/// What is known while an instruction is read.
pub(super) struct Reading<'a> {
    pub(super) stages: &'a Stages<'a>,
    pub(super) escape: char,
    pub(super) builder: Builder,
}

impl Reading<'_> {
    /// Adds what an instruction does.
    pub(super) fn step(&self, line: &Line, steps: &mut Steps) -> Result<(), Misread> {
        match line.keyword.as_str() {
            "run" => self.run(line, steps),
            "copy" => self.copy(line, steps),
            "add" => self.add(line, steps),
            "healthcheck" => Ok(()),
            "arg" | "cmd" | "entrypoint" | "env" | "expose" | "label" | "maintainer" | "shell" | "stopsignal"
            | "user" | "volume" | "workdir" => flag_values(line, &[]).map(drop),
            _ => Err(Misread::at(line.number, "an unknown instruction")),
        }
    }

    fn run(&self, line: &Line, steps: &mut Steps) -> Result<(), Misread> {
        let mut run = Run { line: line.number, network: None, security: None, mounts: Vec::new(), devices: Vec::new() };
        for (name, value) in flag_values(line, &["network", "security", "mount", "device"])? {
            match name {
                "network" => run.network = Some(value.to_owned()).filter(|mode| mode != "default"),
                "security" => run.security = Some(value.to_owned()).filter(|mode| mode != "sandbox"),
                "mount" => {
                    self.mount(line, value, steps);
                    run.mounts.push(value.to_owned());
                }
                _ => run.devices.push(value.to_owned()),
            }
        }
        steps.runs.push(run);
        Ok(())
    }

    /// `from=` of a mount.
    fn mount(&self, line: &Line, value: &str, steps: &mut Steps) {
        if value.contains(['"', '\n', '\r']) {
            steps.unknown.push(Unknown { text: value.to_owned(), line: line.number });
            return;
        }
        for field in value.split(',') {
            match field.split_once('=') {
                Some((key, from)) if key.trim().eq_ignore_ascii_case("from") => self.image(line, from, steps),
                _ => {}
            }
        }
    }

    fn copy(&self, line: &Line, steps: &mut Steps) -> Result<(), Misread> {
        let known = ["from", "chown", "chmod", "link", "parents", "exclude"];
        for (name, value) in flag_values(line, &known)? {
            if name == "from" {
                self.image(line, value, steps);
            }
        }
        match split::list_or_words(&line.rest, line.number)?.len() {
            0 | 1 => Err(Misread::at(line.number, "COPY takes a source and a destination")),
            _ => Ok(()),
        }
    }

    /// An image or a stage that files come from.
    fn image(&self, line: &Line, name: &str, steps: &mut Steps) {
        if name.is_empty() || self.stages.is_earlier(name) {
            return;
        }
        if name.contains('$') {
            steps.unknown.push(Unknown { text: name.to_owned(), line: line.number });
        } else {
            steps.copies_from.push(ImageName { name: name.to_owned(), platform: String::new(), line: line.number });
        }
    }

    fn add(&self, line: &Line, steps: &mut Steps) -> Result<(), Misread> {
        let known = ["chown", "chmod", "link", "keep-git-dir", "checksum", "unpack", "exclude"];
        flag_values(line, &known)?;
        let words = split::list_or_words(&line.rest, line.number)?;
        let Some((_, sources)) = words.split_last().filter(|(_, sources)| !sources.is_empty()) else {
            return Err(Misread::at(line.number, "ADD takes a source and a destination"));
        };
        for source in sources {
            let (fetched, unsure) = match Shell::start(source, self.escape) {
                Some(word) => fetched(&word.known, word.whole, self.builder),
                None => (true, true),
            };
            if fetched {
                steps.fetches.push(Fetch { from: source.clone(), unsure, line: line.number });
            }
        }
        Ok(())
    }
}

const URLS: &[&str] = &["http://", "https://"];
/// What BuildKit takes for a git repository, beside names with a user and a colon.
const GIT: &[&str] = &["git://", "ssh://", "git@", "github.com/"];

/// Whether a source is fetched, and whether that is not sure. Of a source that is not known whole,
/// `known` is the beginning.
fn fetched(known: &str, whole: bool, builder: Builder) -> (bool, bool) {
    let marks: Vec<&str> = match builder {
        Builder::Classic => URLS.to_vec(),
        Builder::BuildKit => URLS.iter().chain(GIT).copied().collect(),
    };
    let known = known.trim_start().to_ascii_lowercase();
    if marks.iter().any(|mark| known.starts_with(mark)) {
        return (true, false);
    }
    // `user@host:path`; a file of the context may have such a name too.
    if builder == Builder::BuildKit && known.contains('@') && known.contains(':') {
        return (true, whole);
    }
    let open = !whole
        && (marks.iter().any(|mark| mark.starts_with(&known)) || builder == Builder::BuildKit && !known.contains('/'));
    (open, open)
}

/// The flags of an instruction with their values. What is not known, or given twice where once is
/// meant, the daemon refuses; so do we.
pub(super) fn flag_values<'l>(line: &'l Line, known: &[&'static str]) -> Result<Vec<(&'static str, &'l str)>, Misread> {
    let mut values: Vec<(&'static str, &'l str)> = Vec::new();
    for flag in &line.flags {
        let (name, value) = flag.split_once('=').unwrap_or((flag, ""));
        let name = name.strip_prefix("--").unwrap_or_default();
        let Some(name) = known.iter().copied().find(|known| *known == name) else {
            return Err(Misread::at(line.number, "an unknown flag"));
        };
        let many = matches!(name, "mount" | "exclude" | "device");
        if !many && values.iter().any(|(other, _)| *other == name) {
            return Err(Misread::at(line.number, "a flag given twice"));
        }
        values.push((name, value));
    }
    Ok(values)
}

/// The instruction within `ONBUILD`. It is kept as text and read again with the default escape
/// character: where that makes a difference, it is refused.
pub(super) fn trigger(line: &Line, escape: char) -> Result<Line, Misread> {
    flag_values(line, &[])?;
    let number = line.number;
    let inner = split::command(&line.rest, u8::try_from(escape).unwrap_or(b'\\'), number)?;
    if matches!(inner.keyword.as_str(), "onbuild" | "from" | "maintainer") {
        return Err(Misread::at(number, "an instruction that is no trigger"));
    }
    match inner == split::command(&line.rest, b'\\', number)? {
        true => Ok(inner),
        false => Err(Misread::Ambiguous { line: Some(number) }),
    }
}
