//! CARRY OUT: connections in, exchanges with the daemon out.
//!
//! Listens, finds out who asks, has each request understood by crate `docker` and decided by crate
//! `policy`, sends what a permit holds, passes the answer back and writes a record. Nothing is decided
//! here.

pub mod admin;
pub mod bundle;
pub mod checks;
pub mod firewall;
pub mod gateway;
mod host_path;
pub mod limits;
pub mod listen;
pub mod owners;
pub mod plugin;
pub mod record;
pub mod rules;
pub mod seal;
mod share;
pub mod spool;
pub mod state;
pub mod stream;
pub mod subject;
mod sys;
pub mod tls;
pub mod upstream;
pub mod watch;
pub mod web;
mod wire;
