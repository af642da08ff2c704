//! opa-docker-authz: its policy stays Rego, and is judged as it was, with the document that the plugin put to it.

use policy::{Diagnostics, NamedText};

use super::{Faults, quoted};

/// A configuration that names the file. The policy itself is read when that is loaded.
pub fn import(file: &NamedText) -> Result<String, Diagnostics> {
    let mut faults = Faults::new(file);
    let package = file.text.lines().zip(1..).find_map(|(line, number)| {
        let rest = line.trim_start().strip_prefix("package")?.strip_prefix([' ', '\t'])?;
        Some((rest.split('#').next().unwrap_or_default().trim(), number))
    });
    match package {
        Some(("docker.authz", _)) => {}
        Some((other, line)) => {
            let help = "the plugin asked for data.docker.authz.allow; for another rule write `policy: { rego: { files: [FILE], \
                        input: opa-docker-authz, allow: data.NAME.allow } }`";
            faults.helped(line, 1, format!("this is package `{other}`, not `docker.authz`"), help);
        }
        None => faults.at(1, 1, "this is no policy in Rego: it has no `package`"),
    }
    let made = format!(
        "# Made by `dockwarden import opa-docker-authz` from {}.\n# The policy stays as it is; it is asked for \
         data.docker.authz.allow, with the plugin's own document.\n#\n# Not carried over:\n# - where the daemon asks: say `dockwarden plugin \
         install` (docs/plugin.md)\n# - -config-file with bundles: the file is read from where it lies\n\npolicy:\n  preset: open\n  rego:\n    \
         files: [{}]\n    input: opa-docker-authz\n",
        file.name.replace(|c: char| c.is_control(), " "),
        quoted(&file.name)
    );
    faults.unless_any(made)
}
