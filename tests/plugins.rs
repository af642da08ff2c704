//! Managed plugins: what they are granted is judged where it is asked for, and again where it takes effect.

use crate::harness::http::{call, get};
use crate::harness::{Cli, Engine, Firewall, Shell};

/// A plugin that is never run, for its process would have to speak the daemon's language.
const PLUGIN: &str = r#"{"description":"t","documentation":"t","entrypoint":["/bin/busybox","sleep","1000"],
  "interface":{"types":["docker.dummy/1.0"],"socket":"x.sock"},"network":{"type":"host"},"pidhost":true,
  "linux":{"capabilities":["CAP_SYS_ADMIN"]},
  "mounts":[{"name":"data","source":"/etc","destination":"/e","type":"bind","options":["rbind"],"settable":["source"]}],
  "env":[{"name":"DEBUG","value":"0","settable":["value"]}]}"#;

#[test]
fn a_plugin_is_granted_nothing_that_a_container_is_not() {
    let engine = Engine::start();
    let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
    direct.must(&format!(
        "mkdir -p $WORK/p/rootfs/bin && cp /bin/busybox $WORK/p/rootfs/bin/ && cat >$WORK/p/config.json <<'END'\n{PLUGIN}\nEND\n\
         docker plugin create team/p:1 $WORK/p"
    ));
    let firewall = Firewall::start(engine.socket(), |_| {
        "policy:\n  preset: developer\n  rules:\n    - allow: [plugin install, plugin enable, plugin set, plugin create, plugin rm]\n"
            .to_owned()
    });
    let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
    for (line, words) in [
        ("docker plugin enable team/p:1", "share the host's network namespace"),
        ("docker plugin enable team/p:1", "share the host's pid namespace"),
        ("docker plugin set team/p:1 data.source=/root", "mount host path /root read-write"),
        ("docker plugin set team/p:1 data=/root", "mount host path /root read-write"),
        ("mkdir -p $WORK/p; docker plugin create other:1 $WORK/p", "share the host's pid namespace"),
    ] {
        let outcome =
            shell.run(&line.replace("mkdir -p $WORK/p;", &format!("cp -r {}/p $WORK/p;", direct.work().display())));
        assert_ne!(outcome.code, 0, "`{line}` went through: {outcome:?}");
        assert!(outcome.err.contains("dockwarden: ") && outcome.err.contains(words), "`{line}`: {}", outcome.err);
    }
    let pull = "/plugins/pull?remote=127.0.0.1:5577/p:1&name=";
    for (granted, words) in [
        (r#"[{"Name":"mount","Description":"","Value":["/"]}]"#, "mount host path / read-write"),
        (r#"[{"Name":"network","Value":["host"]}]"#, "share the host's network namespace"),
        (r#"[{"Name":"allow-all-devices","Value":["true"]}]"#, "a *:* rwm"),
        (r#"[{"Name":"brandnew","Value":["true"]}]"#, "not known here"),
    ] {
        let (status, said) = call(&firewall.socket(), "POST", pull, Some(granted));
        assert!(matches!(status, 400 | 403) && said.contains(words), "{status} {said}");
    }
    let stored = get(engine.socket(), "/plugins/team%2Fp:1/json");
    assert_eq!((&stored["Enabled"], &stored["Settings"]["Mounts"][0]["Source"]), (&false.into(), &"/etc".into()));
    shell.must("docker plugin set team/p:1 DEBUG=1");
    shell.must(
        "mkdir -p $WORK/h/rootfs && echo '{\"network\":{\"type\":\"none\"}}' >$WORK/h/config.json && docker plugin create harmless:1 $WORK/h",
    );
    shell.must("docker plugin rm team/p:1");
}
