//! CodesWhat's sockguard: a file in YAML, of whose rules the first that fits decides. `*` in a path stands for one part of it,
//! `**` for any number.
//!
//! Sockguard looks into bodies by itself, and refuses there by itself what gives the host away; what it was told to let pass
//! of that (`request_body`, `clients`, ...) is not read here, and so is a fault.

use docker::endpoint::ENDPOINTS;
use docker::endpoint::Operation;
use policy::{Diagnostic, Diagnostics, NamedText};
use regex::Regex;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::{Location, Spanned};

use super::operations::{around_name, paths};
use super::plan::{Grant, Plan};
use super::{Faults, quoted};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    upstream: Option<Upstream>,
    listen: Option<Spanned<Listen>>,
    log: Option<Spanned<IgnoredAny>>,
    health: Option<Spanned<IgnoredAny>>,
    metrics: Option<Spanned<IgnoredAny>>,
    admin: Option<Spanned<IgnoredAny>>,
    reload: Option<Spanned<IgnoredAny>>,
    insecure_allow_read_exfiltration: Option<Spanned<bool>>,
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Upstream {
    socket: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listen {
    address: Option<Spanned<String>>,
    socket: Option<Spanned<String>>,
    socket_mode: Option<String>,
    #[serde(default)]
    insecure_allow_plain_tcp: bool,
    #[serde(default)]
    insecure_allow_unauthenticated_clients: bool,
    tls: Option<Tls>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tls {
    cert_file: String,
    key_file: String,
    client_ca_file: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[serde(rename = "match")]
    fits: Fits,
    action: Spanned<String>,
    #[serde(default, rename = "reason")]
    _reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fits {
    method: Spanned<String>,
    path: Spanned<String>,
}

/// Reads a configuration.
pub fn read(file: &NamedText) -> Result<Plan, Diagnostics> {
    let read: File = serde_saphyr::from_str(&file.text).map_err(|error| broken(file, &error))?;
    let mut faults = Faults::new(file);
    let mut plan = Plan::of("sockguard", file);
    plan.leave("what it looked at in bodies by its own defaults: the last rules here are as careful, in our words");
    unneeded(&read, &mut plan);
    if let Some(upstream) = &read.upstream {
        let socket = &upstream.socket;
        let line = format!("upstream: {}", quoted(&format!("unix://{}", socket.value)));
        plan.set(plan.origin(place(socket.referenced).0, "upstream.socket"), line);
    }
    listen(&read, &mut plan, &mut faults);
    let rules = compiled(&read.rules, &mut faults);
    for operation in ENDPOINTS.iter().map(|endpoint| endpoint.operation) {
        decide(operation, &rules, &mut plan, &mut faults);
    }
    plan.gather();
    faults.unless_any(plan)
}

fn broken(file: &NamedText, error: &serde_saphyr::Error) -> Diagnostics {
    let (line, column) = error.location().map_or((1, 1), place);
    let message = error.without_snippet().to_string();
    let message = message.split(" at line ").next().unwrap_or_default().to_owned();
    let help = "request_body, clients, ownership, response and the like cannot be carried over: leave them out, and write rules \
                for what they let pass";
    Diagnostics(vec![Diagnostic::at(file, line, column, message).help_with(help.to_owned())])
}

fn place(location: Location) -> (usize, usize) {
    let number = |value: u64| usize::try_from(value).unwrap_or_default();
    (number(location.line()), number(location.column()))
}

fn unneeded(read: &File, plan: &mut Plan) {
    let notes = [
        ("log", &read.log, "say `--log`, and see records.md for what is asked"),
        ("health", &read.health, "ask `/_ping` at the socket itself"),
        ("metrics", &read.metrics, "count records"),
        ("admin", &read.admin, "say `dockwarden check`"),
        ("reload", &read.reload, "files are watched, unless `reload: off`"),
    ];
    for (key, value, instead) in notes {
        if let Some(value) = value {
            plan.leave(format!("{}: {instead}", plan.origin(place(value.referenced).0, key)));
        }
    }
    if let Some(value) = &read.insecure_allow_read_exfiltration {
        let origin = plan.origin(place(value.referenced).0, "insecure_allow_read_exfiltration");
        plan.leave(format!("{origin}: what the rules let pass is what counts"));
    }
}

fn listen(read: &File, plan: &mut Plan, faults: &mut Faults<'_>) {
    let Some(listen) = &read.listen else {
        plan.set("where it listens when nothing is said", "listen: [{ address: \"127.0.0.1:2375\" }]");
        return;
    };
    let (line, column) = place(listen.referenced);
    let of = &listen.value;
    let origin = plan.origin(line, "listen");
    match (&of.address, &of.socket) {
        (None, Some(socket)) => {
            let mode = of.socket_mode.as_deref().unwrap_or("0600");
            plan.set(origin, format!("listen: [{{ socket: {}, mode: {} }}]", quoted(&socket.value), quoted(mode)));
        }
        (Some(address), None) => {
            let full = match address.value.strip_prefix(':') {
                Some(port) => format!("[::]:{port}"),
                None => address.value.clone(),
            };
            let Ok(full) = full.parse::<std::net::SocketAddr>() else {
                let (line, column) = place(address.referenced);
                return faults.at(line, column, format!("`{}` is no address to listen on", address.value));
            };
            let plain = of.insecure_allow_plain_tcp && of.insecure_allow_unauthenticated_clients;
            if of.tls.is_none() && !full.ip().is_loopback() && !plain {
                return faults.at(line, column, "sockguard would not listen there without TLS");
            }
            let tls = of.tls.as_ref().map(|tls| {
                let (cert, key, ca) = (quoted(&tls.cert_file), quoted(&tls.key_file), quoted(&tls.client_ca_file));
                format!(", tls: {{ cert: {cert}, key: {key}, client_ca: {ca} }}")
            });
            let address = quoted(&full.to_string());
            plan.set(origin, format!("listen: [{{ address: {address}{} }}]", tls.unwrap_or_default()));
        }
        (Some(_), Some(_)) => faults.at(line, column, "`listen` has both an address and a socket"),
        (None, None) => faults.at(line, column, "`listen` has neither an address nor a socket"),
    }
}

struct Compiled<'r> {
    rule: &'r Rule,
    path: Regex,
    allows: bool,
}

fn compiled<'r>(rules: &'r [Rule], faults: &mut Faults<'_>) -> Vec<Compiled<'r>> {
    let mut compiled = Vec::new();
    for rule in rules {
        let (line, column) = place(rule.action.referenced);
        let allows = match rule.action.value.as_str() {
            "allow" => true,
            "deny" => false,
            other => {
                faults.at(line, column, format!("`action` is allow or deny, not `{other}`"));
                continue;
            }
        };
        let path = &rule.fits.path;
        let (line, column) = place(path.referenced);
        if !path.value.starts_with('/') || path.value.contains(['[', '{', '?']) {
            faults.helped(
                line,
                column,
                format!("`{}` is no path", path.value),
                "write it like /containers/*/json or /images/**",
            );
            continue;
        }
        match Regex::new(&expression(&path.value)) {
            Ok(path) => compiled.push(Compiled { rule, path, allows }),
            Err(_) => faults.at(line, column, format!("`{}` is no path", path.value)),
        }
    }
    compiled
}

/// `/x/**` is `/x` and all below it.
fn expression(path: &str) -> String {
    let mut text = regex::escape(path);
    if let Some(above) = text.strip_suffix(r"/\*\*") {
        text = format!("{above}(?:/.*)?");
    }
    format!("^{}$", text.replace(r"\*\*", ".*").replace(r"\*", "[^/]*"))
}

/// The first rule that fits decides. Where that depends on the name, the names must be those of one rule.
fn decide(operation: Operation, rules: &[Compiled<'_>], plan: &mut Plan, faults: &mut Faults<'_>) {
    let endpoint = operation.endpoint();
    let fits =
        |rule: &&Compiled<'_>, path: &str| fits_method(rule, endpoint.method.as_str()) && rule.path.is_match(path);
    let paths = paths(endpoint);
    let deciding: Vec<Option<&Compiled<'_>>> =
        paths.iter().map(|path| rules.iter().find(|rule| fits(rule, path))).collect();
    let allowed = deciding.iter().flatten().filter(|rule| rule.allows).count();
    let origin = |plan: &Plan, rule: &Compiled<'_>| {
        let what = format!("{} {}", rule.rule.fits.method.value, rule.rule.fits.path.value);
        plan.origin(place(rule.rule.fits.path.referenced).0, &what)
    };
    if let (true, Some(Some(first))) = (allowed == paths.len(), deciding.first()) {
        let origin = origin(plan, first);
        return plan.add(Grant { origin, operations: vec![operation], ..Grant::default() });
    }
    // Rules about single things: none of the forms that names have may be theirs.
    let own = around_name(endpoint.path);
    for rule in rules {
        let method = fits_method(rule, endpoint.method.as_str());
        let Some(name) =
            own.and_then(|(before, _, after)| rule.rule.fits.path.value.strip_prefix(before)?.strip_suffix(after))
        else {
            continue;
        };
        let literal = method && !name.is_empty() && name != "*" && !name.contains(['/', '{']) && !name.contains("**");
        if !literal || after_has_name(endpoint.path) {
            continue;
        }
        let (line, column) = place(rule.rule.fits.path.referenced);
        if rule.allows && allowed == 0 {
            let grant = Grant {
                origin: origin(plan, rule),
                operations: vec![operation],
                on: Some(name.to_owned()),
                ..Grant::default()
            };
            plan.add(grant);
        } else {
            faults.at(line, column, format!("what this says of {operation} depends on a name, which no rule can say"));
        }
    }
    if allowed > 0 {
        let at = deciding.iter().flatten().find(|rule| rule.allows).map(|rule| place(rule.rule.fits.path.referenced));
        let (line, column) = at.unwrap_or((1, 1));
        faults.at(line, column, format!("this lets {operation} pass for some names only, which no rule can say"));
    }
}

fn fits_method(rule: &Compiled<'_>, method: &str) -> bool {
    let of = &rule.rule.fits.method.value;
    of == "*" || of.split(',').any(|of| of.trim() == method)
}

/// Whether a path has a second name.
fn after_has_name(path: &str) -> bool {
    around_name(path).is_some_and(|(_, _, after)| after.contains('{'))
}
