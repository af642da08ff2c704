//! A request in its client's own words, for policies that are written against those rather than against what they mean:
//! the names as they were given, the header fields, the body with what it says without need.

use std::fmt;
use std::sync::Arc;

use crate::http::{Headers, Method, RequestHead};
use crate::target::{Query, Target};

/// The longest body that is kept beside what was read of it, in bytes.
pub const LONGEST_BODY: usize = 1 << 20;

/// What the client said.
#[derive(Clone, PartialEq, Eq)]
pub struct Posed {
    /// The method.
    pub method: Method,
    /// The path as the daemon's router sees it, decoded, with its version.
    pub path: String,
    /// The same as it is sent: each meaning in one spelling.
    pub encoded_path: String,
    /// The query.
    pub query: Query,
    /// The header fields.
    pub headers: Headers,
    /// A JSON body; not kept where it is longer than [`LONGEST_BODY`].
    pub body: Option<Arc<[u8]>>,
}

impl Posed {
    /// The head of a request.
    pub(super) fn new(head: &RequestHead, target: &Target, query: &Query) -> Posed {
        Posed {
            method: head.method().clone(),
            path: target.path().to_owned(),
            encoded_path: target.canonical_path(),
            query: query.clone(),
            headers: head.headers().clone(),
            body: None,
        }
    }
}

/// Fields and bodies hold passwords: they are not shown.
impl fmt::Debug for Posed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Posed({} {})", self.method, self.path)
    }
}
