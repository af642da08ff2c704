//! Connections that are taken over or that stream: run -it, exec, attach, logs, events, cp.

use super::{Client, DEVELOPER, Scenario, by_id, refused, same};

/// Terminals and pipes of `docker run`.
pub const RUN_IT: Scenario = Scenario {
    name: "run-it",
    client: Client::Own,
    policies: DEVELOPER,
    steps: &[
        same("echo hi | docker run -i --rm --network none tiny cat"),
        same("echo hi | docker run -i --rm -a stdin -a stdout --network none tiny cat"),
        same("docker run --rm --network none tiny sh -c 'echo out; echo err >&2'"),
        same("docker run --rm -d --name d1 --network none tiny sleep 0.2; docker wait d1 >/dev/null 2>&1; true"),
        same(
            "script -qec \"docker run -it --rm --name it1 --network none tiny sh -c 'tty; echo typed'\" /dev/null </dev/null",
        ),
        same(
            "(sleep 1.5; echo 'echo $((6*7)); exit 3'; sleep 1) | \
              script -qec \"docker run -it --rm --network none tiny sh -c 'stty -echo; PS1= sh'\" /dev/null",
        ),
        same("docker run -it --rm --network none tiny true"),
        refused("docker run --privileged --pid host --rm --network none -v /:/host tiny ls /host", "privileged"),
    ],
};

/// exec in all its forms.
pub const EXEC: Scenario = Scenario {
    name: "exec",
    client: Client::Own,
    policies: DEVELOPER,
    steps: &[
        same("docker run -d --name r1 --network none tiny sleep 1000"),
        same("docker exec r1 echo x"),
        same("echo piped | docker container exec -i r1 cat"),
        same("script -qec \"docker exec -it r1 sh -c 'tty; echo in'\" /dev/null </dev/null"),
        same("docker exec -d r1 sleep 1"),
        same("docker exec -w /tmp -e A=1 -u 1000 r1 sh -c 'pwd; echo $A; id -u; exit 5'"),
        same("docker exec r1 nosuchcommand"),
        same("docker exec nosuch true"),
        refused("docker exec -u 0 --privileged -w / -e A=1 r1 sh -c 'exit 5'", "privileged"),
    ],
};

/// attach to running containers.
pub const ATTACH: Scenario = Scenario {
    name: "attach",
    client: Client::Own,
    policies: DEVELOPER,
    steps: &[
        same("docker run -d --name a1 --network none tiny sh -c 'sleep 2; echo late; exit 4'"),
        same("docker attach --no-stdin --sig-proxy=false a1"),
        same("docker run -di --name a2 --network none tiny cat"),
        same(
            "((echo through; sleep 1) | timeout -k 1 3 docker container attach --sig-proxy=false a2) 2>/dev/null; true",
        ),
        same("docker run -dit --name a3 --network none tiny sh -c 'read line; echo \"got $line\"'"),
        same("(sleep 1; echo word; sleep 1) | script -qec 'docker attach a3' /dev/null"),
        same("docker attach a3"),
    ],
};

/// logs, also followed.
pub const LOGS: Scenario = Scenario {
    name: "logs",
    client: Client::Own,
    policies: DEVELOPER,
    steps: &[
        same("docker run --name l1 --network none tiny sh -c 'for i in 1 2 3; do echo line $i; done'"),
        same("docker logs l1"),
        same("docker container logs --tail 2 -t l1"),
        same("docker run -d --name l2 --network none tiny sh -c 'for i in 1 2 3; do echo $i; sleep 0.5; done'"),
        same("docker logs -f l2"),
        same("docker logs -f --since 1m --tail 1 l2"),
        same("docker run -d --name l3 --network none tiny sh -c 'while :; do echo on; sleep 0.2; done'"),
        same("timeout 2 docker logs -f l3 | head -n 3"),
        same("docker logs nosuch"),
    ],
};

/// events, live and past.
pub const EVENTS: Scenario = Scenario {
    name: "events",
    client: Client::Own,
    policies: DEVELOPER,
    steps: &[
        same(
            "timeout 3 docker events --format '{{.Type}} {{.Action}}' >$WORK/e & sleep 1; docker volume create e1; docker volume rm e1; wait; cat $WORK/e",
        ),
        same("docker events --since 10m --until 0s --filter type=volume --format '{{.Type}} {{.Action}}'"),
        same("docker system events --since 1m --until 0s --filter type=volume --format '{{json .Actor}}'"),
    ],
};

/// cp into and out of a container.
pub const COPY: Scenario = Scenario {
    name: "cp",
    client: Client::Own,
    policies: DEVELOPER,
    steps: &[
        same("docker run -d --name r1 --network none tiny sleep 1000; echo content >$WORK/f.txt"),
        same("docker cp $WORK/f.txt r1:/tmpf.txt"),
        same("docker exec r1 cat /tmpf.txt"),
        same("docker container cp r1:/tmpf.txt $WORK/back.txt; cat $WORK/back.txt"),
        same("tar -C $WORK -c f.txt | docker cp - r1:/tmp; docker exec r1 cat /tmp/f.txt"),
        same("docker cp r1:/bin/busybox - | tar -t"),
        by_id("docker cp -a -L $WORK/f.txt r1:/nosuchdir/x", "r1"),
        by_id("docker cp r1:/nosuch $WORK/x", "r1"),
    ],
};
