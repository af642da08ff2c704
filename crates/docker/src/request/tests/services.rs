//! Services: each field of their tasks, in the words of a container's privileges.

use super::*;

/// What a service asks for beyond the image, user and network that every one of `tiny` has.
fn asks(container: &str, task: &str, service: &str) -> Vec<String> {
    let user = if container.starts_with(r#""User":"#) || container.contains(r#""User":"1000""#) {
        ""
    } else {
        r#","User":"1000""#
    };
    let container = if container.is_empty() { String::new() } else { format!(",{container}") };
    let task = if task.is_empty() { String::new() } else { format!(",{task}") };
    let service = if service.is_empty() { String::new() } else { format!(",{service}") };
    let body = format!(
        r#"{{"Name":"web","TaskTemplate":{{"ContainerSpec":{{"Image":"tiny"{user}{container}}}{task}}}{service}}}"#
    );
    let ordinary = ["use image tiny:latest", "pull image tiny:latest", "run as uid 1000", "join network bridge"];
    match understood("POST /v1.41/services/create", &body) {
        Ok(facts) => {
            assert_eq!(facts.resources, [Resource::Daemon]);
            let asked = facts.privileges.iter().map(ToString::to_string);
            asked.filter(|asked| !ordinary.contains(&asked.as_str())).collect()
        }
        Err(error) => vec![format!("refused: {error}")],
    }
}

/// Every field of `go-structs.md` that grants nothing.
#[test]
fn an_ordinary_service_asks_for_little() {
    let none = Vec::<String>::new();
    assert_eq!(asks("", "", ""), none);
    assert_eq!(
        asks(
            r#""Labels":{"a":"b"},"Command":["a"],"Args":["b"],"Hostname":"h","Env":["A=secret"],"Dir":"/d","User":"1000",
               "Groups":[],"Privileges":{"CredentialSpec":null,"SELinuxContext":null,"Seccomp":{"Mode":"default"},
               "AppArmor":{"Mode":"default"},"NoNewPrivileges":true},"Init":true,"StopSignal":"TERM","TTY":true,"OpenStdin":true,
               "ReadOnly":true,"Mounts":[],"StopGracePeriod":1,"Healthcheck":{"Test":["NONE"]},"Hosts":["1.2.3.4 h"],
               "DNSConfig":{"Nameservers":["1.1.1.1"],"Search":["x"],"Options":["y"]},"Secrets":[],"Configs":null,
               "Isolation":"default","Sysctls":{},"CapabilityAdd":[],"CapabilityDrop":["ALL"],"Ulimits":[],"OomScoreAdj":0"#,
            r#""Resources":{"Limits":{"NanoCPUs":1,"MemoryBytes":2,"Pids":3},"Reservations":{"NanoCPUs":1,"MemoryBytes":2,
               "GenericResources":[]},"SwapBytes":1,"MemorySwappiness":2},"RestartPolicy":{"Condition":"any","Delay":1,
               "MaxAttempts":2,"Window":3},"Placement":{"Constraints":["node.role==worker"],"Preferences":[{"Spread":
               {"SpreadDescriptor":"x"}}],"MaxReplicas":1,"Platforms":[{"Architecture":"a","OS":"b"}]},"ForceUpdate":1,
               "Runtime":"container""#,
            r#""Labels":{"a":"b"},"Mode":{"Replicated":{"Replicas":3},"Global":null,"ReplicatedJob":null,"GlobalJob":null},
               "UpdateConfig":{"Parallelism":1,"Delay":2,"FailureAction":"rollback","Monitor":3,"MaxFailureRatio":0.5,
               "Order":"start-first"},"RollbackConfig":{},"EndpointSpec":{"Mode":"vip","Ports":[]}"#,
        ),
        none
    );
}

#[test]
fn each_field_of_a_task_that_ties_to_the_host_is_asked() {
    for (given, expected) in [
        (r#""User":"+0""#, "run as root (user `+0`)"),
        (r#""User":"""#, "run as root (no user is given)"),
        (r#""Groups":["0"]"#, "join group 0"),
        (r#""CapabilityAdd":["CAP_sys_admin"]"#, "add capability SYS_ADMIN"),
        (r#""Sysctls":{"net.ipv4.ip_forward":"1"}"#, "set sysctl net.ipv4.ip_forward=1"),
        (r#""Ulimits":[{"Name":"nofile","Soft":1,"Hard":2}]"#, "set ulimit nofile=1:2"),
        (r#""OomScoreAdj":-1000"#, "set oom-score to -1000"),
        (r#""Isolation":"hyperv""#, "use runtime hyperv"),
        (r#""Privileges":{"SELinuxContext":{"Disable":true}}"#, "set security option label=disable"),
        (r#""Privileges":{"SELinuxContext":{"Type":"spc_t"}}"#, "set security option label=type:spc_t"),
        (r#""Privileges":{"SELinuxContext":{"User":"u"}}"#, "set security option label=user:u"),
        (r#""Privileges":{"SELinuxContext":{"Role":"r"}}"#, "set security option label=role:r"),
        (r#""Privileges":{"SELinuxContext":{"Level":"s0"}}"#, "set security option label=level:s0"),
        (r#""Privileges":{"Seccomp":{"Mode":"unconfined"}}"#, "set security option seccomp=unconfined"),
        (r#""Privileges":{"Seccomp":{"Mode":"custom","Profile":"e30="}}"#, "set security option seccomp=custom"),
        (r#""Privileges":{"Seccomp":{"Profile":"e30="}}"#, "set security option seccomp=custom"),
        (r#""Privileges":{"AppArmor":{"Mode":"disabled"}}"#, "set security option apparmor=unconfined"),
        (r#""Privileges":{"AppArmor":{"Mode":"new"}}"#, "set security option apparmor=new"),
        (r#""Privileges":{"CredentialSpec":{"File":"f"}}"#, "set security option credentialspec=file://f"),
        (r#""Privileges":{"CredentialSpec":{"Registry":"r"}}"#, "set security option credentialspec=registry://r"),
        (r#""Mounts":[{"Type":"bind","Source":"/etc","Target":"/h"}]"#, "mount host path /etc read-write"),
        (
            r#""Mounts":[{"Type":"bind","Source":"/srv/link/a","Target":"/h","ReadOnly":true}]"#,
            "mount host path /etc/a read-only (asked for as /srv/link/a)",
        ),
        (r#""Mounts":[{"Type":"tmpfs","Target":"/run"}]"#, "mount a tmpfs at /run"),
        (r#""Mounts":[{"Type":"cluster","Source":"v","Target":"/v"}]"#, "use volume driver cluster"),
        (r#""Mounts":[{"Type":"image","Source":"tiny","Target":"/i"}]"#, "mount image tiny:latest"),
        (r#""Mounts":[{"Type":"volume","Source":"v","Target":"/v"}]"#, "mount volume v"),
        (
            r#""Mounts":[{"Type":"volume","Source":"evil","Target":"/v"}]"#,
            "mount host path / read-write through a volume",
        ),
        (
            r#""Mounts":[{"Type":"volume","Target":"/h","VolumeOptions":{"DriverConfig":{"Options":{"type":"none","o":"bind","device":"/etc"}}}}]"#,
            "mount host path /etc read-write through a volume",
        ),
        (
            r#""Secrets":[{"SecretID":"s1","SecretName":"s1","File":{"Name":"/x","UID":"0","GID":"0","Mode":292}}]"#,
            "use secret s1",
        ),
        (r#""Configs":[{"ConfigID":"c1","ConfigName":"c1","Runtime":{}}]"#, "use config c1"),
    ] {
        assert_eq!(asks(given, "", "").first().map(String::as_str), Some(expected), "{given}");
    }
    assert_eq!(
        asks(r#""Privileges":{"CredentialSpec":{"Config":"c1"}}"#, "", ""),
        ["set security option credentialspec=config://c1", "use config c1"]
    );
}

#[test]
fn each_field_around_the_task_is_asked() {
    for (task, service, expected) in [
        (r#""LogDriver":{"Name":"syslog","Options":{"syslog-address":"tcp://x"}}"#, "", "use log driver syslog"),
        (
            r#""Resources":{"Reservations":{"GenericResources":[{"DiscreteResourceSpec":{"Kind":"gpu","Value":2}}]}}"#,
            "",
            "request devices 2 of driver `gpu`",
        ),
        (
            r#""Resources":{"Reservations":{"GenericResources":[{"NamedResourceSpec":{"Kind":"gpu","Value":"id0"}}]}}"#,
            "",
            "request devices id0 of driver `gpu`",
        ),
        (r#""Networks":[{"Target":"host"}]"#, "", "share the host's network namespace"),
        (r#""Networks":[{"Target":"1234"}]"#, "", "share the host's network namespace"),
        ("", r#""Networks":[{"Target":"host"}]"#, "share the host's network namespace"),
        (r#""Networks":[{"Target":"appnet"}]"#, "", "join network appnet"),
        (r#""Networks":[{"Target":"appnet","DriverOpts":{"parent":"eth0"}}]"#, "", "set network option parent"),
        ("", r#""EndpointSpec":{"Ports":[{"TargetPort":80,"PublishedPort":443}]}"#, "publish port 443/tcp"),
        (
            "",
            r#""EndpointSpec":{"Ports":[{"Protocol":"udp","PublishedPort":53,"PublishMode":"host"}]}"#,
            "publish port 53/udp",
        ),
        ("", r#""EndpointSpec":{"Ports":[{"TargetPort":80}]}"#, "publish a free port on */tcp"),
        (
            r#""PluginSpec":{"name":"p","remote":"evil.example/p:1","privileges":[{"name":"mount","value":["/"]}],"env":["A=b"]}"#,
            "",
            "mount host path / read-write",
        ),
        (r#""PluginSpec":{"remote":"evil.example/p:1"},"Runtime":"plugin""#, "", "install plugin evil.example/p:1"),
    ] {
        let asked = asks("", task, service);
        assert!(asked.iter().any(|asked| asked == expected), "{task}{service}: {asked:?}");
    }
}

#[test]
fn what_no_service_may_say_is_refused() {
    for (container, task, service, expected) in [
        (r#""Brandnew":1"#, "", "", "unknown field `TaskTemplate.ContainerSpec.Brandnew`"),
        ("", r#""Brandnew":1"#, "", "unknown field `TaskTemplate.Brandnew`"),
        (r#""Mounts":[{"Type":"npipe","Target":"/x"}]"#, "", "", "type other than"),
        (r#""Mounts":[{"Type":"bind","Source":"etc","Target":"/x"}]"#, "", "", "not an absolute path"),
        (r#""Mounts":[{"Type":"bind","Source":"/srv/{{print 1}}","Target":"/x"}]"#, "", "", "holds a template"),
        (
            r#""Mounts":[{"Target":"/x","VolumeOptions":{"DriverConfig":{"Options":{"o":"{{print 1}}"}}}}]"#,
            "",
            "",
            "holds a template",
        ),
        (r#""Labels":{"owner":"alice"}"#, "", r#""Labels":{"owner":"ci"}"#, "says otherwise"),
        ("", r#""Runtime":"attachment""#, "", "attaches a container"),
        ("", r#""NetworkAttachmentSpec":{"ContainerID":"web"}"#, "", "attaches a container"),
        ("", r#""PluginSpec":{"remote":"p","privileges":[{"name":"new"}]}"#, "", "not known here"),
        ("", "", r#""EndpointSpec":{"Ports":[{"PublishedPort":65536}]}"#, "cannot be read"),
        ("", "", r#""EndpointSpec":{"Ports":[{"Protocol":"TCP"}]}"#, "cannot be read"),
    ] {
        let asked = asks(container, task, service);
        assert!(asked.first().is_some_and(|asked| asked.contains(expected)), "{container}{task}{service}: {asked:?}");
    }
    for (image, expected) in [
        ("", "is not the name of an image"),
        ("0123456789012345678901234567890123456789012345678901234567890123", "is not the name of an image"),
        ("sha256:0123456789012345678901234567890123456789012345678901234567890123", "is the id of an image"),
    ] {
        let body = format!(r#"{{"TaskTemplate":{{"ContainerSpec":{{"Image":"{image}"}}}}}}"#);
        let refused = understood("POST /services/create", &body).unwrap_err();
        assert!(refused.contains(expected), "{image}: {refused}");
    }
    let name = r#"{"Name":"0123456789abcdefghijklmno","TaskTemplate":{}}"#;
    assert!(understood("POST /services/create", name).unwrap_err().contains("could be taken for an id"));
}

/// Names become ids, and what could be taken for the id of an image on another node becomes a name.
#[test]
fn a_service_is_sent_as_it_was_judged() {
    let facts = understood(
        "POST /v1.41/services/create",
        r#"{"tasktemplate":{"containerspec":{"image":"cafe","Secrets":[{"SecretName":"s1","SecretID":"s1"}],
            "Mounts":[{"Type":"bind","Source":"/srv/link","Target":"/h"}]},"Networks":[{"Target":"appnet"},{"Target":"host"}]}}"#,
    )
    .unwrap();
    let secret = thing_id("s1");
    assert_eq!(
        sent(&facts),
        format!(
            r#"{{"TaskTemplate":{{"ContainerSpec":{{"Image":"cafe:latest","Mounts":[{{"Type":"bind","Source":"/etc","Target":"/h"}}],"Secrets":[{{"SecretID":"{secret}","SecretName":"s1"}}]}},"Networks":[{{"Target":"{}"}},{{"Target":"host"}}]}}}}"#,
            "appnet".repeat(8)
        )
    );
    assert!(facts.absent.is_none());
    let resolved = |facts: &Facts| {
        facts.privileges.iter().find_map(|asked| match asked {
            Privilege::MountHostPath(mount) => Some(mount.resolved),
            _ => None,
        })
    };
    assert_eq!(resolved(&facts), Some(false), "links on other nodes are not followed");
}

/// What an image says of its user holds on other nodes only where the name holds a digest.
#[test]
fn an_image_without_a_digest_says_nothing_of_its_user() {
    let user = |image: &str| {
        let body = format!(r#"{{"TaskTemplate":{{"ContainerSpec":{{"Image":"{image}"}}}}}}"#);
        let facts = understood("POST /services/create", &body).unwrap();
        let asked = facts.privileges.iter().map(ToString::to_string).find(|asked| asked.starts_with("run as"));
        asked.unwrap()
    };
    assert_eq!(user("tiny-nonroot:1"), "run as root (no user is given)");
    assert_eq!(user(&format!("tiny-nonroot@sha256:{:0<64}", 1)), "run as uid 1001");
}

#[test]
fn what_is_not_there_is_told_after_all_else_is_granted() {
    let facts = |container: &str, task: &str| {
        let body = format!(r#"{{"TaskTemplate":{{"ContainerSpec":{{"Image":"tiny"{container}}}{task}}}}}"#);
        understood("POST /services/create", &body).unwrap().absent.unwrap().message
    };
    assert_eq!(facts(r#","Secrets":[{"SecretName":"nosuch","SecretID":"nosuch"}]"#, ""), "secret nosuch not found");
    assert_eq!(facts("", r#","Networks":[{"Target":"nosuch"}]"#), "network nosuch not found");
    let inspected = understood("GET /services/nosuch", "").unwrap();
    assert_eq!(inspected.absent.unwrap().message, "service nosuch not found");
}

#[test]
fn an_update_is_judged_whole_and_a_rollback_by_what_was() {
    let harmless = r#"{"Name":"web","TaskTemplate":{"ContainerSpec":{"Image":"tiny","User":"1000"}},"Mode":{"Replicated":{"Replicas":5}}}"#;
    let asked = |head: &str| {
        let facts = understood(head, harmless)?;
        let [Resource::Thing(service)] = facts.resources.as_slice() else { panic!("{:?}", facts.resources) };
        assert_eq!(service.name, head.split('/').nth(3).unwrap());
        assert!(facts.canonical.target.starts_with(&format!("/v1.41/services/{}/update?", service.id)));
        Ok::<Vec<String>, String>(facts.privileges.iter().map(ToString::to_string).collect())
    };
    let plain = asked("POST /v1.41/services/web/update?version=7").unwrap();
    assert_eq!(plain, ["join network bridge", "use image tiny:latest", "pull image tiny:latest", "run as uid 1000"]);
    let rolled = asked("POST /v1.41/services/web/update?version=7&rollback=previous").unwrap();
    assert!(rolled.starts_with(&plain));
    assert!(rolled.contains(&"mount host path /etc read-write".to_owned()), "{rolled:?}");
    let unread = asked("POST /v1.41/services/old/update?version=7&rollback=previous").unwrap();
    assert!(unread.last().unwrap().contains("does not look into"), "{unread:?}");
    let absent = |head: &str| understood(head, harmless).unwrap().absent.map(|absent| absent.message);
    assert_eq!(absent("POST /v1.41/services/web/update?version=7&rollback=previous"), None);
    for (head, words) in [
        ("POST /v1.41/services/new/update?version=7&rollback=previous", "does not have a previous spec"),
        ("POST /v1.41/services/web/update?version=8&rollback=previous", "update out of sequence"),
        ("POST /v1.41/services/web/update?rollback=previous", "update out of sequence"),
    ] {
        assert!(absent(head).unwrap().contains(words), "{head}");
    }
    assert!(asked("POST /v1.41/services/web/update?rollback=PREVIOUS").unwrap_err().contains("can only be `previous`"));
}

#[test]
fn policies_see_the_limits_of_a_service() {
    let facts = understood(
        "POST /v1.44/services/create",
        r#"{"Name":"web","Labels":{"a":"1"},"TaskTemplate":{"ContainerSpec":{"Image":"tiny","Env":["A=secret"],"ReadOnly":true,
            "Labels":{"b":"2"},"Privileges":{"NoNewPrivileges":true},"CapabilityDrop":["CAP_ALL"]},
            "Resources":{"Limits":{"MemoryBytes":5,"NanoCPUs":6,"Pids":7}},"RestartPolicy":{"Condition":"none"}}}"#,
    )
    .unwrap();
    let spec = facts.spec.clone().unwrap();
    assert_eq!((spec.name.as_str(), spec.memory, spec.nano_cpus, spec.pids), ("web", 5, 6, 7));
    assert!(spec.read_only && spec.no_new_privileges);
    assert_eq!(spec.dropped_capabilities, ["ALL"]);
    assert_eq!(spec.environment, ["A"]);
    assert_eq!(spec.restart, "none");
    assert_eq!(spec.labels.len(), 2);
    assert!(!format!("{facts:?}").contains("secret"), "{facts:?}");
    // What the daemon would drop was not said.
    let older = understood("POST /v1.40/services/create", &sent(&facts)).unwrap().spec.unwrap();
    assert!(!older.no_new_privileges && older.dropped_capabilities.is_empty() && older.pids == 0, "{older:?}");
}

#[test]
fn a_secret_that_runs_as_its_owner_is_asked() {
    let file = |mode: u32| {
        format!(r#""Configs":[{{"ConfigName":"c","File":{{"Name":"/su","UID":"0","GID":"0","Mode":{mode}}}}}]"#)
    };
    assert_eq!(asks(&file(0o444), "", ""), ["use config c"]);
    assert_eq!(
        asks(&file(1 << 23 | 0o755), "", ""),
        ["use config c", "copy a file that runs as its owner (setuid or setgid) into a container: /su"]
    );
}

/// The digest is what every node fetches; the tag is still what rules speak of.
#[test]
fn a_pinned_image_keeps_its_tag() {
    let digest = format!("sha256:{}", "4".repeat(64));
    for (image, sent) in
        [("a.example/x", format!("a.example/x:latest@{digest}")), ("b.example/x", "b.example/x:latest".into())]
    {
        let body = format!(r#"{{"TaskTemplate":{{"ContainerSpec":{{"Image":"{image}"}}}}}}"#);
        let request = request(&Reading::default(), "POST /v1.41/services/create", &body).unwrap();
        let facts = settled(&request.pinned(pin("a.example/x:latest", &digest))).unwrap();
        let CanonicalBody::Json(body) = &facts.canonical.body else { panic!("{facts:?}") };
        let body: serde_json::Value = serde_json::from_slice(body).unwrap();
        assert_eq!(body["TaskTemplate"]["ContainerSpec"]["Image"], sent);
        let tagged = |privilege: &Privilege| match privilege {
            Privilege::UseImage { image } => image.reference.as_ref().and_then(|name| name.tag.clone()),
            _ => None,
        };
        assert_eq!(facts.privileges.iter().find_map(tagged).as_deref(), Some("latest"));
    }
}

#[test]
fn a_pinned_pull_is_judged_by_its_tag_and_sent_by_its_digest() {
    let digest = format!("sha256:{}", "4".repeat(64));
    let request = request(&Reading::default(), "POST /v1.41/images/create?fromImage=tiny&tag=1", "").unwrap();
    let facts = settled(&request.clone().pinned(pin("tiny:1", &digest))).unwrap();
    assert_eq!(facts.privileges.iter().map(ToString::to_string).collect::<Vec<_>>(), ["pull image tiny:1"]);
    let tag = digest.replace(':', "%3A");
    assert_eq!(facts.canonical.target, format!("/v1.41/images/create?fromImage=docker.io%2Flibrary%2Ftiny&tag={tag}"));
    // A door that cannot send it so must know.
    assert!(request.edited(&facts.canonical).unwrap().is_some());
}

fn pin(name: &str, to: &str) -> Pins {
    [(Reference::parse(name).unwrap(), to.to_owned())].into()
}
