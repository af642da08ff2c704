//! What `POST /volumes/create` carries (moby `volume.CreateOptions`).

use std::collections::BTreeMap;

use crate::json::go_struct;

go_struct! {
    /// The body of `POST /volumes/create`.
    pub struct VolumeCreateRequest {
        cluster_volume_spec: Option<ClusterVolumeSpec> = "ClusterVolumeSpec",
        driver: String = "Driver",
        driver_opts: Option<BTreeMap<String, String>> = "DriverOpts",
        labels: Option<BTreeMap<String, String>> = "Labels",
        name: String = "Name",
    }

    /// The body of `PUT /volumes/{name}`: cluster volumes only.
    pub struct VolumeUpdateRequest {
        spec: Option<ClusterVolumeSpec> = "Spec",
    }

    /// A cluster volume (CSI).
    pub struct ClusterVolumeSpec {
        group: String = "Group",
        access_mode: Option<AccessMode> = "AccessMode",
        accessibility_requirements: Option<TopologyRequirement> = "AccessibilityRequirements",
        capacity_range: Option<CapacityRange> = "CapacityRange",
        secrets: Option<Vec<VolumeSecret>> = "Secrets",
        availability: String = "Availability",
    }

    /// How a cluster volume may be used.
    pub struct AccessMode {
        scope: String = "Scope",
        sharing: String = "Sharing",
        mount_volume: Option<TypeMount> = "MountVolume",
        block_volume: Option<TypeBlock> = "BlockVolume",
    }

    /// A cluster volume as a file system.
    pub struct TypeMount {
        fs_type: String = "FsType",
        mount_flags: Option<Vec<String>> = "MountFlags",
    }

    /// A cluster volume as a block device: no options.
    pub struct TypeBlock {
    }

    /// A secret handed to the volume's plugin.
    pub struct VolumeSecret {
        key: String = "Key",
        secret: String = "Secret",
    }

    /// Where a cluster volume must be reachable.
    pub struct TopologyRequirement {
        requisite: Option<Vec<Topology>> = "Requisite",
        preferred: Option<Vec<Topology>> = "Preferred",
    }

    /// One place.
    pub struct Topology {
        segments: Option<BTreeMap<String, String>> = "Segments",
    }

    /// How large a cluster volume is, in bytes.
    pub struct CapacityRange {
        required_bytes: i64 = "RequiredBytes",
        limit_bytes: i64 = "LimitBytes",
    }
}
