//! `--name value` pairs. Only `bench/run` calls us, so there is no more to it than that.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::failure::Failure;

/// The named values that a subcommand was given.
pub struct Arguments(BTreeMap<String, String>);

impl Arguments {
    /// Reads the words after the subcommand.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut values = BTreeMap::new();
        while let Some(word) = words.next() {
            let name =
                word.strip_prefix("--").ok_or_else(|| Failure::Usage(format!("expected --NAME, not `{word}`")))?;
            let value = words.next().ok_or_else(|| Failure::Usage(format!("--{name} needs a value")))?;
            values.insert(name.to_owned(), value);
        }
        Ok(Self(values))
    }

    /// The value of `--name`, which must be there.
    pub fn required<T: FromStr>(&self, name: &str) -> Result<T, Failure> {
        self.optional(name)?.ok_or_else(|| Failure::Usage(format!("--{name} is missing")))
    }

    /// The value of `--name`, if given.
    pub fn optional<T: FromStr>(&self, name: &str) -> Result<Option<T>, Failure> {
        let Some(value) = self.0.get(name) else {
            return Ok(None);
        };
        value.parse().map(Some).map_err(|_| Failure::Usage(format!("--{name} cannot be `{value}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, Failure> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn values_are_read_by_name_and_type() {
        let arguments = parse("--rate 500 --path /_ping").unwrap();
        assert_eq!(arguments.required::<u32>("rate").unwrap(), 500);
        assert_eq!(arguments.required::<String>("path").unwrap(), "/_ping");
        assert!(arguments.optional::<u32>("pid").unwrap().is_none());
    }

    #[test]
    fn mistakes_are_named() {
        let said = |outcome: Result<u32, Failure>| outcome.unwrap_err().to_string();
        assert_eq!(said(parse("--rate x").unwrap().required("rate")), "--rate cannot be `x`");
        assert_eq!(said(parse("").unwrap().required("rate")), "--rate is missing");
        assert_eq!(said(parse("--rate").map(|_| 0)), "--rate needs a value");
        assert_eq!(said(parse("rate 5").map(|_| 0)), "expected --NAME, not `rate`");
    }
}
