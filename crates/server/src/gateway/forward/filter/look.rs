//! Looks at the daemon for what an answer only names.

use docker::answer::filter::listed;
use docker::answer::filter::{Item, Split, shape};
use docker::endpoint::{Kind, Operation};
use docker::http::Method;
use docker::resource::Resource;
use docker::target::encode_segment;

use super::broken;
use crate::firewall::Firewall;
use crate::firewall::ask::{Line, ask};
use crate::firewall::resolve::inspect_target;
use crate::wire::BodyError;

/// A line to the daemon beside the client's.
pub(super) struct Look<'a> {
    firewall: &'a Firewall,
    line: Line,
}

impl<'a> Look<'a> {
    pub(super) fn new(firewall: &'a Firewall) -> Self {
        Look { firewall, line: None }
    }

    /// What an inspection tells; `None`: there is no such thing (any more).
    pub(super) async fn inspect(&mut self, kind: Kind, id: &str) -> Result<Option<Vec<u8>>, BodyError> {
        let operation = match kind {
            Kind::Image => Operation::ImageInspect,
            Kind::Volume => Operation::VolumeInspect,
            Kind::Network => Operation::NetworkInspect,
            Kind::Service => Operation::ServiceInspect,
            Kind::Node => Operation::NodeInspect,
            Kind::Secret => Operation::SecretInspect,
            Kind::Config => Operation::ConfigInspect,
            _ => return Ok(None),
        };
        let Some(target) = inspect_target(operation, id) else { return Ok(None) };
        match self.ask(&target).await? {
            (200, body) => Ok(Some(body)),
            // No swarm: it has left it meanwhile.
            (400 | 404 | 503, _) => Ok(None),
            (status, _) => Err(broken(&format!("the daemon answered {status} to {operation}"))),
        }
    }

    /// The containers of these full ids that there are.
    pub(super) async fn containers(&mut self, ids: &[&str]) -> Result<Vec<Resource>, BodyError> {
        let mut target = "/containers/json?all=1&filters=".to_owned();
        encode_segment(&mut target, &serde_json::json!({ "id": ids }).to_string());
        let (200, body) = self.ask(&target).await? else { return Err(broken(&"the daemon lists no containers")) };
        let form = shape(Operation::ContainerList).ok_or_else(|| broken(&"lists have no form"))?;
        let mut split = Split::new(form.shape);
        split.feed(&body);
        let mut found = Vec::new();
        while let Some(whole) = split.next_item().map_err(|error| broken(&error))? {
            found.extend(listed::resource(Item::Container, &whole.bytes).map_err(|error| broken(&error))?);
        }
        Ok(found)
    }

    async fn ask(&mut self, target: &str) -> Result<(u16, Vec<u8>), BodyError> {
        let answers = ask(self.firewall, &mut self.line, &Method::Get, &[target]).await;
        let mut answers = answers.map_err(|answer| broken(&answer.message))?;
        answers.pop().ok_or_else(|| broken(&"the daemon did not answer"))
    }
}
