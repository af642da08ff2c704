//! From the configuration file and the flags to checked settings and a policy.
//!
//! Parse once into types that cannot be wrong: what comes out of [`load`] can be used as it is, or all
//! that is wrong with it has been said at once, each fault with file, line and column. Flags win over
//! the file; the file wins over what is usual. Nothing is bound, opened for writing or started here.

pub mod exposure;

mod admin;
mod bundle;
mod checks;
mod container_defaults;
mod defaults;
pub mod directory;
mod file;
mod globs;
mod groups;
mod limits;
mod listen;
mod mediation;
mod plugin;
mod policies;
mod quotas;
mod records;
mod rego;
mod reload;
mod secdocker;
mod spool;
mod state;
#[cfg(test)]
mod tests;
mod tls;
mod understand;
pub mod units;
mod upstream;
mod web;

use std::path::PathBuf;
use std::sync::Arc;

use policy::{Diagnostic, Diagnostics, NamedText, Policy, Severity};
use server::bundle::Fetched;
use server::checks::Checks;
use server::limits::Limits;
use server::listen::ListenAddress;
use server::plugin::Require;
use server::seal::Seal;
use server::upstream::UpstreamAddress;

pub use admin::AdminSocket;
pub use bundle::{Bundle, Which};
pub use listen::{Listen, parse_address};
pub use mediation::Mediation;
pub use plugin::PluginDoor;
pub use policies::text as read_text;
pub use records::Records;
pub use reload::Reloading;
pub use spool::Spool;
pub use state::StateFile;
pub use understand::Understand;
pub use upstream::Daemon;

use file::{ConfigFile, Fields};

/// What the flags say; all of it optional.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// The configuration file.
    pub config: Option<PathBuf>,
    /// Whether to do without the system's configuration file where none is named.
    pub only_named: bool,
    /// Whether `listen` is meant to be opened, and must not be where the daemon is.
    pub serves: bool,
    /// Where to listen, instead of the file's `listen`.
    pub listen: Vec<ListenAddress>,
    /// Where the daemon is, instead of the file's `upstream`.
    pub upstream: Option<UpstreamAddress>,
    /// Where the daemon asks, instead of the file's `plugin.socket`.
    pub plugin_socket: Option<PathBuf>,
    /// The preset, instead of the file's.
    pub preset: Option<String>,
    /// The file of docksec, instead of the file's `policy.docksec`.
    pub docksec: Option<PathBuf>,
    /// Files of policies beside the file's.
    pub policies: Vec<PathBuf>,
    /// Whether it is told how Rego policies come to their decisions.
    pub tell_rego: bool,
    /// Which state of a bundle of Rego policies is meant.
    pub bundle: Which,
    /// The bundle that is in force, which is the last good one whether it could be kept or not.
    pub in_force: Option<Fetched>,
    /// A configuration that was made for the occasion, in place of any file.
    pub text: Option<NamedText>,
}

/// A configuration that can be used.
#[derive(Debug)]
pub struct Config {
    /// The file it was read from.
    pub file: Option<PathBuf>,
    /// All but the policy. Only a restart changes it.
    pub settings: Settings,
    /// The policy, with the defaults that it judges by. A reload changes it.
    pub policy: Policy,
    /// Who is asked about images beside it. A reload changes them.
    pub checks: Checks,
    /// The bundle of Rego policies that was fetched.
    pub bundle: Option<Bundle>,
    /// The Cedar files that it was made of, the preset's included.
    pub texts: Vec<NamedText>,
    /// The patterns of all files that it was read from.
    pub read_from: Vec<PathBuf>,
    /// What may not be meant as it is written.
    pub warnings: Vec<Diagnostic>,
}

/// Everything but the policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The ways in. None where only the daemon is to ask.
    pub listen: Vec<Listen>,
    /// The door inside the daemon.
    pub plugin: Option<PluginDoor>,
    /// The key by which doors of several processes know one another.
    pub mediation: Option<Mediation>,
    /// The daemon.
    pub upstream: Daemon,
    /// The bounds.
    pub limits: Limits,
    /// How requests are read.
    pub understand: Understand,
    /// Where records go.
    pub records: Records,
    /// Where archives are kept while they are judged.
    pub spool: Spool,
    /// What must outlive the process.
    pub state: StateFile,
    /// Where administrators ask.
    pub admin: AdminSocket,
    /// When the policy is taken again.
    pub reload: Reloading,
}

/// Reads and checks everything. Every fault is told at once.
pub fn load(wishes: &Wishes) -> Result<Config, Diagnostics> {
    let path = wishes.config.clone().or_else(|| defaults::config_file().filter(|_| !wishes.only_named));
    let mut file = match (&wishes.text, &path) {
        (Some(text), _) => ConfigFile::of_text(text.clone()),
        (None, Some(path)) => ConfigFile::read(path)?,
        (None, None) => ConfigFile::absent(),
    };
    let tree = file.tree();
    let fields = tree.as_ref().map(|tree| file.fields(tree, "the configuration", KEYS)).unwrap_or_default();
    let state = state::read(&mut file, fields.get("state"));
    let read = policies::sources(&mut file, &fields, wishes, &state);
    let policies::Read { sources, checks, of_rego, bundle } = read;
    let settings = settings(&mut file, &fields, wishes, state, sources.docksec.as_ref());
    if let Some(problem) = exposure::loops(&settings).filter(|_| wishes.serves) {
        file.faults.push(Diagnostic::at(&NamedText::default(), 0, 0, problem));
    }
    let loaded = Policy::load(&sources, &directory::of_host().as_directory());
    let read_from = policies::read_from(&file, path.as_deref(), &sources, of_rego, wishes);
    let (faults, warnings): (Vec<_>, Vec<_>) =
        file.faults.into_iter().partition(|fault| fault.severity == Severity::Error);
    match loaded {
        Ok(policy) if policy.preset() == "team" && settings.listen.iter().any(Listen::is_transparent) => {
            let message =
                "preset `team` goes by whose things are on one daemon; behind a transparent listener there are many";
            Err(Diagnostics::sentence(message))
        }
        Ok(policy) if faults.is_empty() => {
            let warnings = warnings.into_iter().chain(policy.warnings().iter().cloned()).collect();
            let texts = policies::texts(sources, policy.preset());
            let checks = Checks::new(checks);
            Ok(Config { file: path, settings, policy, checks, bundle, texts, read_from, warnings })
        }
        Ok(_) => Err(Diagnostics(in_order(faults, Vec::new(), &file.named))),
        Err(of_policy) => Err(Diagnostics(in_order(faults, of_policy.0, &file.named))),
    }
}

fn settings(
    file: &mut ConfigFile,
    fields: &Fields<'_>,
    wishes: &Wishes,
    state: StateFile,
    docksec: Option<&NamedText>,
) -> Settings {
    let named = state.named_folder();
    let plugin = plugin::read(file, fields.get("plugin"), wishes.plugin_socket.as_deref(), docksec);
    let mut listen = listen::read(file, fields.get("listen"), &wishes.listen);
    if plugin.is_some() && fields.get("listen").is_none() && wishes.listen.is_empty() {
        listen.clear();
    }
    let mediation = mediation::read(file, fields.get("mediation"), named);
    if let (Some(section), true, None) = (fields.get("plugin"), listen.is_empty(), &mediation)
        && plugin.as_ref().is_some_and(|plugin| plugin.require == Require::Gateway)
    {
        let message = "`require: gateway` needs a gateway, or nothing would ever be let pass";
        file.fault_with(section.place, message, "add `listen`, or `mediation` with the key of a gateway elsewhere");
    }
    let elsewhere = !listen.is_empty() && listen.iter().all(Listen::is_transparent);
    let upstream = upstream::read(file, fields.get("upstream"), wishes.upstream.as_ref(), elsewhere);
    if listen.iter().any(Listen::is_transparent) {
        many_daemons(file, fields, &listen, &upstream);
    }
    Settings {
        admin: admin::read(file, fields, &state),
        reload: reload::read(file, fields.get("reload")),
        listen,
        plugin,
        mediation,
        upstream,
        limits: limits::read(file, fields.get("limits")),
        understand: understand::read(file, fields.get("understand")),
        records: records::read(file, fields.get("records"), named),
        spool: spool::read(file, fields.get("spool"), named),
        state,
    }
}

/// What does not go together with listeners whose clients were going to daemons of their own.
fn many_daemons(file: &mut ConfigFile, fields: &Fields<'_>, listen: &[Listen], upstream: &Daemon) {
    if let Some(quotas) = fields.get("quotas") {
        let message = "`quotas` count what belongs to whom on one daemon; behind a transparent listener there are many";
        file.fault_with(quotas.place, message, "leave one of them out, or run a firewall for each");
    }
    let by_tls = listen.iter().any(|listen| listen.is_transparent() && listen.tls.is_some());
    if let Some(section) = fields.get("listen").filter(|_| by_tls && upstream.tls.is_none()) {
        let message = "what comes to a transparent listener by TLS goes on by TLS, to daemons of some authority";
        file.fault_with(section.place, message, "name it: `upstream: { tls: { ca: ca.pem } }`");
    }
}

/// The faults of the configuration file from its top to its end, then those of other files.
fn in_order(ours: Vec<Diagnostic>, of_policy: Vec<Diagnostic>, file: &NamedText) -> Vec<Diagnostic> {
    let (mut here, elsewhere): (Vec<_>, Vec<_>) =
        ours.into_iter().chain(of_policy).partition(|fault| fault.file == file.name);
    here.sort_by_key(|fault| (fault.line, fault.column));
    here.into_iter().chain(elsewhere).collect()
}

impl Settings {
    /// Whether anybody comes for the daemon of `upstream`, and not only for those that they were going to.
    pub fn guards_upstream(&self) -> bool {
        self.plugin.is_some() || self.listen.iter().any(|listen| !listen.is_transparent())
    }

    /// What is put on requests to the daemon so that its plugin knows them. None where no plugin asks.
    pub fn seal(&self) -> Result<Option<Arc<Seal>>, String> {
        match (&self.mediation, &self.plugin) {
            (Some(mediation), _) => mediation.seal().map(Some),
            (None, Some(_)) => {
                let seal = Seal::of_this_process().map_err(|error| error.to_string())?;
                Ok(Some(Arc::new(seal)))
            }
            (None, None) => Ok(None),
        }
    }
}

/// Where the socket for administrators is, by the configuration file that can be read; its other faults do not matter.
pub fn admin_socket(wishes: &Wishes) -> Result<PathBuf, Diagnostics> {
    let named = wishes.config.is_some();
    let path = wishes.config.clone().or_else(defaults::config_file);
    let mut file = match path.as_deref().map(ConfigFile::read) {
        Some(Ok(file)) => file,
        Some(Err(faults)) if named => return Err(faults),
        // The system's file may be no business of an administrator's: then everything is where it usually is.
        Some(Err(_)) | None => ConfigFile::absent(),
    };
    let tree = file.tree();
    let fields = tree.as_ref().map(|tree| file.fields(tree, "the configuration", KEYS)).unwrap_or_default();
    let state = state::read(&mut file, fields.get("state"));
    Ok(admin::read(&mut file, &fields, &state).to_ask())
}

/// The files that patterns name now.
pub fn files(patterns: &[PathBuf]) -> Vec<PathBuf> {
    // What names nothing is watched for: it may be there later.
    patterns.iter().flat_map(|pattern| globs::expand(pattern).unwrap_or_else(|_| vec![pattern.clone()])).collect()
}

impl Config {
    /// The policy in one line.
    pub fn summary(&self) -> String {
        summary(&self.policy)
    }
}

/// A policy in one line.
pub fn summary(policy: &Policy) -> String {
    let (count, preset, version) = (policy.count(), policy.preset(), policy.version());
    let policies = if count == 1 { "policy" } else { "policies" };
    let temporary = match policy.rules().len() {
        0 => String::new(),
        1 => ", 1 temporary rule".to_owned(),
        many => format!(", {many} temporary rules"),
    };
    let rego = match policy.rego_count() {
        0 => String::new(),
        1 => ", 1 Rego file".to_owned(),
        many => format!(", {many} Rego files"),
    };
    format!("{count} {policies}{rego}, preset {preset}, mode {}{temporary}, version {version}", policy.mode().name())
}

/// The keys of the file. Those of later versions are told apart from misspelt ones.
const KEYS: &[&str] = &[
    "listen",
    "upstream",
    "plugin",
    "mediation",
    "groups",
    "policy",
    "defaults",
    "quotas",
    "redact",
    "limits",
    "records",
    "understand",
    "state",
    "spool",
    "admin",
    "reload",
];
