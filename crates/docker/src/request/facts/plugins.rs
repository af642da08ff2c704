//! Managed plugins.

use super::{Draft, Unsettled};
use crate::body::plugin::PluginPrivilege;
use crate::endpoint::{Kind, Operation};
use crate::image::Reference;
use crate::privilege::{Privilege, plugins};
use crate::request::{Body, Call};
use crate::resource::Resource;

impl Draft<'_> {
    pub(super) fn plugin(&mut self, call: &Call) -> Result<(), Unsettled> {
        self.thing_of_path(Kind::Plugin);
        match (call.operation, &self.body) {
            (Operation::GetPluginPrivileges, _) => {
                let image = plugins::plugin_image(self.query.value("remote")?, "remote")?;
                let registry = image.reference.map(|reference| reference.registry).unwrap_or_default();
                self.asked.ask(Privilege::ContactRegistry { registry });
            }
            (Operation::PluginPull | Operation::PluginUpgrade, Body::Plugin(granted)) => {
                let granted: &[PluginPrivilege] = granted.value();
                self.asked.install_plugin(self.query.value("remote")?, granted)?;
            }
            (Operation::PluginCreate, body) => {
                let image = plugins::plugin_image(self.query.value("name")?, "name")?;
                self.asked.ask(Privilege::InstallPlugin { image });
                if let Body::Archive(archive) = body {
                    self.asked.make_plugin(archive);
                }
            }
            (Operation::PluginEnable | Operation::PluginSet, _) => self.stored_plugin(),
            (Operation::PluginPush, _) => self.push_plugin(),
            _ => {}
        }
        Ok(())
    }

    /// What is stored of a plugin: enabling it is what puts it into effect. Settings are judged by what they set.
    fn stored_plugin(&mut self) {
        let Some(Resource::Thing(plugin)) = self.resources.last() else { return };
        if plugin.id.is_empty() {
            return;
        }
        match (self.asked.world.plugin(&plugin.id), &self.body) {
            (Some(config), Body::PluginSet(settings)) => self.asked.plugin_settings(&config, settings),
            (Some(config), _) => self.asked.plugin(&config),
            (None, _) => self.asked.ask(Privilege::Unexamined { part: "a stored configuration" }),
        }
    }

    /// A plugin given to the registry of its name.
    fn push_plugin(&mut self) {
        let Some(Resource::Thing(plugin)) = self.resources.last() else { return };
        if let Ok(reference) = Reference::parse(&plugin.name) {
            self.asked.ask(Privilege::ContactRegistry { registry: reference.registry });
        }
    }
}
