//! What Dockwarden reads from a request, beside what Go reads: generated and changed requests are read by
//! `crates/docker`, and those that it takes are shown to an oracle written in Go (`fuzz/oracle`), which
//! uses moby's own types and routes. Where the two differ, a request could be judged as one thing and
//! carried out as another.
//!
//! Each kind of question is a [`check::Check`]; nothing outside `oracle` knows of processes. The fuzz
//! targets use [`world`] and [`recorded`] too.

pub mod archive;
pub mod check;
pub mod dockerfile;
pub mod head;
pub mod json;
pub mod mutate;
pub mod oracle;
pub mod random;
pub mod recorded;
pub mod reference;
pub mod shrink;
pub mod target;
pub mod world;
