//! Classic builds: what their query asks for, and what their Dockerfile does.

use super::{Archive, Misread};
use crate::archive::{self, Limits, Open};
use crate::body::container::Ulimit;
use crate::dockerfile::{self, Ask, Build, BuildArgs, Builder, ImageName};
use crate::facts::Fetch;
use crate::image::Reference;
use crate::json;
use crate::privilege::asked::Asked;
use crate::privilege::{Namespace, Peer, Privilege};
use crate::resource::Image;
use crate::target::Query;

/// The limits that a build may set for its containers, none of which is a privilege: the daemon reads
/// `cpuperiod`, `cpuquota`, `cpusetcpus`, `cpusetmems`, `cpushares`, `memory`, `memswap` and `shmsize`.
/// Harmless as well: `forcerm`, `labels`, `nocache`, `q`, `rm`, `squash`, `target`. The Dockerfile is read by
/// `dockerfile` and `buildargs`; `platform` and `pull` say which images are fetched.
const OPTIONS: &[&str] = &["outputs", "securityopt", "extrahosts"];

/// Whether the classic builder builds. Of BuildKit the query says nothing, and the archive may be read in other ways.
pub(super) fn is_classic(query: &Query) -> Result<bool, Misread> {
    Ok(matches!((query.value("version")?, query.value("session")?), ("" | "1", "")))
}

/// What is asked for a build of which BuildKit shows nobody what it does before it does it.
pub(crate) const UNSHOWN_BUILD: &str = "a build that BuildKit does not show before it runs (use buildx)";

/// What the Dockerfile of a build context does.
pub(super) fn context(query: &Query, source: Open<'_>, limits: &Limits) -> Result<Build, Misread> {
    let name = query.value("dockerfile")?;
    let args = match query.value("buildargs")? {
        "" | "null" => BuildArgs::new(),
        text => json::read::<BuildArgs>(text.as_bytes(), &json::Options::default())?.into_value(),
    };
    let text = archive::context::dockerfile(source, name, Builder::Classic, limits)?;
    let build = dockerfile::read(&text, &args, Builder::Classic)?;
    Ok(Build { text: String::from_utf8_lossy(&text).into(), ..build })
}

impl Asked<'_> {
    /// What the query of a build asks for. A container's name in the network mode becomes its id.
    pub(crate) fn build(&mut self, query: &mut Query) -> Result<(), Misread> {
        if !is_classic(query)? {
            self.ask_once(Privilege::Unexamined { part: UNSHOWN_BUILD });
        }
        for tag in query.all("t").map(str::to_owned).collect::<Vec<_>>() {
            self.name_image(&tag, "", "t")?;
        }
        for name in OPTIONS {
            for value in query.all(name).filter(|value| !matches!(*value, "" | "null" | "[]" | "{}")) {
                self.ask(Privilege::SetBuildOption { name: (*name).to_owned(), value: value.to_owned() });
            }
        }
        let remote = query.value("remote")?.to_owned();
        if !remote.is_empty() {
            self.ask(Privilege::FetchBuildContext { from: remote });
            // What is there, and will be when the daemon fetches it, nobody has seen.
            self.ask(Privilege::Unexamined { part: "a remote build context" });
        }
        self.cgroup_parent(query.value("cgroupparent")?);
        let isolation = query.value("isolation")?.to_owned();
        if !matches!(isolation.as_str(), "" | "default") {
            self.ask(Privilege::UseRuntime { name: isolation });
        }
        self.build_network(query)?;
        self.build_lists(query)
    }

    fn build_network(&mut self, query: &mut Query) -> Result<(), Misread> {
        let mut mode = query.value("networkmode")?.to_owned();
        match mode.as_str() {
            "" | "default" | "none" => {}
            "host" => self.ask(Privilege::ShareNamespace { namespace: Namespace::Network, with: Peer::Host }),
            other if other.starts_with("container:") => {
                let with = self.join(&mut mode)?;
                self.ask(Privilege::ShareNamespace { namespace: Namespace::Network, with });
                query.set("networkmode", mode);
            }
            network => self.join_network(network),
        }
        Ok(())
    }

    /// What the Dockerfile of a build asks for. `fetched`: its images were fetched just now.
    ///
    /// An image that is not there yet, or that the daemon is told to fetch anew, brings triggers that nobody has seen.
    /// So it is to be fetched first, and the build is sent without being told to fetch.
    pub(super) fn building(&mut self, archive: &Archive, query: &mut Query, fetched: bool) -> Result<(), Misread> {
        let Archive::Context(build) = archive else {
            if is_classic(query)? {
                self.unread();
            }
            return Ok(());
        };
        let (network, platform) = (query.value("networkmode")?.to_owned(), query.value("platform")?.to_owned());
        let anew = query.flag("pull")? == Some(true);
        if anew && fetched {
            query.set("pull", "0".to_owned());
        }
        for image in build.bases.iter().chain(&build.steps.copies_from) {
            let platform = if image.platform.is_empty() { &platform } else { &image.platform };
            self.needed(image, platform, anew, fetched)?;
        }
        for image in &build.onbuild.copies_from {
            self.pulled(&image.name, &platform, anew);
        }
        for ask in build.asks() {
            self.build_step(&ask, &network)?;
        }
        for base in &build.bases {
            let Some(known) = self.world.image(&base.name) else { continue };
            let misread = |reason| Misread::Trigger { image: base.name.clone(), reason };
            let steps = dockerfile::triggers(&known.triggers, Builder::Classic).map_err(misread)?;
            for image in &steps.copies_from {
                self.pulled(&image.name, &platform, anew);
            }
            for ask in steps.asks() {
                self.build_step(&ask, &network)?;
            }
        }
        Ok(())
    }

    /// An image that the daemon must have before the build: fetched first where it would fetch it.
    fn needed(&mut self, image: &ImageName, platform: &str, anew: bool, fetched: bool) -> Result<(), Misread> {
        let missing = self.build_image(&image.name)?;
        let Some(fetch) = self.pulled(&image.name, platform, anew || missing) else { return Ok(()) };
        if self.fetches.iter().any(|other| other.image == fetch.image && other.platform != fetch.platform) {
            return Err(Misread::value("FROM", "names one image for two platforms; build them one by one"));
        }
        if (missing || !fetched) && !self.fetches.contains(&fetch) {
            self.fetches.push(fetch);
        }
        Ok(())
    }

    /// The pull of an image that the daemon would fetch: anew, or because it is there for another platform. (A trigger
    /// may name a stage of whoever builds from it where it seems to name an image: that is not to be fetched first.)
    pub(crate) fn pulled(&mut self, name: &str, platform: &str, anew: bool) -> Option<Fetch> {
        let reference = Reference::parse(name).map(Reference::with_default_tag).ok()?;
        let fits = platform.is_empty() || self.world.image(name).is_some_and(|known| known.platform == platform);
        if !anew && fits {
            return None;
        }
        let image = Image { reference: Some(reference.clone()), ..Image::default() };
        self.ask_once(Privilege::PullImage { image });
        Some(Fetch { image: reference, platform: platform.to_owned() })
    }

    /// An image that a build takes. Whether it is missing, so that the daemon would fetch it.
    pub(crate) fn build_image(&mut self, name: &str) -> Result<bool, Misread> {
        let before = self.absent.take();
        let (image, ..) = self.image(name)?;
        let missing = self.absent.take().is_some();
        self.absent = before;
        if image == Image::default() {
            let name: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
            return Err(Misread::value(format!("`{name}` in the Dockerfile"), "names no image"));
        }
        if missing {
            self.ask_once(Privilege::PullImage { image: image.clone() });
        }
        no_id_to_be(name, &image)?;
        self.ask_once(Privilege::UseImage { image });
        Ok(missing)
    }

    /// One thing that a build does. `network`: the one that its commands run in.
    fn build_step(&mut self, ask: &Ask, network: &str) -> Result<(), Misread> {
        match ask {
            Ask::UseImage(name) => {
                self.build_image(name)?;
            }
            Ask::Run => self.build_run(network),
            Ask::RunInNetwork(mode) => {
                self.build_run(mode);
                if mode == "host" {
                    self.ask_once(Privilege::ShareNamespace { namespace: Namespace::Network, with: Peer::Host });
                }
            }
            Ask::RunWithSecurity(mode) if mode == "insecure" => self.ask_once(Privilege::Privileged),
            Ask::RunWithSecurity(mode) => {
                self.ask_once(Privilege::SetBuildOption { name: "security".to_owned(), value: mode.clone() });
            }
            Ask::RunWithDevice(device) => {
                self.ask_once(Privilege::RequestDevice { driver: "cdi".to_owned(), devices: device.clone() });
            }
            Ask::Fetch { from, .. } => self.ask_once(Privilege::BuildFetch { from: from.clone() }),
            // Who may not do it himself may not have it done by others. (And a later stage that starts from this one
            // does it in this very build.)
            Ask::LeaveTrigger(later) => self.build_step(later, network)?,
            Ask::Unclear(text) => return Err(Misread::Unclear { text: text.chars().take(100).collect() }),
        }
        Ok(())
    }

    /// Commands that run as root of a container without any privilege of its own.
    pub(crate) fn build_run(&mut self, network: &str) {
        let network = if network.is_empty() { "default" } else { network };
        let run = Privilege::BuildRun { network: network.to_owned() };
        if self.privileges.contains(&run) {
            return;
        }
        self.ask(run);
        // Every other network was asked for with the query.
        if network == "default" {
            self.join_network("bridge");
        }
    }

    /// `cachefrom` and `ulimits`, which are JSON inside the query.
    fn build_lists(&mut self, query: &Query) -> Result<(), Misread> {
        for name in list::<String>(query, "cachefrom")? {
            // One that is not there is no cache; one that is may become the result as it is.
            let before = self.absent.take();
            let (image, ..) = self.image(&name)?;
            self.absent = before;
            if image == Image::default() {
                return Err(Misread::value("cachefrom", "names no image"));
            }
            no_id_to_be(&name, &image)?;
            self.ask(Privilege::UseImage { image });
        }
        for Ulimit { name, soft, hard } in list::<Ulimit>(query, "ulimits")? {
            self.ask(Privilege::SetUlimit { name, soft, hard });
        }
        Ok(())
    }
}

/// Refuses the name of an image that would be taken for the beginning of an id once the name is taken away, which can
/// be while the daemon builds.
fn no_id_to_be(name: &str, image: &Image) -> Result<(), Misread> {
    if image.reference.is_some() && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Misread::value(format!("`{name}` in the build"), "could be taken for an id; write it with a tag"));
    }
    Ok(())
}

/// A parameter that holds a JSON list.
fn list<T: serde::de::DeserializeOwned>(query: &Query, name: &str) -> Result<Vec<T>, Misread> {
    match query.value(name)? {
        "" | "null" => Ok(Vec::new()),
        text => Ok(json::read::<Vec<T>>(text.as_bytes(), &json::Options::default())?.into_value()),
    }
}
