//! Classic builds, judged by their query. What the context holds is not looked into yet.

use super::Misread;
use crate::body::container::Ulimit;
use crate::image::Reference;
use crate::json;
use crate::privilege::asked::Asked;
use crate::privilege::{Namespace, Peer, Privilege};
use crate::resource::Image;
use crate::target::Query;

/// The limits that a build may set for its containers, none of which is a privilege: the daemon reads
/// `cpuperiod`, `cpuquota`, `cpusetcpus`, `cpusetmems`, `cpushares`, `memory`, `memswap` and `shmsize`.
/// Harmless as well: `buildargs`, `dockerfile`, `forcerm`, `labels`, `nocache`, `platform`, `pull`, `q`,
/// `rm`, `squash`, `target`.
const OPTIONS: &[&str] = &["outputs", "securityopt", "extrahosts"];

/// Refuses what would be built by BuildKit: there the query says nothing of what happens.
pub(super) fn classic_only(query: &Query) -> Result<(), Misread> {
    match (query.value("version")?, query.value("session")?) {
        ("" | "1", "") => Ok(()),
        _ => Err(Misread::BuildKit),
    }
}

impl Asked<'_> {
    /// What the query of a build asks for. A container's name in the network mode becomes its id.
    pub(crate) fn build(&mut self, query: &mut Query) -> Result<(), Misread> {
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

    /// `cachefrom` and `ulimits`, which are JSON inside the query.
    fn build_lists(&mut self, query: &Query) -> Result<(), Misread> {
        for name in list::<String>(query, "cachefrom")? {
            let reference = Reference::parse(&name).map_err(|_| Misread::value("cachefrom", "names no image"))?;
            let image = Image { reference: Some(reference.with_default_tag()), ..Image::default() };
            self.ask(Privilege::UseImage { image });
        }
        for Ulimit { name, soft, hard } in list::<Ulimit>(query, "ulimits")? {
            self.ask(Privilege::SetUlimit { name, soft, hard });
        }
        Ok(())
    }
}

/// A parameter that holds a JSON list.
fn list<T: serde::de::DeserializeOwned>(query: &Query, name: &str) -> Result<Vec<T>, Misread> {
    match query.value(name)? {
        "" | "null" => Ok(Vec::new()),
        text => Ok(json::read::<Vec<T>>(text.as_bytes(), &json::Options::default())?.into_value()),
    }
}
