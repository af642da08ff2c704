//! JSON bodies of every operation. The first byte chooses the operation, the rest is the body, and so a
//! recorded body is a seed as it stands: `{` chooses one too.
//!
//! A body that is taken is a fixed point once written, and is judged like what is sent.
#![no_main]

use differential::check::{Case, Check, Reading};
use differential::json::Bodies;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(chosen) = bytes.first() else { return };
    let bodies = Bodies::without_oracles();
    let operations = Bodies::operations();
    let about = operations[usize::from(*chosen) % operations.len()].to_owned();
    for body in [bytes, &bytes[1..]] {
        if let Reading::Broken(why) = bodies.read(&Case { about: about.clone(), bytes: body.to_vec() }) {
            panic!("{about}: {why}");
        }
    }
});
