//! Content types. The daemon reads form bodies into the query, with the body's values first: so a form
//! is refused wherever it is sent, and JSON must call itself JSON.

use super::{Call, Misread};
use crate::endpoint::BodyKind;

/// Checks the content type against what the end point reads. `body`: whether there are bytes to judge.
pub(super) fn check(call: &Call, body: bool) -> Result<(), Misread> {
    let given = call.content_type.as_deref();
    let refuse = |expected| {
        Err(Misread::ContentType {
            operation: call.operation.name(),
            expected,
            given: given.unwrap_or("no content type").to_owned(),
        })
    };
    match (call.body_kind(), given) {
        (_, Some(form)) if form == "application/x-www-form-urlencoded" || form.starts_with("multipart/") => {
            refuse("no form; send parameters in the query")
        }
        (BodyKind::Json, Some("application/json")) => Ok(()),
        (BodyKind::Json, None) if !body => Ok(()),
        (BodyKind::Json, _) => refuse("`application/json`"),
        _ => Ok(()),
    }
}
