//! What a request makes, for the one who will own it.

use std::collections::BTreeSet;

use super::Draft;
use crate::endpoint::{Kind, Operation};
use crate::ownership::Making;
use crate::privilege::Privilege;
use crate::request::{Body, Call};
use crate::resource::Resource;

impl Draft<'_> {
    /// What is new when it is done. What is there already, the daemon gives or changes: that makes nothing.
    pub(super) fn making(&self, call: &Call) -> Option<Making> {
        let kind = kind(call.operation)?;
        let of_something = matches!(call.operation, Operation::ImageCommit | Operation::ImageTag);
        if !of_something && !matches!(self.resources.last(), Some(Resource::Daemon)) {
            return None;
        }
        let spec = self.spec.as_ref();
        Some(Making {
            kind,
            names: self.names_of_made(call),
            volumes: self.volumes_made(),
            memory: spec.map_or(0, |spec| spec.memory),
            nano_cpus: spec.map_or(0, |spec| spec.nano_cpus),
            ports: self.ports_published(),
        })
    }

    /// The names by which it can be found.
    fn names_of_made(&self, call: &Call) -> Vec<String> {
        let name = match &self.body {
            Body::VolumeCreate(body) => body.name.clone(),
            Body::NetworkCreate(body) => body.name.clone(),
            Body::Service(body) => body.name.clone(),
            Body::Secret(body) => body.name.clone(),
            Body::Config(body) => body.name.clone(),
            _ if call.operation == Operation::ContainerCreate => self.query.all("name").next().unwrap_or("").to_owned(),
            _ => String::new(),
        };
        let images = self.asked.privileges.iter().filter_map(|privilege| match privilege {
            Privilege::NameImage { image } => image.reference.as_ref(),
            // What a build pulls is there before it begins.
            Privilege::PullImage { image } if call.operation == Operation::ImageCreate => image.reference.as_ref(),
            _ => None,
        });
        let images = images.map(|reference| reference.clone().with_default_tag().familiar());
        Some(name).filter(|name| !name.is_empty()).into_iter().chain(images).collect()
    }

    /// The volumes that there will be, by name; an anonymous one is nameless.
    fn volumes_made(&self) -> Vec<String> {
        if let Body::VolumeCreate(body) = &self.body {
            return vec![body.name.clone()];
        }
        let mut named = BTreeSet::new();
        let mut all = Vec::new();
        for privilege in &self.asked.privileges {
            if let Privilege::MountVolume { volume, .. } = privilege
                && !volume.exists
                && (volume.name.is_empty() || named.insert(volume.name.clone()))
            {
                all.push(volume.name.clone());
            }
        }
        all
    }

    /// Ports of the host; -1 where only the image knows how many.
    fn ports_published(&self) -> i64 {
        let mut ports = 0_i64;
        for privilege in &self.asked.privileges {
            match privilege {
                Privilege::PublishAllPorts => return -1,
                Privilege::PublishPort(port) => {
                    let more = i64::from(port.last).saturating_sub(i64::from(port.first)).saturating_add(1);
                    ports = ports.saturating_add(more.max(1));
                }
                _ => {}
            }
        }
        ports
    }
}

/// The kind of thing that an operation makes.
fn kind(operation: Operation) -> Option<Kind> {
    Some(match operation {
        Operation::ContainerCreate => Kind::Container,
        Operation::ImageCreate
        | Operation::ImageBuild
        | Operation::ImageLoad
        | Operation::ImageCommit
        | Operation::ImageTag => Kind::Image,
        Operation::VolumeCreate => Kind::Volume,
        Operation::NetworkCreate => Kind::Network,
        Operation::ServiceCreate => Kind::Service,
        Operation::SecretCreate => Kind::Secret,
        Operation::ConfigCreate => Kind::Config,
        _ => return None,
    })
}
