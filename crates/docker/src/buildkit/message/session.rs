//! What the daemon asks of its client (`session/*`, `tonistiigi/fsutil`).

use std::collections::BTreeMap;

use crate::buildkit::wire::message;

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
