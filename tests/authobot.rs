//! Preset `ci-whitelist`: authobot's list of calls, exactly, with its two checks of creates, at both doors.

use crate::harness::{Cli, Engine, Firewall, Shell, http};
use std::path::{Path, PathBuf};

const BIND: &str = "docker run --rm --network none --mount type=volume,dst=/x,volume-opt=type=none,volume-opt=device=/etc,volume-opt=o=bind tiny true";

/// A job's shell, at the daemon's own socket, which asks, or at the gateway's.
fn job(engine: &mut Engine, plugin: bool) -> (Firewall, Shell, PathBuf) {
    let socket = engine.plugin_socket();
    let firewall = Firewall::start(engine.socket(), |_| {
        let door = if plugin { format!("plugin: {{ socket: {} }}\n", socket.display()) } else { String::new() };
        format!("{door}policy: {{ preset: ci-whitelist }}\n")
    });
    let cli = Cli::from(engine.kind());
    let socket = if plugin {
        engine.authorize();
        engine.socket().to_owned()
    } else {
        firewall.socket()
    };
    let shell = Shell::new(&socket, cli);
    (firewall, shell, socket)
}

fn refused(shell: &Shell, line: &str) -> String {
    let outcome = shell.run(line);
    assert_ne!(outcome.code, 0, "{line}: {outcome:?}");
    format!("{}{}", outcome.out, outcome.err)
}

#[test]
fn a_job_does_what_is_on_the_list() {
    for plugin in [true, false] {
        let mut engine = Engine::start();
        let (_firewall, shell, _) = job(&mut engine, plugin);
        shell.must("docker version");
        assert_eq!(shell.must("docker run --rm --network none tiny echo hi"), "hi");
        assert_eq!(shell.must("echo in | docker run --rm -i --network none tiny cat"), "in");
        shell.must("docker run -d --name web --network none -v data:/data tiny sleep 1000");
        assert_eq!(shell.must("docker exec web echo out"), "out");
        assert_eq!(shell.must("docker inspect --format '{{.State.Running}}' web"), "true");
        shell.must("docker stop -t 0 web && docker start web && docker kill web && docker wait web");
        shell.must("mkdir $WORK/b && printf 'FROM tiny\\nRUN echo built >/made\\n' >$WORK/b/Dockerfile");
        shell.must("DOCKER_BUILDKIT=0 docker build --network none -t app $WORK/b");
        assert_eq!(shell.must("docker run --rm --network none app cat /made"), "built");
        shell.must("docker tag app 127.0.0.1:5577/app:1 && docker push 127.0.0.1:5577/app:1");
        shell.must("docker rmi 127.0.0.1:5577/app:1 && docker pull 127.0.0.1:5577/app:1");
        shell.must("docker image inspect 127.0.0.1:5577/app:1");
    }
}

#[test]
fn a_job_does_nothing_else() {
    for plugin in [true, false] {
        let mut engine = Engine::start();
        let direct = Shell::new(engine.socket(), Cli::from(engine.kind()));
        direct.must("docker run -d --name web --network none tiny sleep 1000");
        direct.must("docker create --name rooted --network none -v /:/host tiny sleep 1000");
        direct.must("docker create --name mighty --network none --privileged tiny sleep 1000");
        direct.must("docker volume create -d local -o type=none -o device=/etc -o o=bind etc");
        let (_firewall, shell, socket) = job(&mut engine, plugin);
        for line in [
            "docker ps",
            "docker images",
            "docker info",
            "docker logs web",
            "docker top web",
            "docker stats --no-stream web",
            "docker rm -f web",
            "docker rename web x",
            "docker pause web",
            "docker restart web",
            "docker update --memory 64m web",
            "docker cp web:/etc/passwd .",
            "docker export -o x.tar web",
            "docker commit web",
            "docker diff web",
            "docker save -o x.tar tiny",
            "docker history tiny",
            "docker volume ls",
            "docker volume create x",
            "docker volume inspect etc",
            "docker network ls",
            "docker network create x",
            "docker system df",
            "docker container prune -f",
            "docker plugin ls",
            "docker swarm init",
            "docker load <$WORK/../bin/docker",
        ] {
            let text = refused(&shell, line);
            assert!(text.contains("may not") || text.contains("gateway"), "{line}: {text}");
        }
        for (line, words) in [
            ("docker run --rm --network none --privileged tiny true", "may not run privileged"),
            ("docker exec --privileged web true", "may not run privileged"),
            ("docker run --rm --network none -v /etc:/x tiny true", "may not mount host path /etc"),
            ("docker run --rm --network none -v /:/x:ro tiny true", "may not mount host path /"),
            (
                "docker run --rm --network none --mount type=bind,src=/etc,dst=/x tiny true",
                "may not mount host path /etc",
            ),
            (BIND, "may not mount host path /etc"),
            ("docker run --rm --network none -v etc:/x tiny true", "may not mount host path /etc"),
            ("docker run --rm --network none --volumes-from rooted tiny true", "may not mount host path /"),
            ("docker start rooted", "may not mount host path /"),
            ("docker start mighty", "may not run privileged"),
            ("docker run --rm --network none --cap-add SYS_ADMIN tiny true", "may not"),
            ("docker run --rm --network none --pid host tiny true", "may not"),
            ("docker run --rm --network none --device /dev/null tiny true", "may not"),
            ("docker run --rm --network none --security-opt seccomp=unconfined tiny true", "may not"),
        ] {
            let text = refused(&shell, line);
            assert!(text.contains(words), "{line}: {text}");
        }
        // What merely contains a call of the list is none.
        for (method, path) in [
            ("GET", "/containers/json?x=/_ping"),
            ("GET", "/v1.41/containers/json?filters={}&y=/containers/x/json"),
            ("POST", "/volumes/create?/containers/create"),
            ("POST", "/networks/create?x=/version"),
            ("GET", "/info?/build"),
            ("POST", "/containers/web/rename?name=/exec/x/start"),
        ] {
            let (status, text) = call(&socket, method, path);
            assert!([400, 403].contains(&status), "{method} {path}: {status} {text}");
        }
        // An empty bind is no reason to fall over.
        let body = r#"{"Image":"tiny","HostConfig":{"Binds":[""]}}"#;
        let (status, text) = http::call(&socket, "POST", "/v1.41/containers/create", Some(body));
        assert!((400..500).contains(&status), "{status} {text}");
        shell.must("docker version");
        if !plugin {
            assert_eq!(direct.must("docker ps -aq | wc -l"), "3");
            assert_eq!(direct.must("docker volume ls -q"), "etc");
        }
    }
}

fn call(socket: &Path, method: &str, path: &str) -> (u16, String) {
    http::call(socket, method, path, (method == "POST").then_some("{\"Name\":\"x\"}"))
}
