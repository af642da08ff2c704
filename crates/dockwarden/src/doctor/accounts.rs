//! Users and groups of a host, as its files name them.

use super::root::Root;

/// `/etc/passwd` and `/etc/group`. Lines that name nobody are left out, as everything on a host leaves them out.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    users: Vec<User>,
    groups: Vec<Group>,
}

#[derive(Debug, Clone)]
struct User {
    name: String,
    uid: u64,
    gid: u64,
}

#[derive(Debug, Clone)]
struct Group {
    name: String,
    gid: u64,
    members: Vec<String>,
}

impl Accounts {
    /// Reads a host's files.
    pub fn read(root: &Root) -> Accounts {
        let text = |file| root.text(file).unwrap_or_default();
        let users = text("/etc/passwd").lines().filter_map(user).collect();
        let groups = text("/etc/group").lines().filter_map(group).collect();
        Accounts { users, groups }
    }

    /// The name of a user.
    pub fn user(&self, uid: u64) -> Option<&str> {
        self.users.iter().find(|user| user.uid == uid).map(|user| user.name.as_str())
    }

    /// A user's uid.
    pub fn uid(&self, name: &str) -> Option<u64> {
        self.users.iter().find(|user| user.name == name).map(|user| user.uid)
    }

    /// The name of a group.
    pub fn group(&self, gid: u64) -> Option<&str> {
        self.groups.iter().find(|group| group.gid == gid).map(|group| group.name.as_str())
    }

    /// Who is in a group: its members, and those whose own group it is. Root is everywhere anyway.
    pub fn members(&self, name: &str) -> Vec<String> {
        let Some(group) = self.groups.iter().find(|group| group.name == name) else { return Vec::new() };
        let own = self.users.iter().filter(|user| user.gid == group.gid).map(|user| user.name.clone());
        let mut members: Vec<String> = group.members.iter().cloned().chain(own).filter(|name| name != "root").collect();
        members.sort();
        members.dedup();
        members
    }

    /// All ids that somebody has, of users and of groups.
    pub fn ids(&self) -> Vec<u64> {
        self.users.iter().map(|user| user.uid).chain(self.groups.iter().map(|group| group.gid)).collect()
    }

    /// Users and their uids.
    pub fn users(&self) -> impl Iterator<Item = (&str, u64)> {
        self.users.iter().map(|user| (user.name.as_str(), user.uid))
    }

    /// Groups and their gids.
    pub fn groups(&self) -> impl Iterator<Item = (&str, u64)> {
        self.groups.iter().map(|group| (group.name.as_str(), group.gid))
    }
}

fn user(line: &str) -> Option<User> {
    let mut fields = line.split(':');
    let (name, _password) = (fields.next()?.to_owned(), fields.next()?);
    Some(User { name, uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
}

fn group(line: &str) -> Option<Group> {
    let mut fields = line.split(':');
    let (name, _password, gid) = (fields.next()?.to_owned(), fields.next()?, fields.next()?.parse().ok()?);
    let members = fields.next()?.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    Some(Group { name, gid, members })
}
