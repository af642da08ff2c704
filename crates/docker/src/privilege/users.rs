//! Who processes run as inside a container.

use super::{Privilege, RunUser, Uid};
use crate::privilege::asked::Asked;

impl Asked<'_> {
    /// The user of a new container: the request's, else the image's.
    pub(crate) fn run_as(&mut self, asked: &str, otherwise: &str) {
        let name = if asked.is_empty() { otherwise } else { asked };
        let user = run_user(name);
        // `user:group`: a group of one's choice is a group joined, such as the disk's. The user's own, of the
        // same number, is not.
        if let Some((_, group)) = name.split_once(':').filter(|(_, group)| !group.is_empty()) {
            let own = atoi(group).is_some_and(|gid| gid != 0 && user.uid == Uid::Number(gid));
            if !own {
                self.ask(Privilege::JoinGroup { group: group.to_owned() });
            }
        }
        self.ask(Privilege::RunAs(user));
    }

    /// Supplementary groups.
    pub(crate) fn groups(&mut self, groups: Option<&Vec<String>>) {
        for group in groups.into_iter().flatten() {
            self.ask(Privilege::JoinGroup { group: group.clone() });
        }
    }
}

/// A user as the daemon reads it (`GetExecUser`): cut at the first colon; nothing is root; a number in
/// Go's spelling is that uid; any other name is looked up in the image's own `/etc/passwd`, which can
/// call anybody root.
pub fn run_user(given: &str) -> RunUser {
    let name = given.split(':').next().unwrap_or_default();
    let uid = match name {
        "" | "root" => Uid::Number(0),
        name => atoi(name).map_or(Uid::Unknown, Uid::Number),
    };
    RunUser { name: given.to_owned(), uid }
}

/// Go's `strconv.Atoi` within the range of uids: a sign and any number of leading zeros are allowed.
fn atoi(text: &str) -> Option<u32> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = match digits.trim_start_matches('0') {
        "" => 0,
        digits => digits.parse::<u32>().ok()?,
    };
    (number == 0 || !negative).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_found_in_every_spelling() {
        for name in
            ["", "0", "00", "+0", "-0", ":", ":1000", ":0", "0:0", "0000000000000000000000", "root", "root:user"]
        {
            assert_eq!(run_user(name).uid, Uid::Number(0), "{name:?}");
        }
    }

    #[test]
    fn numbers_are_themselves_and_names_are_doubtful() {
        assert_eq!(run_user("1000:0").uid, Uid::Number(1000));
        assert_eq!(run_user("01000").uid, Uid::Number(1000));
        for name in ["app", "ROOT", "0x0", " 0", "0 ", "0_0", "1e3", "-1", "4294967296", "\u{660}"] {
            assert_eq!(run_user(name).uid, Uid::Unknown, "{name:?}");
        }
    }
}
