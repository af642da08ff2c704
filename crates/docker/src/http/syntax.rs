//! The byte classes of HTTP/1.1 (RFC 9110, section 5) and how untrusted bytes are shown to people.

/// How much of a client's text an error repeats. Enough to recognise it, too little to flood a log.
const SHOWN_BYTES: usize = 64;

/// A token: method names, field names, codings.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| is_token_byte(*byte))
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

/// A field value: visible ASCII, blank, tab, and the bytes above ASCII. Never a control character.
pub(crate) fn is_field_value(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| !is_control(*byte))
}

/// A byte that no part of a head may hold, line ends apart. A tab is an ordinary blank.
pub(crate) fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}

/// Printable ASCII without the blank: all that a request target may be made of.
pub(crate) fn is_visible(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_graphic)
}

/// The bytes without blanks and tabs at both ends.
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// A number in its only spelling: digits alone, no sign, no leading zero. Rust's own parser takes
/// `+5`, others take `0x5` or `05` as octal; a length that two readers read differently splits
/// messages in different places.
pub(crate) fn decimal(bytes: &[u8]) -> Option<u64> {
    let digits = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
    if !digits || (bytes.len() > 1 && bytes.first() == Some(&b'0')) {
        return None;
    }
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// The value of one hexadecimal digit.
pub(crate) fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Untrusted bytes for an error message: on one line, printable, and cut when long.
pub(crate) fn shown(bytes: &[u8]) -> String {
    match bytes.split_at_checked(SHOWN_BYTES) {
        Some((start, rest)) if !rest.is_empty() => format!("{}...", start.escape_ascii()),
        _ => bytes.escape_ascii().to_string(),
    }
}
