//! `dockwarden serve`: the firewall itself, until it is told to stop.
//!
//! Nothing is opened before the configuration and the policy are known to be right. Signals: TERM and
//! INT end it gracefully, a second one at once; HUP opens the records anew and takes the policy again,
//! as does a change of the files and the bundle that it was read from.

mod reader;
mod reload;

use std::iter::repeat;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use policy::Policy;
use sd_notify::NotifyState;
use server::admin::{Admin, Desk, OwnersDesk};
use server::firewall::{Firewall, Manner, Records, Settings};
use server::gateway::Gateway;
use server::listen::{ListenAddress, Listener};
use server::owners::Owners;
use server::plugin::Plugin;
use server::rules::Rules;
use server::state::State;
use server::upstream::UpstreamAddress;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use super::{Exit, Failure, PolicyArguments};
use crate::config::{self, Bundle, Config, Wishes, directory, exposure, parse_address};
use reader::Reader;
use reload::Reload;

/// Guard a Docker daemon: listen, judge, pass on
///
/// Starts only when configuration and policy have no fault. SIGTERM and SIGINT stop it gracefully (a
/// second one at once), SIGHUP takes the policy again and reopens the records. A change of the files that
/// the policy was read from is noticed without it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    policy: PolicyArguments,
    /// Where to listen: unix:///path, tcp://IP:PORT, or fd://NAME for a socket from systemd; wins over
    /// the configuration file
    #[arg(long, value_name = "ADDR", value_parser = parse_address)]
    listen: Vec<ListenAddress>,
    /// Where the daemon is: unix:///path or tcp://HOST:PORT
    #[arg(long, value_name = "ADDR")]
    upstream: Option<UpstreamAddress>,
    /// Where the daemon asks its authorization plugin; without --listen and `listen`, nowhere else
    #[arg(long, value_name = "PATH")]
    plugin_socket: Option<PathBuf>,
    /// Where the host's file system is seen, for following links in host paths: for a firewall that lives in a root of
    /// its own, as a managed plugin does
    #[arg(long, value_name = "DIR", default_value = "/")]
    host_root: PathBuf,
}

/// Serves until a signal.
pub fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { policy, listen, upstream, plugin_socket, host_root } = arguments;
    serve(Wishes { listen, upstream, plugin_socket, serves: true, ..policy.wishes() }, host_root)
}

/// Serves as it is wished until a signal.
pub fn with(wishes: Wishes) -> Result<Exit, Failure> {
    serve(wishes, "/".into())
}

fn serve(wishes: Wishes, host_root: PathBuf) -> Result<Exit, Failure> {
    let config = Reader::default().load(&wishes)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Sentence(format!("cannot start: {error}")))?;
    let ended = runtime.block_on(until_stopped(config, wishes, host_root));
    // What was not waited for still gets to remove its socket.
    runtime.shutdown_timeout(LAST_MOMENT);
    ended.map_err(Failure::Sentence)
}

async fn until_stopped(config: Config, wishes: Wishes, host_root: PathBuf) -> Result<Exit, String> {
    // Before anything is opened: from here on a signal means an orderly end.
    let mut signals = Signals::new().map_err(|error| format!("cannot take signals: {error}"))?;
    introduce(&config, &wishes);
    if let Some(room) = config.settings.limits.make_room() {
        tracing::warn!(
            "this process may open files for {room} connections only, fewer than limits.connections ({}): raise \
             LimitNOFILE of the service, or `ulimit -n`",
            config.settings.limits.connections
        );
    }
    let records = config.settings.records.open().map_err(|error| error.to_string())?;
    let records = Records::File(Arc::new(records));
    let spool = config.settings.spool.open()?;
    let Config { settings, policy, checks, bundle, read_from, .. } = config;
    let state = Arc::new(settings.state.open().map_err(|error| error.to_string())?);
    bundle.iter().for_each(Bundle::keep);
    let owners = remember(&state).await?;
    let rules = put_in_force(policy, state, &records, &settings).await?;
    let mut beside = JoinSet::new();
    let firewall = Firewall::new(
        Settings {
            upstream: settings.upstream.upstream(),
            limits: settings.limits.clone(),
            reading: settings.understand.reading(),
            records: records.clone(),
            manner: Manner::Forward,
            subject: None,
            spool,
            host_root,
            seal: settings.seal()?,
            owners: Some(Arc::clone(&owners)).filter(|_| settings.guards_upstream()),
            checks: Arc::new(server::checks::Desk::new(checks, &settings.limits)),
        },
        Arc::clone(rules.policy()),
    );
    beside.spawn(Arc::clone(&firewall).keep_owners());
    let desk = Desk { rules: Arc::clone(&rules), owners: OwnersDesk { firewall: Arc::clone(&firewall), owners } };
    administer(&mut beside, desk, &records, &settings)?;
    // Last: nobody comes in before all is in force.
    let Doors { gateway: listeners, plugin: asked } = open(&settings)?;
    let require = settings.plugin.as_ref().map(|plugin| plugin.require).unwrap_or_default();
    let plugin = Plugin::new(Arc::clone(&firewall), require);
    let gateway = Gateway::new(Arc::clone(&firewall));
    let mut serving = Serving::start(&gateway, listeners, &plugin, asked);
    let reload = Reload::new(wishes, settings, read_from, bundle.as_ref(), rules, Arc::clone(&firewall));
    // Beside the signals: whatever a reload waits for, they are heard.
    let asked = Arc::new(Notify::new());
    let reloading = beside.spawn(reload.run(Arc::clone(&asked)));
    tell_system(&[NotifyState::Ready]);
    loop {
        tokio::select! {
            () = serving.ended() => break,
            told = signals.next() => match told {
                Told::Stop => {
                    reloading.abort();
                    serving.stop();
                }
                Told::Reload => {
                    firewall.reopen_records();
                    asked.notify_one();
                }
            },
        }
    }
    drop(beside);
    let _ = tokio::task::spawn_blocking(move || firewall.flush_records()).await;
    tracing::info!("stopped");
    Ok(Exit::Done)
}

/// Says what this is going to be.
fn introduce(config: &Config, wishes: &Wishes) {
    match (&wishes.text, &config.file) {
        (Some(text), _) => tracing::info!("configuration of `dockwarden {}`", text.name),
        (None, Some(file)) => tracing::info!("configuration {}", file.display()),
        (None, None) => tracing::info!("no configuration file, everything as usual"),
    }
    tracing::info!("{}", config.summary());
    config.bundle.iter().for_each(|bundle| tracing::info!("{}", bundle.told()));
    match config.settings.guards_upstream() {
        true => tracing::info!("daemon at {}", config.settings.upstream.address),
        false => tracing::info!("daemons wherever clients were going"),
    }
    config.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    exposure::warnings(&config.settings).iter().for_each(|warning| tracing::warn!("{warning}"));
}

/// Open ways in.
struct Doors {
    gateway: Vec<Listener>,
    plugin: Vec<Listener>,
}

/// Opens every door, or none.
fn open(settings: &config::Settings) -> Result<Doors, String> {
    let plugin = settings.plugin.iter().map(|plugin| &plugin.listen);
    let opened: Vec<_> = settings.listen.iter().chain(plugin).map(|listen| Listener::bind(listen.spec())).collect();
    let problems: Vec<String> = opened.iter().filter_map(|door| Some(door.as_ref().err()?.to_string())).collect();
    if !problems.is_empty() {
        return Err(problems.join("\ndockwarden: "));
    }
    let mut gateway: Vec<Listener> = opened.into_iter().flatten().collect();
    let plugin = gateway.split_off(settings.listen.len().min(gateway.len()));
    for (listener, what) in gateway.iter().zip(repeat("listening")).chain(plugin.iter().zip(repeat("plugin listening")))
    {
        match listener.local_addr() {
            Some(address) => tracing::info!("{what} on tcp://{address}"),
            None => tracing::info!("{what} on {}", listener.place()),
        }
    }
    Ok(Doors { gateway, plugin })
}

/// Who owns what, as it was written down.
async fn remember(state: &Arc<State>) -> Result<Arc<Owners>, String> {
    let state = Arc::clone(state);
    let loaded = tokio::task::spawn_blocking(move || Owners::load(state)).await;
    loaded.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

/// The policy with the temporary rules that were kept; ends of rules are seen to from here on.
async fn put_in_force(
    policy: Policy,
    state: Arc<State>,
    records: &Records,
    settings: &config::Settings,
) -> Result<Arc<Rules>, String> {
    let read = |policy: &Policy, text: &str| policy.read_rule(text, &directory::of_host().as_directory());
    let opened = Rules::open(policy, state, records.clone(), settings.limits.clone(), Box::new(read)).await;
    let rules = opened.map_err(|error| error.to_string())?;
    match rules.list().len() {
        0 => {}
        1 => tracing::info!("1 temporary rule holds, see `dockwarden rules list`"),
        many => tracing::info!("{many} temporary rules hold, see `dockwarden rules list`"),
    }
    Ok(rules)
}

/// Opens the admin socket, and ends rules as their time comes. Without a socket where nobody asked for one, the firewall
/// can do its work.
fn administer(
    beside: &mut JoinSet<()>,
    desk: Desk,
    records: &Records,
    settings: &config::Settings,
) -> Result<(), String> {
    let ending = Arc::clone(&desk.rules);
    beside.spawn(async move { ending.run().await });
    match settings.admin.open() {
        Ok(listener) => {
            tracing::info!("admin socket {}", listener.place());
            let admin = Admin::new(desk, settings.admin.groups.clone(), records.clone(), settings.limits.clone());
            beside.spawn(admin.serve(listener));
            Ok(())
        }
        Err(error) if settings.admin.named => Err(format!("{error} (the admin socket, see `admin`)")),
        Err(error) => {
            tracing::warn!("no admin socket, so no `dockwarden rules`: {error} (say where with `admin: {{ socket }}`)");
            Ok(())
        }
    }
}

/// The gateway at work, and the way to end it.
struct Serving {
    task: JoinHandle<()>,
    stop: Option<oneshot::Sender<()>>,
}

impl Serving {
    fn start(gateway: &Arc<Gateway>, listeners: Vec<Listener>, plugin: &Arc<Plugin>, asked: Vec<Listener>) -> Self {
        let (gateway, plugin) = (Arc::clone(gateway), Arc::clone(plugin));
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            // The daemon asks about the gateway's last exchanges, too: so its plugin ends after it.
            let (end, ended) = oneshot::channel::<()>();
            let answering = async { plugin.serve(asked, async { drop(ended.await) }).await };
            let serving = async {
                gateway.serve(listeners, async { drop(stopped.await) }).await;
                let _ = end.send(());
            };
            tokio::join!(answering, serving);
        });
        Self { task, stop: Some(stop) }
    }

    async fn ended(&mut self) {
        if let Err(error) = (&mut self.task).await
            && !error.is_cancelled()
        {
            tracing::error!("the gateway ended by itself: {error}");
        }
    }

    /// The first time asks, the second does not.
    fn stop(&mut self) {
        tell_system(&[NotifyState::Stopping]);
        match self.stop.take() {
            Some(stop) => {
                tracing::info!("stopping: no new connections, what runs may end; once more to stop at once");
                let _ = stop.send(());
            }
            None => {
                tracing::warn!("stopping at once");
                self.task.abort();
            }
        }
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

/// What a signal says.
enum Told {
    Stop,
    Reload,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::Stop,
            _ = self.interrupt.recv() => Told::Stop,
            _ = self.hangup.recv() => Told::Reload,
        }
    }
}

fn tell_system(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!("cannot notify systemd: {error}");
    }
}

const LAST_MOMENT: Duration = Duration::from_secs(1);

const EXAMPLES: &str = "\
Examples:
  dockwarden serve
  dockwarden serve --config /etc/dockwarden/config.yaml
  dockwarden serve --preset readonly --listen unix:///run/readonly.sock
  dockwarden serve --listen tcp://127.0.0.1:2375 --policy team.cedar

Without --config, /etc/dockwarden/config.yaml is read where it exists. Without that and without
flags: unix:///run/dockwarden/docker.sock in front of unix:///var/run/docker.sock, preset developer.";
