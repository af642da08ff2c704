//! A whole container: the one place where every family of privileges is gathered.

use super::Privilege;
use crate::body::container::{CreateRequest, HostConfig, UpdateRequest};
use crate::defaults::Unheard;
use crate::facts::{Spec, Variables};
use crate::host_path;
use crate::privilege::asked::Asked;
use crate::privilege::kernel;
use crate::privilege::limits::Limits;
use crate::request::Misread;
use crate::resource::Labels;

impl Asked<'_> {
    /// Everything that a new container asks for. The body is rewritten to what was judged.
    ///
    /// Harmless, hence not asked: host name, terminal and stream flags, environment, command, health
    /// check, labels, working directory, stop signal and time-out, name servers and extra hosts, limits
    /// on memory, CPU, block I/O and processes, restart policy, removal, init, capabilities dropped.
    pub(crate) fn container_create(&mut self, body: &mut CreateRequest) -> Result<(), Misread> {
        let (image, image_user, image_volumes) = self.image(&body.image)?;
        self.ask(Privilege::UseImage { image });
        self.container_rest(body, &image_user, &image_volumes)
    }

    /// All but the image itself.
    pub(crate) fn container_rest(
        &mut self,
        body: &mut CreateRequest,
        image_user: &str,
        image_volumes: &[String],
    ) -> Result<(), Misread> {
        self.run_as(&body.user, image_user);
        self.mac_address(&body.mac_address);
        let host = body.host_config.get_or_insert_with(HostConfig::default);
        for target in body.volumes.iter().flatten().map(|(target, _)| target).chain(image_volumes) {
            self.anonymous_volume(target, &host.volume_driver);
        }
        self.host_config(host)?;
        self.networks(host, body.networking_config.as_mut())
    }

    /// Paths of limits: the daemon tells by its error whether they exist, so they are devices or nothing.
    fn limited_devices(&mut self, host: &HostConfig) -> Result<(), Misread> {
        let lists = [
            &host.blkio_device_read_bps,
            &host.blkio_device_write_bps,
            &host.blkio_device_read_iops,
            &host.blkio_device_write_iops,
        ];
        let limited = lists.into_iter().flatten().flatten().map(|limit| &limit.path);
        let weighted = host.blkio_weight_device.iter().flatten().map(|weight| &weight.path);
        for path in limited.chain(weighted) {
            if !host_path::clean(path).is_some_and(|path| path.starts_with("/dev/")) {
                return Err(Misread::value("HostConfig.BlkioDevice", "names something that is no device"));
            }
        }
        Ok(())
    }

    fn host_config(&mut self, host: &mut HostConfig) -> Result<(), Misread> {
        self.kernel(host);
        self.mounts(host)?;
        self.namespaces(host)?;
        self.devices(host.devices.as_mut(), host.device_cgroup_rules.as_ref(), host.device_requests.as_ref())?;
        self.limited_devices(host)?;
        self.ports(host)?;
        self.links(host.links.as_mut());
        self.groups(host.group_add.as_ref());
        self.log_driver(&host.log_config.kind, host.log_config.config.as_ref());
        self.limits(&Limits {
            oom_kill_disable: host.oom_kill_disable,
            oom_score_adj: host.oom_score_adj,
            cpu_realtime_period: host.cpu_realtime_period,
            cpu_realtime_runtime: host.cpu_realtime_runtime,
            ulimits: host.ulimits.as_deref().unwrap_or_default(),
            storage: host.storage_opt.as_ref(),
        });
        Ok(())
    }

    /// What the client asked for and something else was put in the place of: a wish that is not heard is a wish.
    pub(crate) fn unheard(&mut self, unheard: &Unheard) {
        if let Some(user) = &unheard.user {
            self.run_as(user, "");
        }
        self.capabilities(unheard.capabilities.iter());
        for option in &unheard.security_options {
            self.security_option(option);
        }
    }

    /// Everything that an update asks for, effective or not: the daemon ignores devices here today.
    pub(crate) fn container_update(&mut self, body: &mut UpdateRequest) -> Result<(), Misread> {
        self.cgroup_parent(&body.cgroup_parent);
        self.devices(body.devices.as_mut(), body.device_cgroup_rules.as_ref(), body.device_requests.as_ref())?;
        self.limits(&Limits {
            oom_kill_disable: body.oom_kill_disable,
            oom_score_adj: 0,
            cpu_realtime_period: body.cpu_realtime_period,
            cpu_realtime_runtime: body.cpu_realtime_runtime,
            ulimits: body.ulimits.as_deref().unwrap_or_default(),
            storage: None,
        });
        Ok(())
    }

    /// A log driver asked for by name. Options such as `syslog-address` open sockets of the host.
    pub(crate) fn log_driver(&mut self, driver: &str, options: Option<&Labels>) {
        if driver.is_empty() && options.is_none_or(Labels::is_empty) {
            return;
        }
        let shown = |name: &str| {
            matches!(name, "max-size" | "max-file" | "compress" | "mode" | "max-buffer-size")
                || name.ends_with("-address")
        };
        let options = options
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), if shown(name) { value.clone() } else { String::new() }))
            .collect();
        self.ask(Privilege::UseLogDriver {
            driver: if driver.is_empty() { "default" } else { driver }.to_owned(),
            options,
        });
    }
}

/// The container in short, as context for policies.
pub(crate) fn spec(name: &str, body: &CreateRequest) -> Spec {
    let none = HostConfig::default();
    let host = body.host_config.as_ref().unwrap_or(&none);
    let or = |given: &str, otherwise: &str| if given.is_empty() { otherwise.to_owned() } else { given.to_owned() };
    Spec {
        name: name.to_owned(),
        image: body.image.clone(),
        memory: host.memory.max(0),
        nano_cpus: nano_cpus(host),
        pids: host.pids_limit.unwrap_or(0).max(0),
        shm_size: host.shm_size,
        read_only: host.readonly_rootfs,
        no_new_privileges: kernel::no_new_privileges(host.security_opt.as_deref().unwrap_or_default()).unwrap_or(false),
        dropped_capabilities: host
            .cap_drop
            .iter()
            .flat_map(|list| list.iter())
            .map(|name| kernel::capability_name(name))
            .collect(),
        network: or(&host.network_mode, "default"),
        restart: or(&host.restart_policy.name, "no"),
        labels: body.labels.clone().unwrap_or_default(),
        environment: kernel::environment_names(body.env.as_deref().unwrap_or_default()),
        variables: Variables(body.env.clone().unwrap_or_default()),
    }
}

/// What a container has after an update, in what [`spec`] tells: the daemon takes what says something.
pub(crate) fn updated(stored: &CreateRequest, update: &UpdateRequest) -> CreateRequest {
    let mut body = stored.clone();
    let host = body.host_config.get_or_insert_with(HostConfig::default);
    let numbers = [
        (&mut host.memory, update.memory),
        (&mut host.nano_cpus, update.nano_cpus),
        (&mut host.cpu_period, update.cpu_period),
        (&mut host.cpu_quota, update.cpu_quota),
    ];
    for (number, said) in numbers.into_iter().filter(|(_, said)| *said != 0) {
        *number = said;
    }
    host.pids_limit = update.pids_limit.or(host.pids_limit);
    if !update.restart_policy.name.is_empty() {
        host.restart_policy = update.restart_policy.clone();
    }
    body
}

/// The CPU limit, however it was asked for: as a number of CPUs, or as quota within a period. The quota
/// wins, and one below zero is no limit.
pub(crate) fn nano_cpus(host: &HostConfig) -> i64 {
    let period = if host.cpu_period > 0 { host.cpu_period } else { 100_000 };
    match host.cpu_quota {
        0 => host.nano_cpus.max(0),
        quota => quota.max(0).saturating_mul(1_000_000_000).checked_div(period).unwrap_or(0),
    }
}
