//! Plugins: what they are granted, by a client's list, by their configuration, and by their settings.

use super::*;
use crate::body::plugin::PluginConfig;

fn asks(head: &str, body: &str) -> Vec<String> {
    match understood(head, body) {
        Ok(facts) => facts.privileges.iter().map(ToString::to_string).collect(),
        Err(error) => vec![format!("refused: {error}")],
    }
}

#[test]
fn each_privilege_of_a_plugin_is_a_containers() {
    let pull = "POST /v1.41/plugins/pull?remote=registry.test/team/p:1&name=";
    let installs = ["contact registry registry.test", "install plugin registry.test/team/p:1"];
    for nothing in ["[]", "null", ""] {
        assert_eq!(asks(pull, nothing), installs, "{nothing:?}");
    }
    for (name, value, expected) in [
        ("network", "host", "share the host's network namespace"),
        ("network", "new", "use network mode `new`"),
        ("host ipc namespace", "true", "share the host's ipc namespace"),
        ("host pid namespace", "true", "share the host's pid namespace"),
        ("mount", "/srv/link/x", "mount host path /etc/x read-write (asked for as /srv/link/x)"),
        ("device", "/dev/fuse", "use device /dev/fuse"),
        ("allow-all-devices", "true", "add device cgroup rule `a *:* rwm`"),
        ("capabilities", "CAP_SYS_ADMIN", "add capability SYS_ADMIN"),
    ] {
        let body = format!(r#"[{{"Name":"{name}","Description":"d","Value":["{value}"]}}]"#);
        assert_eq!(asks(pull, &body).last().map(String::as_str), Some(expected), "{name}");
        let facts = understood(pull, &body).unwrap();
        assert_eq!(sent(&facts), body, "the daemon compares the list with the plugin's own");
    }
    assert_eq!(asks(pull, r#"[{"Name":"network","Value":["none"]}]"#), installs);
    assert!(asks(pull, r#"[{"Name":"new power","Value":["x"]}]"#).concat().contains("not known here"));
    assert!(asks(pull, r#"[{"Name":"mount","Name":"network"}]"#).concat().contains("twice"));
    assert!(asks("POST /plugins/pull?name=x", "[]").concat().contains("not the name of a plugin"));
}

#[test]
fn every_end_point_of_plugins_names_what_it_is_about() {
    let id = thing_id("p");
    for (head, body, target, expected) in [
        (
            "GET /plugins/privileges?remote=evil.example/p",
            "",
            "/plugins/privileges?remote=evil.example/p",
            vec!["contact registry evil.example"],
        ),
        (
            "POST /plugins/p/enable?timeout=0",
            "",
            "/plugins/{id}/enable?timeout=0",
            vec!["share the host's pid namespace", "mount host path /etc read-write"],
        ),
        ("POST /plugins/p/set", r#"["m.source=/root"]"#, "/plugins/{id}/set", vec!["mount host path /root read-write"]),
        (
            "POST /plugins/p/set",
            r#"["m=/root","DEBUG=1"]"#,
            "/plugins/{id}/set",
            vec!["mount host path /root read-write"],
        ),
        ("POST /plugins/p/set", r#"["DEBUG=1"]"#, "/plugins/{id}/set", vec![]),
        ("POST /plugins/p/disable?force=1", "", "/plugins/{id}/disable?force=1", vec![]),
        ("POST /plugins/p/push", "", "/plugins/{id}/push", vec!["contact registry docker.io"]),
        (
            "POST /plugins/p/upgrade?remote=p:2",
            "null",
            "/plugins/{id}/upgrade?remote=p%3A2",
            vec!["contact registry docker.io", "install plugin p:2"],
        ),
        ("DELETE /plugins/p?force=1", "", "/plugins/{id}?force=1", vec![]),
        ("GET /plugins/p/json", "", "/plugins/{id}/json", vec![]),
    ] {
        assert_eq!(asks(head, body), expected, "{head}");
        let sent = understood(head, body).unwrap().canonical.target;
        assert_eq!(
            sent.replace("%2F", "/").replace("%3A", ":"),
            target.replace("{id}", &id).replace("%3A", ":"),
            "{head}"
        );
    }
    assert!(asks("POST /plugins/odd/enable", "").concat().contains("does not look into"));
    assert_eq!(asks("POST /plugins/create?name=p:1", ""), ["install plugin p:1"], "what its head tells");
    let absent = understood("POST /plugins/nosuch/enable", "").unwrap().absent.unwrap();
    assert_eq!((absent.status, absent.message.as_str()), (404, "plugin nosuch not found"));
}

#[test]
fn a_configuration_is_asked_field_by_field() {
    let asked = |config: &str| {
        let config = PluginConfig::read(config.as_bytes()).unwrap();
        let mut world = World::new();
        for _ in 0..2 {
            let mut asked = crate::privilege::asked::Asked::new(&world);
            asked.plugin(&config);
            let privileges: Vec<String> = asked.privileges.iter().map(ToString::to_string).collect();
            match world.take_open() {
                open if open.is_empty() => return privileges,
                open => open.into_iter().for_each(|lookup| look_up(&mut world, lookup)),
            }
        }
        panic!("the world is never settled")
    };
    let harmless = r#"{"description":"d","documentation":"d","entrypoint":["/p"],"workdir":"/","interface":{"types":
        ["docker.authz/1.0"],"socket":"p.sock"},"network":{"type":"none"},"linux":{"capabilities":null},"mounts":null,
        "env":[{"name":"A","value":"b","settable":["value"]}],"args":{"name":"args","settable":["value"]},"user":{"uid":1},
        "propagatedmount":"/data","rootfs":{"type":"layers","diff_ids":[]}}"#;
    assert_eq!(asked(harmless), Vec::<String>::new());
    for (field, expected) in [
        (r#""network":{"type":"host"}"#, "share the host's network namespace"),
        (r#""network":{"type":"bridge"}"#, "join network bridge"),
        (r#""ipchost":true"#, "share the host's ipc namespace"),
        (r#""pidhost":true"#, "share the host's pid namespace"),
        (r#""linux":{"capabilities":["CAP_SYS_ADMIN"]}"#, "add capability SYS_ADMIN"),
        (r#""linux":{"allowAllDevices":true}"#, "add device cgroup rule `a *:* rwm`"),
        (r#""linux":{"devices":[{"name":"d","path":"/dev/fuse","settable":["path"]}]}"#, "use device /dev/fuse"),
        (
            r#""mounts":[{"source":"/etc","destination":"/e","type":"bind","options":["rbind","ro"]}]"#,
            "mount host path /etc read-only",
        ),
        (
            r#""mounts":[{"source":"/etc","destination":"/e","type":"none","options":["rbind"]}]"#,
            "mount host path /etc read-write",
        ),
        (r#""mounts":[{"source":"/dev/vda","destination":"/e","type":"ext4"}]"#, "set volume option type=ext4"),
        (r#""mounts":[{"source":"tmpfs","destination":"/e","type":"tmpfs"}]"#, "mount a tmpfs at /e"),
    ] {
        assert_eq!(asked(&format!("{{{field}}}")).first().map(String::as_str), Some(expected), "{field}");
    }
    assert!(PluginConfig::read(br#"{"newPower":true}"#).is_err());
    assert!(PluginConfig::read(br#"{"mounts":[],"Mounts":[{"source":"/"}]}"#).is_err());
}
