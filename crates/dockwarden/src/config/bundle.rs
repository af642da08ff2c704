//! Keys `bundle:` and `verify:` of `rego:`: a bundle that a server gives out, and whose signature counts.
//!
//! Which state of the bundle is read, is the wish of whoever loads the configuration: the one that the server has now, the
//! last good one that was kept, or one that was just fetched.

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use policy::bundle::{Verifier, algorithms};
use policy::nearest;
use policy::source::Node;
use server::bundle::{Fetched, Source, keep};

use super::Wishes;
use super::container_defaults::value;
use super::file::{ConfigFile, Field, Fields};
use super::units;
use super::web::{address, client, header, private, url, words};

/// Which state of a fetched bundle is meant.
#[derive(Debug, Clone, Default)]
pub enum Which {
    /// The server's, or the last good one where it cannot be asked.
    #[default]
    Fresh,
    /// The last good one, or the server's where none was kept.
    Kept,
    /// This one.
    Given(Fetched),
}

/// A bundle that was fetched.
#[derive(Debug)]
pub struct Bundle {
    /// Where it comes from.
    pub source: Arc<Source>,
    /// What its maker calls this state of it.
    pub revision: Option<String>,
    /// What came, or what was kept.
    pub fetched: Fetched,
    /// Where the last good one is kept.
    kept: PathBuf,
    /// Whether it is that one.
    pub is_kept: bool,
    /// Why the server's is not known.
    pub trouble: Option<String>,
}

impl Bundle {
    /// In words, for the log: which state decides must be seen there, for an older one may be as good a bundle.
    pub fn told(&self) -> String {
        let name = self.source.name();
        match &self.revision {
            Some(revision) => format!("bundle `{name}`, revision `{revision}`"),
            None => format!("bundle `{name}`, which names no revision"),
        }
    }

    /// Keeps it as the last good one, for a start without its server. Says so where that is not possible.
    pub fn keep(&self) {
        if self.is_kept && self.kept.exists() {
            return;
        }
        if let Err(error) = keep(&self.kept, &self.fetched.bytes) {
            let (name, file) = (self.source.name(), self.kept.display());
            tracing::warn!("bundle `{name}` cannot be kept in `{file}`, so a start needs its server: {error}");
        }
    }
}

/// Reads the key, and gets the bundle. `folder`: where last good ones are kept.
pub fn read(file: &mut ConfigFile, field: Field<'_>, wishes: &Wishes, folder: &Path) -> Option<Bundle> {
    let source = Arc::new(source(file, field)?);
    let kept = source.kept_in(folder);
    let of = |fetched, is_kept, trouble| {
        Some(Bundle { source: Arc::clone(&source), revision: None, fetched, kept: kept.clone(), is_kept, trouble })
    };
    let last_good = || last_good(&source, &kept, wishes.in_force.as_ref());
    match &wishes.bundle {
        // One that came from another address is another bundle.
        Which::Given(given) if given.from == source.url => return of(given.clone(), false, None),
        Which::Kept => match last_good() {
            Ok(Some(good)) => return of(good, true, None),
            Ok(None) => {}
            Err(error) => {
                file.fault(
                    field.place,
                    format!("cannot read the bundle that is kept in `{}`: {error}", kept.display()),
                );
                return None;
            }
        },
        Which::Given(_) | Which::Fresh => {}
    }
    let reason = match source.fetch() {
        Ok(fetched) => return of(fetched, false, None),
        Err(reason) => reason,
    };
    match last_good() {
        Ok(Some(good)) => {
            let message = format!("the last good bundle decides, for a newer one cannot be fetched: {reason}");
            file.warn(field.place, message);
            of(good, true, Some(reason))
        }
        Ok(None) | Err(_) => {
            file.fault(field.place, format!("the bundle cannot be fetched, and none is kept: {reason}"));
            None
        }
    }
}

/// The last good one: that which is in force, or was when it was kept.
fn last_good(source: &Source, kept: &Path, in_force: Option<&Fetched>) -> io::Result<Option<Fetched>> {
    if let Some(good) = in_force.filter(|good| good.from == source.url) {
        return Ok(Some(good.clone()));
    }
    match std::fs::read(kept) {
        Ok(bytes) => Ok(Some(Fetched { from: source.url.clone(), bytes: bytes.into(), etag: None })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where it comes from, by the key alone.
pub(super) fn source(file: &mut ConfigFile, section: Field<'_>) -> Option<Source> {
    if !matches!(section.value.value, Node::Map(_)) {
        let url = address(file, section, false)?;
        let web = client(file, section, &Fields::default())?;
        return Some(Source { url, web, header: None, poll: POLL });
    }
    let keys = ["url", "poll", "header", "insecure", "ca", "certificate", "key"];
    let fields = file.fields(section.value, "`bundle`", &keys);
    let unsure = file.want_values(&fields);
    let url = url(file, section, &fields, "`bundle` needs `url`, such as `https://policies.example.org/docker.tar.gz`");
    let poll = value(file, &fields, "poll", poll).unwrap_or(POLL);
    let header = fields.get("header").map(|field| header(file, field));
    let web = client(file, section, &fields);
    if unsure {
        return None;
    }
    // Without the header that was meant, somebody else's bundle may come.
    Some(Source { url: url?, web: web?, header: header.map_or(Some(None), |header| header.map(Some))?, poll })
}

fn poll(text: &str) -> Result<Duration, &'static str> {
    let poll = units::duration(text)?;
    let bounds = Duration::from_secs(1)..=Duration::from_secs(86_400);
    if bounds.contains(&poll) { Ok(poll) } else { Err("it is from `1s` to `1d`") }
}

/// Whose signature counts. `keys`: the files of keys, to be watched.
pub fn verifier(file: &mut ConfigFile, section: Field<'_>, keys: &mut Vec<PathBuf>) -> Option<Verifier> {
    let fields = file.fields(section.value, "`verify`", &["key", "algorithm", "scope"]);
    if file.want_values(&fields) {
        return None;
    }
    let algorithm = match fields.get("algorithm") {
        None => "RS256".to_owned(),
        Some(field) => {
            let word = file.field_word(field)?;
            if !algorithms().any(|known| known == word) {
                let help = match nearest(&word, algorithms()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("one of {}", algorithms().collect::<Vec<_>>().join(", ")),
                };
                file.fault_with(field.value.referenced, format!("there is no algorithm `{word}`"), help);
                return None;
            }
            word
        }
    };
    let scope = fields.get("scope").and_then(|field| file.field_word(field));
    let Some(field) = fields.get("key") else {
        file.fault(section.place, "`verify` needs `key`, a file with the public key of whoever signs");
        return None;
    };
    let mut contents = Vec::new();
    for (path, place) in words(file, &fields, "key") {
        let path = file.absolute(Path::new(&path));
        match std::fs::read(&path) {
            Ok(bytes) => contents.push(bytes),
            Err(error) => {
                file.fault(place, format!("cannot read `{}`: {error}", path.display()));
                return None;
            }
        }
        if algorithm.starts_with("HS") {
            // A secret, then: whoever can read it can sign.
            private(file, &path, place);
        }
        keys.push(path);
    }
    let verifier = Verifier::new(&algorithm, &contents, scope);
    verifier.map_err(|problem| file.fault(field.value.referenced, problem)).ok()
}

/// How long after one question the next is put.
const POLL: Duration = Duration::from_secs(60);
