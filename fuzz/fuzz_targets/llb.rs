//! Operations of a build, as one definition each.
//!
//! Anything is understood or refused; what is understood and written anew is the same operation, and asks for the same.
#![no_main]

use std::collections::BTreeSet;

use docker::buildkit::build::{Build, Reading};
use docker::buildkit::message::bridge::{Ref, SolveResponse, SolveResult};
use docker::buildkit::message::llb::{Definition, Op};
use docker::buildkit::wire::{Message, Strictness, read};
use docker::request::Unsettled;
use docker::world::World;
use libfuzzer_sys::fuzz_target;

fn answer(op: Vec<u8>) -> Vec<u8> {
    let def = Definition { def: vec![op], ..Definition::default() };
    let one = Ref { id: "r".to_owned(), def: Some(def) };
    let result = SolveResult { one: Some(one), ..SolveResult::default() };
    SolveResponse { result: Some(result), ..SolveResponse::default() }.written()
}

fuzz_target!(|bytes: &[u8]| {
    let none = BTreeSet::new();
    let reading = Reading {
        allow_fields: &none,
        any_frontend: false,
        cache_namespace: None,
        owner: None,
        deny_sources: &[],
        allow_sources: &[],
    };
    let asked = |op: Vec<u8>| {
        let build = Build::of_answer(&answer(op), &reading).ok()?;
        match build.facts(&World::new()) {
            Ok(judged) => Some((judged.facts.privileges, Vec::new())),
            Err(Unsettled::Open(open)) => Some((Vec::new(), open)),
            Err(_) => None,
        }
    };
    let op = read::<Op>(bytes, Strictness::Known(&none));
    if !bytes.is_empty() {
        assert!(op.is_ok() || asked(bytes.to_vec()).is_none(), "what cannot be read was judged");
    }
    let Ok(op) = op else { return };
    let written = op.written();
    assert_eq!(read::<Op>(&written, Strictness::Known(&none)).as_ref(), Ok(&op));
    assert_eq!(asked(written), asked(bytes.to_vec()));
});
