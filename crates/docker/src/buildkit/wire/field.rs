//! The fields of a message, one after the other.

use super::Malformed;

/// A field's value as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Raw<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Four or eight bytes, of which no message here has any.
    Fixed,
}

/// What is left of a message.
pub(super) struct Fields<'a> {
    message: &'static str,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn of(message: &'static str, bytes: &'a [u8]) -> Fields<'a> {
        Fields { message, rest: bytes }
    }

    pub(super) fn next(&mut self) -> Result<Option<(u32, Raw<'a>)>, Malformed> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        // The daemon cuts a number that is too large for a field's down to size: it would read another field here.
        let head = self.number()?;
        let head = u32::try_from(head).map_err(|_| Malformed::Number { message: self.message })?;
        let number = head >> 3;
        let raw = match head & 7 {
            0 => Raw::Number(self.number()?),
            1 => self.fixed(8)?,
            2 => {
                let length = usize::try_from(self.number()?).map_err(|_| Malformed::Short)?;
                let (bytes, rest) = self.rest.split_at_checked(length).ok_or(Malformed::Short)?;
                self.rest = rest;
                Raw::Bytes(bytes)
            }
            5 => self.fixed(4)?,
            // Groups, which nobody has written for twenty years, and what never was.
            _ => return Err(Malformed::Kind { message: self.message, number }),
        };
        if number == 0 {
            return Err(Malformed::Number { message: self.message });
        }
        Ok(Some((number, raw)))
    }

    fn fixed(&mut self, length: usize) -> Result<Raw<'a>, Malformed> {
        self.rest = self.rest.split_at_checked(length).ok_or(Malformed::Short)?.1;
        Ok(Raw::Fixed)
    }

    fn number(&mut self) -> Result<u64, Malformed> {
        let (number, rest) = number(self.message, self.rest)?;
        self.rest = rest;
        Ok(number)
    }
}

/// A number of up to ten bytes, seven bits each. What is above 64 bits, some readers drop and others refuse.
pub(super) fn number<'a>(message: &'static str, bytes: &'a [u8]) -> Result<(u64, &'a [u8]), Malformed> {
    let mut value = 0_u64;
    let mut rest = bytes;
    for place in 0..10_u32 {
        let (byte, after) = rest.split_first().ok_or(Malformed::Short)?;
        rest = after;
        if place == 9 && *byte > 1 {
            break;
        }
        value |= u64::from(byte & 0x7f).wrapping_shl(place.saturating_mul(7));
        if byte & 0x80 == 0 {
            return Ok((value, rest));
        }
    }
    Err(Malformed::Number { message })
}

/// Writes a number.
pub(crate) fn varint(mut value: u64, out: &mut Vec<u8>) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Writes a field of a length.
pub(super) fn bytes(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    varint(u64::from(number) << 3 | 2, out);
    varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Writes a field that is a number.
pub(super) fn plain(number: u32, value: u64, out: &mut Vec<u8>) {
    varint(u64::from(number) << 3, out);
    varint(value, out);
}
