//! What BuildKit is asked for, and what it answers. The first byte chooses the method, the second what is appended; the rest
//! is the message.
//!
//! Anything is understood or refused. What is understood is sent as it came, with something behind it that counts; and it is
//! read in the same way when it comes again.
#![no_main]

use std::collections::BTreeSet;

use docker::buildkit::build::{Build, Judged, Reading, named};
use docker::buildkit::method::{METHODS, Method, Need};
use docker::buildkit::wire::most_held;
use docker::facts::CanonicalBody;
use docker::request::Unsettled;
use docker::resource::Network;
use docker::world::{Lookup, World};
use libfuzzer_sys::fuzz_target;

/// In a world in which there is nothing.
fn judge(build: &Build) -> Option<Judged> {
    let mut world = World::new();
    for _ in 0..4 {
        match build.facts(&world) {
            Ok(judged) => return Some(judged),
            Err(Unsettled::Open(open)) => {
                for lookup in open {
                    match lookup {
                        Lookup::Image(name) => world.learn_image(name, None),
                        Lookup::Network(name) => {
                            world.learn_network(name.clone(), Some(Network { name, ..Network::default() }))
                        }
                        other => panic!("a build asks for {other:?}"),
                    }
                }
            }
            Err(_) => return None,
        }
    }
    panic!("it is never settled");
}

fn message(judged: &Judged) -> &[u8] {
    match &judged.facts.canonical.body {
        CanonicalBody::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let [chosen, appended, sent @ ..] = bytes else { return };
    let judged: Vec<&Method> =
        METHODS.iter().filter(|method| matches!(method.need, Need::Judged | Need::JudgedWithAnswer)).collect();
    let none = BTreeSet::new();
    let namespace = (appended & 2 != 0).then_some("alice");
    let reading = Reading {
        allow_fields: &none,
        any_frontend: appended & 1 != 0,
        cache_namespace: namespace,
        owner: None,
        deny_sources: &[],
        allow_sources: &[],
    };
    let chosen = usize::from(*chosen) % (judged.len() + 1);
    let read = |bytes: &[u8]| match judged.get(chosen) {
        Some(method) => Build::of_request(method, bytes, &reading),
        None => Build::of_answer(bytes, &reading),
    };
    // Calls that name results of others' answers are read by the same rules.
    METHODS.iter().filter(|method| method.need == Need::OwnResults).for_each(|method| drop(named(method, sent, &none)));
    let Ok(build) = read(sent) else { return };
    assert!(build.held() <= most_held(sent.len()) + sent.len(), "{} of {}", build.held(), sent.len());
    let Some(facts) = judge(&build) else { return };
    facts.facts.privileges.iter().for_each(|privilege| drop(facts.place(privilege)));
    let forwarded = message(&facts);
    assert!(forwarded.starts_with(sent), "it is sent as it came");
    // What is appended takes nothing away from what was judged. (A namespace changes whose a folder is, no more.)
    let again = read(forwarded).expect("what is forwarded can be read");
    let again = judge(&again).expect("what is forwarded can be judged");
    if !reading.any_frontend {
        assert_eq!(again.facts.privileges, facts.facts.privileges);
    }
});
