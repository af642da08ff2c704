//! Which operations a test of method and path lets pass: found by asking it about paths of every end point.
//!
//! An end point with a name in its path is asked about with names of all the forms that there are. Where only some of them
//! pass, the test is about things, not about operations.

use docker::endpoint::{ENDPOINTS, Endpoint, Kind, Operation};

/// What a test lets pass.
#[derive(Debug, Default)]
pub struct Found {
    /// Whatever their names.
    pub whole: Vec<Operation>,
    /// For some names only.
    pub partly: Vec<Operation>,
}

/// Asks the test about each end point: `passes(method, path)`. One version of the API that passes is enough: they are
/// different spellings of one operation.
pub fn passing(passes: impl Fn(&str, &str) -> bool) -> Found {
    let mut found = Found::default();
    for endpoint in ENDPOINTS {
        let method = endpoint.method.as_str();
        let under = |version: &&str| {
            let paths = paths(endpoint);
            let passed = paths.iter().filter(|path| passes(method, &format!("{version}{path}"))).count();
            (passed, paths.len())
        };
        let answers: Vec<(usize, usize)> = VERSIONS.iter().map(under).collect();
        if answers.iter().any(|(passed, all)| passed == all) {
            found.whole.push(endpoint.operation);
        } else if answers.iter().any(|(passed, _)| *passed > 0) {
            found.partly.push(endpoint.operation);
        }
    }
    found
}

/// The paths of an end point: one, or one for each form of a name.
pub fn paths(endpoint: &Endpoint) -> Vec<String> {
    let Some((before, name, after)) = around_name(endpoint.path) else { return vec![endpoint.path.to_owned()] };
    let after = match around_name(after) {
        Some((between, _, rest)) => format!("{between}one{rest}"),
        None => after.to_owned(),
    };
    let names: &[&str] = match (endpoint.kind, name) {
        // An image that is there is known by its id as well, so who may name some forms may reach all.
        (Kind::Image, _) if endpoint.operation != Operation::ImagePush => IMAGES.get(..3).unwrap_or(IMAGES),
        (Kind::Image | Kind::Distribution | Kind::Plugin, _) => IMAGES,
        (Kind::Exec, "id*") => &[ID],
        _ => NAMES,
    };
    names.iter().map(|name| format!("{before}{name}{after}")).collect()
}

/// What stands before and after the first name of a path's pattern.
pub fn around_name(pattern: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = pattern.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// Without a version, and some that are in use.
const VERSIONS: &[&str] = &["", "/v1.24", "/v1.41", "/v1.43", "/v1.47", "/v1.51"];
const ID: &str = "4f5ce2a8b1d04e9f9a3c7be1d2f60718293a4b5c6d7e8f90a1b2c3d4e5f60718";
const NAMES: &[&str] = &["web", "my-app_1", "Web.2", "4f5ce2a8b1d0", ID];
const IMAGES: &[&str] =
    &["alpine", "my-app_1", "4f5ce2a8b1d0", "alpine:3.20", "ghcr.io/team/app:1.0", "registry.test:5000/app"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_found() {
        let all = passing(|_, _| true);
        assert_eq!((all.whole.len(), all.partly.len()), (ENDPOINTS.len(), 0));
        let listed = passing(|method, path| method == "GET" && path == "/v1.41/containers/json");
        assert_eq!(listed.whole, [Operation::ContainerList]);
        let some = passing(|method, path| method == "POST" && path == "/containers/web/start");
        assert_eq!((some.whole, some.partly), (vec![], vec![Operation::ContainerStart]));
    }

    #[test]
    fn paths_are_those_of_their_end_points() {
        for endpoint in ENDPOINTS.iter().filter(|endpoint| !endpoint.path.starts_with("/{")) {
            for path in paths(endpoint) {
                assert!(!path.contains('{'), "{path}");
                let target = docker::target::Target::parse(&path, &endpoint.method).unwrap();
                let route = docker::endpoint::route(&endpoint.method, &target).unwrap();
                assert_eq!(route.operation, endpoint.operation, "{path}");
            }
        }
    }
}
