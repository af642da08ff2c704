//! The daemon itself, volumes and networks, and what developer refuses as a whole.

use super::{Client, DEVELOPER, Scenario, alike, refused, same};

/// What everybody types first.
pub const BASICS: Scenario = Scenario {
    name: "basics",
    client: Client::Own,
    policies: DEVELOPER,
    steps: &[
        same("docker version"),
        alike("docker info"),
        same("docker ps"),
        same("docker ps -a --size --filter status=exited"),
        same("docker images"),
        same("docker images -a --digests --filter dangling=true"),
        same("docker image ls tiny"),
        same("docker image inspect tiny"),
        same("docker inspect tiny"),
        same("docker history tiny"),
        alike("docker system info --format '{{json .}}'"),
        same("docker run --rm --network none tiny echo hi"),
        same("docker inspect nosuchthing"),
    ],
};

/// Named and anonymous volumes.
pub const VOLUMES: Scenario = Scenario {
    name: "volumes",
    client: Client::Own,
    policies: DEVELOPER,
    steps: &[
        same("docker volume create v1"),
        same("docker volume create"),
        same("docker volume create --label l=1 v2"),
        refused(
            "docker volume create -d local -o type=none -o o=bind -o device=/tmp --label l=1 vbind && docker volume rm vbind",
            "/tmp",
        ),
        same("docker volume ls -q --filter name=v"),
        same("docker volume list --filter label=l=1"),
        same("docker volume inspect v1"),
        same("docker inspect --type volume v1 --format '{{.Name}} {{.Driver}}'"),
        same("docker run --rm --network none -v v1:/data tiny sh -c 'echo d >/data/x'"),
        same("docker run --rm --network none --mount type=volume,src=v1,dst=/data,readonly tiny cat /data/x"),
        same("docker run --rm --network none --mount type=tmpfs,dst=/t tiny sh -c 'touch /t/x; ls /t'"),
        refused("docker run --rm --network none --mount type=bind,src=/etc,dst=/h tiny ls /h/hostname", "/etc"),
        refused(
            "docker run --rm --network none --mount type=volume,dst=/h,volume-driver=local,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/ tiny true",
            "/",
        ),
        same("docker volume rm v2"),
        same("docker volume rm nosuch"),
        same("docker volume rm -f v1"),
    ],
};

/// Networks of the bridge driver, aliases, addresses, published ports.
pub const NETWORKS: Scenario = Scenario {
    name: "networks",
    client: Client::Own,
    policies: DEVELOPER,
    steps: &[
        same("docker network create n1 --subnet 10.77.1.0/24 --label q=1"),
        same("docker network create -d bridge --internal n2 --subnet 10.78.1.0/24"),
        same("docker network ls --format '{{.Name}} {{.Driver}} {{.Scope}}'"),
        same("docker network list --filter label=q=1 --format '{{.Name}}'"),
        same("docker network inspect n1"),
        same("docker network inspect -v n2"),
        same("docker inspect --type network n1 --format '{{.Name}}'"),
        same("docker run -d --name nc1 --network n1 tiny sleep 100"),
        same("docker network connect --alias al2 n2 nc1"),
        same("docker run -d --name nc2 --network n1 tiny sleep 100"),
        same("docker exec nc2 nslookup nc1 2>&1 | grep -c 10.77.1.2"),
        same("docker network disconnect n2 nc1"),
        same("docker network connect --alias al1 --ip 10.78.1.50 n2 nc1"),
        same("docker exec nc1 ip -4 addr | grep -o 'inet 10[0-9.]*'"),
        same("docker network disconnect -f n1 nc1"),
        same("docker create --name nc3 --network n1 -p 127.0.0.1:18080:80 --ip 10.77.1.60 tiny sleep 10"),
        same("docker start nc3"),
        same("docker port nc3"),
        same("docker network rm n1 2>&1 | grep -c 'has active endpoints'"),
        refused("docker run --rm --network host tiny true", "network"),
        refused("docker network create -d macvlan -o parent=lo n3 && docker network rm n3", "macvlan"),
        same("docker rm -f nc1 nc2 nc3"),
        same("docker network rm n1 n2"),
        same("docker network inspect nosuch"),
    ],
};

/// system df, info, dial-stdio, contexts.
pub const SYSTEM: Scenario = Scenario {
    name: "system",
    client: Client::Own,
    policies: DEVELOPER,
    steps: &[
        same("docker run --name s1 --network none -v sv:/v tiny true"),
        alike("docker system df"),
        alike("docker system df -v"),
        alike("docker system info"),
        same("docker info -f '{{.ServerVersion}} {{.Driver}}'"),
        same(
            "printf 'GET /_ping HTTP/1.1\\r\\nHost: d\\r\\nConnection: close\\r\\n\\r\\n' | docker system dial-stdio | tail -c 2",
        ),
        same("docker context ls -q"),
        same("curl -s --unix-socket $SOCKET http://d/_ping"),
        same("curl -sI --unix-socket $SOCKET http://d/_ping | head -n 1"),
        same(
            "curl -s --unix-socket $SOCKET 'http://d/containers/json?all=1&filters=%7B%22status%22%3A%5B%22exited%22%5D%7D' | grep -c s1",
        ),
        refused("curl -s --unix-socket $SOCKET http://d/nosuch; exit 1", "/nosuch"),
    ],
};

/// Whole areas that developer does not give.
pub const FORBIDDEN: Scenario = Scenario {
    name: "swarm and plugins",
    client: Client::Own,
    policies: DEVELOPER,
    steps: &[
        refused("docker swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2477", "swarm"),
        refused("docker swarm join --token SWMTKN-1-0-0 127.0.0.1:1", "swarm"),
        refused("docker service create --name sv1 tiny sleep 1000", "service"),
        refused("echo s | docker secret create s1 -", "secret"),
        refused("echo s | docker config create c1 -", "config"),
        refused("docker plugin install --disable --grant-all-permissions 127.0.0.1:5577/plg:1", "plugin"),
    ],
};
