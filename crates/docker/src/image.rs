//! Names of images, read as the daemon reads them (distribution/reference, `ParseNormalizedNamed`).

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

pub mod pattern;
#[cfg(test)]
mod tests;

pub use pattern::Pattern;

const HUB: &str = "docker.io";
const OFFICIAL: &str = "library";
/// The longest name that the daemon takes.
const MAX_NAME: usize = 255;

/// The normalised name of an image: registry, path, tag and digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// The registry, with its port if any: `docker.io`, `registry.test:5000`.
    pub registry: String,
    /// The path below the registry: `library/alpine`, `team/app`.
    pub path: String,
    /// The tag, if one is named.
    pub tag: Option<String>,
    /// The digest, `sha256:…`, if one is named.
    pub digest: Option<String>,
}

/// Why a text is not the name of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing there.
    #[error("an image name must not be empty")]
    Empty,
    /// Longer than the daemon takes.
    #[error("an image name must not be longer than 255 characters")]
    TooLong,
    /// Upper case in the path.
    #[error("an image name must be lower case")]
    UpperCase,
    /// Anything else.
    #[error("this is not an image name: expected [registry/]path[:tag][@digest]")]
    Malformed,
}

impl Reference {
    /// Reads `[registry[:port]/]path[:tag][@digest]`; names without registry are Docker Hub's.
    ///
    /// The first part is a registry when it holds a dot, a colon or upper case letters, or is
    /// `localhost`: so `registry.test.evil.example/app` is never of `registry.test`.
    pub fn parse(text: &str) -> Result<Reference, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        // The daemon takes 64 hexadecimal digits for an id, never for a name.
        if text.len() == 64 && text.bytes().all(is_hex) {
            return Err(ReferenceError::Malformed);
        }
        let (text, digest) = match text.split_once('@') {
            Some((name, digest)) if is_digest(digest) => (name, Some(digest.to_owned())),
            Some(_) => return Err(ReferenceError::Malformed),
            None => (text, None),
        };
        let (registry, remainder) = split_registry(text);
        let (path, tag) = match remainder.split_once(':') {
            Some((path, tag)) if is_tag(tag) => (path, Some(tag.to_owned())),
            Some(_) => return Err(ReferenceError::Malformed),
            None => (remainder, None),
        };
        let path = match registry {
            HUB if !path.contains('/') => format!("{OFFICIAL}/{path}"),
            _ => path.to_owned(),
        };
        if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(ReferenceError::UpperCase);
        }
        if !is_registry(registry) || !path.split('/').all(is_component) {
            return Err(ReferenceError::Malformed);
        }
        if registry.len().saturating_add(path.len()) >= MAX_NAME {
            return Err(ReferenceError::TooLong);
        }
        Ok(Reference { registry: registry.to_owned(), path, tag, digest })
    }

    /// Registry and path: `docker.io/library/alpine`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.path)
    }

    /// The same image with tag `latest` where neither tag nor digest is named.
    pub fn with_default_tag(mut self) -> Reference {
        if self.tag.is_none() && self.digest.is_none() {
            self.tag = Some("latest".to_owned());
        }
        self
    }

    /// The short form that people use: `alpine:3.20`. The full one where the short one would be another
    /// name: `docker.io/a.b/c` is not of the registry `a.b`.
    pub fn familiar(&self) -> String {
        let full = self.to_string();
        let hub = full.strip_prefix("docker.io/").unwrap_or(&full);
        let official = hub.strip_prefix("library/").unwrap_or(hub);
        let same = |short: &&str| Reference::parse(short).as_ref() == Ok(self);
        [official, hub].into_iter().find(same).unwrap_or(&full).to_owned()
    }

    /// Whether both name the same image: by digest where both have one, else by tag.
    pub fn same_as(&self, other: &Reference) -> bool {
        self.registry == other.registry
            && self.path == other.path
            && match (&self.digest, &other.digest) {
                (Some(ours), Some(theirs)) => ours == theirs,
                _ => self.tag == other.tag,
            }
    }
}

/// With its full name, so that nobody has to put it together.
impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Reference", 5)?;
        fields.serialize_field("name", &self.to_string())?;
        fields.serialize_field("registry", &self.registry)?;
        fields.serialize_field("path", &self.path)?;
        fields.serialize_field("tag", &self.tag)?;
        fields.serialize_field("digest", &self.digest)?;
        fields.end()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// `splitDockerDomain`: the registry and what follows it.
fn split_registry(text: &str) -> (&str, &str) {
    let Some((first, rest)) = text.split_once('/') else {
        return (HUB, text);
    };
    let names_a_host =
        first.contains(['.', ':']) || first == "localhost" || first.bytes().any(|b| b.is_ascii_uppercase());
    match (names_a_host, first) {
        (true, "index.docker.io") => (HUB, rest),
        (true, host) => (host, rest),
        (false, _) => (HUB, text),
    }
}

/// `host[:port]` or `[ipv6][:port]`.
fn is_registry(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => {
                return address.parse::<std::net::Ipv6Addr>().is_ok()
                    // The daemon does not know the form that ends like an IPv4 address.
                    && !address.contains('.')
                    && is_port(port.strip_prefix(':'))
                    && (port.is_empty() || port.starts_with(':'));
            }
            None => return false,
        },
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    host.split('.').all(is_label) && is_port(port)
}

fn is_port(port: Option<&str>) -> bool {
    port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A part of a host name.
fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// A part of the path: lower case letters and digits, separated by `.`, `_`, `__` or any number of `-`.
fn is_component(part: &str) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = part.as_bytes();
    if !bytes.first().is_some_and(alphanumeric) || !bytes.last().is_some_and(alphanumeric) {
        return false;
    }
    part.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        .filter(|separator| !separator.is_empty())
        .all(|separator| matches!(separator, "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-'))
}

/// A tag: up to 128 of letters, digits, `_`, `.` and `-`, not starting with `.` or `-`.
fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|byte| word(byte) || byte == b'.' || byte == b'-')
}

/// A digest: `sha256:` and 64 hexadecimal digits; other algorithms as the daemon spells them.
fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else { return false };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    hex.len() == length && hex.bytes().all(is_hex)
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}
