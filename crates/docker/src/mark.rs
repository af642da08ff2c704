//! Marks: what a request says that makes it another command than those that share its end point.
//!
//! Only what the daemon goes by is one. A mark that is told too often refuses too much; one that is told too rarely would
//! let a command through under another's name: so whatever the daemon might read as yes is one.

use crate::endpoint::Operation;
use crate::request::Body;
use crate::target::{Query, go_bool};

/// All there are.
pub const MARKS: &[&str] = &["rollback", "rotate-token", "rotate-key", "rotate-ca", "manager", "worker"];

/// The marks of a request.
pub(crate) fn of(operation: Operation, query: &Query, body: &Body) -> Vec<&'static str> {
    let on = |name: &str| query.all(name).any(go_bool);
    let all = match (operation, body) {
        (Operation::ServiceUpdate, _) => vec![("rollback", on("rollback"))],
        (Operation::SwarmUpdate, Body::SwarmUpdate(spec)) => {
            let authority = &spec.ca_config;
            let signing = !authority.signing_ca_cert.is_empty() || !authority.signing_ca_key.0.is_empty();
            vec![
                ("rotate-token", on("rotateWorkerToken") || on("rotateManagerToken")),
                ("rotate-key", on("rotateManagerUnlockKey")),
                ("rotate-ca", authority.force_rotate != 0 || signing),
            ]
        }
        (Operation::NodeUpdate, Body::Node(node)) => {
            vec![
                ("manager", !matches!(node.role.as_str(), "" | "worker")),
                ("worker", node.role.eq_ignore_ascii_case("worker")),
            ]
        }
        _ => Vec::new(),
    };
    all.into_iter().filter(|(_, is)| *is).map(|(mark, _)| mark).collect()
}
