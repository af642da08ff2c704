//! The stages of a Dockerfile: their names, and what their images are called once variables are expanded.

use super::lines::Line;
use super::shell::{Shell, Variables};
use super::steps::flag_values;
use super::{BuildArgs, Builder, ImageName, Misread, Unknown, split};

/// The stages so far.
pub(super) struct Stages<'a> {
    args: &'a BuildArgs,
    escape: char,
    builder: Builder,
    /// The arguments before the first stage, with what they are worth.
    variables: Variables,
    /// Names of stages, lower case; `None`: a stage without one.
    names: Vec<Option<String>>,
    /// The images of `FROM` whose names could not be told.
    pub(super) unknown: Vec<Unknown>,
}

static NO_ARGS: BuildArgs = BuildArgs::new();

/// Arguments that need no declaration.
const PROXIES: &[&str] = &["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY"];
/// One that needs a declaration on daemons before 23, and none on later ones.
const LATER_PROXY: &str = "ALL_PROXY";
/// Arguments that BuildKit sets by itself, from what it builds on and for.
const PLATFORMS: &[&str] = &[
    "BUILDPLATFORM",
    "BUILDOS",
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "BUILDOSVERSION",
    "BUILDARCH",
    "BUILDVARIANT",
    "TARGETOSVERSION",
    "TARGETSTAGE",
];
/// The stage that is empty.
const SCRATCH: &str = "scratch";

impl<'a> Stages<'a> {
    pub(super) fn new(args: &'a BuildArgs, escape: char, builder: Builder) -> Self {
        let mut variables = Variables::new();
        for proxy in PROXIES {
            for name in [(*proxy).to_owned(), proxy.to_ascii_lowercase()] {
                if let Some(Some(value)) = args.get(&name) {
                    variables.insert(name, value.clone());
                }
            }
        }
        Stages { args, escape, builder, variables, names: Vec::new(), unknown: Vec::new() }
    }

    /// No stage: every name is that of an image.
    pub(super) fn unknown() -> Stages<'static> {
        Stages::new(&NO_ARGS, '\\', Builder::Classic)
    }

    /// Whether there was a `FROM`.
    pub(super) fn any(&self) -> bool {
        !self.names.is_empty()
    }

    /// `ARG` before the first stage. The value of the query goes before the default.
    pub(super) fn argument(&mut self, line: &Line) -> Result<(), Misread> {
        if !line.flags.is_empty() {
            return Err(Misread::at(line.number, "ARG takes no flags"));
        }
        let before = self.variables.clone();
        let words = quoted_words(&line.rest, self.escape);
        if words.len() > 1 && line.rest.contains('$') {
            // Daemons differ in whether the first may be used by the second.
            return Err(Misread::at(line.number, "several arguments of which one uses a variable"));
        }
        for word in words {
            let (name, default) = match word.split_once('=') {
                Some((name, default)) => (name, Some(default)),
                None => (word.as_str(), None),
            };
            let expand = |text| {
                Shell::expand(text, self.escape, &before)
                    .filter(|_| !self.uses_untold(text))
                    .ok_or_else(|| Misread::at(line.number, "an argument that cannot be told"))
            };
            let name = expand(name)?;
            let default = default.map(expand).transpose()?;
            match self.args.get(&name).cloned().flatten().or(default) {
                Some(value) => self.variables.insert(name, value),
                None => self.variables.remove(&name),
            };
        }
        Ok(())
    }

    /// `FROM`. Gives the image, unless it is another stage or nothing.
    pub(super) fn begin(&mut self, line: &Line) -> Result<Option<ImageName>, Misread> {
        let words = split::words(&line.rest);
        let (image, name) = match words.as_slice() {
            [image] => (image, None),
            [image, as_, name] if as_.eq_ignore_ascii_case("as") => (image, Some(name.to_ascii_lowercase())),
            _ => return Err(Misread::at(line.number, "FROM takes an image, AS and a name")),
        };
        let platform = flag_values(line, &["platform"])?.first().map_or("", |(_, platform)| *platform);
        let named = |name: &String| self.names.iter().flatten().any(|other| other == name);
        if let Some(name) = &name
            && (!is_stage_name(name) || named(name) || name == SCRATCH)
        {
            return Err(Misread::at(line.number, "a name of a stage that cannot be one, or is there already"));
        }
        let expand = |text| Shell::expand(text, self.escape, &self.variables).filter(|_| !self.uses_untold(text));
        let base = match (expand(image), expand(platform)) {
            (Some(image), _) if image.is_empty() => return Err(Misread::at(line.number, "FROM takes an image")),
            (Some(image), _) if image == SCRATCH || named(&image.to_lowercase()) => None,
            (Some(name), Some(platform)) => Some(ImageName { name, platform, line: line.number }),
            // BuildKit knows platforms that we do not, and takes the same image for them.
            (Some(name), None) if self.builder == Builder::BuildKit => {
                Some(ImageName { name, platform: String::new(), line: line.number })
            }
            (image_known, _) => {
                let text = if image_known.is_some() { platform } else { image };
                self.unknown.push(Unknown { text: text.to_owned(), line: line.number });
                None
            }
        };
        self.names.push(name);
        Ok(base)
    }

    /// Whether a name is that of an earlier stage, or its number. The stage that is being built is none.
    pub(super) fn is_earlier(&self, name: &str) -> bool {
        let Some((_, earlier)) = self.names.split_last() else { return false };
        let lower = name.to_lowercase();
        let by_number =
            || name.parse::<i64>().is_ok_and(|number| usize::try_from(number).is_ok_and(|n| n < earlier.len()));
        earlier.iter().flatten().any(|stage| *stage == lower) || by_number()
    }

    /// Whether a text uses a variable that only BuildKit can tell, or that not all daemons know.
    fn uses_untold(&self, text: &str) -> bool {
        let uses = |name: &str| !self.variables.contains_key(name) && text.contains(name);
        uses(LATER_PROXY)
            || uses(&LATER_PROXY.to_ascii_lowercase())
            || (self.builder == Builder::BuildKit && PLATFORMS.iter().any(|name| uses(name)))
    }
}

/// `^[a-z][a-z0-9-_.]*$`, after lower-casing.
fn is_stage_name(name: &str) -> bool {
    name.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte))
}

/// `parseWords`: words parted by white space outside of quotes, quotes kept.
fn quoted_words(text: &str, escape: char) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match quote {
            None if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            None if matches!(c, '\'' | '"') => quote = Some(c),
            Some(open) if c == open => quote = None,
            _ => {}
        }
        if c == escape && quote != Some('\'') {
            let Some(escaped) = chars.next() else { break };
            word.push(c);
            word.push(escaped);
        } else {
            word.push(c);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}
