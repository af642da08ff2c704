//! `dockwarden plugin install`: from nothing to a daemon that asks, or back to nothing.

use std::cell::OnceCell;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::super::{Exit, Failure, go_on};
use super::step::{Manner, Step};
use super::{Places, bundle, service};
use crate::config::{self, Wishes};
use crate::engine::daemon::Daemon;
use crate::engine::daemon_json::DaemonJson;
use crate::engine::process::Process;
use crate::engine::{OWN, SOCKET, door, own_name, tagged};
use crate::scratch::Scratch;
use crate::talk;

/// Make a Docker daemon ask Dockwarden about every request
///
/// The plugin is started and asked first, then put into the daemon's configuration file (kept beside it as it was), then
/// the daemon reads it again; it is never restarted. Where a step fails, all before it are taken back.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    places: Places,
    /// Who runs it: this host, or the daemon itself
    #[arg(long = "as", value_enum, default_value_t = Kind::Service)]
    kind: Kind,
    /// The plugin's name; its last part is `dockwarden`
    #[arg(long, default_value = OWN, value_parser = own_name)]
    name: String,
    /// The folder of config.yaml, as the plugin is to see it
    #[arg(long, value_name = "DIR", default_value = "/etc/dockwarden")]
    config: PathBuf,
    /// Managed: the folder of its state and records [default: /var/lib/dockwarden-plugin]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Managed: a folder that `plugin package` wrote, instead of packaging this program
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// Managed: how much it says in the daemon's log
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    plugin_log: String,
    /// Service: where its socket is, instead of where the daemon looks first
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Do not ask whether to go on
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A service of this host, on a socket
    Service,
    /// A managed plugin of the daemon's
    Managed,
}

/// Installs it.
pub fn run(arguments: Arguments, as_json: bool) -> Result<Exit, Failure> {
    let Arguments { dry_run, yes, .. } = arguments;
    let site = Site::look(&arguments).map_err(Failure::Sentence)?;
    let mut plan = match arguments.kind {
        Kind::Managed => managed(&arguments, &site)?,
        Kind::Service => of_host(&arguments, &site)?,
    };
    plan.push(put_in_force(&site));
    plan.push(Step::new("see that an ordinary request passes", || site.passes()));
    let shown = Manner { dry_run: true, as_json };
    if dry_run {
        return shown.carry_out(&plan);
    }
    if !yes {
        shown.carry_out(&plan)?;
        go_on("--dry-run")?;
    }
    let exit = Manner { dry_run, as_json }.carry_out(&plan)?;
    talk::say(&format!("{} is in force; `dockwarden plugin status` looks after it", site.name));
    Ok(exit)
}

/// The daemon that is to ask, and the plugin as it will know it.
struct Site {
    daemon: Daemon,
    process: Process,
    file: DaemonJson,
    /// The plugin's name in the daemon's list.
    name: String,
    plugins: PathBuf,
    managed: bool,
    socket: PathBuf,
    /// Where it answered. Once in force, it may let nobody ask the daemon where that is.
    answered: OnceCell<PathBuf>,
}

impl Site {
    /// Looks at all that must be so before anything is done.
    fn look(arguments: &Arguments) -> Result<Self, String> {
        let Places { docker, daemon_json, pidfile, plugins } = &arguments.places;
        let managed = arguments.kind == Kind::Managed;
        let name = if managed { tagged(&arguments.name) } else { arguments.name.clone() };
        if !managed && name != OWN {
            return Err(format!("a service is called `{OWN}`, after its socket; --name is for managed plugins"));
        }
        let file = DaemonJson::read(daemon_json).map_err(|faults| faults.to_string())?;
        if file.plugins().contains(&name) {
            let path = file.path().display();
            return Err(format!("{name} is in {path} already: see `dockwarden plugin status`"));
        }
        let pidfile = pidfile.clone().unwrap_or_else(|| file.pidfile());
        let process = Process::find(&pidfile)?
            .ok_or_else(|| format!("no daemon runs ({}); say where with --pidfile", pidfile.display()))?;
        let daemon = Daemon::new(docker);
        daemon.answers()?;
        let usual = plugins.join(format!("{OWN}.sock"));
        let socket = arguments.socket.clone().unwrap_or(usual);
        Ok(Site { daemon, process, file, name, plugins: plugins.clone(), managed, socket, answered: OnceCell::new() })
    }

    /// Where the plugin answers, as far as it is there.
    fn door(&self) -> Result<PathBuf, String> {
        if !self.managed {
            return Ok(self.socket.clone());
        }
        if let Some(door) = self.answered.get() {
            return Ok(door.clone());
        }
        let found = self.daemon.plugin(&self.name)?.ok_or("the plugin is gone")?;
        let door = self.plugins.join(found.id).join(found.socket);
        Ok(self.answered.get_or_init(|| door).clone())
    }

    /// Whether the plugin would do if the daemon asked it now.
    fn would_do(&self) -> Result<(), String> {
        door::ask_patiently(&self.door()?, START).map(drop)
    }

    /// An ordinary request passes, unless it must come through the gateway.
    fn passes(&self) -> Result<(), String> {
        match self.daemon.answers() {
            Err(_) if !door::ask(&self.door()?)?.lets_pass => Ok(()),
            answer => answer,
        }
    }
}

/// Puts it into the daemon's list and has the daemon read it. The only step that the daemon notices.
fn put_in_force(site: &Site) -> Step<'_> {
    let (path, name) = (site.file.path().display(), &site.name);
    let words = format!("add {name} to {path}, have dockerd ({}) read it, and see that it asks", site.process.id());
    let act = || {
        let names: Vec<String> = site.file.plugins().iter().chain([&site.name]).cloned().collect();
        let text = site.file.with_plugins(&names);
        validate(site, &text)?;
        // To the last moment: a daemon that is told of a plugin which does not answer ends.
        site.would_do()?;
        site.file.write(&text)?;
        site.process.reload()?;
        site.daemon.wait_until_it_asks(&site.name)
    };
    Step::new(words, act).undone_by(format!("put back {path}, and have dockerd read it"), || {
        site.file.restore()?;
        if !site.process.runs() {
            return Err("dockerd has ended; start it again".to_owned());
        }
        site.process.reload()?;
        site.daemon.wait_until_it_asks_no_more(&site.name)
    })
}

/// Has the daemon's own program look at the new text, in a file beside the one that it reads.
fn validate(site: &Site, text: &str) -> Result<(), String> {
    let folder = Scratch::make()?;
    let file = folder.path().join("daemon.json");
    fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    site.process.validate(&file)
}

/// A plugin that the daemon runs.
fn managed<'a>(arguments: &'a Arguments, site: &'a Site) -> Result<Vec<Step<'a>>, Failure> {
    let name = &site.name;
    let there = site.daemon.plugin(name).map_err(Failure::Sentence)?;
    if there.is_some() {
        let advice = format!("there is a plugin {name} already: `docker plugin rm` it, or give another --name");
        return Err(Failure::Sentence(advice));
    }
    let state = arguments.state.clone().unwrap_or_else(|| bundle::STATE.into());
    let settings = vec![
        format!("config.source={}", arguments.config.display()),
        format!("state.source={}", state.display()),
        format!("docker.source={}", arguments.places.docker.display()),
        format!("RUST_LOG={}", arguments.plugin_log),
    ];
    let folder = arguments.bundle.as_deref();
    Ok(vec![
        Step::new(format!("check {}", arguments.config.join("config.yaml").display()), || checked(&arguments.config)),
        Step::new(format!("make the folder {}", state.display()), {
            move || {
                let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&state);
                made.map_err(|error| format!("{}: {error}", state.display()))
            }
        }),
        Step::new(format!("create the plugin {name}"), move || site.daemon.create(name, &bundle::archive(folder)?))
            .undone_by(format!("remove the plugin {name}"), || site.daemon.remove(name)),
        Step::new(format!("set {}", settings.join(" ")), move || site.daemon.set(name, &settings)),
        Step::new(format!("enable {name}, and see that it answers"), || {
            site.daemon.enable(name)?;
            site.would_do()
        })
        .undone_by(format!("disable {name}"), || site.daemon.disable(name)),
    ])
}

/// A plugin that the host runs: by systemd, or by whoever runs it already.
fn of_host<'a>(arguments: &'a Arguments, site: &'a Site) -> Result<Vec<Step<'a>>, Failure> {
    let mut plan = Vec::new();
    // The daemon looks among its own first, and would ask that one.
    if site.daemon.plugin(&tagged(OWN)).map_err(Failure::Sentence)?.is_some() {
        let advice =
            format!("there is a managed plugin `{OWN}`, which the daemon would ask instead: `docker plugin rm` it");
        return Err(Failure::Sentence(advice));
    }
    let socket = site.socket.display();
    let answers = door::ask(&site.socket).is_ok();
    if !answers && !service::has_systemd() {
        let advice = format!(
            "nothing answers at {socket}, and no systemd runs this host: start `dockwarden serve --plugin-socket \
             {socket}` first, by whatever keeps it running"
        );
        return Err(Failure::Sentence(advice));
    }
    if !answers {
        let config = &arguments.config;
        plan.push(Step::new(format!("check {}", config.join("config.yaml").display()), || checked(config)));
        plan.push(
            Step::new(format!("have systemd run {}", service::SERVICE), service::start)
                .undone_by(format!("end {}", service::SERVICE), service::stop),
        );
    }
    plan.push(Step::new(format!("see that the plugin answers at {socket}"), || site.would_do()));
    if site.socket.parent() != Some(site.plugins.as_path()) {
        let folder = Path::new(service::SPECS);
        let words = format!("say in {} where that is", service::spec(folder).display());
        plan.push(
            Step::new(words, move || service::write_spec(folder, &site.socket))
                .undone_by(format!("remove {}", service::spec(folder).display()), move || service::remove_spec(folder)),
        );
    }
    Ok(plan)
}

/// Whether the plugin could start with it: found out here, where faults can be shown.
fn checked(folder: &Path) -> Result<(), String> {
    let file = folder.join("config.yaml");
    if !folder.is_dir() {
        return Err(format!("there is no folder {}; make it, with a config.yaml in it", folder.display()));
    }
    let wishes = Wishes {
        config: file.exists().then_some(file),
        only_named: true,
        plugin_socket: Some(PathBuf::from("/run/docker/plugins").join(SOCKET)),
        ..Wishes::default()
    };
    match config::load(&wishes) {
        Ok(_) => Ok(()),
        Err(faults) => Err(faults.to_string()),
    }
}

/// How long a plugin may take to come up.
const START: Duration = Duration::from_secs(10);

const EXAMPLES: &str = "\
Examples:
  dockwarden plugin install --dry-run
  dockwarden plugin install --as managed --config /etc/dockwarden --yes
  dockwarden serve --plugin-socket /run/docker/plugins/dockwarden.sock & dockwarden plugin install --yes";
