//! What is asked for, of conversations with Docker 28.5 and of messages made by hand.
//!
//! The conversations were written anew from what was seen of them, with the field numbers of BuildKit's own definitions and
//! by another writer of protobuf than ours. That each operation is what it was to the bit, its digest shows, by which the
//! next one names it.

mod asks;
mod attacks;
mod mutations;
mod parity;
mod recorded;

use std::collections::BTreeSet;

use super::*;
use crate::buildkit::message::llb::Op;
use crate::buildkit::method::{Method as Known, Need, Tunnel};
use crate::buildkit::wire::Message;
use crate::image::Reference;
use crate::resource::{Image, Network};
use crate::world::{KnownImage, Lookup};

const SOLVE: &str = "/moby.buildkit.v1.Control/Solve";

fn reading(allow_fields: &BTreeSet<String>) -> Reading<'_> {
    Reading {
        allow_fields,
        any_frontend: false,
        cache_namespace: None,
        owner: None,
        deny_sources: &[],
        allow_sources: &[],
    }
}

/// A daemon that has the network `bridge`, and of all images these.
fn judge_with(build: &Build, images: &[&str]) -> Result<Judged, Misread> {
    let mut world = World::new();
    for _ in 0..10 {
        let open = match build.facts(&world) {
            Ok(judged) => return Ok(judged),
            Err(Unsettled::Misread(misread)) => return Err(misread),
            Err(Unsettled::NotFound(absent)) => panic!("{absent:?}"),
            Err(Unsettled::Open(open)) => open,
        };
        open.into_iter().for_each(|lookup| learn(&mut world, lookup, images));
    }
    panic!("it is never settled")
}

fn learn(world: &mut World, lookup: Lookup, images: &[&str]) {
    match lookup {
        Lookup::Image(name) => {
            let reference = Reference::parse(&name).map(Reference::with_default_tag).ok();
            let there = reference.filter(|it| images.contains(&it.familiar().as_str()));
            let id = Some(format!("sha256:{}", "a".repeat(64)));
            let known = there.map(|it| KnownImage {
                image: Image { id, names: vec![it], ..Image::default() },
                platform: "linux/amd64".to_owned(),
                ..KnownImage::default()
            });
            world.learn_image(name, known);
        }
        Lookup::Network(name) => {
            let network =
                Network { id: "b".repeat(64), driver: "bridge".into(), name: name.clone(), ..Network::default() };
            world.learn_network(name, Some(network));
        }
        other => panic!("{other:?}"),
    }
}

fn judge(build: &Build) -> Result<Judged, Misread> {
    judge_with(build, &["tiny:latest"])
}

/// What is asked for, in words.
fn asked(build: &Build) -> Result<Vec<String>, String> {
    let judged = judge(build).map_err(|misread| misread.to_string())?;
    Ok(judged.facts.privileges.iter().map(|privilege| format!("may not {privilege}")).collect())
}

fn request(path: &str, message: &[u8], reading: &Reading<'_>) -> Result<Build, Misread> {
    Build::of_request(Known::of(Tunnel::Grpc, path).unwrap(), message, reading)
}

/// What a build of these attributes asks for, through `LLBBridge/Solve`.
fn attributes(frontend: &str, attrs: &[(&str, &str)]) -> Result<Vec<String>, String> {
    let frontend_opt = attrs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let solve = bridge::SolveRequest { frontend: frontend.to_owned(), frontend_opt, ..Default::default() };
    let build = request(BRIDGE_SOLVE, &solve.written(), &reading(&BTreeSet::new())).map_err(|it| it.to_string())?;
    asked(&build)
}

/// What a build as a whole asks for.
fn control(solve: &control::SolveRequest) -> Result<Vec<String>, String> {
    let build = request(SOLVE, &solve.written(), &reading(&BTreeSet::new())).map_err(|it| it.to_string())?;
    asked(&build)
}

fn definition(ops: &[Op]) -> Definition {
    Definition { def: ops.iter().map(Op::written).collect(), ..Definition::default() }
}

fn answer(ops: &[Op]) -> Vec<u8> {
    let one = Ref { id: "r".to_owned(), def: Some(definition(ops)) };
    let result = SolveResult { one: Some(one), ..SolveResult::default() };
    SolveResponse { result: Some(result), ..SolveResponse::default() }.written()
}

/// What these operations ask for, as the answer of BuildKit's.
fn operations(ops: &[Op]) -> Result<Vec<String>, String> {
    let build = Build::of_answer(&answer(ops), &reading(&BTreeSet::new())).map_err(|it| it.to_string())?;
    asked(&build)
}

fn words(texts: &[&str]) -> Result<Vec<String>, String> {
    Ok(texts.iter().map(|text| format!("may not {text}")).collect())
}
