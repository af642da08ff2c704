//! wollomatic's socket-proxy: flags such as `-allowGET=/v1\..{1,2}/containers/.*`, or the variables `SP_ALLOW_GET=...`.
//!
//! A pattern of each method is over the whole path. The flags may stand in one line or in several, as the list below
//! `command:` of a compose file, too.

use std::net::{IpAddr, SocketAddr};

use policy::{Diagnostics, NamedText};

use super::plan::Plan;
use super::{Faults, advice, pattern, quoted};

/// Reads flags and variables. A flag wins over its variable.
pub fn read(file: &NamedText) -> Result<Plan, Diagnostics> {
    let mut faults = Faults::new(file);
    let flags = flags(file, &mut faults);
    let mut plan = Plan::of("socket-proxy", file);
    for flag in &flags {
        let known = flag.name.strip_prefix("allow").filter(|method| METHODS.contains(method));
        match known {
            Some(method) => allow(&mut plan, flag, method, &mut faults),
            None if NOT_NEEDED.contains(&flag.name.as_str()) => {
                plan.leave(format!("{}: {}", plan.origin(flag.line, &flag.name), not_needed(&flag.name)));
            }
            None => {}
        }
    }
    let only = listen(&mut plan, &flags, &mut faults);
    plan.only_to(&only);
    upstream(&mut plan, &flags, &mut faults);
    mounts(&mut plan, &flags, &mut faults);
    if let Some(flag) = find(&flags, "proxycontainername") {
        let help = "write a rule for each container: `to: [\"container:ID\"]`, or leave the flag out";
        faults.helped(flag.line, flag.column, "lists in the labels of containers are not read", help);
    }
    faults.unless_any(plan)
}

struct Flag {
    name: String,
    value: String,
    line: usize,
    column: usize,
}

fn flags(file: &NamedText, faults: &mut Faults<'_>) -> Vec<Flag> {
    let mut flags: Vec<Flag> = Vec::new();
    let mut words = words(file, faults).into_iter().peekable();
    while let Some(word) = words.next() {
        let (line, column) = (word.line, word.column);
        let Some((name, value)) = named(&word.text) else {
            let help = "write flags such as `-allowGET=/version`, or variables such as `SP_ALLOW_GET=/version`";
            faults.helped(line, column, format!("`{}` is neither a flag nor a variable", word.text), help);
            continue;
        };
        let is_method = name.strip_prefix("allow").is_some_and(|method| METHODS.contains(&method));
        if !is_method && !KNOWN.contains(&name.as_str()) {
            let known: Vec<&str> = KNOWN.to_vec();
            faults.helped(line, column, format!("socket-proxy has no flag `{name}`"), advice(&name, &known));
            continue;
        }
        let value = match value {
            Some(value) => value,
            None if SWITCHES.contains(&name.as_str()) => "true".to_owned(),
            None => match words.next_if(|next| named(&next.text).is_none()) {
                Some(next) => next.text,
                None => {
                    faults.at(line, column, format!("`{name}` needs a value"));
                    continue;
                }
            },
        };
        if let Some(first) = flags.iter().find(|flag| flag.name == name && !is_method) {
            faults.at(line, column, format!("`{name}` is given twice, first in line {}", first.line));
            continue;
        }
        flags.push(Flag { name, value, line, column });
    }
    flags
}

/// Name and value of `-listenip=0.0.0.0`, or of `SP_LISTENIP=0.0.0.0`.
fn named(word: &str) -> Option<(String, Option<String>)> {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (word, None),
    };
    if let Some(flag) = name.strip_prefix('-') {
        return Some((flag.strip_prefix('-').unwrap_or(flag).to_owned(), value));
    }
    let variable = name.strip_prefix("SP_").filter(|_| value.is_some())?;
    let Some(method) = variable.strip_prefix("ALLOW_") else { return Some((variable.to_lowercase(), value)) };
    // SP_ALLOW_GET_2 is one more of SP_ALLOW_GET.
    let method = method.split_once('_').map_or(method, |(method, _)| method);
    Some((format!("allow{method}"), value))
}

struct Word {
    text: String,
    line: usize,
    column: usize,
}

/// Words as a shell has them, without what a list in YAML puts before them. `#` begins a comment.
fn words(file: &NamedText, faults: &mut Faults<'_>) -> Vec<Word> {
    let mut words = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        let mut open: Option<char> = None;
        let mut word: Option<Word> = None;
        for (column, c) in (1..).zip(line.chars()) {
            let start = || Word { text: String::new(), line: number, column };
            match (open, c) {
                (None, '#') if word.is_none() => break,
                (None, c) if c.is_whitespace() => words.extend(word.take()),
                (None, '"' | '\'') => {
                    open = Some(c);
                    word.get_or_insert_with(start);
                }
                (Some(quote), c) if c == quote => open = None,
                (_, c) => word.get_or_insert_with(start).text.push(c),
            }
        }
        if open.is_some() {
            faults.at(number, 1, "a quotation is not ended in this line");
        }
        words.extend(word);
    }
    words.retain(|word| word.text != "-" && word.text != "\\");
    words
}

fn allow(plan: &mut Plan, flag: &Flag, method: &str, faults: &mut Faults<'_>) {
    let origin = plan.origin(flag.line, &format!("{}={}", flag.name, flag.value));
    match pattern::read(&flag.value, |of| of == method) {
        Ok(means) => {
            let grants = means.grants(&origin);
            if grants.is_empty() {
                plan.leave(format!("{origin}: it lets no operation of the Docker API pass"));
            }
            grants.into_iter().for_each(|grant| plan.add(grant));
        }
        Err(problem) => faults.helped(flag.line, flag.column, problem, SAY_PATTERN),
    }
}

/// Where to listen; returned is for whom, where not for everyone who can connect.
fn listen(plan: &mut Plan, flags: &[Flag], faults: &mut Faults<'_>) -> Vec<String> {
    if let Some(socket) = find(flags, "proxysocketendpoint") {
        let mode = find(flags, "proxysocketendpointfilemode").map_or("0600", |mode| mode.value.as_str());
        let line = format!("listen: [{{ socket: {}, mode: {} }}]", quoted(&socket.value), quoted(mode));
        plan.set(plan.origin(socket.line, "proxysocketendpoint"), line);
        return Vec::new();
    }
    let ip = match find(flags, "listenip").map(|flag| (flag, flag.value.trim_matches(['[', ']']).parse::<IpAddr>())) {
        None => IpAddr::from([127, 0, 0, 1]),
        Some((_, Ok(ip))) => ip,
        Some((flag, Err(_))) => {
            faults.at(flag.line, flag.column, format!("`{}` is no IP address", flag.value));
            return Vec::new();
        }
    };
    let port = find(flags, "proxyport").map_or(Ok(2375), |flag| flag.value.parse::<u16>().map_err(|_| flag));
    let port = port.unwrap_or_else(|flag| {
        faults.at(flag.line, flag.column, format!("`{}` is no port", flag.value));
        0
    });
    let origin =
        find(flags, "listenip").map_or("listenip and proxyport".to_owned(), |f| plan.origin(f.line, "listenip"));
    let (ip, only) = clients(ip, flags, faults);
    let open = if ip.is_loopback() { "" } else { " There is no TLS: keep the port within a network of its own." };
    let address = SocketAddr::new(ip, port).to_string();
    plan.set(format!("{origin}.{open}"), format!("listen: [{{ address: {} }}]", quoted(&address)));
    only
}

/// `allowfrom`: who may connect. This host alone is what it means where nothing is said, and then there is no need to listen
/// elsewhere.
fn clients(ip: IpAddr, flags: &[Flag], faults: &mut Faults<'_>) -> (IpAddr, Vec<String>) {
    let here = if ip.is_ipv6() { IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]) } else { IpAddr::from([127, 0, 0, 1]) };
    let Some(flag) = find(flags, "allowfrom") else { return (here, Vec::new()) };
    let mut only = Vec::new();
    let mut this_host = false;
    for from in flag.value.split(',').map(str::trim) {
        let alone = from.strip_suffix("/32").or_else(|| from.strip_suffix("/128")).unwrap_or(from);
        match alone.parse::<IpAddr>() {
            _ if matches!(from, "0.0.0.0/0" | "::/0") => return (ip, Vec::new()),
            Ok(address) if address.is_loopback() => this_host = true,
            Ok(address) => only.push(format!("user:address:{address}")),
            Err(_) => faults.helped(
                flag.line,
                flag.column,
                format!("`{from}` is no address of one client, and rules know clients by their address alone"),
                "write its address, or 0.0.0.0/0 and leave it to the network who reaches the port",
            ),
        }
    }
    match (this_host, only.is_empty()) {
        (true, true) => (here, only),
        (true, false) => {
            let help = "write two configurations, or leave 127.0.0.1 out";
            faults.helped(flag.line, flag.column, "this host and others cannot be granted the same by one rule", help);
            (ip, only)
        }
        _ => (ip, only),
    }
}

fn upstream(plan: &mut Plan, flags: &[Flag], faults: &mut Faults<'_>) {
    let Some(flag) = find(flags, "socketpath") else { return };
    if !flag.value.starts_with('/') {
        faults.at(flag.line, flag.column, format!("`{}` is no absolute path", flag.value));
    }
    let line = format!("upstream: {}", quoted(&format!("unix://{}", flag.value)));
    plan.set(plan.origin(flag.line, "socketpath"), line);
}

fn mounts(plan: &mut Plan, flags: &[Flag], faults: &mut Faults<'_>) {
    let Some(flag) = find(flags, "allowbindmountfrom") else { return };
    let paths: Vec<String> = flag.value.split(',').map(|path| path.trim().to_owned()).collect();
    for path in paths.iter().filter(|path| !path.starts_with('/')) {
        faults.at(flag.line, flag.column, format!("`{path}` is no absolute path"));
    }
    plan.only_mount(plan.origin(flag.line, &format!("allowbindmountfrom={}", flag.value)), paths);
}

fn find<'f>(flags: &'f [Flag], name: &str) -> Option<&'f Flag> {
    flags.iter().find(|flag| flag.name == name)
}

fn not_needed(name: &str) -> &'static str {
    match name {
        "allowhealthcheck" => "ask `/_ping` at the socket itself",
        "loglevel" => "say `--log` with error, warn, info, debug or trace",
        "logjson" => "say `--json`",
        "shutdowngracetime" => "`limits: { drain: 10s }` is how long what runs may take to end",
        _ => "while the daemon is away it is answered with 502, and once it is back all is well",
    }
}

const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE", "OPTIONS"];
const SWITCHES: &[&str] = &["allowhealthcheck", "logjson", "stoponwatchdog"];
const NOT_NEEDED: &[&str] =
    &["allowhealthcheck", "loglevel", "logjson", "shutdowngracetime", "stoponwatchdog", "watchdoginterval"];
const KNOWN: &[&str] = &[
    "allowGET",
    "allowHEAD",
    "allowPOST",
    "allowPUT",
    "allowPATCH",
    "allowDELETE",
    "allowCONNECT",
    "allowTRACE",
    "allowOPTIONS",
    "allowfrom",
    "allowbindmountfrom",
    "allowhealthcheck",
    "listenip",
    "logjson",
    "loglevel",
    "proxyport",
    "shutdowngracetime",
    "socketpath",
    "stoponwatchdog",
    "watchdoginterval",
    "proxysocketendpoint",
    "proxysocketendpointfilemode",
    "proxycontainername",
];
const SAY_PATTERN: &str = "write the pattern so that it lets all names pass, such as `/containers/.*/json`, or names, such as \
                           `/containers/(web|ci-.*)/restart`";
