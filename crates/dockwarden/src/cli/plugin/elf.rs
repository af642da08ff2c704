//! As much of an ELF file as it takes to let a program run in an empty root: what loads it, and how much of the file
//! is loaded. The rest, tables for debuggers and linkers, is most of the file and of no use there.

use std::fmt;

/// A program of 64 bits, little-endian: what Docker runs on.
pub struct Program<'a> {
    bytes: &'a [u8],
    interpreter: Option<String>,
    loaded: usize,
}

/// A file that is no such program.
#[derive(Debug, PartialEq, Eq)]
pub struct NotElf(&'static str);

impl fmt::Display for NotElf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is no ELF program of 64 bits ({})", self.0)
    }
}

impl<'a> Program<'a> {
    /// Reads the head and the table of segments.
    pub fn read(bytes: &'a [u8]) -> Result<Self, NotElf> {
        // Class 2: 64 bits; data 1: little-endian.
        if bytes.get(..6) != Some(b"\x7fELF\x02\x01") {
            return Err(NotElf("its first bytes say otherwise"));
        }
        let cut = NotElf("it is cut off");
        let (table, size, count) = match (number(bytes, 32, 8), number(bytes, 54, 2), number(bytes, 56, 2)) {
            (Some(table), Some(size), Some(count)) if size >= SEGMENT => (table, size, count),
            _ => return Err(cut),
        };
        let mut program = Program { bytes, interpreter: None, loaded: HEAD };
        for index in 0..count {
            let at = index.saturating_mul(size).saturating_add(table);
            let field = |offset: usize, length| number(bytes, at.saturating_add(offset), length);
            let (Some(kind), Some(from), Some(length)) = (field(0, 4), field(8, 8), field(32, 8)) else {
                return Err(cut);
            };
            let end = from.saturating_add(length);
            let Some(segment) = bytes.get(from..end) else { return Err(cut) };
            program.loaded = program.loaded.max(end).max(at.saturating_add(size));
            if kind == INTERPRETER {
                let path = segment.split(|byte| *byte == 0).next().unwrap_or_default();
                program.interpreter = Some(String::from_utf8_lossy(path).into_owned());
            }
        }
        Ok(program)
    }

    /// The program that loads it and its libraries; none where it is whole by itself.
    pub fn interpreter(&self) -> Option<&str> {
        self.interpreter.as_deref()
    }

    /// The file without what is never loaded.
    pub fn stripped(&self) -> Vec<u8> {
        let mut bytes = self.bytes.get(..self.loaded).unwrap_or(self.bytes).to_vec();
        // There is no table of sections any more: its place, and the count and size of its entries.
        for (from, length) in [(40_usize, 8_usize), (58, 6)] {
            bytes.iter_mut().skip(from).take(length).for_each(|byte| *byte = 0);
        }
        bytes
    }
}

/// A number of so many bytes at a place.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    let value = bytes.iter().rev().fold(0_u64, |value, byte| value.wrapping_shl(8) | u64::from(*byte));
    usize::try_from(value).ok()
}

/// The bytes of a file's head.
const HEAD: usize = 64;
/// The bytes of an entry in the table of segments.
const SEGMENT: usize = 56;
/// The segment that names what loads the program.
const INTERPRETER: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_program_still_runs() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let stripped = Program::read(&own).unwrap().stripped();
        assert!(stripped.len() < own.len());
        assert_eq!(Program::read(&stripped).unwrap().interpreter(), Program::read(&own).unwrap().interpreter());
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("program");
        std::fs::write(&file, stripped).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let ran = std::process::Command::new(&file).arg("--list").output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
    }

    #[test]
    fn what_is_none_is_none() {
        for bytes in [b"".as_slice(), b"#!/bin/sh\n", b"\x7fELF\x01\x01", b"\x7fELF\x02\x01\x01"] {
            assert!(Program::read(bytes).is_err());
        }
        let mut cut = std::fs::read("/proc/self/exe").unwrap();
        cut.truncate(4096);
        assert!(Program::read(&cut).is_err());
    }
}
