//! Bodies that hold nothing.

use super::{Body, Call, Misread};

/// Whether a body is absent or `null`.
pub(super) fn is_nothing(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii(), b"" | b"null")
}

/// The body of an end point that reads none, although clients send an empty object.
pub(super) fn empty(call: &Call, bytes: &[u8]) -> Result<Body, Misread> {
    let compact: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    match compact.as_slice() {
        b"" | b"null" | b"{}" => Ok(Body::None),
        _ => Err(Misread::NeedlessBody { operation: call.operation.name() }),
    }
}
