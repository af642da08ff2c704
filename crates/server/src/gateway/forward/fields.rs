//! Which header fields pass. Both ways the head is written anew; only named fields of a request go on.

use docker::endpoint::{Answer, Operation};
use docker::http::{RequestHead, ResponseHead};
use docker::request::Call;

type Fields<'a> = Vec<(&'a str, &'a [u8])>;

/// Fields about one connection, which a proxy never passes on (RFC 9110, 7.6.1), and those that the
/// writer makes itself.
const OF_ONE_HOP: &[&str] = &[
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The field in which a client names its session for builds, and the one that names, time and again, what it serves there.
pub(in crate::gateway) const SESSION_ID: &str = "X-Docker-Expose-Session-Uuid";
const SESSION_METHOD: &str = "X-Docker-Expose-Session-Grpc-Method";

/// The fields of the request as it is sent. Everything else that the client sent is left out: the daemon
/// forwards `X-Meta-*` to registries, and a later version may take others for orders.
pub(super) fn of_request<'a>(
    head: &'a RequestHead,
    call: &Call,
    content_type: Option<&'a [u8]>,
) -> Result<Fields<'a>, String> {
    let mut fields: Fields<'a> = vec![("Host", b"docker")];
    let mut pass = |name: &'static str| match head.headers().one(name) {
        Ok(value) => {
            fields.extend(value.map(|value| (name, value)));
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    };
    pass("User-Agent")?;
    match call.operation {
        Operation::ImageBuild => pass("X-Registry-Config")?,
        Operation::Session => {
            for name in [SESSION_ID, "X-Docker-Expose-Session-Name"] {
                pass(name)?;
            }
        }
        Operation::Grpc => {}
        Operation::ContainerAttachWebsocket => {
            for name in ["Origin", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol"] {
                pass(name)?;
            }
        }
        _ => pass("X-Registry-Auth")?,
    }
    if call.operation == Operation::Session {
        let methods = head.headers().all(SESSION_METHOD);
        fields.extend(methods.map(|method| (SESSION_METHOD, method)));
    }
    if let Some(content_type) = content_type {
        fields.push(("Content-Type", content_type));
    }
    if let Some(token) = upgrade(head, call)? {
        fields.push(("Connection", b"Upgrade"));
        fields.push(("Upgrade", token));
    }
    Ok(fields)
}

/// The protocol that the client wants to go over to. Elsewhere than where the daemon takes connections
/// over the wish is not passed on, and the next request on this connection is judged like any other.
fn upgrade(head: &RequestHead, call: &Call) -> Result<Option<&'static [u8]>, String> {
    if call.operation.endpoint().answer != Answer::Stream {
        return Ok(None);
    }
    let known: &'static str = match call.operation {
        Operation::ContainerAttachWebsocket => "websocket",
        Operation::Grpc | Operation::Session => "h2c",
        _ => "tcp",
    };
    match head.upgrade() {
        None => Ok(None),
        Some(token) if token.eq_ignore_ascii_case(known) => Ok(Some(known.as_bytes())),
        Some(_) => Err("this connection cannot be upgraded to that protocol".to_owned()),
    }
}

/// The fields of an answer as they go to the client.
pub(super) fn of_answer<'a>(head: &'a ResponseHead, close: bool) -> Fields<'a> {
    let keep = |name: &str| !OF_ONE_HOP.iter().any(|hop| name.eq_ignore_ascii_case(hop));
    let mut fields: Fields<'a> = head.headers().iter().filter(|(name, _)| keep(name)).collect();
    if close {
        fields.push(("Connection", b"close"));
    }
    fields
}

/// The fields of an answer with which the daemon takes the connection over.
pub(super) fn of_takeover(head: &ResponseHead) -> Fields<'_> {
    let mut fields = of_answer(head, false);
    if head.is_upgraded() {
        fields.push(("Connection", b"Upgrade"));
        fields.extend(head.headers().get("Upgrade").map(|token| ("Upgrade", token)));
    }
    fields
}
