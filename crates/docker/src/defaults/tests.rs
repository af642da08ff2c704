//! Given, default, becomes.

use super::{Defaults, Force, Unheard};
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

/// What becomes of a body, the edits, and what was not heard.
fn forced(force: &Force, given: &str) -> (String, String, Unheard) {
    let mut body: CreateRequest = read(given);
    let defaults = Defaults { force: force.clone(), ..Defaults::default() };
    let edited = defaults.create(&mut body, "").unwrap();
    (serde_json::to_string(&body).unwrap(), said(&edited.made), edited.unheard)
}

#[test]
fn what_is_forced_is_set_whatever_is_said() {
    let limits = Force { memory: Some(1 << 30), nano_cpus: Some(250_000_000), ..Force::default() };
    let user = Force { user: Some("1000".into()), ..Force::default() };
    let env = Force { env: vec![("A".into(), "1".into())], ..Force::default() };
    let set = r#"{"HostConfig":{"Memory":1073741824,"NanoCpus":250000000}}"#;
    for (force, given, becomes, edits) in [
        (&limits, "{}", set, "memory 1g, cpus 0.25"),
        (&limits, r#"{"HostConfig":{"Memory":67108864,"NanoCpus":2000000000}}"#, set, "memory 1g, cpus 0.25"),
        (&limits, r#"{"HostConfig":{"Memory":8589934592,"CpuQuota":500000}}"#, set, "memory 1g, cpus 0.25"),
        (&limits, set, set, ""),
        (
            &limits,
            r#"{"HostConfig":{"CpuPeriod":50000}}"#,
            r#"{"HostConfig":{"Memory":1073741824,"CpuPeriod":50000,"CpuQuota":12500}}"#,
            "memory 1g, cpus 0.25",
        ),
        (&user, "{}", r#"{"User":"1000","HostConfig":{}}"#, "user 1000"),
        (&user, r#"{"User":"1000"}"#, r#"{"User":"1000","HostConfig":{}}"#, ""),
        (&env, r#"{"Env":["A=2","B=2","A"]}"#, r#"{"Env":["B=2","A=1"],"HostConfig":{}}"#, "env A"),
        (&env, r#"{"Env":["A=1","B=2"]}"#, r#"{"Env":["A=1","B=2"],"HostConfig":{}}"#, ""),
        (&env, r#"{"Env":["AB=1"]}"#, r#"{"Env":["AB=1","A=1"],"HostConfig":{}}"#, "env A"),
    ] {
        let (is, made, _) = forced(force, given);
        assert_eq!((is.as_str(), made.as_str()), (becomes, edits), "{given}");
    }
    let (_, _, unheard) = forced(&user, r#"{"User":"root"}"#);
    assert_eq!(unheard, Unheard { user: Some("root".into()), ..Unheard::default() });
    let (_, _, unheard) = forced(&env, r#"{"Env":["A=2","B=2"]}"#);
    assert_eq!(unheard, Unheard { env: vec!["A=2".into()], ..Unheard::default() });
}

#[test]
fn walls_are_forced_too() {
    let options =
        Force { security_options: vec!["no-new-privileges".into(), "label=type:a".into()], ..Force::default() };
    let drop = Force { drop_capabilities: vec!["MKNOD".into()], ..Force::default() };
    let all =
        Force { drop_capabilities: vec!["ALL".into()], add_capabilities: vec!["KILL".into()], ..Force::default() };
    let host = |text: &str| format!(r#"{{"HostConfig":{text}}}"#);
    for (force, given, becomes, not_heard) in [
        (&options, "{}", r#"{"SecurityOpt":["no-new-privileges","label=type:a"]}"#, 0),
        (
            &options,
            r#"{"SecurityOpt":["no-new-privileges:false","seccomp=unconfined","label:disable"]}"#,
            r#"{"SecurityOpt":["seccomp=unconfined","no-new-privileges","label=type:a"]}"#,
            2,
        ),
        (
            &options,
            r#"{"SecurityOpt":["no-new-privileges=true","label:type:a"]}"#,
            r#"{"SecurityOpt":["no-new-privileges=true","label:type:a"]}"#,
            0,
        ),
        (&drop, "{}", r#"{"CapDrop":["MKNOD"]}"#, 0),
        (&drop, r#"{"CapAdd":["cap_mknod","KILL"]}"#, r#"{"CapAdd":["KILL"],"CapDrop":["MKNOD"]}"#, 1),
        (&drop, r#"{"CapAdd":["ALL"]}"#, r#"{"CapAdd":["ALL"],"CapDrop":["MKNOD"]}"#, 0),
        (&drop, r#"{"CapDrop":["mknod"]}"#, r#"{"CapDrop":["mknod"]}"#, 0),
        (&all, r#"{"CapAdd":["SYS_ADMIN","kill"]}"#, r#"{"CapAdd":["kill"],"CapDrop":["ALL"]}"#, 1),
        (&all, "{}", r#"{"CapAdd":["KILL"],"CapDrop":["ALL"]}"#, 0),
    ] {
        let (is, made, unheard) = forced(force, &host(given));
        assert_eq!(is, host(becomes), "{given}");
        assert_eq!(unheard.security_options.len() + unheard.capabilities.len(), not_heard, "{given}");
        assert_eq!(made.is_empty(), is == host(given), "{given}");
    }
    let mut body: CreateRequest = read(&host(r#"{"Privileged":true}"#));
    let defaults = Defaults { force: drop, ..Defaults::default() };
    assert!(defaults.create(&mut body, "").unwrap_err().to_string().contains("keeps all capabilities"));
    let memory = Defaults { force: Force { memory: Some(1 << 30), ..Force::default() }, ..Defaults::default() };
    for given in [r#"{"MemorySwap":1048576}"#, r#"{"MemoryReservation":2147483648}"#] {
        let mut body: CreateRequest = read(&host(given));
        assert!(memory.create(&mut body, "").unwrap_err().to_string().contains("every container gets here"), "{given}");
    }
}

#[test]
fn an_update_sets_what_is_forced() {
    let force = Force { memory: Some(1 << 30), nano_cpus: Some(250_000_000), ..Force::default() };
    let defaults = Defaults { force, ..Defaults::default() };
    for (stored, given, becomes, edits) in [
        ("{}", r#"{"PidsLimit":5}"#, r#"{"PidsLimit":5}"#, ""),
        ("{}", r#"{"Memory":8589934592}"#, r#"{"Memory":1073741824}"#, "memory 1g"),
        ("{}", r#"{"Memory":1073741824}"#, r#"{"Memory":1073741824}"#, ""),
        (r#"{"NanoCpus":250000000}"#, r#"{"NanoCpus":3000000000}"#, r#"{"NanoCpus":250000000}"#, "cpus 0.25"),
        (r#"{"NanoCpus":250000000}"#, r#"{"NanoCpus":250000000}"#, r#"{"NanoCpus":250000000}"#, ""),
        (r#"{"CpuQuota":25000}"#, r#"{"CpuQuota":-1}"#, r#"{"CpuQuota":25000}"#, "cpus 0.25"),
    ] {
        let mut body: UpdateRequest = read(given);
        let made = defaults.update(&mut body, &read::<HostConfig>(stored));
        assert_eq!((serde_json::to_string(&body).unwrap().as_str(), said(&made).as_str()), (becomes, edits), "{given}");
    }
}
