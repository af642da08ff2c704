//! What the daemon asks: a request as it shows it, read by the same strict readers as one at the gateway.
//!
//! The keys are those that the daemon sends, not those of its documentation; empty ones are left out. Of a header
//! field that stands several times only the last value is shown, while the daemon itself goes by the first; and
//! `Transfer-Encoding` is never shown. So it cannot be seen whether there is a body that is not shown, except where
//! the head leaves no room for one.

use std::collections::HashMap;

use docker::body::base64;
use docker::endpoint::BodyKind;
use docker::http::{
    Framing, HeadError, HeadLimits, Headers, Method, Parsed, RequestHead, WriteError, write_request_head,
};
use docker::request::Call;
use serde::Deserialize;

/// A request that the daemon asks about.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) head: RequestHead,
    /// The body; empty where there is none, and where it is not shown.
    pub(super) body: Vec<u8>,
    pub(super) user: Option<String>,
    pub(super) method_of_proof: Option<String>,
    /// PEM, the client's own first.
    pub(super) certificates: Vec<Vec<u8>>,
    fields: HashMap<String, String>,
}

/// A question that cannot be answered with yes.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    /// Above all an empty one, which the daemon sends when a connection broke.
    #[error("the daemon did not say what it asks about; try again")]
    Empty,
    #[error("the daemon's question cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the daemon's question holds base64 that is none")]
    Base64,
    #[error("{0}")]
    Head(#[from] HeadError),
    #[error("{0}")]
    Field(#[from] WriteError),
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Shown {
    user: String,
    #[serde(rename = "UserAuthNMethod")]
    user_authn_method: String,
    request_method: String,
    request_uri: String,
    request_body: Option<String>,
    request_headers: Option<HashMap<String, String>>,
    request_peer_certificates: Option<Vec<String>>,
}

impl Question {
    pub(super) fn read(bytes: &[u8]) -> Result<Question, Unreadable> {
        if bytes.is_empty() {
            return Err(Unreadable::Empty);
        }
        let shown: Shown = serde_json::from_slice(bytes)?;
        if shown.request_method.is_empty() || shown.request_uri.is_empty() {
            return Err(Unreadable::Empty);
        }
        let decode = |text: String| base64::decode(text.as_bytes()).ok_or(Unreadable::Base64);
        let fields = shown.request_headers.unwrap_or_default();
        let head = head(&shown.request_method, &shown.request_uri, fields.get("Content-Type"))?;
        let certificates = shown.request_peer_certificates.unwrap_or_default();
        let present = |text: String| Some(text).filter(|text| !text.is_empty());
        Ok(Question {
            head,
            body: shown.request_body.map(decode).transpose()?.unwrap_or_default(),
            user: present(shown.user),
            method_of_proof: present(shown.user_authn_method),
            certificates: certificates.into_iter().map(decode).collect::<Result<_, _>>()?,
            fields,
        })
    }

    /// All header fields, each with the one value that the daemon shows.
    pub(super) fn headers(&self) -> Result<Headers, HeadError> {
        let mut fields: Vec<(&str, &str)> =
            self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.sort_unstable();
        Headers::of(fields.into_iter())
    }

    /// A header field, spelled as Go spells names.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// Whether the daemon may read a body that it did not show.
    pub(super) fn withholds(&self, call: &Call) -> bool {
        let reads = matches!(self.head.method(), Method::Post | Method::Put | Method::Other(_));
        if !self.body.is_empty() || !reads || call.body_kind() == BodyKind::Tar {
            return false;
        }
        match (self.field("Content-Length"), self.field("Content-Type")) {
            (Some(length), _) => length.trim() != "0",
            // In chunks it has no length. Without a type the daemon takes nothing from a body, and without a body
            // clients name no type; but it goes by the first of several, and this is the last.
            (None, given) => given.is_some(),
        }
    }
}

/// The head, written anew from what matters of it and read as any other.
fn head(method: &str, target: &str, content_type: Option<&String>) -> Result<RequestHead, Unreadable> {
    let method = Method::parse(method.as_bytes())?;
    let content_type = content_type.map(|value| ("Content-Type", value.as_bytes()));
    let fields = [("Host", b"docker".as_slice())].into_iter().chain(content_type);
    let mut bytes = Vec::with_capacity(target.len().saturating_add(128));
    write_request_head(&mut bytes, &method, target, fields, Framing::None)?;
    let limits = HeadLimits { bytes: bytes.len().saturating_add(1), ..HeadLimits::default() };
    match RequestHead::parse(&bytes, &limits)? {
        Parsed::Complete { head, .. } => Ok(head),
        Parsed::Partial => Err(Unreadable::Empty),
    }
}
