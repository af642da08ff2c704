//! The swarm, its nodes, secrets and configs, cluster volumes, and what is left of other families.

use super::*;

fn asks(head: &str, body: &str) -> Vec<String> {
    match understood(head, body) {
        Ok(facts) => facts.privileges.iter().map(ToString::to_string).collect(),
        Err(error) => vec![format!("refused: {error}")],
    }
}

#[test]
fn a_plain_swarm_asks_for_nothing_more() {
    let init = r#"{"ListenAddr":"127.0.0.1:2377","AdvertiseAddr":"127.0.0.1","DataPathAddr":"","DataPathPort":0,
        "ForceNewCluster":false,"Spec":{"Name":"default","Labels":null,"Orchestration":{"TaskHistoryRetentionLimit":5},
        "Raft":{"SnapshotInterval":1,"KeepOldSnapshots":2,"LogEntriesForSlowFollowers":3,"ElectionTick":4,"HeartbeatTick":5},
        "Dispatcher":{"HeartbeatPeriod":1},"CAConfig":{"NodeCertExpiry":1,"ForceRotate":1},"TaskDefaults":{},
        "EncryptionConfig":{"AutoLockManagers":true}},"AutoLockManagers":true,"Availability":"active",
        "DefaultAddrPool":["10.1.0.0/16"],"SubnetSize":24}"#;
    assert_eq!(asks("POST /v1.41/swarm/init", init), Vec::<String>::new());
    for (head, body) in [
        ("POST /v1.41/swarm/update?version=1&rotateManagerToken=true", r#"{"Name":"default"}"#),
        ("POST /v1.41/swarm/unlock", r#"{"UnlockKey":"SWMKEY-1-x"}"#),
        ("POST /v1.41/swarm/leave?force=1", ""),
        ("GET /v1.41/swarm", ""),
        ("GET /v1.41/swarm/unlockkey", ""),
        ("POST /v1.41/nodes/n1/update?version=1", r#"{"Labels":{},"Role":"worker","Availability":"drain"}"#),
        ("POST /v1.41/secrets/create", r#"{"Name":"s","Data":"eA==","Templating":{"Name":"golang"}}"#),
        ("POST /v1.41/configs/create", r#"{"Name":"c","Data":"eA=="}"#),
    ] {
        assert_eq!(asks(head, body), Vec::<String>::new(), "{head}");
    }
}

#[test]
fn what_hands_over_a_swarm_is_asked() {
    for (head, body, expected) in [
        ("swarm/init", r#"{"ForceNewCluster":true}"#, "set swarm option force-new-cluster=true"),
        ("swarm/init", r#"{"DefaultAddrPool":["93.184.216.0/24"]}"#, "use addresses 93.184.216.0/24 in a network"),
        (
            "swarm/init",
            r#"{"Spec":{"CAConfig":{"ExternalCAs":[{"Protocol":"cfssl","URL":"https://u:secret@evil.example/sign"}]}}}"#,
            "set swarm option external-ca=https://evil.example/sign",
        ),
        ("swarm/init", r#"{"Spec":{"CAConfig":{"SigningCAKey":"secret"}}}"#, "set swarm option signing-ca"),
        ("swarm/init", r#"{"Spec":{"TaskDefaults":{"LogDriver":{"Name":"syslog"}}}}"#, "use log driver syslog"),
        ("swarm/update", r#"{"CAConfig":{"SigningCACert":"x"}}"#, "set swarm option signing-ca"),
        (
            "swarm/join",
            r#"{"RemoteAddrs":["evil.example:2377"],"JoinToken":"SWMTKN-secret"}"#,
            "set swarm option manager=evil.example:2377",
        ),
        ("nodes/n1/update", r#"{"Role":"manager"}"#, "set swarm option role=manager"),
        ("secrets/create", r#"{"Name":"s","Driver":{"Name":"vault"}}"#, "use secret driver vault"),
        ("secrets/create", r#"{"Name":"s","Templating":{"Name":"new"}}"#, "use secret driver template:new"),
        ("configs/create", r#"{"Name":"c","Templating":{"Name":"new"}}"#, "use secret driver template:new"),
        ("swarm/init", r#"{"Brandnew":1}"#, "refused: unknown field `Brandnew` at line 1 column 11"),
        (
            "secrets/create",
            r#"{"Name":"0123456789abcdefghijklmno"}"#,
            "refused: Name could be taken for an id; choose another name",
        ),
    ] {
        assert_eq!(asks(&format!("POST /v1.41/{head}"), body), [expected], "{head} {body}");
    }
}

#[test]
fn members_of_a_swarm_are_sent_by_their_ids() {
    for (method, kind, rest) in [
        ("GET", "services", ""),
        ("DELETE", "services", ""),
        ("GET", "services", "/logs"),
        ("GET", "tasks", ""),
        ("GET", "tasks", "/logs"),
        ("GET", "nodes", ""),
        ("DELETE", "nodes", ""),
        ("GET", "secrets", ""),
        ("DELETE", "secrets", ""),
        ("GET", "configs", ""),
        ("DELETE", "configs", ""),
    ] {
        let facts = understood(&format!("{method} /v1.41/{kind}/x{rest}"), "").unwrap();
        assert_eq!(facts.canonical.target, format!("/v1.41/{kind}/{}{rest}", thing_id("x")));
        let [Resource::Thing(thing)] = facts.resources.as_slice() else { panic!("{:?}", facts.resources) };
        assert_eq!((thing.name.as_str(), thing.labels.get("owner").map(String::as_str)), ("x", Some("ci")));
    }
}

#[test]
fn cluster_volumes_hand_secrets_to_their_driver() {
    let spec = r#"{"Group":"g","AccessMode":{"Scope":"single","Sharing":"all","MountVolume":{"FsType":"ext4","MountFlags":["suid"]}},
        "AccessibilityRequirements":{"Requisite":[{"Segments":{"a":"b"}}]},"CapacityRange":{"RequiredBytes":1,"LimitBytes":2},
        "Secrets":[{"Key":"k","Secret":"s1"}],"Availability":"active"}"#;
    let expected = ["use volume driver cluster", "use secret s1", "set volume option o"];
    assert_eq!(asks("PUT /v1.42/volumes/v?version=1", &format!(r#"{{"Spec":{spec}}}"#)), expected);
    let create =
        understood("POST /v1.42/volumes/create", &format!(r#"{{"Name":"v","ClusterVolumeSpec":{spec}}}"#)).unwrap();
    assert_eq!(create.privileges.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    assert!(sent(&create).contains(&format!(r#""Secret":"{}""#, thing_id("s1"))));
}

/// Tokens, keys and data pass through, and are shown nowhere.
#[test]
fn secrets_are_never_shown() {
    for (head, body) in [
        ("POST /secrets/create", r#"{"Name":"s","Data":"c2VjcmV0"}"#),
        ("POST /configs/create", r#"{"Name":"c","Data":"c2VjcmV0"}"#),
        ("POST /swarm/join", r#"{"JoinToken":"c2VjcmV0"}"#),
        ("POST /swarm/unlock", r#"{"UnlockKey":"c2VjcmV0"}"#),
        ("POST /swarm/init", r#"{"Spec":{"CAConfig":{"SigningCAKey":"c2VjcmV0"}}}"#),
        ("POST /auth", r#"{"password":"c2VjcmV0"}"#),
    ] {
        let facts = understood(head, body).unwrap();
        assert_eq!(sent(&facts), body, "{head}");
        let bytes = format!("{:?}", b"c2VjcmV0");
        let bytes = bytes.trim_matches(['[', ']']);
        let request = format!("{facts:?}");
        assert!(!request.contains("c2VjcmV0") && !request.contains(bytes), "{request}");
        let words: Vec<String> = facts.privileges.iter().map(ToString::to_string).collect();
        assert!(!words.concat().contains("c2VjcmV0"), "{words:?}");
    }
    let body = json::read::<SecretSpec>(br#"{"Name":"s","Data":"c2VjcmV0"}"#, &json::Options::default()).unwrap();
    assert!(!format!("{body:?}").contains("c2VjcmV0"));
}

#[test]
fn checkpoints_are_named_and_their_directory_is_where_it_leads() {
    for (head, body, expected) in [
        ("POST /containers/web/checkpoints", r#"{"CheckpointID":"c1"}"#, "use checkpoints"),
        (
            "POST /containers/web/checkpoints",
            r#"{"CheckpointID":"c1","CheckpointDir":"/srv/link/../link/x"}"#,
            "use checkpoints in host directory /etc/x",
        ),
        ("DELETE /containers/web/checkpoints/c1?dir=/srv/link", "", "use checkpoints in host directory /etc"),
        ("GET /containers/web/checkpoints?dir=//srv/", "", "use checkpoints in host directory /srv"),
        (
            "POST /containers/web/start?checkpoint=c1&checkpoint-dir=/srv/link",
            "",
            "use checkpoints in host directory /etc",
        ),
        ("POST /containers/web/start?checkpoint=../c1", "", "refused: checkpoint is not the name of a checkpoint"),
        (
            "POST /containers/web/checkpoints",
            r#"{"CheckpointID":"../c1"}"#,
            "refused: CheckpointID is not the name of a checkpoint",
        ),
        ("DELETE /containers/web/checkpoints/..", "", "refused: "),
        (
            "POST /containers/web/checkpoints",
            r#"{"CheckpointID":"c1","CheckpointDir":"srv"}"#,
            "refused: CheckpointDir is not an absolute path of the host",
        ),
    ] {
        let asked = asks(head, body);
        assert!(asked.first().is_some_and(|asked| asked.starts_with(expected)), "{head} {body}: {asked:?}");
    }
    let facts = understood("DELETE /containers/web/checkpoints/c1?dir=/srv/link", "").unwrap();
    assert_eq!(facts.canonical.target, format!("/containers/{WEB}/checkpoints/c1?dir=%2Fetc"));
}

/// The old way to copy is the new one: the container's powers are asked.
#[test]
fn what_is_left_of_old_versions_is_judged_like_the_new() {
    let facts = understood("POST /containers/web/copy", r#"{"Resource":"/etc/passwd"}"#).unwrap();
    assert_eq!(facts.privileges.iter().map(ToString::to_string).collect::<Vec<_>>(), ["run as uid 1000"]);
    assert_eq!(sent(&facts), r#"{"Resource":"/etc/passwd"}"#);
    let old = Reading { oldest: crate::target::ApiVersion { major: 1, minor: 12 }, ..Reading::default() };
    let refused = read_with(&old, "POST /v1.23/containers/web/start", r#"{"Privileged":true}"#).unwrap_err();
    assert!(refused.contains("takes no body"), "{refused}");
}
