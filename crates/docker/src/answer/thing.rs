//! What the daemon says of services, secrets, configs, nodes, tasks and plugins.

use serde::Deserialize;
use serde_json::Value;

use super::Unreadable;
use crate::body::plugin::{PluginConfig, PluginDevice, PluginMount};
use crate::body::service::ServiceSpec;
use crate::endpoint::Kind;
use crate::json;
use crate::ownership::Ownership;
use crate::request::stored::typed;
use crate::resource::{Labels, Thing};
use crate::world::{KnownThing, Previous};

/// `GET /services/{id}`, `/secrets/{id}`, `/configs/{id}`, `/nodes/{id}`, `/tasks/{id}` and `/plugins/{name}/json`.
pub fn thing(kind: Kind, body: &[u8]) -> Result<KnownThing, Unreadable> {
    let unreadable = Unreadable { what: kind.noun() };
    let answer: Answer = serde_json::from_slice(body).map_err(|_| unreadable.clone())?;
    let id = answer.id.filter(|id| is_plain_id(id)).ok_or(unreadable)?;
    let spec = answer.spec.unwrap_or_default();
    let given = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
    let host = answer.description.and_then(|description| description.hostname);
    // A node is called as its specification says, else as its machine; a task has no name.
    let name = given(&answer.name).or(given(&spec.name)).or(given(&host)).unwrap_or_else(|| id.clone());
    let labels = match kind {
        Kind::Task => spec.container_spec.and_then(|container| container.labels),
        _ => spec.labels,
    };
    let ownership = Ownership::default();
    let thing = Thing { kind, id, name, labels: labels.unwrap_or_default(), ownership };
    // Where it cannot be read, a rollback is refused.
    let version = answer.version.map(|version| version.index).unwrap_or_default();
    let previous = answer.previous_spec.filter(|previous| !previous.is_null());
    let previous =
        previous.map(|previous| Previous { version, spec: typed::<ServiceSpec>(previous).ok().map(Box::new) });
    Ok(KnownThing { thing, previous, service: answer.service_id.filter(|id| is_plain_id(id)) })
}

/// What a plugin is, with the paths that its settings give it now.
pub fn plugin(body: &[u8]) -> Result<PluginConfig, Unreadable> {
    let unreadable = Unreadable { what: "a plugin's configuration" };
    let answer: PluginAnswer = serde_json::from_slice(body).map_err(|_| unreadable.clone())?;
    let mut config: PluginConfig = typed(answer.config).map_err(|_| unreadable.clone())?;
    let settings = answer.settings.unwrap_or_default();
    let list =
        |value: Option<Value>| value.filter(|value| !value.is_null()).unwrap_or_else(|| Value::Array(Vec::new()));
    config.mounts = Some(read::<PluginMount>(list(settings.mounts)).map_err(|_| unreadable.clone())?);
    config.linux.devices = Some(read::<PluginDevice>(list(settings.devices)).map_err(|_| unreadable)?);
    Ok(config)
}

fn read<T: serde::de::DeserializeOwned>(list: Value) -> Result<Vec<T>, json::Error> {
    Ok(json::read::<Vec<T>>(list.to_string().as_bytes(), &json::Options::default())?.into_value())
}

/// Letters and digits: the ids of swarms are 25 of them, those of plugins 64.
fn is_plain_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Plugins say `Id`, all others `ID`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(rename = "ID", alias = "Id")]
    id: Option<String>,
    #[serde(rename = "ServiceID")]
    service_id: Option<String>,
    name: Option<String>,
    spec: Option<Spec>,
    previous_spec: Option<Value>,
    version: Option<Version>,
    description: Option<Description>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Spec {
    name: Option<String>,
    labels: Option<Labels>,
    container_spec: Option<Container>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    labels: Option<Labels>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    index: u64,
}

/// What a node says of its machine.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    hostname: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PluginAnswer {
    config: Value,
    settings: Option<Settings>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    mounts: Option<Value>,
    devices: Option<Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_have_ids_names_and_labels() {
        for (kind, body, name) in [
            (Kind::Secret, r#"{"ID":"a1","Spec":{"Name":"s","Labels":{"k":"v"}}}"#, "s"),
            (
                Kind::Node,
                r#"{"ID":"a1","Spec":{"Labels":{"k":"v"},"Role":"worker"},"Description":{"Hostname":"h"}}"#,
                "h",
            ),
            (Kind::Task, r#"{"ID":"a1","Labels":{},"Spec":{"ContainerSpec":{"Labels":{"k":"v"}}}}"#, "a1"),
        ] {
            let known = thing(kind, body.as_bytes()).unwrap();
            assert_eq!((known.thing.id.as_str(), known.thing.name.as_str()), ("a1", name));
            assert_eq!(known.thing.labels.get("k").map(String::as_str), Some("v"), "{body}");
        }
        for body in [r#"{"Spec":{"Name":"s"}}"#, r#"{"ID":"../x"}"#, "[]"] {
            assert!(thing(Kind::Secret, body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn what_a_service_was_is_read_whole_or_not_at_all() {
        let previous = |spec: &str| {
            let body = format!(r#"{{"ID":"a1","Version":{{"Index":7}},"Spec":{{"Name":"s"}},"PreviousSpec":{spec}}}"#);
            thing(Kind::Service, body.as_bytes()).unwrap().previous
        };
        assert_eq!(previous("null"), None);
        let read = previous(r#"{"Name":"s","TaskTemplate":{"ContainerSpec":{"Image":"tiny"}},"Newer":null}"#).unwrap();
        assert_eq!(read.version, 7);
        assert_eq!(read.spec.unwrap().task_template.container_spec.unwrap().image, "tiny");
        assert_eq!(previous(r#"{"TaskTemplate":{"ContainerSpec":{"NewPower":true}}}"#).unwrap().spec, None);
    }

    #[test]
    fn a_plugin_is_what_its_settings_make_of_it() {
        let body = br#"{"Id":"a1","Name":"p:latest","Enabled":false,
            "Config":{"Args":{"Value":null},"Interface":{"Types":["docker.volumedriver/1.0"]},"Linux":{"Capabilities":["CAP_SYS_ADMIN"],
            "AllowAllDevices":false,"Devices":null},"Mounts":[{"Name":"m","Source":"/old","Type":"bind"}],"Network":{"Type":"host"}},
            "Settings":{"Mounts":[{"Name":"m","Source":"/etc","Type":"bind","Options":["rbind"]}],"Devices":null,"Env":["A=secret"]}}"#;
        let config = plugin(body).unwrap();
        assert_eq!(config.mounts.unwrap().first().unwrap().source, "/etc");
        assert_eq!(config.network.kind, "host");
        assert!(plugin(br#"{"Config":{"NewPower":true}}"#).is_err());
    }
}
