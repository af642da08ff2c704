//! PAX records, read as Go reads them, and what in them is refused.

use super::{Limits, Refusal};

const MALFORMED: Refusal = Refusal::Malformed("an extended header");

/// The records that mean something to the daemon's unpacking.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Records {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<i64>,
    pub(super) uid: Option<i64>,
    pub(super) gid: Option<i64>,
    /// Extended attributes by name: capabilities of files are among them.
    pub(super) attributes: Vec<Vec<u8>>,
}

const ATTRIBUTE: &[u8] = b"SCHILY.xattr.";
/// Attributes of one entry.
const MOST_ATTRIBUTES: usize = 64;

impl Records {
    /// Reads `LENGTH KEY=VALUE\n`, one after the other. Of a key given twice the last counts; an empty
    /// value keeps what the plain header says.
    pub(super) fn read(mut text: &[u8], limits: &Limits) -> Result<Records, Refusal> {
        let mut records = Records::default();
        while !text.is_empty() {
            let (key, value, rest) = record(text)?;
            records.note(key, value, limits)?;
            text = rest;
        }
        Ok(records)
    }

    fn note(&mut self, key: &[u8], value: &[u8], limits: &Limits) -> Result<(), Refusal> {
        let name = |value: &[u8]| -> Result<Option<Vec<u8>>, Refusal> {
            if value.contains(&0) {
                return Err(MALFORMED);
            }
            if value.len() > limits.name {
                return Err(Refusal::TooMuch { of: "bytes of a name", limit: limits.name as u64 });
            }
            Ok(Some(value.to_vec()).filter(|value| !value.is_empty()))
        };
        match key {
            b"path" => self.path = name(value)?,
            b"linkpath" => self.link = name(value)?,
            b"size" => self.size = number(value)?,
            b"uid" => self.uid = number(value)?,
            b"gid" => self.gid = number(value)?,
            _ if key.starts_with(b"GNU.sparse.") => return Err(Refusal::Ambiguous("a sparse file")),
            _ => {
                if let Some(attribute) = key.strip_prefix(ATTRIBUTE) {
                    if self.attributes.len() >= MOST_ATTRIBUTES {
                        return Err(Refusal::TooMuch { of: "attributes of a file", limit: MOST_ATTRIBUTES as u64 });
                    }
                    self.attributes.push(attribute.to_vec());
                }
            }
        }
        Ok(())
    }

    /// Whether a global header says something about the entries after it: Go ignores it, others do not.
    pub(super) fn says_anything(&self) -> bool {
        *self != Records::default()
    }
}

fn number(value: &[u8]) -> Result<Option<i64>, Refusal> {
    if value.is_empty() {
        return Ok(None);
    }
    let text = std::str::from_utf8(value).map_err(|_| MALFORMED)?;
    text.parse().map(Some).map_err(|_| MALFORMED)
}

/// A key, its value, and the text behind the record.
type Record<'a> = (&'a [u8], &'a [u8], &'a [u8]);

fn record(text: &[u8]) -> Result<Record<'_>, Refusal> {
    let space = text.iter().position(|byte| *byte == b' ').ok_or(MALFORMED)?;
    let length = text.get(..space).and_then(|digits| std::str::from_utf8(digits).ok());
    let length: usize = length.and_then(|digits| digits.parse().ok()).filter(|length| *length >= 5).ok_or(MALFORMED)?;
    let (whole, rest) = text.split_at_checked(length).ok_or(MALFORMED)?;
    let record = whole.get(space.saturating_add(1)..).and_then(|record| record.strip_suffix(b"\n")).ok_or(MALFORMED)?;
    let equals = record.iter().position(|byte| *byte == b'=').filter(|at| *at > 0).ok_or(MALFORMED)?;
    let (key, value) = record.split_at_checked(equals).ok_or(MALFORMED)?;
    if key.contains(&0) {
        return Err(MALFORMED);
    }
    Ok((key, value.get(1..).unwrap_or_default(), rest))
}
