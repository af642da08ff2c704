//! Numbers of a tar header: octal, or base 256 (Go `archive/tar`, strconv.go).

use super::Refusal;

const MALFORMED: Refusal = Refusal::Malformed("a number in a header");

/// A numeric field.
pub(super) fn parse(field: &[u8]) -> Result<i64, Refusal> {
    match field.first() {
        Some(first) if first & 0x80 != 0 => base256(field),
        _ => octal(field),
    }
}

/// Two's complement, big-endian, below a first bit that is set.
fn base256(field: &[u8]) -> Result<i64, Refusal> {
    let negative = field.first().is_some_and(|first| first & 0x40 != 0);
    let mut value: u64 = 0;
    for (index, byte) in field.iter().enumerate() {
        let byte = if negative { !byte } else { *byte };
        let byte = if index == 0 { byte & 0x7F } else { byte };
        if value >> 56 != 0 {
            return Err(MALFORMED);
        }
        value = value << 8 | u64::from(byte);
    }
    let value = i64::try_from(value).map_err(|_| MALFORMED)?;
    Ok(if negative { !value } else { value })
}

/// Octal digits between spaces and NULs; nothing is 0.
pub(super) fn octal(field: &[u8]) -> Result<i64, Refusal> {
    let padding = |byte: &u8| matches!(byte, b' ' | 0);
    let Some(start) = field.iter().position(|byte| !padding(byte)) else { return Ok(0) };
    let end = field.iter().rposition(|byte| !padding(byte)).unwrap_or(start);
    let digits = field.get(start..=end).unwrap_or_default();
    let digits = digits.split(|byte| *byte == 0).next().unwrap_or_default();
    let mut value: u64 = 0;
    for digit in digits {
        if !(b'0'..=b'7').contains(digit) || value >> 61 != 0 {
            return Err(MALFORMED);
        }
        value = value << 3 | u64::from(digit & 7);
    }
    // Go reads 64 bits and reinterprets the sign; no field is long enough for that to happen.
    i64::try_from(value).map_err(|_| MALFORMED)
}
