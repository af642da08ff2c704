//! Networks that a container joins: the ones that were judged, whatever a client writes beside their names.

use super::*;

const OTHERS: &str = "feedfeedfeedfeedfeedfeedfeedfeedfeedfeedfeedfeedfeedfeedfeedfeed";

/// The id of network `appnet` in the small world.
fn appnet() -> String {
    "appnet".repeat(8)
}

#[test]
fn the_network_that_was_judged_is_the_one_that_is_joined() {
    let id = appnet();
    for (endpoints, expected) in [
        (format!(r#"{{"appnet":{{"NetworkID":"{OTHERS}"}}}}"#), format!(r#"{{"appnet":{{"NetworkID":"{id}"}}}}"#)),
        (r#"{"appnet":null}"#.to_owned(), format!(r#"{{"appnet":{{"NetworkID":"{id}"}}}}"#)),
        (format!(r#"{{"later":{{"NetworkID":"{OTHERS}"}}}}"#), r#"{"later":{}}"#.to_owned()),
        (format!(r#"{{"bridge":{{"NetworkID":"{OTHERS}"}}}}"#), r#"{"bridge":{}}"#.to_owned()),
    ] {
        let body = format!(r#"{{"Image":"tiny","User":"1000","NetworkingConfig":{{"EndpointsConfig":{endpoints}}}}}"#);
        let sent = sent(&understood("POST /v1.41/containers/create", &body).unwrap());
        assert!(sent.contains(&format!(r#""EndpointsConfig":{expected}"#)), "{endpoints}: {sent}");
    }
    let body = format!(r#"{{"Container":"web","EndpointConfig":{{"NetworkID":"{OTHERS}","Aliases":["a"]}}}}"#);
    let sent = sent(&understood("POST /v1.41/networks/appnet/connect", &body).unwrap());
    assert!(sent.contains(&id) && !sent.contains(OTHERS), "{sent}");
}

/// `ps` is run for all processes of the host.
#[test]
fn ps_arguments_that_could_show_other_processes_are_asked_as_the_hosts() {
    let asked = |arguments: &str| {
        let facts = understood(&format!("GET /v1.41/containers/web/top?ps_args={arguments}"), "").unwrap();
        facts.privileges.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    for plain in ["", "aux", "-ef", "-o+pid,cmd", "-o%20pid", "-eo+pid,user,args", "-e+-o+pid,comm"] {
        assert_eq!(asked(plain), "", "{plain}");
    }
    for odd in [
        "-eorss%3DPID,comm",
        "axewworss%3DPID,args",
        "-eo+lstart,rss,tty,tty,tty,pid,comm",
        "-o+pid,rss%3DPID",
        "-o+pid+-o+rss",
        "-o+%25p",
        "auxe",
    ] {
        assert_eq!(asked(odd), "share the host's pid namespace", "{odd}");
    }
}

/// A container that was connected, or made when its network was not there, is asked for it when it starts.
#[test]
fn a_start_joins_all_that_is_stored() {
    let stored = crate::request::stored::read(
        br#"{"Config":{"Image":"tiny","User":"1000"},"HostConfig":{"NetworkMode":"appnet"},"NetworkSettings":{"Networks":{
            "none":null,"appnet":{"NetworkID":""},"later":{"NetworkID":"1234"}}}}"#,
    );
    let endpoints = stored.unwrap().networking_config.unwrap().endpoints_config.unwrap();
    assert_eq!(endpoints.keys().collect::<Vec<_>>(), ["1234", "appnet"]);
}

/// A task's container holds secrets that its own configuration does not tell of.
#[test]
fn whoever_drives_a_task_is_asked_for_more() {
    let mut world = World::new();
    let labels = [("com.docker.swarm.task.id".to_owned(), "x".to_owned())].into();
    let web = Container { id: WEB.into(), name: "web".into(), labels, ..Container::default() };
    world.learn_stored(WEB.into(), CreateRequest::default());
    let mut asked = crate::privilege::asked::Asked::new(&world);
    asked.powers(&web).unwrap();
    assert!(asked.privileges.iter().any(|asked| matches!(asked, Privilege::Unexamined { .. })));
}
