//! The swarm, its nodes, services, tasks, secrets and configs.

use super::{Draft, Unsettled, not_a_swarm_id};
use crate::endpoint::{Kind, Operation};
use crate::privilege::{Privilege, services};
use crate::request::{Body, Call, Misread};
use crate::resource::Resource;

impl Draft<'_> {
    /// The swarm as a whole. Tokens and keys are in the bodies; none of them is looked at.
    pub(super) fn swarm(&mut self) {
        self.resources.push(Resource::Daemon);
        match &self.body {
            Body::SwarmInit(body) => self.asked.swarm_init(body),
            Body::SwarmJoin(body) => self.asked.swarm_join(body),
            Body::SwarmUpdate(body) => self.asked.swarm_spec(body),
            _ => {}
        }
    }

    /// A node, secret, config or task.
    pub(super) fn member(&mut self, kind: Kind) -> Result<(), Unsettled> {
        self.thing_of_path(kind);
        match &self.body {
            Body::Node(body) => self.asked.node(body),
            Body::Secret(body) => {
                not_a_swarm_id(&body.name, "Name")?;
                self.asked.secret(body);
            }
            Body::Config(body) => {
                not_a_swarm_id(&body.name, "Name")?;
                self.asked.templating(body.templating.as_ref());
            }
            _ => {}
        }
        Ok(())
    }

    /// A service. An update is judged by the whole that comes of it, whatever was there before; a rollback by what was
    /// there before, too.
    pub(super) fn service(&mut self, call: &Call) -> Result<(), Unsettled> {
        self.thing_of_path(Kind::Service);
        if let Body::Service(body) = &mut self.body {
            not_a_swarm_id(&body.name, "Name")?;
            self.asked.service(body.value_mut())?;
            self.spec = Some(services::spec(body, call.version));
        }
        if call.operation != Operation::ServiceUpdate {
            return Ok(());
        }
        match self.query.value("rollback")? {
            "" | "none" => Ok(()),
            "previous" => self.rollback(call),
            _ => Err(Misread::value("rollback", "can only be `previous`").into()),
        }
    }

    /// What a service was before its last update, as if it were asked for now. Nothing is rewritten: the daemon has it
    /// already. It must be the one that was looked at: of another version, there may be another one behind it.
    fn rollback(&mut self, call: &Call) -> Result<(), Unsettled> {
        let name = call.names.first().map_or("", String::as_str);
        let Some(Ok(known)) = self.asked.world.thing(Kind::Service, name) else { return Ok(()) };
        let Some(previous) = &known.previous else {
            self.asked.missing(400, format!("service {} does not have a previous spec", known.thing.id));
            return Ok(());
        };
        if self.query.value("version")? != previous.version.to_string() {
            self.asked.missing(500, "rpc error: code = Unknown desc = update out of sequence".to_owned());
        }
        let Some(mut previous) = previous.spec.clone() else {
            self.asked.ask(Privilege::Unexamined { part: "a stored configuration" });
            return Ok(());
        };
        self.asked.service(&mut previous)?;
        self.spec = Some(services::spec(&previous, call.version));
        Ok(())
    }
}
