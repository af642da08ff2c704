//! What `POST /containers/create` and `POST /containers/{id}/update` carry (moby `container.Config`,
//! `HostConfig`, `Resources`): every field of the daemons 20.10 to 29.

use std::collections::BTreeMap;

use super::Empty;
use super::mount::Mount;
use super::network::NetworkingConfig;
use crate::json::{Ignored, Pair, StrSlice, go_struct};

go_struct! {
    /// The body of `POST /containers/create`.
    ///
    /// Daemons before 27 also take the fields of `HostConfig` at this level, when `HostConfig` itself is
    /// missing. They are unknown here, hence refused.
    pub struct CreateRequest {
        hostname: String = "Hostname",
        domainname: String = "Domainname",
        user: String = "User",
        attach_stdin: bool = "AttachStdin",
        attach_stdout: bool = "AttachStdout",
        attach_stderr: bool = "AttachStderr",
        exposed_ports: Option<BTreeMap<String, Empty>> = "ExposedPorts",
        tty: bool = "Tty",
        open_stdin: bool = "OpenStdin",
        stdin_once: bool = "StdinOnce",
        env: Option<Vec<String>> = "Env",
        cmd: Option<StrSlice> = "Cmd",
        healthcheck: Option<Healthcheck> = "Healthcheck",
        args_escaped: bool = "ArgsEscaped",
        image: String = "Image",
        volumes: Option<BTreeMap<String, Empty>> = "Volumes",
        working_dir: String = "WorkingDir",
        entrypoint: Option<StrSlice> = "Entrypoint",
        network_disabled: bool = "NetworkDisabled",
        mac_address: String = "MacAddress",
        on_build: Option<Vec<String>> = "OnBuild",
        labels: Option<BTreeMap<String, String>> = "Labels",
        stop_signal: String = "StopSignal",
        stop_timeout: Option<i64> = "StopTimeout",
        shell: Option<StrSlice> = "Shell",
        host_config: Option<HostConfig> = "HostConfig",
        networking_config: Option<NetworkingConfig> = "NetworkingConfig",
        /// Sent by docker-py; the daemon takes it from the query.
        platform: Ignored = "Platform",
    }
}

/// Declares a struct with the fields of moby's `Resources`, which it embeds, at its end.
macro_rules! with_resources {
    ($(
        $(#[$about:meta])*
        pub struct $name:ident { $($fields:tt)* }
    )*) => {
        go_struct! {$(
            $(#[$about])*
            pub struct $name {
                $($fields)*
                cpu_shares: i64 = "CpuShares",
                memory: i64 = "Memory",
                nano_cpus: i64 = "NanoCpus",
                cgroup_parent: String = "CgroupParent",
                blkio_weight: u16 = "BlkioWeight",
                blkio_weight_device: Option<Vec<WeightDevice>> = "BlkioWeightDevice",
                blkio_device_read_bps: Option<Vec<ThrottleDevice>> = "BlkioDeviceReadBps",
                blkio_device_write_bps: Option<Vec<ThrottleDevice>> = "BlkioDeviceWriteBps",
                blkio_device_read_iops: Option<Vec<ThrottleDevice>> = "BlkioDeviceReadIOps",
                blkio_device_write_iops: Option<Vec<ThrottleDevice>> = "BlkioDeviceWriteIOps",
                cpu_period: i64 = "CpuPeriod",
                cpu_quota: i64 = "CpuQuota",
                cpu_realtime_period: i64 = "CpuRealtimePeriod",
                cpu_realtime_runtime: i64 = "CpuRealtimeRuntime",
                cpuset_cpus: String = "CpusetCpus",
                cpuset_mems: String = "CpusetMems",
                devices: Option<Vec<DeviceMapping>> = "Devices",
                device_cgroup_rules: Option<Vec<String>> = "DeviceCgroupRules",
                device_requests: Option<Vec<DeviceRequest>> = "DeviceRequests",
                kernel_memory: i64 = "KernelMemory",
                kernel_memory_tcp: i64 = "KernelMemoryTCP",
                memory_reservation: i64 = "MemoryReservation",
                memory_swap: i64 = "MemorySwap",
                memory_swappiness: Option<i64> = "MemorySwappiness",
                oom_kill_disable: Option<bool> = "OomKillDisable",
                pids_limit: Option<i64> = "PidsLimit",
                ulimits: Option<Vec<Ulimit>> = "Ulimits",
                cpu_count: i64 = "CpuCount",
                cpu_percent: i64 = "CpuPercent",
                io_maximum_iops: u64 = "IOMaximumIOps",
                io_maximum_bandwidth: u64 = "IOMaximumBandwidth",
            }
        )*}
    };
}

with_resources! {
    /// How a container is tied to its host.
    pub struct HostConfig {
        binds: Option<Vec<String>> = "Binds",
        container_id_file: String = "ContainerIDFile",
        log_config: LogConfig = "LogConfig",
        network_mode: String = "NetworkMode",
        port_bindings: Option<BTreeMap<String, Option<Vec<PortBinding>>>> = "PortBindings",
        restart_policy: RestartPolicy = "RestartPolicy",
        auto_remove: bool = "AutoRemove",
        volume_driver: String = "VolumeDriver",
        volumes_from: Option<Vec<String>> = "VolumesFrom",
        cap_add: Option<StrSlice> = "CapAdd",
        cap_drop: Option<StrSlice> = "CapDrop",
        cgroupns_mode: String = "CgroupnsMode",
        dns: Option<Vec<String>> = "Dns",
        dns_options: Option<Vec<String>> = "DnsOptions",
        dns_search: Option<Vec<String>> = "DnsSearch",
        extra_hosts: Option<Vec<String>> = "ExtraHosts",
        group_add: Option<Vec<String>> = "GroupAdd",
        ipc_mode: String = "IpcMode",
        cgroup: String = "Cgroup",
        links: Option<Vec<String>> = "Links",
        oom_score_adj: i64 = "OomScoreAdj",
        pid_mode: String = "PidMode",
        privileged: bool = "Privileged",
        publish_all_ports: bool = "PublishAllPorts",
        readonly_rootfs: bool = "ReadonlyRootfs",
        security_opt: Option<Vec<String>> = "SecurityOpt",
        storage_opt: Option<BTreeMap<String, String>> = "StorageOpt",
        tmpfs: Option<BTreeMap<String, String>> = "Tmpfs",
        uts_mode: String = "UTSMode",
        userns_mode: String = "UsernsMode",
        shm_size: i64 = "ShmSize",
        sysctls: Option<BTreeMap<String, String>> = "Sysctls",
        runtime: String = "Runtime",
        console_size: Option<Pair> = "ConsoleSize",
        isolation: String = "Isolation",
        mounts: Option<Vec<Mount>> = "Mounts",
        masked_paths: Option<Vec<String>> = "MaskedPaths",
        readonly_paths: Option<Vec<String>> = "ReadonlyPaths",
        init: Option<bool> = "Init",
        annotations: Option<BTreeMap<String, String>> = "Annotations",
    }

    /// The body of `POST /containers/{id}/update`: `Resources` and the restart policy.
    pub struct UpdateRequest {
        restart_policy: RestartPolicy = "RestartPolicy",
    }
}

go_struct! {
    /// A device of the host in the container.
    pub struct DeviceMapping {
        path_on_host: String = "PathOnHost",
        path_in_container: String = "PathInContainer",
        cgroup_permissions: String = "CgroupPermissions",
    }

    /// Devices by driver and capability.
    pub struct DeviceRequest {
        driver: String = "Driver",
        count: i64 = "Count",
        device_ids: Option<Vec<String>> = "DeviceIDs",
        capabilities: Option<Vec<Vec<String>>> = "Capabilities",
        options: Option<BTreeMap<String, String>> = "Options",
    }

    /// When the daemon starts the container again.
    pub struct RestartPolicy {
        name: String = "Name",
        maximum_retry_count: i64 = "MaximumRetryCount",
    }

    /// Where the output goes.
    pub struct LogConfig {
        kind: String = "Type",
        config: Option<BTreeMap<String, String>> = "Config",
    }

    /// A share of a block device's time.
    pub struct WeightDevice {
        path: String = "Path",
        weight: u16 = "Weight",
    }

    /// A limit for a block device.
    pub struct ThrottleDevice {
        path: String = "Path",
        rate: u64 = "Rate",
    }

    /// A resource limit.
    pub struct Ulimit {
        name: String = "Name",
        hard: i64 = "Hard",
        soft: i64 = "Soft",
    }

    /// A published port.
    pub struct PortBinding {
        host_ip: String = "HostIp",
        host_port: String = "HostPort",
    }

    /// How the daemon tells whether the container is well. Times in nanoseconds.
    pub struct Healthcheck {
        test: Option<Vec<String>> = "Test",
        interval: i64 = "Interval",
        timeout: i64 = "Timeout",
        start_period: i64 = "StartPeriod",
        start_interval: i64 = "StartInterval",
        retries: i64 = "Retries",
    }

    /// The body of `POST /containers/{id}/checkpoints`.
    pub struct CheckpointRequest {
        checkpoint_id: String = "CheckpointID",
        checkpoint_dir: String = "CheckpointDir",
        exit: bool = "Exit",
    }
    /// The body of `POST /containers/{id}/copy`, which daemons answer below API 1.24 only.
    pub struct CopyRequest {
        resource: String = "Resource",
    }
}
