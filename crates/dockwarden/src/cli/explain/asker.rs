//! `--as USER[,GROUP...]`: the subject to ask as.

use std::ffi::CString;

use nix::unistd::{Group, User, getgrouplist};
use policy::{Proof, Subject};

/// A user of this host, with the groups that it has here unless others are given; or any other name
/// that a subject can have.
pub fn parse(text: &str) -> Result<Subject, String> {
    let mut names = text.split(',').map(str::trim);
    let user = names.next().filter(|name| !name.is_empty()).ok_or("a user's name is needed")?.to_owned();
    let given: Vec<String> = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if let Some(id) = user.strip_prefix("container:") {
        let container = Some(id.to_owned());
        return Ok(Subject { container, groups: or_else(given, || vec!["containers".to_owned()]), ..stranger(user) });
    }
    if let Some(address) = user.strip_prefix("address:") {
        let address = address.parse().map_err(|_| format!("`{address}` is no IP address"))?;
        return Ok(Subject { proof: Proof::Address, address: Some(address), groups: given, ..stranger(user) });
    }
    if user.starts_with("socket:") {
        return Ok(Subject { proof: Proof::Nothing, groups: given, ..stranger(user) });
    }
    match User::from_name(&user) {
        Ok(Some(found)) => {
            let groups = or_else(given, || groups_of(&found));
            let proof = Proof::PeerCredentials { uid: found.uid.as_raw(), gid: found.gid.as_raw(), pid: None };
            Ok(Subject { uid: Some(found.uid.as_raw()), groups, proof, ..stranger(user) })
        }
        Ok(None) => Ok(Subject { groups: given, ..stranger(user) }),
        Err(error) => Err(format!("user `{user}` cannot be looked up: {}", error.desc())),
    }
}

fn or_else(given: Vec<String>, otherwise: impl FnOnce() -> Vec<String>) -> Vec<String> {
    if given.is_empty() { otherwise() } else { given }
}

/// Somebody of whom only the name is known: as from a certificate.
fn stranger(user: String) -> Subject {
    let proof = Proof::Certificate { common_name: Some(user.clone()), names: Vec::new() };
    Subject { user, groups: Vec::new(), uid: None, proof, container: None, address: None }
}

fn groups_of(user: &User) -> Vec<String> {
    let gids = CString::new(user.name.as_str()).ok().and_then(|name| getgrouplist(&name, user.gid).ok());
    let mut groups: Vec<String> = gids
        .unwrap_or_else(|| vec![user.gid])
        .into_iter()
        .map(|gid| match Group::from_gid(gid) {
            Ok(Some(group)) => group.name,
            _ => format!("gid:{gid}"),
        })
        .collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_of_the_host_have_their_groups_unless_others_are_given() {
        let root = parse("root").unwrap();
        assert_eq!((root.uid, root.groups.contains(&"root".to_owned())), (Some(0), true));
        assert_eq!(parse("root, ci,admins").unwrap().groups, ["ci", "admins"]);
    }

    #[test]
    fn others_are_known_by_name_only() {
        let deploy = parse("deploy.example.org,ci").unwrap();
        assert_eq!((deploy.uid, deploy.groups), (None, vec!["ci".to_owned()]));
        let container = parse("container:abc").unwrap();
        assert_eq!((container.container.as_deref(), container.groups), (Some("abc"), vec!["containers".to_owned()]));
        assert_eq!(parse("address:192.0.2.1").unwrap().address, "192.0.2.1".parse().ok());
        assert!(parse("address:nowhere").is_err() && parse("").is_err() && parse(",ci").is_err());
    }
}
