//! What ties a process to the kernel: capabilities, security options, kernel files and parameters,
//! runtimes and control groups.

use super::Privilege;
use crate::body::container::HostConfig;
use crate::privilege::asked::Asked;
use crate::resource::Labels;

/// What the daemon 28 hides by default (oci/defaults.go); earlier ones hide less.
const MASKED: &[&str] = &[
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

/// What the daemon makes read-only by default.
const READ_ONLY: &[&str] = &["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

impl Asked<'_> {
    /// Everything of a host configuration that weakens the walls to the kernel.
    pub(crate) fn kernel(&mut self, host: &HostConfig) {
        if host.privileged {
            self.ask(Privilege::Privileged);
        }
        self.capabilities(host.cap_add.iter().flat_map(|list| list.iter()));
        for option in host.security_opt.iter().flatten() {
            self.security_option(option);
        }
        self.kernel_files("MaskedPaths", host.masked_paths.as_deref(), MASKED);
        self.kernel_files("ReadonlyPaths", host.readonly_paths.as_deref(), READ_ONLY);
        self.sysctls(host.sysctls.as_ref());
        self.runtime(&host.runtime);
        self.runtime(&host.isolation);
        self.cgroup_parent(&host.cgroup_parent);
        for name in host.annotations.iter().flatten().map(|(name, _)| name) {
            self.ask(Privilege::Annotate { name: name.clone() });
        }
    }

    /// Capabilities beyond the default ones.
    pub(crate) fn capabilities<'n>(&mut self, names: impl Iterator<Item = &'n String>) {
        for name in names {
            self.ask(Privilege::AddCapability { name: capability_name(name) });
        }
    }

    /// A security option that does not take power away.
    pub(crate) fn security_option(&mut self, option: &str) {
        if let Some((name, value)) = security_option(option) {
            self.ask(Privilege::SetSecurityOption { name, value });
        }
    }

    /// Kernel parameters.
    pub(crate) fn sysctls(&mut self, sysctls: Option<&Labels>) {
        for (name, value) in sysctls.into_iter().flatten() {
            self.ask(Privilege::SetSysctl { name: name.clone(), value: value.clone() });
        }
    }

    /// A runtime or isolation, where one is asked for by name.
    pub(crate) fn runtime(&mut self, name: &str) {
        if !matches!(name, "" | "default") {
            self.ask(Privilege::UseRuntime { name: name.to_owned() });
        }
    }

    /// A parent control group, where one is asked for.
    pub(crate) fn cgroup_parent(&mut self, path: &str) {
        if !path.is_empty() {
            self.ask(Privilege::SetCgroupParent { path: path.to_owned() });
        }
    }

    /// A list given replaces the daemon's own, even an empty one; it must hold all that the default holds.
    fn kernel_files(&mut self, list: &'static str, given: Option<&[String]>, default: &[&str]) {
        let Some(given) = given else { return };
        if !default.iter().all(|path| given.iter().any(|given| given == path)) {
            self.ask(Privilege::ExposeKernelFiles { list });
        }
    }
}

/// A capability as the daemon reads it: upper case, with or without `CAP_`.
pub fn capability_name(given: &str) -> String {
    let upper = given.to_uppercase();
    upper.strip_prefix("CAP_").map(str::to_owned).unwrap_or(upper)
}

/// A security option as the daemon reads it: cut at the first `=`, else at the first `:`.
pub fn security_option_pair(given: &str) -> (&str, &str) {
    match given {
        "no-new-privileges" => ("no-new-privileges", "true"),
        "disable" => ("label", "disable"),
        "writable-cgroups" => ("writable-cgroups", "true"),
        _ => given.split_once('=').or_else(|| given.split_once(':')).unwrap_or((given, "")),
    }
}

/// A security option as it is asked for; `None` for `no-new-privileges`, which takes power away. A seccomp profile is
/// called `custom`.
pub fn security_option(given: &str) -> Option<(String, String)> {
    let (name, value) = security_option_pair(given);
    let value = match (name, value) {
        ("no-new-privileges", value) if go_parse_bool(value) == Some(true) => return None,
        ("seccomp", "unconfined" | "builtin" | "") => value,
        ("seccomp", _) => "custom",
        (_, value) => value,
    };
    Some((name.to_owned(), value.to_owned()))
}

/// Go's `strconv.ParseBool`.
pub(crate) fn go_parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// The names of environment variables, without their values.
pub(crate) fn environment_names(environment: &[String]) -> Vec<String> {
    environment.iter().map(|entry| entry.split('=').next().unwrap_or_default().to_owned()).collect()
}

/// Whether the options keep processes from gaining privileges, if they say so or the contrary. The daemon
/// lets the last one win.
pub(crate) fn no_new_privileges(options: &[String]) -> Option<bool> {
    options
        .iter()
        .filter_map(|option| match option.as_str() {
            "no-new-privileges" => Some(true),
            _ => option
                .split_once('=')
                .or_else(|| option.split_once(':'))
                .filter(|(name, _)| *name == "no-new-privileges")
                .and_then(|(_, value)| go_parse_bool(value)),
        })
        .next_back()
}
