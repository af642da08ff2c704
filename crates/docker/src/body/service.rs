//! What `POST /services/create` and `/services/{id}/update` carry (moby `swarm.ServiceSpec`): every field
//! of the daemons 20.10 to 29.

use std::collections::BTreeMap;

use super::Empty;
use super::swarm::Driver;
use super::task::ContainerSpec;
use crate::json::go_struct;

go_struct! {
    /// A service: the body of a create and an update alike.
    pub struct ServiceSpec {
        name: String = "Name",
        labels: Option<BTreeMap<String, String>> = "Labels",
        task_template: TaskSpec = "TaskTemplate",
        mode: ServiceMode = "Mode",
        update_config: Option<UpdateConfig> = "UpdateConfig",
        rollback_config: Option<UpdateConfig> = "RollbackConfig",
        /// Of old: the networks stand in the task today. Daemons before 29 read both.
        networks: Option<Vec<NetworkAttachment>> = "Networks",
        endpoint_spec: Option<EndpointSpec> = "EndpointSpec",
    }

    /// What a service's tasks are. One of the three specifications counts, by `Runtime`.
    pub struct TaskSpec {
        container_spec: Option<ContainerSpec> = "ContainerSpec",
        plugin_spec: Option<PluginSpec> = "PluginSpec",
        network_attachment_spec: Option<NetworkAttachmentSpec> = "NetworkAttachmentSpec",
        resources: Option<ResourceRequirements> = "Resources",
        restart_policy: Option<TaskRestartPolicy> = "RestartPolicy",
        placement: Option<Placement> = "Placement",
        networks: Option<Vec<NetworkAttachment>> = "Networks",
        log_driver: Option<Driver> = "LogDriver",
        force_update: u64 = "ForceUpdate",
        runtime: String = "Runtime",
    }

    /// A managed plugin on every node (moby `runtime.PluginSpec`).
    pub struct PluginSpec {
        name: String = "name",
        remote: String = "remote",
        privileges: Option<Vec<RuntimePrivilege>> = "privileges",
        disabled: bool = "disabled",
        env: Option<Vec<String>> = "env",
    }

    /// One privilege that such a plugin is granted.
    pub struct RuntimePrivilege {
        name: String = "name",
        description: String = "description",
        value: Option<Vec<String>> = "value",
    }

    /// A container that is not a task, in a network of the swarm.
    pub struct NetworkAttachmentSpec {
        container_id: String = "ContainerID",
    }

    /// What a task needs and may use.
    pub struct ResourceRequirements {
        limits: Option<Limit> = "Limits",
        reservations: Option<Reservations> = "Reservations",
        swap_bytes: Option<i64> = "SwapBytes",
        memory_swappiness: Option<i64> = "MemorySwappiness",
    }

    /// What a task may use.
    pub struct Limit {
        nano_cpus: i64 = "NanoCPUs",
        memory_bytes: i64 = "MemoryBytes",
        pids: i64 = "Pids",
    }

    /// What a task needs.
    pub struct Reservations {
        nano_cpus: i64 = "NanoCPUs",
        memory_bytes: i64 = "MemoryBytes",
        generic_resources: Option<Vec<GenericResource>> = "GenericResources",
    }

    /// Something that a node has by its configuration: GPUs, most of all.
    pub struct GenericResource {
        named_resource_spec: Option<NamedResource> = "NamedResourceSpec",
        discrete_resource_spec: Option<DiscreteResource> = "DiscreteResourceSpec",
    }

    /// One by its name.
    pub struct NamedResource {
        kind: String = "Kind",
        value: String = "Value",
    }

    /// So many of a kind.
    pub struct DiscreteResource {
        kind: String = "Kind",
        value: i64 = "Value",
    }

    /// When a task is started anew. Times in nanoseconds.
    pub struct TaskRestartPolicy {
        condition: String = "Condition",
        delay: Option<i64> = "Delay",
        max_attempts: Option<u64> = "MaxAttempts",
        window: Option<i64> = "Window",
    }

    /// On which nodes.
    pub struct Placement {
        constraints: Option<Vec<String>> = "Constraints",
        preferences: Option<Vec<PlacementPreference>> = "Preferences",
        max_replicas: u64 = "MaxReplicas",
        platforms: Option<Vec<Platform>> = "Platforms",
    }

    /// How tasks are spread.
    pub struct PlacementPreference {
        spread: Option<SpreadOver> = "Spread",
    }

    /// Over the values of a label.
    pub struct SpreadOver {
        spread_descriptor: String = "SpreadDescriptor",
    }

    /// A kind of machine.
    pub struct Platform {
        architecture: String = "Architecture",
        os: String = "OS",
    }

    /// A network that tasks join.
    pub struct NetworkAttachment {
        target: String = "Target",
        aliases: Option<Vec<String>> = "Aliases",
        driver_opts: Option<BTreeMap<String, String>> = "DriverOpts",
    }

    /// How a service is reached.
    pub struct EndpointSpec {
        mode: String = "Mode",
        ports: Option<Vec<PortConfig>> = "Ports",
    }

    /// A published port: of every node, or of those that run a task.
    pub struct PortConfig {
        name: String = "Name",
        protocol: String = "Protocol",
        target_port: u32 = "TargetPort",
        published_port: u32 = "PublishedPort",
        publish_mode: String = "PublishMode",
    }

    /// How many tasks.
    pub struct ServiceMode {
        replicated: Option<Replicated> = "Replicated",
        global: Option<Empty> = "Global",
        replicated_job: Option<ReplicatedJob> = "ReplicatedJob",
        global_job: Option<Empty> = "GlobalJob",
    }

    /// So many at a time.
    pub struct Replicated {
        replicas: Option<u64> = "Replicas",
    }

    /// So many, each to its end.
    pub struct ReplicatedJob {
        max_concurrent: Option<u64> = "MaxConcurrent",
        total_completions: Option<u64> = "TotalCompletions",
    }

    /// How an update goes about. Times in nanoseconds.
    pub struct UpdateConfig {
        parallelism: u64 = "Parallelism",
        delay: i64 = "Delay",
        failure_action: String = "FailureAction",
        monitor: i64 = "Monitor",
        max_failure_ratio: f32 = "MaxFailureRatio",
        order: String = "Order",
    }
}
