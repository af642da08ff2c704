//! How records are told.

use super::show::{Places, Told, exit, record, verdict};
use crate::cli::Exit;
use crate::config::{Wishes, load};

const REFUSED: &str = r#"{"id":"01M8","time":"2026-11-22T11:49:36.825Z","subject":{"user":"alice","groups":["ci","docker"]},
"request":{"method":"POST","path":"/v1.41/containers/create?name","operation":"ContainerCreate"},"obligations":[{"set":"memory","value":"1g"},{"set":"env","value":"MY_ENV"}],"questions":[
{"action":"ContainerCreate","resource":"Daemon::\"local\"","allowed":true,"policies":["developer/containers"]},
{"action":"mountHostPath","resource":"HostPath::\"/etc\"","allowed":false,"policies":[]},
{"action":"exec","resource":"Container::\"1\"","allowed":false,"policies":["config.yaml:7"]}],
"outcome":"refused","mode":"enforce","status":403,"message":"dockwarden: may not mount host path /etc"}"#;

const GRANTED: &str = r#"{"id":"01M9","request":{"method":"GET","path":"/_ping","operation":"SystemPing"},"status":200,
"questions":[{"action":"SystemPing","resource":"Daemon::\"local\"","allowed":true,"policies":["x"]}],"outcome":"allowed"}"#;

const MISSING: &str =
    r#"{"id":"01MA","request":{"method":"GET","path":"/containers/x/json"},"outcome":"not found","status":404}"#;

fn told(lines: &[&str]) -> Vec<Told> {
    lines.iter().map(|line| Told::read(line).unwrap()).collect()
}

#[test]
fn a_record_says_who_asked_what_and_which_policy_answered() {
    let config = load(&Wishes { only_named: true, ..Wishes::default() }).unwrap();
    let text = record(&told(&[REFUSED])[0], &Places::of(&config), false);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "POST /v1.41/containers/create?name → ContainerCreate");
    assert_eq!(lines[1], "  by alice (ci, docker), 2026-11-22T11:49:36.825Z, record 01M8");
    assert_eq!(lines[2..4], ["  + default  memory 1g", "  + default  env MY_ENV"]);
    assert_eq!(lines[4], "  ✓ granted  ContainerCreate on Daemon::\"local\"");
    assert!(lines[5].starts_with("             by policy developer/containers (preset developer:"), "{}", lines[5]);
    assert_eq!(
        lines[6..],
        [
            "  ✗ refused  mountHostPath on HostPath::\"/etc\"",
            "             no policy grants it",
            "  ✗ refused  exec on Container::\"1\"",
            "             by policy config.yaml:7",
            "  = refused (403): dockwarden: may not mount host path /etc",
        ]
    );
}

#[test]
fn for_programs_a_record_is_left_as_it_is() {
    assert_eq!(record(&told(&[GRANTED])[0], &Places::default(), true), GRANTED);
}

#[test]
fn verdicts() {
    for (lines, said, ended) in [
        (vec![GRANTED], "allowed: 1 of 1 request", Exit::Done),
        (vec![GRANTED, REFUSED], "refused: 1 of 2 requests", Exit::Denied),
        (vec![GRANTED, MISSING], "allowed: 1 of 2 requests; 1 could not be judged", Exit::Done),
        (vec![MISSING, REFUSED], "refused: 1 of 2 requests; 1 could not be judged", Exit::Denied),
        (vec![MISSING], "not judged: 1 request", Exit::Failed),
    ] {
        let told = told(&lines);
        assert_eq!((verdict(&told).as_str(), exit(&told)), (said, ended));
    }
}
