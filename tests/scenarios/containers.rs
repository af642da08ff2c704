//! Containers from create to prune.

use super::{Client, DEVELOPER, Scenario, alike, by_id, refused, same};

const R1: &str = "docker run -d --name r1 --network none --label a=b -e K=V --memory 64m --cap-drop ALL \
                  --security-opt no-new-privileges tiny sh -c 'trap exit TERM; while :; do echo tick; sleep 1; done'";

/// create, start, run, ps.
pub const LIFE: Scenario = Scenario {
    name: "containers",
    client: Client::Own,
    policies: DEVELOPER,
    steps: &[
        same("docker create --name c1 --network none tiny sh -c 'echo one; echo two >&2; sleep 1'"),
        same("docker container create --name c2 --network none -it tiny sh"),
        same("docker start c1"),
        same("docker start -a c1"),
        same("docker create --name c1 --network none tiny true"),
        same("docker create --name c3 --network none nosuchimage:local || true"),
        same(R1),
        refused("docker run --rm --network none -v /:/host:ro tiny true", "/"),
        refused("docker run --rm --network none --cap-drop ALL --cap-add sys_admin tiny true", "SYS_ADMIN"),
        same("docker container run --rm --network none tiny echo mgmt"),
        same("docker run --rm --network none --init --read-only --ulimit nofile=100:200 --tmpfs /t tiny echo 1"),
        same(
            "docker run --rm --network none -u 1000 -w /tmp -e A=1 --hostname h tiny sh -c 'id; pwd; echo $A; hostname'",
        ),
        same("docker run --rm --network none tiny sh -c 'exit 5'"),
        same("docker run --rm --network none tiny nosuchcommand"),
        same("docker ps --format '{{.Names}} {{.Image}} {{.State}}'"),
        same("docker ps -a --filter label=a=b"),
        same("docker ps -aq --no-trunc | wc -l"),
        same("docker container ls -n 1 --format '{{.Names}}'"),
    ],
};

/// top, stats, inspect, diff, pause, rename, update.
pub const MISC: Scenario = Scenario {
    name: "container-misc",
    client: Client::Own,
    policies: DEVELOPER,
    steps: &[
        same(R1),
        alike("docker top r1"),
        alike("docker container top r1 -o pid,cmd"),
        alike("docker stats --no-stream --format '{{.Name}}'"),
        alike("docker stats --no-stream --format '{{.Name}} {{.PIDs}}' r1"),
        alike("docker inspect r1"),
        alike("docker container inspect -s r1"),
        same("docker inspect --type container r1 --format '{{.HostConfig.Memory}} {{.Config.Env}}'"),
        same("docker exec r1 touch /tmp/new"),
        same("docker diff r1"),
        same("docker port r1"),
        same("docker pause r1"),
        same("docker ps --format '{{.Names}} {{.State}}'"),
        same("docker container unpause r1"),
        same("docker rename r1 r1b"),
        same("docker container rename r1b r1"),
        same("docker rename r1 r1; docker rename nosuch x"),
        same("docker update --memory 96m --memory-swap 192m --restart on-failure:2 r1"),
        same("docker container update --cpu-shares 512 r1"),
        same(
            "docker inspect r1 --format '{{.HostConfig.Memory}} {{.HostConfig.CpuShares}} {{.HostConfig.RestartPolicy.Name}}'",
        ),
    ],
};

/// wait, kill, stop, restart, rm.
pub const END: Scenario = Scenario {
    name: "container-end",
    client: Client::Own,
    policies: DEVELOPER,
    steps: &[
        same(R1),
        same("(sleep 1; docker kill r1 >/dev/null) & docker wait r1; wait"),
        same("docker start r1"),
        same("docker kill -s TERM r1; docker container wait r1"),
        by_id("docker container kill r1", "r1"),
        same("docker start r1; docker stop -t 1 r1"),
        same("docker container stop r1"),
        same("docker restart -t 0 r1"),
        same("docker container restart -t 0 r1"),
        by_id("docker rm r1 || true", "r1"),
        same("docker container rm -f -v r1"),
        same("docker rm -f nosuch"),
    ],
};

/// prune: removes what is stopped, and tells how much.
pub const PRUNE: Scenario = Scenario {
    name: "prune",
    client: Client::Own,
    policies: DEVELOPER,
    steps: &[
        same("docker run --name p1 --network none tiny true"),
        same("docker create --name p2 --network none tiny true"),
        same("docker volume create keep; docker network create --internal empty"),
        same("docker container prune -f"),
        same("docker ps -aq"),
        same("docker network prune -f"),
        same("docker volume prune -f"),
        same("docker run --name p3 --network none tiny true"),
        same("docker system prune -f"),
        same("docker system prune -a -f --volumes --filter label=never"),
        same("docker image prune -f"),
        same("docker image prune -a -f --filter until=1000h"),
        same("docker image ls --format '{{.Repository}}'"),
    ],
};
