//! A graph of operations, read.

use std::collections::HashMap;

use super::place::{self, File, Places, Spot};
use super::source;
use crate::buildkit::message::llb::{Definition, Op};
use crate::buildkit::wire::Reader;
use crate::request::Misread;

/// The operations of one definition.
#[derive(Debug, Clone)]
pub(super) struct Graph {
    pub(super) steps: Vec<Step>,
}

/// One operation, and where it stands in the Dockerfile.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) op: Op,
    pub(super) spot: Option<Spot>,
}

impl Graph {
    /// Reads a definition, and those by which the files that it was made from were had. The files are added to `files`.
    pub(super) fn read(
        definition: &Definition,
        reader: &mut Reader<'_>,
        files: &mut Vec<File>,
    ) -> Result<Vec<Graph>, Misread> {
        let mut graphs = vec![Graph::read_one(definition, reader, files)?];
        let infos = definition.source.iter().flat_map(|source| &source.infos);
        for inner in infos.filter_map(|info| info.definition.as_ref()) {
            // As deep as messages may be.
            graphs.extend(Graph::read(inner, reader, files)?);
        }
        Ok(graphs)
    }

    fn read_one(definition: &Definition, reader: &mut Reader<'_>, files: &mut Vec<File>) -> Result<Graph, Misread> {
        let mut steps = Vec::with_capacity(definition.def.len());
        for bytes in &definition.def {
            reader.hold(size_of::<Option<Spot>>())?;
            steps.push(Step { op: reader.read(bytes)?, spot: None });
        }
        if let Some(places) = Places::of(definition, reader, files)? {
            locate(&mut steps, &definition.def, &places);
        }
        Ok(Graph { steps })
    }

    /// The sessions that its folders are taken from.
    pub(super) fn sessions(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| step.op.source.as_ref()).flat_map(source::sessions)
    }
}

/// Finds where each operation stands. What a step fetches has no place of its own, but that of the step.
fn locate(steps: &mut [Step], operations: &[Vec<u8>], places: &Places<'_>) {
    let mut of_inputs: HashMap<&str, Spot> = HashMap::new();
    // What is taken stands before what takes it.
    for (step, bytes) in steps.iter_mut().zip(operations).rev() {
        let digest = place::digest(bytes);
        step.spot = places.of_operation(&digest).or_else(|| of_inputs.remove(digest.as_str()));
        if let Some(spot) = step.spot {
            of_inputs.extend(step.op.inputs.iter().map(|input| (input.digest.as_str(), spot)));
        }
    }
}
