//! The bodies of requests as Go structs, field by field. A field that is not here is refused by name.

use crate::json::go_struct;

pub mod auth;
pub mod base64;
pub mod container;
pub mod exec;
pub mod mount;
pub mod network;
pub mod plugin;
pub mod service;
pub mod swarm;
pub mod task;
pub mod volume;

go_struct! {
    /// Go's `struct{}`: the value of a set's members.
    pub struct Empty {
    }
}
