//! Mounts: all ways of asking for files in a container, read into the same few privileges.
//!
//! `Binds`, `Mounts` of every type, `Tmpfs`, `VolumesFrom`, anonymous volumes, and the options of a
//! volume's driver, which with driver `local` are the arguments of mount(2): `type=none o=bind
//! device=/` is the host's root without a bind mount in sight.

use super::{HostMount, Privilege};
use crate::body::container::HostConfig;
use crate::body::mount::{Mount, VolumeDriver};
use crate::host_path;
use crate::privilege::asked::Asked;
use crate::request::Misread;
use crate::resource::{Labels, Volume};
use crate::world::KnownPath;

/// The driver that comes with the daemon.
const LOCAL: &str = "local";

/// How a mount is to be made, apart from what and where.
#[derive(Default)]
struct Manner {
    target: String,
    read_only: bool,
    propagation: String,
}

impl Asked<'_> {
    /// The mounts of a container.
    pub(crate) fn mounts(&mut self, host: &mut HostConfig) -> Result<(), Misread> {
        let driver = host.volume_driver.clone();
        for (index, bind) in host.binds.iter_mut().flatten().enumerate() {
            self.bind(bind, &driver, &format!("HostConfig.Binds[{index}]"))?;
        }
        for (index, mount) in host.mounts.iter_mut().flatten().enumerate() {
            self.mount(mount, &driver, &format!("HostConfig.Mounts[{index}]"))?;
        }
        for (target, options) in host.tmpfs.iter().flatten() {
            self.ask(Privilege::MountTmpfs { target: target.clone(), options: options.clone() });
        }
        for from in host.volumes_from.iter_mut().flatten() {
            self.volumes_from(from)?;
        }
        if !driver.is_empty() && driver != LOCAL {
            self.ask(Privilege::UseVolumeDriver { driver });
        }
        Ok(())
    }

    /// An anonymous volume, by `Volumes` or by the image's configuration.
    pub(crate) fn anonymous_volume(&mut self, target: &str, driver: &str) {
        self.volume("", driver, None, &Manner { target: target.to_owned(), ..Manner::default() });
    }

    /// One entry of `Binds`: `[source:]target[:mode]`, split as the daemon splits it (at most four parts).
    fn bind(&mut self, bind: &mut String, driver: &str, field: &str) -> Result<(), Misread> {
        let parts: Vec<&str> = bind.splitn(4, ':').collect();
        let (source, target, mode) = match parts.as_slice() {
            [target] => ("", *target, ""),
            [source, target] if !source.is_empty() => (*source, *target, ""),
            [source, target, mode] if !source.is_empty() => (*source, *target, *mode),
            _ => return Err(Misread::value(field, "is not `source:target[:mode]`")),
        };
        if host_path::clean(target).is_none() {
            return Err(Misread::value(field, "has a target that is not an absolute path"));
        }
        let manner = bind_mode(target, mode, field)?;
        if !source.starts_with('/') {
            volume_name(source, field)?;
            self.volume(source, driver, None, &manner);
            return Ok(());
        }
        let path = self.host_mount(source, &manner, false, field)?;
        if path.contains(':') {
            return Err(Misread::value(field, "leads to a path with a colon; use Mounts instead"));
        }
        *bind = if mode.is_empty() { format!("{path}:{target}") } else { format!("{path}:{target}:{mode}") };
        Ok(())
    }

    /// One entry of `Mounts`.
    pub(crate) fn mount(&mut self, mount: &mut Mount, driver: &str, field: &str) -> Result<(), Misread> {
        let manner = Manner {
            target: mount.target.clone(),
            read_only: mount.read_only,
            propagation: mount.bind_options.as_ref().map(|options| options.propagation.clone()).unwrap_or_default(),
        };
        if host_path::clean(&manner.target).is_none() {
            return Err(Misread::value(field, "has a target that is not an absolute path"));
        }
        match mount.kind.as_str() {
            "bind" => mount.source = self.host_mount(&mount.source, &manner, false, field)?,
            "volume" => self.volume_mount(mount, driver, &manner, field)?,
            "tmpfs" => self.ask(Privilege::MountTmpfs { target: manner.target, options: String::new() }),
            "image" => {
                let (image, _, _) = self.image(&mount.source)?;
                if let Some(pin) = image.reference.as_ref().and_then(|name| self.pin(name)) {
                    mount.source.clone_from(pin);
                }
                self.ask(Privilege::MountImage { image, target: manner.target });
            }
            "cluster" => self.ask(Privilege::UseVolumeDriver { driver: "cluster".to_owned() }),
            _ => return Err(Misread::value(field, "has a type other than bind, volume, tmpfs, image and cluster")),
        }
        Ok(())
    }

    fn volume_mount(&mut self, mount: &mut Mount, driver: &str, manner: &Manner, field: &str) -> Result<(), Misread> {
        volume_name(&mount.source, field)?;
        let options = mount.volume_options.as_mut();
        if options.as_ref().is_some_and(|options| !is_below(&options.subpath)) {
            return Err(Misread::value(field, "has a subpath that is not a relative path within the volume"));
        }
        let config = options.and_then(|options| options.driver_config.as_mut());
        if let Some(config) = config {
            self.driver_options(config, manner, field)?;
            let driver = if config.name.is_empty() { driver } else { &config.name };
            if !driver.is_empty() && driver != LOCAL {
                self.ask(Privilege::UseVolumeDriver { driver: driver.to_owned() });
            }
            self.volume(&mount.source, driver, config.options.as_ref(), manner);
        } else {
            self.volume(&mount.source, driver, None, manner);
        }
        Ok(())
    }

    /// A volume by name; the empty name is an anonymous one.
    ///
    /// What exists already keeps the driver and the options that it was made with, whatever the request
    /// says: so these are judged as if they were asked for here. A harmless-looking volume that was
    /// planted before gives nothing away.
    fn volume(&mut self, name: &str, driver: &str, given: Option<&Labels>, manner: &Manner) {
        let known = if name.is_empty() { None } else { self.world.volume(name) };
        let volume = match known {
            Some(known) => {
                if known.volume.driver != LOCAL {
                    self.ask(Privilege::UseVolumeDriver { driver: known.volume.driver.clone() });
                }
                if given != Some(&known.options) {
                    self.existing_options(&known.volume.driver, &known.options, manner);
                }
                known.volume.clone()
            }
            None => Volume {
                name: name.to_owned(),
                driver: if driver.is_empty() { LOCAL } else { driver }.to_owned(),
                ..Volume::default()
            },
        };
        self.ask(Privilege::MountVolume { volume, target: manner.target.clone(), read_only: manner.read_only });
    }

    /// `VolumesFrom`: `container[:mode]`.
    fn volumes_from(&mut self, from: &mut String) -> Result<(), Misread> {
        let (name, mode) = from.split_once(':').unwrap_or((from, ""));
        let container = self.container(name);
        let read_only = mode.split(',').any(|word| word == "ro");
        if !container.id.is_empty() {
            *from = if mode.is_empty() { container.id.clone() } else { format!("{}:{mode}", container.id) };
        }
        self.powers(&container)?;
        self.ask(Privilege::MountVolumesFrom { container, read_only });
        Ok(())
    }

    /// What a volume's driver is told. The device of a bind mount is replaced by where it leads.
    pub(crate) fn volume_driver(&mut self, driver: &mut VolumeDriver, field: &str) -> Result<(), Misread> {
        if !driver.name.is_empty() && driver.name != LOCAL {
            self.ask(Privilege::UseVolumeDriver { driver: driver.name.clone() });
        }
        self.driver_options(driver, &Manner::default(), field)
    }

    fn driver_options(&mut self, driver: &mut VolumeDriver, manner: &Manner, field: &str) -> Result<(), Misread> {
        let Some(options) = driver.options.as_mut() else { return Ok(()) };
        if is_bind(&driver.name, options) {
            let device = options.get("device").cloned().unwrap_or_default();
            let read_only = mount_words(options).any(|word| word == "ro");
            let manner = Manner { target: manner.target.clone(), read_only, ..Manner::default() };
            let path = self.host_mount(&device, &manner, true, field)?;
            options.insert("device".to_owned(), path);
            return Ok(());
        }
        self.other_options(options);
        Ok(())
    }

    /// The options of a volume that exists: nothing can be rewritten, everything is judged.
    fn existing_options(&mut self, driver: &str, options: &Labels, manner: &Manner) {
        if !is_bind(driver, options) {
            return self.other_options(options);
        }
        let device = options.get("device").map_or("", String::as_str);
        let (path, resolved) = match host_path::clean(device).map(|path| self.world.host_path(&path).cloned()) {
            Some(Some(KnownPath::Resolved(path))) => (path, !self.elsewhere),
            _ => (device.to_owned(), false),
        };
        self.ask(Privilege::MountHostPath(HostMount {
            asked: (path != device).then(|| device.to_owned()),
            path,
            target: manner.target.clone(),
            read_only: manner.read_only || mount_words(options).any(|word| word == "ro"),
            propagation: String::new(),
            through_volume: true,
            resolved,
        }));
    }

    fn other_options(&mut self, options: &Labels) {
        for (name, value) in options {
            self.ask(Privilege::SetVolumeOption { name: name.clone(), value: value.clone() });
        }
    }

    /// A path of the host. Gives the path to send: where the path leads, so that a link which is turned
    /// after this look leads nowhere else.
    fn host_mount(
        &mut self,
        source: &str,
        manner: &Manner,
        through_volume: bool,
        field: &str,
    ) -> Result<String, Misread> {
        let Some(cleaned) = host_path::clean(source) else {
            return Err(Misread::value(field, "has a source that is not an absolute path of the host"));
        };
        let (path, resolved) = match self.world.host_path(&cleaned) {
            Some(KnownPath::Resolved(path)) => (path.clone(), !self.elsewhere),
            Some(KnownPath::Remote) | None => (cleaned, false),
        };
        self.ask(Privilege::MountHostPath(HostMount {
            path: path.clone(),
            asked: (path != source).then(|| source.to_owned()),
            target: manner.target.clone(),
            read_only: manner.read_only,
            propagation: manner.propagation.clone(),
            through_volume,
            resolved,
        }));
        Ok(path)
    }
}

/// Whether the options of driver `local` make a bind mount: `o` holds `bind` or `rbind`.
///
/// Any other type with a device, `overlay` and `proc` among them, stays an option by name.
fn is_bind(driver: &str, options: &Labels) -> bool {
    (driver.is_empty() || driver == LOCAL)
        && options.keys().all(|key| matches!(key.as_str(), "type" | "o" | "device"))
        && options.get("type").is_none_or(|kind| matches!(kind.as_str(), "" | "none" | "bind"))
        && mount_words(options).any(|word| matches!(word, "bind" | "rbind"))
        // Of `ro,rw` the last one counts; other words (`remount`, `move`, `shared`) mean other mounts.
        && mount_words(options).all(|word| matches!(word, "bind" | "rbind" | "ro" | "rw"))
        && !(mount_words(options).any(|word| word == "ro") && mount_words(options).any(|word| word == "rw"))
        && options.get("device").is_some_and(|device| host_path::clean(device).is_some())
}

/// The words of the mount options, `o`.
fn mount_words(options: &Labels) -> impl Iterator<Item = &str> {
    options.get("o").map_or("", String::as_str).split(',')
}

/// The mode of a `Binds` entry: `ro|rw`, `z|Z`, propagation, `nocopy`, consistency.
fn bind_mode(target: &str, mode: &str, field: &str) -> Result<Manner, Misread> {
    let mut manner = Manner { target: target.to_owned(), ..Manner::default() };
    for word in mode.split(',').filter(|word| !word.is_empty()) {
        match word {
            "ro" => manner.read_only = true,
            "rw" | "z" | "Z" | "nocopy" | "consistent" | "cached" | "delegated" => {}
            "private" | "rprivate" | "shared" | "rshared" | "slave" | "rslave" => manner.propagation = word.to_owned(),
            _ => return Err(Misread::value(field, "has a mode that the daemon does not know")),
        }
    }
    Ok(manner)
}

/// The name of a volume: `[a-zA-Z0-9][a-zA-Z0-9_.-]*`, or empty for an anonymous one.
pub(crate) fn volume_name(name: &str, field: &str) -> Result<(), Misread> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let starts_well = name.bytes().next().is_none_or(|byte| byte.is_ascii_alphanumeric());
    if starts_well && name.bytes().all(word) {
        Ok(())
    } else {
        Err(Misread::value(field, "is neither an absolute path nor the name of a volume"))
    }
}

/// Whether a subpath stays inside: relative, without `..`.
fn is_below(subpath: &str) -> bool {
    !subpath.starts_with('/') && !subpath.contains(['\0', '\\']) && !subpath.split('/').any(|part| part == "..")
}
