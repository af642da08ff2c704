//! The results of steps, by the ids that answers give them.
//!
//! BuildKit keeps the result of a step that was refused as it keeps all others, and its error messages list what it has. So
//! that an id cannot be guessed says nothing: whoever names one must have been given it.

use std::collections::BTreeSet;

use crate::buildkit::message::bridge::{
    EvaluateRequest, NewContainerRequest, ReadDirRequest, ReadFileRequest, Ref, ReturnRequest, SolveResult,
    StatFileRequest,
};
use crate::buildkit::method::Method;
use crate::buildkit::wire::{Reader, Strictness};
use crate::request::Misread;

/// The ids of the results that a call ([`Need::OwnResults`](crate::buildkit::method::Need::OwnResults)) names.
/// `allow_fields`: as in [`Reading`](super::Reading).
pub fn named(method: &Method, message: &[u8], allow_fields: &BTreeSet<String>) -> Result<BTreeSet<String>, Misread> {
    let mut reader = Reader::new(Strictness::Known(allow_fields), message.len());
    let one = |id: String| BTreeSet::from([id]);
    let mut ids = match method.name() {
        "LLBBridge/ReadFile" => one(reader.read::<ReadFileRequest>(message)?.reference),
        "LLBBridge/ReadDir" => one(reader.read::<ReadDirRequest>(message)?.reference),
        "LLBBridge/StatFile" => one(reader.read::<StatFileRequest>(message)?.reference),
        "LLBBridge/Evaluate" => one(reader.read::<EvaluateRequest>(message)?.reference),
        "LLBBridge/Return" => {
            let returned: ReturnRequest = reader.read(message)?;
            returned.result.iter().flat_map(of).map(str::to_owned).collect()
        }
        _ => return Err(Misread::value(method.path, "is not known to name results")),
    };
    ids.remove("");
    Ok(ids)
}

/// Those that a container of the client's is given to work on.
pub(super) fn mounted(container: &NewContainerRequest) -> BTreeSet<String> {
    let ids = container.mounts.iter().map(|mount| mount.result_id.clone());
    ids.filter(|id| !id.is_empty()).collect()
}

/// All that one result has in it, in forms of today and of long ago.
pub(super) fn of(result: &SolveResult) -> impl Iterator<Item = &str> {
    let old = result.old_refs.iter().flat_map(|old| old.refs.values()).chain([&result.old_ref]);
    let ids = refs(result).map(|it| &it.id).chain(old);
    ids.map(String::as_str).filter(|id| !id.is_empty())
}

/// Its parts: for each platform one, and what is stated of them.
pub(super) fn refs(result: &SolveResult) -> impl Iterator<Item = &Ref> {
    let many = result.many.iter().flat_map(|many| many.refs.values().map(|it| &it.0));
    let stated = result.attestations.values().flat_map(|list| &list.0.attestation).flat_map(|it| &it.one);
    result.one.iter().chain(many).chain(stated)
}
