//! Containers that are made and changed: the defaults are applied first, so that all that follows, the
//! questions, the short form and the body that is sent, is about the edited request.

use super::{Draft, Unsettled, not_an_id};
use crate::body::container::HostConfig;
use crate::defaults::Edited;
use crate::privilege::{Privilege, containers, kernel};
use crate::request::Body;
use crate::resource::Resource;

impl Draft<'_> {
    pub(super) fn container_create(&mut self) -> Result<(), Unsettled> {
        let name = self.query.value("name")?;
        not_an_id(name, "name")?;
        self.resources.push(Resource::Daemon);
        let Body::Create(body) = &mut self.body else {
            self.asked.ask(Privilege::Unexamined { part: "a body" });
            return Ok(());
        };
        let body = body.value_mut();
        let image_user = self.asked.world.image(&body.image).map_or("", |known| &known.user);
        let Edited { made, unheard } = self.defaults.create(body, image_user)?;
        self.obligations = made;
        let mut spec = containers::spec(name, body);
        spec.environment.extend(kernel::environment_names(&unheard.env));
        spec.variables.0.extend_from_slice(&unheard.env);
        self.spec = Some(spec);
        self.asked.unheard(&unheard);
        Ok(self.asked.container_create(body)?)
    }

    /// Judged by what the container will be.
    pub(super) fn container_update(&mut self) -> Result<(), Unsettled> {
        self.container_of_path();
        let container = match self.resources.last() {
            Some(Resource::Container(container)) => container.clone(),
            _ => return Ok(()),
        };
        let Body::Update(body) = &mut self.body else {
            self.asked.ask(Privilege::Unexamined { part: "a body" });
            return Ok(());
        };
        let body = body.value_mut();
        let stored = self.asked.world.stored(&container.id);
        let nothing = HostConfig::default();
        let host = stored.as_ref().and_then(|stored| stored.host_config.as_ref()).unwrap_or(&nothing);
        self.obligations = self.defaults.update(body, host);
        self.spec = stored.map(|stored| containers::spec(&container.name, &containers::updated(&stored, body)));
        self.asked.container_update(body)?;
        Ok(self.asked.powers(&container)?)
    }
}
