//! Builds through BuildKit, by buildx, bake and compose.

use super::{Client, Scenario, refused, same, same_unless, works};

/// A preset, and what may be fetched for builds beside.
macro_rules! fetching {
    ($preset:literal) => {
        concat!(
            "{ preset: ",
            $preset,
            ", rules: [{ allow: [{ build_context: [\"http://127.0.0.1:8081/ctx.tgz\", \"http://127.0.0.1:8081/alone\", \
             \"git://127.0.0.1:9418/app.git*\"] }, { build_fetch: [\"http://127.0.0.1:8081/ctx.tgz\", \
             \"http://127.0.0.1:8081/alone\", \"git://127.0.0.1:9418/app.git*\"] }] }] }"
        )
    };
}

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
printf 'FROM tiny\\nARG N\\nRUN exec sleep $N\\n' >slow\n\
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
    policies: &["{ preset: developer }", "{ preset: ci }"],
    steps: &[
        works(FILES),
        works("docker build --network none -t b1 $WORK/ctx >/dev/null 2>&1; docker run --rm --network none b1"),
        works("docker build -q --network none -t b1 $WORK/ctx 2>/dev/null | wc -c"),
        works(
            "printf 'FROM tiny\\nRUN echo in >/x\\n' | docker build --network none -t b2 - >/dev/null 2>&1; docker run --rm --network none b2 cat /x",
        ),
        works(
            "tar -C $WORK/ctx -c . | docker build --network none -t b3 - >/dev/null 2>&1; docker run --rm --network none b3",
        ),
        works(
            "printf 'FROM tiny\\nCOPY f /g\\n' | docker build --network none -t b4 -f - $WORK/ctx >/dev/null 2>&1; docker run --rm --network none b4 cat /g",
        ),
        works(
            "docker build --network none --build-arg WHO=bob --label a=b --no-cache --shm-size 32m -t b5 $WORK/ctx >/dev/null 2>&1; docker run --rm --network none b5; docker inspect -f '{{.Config.Labels.a}}' b5",
        ),
        works(
            "docker build --network none -f $WORK/ctx/stages --target one -t b6 $WORK/ctx >/dev/null 2>&1; docker run --rm --network none b6 cat /x",
        ),
        same(
            "docker build --network none -f $WORK/ctx/named --build-context extra=$WORK/more $WORK/ctx >/dev/null 2>&1",
        ),
        works(
            "docker build --network none -f $WORK/ctx/secret --secret id=s,src=$WORK/secret -t b7 $WORK/ctx >/dev/null 2>&1; docker run --rm --network none b7",
        ),
        works(
            "ssh-agent -a $WORK/agent >/dev/null; docker build --network none -f $WORK/ctx/ssh --ssh default=$WORK/agent $WORK/ctx >/dev/null 2>&1; code=$?; pkill -f $WORK/agent; exit $code",
        ),
        works(
            "docker build --network none -f $WORK/ctx/cache -t b8 $WORK/ctx >/dev/null 2>&1; docker run --rm --network none b8",
        ),
        works(
            "docker build --network none -f $WORK/ctx/only-file -o $WORK/out $WORK/ctx >/dev/null 2>&1; cat $WORK/out/f",
        ),
        works(
            "docker build --network none -f $WORK/ctx/only-file -o type=tar,dest=$WORK/out.tar $WORK/ctx >/dev/null 2>&1; tar -xOf $WORK/out.tar f",
        ),
        same(
            "docker build --network none -f $WORK/ctx/only-file -o type=docker,dest=$WORK/out.docker $WORK/ctx 2>&1 | grep -o 'Docker exporter .*'; ls $WORK/out.docker",
        ),
        works(
            "docker buildx build --load --network none -f $WORK/ctx/only-file -t loaded $WORK/ctx >/dev/null 2>&1; docker inspect -f '{{.Os}}' loaded",
        ),
        works(
            "docker build --network none --build-arg BUILDKIT_INLINE_CACHE=1 -t 127.0.0.1:5577/cached $WORK/ctx >/dev/null 2>&1; docker push -q 127.0.0.1:5577/cached; docker build --network none --progress plain --cache-from 127.0.0.1:5577/cached -t b10 $WORK/ctx >$WORK/cached 2>&1; grep -q 'importing cache manifest from 127.0.0.1:5577/cached' $WORK/cached",
        ),
        works(
            "set -m; n=9$RANDOM$RANDOM; docker build --network none --build-arg N=$n -f $WORK/ctx/slow -t b11 $WORK/ctx >/dev/null 2>&1 & until pgrep -f \"^sleep $n$\" >/dev/null; do kill -0 $! || exit; sleep 0.1; done; kill -INT -- -$!; wait $!; echo $?; while pgrep -f \"^sleep $n$\" >/dev/null; do sleep 0.1; done; docker images -q b11",
        ),
        works("docker build --network none -t b9 $WORK/large >/dev/null 2>&1; docker run --rm --network none b9"),
        same("docker build --check $WORK/ctx 2>&1 | grep -c 'no warnings'"),
        works("docker build --network none -f $WORK/ctx/fails $WORK/ctx 2>&1 | grep -c 'exit code: 7'"),
        works(
            "docker buildx bake -f $WORK/bake.hcl >/dev/null 2>&1; docker run --rm --network none baked:one cat /x; docker run --rm --network none baked:two cat /x",
        ),
        works("docker compose -f $WORK/compose.yml build >/dev/null 2>&1; docker run --rm --network none composed:1"),
        works("docker buildx ls | grep -c '^default'"),
        same("docker buildx history ls 2>/dev/null | wc -l"),
        same("docker buildx history logs >$WORK/logs 2>/dev/null; grep -o '^.*RUN echo.*$' $WORK/logs | wc -l"),
        same("docker buildx history inspect 2>/dev/null | grep -E '^(Status|Dockerfile):'"),
        same("docker buildx history rm --all >/dev/null 2>&1; docker buildx history ls 2>/dev/null | wc -l"),
        same_unless("ci", "docker buildx du >$WORK/du && grep -c '^Total' $WORK/du", "build cache"),
        refused("docker build --network host $WORK/ctx", "host's network namespace"),
        refused("docker build --allow security.insecure $WORK/ctx", "privileged"),
        refused("docker build --network none --add-host a:1.2.3.4 $WORK/ctx", "extrahosts"),
        refused("docker build --network none --cgroup-parent /up $WORK/ctx", "cgroup"),
        refused("docker build --network none -f $WORK/ctx/adds $WORK/ctx", "At adds:3: ADD http://127.0.0.1:9/x /x"),
        refused("docker build --network none git://127.0.0.1:9/x", "fetch"),
        refused("docker build --network none http://127.0.0.1:9/x.tgz", "fetch"),
        refused("docker build --network none --build-arg BUILDKIT_SYNTAX=tiny $WORK/ctx", "frontend"),
        same_unless("ci", "docker buildx prune -af >/dev/null && docker images -q | wc -l", "build cache"),
    ],
};

const SERVED: &str = "mkdir -p $WORK/src/sub $WORK/www $WORK/git/core; cd $WORK/src; echo from-there >f; echo sub >sub/f\n\
printf 'FROM tiny\\nCOPY f /f\\nCMD [\"cat\",\"/f\"]\\n' >Dockerfile; cp Dockerfile sub; tar -czf $WORK/www/ctx.tgz Dockerfile f\n\
printf 'FROM tiny\\nRUN echo alone >/f\\nCMD [\"cat\",\"/f\"]\\n' >$WORK/www/alone; cp $WORK/www/alone $WORK/www/other\n\
git init -q -b main . && git add . && git -c user.name=a -c user.email=a@b.test commit -qm one && git clone -q --bare . $WORK/app.git && cp -r $WORK/app.git $WORK/other.git\n\
printf 'FROM tiny\\nCOPY --from=extra f /f\\nCMD [\"cat\",\"/f\"]\\n' >$WORK/named\n\
printf 'FROM tiny\\nADD http://127.0.0.1:8081/alone /f\\nCMD [\"cat\",\"/f\"]\\n' >$WORK/adds; sed s/alone/other/ <$WORK/adds >$WORK/adds-other\n\
nsenter --net --target $DAEMON timeout 900 busybox httpd -f -p 127.0.0.1:8081 -h $WORK/www >/dev/null 2>&1 & echo $! >>$WORK/pids\n\
nsenter --net --target $DAEMON timeout 900 git daemon --export-all --base-path=$WORK --listen=127.0.0.1 --port=9418 >/dev/null 2>&1 & echo $! >>$WORK/pids\n\
for port in 8081 9418; do until nsenter --net --target $DAEMON bash -c \"exec 3<>/dev/tcp/127.0.0.1/$port\" 2>/dev/null; do sleep 0.1; done; done\n\
cp -L /usr/bin/git /usr/lib/git-core/git-submodule /usr/lib/git-core/git-sh-* $WORK/git/core\n\
printf '#!/bin/sh\\nGIT_EXEC_PATH=%s exec %s/git \"$@\"\\n' $WORK/git/core $WORK/git/core >$WORK/git/git; chmod +x $WORK/git/git\n\
nsenter --mount --target $DAEMON sh -c \"command -v git >/dev/null || mount --bind $WORK/git /usr/local/bin\"";

/// What the daemon itself fetches, where that is granted: contexts, named contexts and files.
pub const FETCHED: Scenario = Scenario {
    name: "build-fetched",
    client: Client::Buildx,
    policies: &[fetching!("developer"), fetching!("ci")],
    steps: &[
        works(SERVED),
        works(
            "docker build --network none -t g1 'git://127.0.0.1:9418/app.git#main' >/dev/null 2>&1; docker run --rm --network none g1",
        ),
        // Not with BuildKit 0.8, which knows neither folders of a repository nor named contexts.
        same(
            "docker build --network none -t g2 'git://127.0.0.1:9418/app.git#main:sub' >/dev/null 2>&1; docker run --rm --network none g2",
        ),
        works(
            "docker build --network none -t h1 http://127.0.0.1:8081/ctx.tgz >/dev/null 2>&1; docker run --rm --network none h1",
        ),
        works(
            "docker build --network none -t h2 http://127.0.0.1:8081/alone >/dev/null 2>&1; docker run --rm --network none h2",
        ),
        same(
            "docker build --network none -t n2 -f $WORK/named --build-context 'extra=git://127.0.0.1:9418/app.git#main' $WORK/src >/dev/null 2>&1; docker run --rm --network none n2",
        ),
        works(
            "docker build --network none -t a1 -f $WORK/adds $WORK/src >/dev/null 2>&1; docker run --rm --network none a1",
        ),
        refused(
            "docker build --network none 'git://127.0.0.1:9418/other.git#main'",
            "the daemon fetches no build contexts",
        ),
        refused("docker build --network none http://127.0.0.1:8081/other", "the daemon fetches no build contexts"),
        refused(
            "docker build --network none -f $WORK/named --build-context extra=http://127.0.0.1:8081/other $WORK/src",
            "the daemon fetches no build contexts",
        ),
        refused(
            "docker build --network none -f $WORK/adds-other $WORK/src",
            "At adds-other:2: ADD http://127.0.0.1:8081/other /f",
        ),
        works("kill $(cat $WORK/pids)"),
    ],
};
