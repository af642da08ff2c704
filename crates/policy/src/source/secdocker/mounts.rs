//! `mounts:`: paths of the host, and volumes by name.

use std::collections::BTreeMap;

use docker::host_path;

use super::super::cedar::quote;
use super::super::target::{Target, matches};
use super::restrictions::Misread;

/// `/var/run` is a link to `/run` everywhere. On another host than ours nobody can look.
const RUN: (&str, &str) = ("/var/run", "/run");

/// A path is blocked with all that is below it, and with all that holds it, for whoever has `/srv` has `/srv/private`. `/`
/// alone is only the root itself, as it holds everything; `/*` is every path.
pub(super) fn targets(mount: &str, leads_to: &BTreeMap<String, String>) -> Result<Vec<Target>, Misread> {
    if !mount.starts_with('/') {
        return volume(mount);
    }
    if mount == "/*" {
        return Ok(vec![asked()]);
    }
    let path = host_path::clean(mount).ok_or_else(|| {
        Misread::new("this is no path of a host", "such as `/root`; a path is blocked with all that is below it")
    })?;
    if mount.contains('*') {
        return Err(Misread::new(
            format!("`*` cannot stand within a path, as in `{mount}`"),
            "`/root` blocks all that is below it, `/*` every path",
        ));
    }
    let mut paths = vec![path.clone()];
    paths.extend(leads_to.get(mount).cloned());
    let (link, target) = RUN;
    let through = |from: &str, to: &str| {
        let below = path.strip_prefix(from).filter(|below| below.is_empty() || below.starts_with('/'))?;
        Some(format!("{to}{below}"))
    };
    paths.extend(through(link, target).into_iter().chain(through(target, link)));
    paths.sort();
    paths.dedup();
    Ok(paths.iter().flat_map(|path| around(path)).collect())
}

fn asked() -> Target {
    Target::action("mountHostPath")
}

/// The path, what is in it and what it is in.
fn around(path: &str) -> Vec<Target> {
    if path == "/" {
        return vec![asked().equal("HostPath", "/")];
    }
    let above = path.match_indices('/').map(|(at, _)| if at == 0 { "/" } else { path.get(..at).unwrap_or("/") });
    let above: Vec<Target> = above.map(|path| asked().equal("HostPath", path)).collect();
    [asked().within("HostPath", path)].into_iter().chain(above).collect()
}

/// A volume by its name.
fn volume(name: &str) -> Result<Vec<Target>, Misread> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if !name.bytes().all(word) {
        return Err(Misread::new(
            format!("`{name}` is neither a path nor a volume"),
            "write the path or the volume alone, such as `/root` or `data`, without where it is mounted",
        ));
    }
    let named = matches("resource.name", name);
    Ok(vec![named.into_iter().fold(Target::action("mountVolume"), Target::when)])
}

/// Volumes with a device or file system of their own, other than a plain bind mount, which is a path: what they show of
/// the host nobody can tell. Those in memory and of other machines (`HOST:/path`) show nothing of it.
pub(super) fn hidden() -> Vec<Target> {
    let option = |name: &str| Target::action("setVolumeOption").when(format!("resource.name == {}", quote(name)));
    let harmless = ["context.value == \"\"", "context.value == \"tmpfs\"", "context.value like \"*:/*\""];
    let mounts = ["*bind*", "*move*", "*remount*", "*dir=*"].map(|word| format!("context.value like {}", quote(word)));
    vec![option("device").when(format!("!({})", harmless.join(" || "))), option("o").when(mounts.join(" || "))]
}
