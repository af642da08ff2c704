//! Flags as Go's package `flag` reads them: one dash or two, `-x v` or `-x=v`; a switch takes its value behind `=` only;
//! `--` and the first word that is no flag end them.

use std::ffi::OsString;

/// Flags by their names.
#[derive(Debug, Default)]
pub struct Flags(Vec<(String, String)>);

/// Reads flags: `texts` take a value, `switches` do not. Nothing else may follow them.
pub fn read(words: &[OsString], texts: &[&str], switches: &[&str]) -> Result<Flags, String> {
    let mut words = words.iter().map(|word| word.to_str().ok_or_else(|| format!("{word:?} is not UTF-8")));
    let mut flags = Flags::default();
    while let Some(word) = words.next().transpose()? {
        let flag = word.strip_prefix("--").or_else(|| word.strip_prefix('-')).filter(|flag| !flag.is_empty());
        let Some(flag) = flag else { return Err(format!("`{word}` is no flag")) };
        let (name, value) = flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
        let value = match value {
            Some(value) => value,
            None if switches.contains(&name) => "true",
            None => words.next().transpose()?.ok_or_else(|| format!("flag needs an argument: -{name}"))?,
        };
        if !texts.contains(&name) && !switches.contains(&name) {
            return Err(format!("flag provided but not defined: -{name}"));
        }
        if switches.contains(&name) && truth(value).is_none() {
            return Err(format!("`{value}` is neither true nor false: -{name}"));
        }
        flags.0.push((name.to_owned(), value.to_owned()));
    }
    Ok(flags)
}

impl Flags {
    /// The last value counts.
    pub fn text<'a>(&'a self, name: &str, usual: &'a str) -> &'a str {
        self.0.iter().rev().find(|(given, _)| given == name).map_or(usual, |(_, value)| value)
    }

    /// Whether a switch is on.
    pub fn is_on(&self, name: &str) -> bool {
        truth(self.text(name, "false")) == Some(true)
    }
}

/// As `strconv.ParseBool`.
fn truth(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_as_go_reads_them() {
        let read = |words: &[&str]| {
            let words: Vec<OsString> = words.iter().map(Into::into).collect();
            read(&words, &["host", "policyDir"], &["verbose"])
        };
        let flags = read(&["-host", "/a", "--policyDir=/p=q", "--verbose", "-host=/b"]).unwrap();
        assert_eq!(
            (flags.text("host", "x"), flags.text("policyDir", "x"), flags.is_on("verbose")),
            ("/b", "/p=q", true)
        );
        let flags = read(&["-verbose=false"]).unwrap();
        assert_eq!((flags.text("host", "x"), flags.is_on("verbose")), ("x", false));
        for (words, error) in [
            (&["-host"][..], "flag needs an argument: -host"),
            (&["-hots=x"], "flag provided but not defined: -hots"),
            (&["-verbose=maybe"], "`maybe` is neither true nor false: -verbose"),
            (&["word"], "`word` is no flag"),
        ] {
            assert_eq!(read(words).unwrap_err(), error);
        }
    }
}
