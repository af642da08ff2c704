//! Preset `restricted` through a real daemon: no container runs as root, whoever says so and however it is spelled.

use crate::harness::{Cli, Engine, Firewall, Shell};

const HARDENED: &str = "--network none --security-opt no-new-privileges --cap-drop ALL";

#[test]
fn nobody_runs_as_root_in_any_spelling() {
    let engine = Engine::start();
    let cli = Cli::from(engine.kind());
    let direct = Shell::new(engine.socket(), cli);
    direct.must("docker create --name plain --network none tiny true");
    for (tag, user) in
        [("zero", "0"), ("root", "root"), ("both", "root:root"), ("zeros", "00"), ("named", "user"), ("uid", "1000")]
    {
        direct.must(&format!("docker commit --change 'USER {user}' plain as:{tag}"));
    }
    direct.must(&format!("docker create --name old {HARDENED} --user 0:0 tiny sleep 60"));
    direct.must("docker rm plain");
    let firewall = Firewall::preset(engine.socket(), "restricted");
    let shell = Shell::new(&firewall.socket(), cli);
    let refused = |line: &str| {
        let outcome = shell.run(line);
        assert!(outcome.code != 0 && outcome.err.contains("root"), "{line}: {outcome:?}");
    };
    // The CLI takes an empty --user for none.
    for user in [
        "",
        "0",
        "00",
        "+0",
        "-0",
        "0:0",
        "root",
        "root:root",
        ":1000",
        "0:1000",
        "1000:0",
        "1000:root",
        "user",
        "ROOT",
        "0x0",
    ] {
        refused(&format!("docker run --rm {HARDENED} --user '{user}' tiny true"));
    }
    for image in ["tiny", "as:zero", "as:root", "as:both", "as:zeros", "as:named"] {
        refused(&format!("docker run --rm {HARDENED} {image} true"));
    }
    refused(&format!("docker run --rm {HARDENED} --user 1000 --group-add 0 tiny true"));
    refused("docker start old");
    assert_eq!(shell.must(&format!("docker run --rm {HARDENED} --user 01000 tiny id -u")), "1000");
    assert_eq!(shell.must(&format!("docker run --rm {HARDENED} as:uid id -u")), "1000");
    shell.must(&format!("docker run -d --name mine {HARDENED} --user 1000 tiny sleep 60"));
    refused("docker exec --user 0 mine true");
    refused("docker exec --user root:root mine true");
    assert_eq!(shell.must("docker exec mine id -u"), "1000");
}

/// A rule may let some run as root; MKNOD and the rest are dropped all the same.
#[test]
fn root_by_a_rule_makes_no_devices() {
    let engine = Engine::start();
    let cli = Cli::from(engine.kind());
    let firewall = Firewall::start(engine.socket(), |_| {
        "policy: { preset: restricted, rules: [{ allow: { user: root } }] }\n".to_owned()
    });
    let shell = Shell::new(&firewall.socket(), cli);
    assert_eq!(shell.must(&format!("docker run --rm {HARDENED} tiny id -u")), "0");
    let made = shell.run(&format!("docker run --rm {HARDENED} tiny mknod /tmp/d b 8 0"));
    assert!(made.code != 0 && made.err.contains("not permitted"), "{made:?}");
    for line in [
        "docker run --rm --network none --security-opt no-new-privileges tiny true".to_owned(),
        format!("docker run --rm {HARDENED} --cap-add MKNOD tiny true"),
    ] {
        assert!(shell.run(&line).err.contains("dockwarden: "), "{line}");
    }
}
