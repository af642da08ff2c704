//! The version prefix of a path.
//!
//! The router takes `/v[0-9.]+`, and the daemon then compares the numbers in it: `v01.41`, `v1.041`
//! and, by version, `v1.41.0` all pass. Behaviour depends on the version (defaults, fields that are
//! read or ignored), so it must be one number for everybody: only `v<major>.<minor>` is accepted.

use std::fmt;

use super::TargetError;
use crate::http::syntax::{decimal, shown};

/// A version of the Docker API. Compares as numbers: 1.9 is before 1.41.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion {
    /// Before the dot.
    pub major: u16,
    /// After the dot.
    pub minor: u16,
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// What stands before the part of a path that names an operation.
pub(super) struct Prefix {
    pub(super) version: Option<ApiVersion>,
    /// Bytes of the path that it takes.
    pub(super) length: usize,
}

impl Prefix {
    /// Reads the prefix of a clean path.
    pub(super) fn parse(path: &str) -> Result<Self, TargetError> {
        let Some((numbers, rest)) = split(path) else {
            return Ok(Self { version: None, length: 0 });
        };
        let length = path.len().saturating_sub(rest.len());
        match version(numbers) {
            // A prefix alone names nothing, and the router knows only one.
            Some(version) if !rest.is_empty() && split(rest).is_none() => Ok(Self { version: Some(version), length }),
            _ => Err(TargetError::Version(shown(path.trim_start_matches('/').as_bytes()))),
        }
    }
}

/// The numbers of a first segment that the router would take for a version, and the path after it.
fn split(path: &str) -> Option<(&str, &str)> {
    let numbers_and_rest = path.strip_prefix("/v")?;
    let end = numbers_and_rest.find('/').unwrap_or(numbers_and_rest.len());
    let (numbers, rest) = numbers_and_rest.split_at_checked(end)?;
    let versionish = numbers.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (versionish && !numbers.is_empty()).then_some((numbers, rest))
}

fn version(numbers: &str) -> Option<ApiVersion> {
    let (major, minor) = numbers.split_once('.')?;
    let number = |digits: &str| u16::try_from(decimal(digits.as_bytes())?).ok();
    Some(ApiVersion { major: number(major)?, minor: number(minor)? })
}
