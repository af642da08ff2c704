//! Fields put behind a message that was judged, which then stays what it is to the last bit.
//!
//! Of a value that comes twice every reader takes the last, a map takes its last entry of a key, and a list takes both.

use super::message::policy::{self, Policy, Rule, Selector};
use super::wire::{Message, Slot, varint};

/// A message that a build is asked for with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// `Control/Solve`
    Control,
    /// `LLBBridge/Solve`
    Bridge,
}

/// Sets an attribute for the frontend.
pub fn attribute(of: Of, message: &mut Vec<u8>, name: &str, value: &str) {
    let field = match of {
        Of::Control => 7,
        Of::Bridge => 3,
    };
    std::collections::BTreeMap::from([(name.to_owned(), value.to_owned())]).write(field, message);
}

/// Has the built-in frontend read the Dockerfile, whatever frontend its text asks for: it looks for none once it is told
/// of a command line. (BuildKit's `frontend/dockerfile/builder`.)
pub fn built_in_frontend(of: Of, message: &mut Vec<u8>) {
    attribute(of, message, "cmdline", "dockerfile.v0");
}

/// Keeps the folders that commands keep for later builds apart from those of others: their names begin with this one.
pub fn cache_namespace(of: Of, message: &mut Vec<u8>, namespace: &str) {
    attribute(of, message, "build-arg:BUILDKIT_CACHE_MOUNT_NS", namespace);
}

/// Has nothing run before its answer was seen.
pub fn no_evaluation(message: &mut Vec<u8>) {
    varint(14 << 3, message);
    varint(0, message);
}

/// Has the daemon itself refuse these sources, with `*` for anything: `http://169.254.*`. The last ones are not refused.
///
/// Of a build that brings a policy of its own the two would become one, so such a build must not come here.
pub fn deny_sources(of: Of, message: &mut Vec<u8>, patterns: &[&str], but: &[String]) {
    let rule = |action, pattern: &str| {
        let identifier = pattern.to_owned();
        let selector = Selector { identifier, match_type: policy::WILDCARD, constraints: Vec::new() };
        Rule { action, selector: Some(selector), updates: None }
    };
    let denied = patterns.iter().map(|pattern| rule(policy::DENY, pattern));
    let rules = denied.chain(but.iter().map(|pattern| rule(policy::ALLOW, pattern))).collect();
    let policy = Policy { version: 1, rules };
    match of {
        Of::Control => Some(policy).write(12, message),
        Of::Bridge => vec![policy].write(15, message),
    }
}

/// Bytes as a message of a stream of bytes.
pub fn bytes_message(data: &[u8]) -> Vec<u8> {
    super::message::session::BytesMessage { data: data.to_vec() }.written()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::buildkit::message::{bridge, control};
    use crate::buildkit::wire::{Strictness, read};

    #[test]
    fn what_is_appended_counts_and_the_rest_stays() {
        let none = BTreeSet::new();
        let asked = bridge::SolveRequest {
            frontend: "dockerfile.v0".to_owned(),
            frontend_opt: [("cmdline".to_owned(), "mine".to_owned()), ("target".to_owned(), "x".to_owned())].into(),
            evaluate: true,
            ..bridge::SolveRequest::default()
        };
        let mut message = asked.written();
        let before = message.clone();
        built_in_frontend(Of::Bridge, &mut message);
        cache_namespace(Of::Bridge, &mut message, "alice");
        no_evaluation(&mut message);
        deny_sources(Of::Bridge, &mut message, &["http://*", "git://*"], &["http://a/*".to_owned()]);
        assert!(message.starts_with(&before));
        let read: bridge::SolveRequest = read(&message, Strictness::Known(&none)).unwrap();
        assert!(!read.evaluate);
        assert_eq!(read.frontend_opt["cmdline"], "dockerfile.v0");
        assert_eq!(read.frontend_opt["build-arg:BUILDKIT_CACHE_MOUNT_NS"], "alice");
        assert_eq!(read.frontend_opt["target"], "x");
        assert_eq!(read.source_policies[0].rules.iter().map(|rule| rule.action).collect::<Vec<_>>(), [1, 1, 0]);
        assert_eq!(read.source_policies[0].rules[1].selector.as_ref().unwrap().identifier, "git://*");
    }

    #[test]
    fn the_same_for_a_build_as_a_whole() {
        let none = BTreeSet::new();
        let mut message = control::SolveRequest { reference: "x".to_owned(), ..Default::default() }.written();
        attribute(Of::Control, &mut message, "a", "b");
        deny_sources(Of::Control, &mut message, &["*"], &[]);
        let read: control::SolveRequest = read(&message, Strictness::Known(&none)).unwrap();
        assert_eq!((read.frontend_attrs["a"].as_str(), read.source_policy.unwrap().rules.len()), ("b", 1));
    }
}
