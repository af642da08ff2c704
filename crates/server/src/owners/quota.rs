//! What a user may have at most, counted over all that they own and all that is being made for them.

use docker::endpoint::Kind;
use docker::obligation::Obligation;
use docker::ownership::Making;
use policy::Quota;

use super::{Known, Wish};

/// What a thing takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Memory, in bytes: a container's limit.
    pub memory: i64,
    /// CPUs, in billionths: a container's limit.
    pub cpus: i64,
    /// Published ports of the host.
    pub ports: i64,
}

impl Usage {
    /// What it takes to make this.
    pub fn of(making: &Making) -> Usage {
        Usage { memory: making.memory, cpus: making.nano_cpus, ports: making.ports.max(0) }
    }
}

/// More than a user may have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    /// There is no room for it.
    #[error("{owner} has {has} of {most} {what}, and this would be {more} more; remove some, or ask the administrator")]
    Full {
        /// Whose quota it is.
        owner: String,
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        has: String,
        /// How much there may be.
        most: String,
        /// How much would be added.
        more: String,
    },
    /// What has no limit cannot be counted.
    #[error("{owner} has a quota of {what}, so every container needs a limit ({option})")]
    Unlimited {
        /// Whose quota it is.
        owner: String,
        /// What is counted.
        what: &'static str,
        /// The option of `docker run` that sets the limit.
        option: &'static str,
    },
}

/// Everything that somebody has.
#[derive(Default)]
struct Total {
    containers: i64,
    volumes: i64,
    usage: Usage,
}

impl Total {
    fn add(&mut self, kind: Kind, usage: &Usage, volumes: usize) {
        self.containers = self.containers.saturating_add(i64::from(kind == Kind::Container));
        self.volumes = self.volumes.saturating_add(i64::try_from(volumes).unwrap_or(i64::MAX));
        self.usage.memory = self.usage.memory.saturating_add(usage.memory);
        self.usage.cpus = self.usage.cpus.saturating_add(usage.cpus);
        self.usage.ports = self.usage.ports.saturating_add(usage.ports);
    }
}

impl Known {
    /// Whether its owner may have this, too.
    pub(super) fn within(&self, wish: &Wish, quota: &Quota) -> Result<(), Exceeded> {
        if *quota == Quota::default() {
            return Ok(());
        }
        let (making, owner) = (&wish.making, wish.owner.as_str());
        if making.kind == Kind::Container {
            limited(owner, quota.memory, making.memory, "memory", "--memory")?;
            limited(owner, quota.cpus, making.nano_cpus, "CPUs", "--cpus")?;
            // All that an image exposes, on ports of the daemon's choice.
            let ports = making.ports.saturating_add(1);
            limited(owner, quota.ports, ports, "published ports", "-p for each, not -P")?;
        }
        let mut more = Total::default();
        more.add(making.kind, &Usage::of(making), making.volumes.len());
        self.room(owner, &more, quota)
    }

    /// Whether the limits of a container may become these.
    pub(super) fn may_grow(
        &self,
        owner: &str,
        before: &Usage,
        memory: i64,
        cpus: i64,
        quota: &Quota,
    ) -> Result<(), Exceeded> {
        limited(owner, quota.memory, memory, "memory", "--memory")?;
        limited(owner, quota.cpus, cpus, "CPUs", "--cpus")?;
        let (memory, cpus) = (memory.saturating_sub(before.memory), cpus.saturating_sub(before.cpus));
        let more = Total { usage: Usage { memory, cpus, ports: 0 }, ..Total::default() };
        self.room(owner, &more, quota)
    }

    fn room(&self, owner: &str, more: &Total, quota: &Quota) -> Result<(), Exceeded> {
        let has = self.total(owner);
        let plain = |count: i64| count.to_string();
        let memory = |bytes: i64| Obligation::Memory(bytes).value();
        let cpus = |billionths: i64| Obligation::Cpus(billionths).value();
        room(owner, "containers", quota.containers, has.containers, more.containers, &plain)?;
        room(owner, "volumes", quota.volumes, has.volumes, more.volumes, &plain)?;
        room(owner, "published ports", quota.ports, has.usage.ports, more.usage.ports, &plain)?;
        room(owner, "of memory", quota.memory, has.usage.memory, more.usage.memory, &memory)?;
        room(owner, "CPUs", quota.cpus, has.usage.cpus, more.usage.cpus, &cpus)
    }

    fn total(&self, owner: &str) -> Total {
        let mut total = Total::default();
        for (thing, entry) in &self.things {
            if let Some(usage) = entry.owners.get(owner) {
                total.add(thing.kind, usage, usize::from(thing.kind == Kind::Volume));
            }
        }
        for other in self.making.values().filter(|other| other.owner == owner) {
            total.add(other.making.kind, &Usage::of(&other.making), other.making.volumes.len());
        }
        total
    }
}

fn limited(
    owner: &str,
    quota: Option<i64>,
    limit: i64,
    what: &'static str,
    option: &'static str,
) -> Result<(), Exceeded> {
    if quota.is_some() && limit <= 0 {
        return Err(Exceeded::Unlimited { owner: owner.to_owned(), what, option });
    }
    Ok(())
}

fn room(
    owner: &str,
    what: &'static str,
    most: Option<i64>,
    has: i64,
    more: i64,
    say: &dyn Fn(i64) -> String,
) -> Result<(), Exceeded> {
    match most {
        Some(most) if more > 0 && has.saturating_add(more) > most => {
            Err(Exceeded::Full { owner: owner.to_owned(), what, has: say(has), most: say(most), more: say(more) })
        }
        _ => Ok(()),
    }
}
