//! What the daemon asks of its client (`session/*`, `tonistiigi/fsutil`).

use std::collections::BTreeMap;

use crate::buildkit::wire::{self, Strictness, message};

message! {
    /// Bytes of a stream: a connection within the connection, a tar file, an agent's.
    BytesMessage = "BytesMessage" { 1 data: Vec<u8>, }

    /// A part of a folder that is sent.
    Packet = "Packet" { 1 kind: i32, 2 stat: Option<Stat>, 3 id: u32, 4 data: Vec<u8>, }

    /// A file of it.
    Stat = "Stat" {
        1 path: String,
        2 mode: u32,
        3 uid: u32,
        4 gid: u32,
        5 size: i64,
        6 mod_time: i64,
        7 link_name: String,
        8 dev_major: i64,
        9 dev_minor: i64,
        10 xattrs: BTreeMap<String, Vec<u8>>,
    }

    /// A secret is asked for.
    GetSecretRequest = "GetSecretRequest" { 1 id: String, 2 annotations: BTreeMap<String, String>, }

    /// An agent is asked for.
    CheckAgentRequest = "CheckAgentRequest" { 1 id: String, }

    /// A login is asked for: the host is all that is read of it.
    CredentialsRequest = "CredentialsRequest" { 1 host: String, }

    /// A token is asked for.
    FetchTokenRequest = "FetchTokenRequest" {
        1 client_id: String,
        2 host: String,
        3 realm: String,
        4 service: String,
        5 scopes: Vec<String>,
    }
}

/// What the daemon asks of its client with a call of that method, in words: by name, and never what the name stands for.
pub fn asked_for(method: &str, message: &[u8]) -> Option<String> {
    let lenient = Strictness::Lenient;
    let (what, name) = match method {
        "Secrets/GetSecret" => ("secret", wire::read::<GetSecretRequest>(message, lenient).ok()?.id),
        "SSH/CheckAgent" => ("SSH agent", wire::read::<CheckAgentRequest>(message, lenient).ok()?.id),
        "Auth/FetchToken" => ("login at", wire::read::<FetchTokenRequest>(message, lenient).ok()?.host),
        method if method.starts_with("Auth/") => {
            ("login at", wire::read::<CredentialsRequest>(message, lenient).ok()?.host)
        }
        _ => return None,
    };
    let name: String = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    Some(format!("{what} {name}"))
}

/// The longest name that is told, in characters.
const LONGEST_NAME: usize = 100;

/// `PacketType`: what a packet is.
pub mod packet {
    /// A file of the folder; without one, the end of the list.
    pub const STAT: i32 = 0;
    /// The contents of a file are wanted.
    pub const REQ: i32 = 1;
    /// They come; empty at their end.
    pub const DATA: i32 = 2;
    /// All is sent.
    pub const FIN: i32 = 3;
    /// Something went wrong.
    pub const ERR: i32 = 4;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buildkit::wire::Message;

    #[test]
    fn names_are_told_and_nothing_else() {
        let secret = GetSecretRequest { id: "to\nken".to_owned(), ..GetSecretRequest::default() }.written();
        assert_eq!(asked_for("Secrets/GetSecret", &secret).as_deref(), Some("secret token"));
        let login =
            FetchTokenRequest { host: "registry.test".to_owned(), client_id: "x".to_owned(), ..Default::default() };
        assert_eq!(asked_for("Auth/FetchToken", &login.written()).as_deref(), Some("login at registry.test"));
        assert_eq!(asked_for("FileSync/DiffCopy", &secret), None);
        assert_eq!(asked_for("Auth/Credentials", &[0xff]), None);
    }
}
