//! Capabilities, and the sets of them that policies can name.

/// The sets.
pub(crate) const SETS: &[&str] = &[DOCKER_DEFAULT, POD_SECURITY_BASELINE];
/// What the daemon gives to every container unless told otherwise.
const DOCKER_DEFAULT: &str = "docker-default";
/// What the Pod Security Standards' baseline lets a container add.
const POD_SECURITY_BASELINE: &str = "pod-security-baseline";

const DEFAULT: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// The others that Linux has.
const OTHERS: &[&str] = &[
    "ALL",
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "DAC_READ_SEARCH",
    "IPC_LOCK",
    "IPC_OWNER",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "NET_ADMIN",
    "NET_BROADCAST",
    "PERFMON",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

/// The sets that a capability is in.
pub(super) fn sets(name: &str) -> impl Iterator<Item = &'static str> {
    let default = DEFAULT.contains(&name);
    let baseline = default && name != "NET_RAW";
    [(DOCKER_DEFAULT, default), (POD_SECURITY_BASELINE, baseline)]
        .into_iter()
        .filter(|(_, holds)| *holds)
        .map(|(set, _)| set)
}

/// Every capability known, and `ALL`.
pub fn known() -> impl Iterator<Item = &'static str> {
    DEFAULT.iter().chain(OTHERS).copied()
}
