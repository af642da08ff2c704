//! Clients other than the plain CLI: compose in both generations, docker-py.

use super::{Client, DEVELOPER, Scenario, alike, refused, same};

const PROJECT: &str = "mkdir -p $WORK/p; cat >$WORK/p/compose.yml <<'EOF'\n\
services:\n  db:\n    image: tiny\n    command: sh -c 'trap exit TERM; while :; do echo db; sleep 1; done'\n    \
volumes: [ \"data:/data\" ]\n    ports: [ \"127.0.0.1:18081:80\" ]\n  web:\n    image: tiny\n    \
command: sh -c 'trap exit TERM; while :; do sleep 1; done'\n    depends_on: [ db ]\nvolumes: { data: {} }\nEOF\n\
sed '1i version: \"3\"' $WORK/p/compose.yml >$WORK/p/old.yml\n\
sed 's/^  db:/  db:\\n    privileged: true/' $WORK/p/compose.yml >$WORK/p/bad.yml\n\
sed '1i version: \"3\"' $WORK/p/bad.yml >$WORK/p/oldbad.yml";

/// docker compose 2.40, of either engine.
pub const COMPOSE: Scenario = Scenario {
    name: "compose",
    client: Client::Compose,
    policies: DEVELOPER,
    steps: &[
        same(PROJECT),
        alike("docker compose -f $WORK/p/compose.yml up -d 2>&1 | grep -c Started"),
        same("docker compose -f $WORK/p/compose.yml ps -a --format '{{.Name}} {{.State}}'"),
        same("docker compose ls --format json | grep -o '\"Name\":\"p\"'"),
        same("docker compose -f $WORK/p/compose.yml images | grep -c tiny"),
        same("docker compose -f $WORK/p/compose.yml logs --no-color --tail 1 db"),
        alike("docker compose -f $WORK/p/compose.yml top db | grep -c sleep"),
        same("docker compose -f $WORK/p/compose.yml port db 80"),
        same("docker compose -f $WORK/p/compose.yml exec -T db echo ex"),
        same("docker compose -f $WORK/p/compose.yml exec -T web sh -c 'nslookup db >/dev/null && echo found'"),
        same("docker compose -f $WORK/p/compose.yml run --rm -T --no-deps web echo runx 2>/dev/null"),
        same("echo content >$WORK/f.txt; docker compose -f $WORK/p/compose.yml cp $WORK/f.txt db:/f.txt 2>/dev/null"),
        same("docker compose -f $WORK/p/compose.yml exec -T db cat /f.txt"),
        same(
            "docker compose -f $WORK/p/compose.yml pause db 2>/dev/null; docker compose -f $WORK/p/compose.yml unpause db 2>/dev/null",
        ),
        same(
            "docker compose -f $WORK/p/compose.yml up -d --scale web=2 >/dev/null 2>&1; docker ps --format '{{.Names}}' | sort",
        ),
        same("docker compose -f $WORK/p/compose.yml restart -t 0 db 2>/dev/null"),
        same(
            "docker compose -f $WORK/p/compose.yml stop -t 0 2>/dev/null; docker compose -f $WORK/p/compose.yml start 2>/dev/null",
        ),
        same(
            "docker compose -f $WORK/p/compose.yml kill 2>/dev/null; docker compose -f $WORK/p/compose.yml rm -f 2>/dev/null",
        ),
        same(
            "docker compose -f $WORK/p/compose.yml down -v -t 0 2>/dev/null; docker ps -aq; docker volume ls -q; docker network ls -q --filter type=custom",
        ),
        refused(
            "docker compose -p bad -f $WORK/p/bad.yml up -d; code=$?; docker compose -p bad -f $WORK/p/bad.yml down -v -t 0 >/dev/null 2>&1; exit $code",
            "privileged",
        ),
    ],
};

/// docker-compose 1.29, the one that Debian has.
pub const OLD_COMPOSE: Scenario = Scenario {
    name: "docker-compose 1.29",
    client: Client::OldCompose,
    policies: DEVELOPER,
    steps: &[
        same(PROJECT),
        alike("/usr/bin/docker-compose -f $WORK/p/old.yml up -d"),
        same("/usr/bin/docker-compose -f $WORK/p/old.yml ps"),
        same("/usr/bin/docker-compose -f $WORK/p/old.yml exec -T db echo ex"),
        same("/usr/bin/docker-compose -f $WORK/p/old.yml logs --no-color --tail 1 db"),
        same("/usr/bin/docker-compose -f $WORK/p/old.yml port db 80"),
        same("/usr/bin/docker-compose -f $WORK/p/old.yml run --rm -T --no-deps web echo runx 2>/dev/null"),
        same("/usr/bin/docker-compose -f $WORK/p/old.yml restart -t 0 db >/dev/null 2>&1"),
        same("/usr/bin/docker-compose -f $WORK/p/old.yml down -v -t 0 2>/dev/null; docker ps -aq; docker volume ls -q"),
        refused(
            "/usr/bin/docker-compose -p bad -f $WORK/p/oldbad.yml up -d; code=$?; \
                 /usr/bin/docker-compose -p bad -f $WORK/p/oldbad.yml down -v -t 0 >/dev/null 2>&1; exit $code",
            "privileged",
        ),
    ],
};

/// docker-py 5.0: `tests/clients/docker_py.py` says what each part does.
pub const DOCKER_PY: Scenario = Scenario {
    name: "docker-py",
    client: Client::Python,
    policies: DEVELOPER,
    steps: &[
        same("/usr/bin/python3 $CLIENTS/docker_py.py system"),
        same("/usr/bin/python3 $CLIENTS/docker_py.py containers"),
        same("/usr/bin/python3 $CLIENTS/docker_py.py streams"),
        same("/usr/bin/python3 $CLIENTS/docker_py.py archives"),
        same("/usr/bin/python3 $CLIENTS/docker_py.py images"),
        same("/usr/bin/python3 $CLIENTS/docker_py.py volumes"),
        same("/usr/bin/python3 $CLIENTS/docker_py.py networks"),
        refused("/usr/bin/python3 $CLIENTS/docker_py.py privileged", "privileged"),
    ],
};
