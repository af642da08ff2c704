//! SecDocker's config.yml: what is blocked becomes rules that deny, what every container gets becomes `defaults: force`.
//!
//! What SecDocker compared letter by letter is denied as a whole here: a path with what is below it and what it lies in, a port
//! within a range. So more is refused than there, never less.

use docker::host_path;
use docker::privilege::security_option;
use policy::{Diagnostics, NamedText, SecDocker};
use serde_saphyr::Spanned;

use super::plan::Text;
use super::{Faults, quoted};

/// What words of a list become, or what to do where they become nothing.
type Words = fn(&str) -> Result<String, &'static str>;

/// Puts it into our words.
pub fn import(file: &NamedText) -> Result<String, Diagnostics> {
    let config = SecDocker::read(file)?;
    let misread = config.faults();
    if !misread.0.is_empty() {
        return Err(misread);
    }
    let mut faults = Faults::new(file);
    let mut writing = Writing { file, text: Text::default(), faults: &mut faults };
    writing.head(&config);
    writing.general(&config);
    writing.text.line(0, "policy:");
    writing.text.line(1, "preset: open");
    writing.plugins(&config);
    writing.restrictions(&config);
    let text = writing.text.0;
    faults.unless_any(text)
}

struct Writing<'a, 'f> {
    file: &'f NamedText,
    text: Text,
    faults: &'a mut Faults<'f>,
}

impl Writing<'_, '_> {
    fn head(&mut self, config: &SecDocker) {
        self.text.comment(0, &format!("Made by `dockwarden import secdocker` from {}.", self.file.name));
        self.text.comment(
            0,
            "What it does not block passes, as there, and much of that gives the host away (devices, the host's namespaces). \
             Preset developer in the place of open refuses that, too.",
        );
        self.text.line(0, "#");
        self.text.comment(0, "Not carried over:");
        self.text.comment(
            0,
            "- its flag -tcp: this listens where it did, for connections that the host's firewall sends here \
             (docs/transparent.md)",
        );
        let restrictions = &config.restrictions;
        let narrower = [
            (
                restrictions.images.is_empty(),
                "an image with a tag under another name, by its id, or pulled with all tags",
            ),
            (restrictions.users.is_empty(), "a user's number by a name that only the image knows"),
            (restrictions.mounts.is_empty(), "a path under another name, where the listed one is a link"),
        ];
        let narrower: Vec<&str> = narrower.iter().filter(|(none, _)| !none).map(|(_, what)| *what).collect();
        if !narrower.is_empty() {
            let what = narrower.join("; ");
            self.text.comment(
                0,
                &format!(
                    "- what SecDocker let pass and its file itself blocks here, `policy: {{ secdocker: FILE }}`: {what}"
                ),
            );
        }
        if let Some(api) = &config.docker_api {
            let line = api.referenced.line();
            self.text.comment(
                0,
                &format!(
                    "- {}:{line}: dockerapi: connections go on to where they were going; for another way in, write \
                          `upstream:`",
                    self.file.name
                ),
            );
        }
        self.text.line(0, "");
        self.text.line(0, "listen: [{ address: \"[::]:8999\", transparent: redirect }]");
    }

    fn general(&mut self, config: &SecDocker) {
        let general = &config.general;
        let single =
            [("memory", "memory", &general.memory), ("cpu", "cpus", &general.cpu), ("user", "user", &general.user)];
        let lists = [
            ("environment", "env", &general.environment),
            ("secopts", "security_options", &general.security_options),
            ("capdrop", "drop_capabilities", &general.dropped),
            ("capadd", "add_capabilities", &general.added),
        ];
        if single.iter().all(|(.., word)| word.is_none()) && lists.iter().all(|(.., words)| words.is_empty()) {
            return;
        }
        self.text.line(0, "defaults:");
        self.text.line(1, "force:");
        for (theirs, ours, word) in
            single.into_iter().filter_map(|(theirs, ours, word)| Some((theirs, ours, word.as_ref()?)))
        {
            self.origin(2, word, &format!("general.{theirs}"));
            self.text.line(2, &format!("{ours}: {}", quoted(&word.value)));
        }
        for (theirs, ours, words) in lists {
            let Some(first) = words.first() else { continue };
            self.origin(2, first, &format!("general.{theirs}"));
            let words: Vec<String> = words.iter().map(|word| quoted(&word.value)).collect();
            self.text.line(2, &format!("{ours}: [{}]", words.join(", ")));
        }
    }

    /// Notary compared digests. Where Anchore's engine is stands nowhere, and without it more would pass than there.
    fn plugins(&mut self, config: &SecDocker) {
        for plugin in &config.plugins {
            if plugin.value.eq_ignore_ascii_case("notary") {
                self.origin(1, plugin, &format!("plugins: {}", plugin.value));
                self.text.line(1, "checks: [{ registry: {} }]");
            } else {
                let (line, column) = place(plugin);
                let help = "leave it out, and write `checks: [{ anchore: { url: ..., ... } }]` into what is made (docs/checks.md)";
                self.faults.helped(line, column, format!("where `{}` asks stands in no file", plugin.value), help);
            }
        }
    }

    fn restrictions(&mut self, config: &SecDocker) {
        let restrictions = &config.restrictions;
        let lists: [(&str, &[Spanned<String>], Words); 6] = [
            ("ports", &restrictions.ports, ports),
            ("mounts", &restrictions.mounts, mounts),
            ("users", &restrictions.users, users),
            ("environment", &restrictions.environment, environment),
            ("securitypolicies", &restrictions.security_policies, security_policy),
            ("images", &restrictions.images, images),
        ];
        let blocks = restrictions.privileged.as_ref().filter(|flag| flag.value);
        let nothing = blocks.is_none() && lists.iter().all(|(_, words, _)| words.is_empty());
        self.text.line(1, if nothing { "rules: []" } else { "rules:" });
        for (name, words, read) in lists {
            for word in words {
                match read(&word.value) {
                    Ok(denied) => {
                        self.rule(word, &format!("restrictions.{name}: {}", shown(name, &word.value)), &denied)
                    }
                    Err(help) => {
                        let (line, column) = place(word);
                        self.faults.helped(
                            line,
                            column,
                            format!("no rule can say `{}`", shown(name, &word.value)),
                            help,
                        );
                    }
                }
            }
        }
        if let Some(first) = restrictions.mounts.iter().find(|mount| mount.value.starts_with('/')) {
            self.rule(first, "restrictions.mounts: this volume could be any path of the host", HIDDEN);
        }
        if let Some(flag) = blocks {
            self.rule(flag, "restrictions.privileged", "privileged");
        }
    }

    fn rule<T>(&mut self, word: &Spanned<T>, what: &str, denied: &str) {
        self.origin(2, word, what.split(':').next().unwrap_or_default());
        self.text.line(2, &format!("- deny: {denied}"));
        self.text.line(2, &format!("  message: {}", quoted(&format!("blocked by {what}"))));
    }

    fn origin<T>(&mut self, depth: usize, word: &Spanned<T>, what: &str) {
        let line = place(word).0;
        self.text.comment(depth, &format!("{}:{line}: {what}", self.file.name));
    }
}

fn place<T>(word: &Spanned<T>) -> (usize, usize) {
    let number = |value: u64| usize::try_from(value).unwrap_or_default();
    (number(word.referenced.line()), number(word.referenced.column()))
}

/// The value of a variable is nobody's business.
fn shown<'w>(name: &str, word: &'w str) -> &'w str {
    if name == "environment" { word.split('=').next().unwrap_or_default() } else { word }
}

/// A port in a range is blocked. With an address only there, and where it is taken at all addresses.
fn ports(text: &str) -> Result<String, &'static str> {
    let (text, protocol) = text.split_once('/').map_or((text, None), |(text, protocol)| (text, Some(protocol)));
    let (address, port) = text.rsplit_once(':').map_or((None, text), |(address, port)| (Some(address), port));
    let last = port.rsplit('-').next().and_then(|last| last.parse::<u16>().ok()).unwrap_or(u16::MAX);
    // A free port is the daemon's choice; whoever asks often enough gets each of these.
    let ports = if last >= FIRST_FREE { format!("[{port}, free]") } else { port.to_owned() };
    let protocol =
        protocol.map(|protocol| format!(", protocol: {}", protocol.to_ascii_lowercase())).unwrap_or_default();
    let addresses = match address {
        None => vec![String::new()],
        Some(address) => {
            let address = address.trim_start_matches('[').trim_end_matches(']');
            [address, "0.0.0.0", "::"].iter().map(|address| format!(", address: {}", quoted(address))).collect()
        }
    };
    let denied = addresses.iter().map(|address| format!("{{ port: {ports}{address}{protocol} }}"));
    let all = (last >= FIRST_FREE).then(|| "publish_all_ports".to_owned());
    Ok(list(denied.chain(all).collect()))
}

/// A path with what is below it, and all that it lies in. `/` is the root itself, as everything lies in it.
fn mounts(mount: &str) -> Result<String, &'static str> {
    if !mount.starts_with('/') {
        return Ok(format!("{{ volume: {} }}", quoted(mount)));
    }
    if mount == "/*" {
        return Ok("mount".to_owned());
    }
    let path = host_path::clean(mount).ok_or("write a path of the host")?;
    if path == "/" {
        return Ok(r#"{ mount: "/", alone: true }"#.to_owned());
    }
    // `/var/run` is a link to `/run` everywhere.
    let moved = |from: &str, to: &str| {
        let below = path.strip_prefix(from).filter(|below| below.is_empty() || below.starts_with('/'))?;
        Some(format!("{to}{below}"))
    };
    let other = moved("/var/run", "/run").or_else(|| moved("/run", "/var/run"));
    let paths: Vec<String> = [path.clone()].into_iter().chain(other).collect();
    let mut above: Vec<String> = paths.iter().flat_map(|path| holders(path)).map(quoted).collect();
    above.sort();
    above.dedup();
    let paths: Vec<String> = paths.iter().map(|path| quoted(path)).collect();
    Ok(format!("[{{ mount: [{}] }}, {{ mount: [{}], alone: true }}]", paths.join(", "), above.join(", ")))
}

/// `/` and `/srv` of `/srv/private`.
fn holders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(move |(at, _)| if at == 0 { Some("/") } else { path.get(..at) })
}

fn users(user: &str) -> Result<String, &'static str> {
    let name = user.split(':').next().unwrap_or_default();
    let root = name.bytes().all(|byte| byte == b'0') || name == "root";
    let user = if root { "root" } else { name };
    // A name may stand beside a group.
    let denied =
        if user.bytes().all(|byte| byte.is_ascii_digit()) || root { quoted(user) } else { quoted(&format!("{user}*")) };
    Ok(format!("{{ user: {denied} }}"))
}

fn environment(variable: &str) -> Result<String, &'static str> {
    Ok(format!("{{ environment: {} }}", quoted(variable)))
}

fn security_policy(option: &str) -> Result<String, &'static str> {
    match security_option(option) {
        _ if option == "privileged" => Ok("privileged".to_owned()),
        None => Err("it takes power away, and is asked of nobody: leave it out"),
        Some((name, _)) if name == "systempaths" => Ok("kernel_files".to_owned()),
        Some((name, _)) if name == "no-new-privileges" => {
            Err("it takes power away, and is asked of nobody: leave it out")
        }
        Some((name, value)) if value.is_empty() => Ok(format!("{{ security_option: {} }}", quoted(&name))),
        Some((name, value)) => Ok(format!("{{ security_option: {} }}", quoted(&format!("{name}={value}")))),
    }
}

fn images(image: &str) -> Result<String, &'static str> {
    Ok(format!("{{ image: {} }}", quoted(image)))
}

fn list(items: Vec<String>) -> String {
    match items.as_slice() {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    }
}

/// Volumes with a device of their own. Those of other machines have one, too: no rule tells them apart.
const HIDDEN: &str = r#"{ volume_option: [device, "o=*bind*", "o=*move*", "o=*remount*", "o=*dir=*"] }"#;

/// From here on daemons choose where a port is left to them.
const FIRST_FREE: u16 = 30_000;
