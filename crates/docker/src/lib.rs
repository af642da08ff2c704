//! UNDERSTAND: bytes in, meaning out.
//!
//! Reads requests to the Docker API exactly as the daemon will read them, refuses what two readers
//! could read differently, and names every privilege that a request asks for. Pure: no I/O, no async,
//! no clock, no globals; knows nothing of policy.

pub mod answer;
pub mod archive;
pub mod body;
pub mod buildkit;
pub mod defaults;
pub mod dockerfile;
pub mod endpoint;
pub mod facts;
pub mod host_path;
pub mod http;
pub mod image;
pub mod json;
pub mod mark;
pub mod obligation;
pub mod ownership;
pub mod privilege;
pub mod request;
pub mod resource;
pub mod target;
pub mod world;
pub mod written;
