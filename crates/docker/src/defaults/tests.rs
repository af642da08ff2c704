//! Given, default, becomes.

use super::Defaults;
use crate::body::container::{CreateRequest, HostConfig, UpdateRequest};
use crate::json;

fn read<T: serde::de::DeserializeOwned>(text: &str) -> T {
    json::read::<T>(text.as_bytes(), &json::Options::default()).unwrap().into_value()
}

fn limits() -> Defaults {
    Defaults { memory: Some(1 << 30), nano_cpus: Some(500_000_000), pids: Some(512), ..Defaults::default() }
}

/// What becomes of a host configuration, and the edits.
fn created(defaults: &Defaults, host: &str) -> (String, String) {
    let mut body = CreateRequest { host_config: Some(read(host)), ..CreateRequest::default() };
    let made = defaults.create(&mut body, "").unwrap().made;
    (serde_json::to_string(&body.host_config).unwrap(), said(&made))
}

fn said(made: &[crate::obligation::Obligation]) -> String {
    made.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[test]
fn limits_are_set_where_there_is_none() {
    let memory = Defaults { memory: Some(1 << 30), ..Defaults::default() };
    let cpus = Defaults { nano_cpus: Some(500_000_000), ..Defaults::default() };
    let pids = Defaults { pids: Some(512), ..Defaults::default() };
    for (defaults, given, becomes, edits) in [
        (&memory, "{}", r#"{"Memory":1073741824}"#, "memory 1g"),
        (&memory, r#"{"Memory":-1}"#, r#"{"Memory":1073741824}"#, "memory 1g"),
        (&memory, r#"{"Memory":8589934592}"#, r#"{"Memory":8589934592}"#, ""),
        (&memory, r#"{"Memory":6291456}"#, r#"{"Memory":6291456}"#, ""),
        (&memory, r#"{"MemorySwap":-1}"#, r#"{"Memory":1073741824,"MemorySwap":-1}"#, "memory 1g"),
        (
            &memory,
            r#"{"MemorySwap":1073741824,"MemoryReservation":1}"#,
            r#"{"Memory":1073741824,"MemoryReservation":1,"MemorySwap":1073741824}"#,
            "memory 1g",
        ),
        (&cpus, "{}", r#"{"NanoCpus":500000000}"#, "cpus 0.5"),
        (&cpus, r#"{"NanoCpus":2000000000}"#, r#"{"NanoCpus":2000000000}"#, ""),
        (&cpus, r#"{"CpuQuota":20000}"#, r#"{"CpuQuota":20000}"#, ""),
        (&cpus, r#"{"CpuPeriod":50000,"CpuQuota":20000}"#, r#"{"CpuPeriod":50000,"CpuQuota":20000}"#, ""),
        (&cpus, r#"{"CpuPeriod":50000}"#, r#"{"CpuPeriod":50000,"CpuQuota":25000}"#, "cpus 0.5"),
        (&cpus, r#"{"CpuPeriod":50000,"CpuQuota":-1}"#, r#"{"CpuPeriod":50000,"CpuQuota":25000}"#, "cpus 0.5"),
        (&cpus, r#"{"CpuQuota":-1}"#, r#"{"NanoCpus":500000000}"#, "cpus 0.5"),
        (&cpus, r#"{"NanoCpus":2000000000,"CpuQuota":-1}"#, r#"{"NanoCpus":500000000}"#, "cpus 0.5"),
        (&cpus, r#"{"NanoCpus":-1}"#, r#"{"NanoCpus":500000000}"#, "cpus 0.5"),
        (&cpus, r#"{"CpuShares":1024}"#, r#"{"CpuShares":1024,"NanoCpus":500000000}"#, "cpus 0.5"),
        (&pids, "{}", r#"{"PidsLimit":512}"#, "pids 512"),
        (&pids, r#"{"PidsLimit":null}"#, r#"{"PidsLimit":512}"#, "pids 512"),
        (&pids, r#"{"PidsLimit":0}"#, r#"{"PidsLimit":512}"#, "pids 512"),
        (&pids, r#"{"PidsLimit":-1}"#, r#"{"PidsLimit":512}"#, "pids 512"),
        (&pids, r#"{"PidsLimit":100000}"#, r#"{"PidsLimit":100000}"#, ""),
        (
            &limits(),
            r#"{"Privileged":true}"#,
            r#"{"Privileged":true,"Memory":1073741824,"NanoCpus":500000000,"PidsLimit":512}"#,
            "memory 1g, cpus 0.5, pids 512",
        ),
    ] {
        assert_eq!(created(defaults, given), (becomes.to_owned(), edits.to_owned()), "{given}");
    }
}

#[test]
fn walls_are_put_up_where_nothing_is_said() {
    let walls = |drop: &[&str]| Defaults {
        no_new_privileges: true,
        drop_capabilities: drop.iter().map(|name| (*name).to_owned()).collect(),
        ..Defaults::default()
    };
    let no_more = r#""SecurityOpt":["no-new-privileges"]"#;
    for (drop, given, becomes) in [
        (&["MKNOD"][..], "{}", format!(r#"{{"CapDrop":["MKNOD"],{no_more}}}"#)),
        (&["MKNOD"], r#"{"CapDrop":["KILL"]}"#, format!(r#"{{"CapDrop":["KILL","MKNOD"],{no_more}}}"#)),
        (&["MKNOD"], r#"{"CapDrop":["cap_mknod"]}"#, format!(r#"{{"CapDrop":["cap_mknod"],{no_more}}}"#)),
        (&["MKNOD"], r#"{"CapDrop":"all"}"#, format!(r#"{{"CapDrop":["all"],{no_more}}}"#)),
        (&["MKNOD"], r#"{"CapAdd":["mknod"]}"#, format!(r#"{{"CapAdd":["mknod"],{no_more}}}"#)),
        (&["MKNOD"], r#"{"CapAdd":["ALL"]}"#, format!(r#"{{"CapAdd":["ALL"],"CapDrop":["MKNOD"],{no_more}}}"#)),
        (
            &["MKNOD"],
            r#"{"CapAdd":["ALL"],"CapDrop":["ALL"]}"#,
            format!(r#"{{"CapAdd":["ALL"],"CapDrop":["ALL","MKNOD"],{no_more}}}"#),
        ),
        (&["ALL"], r#"{"CapAdd":["KILL"]}"#, format!(r#"{{"CapAdd":["KILL"],"CapDrop":["ALL"],{no_more}}}"#)),
        (&["ALL"], r#"{"CapAdd":["ALL"]}"#, format!(r#"{{"CapAdd":["ALL"],{no_more}}}"#)),
        (&["MKNOD"], r#"{"Privileged":true}"#, format!(r#"{{"Privileged":true,{no_more}}}"#)),
        (&[], r#"{"SecurityOpt":["no-new-privileges:true"]}"#, r#"{"SecurityOpt":["no-new-privileges:true"]}"#.into()),
        (&[], r#"{"SecurityOpt":["no-new-privileges=0"]}"#, r#"{"SecurityOpt":["no-new-privileges=0"]}"#.into()),
        (
            &[],
            r#"{"SecurityOpt":["seccomp=builtin"]}"#,
            r#"{"SecurityOpt":["seccomp=builtin","no-new-privileges"]}"#.into(),
        ),
    ] {
        assert_eq!(created(&walls(drop), given).0, becomes, "{drop:?} {given}");
    }
}

#[test]
fn users_and_variables_of_the_client_stay() {
    let defaults = Defaults {
        user: Some("1000".into()),
        env: vec![("A".into(), "1".into()), ("B".into(), String::new())],
        ..Defaults::default()
    };
    for (given, image_user, becomes) in [
        ("{}", "", r#"{"User":"1000","Env":["A=1","B="],"HostConfig":{}}"#),
        ("{}", "root:staff", r#"{"User":"1000","Env":["A=1","B="],"HostConfig":{}}"#),
        ("{}", "app", r#"{"Env":["A=1","B="],"HostConfig":{}}"#),
        (r#"{"User":"0"}"#, "", r#"{"User":"0","Env":["A=1","B="],"HostConfig":{}}"#),
        (r#"{"User":":5"}"#, "", r#"{"User":":5","Env":["A=1","B="],"HostConfig":{}}"#),
        (r#"{"User":"7","Env":["B=x","a=2"]}"#, "", r#"{"User":"7","Env":["B=x","a=2","A=1"],"HostConfig":{}}"#),
        (r#"{"User":"7","Env":["A","B"]}"#, "", r#"{"User":"7","Env":["A","B"],"HostConfig":{}}"#),
    ] {
        let mut body: CreateRequest = read(given);
        defaults.create(&mut body, image_user).unwrap();
        assert_eq!(serde_json::to_string(&body).unwrap(), becomes, "{given} {image_user}");
    }
}

#[test]
fn an_update_cannot_take_a_limit_away() {
    for (stored, given, becomes, edits) in [
        (r#"{"NanoCpus":500000000}"#, r#"{"Memory":0}"#, "{}", ""),
        (r#"{"Memory":1073741824}"#, r#"{"Memory":-1}"#, r#"{"Memory":1073741824}"#, "memory 1g"),
        ("{}", r#"{"Memory":2147483648}"#, r#"{"Memory":2147483648}"#, ""),
        ("{}", r#"{"PidsLimit":null}"#, "{}", ""),
        (r#"{"PidsLimit":100}"#, r#"{"PidsLimit":0}"#, r#"{"PidsLimit":512}"#, "pids 512"),
        (r#"{"PidsLimit":100}"#, r#"{"PidsLimit":-1}"#, r#"{"PidsLimit":512}"#, "pids 512"),
        (r#"{"NanoCpus":2000000000}"#, r#"{"CpuQuota":-1}"#, r#"{"NanoCpus":500000000}"#, "cpus 0.5"),
        (r#"{"NanoCpus":2000000000}"#, r#"{"NanoCpus":-1}"#, r#"{"NanoCpus":500000000}"#, "cpus 0.5"),
        (r#"{"CpuQuota":20000}"#, r#"{"CpuQuota":-1}"#, r#"{"CpuQuota":50000}"#, "cpus 0.5"),
        (r#"{"CpuQuota":20000,"CpuPeriod":50000}"#, r#"{"CpuQuota":-1}"#, r#"{"CpuQuota":25000}"#, "cpus 0.5"),
        ("{}", r#"{"CpuQuota":-1,"CpuPeriod":20000}"#, r#"{"CpuPeriod":20000,"CpuQuota":10000}"#, "cpus 0.5"),
        ("{}", r#"{"NanoCpus":1000000000}"#, r#"{"NanoCpus":1000000000}"#, ""),
        ("{}", r#"{"RestartPolicy":{"Name":"always"}}"#, r#"{"RestartPolicy":{"Name":"always"}}"#, ""),
    ] {
        let mut body: UpdateRequest = read(given);
        let made = limits().update(&mut body, &read::<HostConfig>(stored));
        assert_eq!((serde_json::to_string(&body).unwrap().as_str(), said(&made).as_str()), (becomes, edits), "{given}");
    }
}
