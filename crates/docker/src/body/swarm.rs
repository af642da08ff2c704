//! What the end points of a swarm, its nodes, secrets and configs carry (moby `swarm.*`).
//!
//! Join tokens, unlock keys, signing keys and the data of secrets are in here: never to be logged.

use std::collections::BTreeMap;

use crate::json::{Hidden, go_struct};

go_struct! {
    /// The body of `POST /swarm/init`.
    pub struct SwarmInitRequest {
        listen_addr: String = "ListenAddr",
        advertise_addr: String = "AdvertiseAddr",
        data_path_addr: String = "DataPathAddr",
        data_path_port: u32 = "DataPathPort",
        force_new_cluster: bool = "ForceNewCluster",
        spec: SwarmSpec = "Spec",
        auto_lock_managers: bool = "AutoLockManagers",
        availability: String = "Availability",
        default_addr_pool: Option<Vec<String>> = "DefaultAddrPool",
        subnet_size: u32 = "SubnetSize",
    }

    /// The body of `POST /swarm/join`.
    pub struct SwarmJoinRequest {
        listen_addr: String = "ListenAddr",
        advertise_addr: String = "AdvertiseAddr",
        data_path_addr: String = "DataPathAddr",
        remote_addrs: Option<Vec<String>> = "RemoteAddrs",
        join_token: Hidden = "JoinToken",
        availability: String = "Availability",
    }

    /// The body of `POST /swarm/unlock`.
    pub struct SwarmUnlockRequest {
        unlock_key: Hidden = "UnlockKey",
    }

    /// The body of `POST /swarm/update`, and part of an init.
    pub struct SwarmSpec {
        name: String = "Name",
        labels: Option<BTreeMap<String, String>> = "Labels",
        orchestration: Orchestration = "Orchestration",
        raft: Raft = "Raft",
        dispatcher: Dispatcher = "Dispatcher",
        ca_config: CaConfig = "CAConfig",
        task_defaults: TaskDefaults = "TaskDefaults",
        encryption_config: Encryption = "EncryptionConfig",
    }

    /// How many old tasks are kept.
    pub struct Orchestration {
        task_history_retention_limit: Option<i64> = "TaskHistoryRetentionLimit",
    }

    /// How managers agree.
    pub struct Raft {
        snapshot_interval: u64 = "SnapshotInterval",
        keep_old_snapshots: Option<u64> = "KeepOldSnapshots",
        log_entries_for_slow_followers: u64 = "LogEntriesForSlowFollowers",
        election_tick: i64 = "ElectionTick",
        heartbeat_tick: i64 = "HeartbeatTick",
    }

    /// How managers and workers speak.
    pub struct Dispatcher {
        heartbeat_period: i64 = "HeartbeatPeriod",
    }

    /// Who signs the certificates of nodes.
    pub struct CaConfig {
        node_cert_expiry: i64 = "NodeCertExpiry",
        external_cas: Option<Vec<ExternalCa>> = "ExternalCAs",
        signing_ca_cert: String = "SigningCACert",
        signing_ca_key: Hidden = "SigningCAKey",
        force_rotate: u64 = "ForceRotate",
    }

    /// An authority outside of the swarm.
    pub struct ExternalCa {
        protocol: String = "Protocol",
        url: String = "URL",
        options: Option<BTreeMap<String, String>> = "Options",
        ca_cert: String = "CACert",
    }

    /// What tasks have unless told otherwise.
    pub struct TaskDefaults {
        log_driver: Option<Driver> = "LogDriver",
    }

    /// Whether managers must be unlocked after a restart.
    pub struct Encryption {
        auto_lock_managers: bool = "AutoLockManagers",
    }

    /// A driver by name: of logs, secrets or templates.
    pub struct Driver {
        name: String = "Name",
        options: Option<BTreeMap<String, String>> = "Options",
    }

    /// The body of `POST /nodes/{id}/update`.
    pub struct NodeSpec {
        name: String = "Name",
        labels: Option<BTreeMap<String, String>> = "Labels",
        role: String = "Role",
        availability: String = "Availability",
    }

    /// The body of `POST /secrets/create` and `/secrets/{id}/update`.
    pub struct SecretSpec {
        name: String = "Name",
        labels: Option<BTreeMap<String, String>> = "Labels",
        /// In base64, as Go's `[]byte`.
        data: Hidden = "Data",
        driver: Option<Driver> = "Driver",
        templating: Option<Driver> = "Templating",
    }

    /// The body of `POST /configs/create` and `/configs/{id}/update`.
    pub struct ConfigSpec {
        name: String = "Name",
        labels: Option<BTreeMap<String, String>> = "Labels",
        /// In base64, as Go's `[]byte`.
        data: Hidden = "Data",
        templating: Option<Driver> = "Templating",
    }
}
