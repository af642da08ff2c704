//! What containers are given, as people write it: `1g`, `0.5`, `1000:1000`, `MY_ENV=true`, `no-new-privileges`.
//!
//! A value that the daemon would refuse is no value: else every container would be refused later. The sentences of the
//! errors follow what was written.

use crate::privilege::{Uid, run_user, security_option_pair};

/// Bytes. Units count by 1024, as Docker's do.
pub fn size(text: &str) -> Result<usize, &'static str> {
    const SAY: &str = "a size is a number with a unit, such as `64KiB`, `16MiB` or `1GiB`";
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end).ok_or(SAY)?;
    let number: u64 = number.parse().map_err(|_| SAY)?;
    let factor = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return Err(SAY),
    };
    let bytes = number.checked_mul(factor).ok_or(TOO_MUCH)?;
    usize::try_from(bytes).map_err(|_| TOO_MUCH)
}

/// A limit on memory, in bytes.
pub fn memory(text: &str) -> Result<i64, &'static str> {
    let bytes = i64::try_from(size(text)?).map_err(|_| TOO_MUCH)?;
    if bytes < LEAST_MEMORY { Err("the daemon takes no less than 6MiB") } else { Ok(bytes) }
}

/// A decimal number of CPUs, in billionths: exact, as no fraction of binary digits is.
pub fn cpus(text: &str) -> Result<i64, &'static str> {
    const SAY: &str = "a number of CPUs is at least 0.01, such as `0.5` or `2`";
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return Err(SAY);
    }
    let billionths: i64 = format!("{whole}{fraction:0<9}").parse().map_err(|_| SAY)?;
    if billionths < LEAST_CPUS { Err(SAY) } else { Ok(billionths) }
}

/// Who processes run as, who cannot be root.
pub fn user(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("a user is a name or a number, alone or with a group, such as \"1000:1000\"");
    }
    if run_user(text).uid == Uid::Number(0) {
        return Err("that is root, as everybody is without it");
    }
    Ok(text.to_owned())
}

/// A variable with its value.
pub fn variable(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=').filter(|(name, _)| !name.is_empty() && !text.contains('\0')) {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err("such as `MY_ENV=true`"),
    }
}

/// A security option. A seccomp profile is read by clients and sent whole: the daemon takes no name of a file.
pub fn security_option(text: &str) -> Result<String, &'static str> {
    match security_option_pair(text) {
        _ if text.contains(|c: char| c.is_control()) => Err("a security option is written on one line"),
        ("no-new-privileges", "true" | "false") => Ok(text.to_owned()),
        ("no-new-privileges", _) => Err("that is either true or false"),
        ("seccomp", "unconfined" | "builtin") => Ok(text.to_owned()),
        ("seccomp", profile) if profile.starts_with('{') => Ok(text.to_owned()),
        ("seccomp", _) => Err("the daemon takes no file; write the profile itself, as JSON on one line"),
        ("apparmor" | "label" | "writable-cgroups", value) if !value.is_empty() => Ok(text.to_owned()),
        ("systempaths", _) => Err("clients make other fields of that one, `MaskedPaths` and `ReadonlyPaths`"),
        _ => Err(
            "the daemon knows seccomp, apparmor, label, no-new-privileges and writable-cgroups, each as `NAME=VALUE`",
        ),
    }
}

/// Below, the daemon refuses.
const LEAST_MEMORY: i64 = 6 << 20;
const LEAST_CPUS: i64 = 10_000_000;
const TOO_MUCH: &str = "that is more than can be counted";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let cases = [("0", 0), ("512", 512), ("64k", 65536), ("64KiB", 65536), ("16 MiB", 16 << 20), ("1g", 1 << 30)];
        for (text, bytes) in cases {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "k", "1.5m", "-1", "1t", "16MiBs", "99999999999999999999", "18446744073709551615k"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn cpus_are_counted_exactly() {
        for (text, billionths) in [
            ("0.5", 500_000_000),
            ("2", 2_000_000_000),
            ("0.01", 10_000_000),
            ("1.", 1_000_000_000),
            ("0.1", 100_000_000),
        ] {
            assert_eq!(cpus(text), Ok(billionths), "{text}");
        }
        for text in ["", ".5", "0", "0.009", "-1", "+1", "1e3", "1,5", "0.0000000001", "99999999999", "½"] {
            assert!(cpus(text).is_err(), "{text}");
        }
    }

    #[test]
    fn memory_is_a_size_that_the_daemon_takes() {
        assert_eq!(memory("6m"), Ok(6 << 20));
        assert_eq!(memory("1g"), Ok(1 << 30));
        for text in ["0", "5m", "-1", "99999999999g"] {
            assert!(memory(text).is_err(), "{text}");
        }
    }

    #[test]
    fn security_options_are_those_that_the_daemon_takes() {
        for text in [
            "no-new-privileges",
            "no-new-privileges:true",
            "seccomp=unconfined",
            "seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\"}",
            "apparmor=docker-default",
            "label:disable",
            "disable",
        ] {
            assert!(security_option(text).is_ok(), "{text}");
        }
        for text in
            ["", "opt1", "seccomp=/etc/profile.json", "seccomp", "apparmor", "no-new-privileges=maybe", "label=\0"]
        {
            assert!(security_option(text).is_err(), "{text}");
        }
    }
}
