//! A graph of operations, read.

use super::place::{Place, Places};
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
    pub(super) place: Option<Place>,
}

impl Graph {
    /// Reads a definition, and those by which the files that it was made from were had.
    pub(super) fn read(definition: &Definition, reader: &mut Reader<'_>) -> Result<Vec<Graph>, Misread> {
        let mut graphs = vec![Graph::read_one(definition, reader)?];
        let infos = definition.source.iter().flat_map(|source| &source.infos);
        for inner in infos.filter_map(|info| info.definition.as_ref()) {
            // As deep as messages may be.
            graphs.extend(Graph::read(inner, reader)?);
        }
        Ok(graphs)
    }

    fn read_one(definition: &Definition, reader: &mut Reader<'_>) -> Result<Graph, Misread> {
        let places = Places::of(definition);
        let mut steps = Vec::with_capacity(definition.def.len());
        for bytes in &definition.def {
            let op: Op = reader.read(bytes)?;
            steps.push(Step { op, place: places.of_operation(bytes) });
        }
        Ok(Graph { steps })
    }

    pub(super) fn sessions(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| step.op.source.as_ref()).flat_map(source::sessions)
    }
}
