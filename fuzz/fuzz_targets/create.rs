//! Bodies of `POST /containers/create`, all the way to the facts in a made-up world.
#![no_main]

use differential::check::{Case, Check, Reading};
use differential::json::Bodies;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let case = Case { about: "ContainerCreate".to_owned(), bytes: bytes.to_vec() };
    if let Reading::Broken(why) = Bodies::without_oracles().read(&case) {
        panic!("{why}");
    }
});
