//! The entity types of the schema.

use cedar_policy::{EntityId, EntityTypeName, EntityUid, ParseErrors};

macro_rules! types {
    ($($name:ident),* $(,)?) => {
        /// A type of entity.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Type { $($name),* }

        impl Type {
            pub const ALL: &[Type] = &[$(Type::$name),*];

            pub fn name(self) -> &'static str {
                match self { $(Type::$name => stringify!($name)),* }
            }
        }
    };
}

types! {
    Group, User, Daemon, Container, Registry, Repository, Image, Volume, Network, Service, Task, Node, Secret, Config,
    Plugin, HostPath, Device, CapabilitySet, Capability, Port, Namespace, RunUser, RunGroup, SecurityOption, Sysctl,
    Runtime, Cgroup, LogDriver, VolumeDriver, VolumeOption, NetworkDriver, NetworkOption, MacAddress, DeviceDriver,
    DeviceClass, KernelFiles, Ulimit, Priority, StorageOption, Annotation, BuildContext, BuildOption, BuildSource,
    BuildCache, CacheStore, BuildSecret, SpecialFile, SecretDriver, SwarmOption, Part,
}

/// The names of the types, parsed once.
pub(crate) struct Types(Vec<EntityTypeName>);

impl Types {
    /// The name of a type.
    #[allow(clippy::indexing_slicing, reason = "one name for each variant, in the same order")]
    pub fn name(&self, kind: Type) -> &EntityTypeName {
        &self.0[kind as usize]
    }

    pub fn new() -> Result<Types, Box<ParseErrors>> {
        Type::ALL.iter().map(|kind| kind.name().parse().map_err(Box::new)).collect::<Result<_, _>>().map(Types)
    }

    /// The name of an entity. Any text can be an id: it is a value, never parsed.
    #[allow(clippy::indexing_slicing, reason = "one name for each variant, in the same order")]
    pub fn uid(&self, kind: Type, id: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(self.0[kind as usize].clone(), EntityId::new(id))
    }
}

impl Type {
    /// Whether it has labels.
    pub fn has_labels(self) -> bool {
        matches!(
            self,
            Type::Container
                | Type::Image
                | Type::Volume
                | Type::Network
                | Type::Service
                | Type::Task
                | Type::Node
                | Type::Secret
                | Type::Config
        )
    }

    /// Whether it can belong to somebody.
    pub fn has_owner(self) -> bool {
        self.has_labels() && self != Type::Node
    }

    /// Whether it has the attribute `name`.
    pub fn has_name(self) -> bool {
        !matches!(
            self,
            Type::Group
                | Type::User
                | Type::Daemon
                | Type::Registry
                | Type::Repository
                | Type::HostPath
                | Type::Device
                | Type::CapabilitySet
                | Type::Capability
                | Type::Port
                | Type::Namespace
        )
    }
}
