//! Mounts (moby `mount.Mount`), the same in containers and in services.

use std::collections::BTreeMap;

use crate::json::go_struct;

go_struct! {
    /// One entry of `Mounts`.
    pub struct Mount {
        kind: String = "Type",
        source: String = "Source",
        target: String = "Target",
        read_only: bool = "ReadOnly",
        consistency: String = "Consistency",
        bind_options: Option<BindOptions> = "BindOptions",
        volume_options: Option<VolumeOptions> = "VolumeOptions",
        tmpfs_options: Option<TmpfsOptions> = "TmpfsOptions",
        cluster_options: Option<ClusterOptions> = "ClusterOptions",
        image_options: Option<ImageOptions> = "ImageOptions",
    }

    /// Options of a mount of type `bind`.
    pub struct BindOptions {
        propagation: String = "Propagation",
        non_recursive: bool = "NonRecursive",
        create_mountpoint: bool = "CreateMountpoint",
        read_only_non_recursive: bool = "ReadOnlyNonRecursive",
        read_only_force_recursive: bool = "ReadOnlyForceRecursive",
    }

    /// Options of a mount of type `volume`.
    pub struct VolumeOptions {
        no_copy: bool = "NoCopy",
        labels: Option<BTreeMap<String, String>> = "Labels",
        driver_config: Option<VolumeDriver> = "DriverConfig",
        subpath: String = "Subpath",
    }

    /// A volume driver and what it is told: with driver `local`, any mount of the host.
    pub struct VolumeDriver {
        name: String = "Name",
        options: Option<BTreeMap<String, String>> = "Options",
    }

    /// Options of a mount of type `image`.
    pub struct ImageOptions {
        subpath: String = "Subpath",
    }

    /// Options of a mount of type `tmpfs`.
    pub struct TmpfsOptions {
        size_bytes: i64 = "SizeBytes",
        mode: u32 = "Mode",
        options: Option<Vec<Vec<String>>> = "Options",
    }

    /// Options of a mount of type `cluster`: none.
    pub struct ClusterOptions {
    }
}
