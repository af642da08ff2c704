//! What is to be done, operation by operation (`solver/pb/ops.proto`).

use std::collections::BTreeMap;

use crate::buildkit::wire::{Whole, message};

message! {
    /// A graph of operations. The last one only names the result.
    Definition = "Definition" {
        1 def: Vec<Vec<u8>>,
        2 metadata: BTreeMap<String, Whole<OpMetadata>>,
        3 source: Option<Source>,
    }

    /// One operation; at most one of `exec` to `diff`.
    Op = "Op" {
        1 inputs: Vec<Input>,
        2 exec: Option<Box<ExecOp>>,
        3 source: Option<SourceOp>,
        4 file: Option<FileOp>,
        5 build: Option<Box<BuildOp>>,
        6 merge: Option<MergeOp>,
        7 diff: Option<DiffOp>,
        10 platform: Option<Platform>,
        11 constraints: Option<WorkerConstraints>,
    }

    /// The result of another operation.
    Input = "Input" { 1 digest: String, 2 index: i64, }

    /// A platform.
    Platform = "Platform" {
        1 architecture: String,
        2 os: String,
        3 variant: String,
        4 os_version: String,
        5 os_features: Vec<String>,
    }

    /// Which workers may do it.
    WorkerConstraints = "WorkerConstraints" { 1 filter: Vec<String>, }

    /// A command that is run.
    ExecOp = "ExecOp" {
        1 meta: Option<Meta>,
        2 mounts: Vec<Mount>,
        3 network: i32,
        4 security: i32,
        5 secretenv: Vec<SecretEnv>,
        6 cdi_devices: Vec<CdiDevice>,
    }

    /// What is run, as whom and where.
    Meta = "Meta" {
        1 args: Vec<String>,
        2 env: Vec<String>,
        3 cwd: String,
        4 user: String,
        5 proxy_env: Option<Box<ProxyEnv>>,
        6 extra_hosts: Vec<HostIp>,
        7 hostname: String,
        9 ulimit: Vec<Ulimit>,
        10 cgroup_parent: String,
        11 remove_mount_stubs_recursive: bool,
        12 valid_exit_codes: Vec<i32>,
    }

    /// Proxies for the command.
    ProxyEnv = "ProxyEnv" {
        1 http_proxy: String,
        2 https_proxy: String,
        3 ftp_proxy: String,
        4 no_proxy: String,
        5 all_proxy: String,
    }

    /// A line of `/etc/hosts`.
    HostIp = "HostIP" { 1 host: String, 2 ip: String, }

    /// A resource limit.
    Ulimit = "Ulimit" { 1 name: String, 2 soft: i64, 3 hard: i64, }

    /// A secret in the environment.
    SecretEnv = "SecretEnv" { 1 id: String, 2 name: String, 3 optional: bool, }

    /// A device.
    CdiDevice = "CDIDevice" { 1 name: String, 2 optional: bool, }

    /// A mount of a command.
    Mount = "Mount" {
        1 input: i64,
        2 selector: String,
        3 dest: String,
        4 output: i64,
        5 readonly: bool,
        6 mount_type: i32,
        19 tmpfs: Option<TmpfsOpt>,
        20 cache: Option<CacheOpt>,
        21 secret: Option<SecretOpt>,
        22 ssh: Option<SecretOpt>,
        23 result_id: String,
        24 content_cache: i32,
    }

    /// A file system in memory.
    TmpfsOpt = "TmpfsOpt" { 1 size: i64, }

    /// A folder that is kept for other builds.
    CacheOpt = "CacheOpt" { 1 id: String, 2 sharing: i32, }

    /// A secret as a file, or a socket of an agent.
    SecretOpt = "SecretOpt" { 1 id: String, 2 uid: u32, 3 gid: u32, 4 mode: u32, 5 optional: bool, }

    /// Files from somewhere.
    SourceOp = "SourceOp" { 1 identifier: String, 2 attrs: BTreeMap<String, String>, }

    /// A build within a build, whose steps lie in a file.
    BuildOp = "BuildOp" {
        1 builder: i64,
        2 inputs: BTreeMap<String, Whole<Index>>,
        3 def: Option<Definition>,
        4 attrs: BTreeMap<String, String>,
    }

    /// The number of an input.
    Index = "Index" { 1 input: i64, }

    /// Layers put together.
    MergeOp = "MergeOp" { 1 inputs: Vec<Index>, }

    /// What two layers differ by.
    DiffOp = "DiffOp" { 1 lower: Option<Index>, 2 upper: Option<Index>, }

    /// Files copied, made and removed.
    FileOp = "FileOp" { 2 actions: Vec<FileAction>, }

    /// One of them.
    FileAction = "FileAction" {
        1 input: i64,
        2 secondary_input: i64,
        3 output: i64,
        4 copy: Option<Box<FileActionCopy>>,
        5 mkfile: Option<Box<FileActionMkFile>>,
        6 mkdir: Option<Box<FileActionMkDir>>,
        7 rm: Option<Box<FileActionRm>>,
        8 symlink: Option<Box<FileActionSymlink>>,
    }

    /// Files copied.
    FileActionCopy = "FileActionCopy" {
        1 src: String,
        2 dest: String,
        3 owner: Option<ChownOpt>,
        4 mode: i32,
        5 follow_symlink: bool,
        6 dir_copy_contents: bool,
        7 attempt_unpack: bool,
        8 create_dest_path: bool,
        9 allow_wildcard: bool,
        10 allow_empty_wildcard: bool,
        11 timestamp: i64,
        12 include_patterns: Vec<String>,
        13 exclude_patterns: Vec<String>,
        14 always_replace: bool,
        15 mode_text: String,
        16 required_paths: Vec<String>,
    }

    /// A file made.
    FileActionMkFile = "FileActionMkFile" {
        1 path: String,
        2 mode: i32,
        3 data: Vec<u8>,
        4 owner: Option<ChownOpt>,
        5 timestamp: i64,
    }

    /// A folder made.
    FileActionMkDir = "FileActionMkDir" {
        1 path: String,
        2 mode: i32,
        3 make_parents: bool,
        4 owner: Option<ChownOpt>,
        5 timestamp: i64,
    }

    /// Files removed.
    FileActionRm = "FileActionRm" { 1 path: String, 2 allow_not_found: bool, 3 allow_wildcard: bool, }

    /// A symbolic link made.
    FileActionSymlink = "FileActionSymlink" {
        1 old_path: String,
        2 new_path: String,
        3 owner: Option<ChownOpt>,
        4 timestamp: i64,
    }

    /// To whom it will belong.
    ChownOpt = "ChownOpt" { 1 user: Option<UserOpt>, 2 group: Option<UserOpt>, }

    /// By name or by number.
    UserOpt = "UserOpt" { 1 by_name: Option<NamedUserOpt>, 2 by_id: u32, }

    /// By name.
    NamedUserOpt = "NamedUserOpt" { 1 name: String, 2 input: i64, }

    /// What is told of an operation.
    OpMetadata = "OpMetadata" {
        1 ignore_cache: bool,
        2 description: BTreeMap<String, String>,
        4 export_cache: Option<ExportCache>,
        5 caps: BTreeMap<String, bool>,
        6 progress_group: Option<ProgressGroup>,
        7 linux_resources: Option<Box<LinuxResources>>,
    }

    /// Whether its result is kept for other builds.
    ExportCache = "ExportCache" { 1 value: bool, }

    /// How its progress is shown.
    ProgressGroup = "ProgressGroup" { 1 id: String, 2 name: String, 3 weak: bool, }

    /// Limits.
    LinuxResources = "LinuxResources" {
        1 memory: i64,
        2 memory_swap: i64,
        3 cpu_shares: u64,
        4 cpu_period: u64,
        5 cpu_quota: i64,
        6 cpuset_cpus: String,
        7 cpuset_mems: String,
    }

    /// Where in which file each operation stands, by its digest.
    Source = "Source" { 1 locations: BTreeMap<String, Whole<Locations>>, 2 infos: Vec<SourceInfo>, }

    /// Where one operation stands.
    Locations = "Locations" { 1 locations: Vec<Location>, }

    /// Lines of a file.
    Location = "Location" { 1 source_index: i32, 2 ranges: Vec<Range>, }

    /// From where to where.
    Range = "Range" { 1 start: Option<Position>, 2 end: Option<Position>, }

    /// A line, from 1 on, and a character.
    Position = "Position" { 1 line: i32, 2 character: i32, }

    /// A file that operations were made from, and how to get it.
    SourceInfo = "SourceInfo" {
        1 filename: String,
        2 data: Vec<u8>,
        3 definition: Option<Box<Definition>>,
        4 language: String,
    }
}

/// `NetMode`: the network of a command.
pub mod network {
    /// That of containers.
    pub const SANDBOX: i32 = 0;
    /// The host's.
    pub const HOST: i32 = 1;
    /// None.
    pub const NONE: i32 = 2;
}

/// `SecurityMode`: how a command is confined.
pub mod security {
    /// As containers are.
    pub const SANDBOX: i32 = 0;
    /// Not at all.
    pub const INSECURE: i32 = 1;
}

/// `MountType`: what is mounted.
pub mod mount_type {
    /// The result of another operation.
    pub const BIND: i32 = 0;
    /// A secret.
    pub const SECRET: i32 = 1;
    /// A socket of an agent.
    pub const SSH: i32 = 2;
    /// A folder that is kept.
    pub const CACHE: i32 = 3;
    /// Memory.
    pub const TMPFS: i32 = 4;
}
