//! What BuildKit keeps of one build for the next: folders of commands, and copies of contexts.
//!
//! Both go by names that clients choose, and BuildKit does not ask whose they are. So each user's have the user's name
//! before theirs.

use docker::target::encode_segment;

/// The field in which a client names the copy of its context, of which the next build sends what has changed.
pub(in crate::gateway) const SHARED_KEY: &str = "X-Docker-Expose-Session-Sharedkey";

/// What the names of a user's folders begin with. BuildKit joins it to them as a path, of which it must stay one part.
pub(super) fn namespace(user: &str) -> String {
    let mut name = String::new();
    encode_segment(&mut name, user);
    if name.starts_with('.') { format!("%2E{}", name.trim_start_matches('.')) } else { name }
}

/// The name of a copy as the daemon is told it. One without a name would be everybody's.
pub(in crate::gateway) fn shared_key(user: &str, given: &[u8]) -> Vec<u8> {
    [namespace(user).as_bytes(), b"/", given].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_within_their_users() {
        assert_eq!(namespace("alice"), "alice");
        assert_eq!(namespace("a/../bob"), "a%2F..%2Fbob");
        assert!(!namespace("..").contains(".."));
        assert_eq!(shared_key("a/b", b"c"), b"a%2Fb/c");
        assert_eq!(shared_key("alice", b""), b"alice/");
    }
}
