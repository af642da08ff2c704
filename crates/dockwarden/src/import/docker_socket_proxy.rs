//! Tecnativa's docker-socket-proxy and LinuxServer's socket-proxy: variables that switch sections of the API on.
//!
//! A section is the first part of a path. `POST=0` leaves GET and HEAD; `ALLOW_START` and the like open one call each, in
//! Tecnativa's only beside `POST=1`.

use docker::endpoint::{ENDPOINTS, Endpoint, Operation};
use docker::http::Method;
use policy::{Diagnostics, NamedText};

use super::plan::Plan;
use super::{Faults, advice};

/// Whose of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    Tecnativa,
    LinuxServer,
}

/// Reads a file of variables as `docker run --env-file` does: `KEY=value`, nothing quoted.
pub fn read(file: &NamedText, maker: Maker) -> Result<Plan, Diagnostics> {
    let mut faults = Faults::new(file);
    let variables = variables(file, maker, &mut faults);
    let mut plan = Plan::of(maker.name(), file);
    let switches = Switches::new(&variables, &plan, &mut faults);
    if maker == Maker::Tecnativa && !switches.on("POST") {
        for (name, _) in CALLS.iter().filter(|(name, _)| switches.on(name)) {
            let (line, column) = find(&variables, name).map_or((1, 1), |variable| (variable.line, variable.column));
            let message = format!("`{name}` opens nothing while POST is 0");
            faults.helped(
                line,
                column,
                message,
                "leave it out, or say `linuxserver-socket-proxy` if that is what it is for",
            );
        }
    }
    listen(&mut plan, &variables, &switches, &mut faults);
    for (name, operations) in switches.granted() {
        plan.grant(switches.origin(name), operations);
    }
    if let Some(level) = find(&variables, "LOG_LEVEL") {
        plan.leave(format!(
            "{}: say `--log` with error, warn, info, debug or trace",
            plan.origin(level.line, "LOG_LEVEL")
        ));
        if loudness(&level.value).is_none() {
            faults.at(level.line, level.column, format!("`{}` is no level of the log", level.value));
        }
    }
    for name in TIMES {
        if let Some(time) = find(&variables, name) {
            plan.leave(format!("{}: streams may be silent for as long as they like", plan.origin(time.line, name)));
        }
    }
    faults.unless_any(plan)
}

impl Maker {
    /// Whether the proxy knows a variable of that name.
    pub fn knows(self, name: &str) -> bool {
        self.known().any(|known| known == name)
    }

    fn name(self) -> &'static str {
        match self {
            Maker::Tecnativa => "docker-socket-proxy",
            Maker::LinuxServer => "linuxserver-socket-proxy",
        }
    }

    fn known(self) -> impl Iterator<Item = &'static str> {
        let sections = SECTIONS.iter().map(|(name, ..)| *name);
        let calls = CALLS.iter().map(|(name, _)| *name);
        let calls = calls.filter(move |name| self == Maker::LinuxServer || !LINUXSERVERS.contains(name));
        sections.chain(calls).chain(["POST", "DISABLE_IPV6", "SOCKET_PATH", "LOG_LEVEL"]).chain(TIMES.iter().copied())
    }
}

/// The level of our log that is as loud.
pub fn loudness(level: &str) -> Option<&'static str> {
    Some(match level {
        "debug" => "debug",
        "info" | "notice" => "info",
        "warning" => "warn",
        "err" | "crit" | "alert" | "emerg" => "error",
        _ => return None,
    })
}

struct Variable<'f> {
    name: &'f str,
    value: String,
    line: usize,
    /// Of the value.
    column: usize,
}

fn variables<'f>(file: &'f NamedText, maker: Maker, faults: &mut Faults<'_>) -> Vec<Variable<'f>> {
    let mut variables: Vec<Variable> = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        let text = line.trim_start();
        let indent = line.chars().count().saturating_sub(text.chars().count());
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let column = indent.saturating_add(1);
        let Some((name, value)) = text.split_once('=') else {
            faults.helped(number, column, "this is no variable with a value", "write KEY=value, one a line");
            continue;
        };
        if !maker.knows(name) {
            let known: Vec<&str> = maker.known().collect();
            let name = name.trim_start_matches("- ");
            faults.helped(number, column, format!("the proxy has no variable `{name}`"), advice(name, &known));
            continue;
        }
        if let Some(first) = find(&variables, name) {
            faults.at(number, column, format!("`{name}` is set twice, first in line {}", first.line));
            continue;
        }
        let column = column.saturating_add(name.chars().count()).saturating_add(1);
        variables.push(Variable { name, value: value.trim_end().to_owned(), line: number, column });
    }
    variables
}

fn find<'v, 'f>(variables: &'v [Variable<'f>], name: &str) -> Option<&'v Variable<'f>> {
    variables.iter().find(|variable| variable.name == name)
}

/// The variables that are 0 or 1.
struct Switches {
    /// Name, value, and where it comes from.
    all: Vec<(&'static str, bool, String)>,
}

impl Switches {
    fn new(variables: &[Variable<'_>], plan: &Plan, faults: &mut Faults<'_>) -> Switches {
        let mut read = |name: &'static str, usual: bool| {
            let Some(variable) = find(variables, name) else {
                return (name, usual, format!("{name} is {} where nothing is said", u8::from(usual)));
            };
            let value = match variable.value.as_str() {
                "0" => false,
                "1" => true,
                other => {
                    let fault = format!("`{name}` is 0 or 1, not `{other}`");
                    faults.at(variable.line, variable.column, fault);
                    false
                }
            };
            (name, value, plan.origin(variable.line, &format!("{name}={}", variable.value)))
        };
        let sections = SECTIONS.iter().map(|(name, _, usual)| (*name, *usual));
        let others = CALLS.iter().map(|(name, _)| (*name, false)).chain([("POST", false), ("DISABLE_IPV6", false)]);
        let all = sections.chain(others).map(|(name, usual)| read(name, usual)).collect();
        Switches { all }
    }

    fn on(&self, name: &str) -> bool {
        self.all.iter().any(|(known, value, _)| *known == name && *value)
    }

    fn origin(&self, name: &str) -> String {
        let origin = self.all.iter().find(|(known, ..)| *known == name).map(|(.., origin)| origin.clone());
        origin.unwrap_or_default()
    }

    /// What each variable that is on opens.
    fn granted(&self) -> Vec<(&'static str, Vec<Operation>)> {
        let sections = SECTIONS.iter().map(|(name, section, _)| (*name, self.section(name, section)));
        let calls = CALLS.iter().map(|(name, operations)| (*name, operations.to_vec()));
        let granted = sections.chain(calls).filter(|(name, _)| self.on(name));
        // Where POST is off, nothing may be left of a section such as AUTH.
        granted.filter(|(_, operations)| !operations.is_empty()).collect()
    }

    fn section(&self, name: &str, section: &str) -> Vec<Operation> {
        let readable = |endpoint: &&Endpoint| matches!(endpoint.method, Method::Get | Method::Head) || self.on("POST");
        // EXEC is said to be about both halves of an exec, so one without it opens neither.
        let exec = |operation: &Operation| *operation != Operation::ContainerExec || self.on("EXEC");
        let endpoints = ENDPOINTS.iter().filter(|endpoint| first_part(endpoint.path) == section).filter(readable);
        let operations = endpoints.map(|endpoint| endpoint.operation).filter(exec);
        operations.filter(|_| self.on(name)).collect()
    }
}

/// `containers` of `/containers/json`.
fn first_part(path: &str) -> &str {
    path.split('/').nth(1).unwrap_or_default()
}

fn listen(plan: &mut Plan, variables: &[Variable<'_>], switches: &Switches, faults: &mut Faults<'_>) {
    let without_tls = "It always listens on TCP port 2375 without TLS: keep the port within a network of its own, or write \
                       `- socket: /run/dockwarden/docker.sock` instead.";
    let ipv4_only = switches.on("DISABLE_IPV6");
    let origin =
        if ipv4_only { format!("{without_tls} {}", switches.origin("DISABLE_IPV6")) } else { without_tls.into() };
    let all = if ipv4_only { "0.0.0.0" } else { "[::]" };
    plan.set(origin, format!("listen: [{{ address: \"{all}:2375\" }}]"));
    if let Some(path) = find(variables, "SOCKET_PATH") {
        let socket = path.value.trim_start_matches("unix://");
        if !socket.starts_with('/') {
            faults.at(path.line, path.column, format!("`{}` is no absolute path", path.value));
        }
        let upstream = super::quoted(&format!("unix://{socket}"));
        plan.set(plan.origin(path.line, "SOCKET_PATH"), format!("upstream: {upstream}"));
    }
}

/// Variable, first part of the path, and whether it is on where nothing is said.
const SECTIONS: &[(&str, &str, bool)] = &[
    ("EVENTS", "events", true),
    ("PING", "_ping", true),
    ("VERSION", "version", true),
    ("AUTH", "auth", false),
    ("BUILD", "build", false),
    ("COMMIT", "commit", false),
    ("CONFIGS", "configs", false),
    ("CONTAINERS", "containers", false),
    ("DISTRIBUTION", "distribution", false),
    ("EXEC", "exec", false),
    ("GRPC", "grpc", false),
    ("IMAGES", "images", false),
    ("INFO", "info", false),
    ("NETWORKS", "networks", false),
    ("NODES", "nodes", false),
    ("PLUGINS", "plugins", false),
    ("SECRETS", "secrets", false),
    ("SERVICES", "services", false),
    ("SESSION", "session", false),
    ("SWARM", "swarm", false),
    ("SYSTEM", "system", false),
    ("TASKS", "tasks", false),
    ("VOLUMES", "volumes", false),
];

/// Variables that open single calls.
const CALLS: &[(&str, &[Operation])] = &[
    ("ALLOW_START", &[Operation::ContainerStart]),
    ("ALLOW_STOP", &[Operation::ContainerStop]),
    ("ALLOW_RESTARTS", &[Operation::ContainerStop, Operation::ContainerRestart, Operation::ContainerKill]),
    ("ALLOW_PAUSE", &[Operation::ContainerPause]),
    ("ALLOW_UNPAUSE", &[Operation::ContainerUnpause]),
];

/// Those of them that only LinuxServer's has.
const LINUXSERVERS: &[&str] = &["ALLOW_PAUSE", "ALLOW_UNPAUSE"];

const TIMES: &[&str] = &["PROXY_READ_TIMEOUT"];
