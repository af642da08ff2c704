use std::collections::HashSet;

use super::*;

#[test]
fn every_method_is_there_once_and_needs_something() {
    let paths: HashSet<_> = METHODS.iter().map(|method| (method.tunnel, method.path)).collect();
    assert_eq!(paths.len(), METHODS.len());
    for method in METHODS {
        let own = matches!(method.need, Need::OwnBuild | Need::OwnResults | Need::Judged | Need::JudgedWithAnswer);
        assert_eq!(own, method.names != Names::Nothing, "{}: whose build is it?", method.path);
        if method.path.contains("LLBBridge") {
            assert_eq!(method.names, Names::Header, "{}", method.path);
            assert!(own, "{}", method.path);
        }
    }
}

#[test]
fn what_is_not_known_is_not_found() {
    for path in [
        "/moby.buildkit.v1.Control/solve",
        "/moby.buildkit.v1.Control/Solve/",
        "/moby.buildkit.v1.frontend.LLBBridge/ReadFileContainer",
        "/containerd.services.content.v1.Content/Write",
        "/moby.filesync.v1.FileSync/DiffCopy",
        "",
    ] {
        assert_eq!(Method::of(Tunnel::Grpc, path), None, "{path}");
    }
    assert_eq!(Method::of(Tunnel::Session, "/moby.buildkit.v1.Control/Solve"), None);
    let solve = Method::of(Tunnel::Grpc, "/moby.buildkit.v1.frontend.LLBBridge/Solve").unwrap();
    assert_eq!((solve.need, solve.name()), (Need::JudgedWithAnswer, "LLBBridge/Solve"));
}
