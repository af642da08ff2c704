//! Volumes.

use super::{Draft, Unsettled};
use crate::body::mount::VolumeDriver;
use crate::body::volume::ClusterVolumeSpec;
use crate::privilege::mounts;
use crate::request::Body;
use crate::resource::{Resource, Volume};

impl Draft<'_> {
    pub(super) fn volume(&mut self) -> Result<(), Unsettled> {
        match (&mut self.body, self.names.first()) {
            (Body::VolumeCreate(body), _) => {
                let body = body.value_mut();
                mounts::volume_name(&body.name, "Name")?;
                if let Some(spec) = &mut body.cluster_volume_spec {
                    self.asked.cluster_volume(spec);
                }
                let mut driver = VolumeDriver { name: body.driver.clone(), options: body.driver_opts.take() };
                self.asked.volume_driver(&mut driver, "DriverOpts")?;
                body.driver_opts = driver.options;
                // The daemon gives the one that is there, whosever it is.
                let existing = Some(&body.name).filter(|name| !name.is_empty());
                let existing = existing.and_then(|name| self.asked.world.volume(name));
                let resource = existing.map_or(Resource::Daemon, |known| Resource::Volume(known.volume.clone()));
                self.resources.push(resource);
            }
            (_, Some(name)) => {
                let known = self.asked.world.volume(name).map(|known| known.volume.clone());
                // The daemon says itself that it is not there: a volume's name is all its identity.
                let volume = known.unwrap_or_else(|| Volume { name: name.clone(), ..Volume::default() });
                self.resources.push(Resource::Volume(volume));
                if let Body::VolumeUpdate(body) = &mut self.body {
                    let spec = body.value_mut().spec.get_or_insert_with(ClusterVolumeSpec::default);
                    self.asked.cluster_volume(spec);
                }
            }
            _ => self.resources.push(Resource::Daemon),
        }
        Ok(())
    }
}
