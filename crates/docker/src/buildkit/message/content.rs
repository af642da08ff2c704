//! `containerd.services.content.v1.Content`: the daemon's store.

use crate::buildkit::wire::message;

message! {
    /// What is it?
    InfoRequest = "InfoRequest" { 1 digest: String, }

    /// What is in it?
    ReadContentRequest = "ReadContentRequest" { 1 digest: String, 2 offset: i64, 3 size: i64, }
}
