//! Every command that names a thing, tried on somebody else's.

use super::{ALICE, BOB, SECRET, User, populate, shell, start};
use crate::harness::http::{call, get};
use crate::harness::{Engine, Kind, repository};
use std::fmt::Write as _;
use std::fs;

/// Every command that names a thing (`@`).
const COMMANDS: &[(&str, &[&str])] = &[
    (
        "container",
        &[
            "docker attach --no-stdin @",
            "docker commit @ bob-stolen",
            "docker cp @:/file -",
            "docker cp /etc/hostname @:/tmp/",
            "docker diff @",
            "docker exec @ cat /file",
            "docker export @",
            "docker inspect @",
            "docker container inspect @",
            "docker kill @",
            "docker logs @",
            "docker pause @",
            "docker port @",
            "docker rename @ bob-web",
            "docker restart -t 0 @",
            "docker rm -f @",
            "docker start @",
            "docker stats --no-stream @",
            "docker stop -t 0 @",
            "docker top @",
            "docker unpause @",
            "docker update --memory 64m --memory-swap 64m @",
            "timeout 5 docker wait @",
            "docker run --rm --volumes-from @ tiny cat /data/file",
            "docker run --rm --network container:@ tiny ip addr",
            "docker run --rm --pid container:@ tiny ps",
            "docker run --rm --ipc container:@ tiny true",
            "docker run --rm --link @:other tiny env",
            "docker network connect bob-net @",
            "docker network disconnect alice-net @",
            "docker checkpoint create @ bob-point",
            "docker checkpoint ls @",
            "docker checkpoint rm @ point",
        ],
    ),
    (
        "image",
        &[
            "docker history @",
            "docker inspect @",
            "docker image inspect @",
            "docker push @",
            "docker rmi -f @",
            "docker save @",
            "docker tag @ bob-stolen",
            "docker run --rm @ cat /file",
            "docker create @ true",
            "printf 'FROM @\\nRUN cat /file\\n' | DOCKER_BUILDKIT=0 docker build -t bob-stolen -",
            "docker tag tiny @",
        ],
    ),
    (
        "volume",
        &[
            "docker volume inspect @",
            "docker volume rm @",
            "docker volume create @",
            "docker run --rm -v @:/data tiny cat /data/file",
            "docker run --rm --mount type=volume,src=@,dst=/data tiny cat /data/file",
        ],
    ),
    (
        "network",
        &[
            "docker network inspect @",
            "docker network rm @",
            "docker network connect @ bob-web",
            "docker network disconnect @ bob-web",
            "docker run --rm --network @ tiny true",
        ],
    ),
    (
        "service",
        &[
            "docker service inspect @",
            "docker service logs @",
            "docker service ps @",
            "docker service rm @",
            "docker service rollback -d @",
            "docker service scale -d @=2",
            "docker service update -d --force @",
            "docker inspect --type service @",
        ],
    ),
    (
        "secret",
        &[
            "docker secret inspect @",
            "docker secret rm @",
            "docker service create -d --name bob-svc --replicas 0 --no-resolve-image --secret @ tiny true",
        ],
    ),
    (
        "config",
        &[
            "docker config inspect @",
            "docker config rm @",
            "docker service create -d --name bob-svc --replicas 0 --no-resolve-image --config @ tiny true",
        ],
    ),
];

/// What names a thing that is nobody's but the host's.
const OF_THE_HOST: &[&str] = &[
    "docker node inspect self",
    "docker node ls",
    "docker node ps self",
    "docker node update --label-add a=b @",
    "docker node demote @",
    "docker node promote @",
    "docker node rm -f @",
    "docker swarm ca",
    "docker swarm join-token worker",
    "docker swarm unlock-key",
    "docker swarm update --autolock",
    "docker swarm leave -f",
    "docker plugin enable some",
    "docker plugin disable some",
    "docker plugin set some A=b",
    "docker plugin push some",
    "docker plugin rm -f some",
];

/// What names a project of several things, which clients find by their labels.
const PROJECTS: &[&str] = &[
    "docker-compose -p app -f $WORK/app.yml ps",
    "docker-compose -p app -f $WORK/app.yml logs",
    "docker-compose -p app -f $WORK/app.yml top",
    "docker-compose -p app -f $WORK/app.yml images",
    "docker-compose -p app -f $WORK/app.yml port web 80",
    "docker-compose -p app -f $WORK/app.yml exec -T web cat /file",
    "docker-compose -p app -f $WORK/app.yml run --rm web cat /file",
    "docker-compose -p app -f $WORK/app.yml pause",
    "docker-compose -p app -f $WORK/app.yml unpause",
    "docker-compose -p app -f $WORK/app.yml kill",
    "docker-compose -p app -f $WORK/app.yml stop -t 0",
    "docker-compose -p app -f $WORK/app.yml start",
    "docker-compose -p app -f $WORK/app.yml restart -t 0",
    "docker-compose -p app -f $WORK/app.yml up -d",
    "docker-compose -p app -f $WORK/app.yml rm -sf",
    "docker-compose -p app -f $WORK/app.yml down -v --rmi all -t 0",
    "docker stack ps app",
    "docker stack services app",
    "docker stack rm app",
];

/// Services as well, for whose sake nothing but whose they are stands between the two.
const SERVICES: &str = "  rules:\n    - allow: [service create, service inspect, service logs, service ps, service rm, \
     service rollback, service scale, service update, service ls, secret create, secret inspect, secret rm, secret ls, \
     config create, config inspect, config rm, config ls, { use_secret: \"*\" }, { use_config: \"*\" }]\n";

/// Alice's services, and her project.
fn populate_more(alice: &User<'_>) {
    alice.must(&format!("printf {SECRET} | docker secret create alice-secret -"));
    alice.must(&format!("printf {SECRET} | docker config create alice-config -"));
    alice.must(&format!(
        "docker service create -d --name alice-svc --no-resolve-image --user 1000 -e KEY={SECRET} \
         --label com.docker.stack.namespace=app tiny sleep 1000"
    ));
    alice.must("docker service update -d --label-add a=b alice-svc");
    alice.must("docker-compose -p app -f $WORK/app.yml up -d");
}

/// What lists all there is, or touches all there is.
const LISTS: &[&str] = &[
    "docker ps -a --no-trunc",
    "docker ps -aq --filter label=team=alice",
    "docker ps -a --filter name=alice --format '{{json .}}'",
    "docker ps -a --filter volume=alice-data",
    "docker ps -a --filter network=alice-net",
    "docker images -a --no-trunc",
    "docker images --filter label=team=alice",
    "docker volume ls",
    "docker volume ls --filter label=team=alice",
    "docker network ls --no-trunc",
    "docker network ls --filter label=team=alice",
    "docker network inspect none",
    "docker system df -v",
    "timeout 5 docker events --since 1h --until 0s",
    "docker container prune -f",
    "docker volume prune -f",
    "docker network prune -f",
    "docker image prune -af",
    "docker service ls",
    "docker secret ls",
    "docker config ls",
    "docker stack ls",
    "docker plugin ls",
];

#[test]
fn nobody_reaches_the_things_of_others() {
    let engine = Engine::start();
    let init = r#"{"ListenAddr":"127.0.0.1:2377","AdvertiseAddr":"127.0.0.1"}"#;
    assert_eq!(call(engine.socket(), "POST", "/swarm/init", Some(init)).0, 200);
    let firewall = start(&engine, SERVICES);
    let shell = shell(&firewall);
    let project = format!(
        "version: '3'\nservices:\n  web:\n    image: tiny\n    network_mode: none\n    \
         command: sh -c 'echo {SECRET}; echo {SECRET} >/file; sleep 1000'\n"
    );
    fs::write(shell.work().join("app.yml"), project).expect("a file");
    let (alice, bob) = (User { shell: &shell, uid: ALICE }, User { shell: &shell, uid: BOB });
    populate(&alice);
    populate_more(&alice);
    bob.must("docker network create bob-net --subnet 10.92.1.0/24");
    bob.must("docker run -d --name bob-web --network bob-net -v bob-data:/data tiny sleep 1000");

    let id = |kind: &str, name: &str| {
        let word = if matches!(kind, "service" | "secret" | "config") { "ID" } else { "Id" };
        alice.must(&format!("docker {kind} inspect -f '{{{{.{word}}}}}' {name}"))
    };
    let mut table = String::new();
    for (kind, commands) in COMMANDS {
        let name = match *kind {
            "container" => "alice-web",
            "image" => "alice-image:1",
            "volume" => "alice-data",
            "service" => "alice-svc",
            "secret" => "alice-secret",
            "config" => "alice-config",
            _ => "alice-net",
        };
        let full = if *kind == "volume" { String::new() } else { id(kind, name) };
        let short = full.trim_start_matches("sha256:").get(..12).unwrap_or_default().to_owned();
        for command in *commands {
            let mut cells = Vec::new();
            for named in [name, &short, &full] {
                // A volume has no id, and no id can be given as a name.
                if named.is_empty() || (named != name && command.starts_with("docker tag tiny")) {
                    cells.push("-");
                    continue;
                }
                let line = command.replace('@', named);
                let (code, said) = bob.run(&line);
                assert_ne!(code, 0, "`{line}` succeeded: {said}");
                assert!(!said.contains(SECRET), "`{line}` shows content: {said}");
                let gives_away = named != name && (said.contains("alice-") || said.contains(name));
                assert!(!gives_away || line.contains("alice-net"), "`{line}` tells a name: {said}");
                cells.push("refused");
            }
            let command = command.replace('|', "\\|");
            writeln!(table, "| `{command}` | {kind} | {} |", cells.join(" | ")).expect("a string");
        }
    }
    let node = get(engine.socket(), "/info")["Swarm"]["NodeID"].as_str().expect("a node").to_owned();
    for command in OF_THE_HOST {
        let (code, said) = bob.run(&command.replace('@', &node));
        assert!(!said.contains(SECRET) && !said.contains("alice-"), "`{command}` tells of others: {said}");
        let cell = match (code, said.contains("dockwarden: ")) {
            (0, false) => "looks at the host",
            (1.., true) => "refused",
            _ => panic!("`{command}` gave {code}: {said}"),
        };
        writeln!(table, "| `{command}` | the host's | {cell} | - | - |").expect("a string");
    }
    let web = alice.must("docker ps --no-trunc -qf name=app_web_1");
    for command in PROJECTS {
        let (_, said) = bob.run(command);
        assert!(!said.contains(SECRET) && !said.contains(&web), "`{command}` tells of others: {said}");
        writeln!(table, "| `{command}` | a project | shows and touches their own only | - | - |").expect("a string");
    }
    for command in LISTS {
        let (code, said) = bob.run(command);
        assert_eq!(code, 0, "`{command}`: {said}");
        let tells = said.contains(SECRET) || said.contains("alice-");
        assert!(!tells, "`{command}` tells of others: {said}");
        writeln!(table, "| `{command}` | all | shows and touches their own only | - | - |").expect("a string");
    }

    // All of Alice's is there as it was; Bob's own, too.
    assert_eq!(alice.must("docker exec alice-web cat /data/file"), SECRET);
    let hers = alice.must("docker ps --format '{{.Names}}'");
    assert!(["app_web_1", "alice-svc.1.", "alice-web"].iter().all(|name| hers.contains(name)), "{hers}");
    assert_eq!(alice.must("docker ps --no-trunc -qf name=app_web_1"), web);
    assert_eq!(alice.must("docker exec app_web_1 cat /file"), SECRET);
    assert_eq!(alice.must("docker service ls --format '{{.Name}} {{.Replicas}}'"), "alice-svc 1/1");
    assert_eq!(alice.must("docker secret ls --format '{{.Name}}'"), "alice-secret");
    assert_eq!(alice.must("docker config inspect -f '{{json .Spec.Name}}' alice-config"), "\"alice-config\"");
    assert!(alice.must("docker images").contains("alice-image"));
    assert_eq!(alice.must("docker volume ls -q"), "alice-data");
    assert!(alice.must("docker network ls").contains("alice-net"));
    assert_eq!(bob.must("docker ps --format '{{.Names}}'"), "bob-web");
    // Root sees all of it.
    let all = shell.must("docker ps -a --format '{{.Names}}'");
    assert!(all.contains("alice-web") && all.contains("bob-web"), "{all}");
    if engine.kind() == Kind::Machine {
        compare("docs/ownership-commands.md", &table);
    }
}

/// The table in docs is what the test has seen. `UPDATE=1` writes it anew.
fn compare(file: &str, table: &str) {
    let path = repository().join(file);
    let text = fs::read_to_string(&path).unwrap_or_default();
    let head = "| command | on a | by name | by short id | by full id |\n|---|---|---|---|---|\n";
    let before = text.split(head).next().unwrap_or_default();
    let now = format!("{before}{head}{table}");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &now).expect("the page");
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), now, "{file} is not what was seen; UPDATE=1 writes it");
}
