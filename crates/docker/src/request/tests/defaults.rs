//! What is judged and what is sent is the request with the defaults applied.

use super::{sent, understood, understood_with};
use crate::defaults::Defaults;
use crate::facts::Facts;

fn defaults() -> Defaults {
    Defaults {
        memory: Some(1 << 30),
        nano_cpus: Some(500_000_000),
        pids: Some(512),
        user: Some("1000:1000".into()),
        env: vec![("MY_ENV".into(), "true".into())],
        no_new_privileges: true,
        drop_capabilities: vec!["MKNOD".into()],
        ..Defaults::default()
    }
}

fn create(body: &str) -> Result<Facts, String> {
    understood_with("POST /v1.41/containers/create", body, &defaults())
}

fn said(facts: &Facts) -> Vec<String> {
    facts.obligations.iter().map(ToString::to_string).collect()
}

#[test]
fn the_edited_create_is_judged_and_sent() {
    let facts = create(r#"{"Image":"tiny"}"#).unwrap();
    assert_eq!(
        said(&facts),
        [
            "memory 1g",
            "cpus 0.5",
            "pids 512",
            "user 1000:1000",
            "env MY_ENV",
            "no_new_privileges true",
            "drop_capabilities MKNOD"
        ]
    );
    let spec = facts.spec.clone().unwrap();
    assert_eq!((spec.memory, spec.nano_cpus, spec.pids, spec.no_new_privileges), (1 << 30, 500_000_000, 512, true));
    assert_eq!((spec.dropped_capabilities, spec.environment), (vec!["MKNOD".to_owned()], vec!["MY_ENV".to_owned()]));
    let asked: Vec<String> = facts.privileges.iter().map(ToString::to_string).collect();
    assert!(asked.contains(&"run as uid 1000".to_owned()), "{asked:?}");
    assert_eq!(
        sent(&facts),
        concat!(
            r#"{"User":"1000:1000","Env":["MY_ENV=true"],"Image":"tiny","HostConfig":{"CapDrop":["MKNOD"],"#,
            r#""SecurityOpt":["no-new-privileges"],"Memory":1073741824,"NanoCpus":500000000,"PidsLimit":512}}"#
        )
    );
}

#[test]
fn without_defaults_nothing_is_edited() {
    let facts = understood("POST /v1.41/containers/create", r#"{"Image":"tiny"}"#).unwrap();
    assert_eq!((said(&facts), sent(&facts)), (Vec::new(), r#"{"Image":"tiny","HostConfig":{}}"#.to_owned()));
}

#[test]
fn an_image_with_a_user_of_its_own_keeps_it() {
    let facts = create(r#"{"Image":"tiny-nonroot"}"#).unwrap();
    assert!(!said(&facts).iter().any(|edit| edit.starts_with("user")), "{:?}", said(&facts));
    assert!(facts.privileges.iter().any(|asked| asked.to_string() == "run as uid 1001"), "{:?}", facts.privileges);
}

#[test]
fn what_the_client_wants_instead_is_asked() {
    let body = r#"{"Image":"tiny","User":"0","HostConfig":{"CapAdd":["CAP_MKNOD"],"SecurityOpt":["no-new-privileges=false"]}}"#;
    let asked: Vec<String> = create(body).unwrap().privileges.iter().map(ToString::to_string).collect();
    for privilege in ["run as root (user `0`)", "add capability MKNOD", "set security option no-new-privileges=false"] {
        assert!(asked.iter().any(|asked| asked == privilege), "{privilege}: {asked:?}");
    }
}

#[test]
fn a_limit_that_does_not_go_with_the_default_is_explained() {
    for (host, field) in [
        (r#"{"MemorySwap":67108864}"#, "HostConfig.MemorySwap is less"),
        (r#"{"MemoryReservation":2147483648}"#, "HostConfig.MemoryReservation is more"),
    ] {
        let refused = create(&format!(r#"{{"Image":"tiny","HostConfig":{host}}}"#)).unwrap_err();
        assert!(refused.starts_with(field) && refused.contains("by default"), "{refused}");
    }
}

#[test]
fn an_update_is_judged_by_what_the_container_will_be() {
    let update = |body: &str| understood_with("POST /v1.41/containers/web/update", body, &defaults()).unwrap();
    let facts = update(r#"{"Memory":4294967296,"RestartPolicy":{"Name":"always"}}"#);
    assert_eq!(said(&facts), Vec::<String>::new());
    let spec = facts.spec.unwrap();
    assert_eq!((spec.memory, spec.restart.as_str(), spec.name.as_str()), (4 << 30, "always", "web"));

    let facts = update(r#"{"PidsLimit":-1,"CpuQuota":-1}"#);
    assert_eq!(said(&facts), ["cpus 0.5", "pids 512"]);
    assert_eq!(sent(&facts), r#"{"CpuQuota":50000,"PidsLimit":512}"#);
    let spec = facts.spec.unwrap();
    assert_eq!((spec.nano_cpus, spec.pids), (500_000_000, 512));
}

#[test]
fn a_quota_below_zero_is_no_limit_whatever_stands_beside_it() {
    let body = r#"{"Image":"tiny","HostConfig":{"NanoCpus":500000000,"CpuQuota":-1}}"#;
    assert_eq!(understood("POST /containers/create", body).unwrap().spec.unwrap().nano_cpus, 0);
}
