//! Paths: decoded once, and then one meaning has one spelling.
#![no_main]

use docker::endpoint::route;
use docker::http::Method;
use docker::target::Target;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &str| {
    let Ok(target) = Target::parse(raw, &Method::Get) else { return };
    let canonical = target.canonical();
    let again = Target::parse(&canonical, &Method::Get).expect("the canonical form is accepted");
    assert_eq!(again, target, "the canonical form means something else");
    assert_eq!(again.canonical(), canonical, "the canonical form is no fixed point");
    assert!(!target.path().split('/').any(|part| part == ".."), "the path climbs");
    for method in [Method::Get, Method::Head, Method::Post, Method::Put, Method::Delete] {
        if let Some(route) = route(&method, &target) {
            assert!(route.names.iter().all(|name| !name.is_empty()), "an empty name");
        }
    }
});
