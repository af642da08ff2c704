//! CodesWhat's sockguard: a file in YAML, of whose rules the first that fits decides. `*` in a path stands for one part of it,
//! `**` for any number.
//!
//! Sockguard looks into bodies by itself, and refuses there by itself what gives the host away. What it was told to let pass
//! of that (`request_body`, `clients`, ...) is not read here, and so is a fault, as is a rule for what has such a body.

use docker::endpoint::{ENDPOINTS, Endpoint, Kind, Operation};
use policy::{Diagnostic, Diagnostics, NamedText};
use regex::Regex;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::{Location, Spanned};

use super::asked;
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
    plan.examines();
    plan.leave("answers: it hid addresses of networks, which are shown here");
    plan.set("It hides these in answers, unless it is told otherwise.", HIDDEN);
    unneeded(&read, &mut plan);
    if let Some(upstream) = &read.upstream {
        let socket = &upstream.socket;
        let line = format!("upstream: {}", quoted(&format!("unix://{}", socket.value)));
        plan.set(plan.origin(place(socket.referenced).0, "upstream.socket"), line);
    }
    listen(&read, &mut plan, &mut faults);
    let rules = compiled(&read.rules, &mut faults);
    for operation in ENDPOINTS.iter().map(|endpoint| endpoint.operation) {
        decide(operation, &read, &rules, &mut plan, &mut faults);
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

impl Compiled<'_> {
    fn place(&self) -> (usize, usize) {
        place(self.rule.fits.path.referenced)
    }
}

impl Faults<'_> {
    fn at_path(&mut self, rule: &Compiled<'_>, message: String) {
        let (line, column) = rule.place();
        // Several names may be at fault in the same words.
        if self.found.iter().all(|known| (known.line, &known.message) != (line, &message)) {
            self.at(line, column, message);
        }
    }
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

/// The first rule that fits decides. Where that depends on the name, it must be the name of one rule.
fn decide(operation: Operation, read: &File, rules: &[Compiled<'_>], plan: &mut Plan, faults: &mut Faults<'_>) {
    let endpoint = operation.endpoint();
    let first =
        |path: &str| rules.iter().find(|rule| fits_method(rule, endpoint.method.as_str()) && rule.path.is_match(path));
    let ordinary: Vec<_> = paths(endpoint).iter().map(|path| first(path)).collect();
    let allowing: Vec<_> = ordinary.iter().flatten().filter(|rule| rule.allows).collect();
    let all = allowing.len() == ordinary.len();
    if let (false, Some(rule)) = (all, allowing.first()) {
        return faults.at_path(rule, format!("this lets {operation} pass for some names only, which no rule can say"));
    }
    // Names that stand in the rules themselves: none of the ordinary ones may be among these.
    for name in names(rules, endpoint) {
        let (deciding, ordinary) = (first(&name.path), first(&name.ordinary));
        let allows = |rule: Option<&Compiled<'_>>| rule.is_some_and(|rule| rule.allows);
        if allows(deciding) == allows(ordinary) {
            continue;
        }
        match deciding.or(ordinary) {
            Some(rule) if rule.allows && !all => named(operation, read, rules, rule, &name, plan, faults),
            Some(rule) => {
                faults.at_path(rule, format!("what this says of {operation} depends on a name, which no rule can say"));
            }
            None => {}
        }
    }
    if let (true, Some(rule)) = (all, allowing.first()) {
        grant(operation, read, rule, None, plan, faults);
    }
}

/// A rule about one name, which was written without slashes and is that of a thing.
fn named(
    operation: Operation,
    read: &File,
    rules: &[Compiled<'_>],
    rule: &Compiled<'_>,
    name: &Name,
    plan: &mut Plan,
    faults: &mut Faults<'_>,
) {
    let endpoint = operation.endpoint();
    let mut before = rules.iter().take_while(|earlier| !std::ptr::eq(*earlier, rule));
    let method = endpoint.method.as_str();
    // What an earlier rule takes out of a pattern cannot be told.
    let holes = name.written.contains('*') && before.any(|earlier| !earlier.allows && fits_method(earlier, method));
    if holes || name.second || !super::pattern::has_names(operation) {
        let message = format!("what this says of {operation} depends on a name, which no rule can say");
        return faults.at_path(rule, message);
    }
    grant(operation, read, rule, Some(name.written.clone()), plan, faults);
}

fn grant(
    operation: Operation,
    read: &File,
    rule: &Compiled<'_>,
    on: Option<String>,
    plan: &mut Plan,
    faults: &mut Faults<'_>,
) {
    if asked::makes(operation) && !WITHOUT_BODY.contains(&operation) {
        let message = format!("sockguard looks into the bodies of {operation} by itself, which is not carried over");
        let (line, column) = rule.place();
        let help = "leave it out here, and in what is made write what may be asked for, as docs/policy.md says";
        return faults.helped(line, column, message, help);
    }
    let acknowledged = read.insecure_allow_read_exfiltration.as_ref().is_some_and(|flag| flag.value);
    if TELLING.contains(&operation) && !acknowledged {
        let message = format!("sockguard does not start with {operation} on the list");
        let (line, column) = rule.place();
        let help = "say `insecure_allow_read_exfiltration: true` if contents may be read out, or list less";
        return faults.helped(line, column, message, help);
    }
    let what = format!("{} {}", rule.rule.fits.method.value, rule.rule.fits.path.value);
    let origin = plan.origin(rule.place().0, &what);
    plan.add(Grant { origin, operations: vec![operation], on, ..Grant::default() });
}

/// A path with a name that stands in a rule.
struct Name {
    path: String,
    /// The same with a name of as many parts that stands nowhere.
    ordinary: String,
    /// As the rule has it, with `*`.
    written: String,
    /// Whether it is the second name of the path.
    second: bool,
}

/// The paths of an end point with every name that could be meant by a part of some rule, or by several together.
fn names(rules: &[Compiled<'_>], endpoint: &Endpoint) -> Vec<Name> {
    let Some((before, _, after)) = around_name(endpoint.path) else { return Vec::new() };
    let most = if matches!(endpoint.kind, Kind::Image | Kind::Distribution | Kind::Plugin) { usize::MAX } else { 1 };
    let mut written: Vec<String> = Vec::new();
    for rule in rules {
        let parts: Vec<&str> = rule.rule.fits.path.value.split('/').filter(|part| !part.is_empty()).collect();
        for (from, _) in parts.iter().enumerate() {
            let several = (1..=parts.len()).filter_map(|to| parts.get(from..to));
            written.extend(several.filter(|some| (1..=most).contains(&some.len())).map(|some| some.join("/")));
        }
    }
    written.retain(|name| name.chars().any(|c| c != '*' && c != '/'));
    written.sort();
    written.dedup();
    let mut names = Vec::new();
    for name in written {
        let meant = name.replace("**", "x").replace('*', "x");
        let nobodys = meant.split('/').map(|_| "nobodys-name").collect::<Vec<_>>().join("/");
        let mut push = |path: &dyn Fn(&str) -> String, second| {
            names.push(Name { path: path(&meant), ordinary: path(&nobodys), written: name.clone(), second });
        };
        match around_name(after) {
            None => push(&|name| format!("{before}{name}{after}"), false),
            Some((between, _, rest)) => {
                push(&|name| format!("{before}{name}{between}one{rest}"), true);
                push(&|name| format!("{before}web{between}{name}{rest}"), true);
            }
        }
    }
    names
}

fn fits_method(rule: &Compiled<'_>, method: &str) -> bool {
    let of = &rule.rule.fits.method.value;
    of == "*" || of.split(',').any(|of| of.trim() == method)
}

/// What makes or enters something and has no body that could be looked into.
const WITHOUT_BODY: &[Operation] = &[Operation::ContainerRename];

const HIDDEN: &str = "redact: [{ environment: [\"*\"], mounts: [\"/**\"] }]";

/// What shows the contents of things. It does not start with these listed, unless it is told that this is meant.
const TELLING: &[Operation] = &[
    Operation::ContainerArchive,
    Operation::ContainerArchiveInfo,
    Operation::ContainerExport,
    Operation::ContainerLogs,
    Operation::ContainerAttach,
    Operation::ContainerAttachWebsocket,
    Operation::ServiceLogs,
    Operation::TaskLogs,
    Operation::ImageGet,
    Operation::ImageGetAll,
];
