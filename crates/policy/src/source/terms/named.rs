//! Terms whose value is a name, a pattern with `*`, or `name=value`.

use super::super::target::{Target, matches};
use super::{Item, Term};

const fn named(key: &'static str, actions: &'static [&'static str]) -> Term {
    Term { key, actions, beside: &[], read: by_name }
}

const fn option(key: &'static str, actions: &'static [&'static str]) -> Term {
    Term { key, actions, beside: &[], read: by_name_and_value }
}

const fn switch(key: &'static str, actions: &'static [&'static str]) -> Term {
    Term { key, actions, beside: &[], read: on_or_off }
}

pub(super) const TERMS: &[Term] = &[
    switch("privileged", &["privileged"]),
    switch("publish_all_ports", &["publishAllPorts"]),
    switch("builds_of_others", &["useBuildsOfOthers"]),
    switch("tmpfs", &["mountTmpfs"]),
    switch("checkpoint", &["checkpoint"]),
    switch("build_run", &["buildRun"]),
    Term { key: "volume", actions: &["mountVolume"], beside: &["readonly"], read: volume },
    Term { key: "volumes_from", actions: &["mountVolumesFrom"], beside: &["readonly"], read: volume },
    named("link", &["linkContainer"]),
    named("network", &["joinNetwork"]),
    named("runtime", &["useRuntime"]),
    named("cgroup_parent", &["setCgroupParent"]),
    named("group", &["joinGroup"]),
    named("log_driver", &["useLogDriver"]),
    named("volume_driver", &["useVolumeDriver"]),
    named("network_driver", &["useNetworkDriver"]),
    named("mac_address", &["setMacAddress"]),
    named("device_driver", &["requestDevice"]),
    named("device_class", &["allowDeviceClass"]),
    named("kernel_files", &["exposeKernelFiles"]),
    named("ulimit", &["setUlimit"]),
    named("priority", &["prioritise"]),
    named("annotation", &["annotate"]),
    named("build_context", &["fetchBuildContext"]),
    named("build_fetch", &["buildFetch"]),
    Term { key: "build_cache", actions: &["mountBuildCache"], beside: &["own"], read: build_cache },
    named("cache_store", &["useBuildCache"]),
    named("build_secret", &["useBuildSecret"]),
    named("special_file", &["copySpecialFile"]),
    named("use_secret", &["useSecret"]),
    named("use_config", &["useConfig"]),
    named("secret_driver", &["useSecretDriver"]),
    named("unexamined", &["unexamined"]),
    option("security_option", &["setSecurityOption"]),
    option("sysctl", &["setSysctl"]),
    option("volume_option", &["setVolumeOption"]),
    option("network_option", &["setNetworkOption"]),
    option("storage_option", &["setStorageOption"]),
    option("build_option", &["setBuildOption"]),
    option("swarm_option", &["setSwarmOption"]),
];

fn by_name(item: &Item<'_>) -> Result<Vec<Target>, String> {
    if item.value.is_empty() {
        return Err(format!("`{}` needs a name, or `*` for any", item.term.key));
    }
    Ok(vec![matches("resource.name", item.value).into_iter().fold(item.target(), Target::when)])
}

fn by_name_and_value(item: &Item<'_>) -> Result<Vec<Target>, String> {
    let Some((name, value)) = item.value.split_once('=') else { return by_name(item) };
    let conditions = [matches("resource.name", name), matches("context.value", value)];
    Ok(vec![conditions.into_iter().flatten().fold(item.target(), Target::when)])
}

fn on_or_off(item: &Item<'_>) -> Result<Vec<Target>, String> {
    match item.value {
        "true" | "*" => Ok(vec![item.target()]),
        other => Err(format!("`{}` can only be true, not `{other}`", item.term.key)),
    }
}

fn build_cache(item: &Item<'_>) -> Result<Vec<Target>, String> {
    let targets = by_name(item)?;
    let own = item.flag("own")?;
    Ok(targets.into_iter().map(|target| if own { target.when("context.own") } else { target }).collect())
}

fn volume(item: &Item<'_>) -> Result<Vec<Target>, String> {
    let targets = by_name(item)?;
    let read_only = item.flag("readonly")?;
    Ok(targets.into_iter().map(|target| if read_only { target.when("context.readOnly") } else { target }).collect())
}
