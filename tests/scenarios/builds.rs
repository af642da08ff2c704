//! Builds through BuildKit, by buildx, bake and compose.

use super::{Client, Scenario, refused, same};

const FILES: &str = "mkdir -p $WORK/ctx $WORK/more $WORK/large; echo hello >$WORK/ctx/f; echo more >$WORK/more/m; echo s3cret >$WORK/secret\n\
cd $WORK/ctx\n\
printf 'FROM tiny\\nARG WHO=nobody\\nRUN echo $WHO >/who\\nCOPY f /f\\nCMD [\"cat\",\"/who\",\"/f\"]\\n' >Dockerfile\n\
printf 'FROM tiny AS one\\nRUN echo one >/x\\nFROM tiny AS two\\nRUN echo two >/x\\n' >stages\n\
printf 'FROM tiny\\nCOPY --from=extra m /m\\nRUN cat /m\\n' >named\n\
printf 'FROM tiny\\nRUN --mount=type=secret,id=s wc -c </run/secrets/s >/n\\nCMD [\"cat\",\"/n\"]\\n' >secret\n\
printf 'FROM tiny\\nRUN --mount=type=ssh test -S $SSH_AUTH_SOCK\\n' >ssh\n\
printf 'FROM tiny\\nRUN --mount=type=cache,target=/c echo x >>/c/x; cp /c/x /x\\nCMD [\"cat\",\"/x\"]\\n' >cache\n\
printf 'FROM tiny\\nRUN exit 7\\n' >fails\n\
printf 'FROM tiny\\n\\nADD http://127.0.0.1:9/x /x\\n' >adds\n\
printf 'FROM tiny\\nCOPY . /l\\nRUN wc -c </l/l >/n\\nCMD [\"cat\",\"/n\"]\\n' >$WORK/large/Dockerfile; truncate -s 200M $WORK/large/l\n\
printf 'FROM scratch\\nCOPY f /f\\n' >only-file\n\
cat >$WORK/bake.hcl <<EOF\n\
group \"default\" { targets = [\"one\", \"two\"] }\n\
target \"one\" {\n  context = \"$WORK/ctx\"\n  dockerfile = \"stages\"\n  target = \"one\"\n  tags = [\"baked:one\"]\n  network = \"none\"\n}\n\
target \"two\" {\n  inherits = [\"one\"]\n  target = \"two\"\n  tags = [\"baked:two\"]\n}\n\
EOF\n\
printf 'services: { web: { image: \"composed:1\", build: { context: %s, network: none } } }\\n' $WORK/ctx >$WORK/compose.yml";

/// docker build, buildx, bake and compose build.
pub const BUILDKIT: Scenario = Scenario {
    name: "build-buildkit",
    client: Client::Buildx,
    steps: &[
        same(FILES),
        same("docker build --network none -t b1 $WORK/ctx >/dev/null 2>&1; docker run --rm --network none b1"),
        same("docker build -q --network none -t b1 $WORK/ctx 2>/dev/null | wc -c"),
        same(
            "printf 'FROM tiny\\nRUN echo in >/x\\n' | docker build --network none -t b2 - >/dev/null 2>&1; docker run --rm --network none b2 cat /x",
        ),
        same(
            "tar -C $WORK/ctx -c . | docker build --network none -t b3 - >/dev/null 2>&1; docker run --rm --network none b3",
        ),
        same(
            "printf 'FROM tiny\\nCOPY f /g\\n' | docker build --network none -t b4 -f - $WORK/ctx >/dev/null 2>&1; docker run --rm --network none b4 cat /g",
        ),
        same(
            "docker build --network none --build-arg WHO=bob --label a=b --no-cache --shm-size 32m -t b5 $WORK/ctx >/dev/null 2>&1; docker run --rm --network none b5; docker inspect -f '{{.Config.Labels.a}}' b5",
        ),
        same(
            "docker build --network none -f $WORK/ctx/stages --target one -t b6 $WORK/ctx >/dev/null 2>&1; docker run --rm --network none b6 cat /x",
        ),
        same(
            "docker build --network none -f $WORK/ctx/named --build-context extra=$WORK/more $WORK/ctx >/dev/null 2>&1",
        ),
        same(
            "docker build --network none -f $WORK/ctx/secret --secret id=s,src=$WORK/secret -t b7 $WORK/ctx >/dev/null 2>&1; docker run --rm --network none b7",
        ),
        same(
            "ssh-agent -a $WORK/agent >/dev/null; docker build --network none -f $WORK/ctx/ssh --ssh default=$WORK/agent $WORK/ctx >/dev/null 2>&1; code=$?; pkill -f $WORK/agent; exit $code",
        ),
        same(
            "docker build --network none -f $WORK/ctx/cache -t b8 $WORK/ctx >/dev/null 2>&1; docker run --rm --network none b8",
        ),
        same(
            "docker build --network none -f $WORK/ctx/only-file -o $WORK/out $WORK/ctx >/dev/null 2>&1; cat $WORK/out/f",
        ),
        same(
            "docker build --network none -f $WORK/ctx/only-file -o type=tar,dest=$WORK/out.tar $WORK/ctx >/dev/null 2>&1; tar -xOf $WORK/out.tar f",
        ),
        same("docker build --network none -t b9 $WORK/large >/dev/null 2>&1; docker run --rm --network none b9"),
        same("docker build --check $WORK/ctx 2>&1 | grep -c 'no warnings'"),
        same("docker build --network none -f $WORK/ctx/fails $WORK/ctx 2>&1 | grep -c 'exit code: 7'"),
        same(
            "docker buildx bake -f $WORK/bake.hcl >/dev/null 2>&1; docker run --rm --network none baked:one cat /x; docker run --rm --network none baked:two cat /x",
        ),
        same("docker compose -f $WORK/compose.yml build >/dev/null 2>&1; docker run --rm --network none composed:1"),
        same("docker buildx ls | grep -c '^default'"),
        same("docker buildx history ls 2>/dev/null | wc -l"),
        same("docker buildx du 2>/dev/null | grep -c '^Total'"),
        refused("docker build --network host $WORK/ctx", "host's network namespace"),
        refused("docker build --allow security.insecure $WORK/ctx", "privileged"),
        refused("docker build --network none --add-host a:1.2.3.4 $WORK/ctx", "extrahosts"),
        refused("docker build --network none --cgroup-parent /up $WORK/ctx", "cgroup"),
        refused("docker build --network none -f $WORK/ctx/adds $WORK/ctx", "At adds:3: ADD http://127.0.0.1:9/x /x"),
        refused("docker build --network none git://127.0.0.1:9/x", "fetch"),
        refused("docker build --network none http://127.0.0.1:9/x.tgz", "fetch"),
        refused("docker build --network none --build-arg BUILDKIT_SYNTAX=tiny $WORK/ctx", "frontend"),
        same("docker buildx prune -af >/dev/null 2>&1; docker images -q | wc -l"),
    ],
};
