//! Images: local ones, a registry, builds by the classic builder.

use super::{Client, DEVELOPER, Scenario, refused, same};

/// tag, save, load, import, rmi.
pub const IMAGES: Scenario = Scenario {
    name: "images",
    client: Client::Own,
    policies: DEVELOPER,
    steps: &[
        same("mkdir -p $WORK/r/etc; echo x >$WORK/r/etc/x; tar -C $WORK/r -cf $WORK/rootfs.tar ."),
        same("docker import - imp1 <$WORK/rootfs.tar"),
        same("docker image import --change 'CMD [\"sh\"]' --message m $WORK/rootfs.tar imp2:v1"),
        same("docker tag tiny t2:x"),
        same("docker image tag tiny t3:y"),
        same("docker save t2:x -o $WORK/save.tar; tar -tf $WORK/save.tar | grep -c manifest.json"),
        same("docker save t2:x t3:y | tar -t | grep -c manifest.json"),
        same("docker rmi t2:x"),
        same("docker image rm -f t3:y"),
        same("docker load -i $WORK/save.tar"),
        same("docker image load -q <$WORK/save.tar"),
        same("docker image history tiny"),
        same("docker images --format '{{.Repository}}:{{.Tag}} {{.Size}}' | sort"),
        same("docker image ls -a --digests --filter dangling=true"),
        same("docker image inspect t2:x --format '{{.RepoTags}}'"),
        same("docker rmi -f imp1 imp2:v1"),
        same("docker rmi nosuch:1"),
    ],
};

/// export and commit of a container.
pub const EXPORT_COMMIT: Scenario = Scenario {
    name: "export-commit",
    client: Client::Own,
    policies: DEVELOPER,
    steps: &[
        same("docker run -d --name r1 --network none tiny sleep 1000; docker exec r1 touch /made"),
        same("docker export -o $WORK/exp.tar r1; tar -tf $WORK/exp.tar | grep -c '^made$'"),
        same("docker container export r1 | tar -t | wc -l"),
        same("docker commit -m msg -a me --change 'ENV Q=1' r1 cm1:v"),
        same("docker container commit --pause=false r1 cm2"),
        same("docker run --rm --network none cm1:v sh -c 'ls /made; echo $Q'"),
        same("docker export nosuch"),
    ],
};

/// push to and pull from a registry.
pub const REGISTRY: Scenario = Scenario {
    name: "registry",
    client: Client::Own,
    policies: DEVELOPER,
    steps: &[
        same("docker tag tiny 127.0.0.1:5577/a/tiny:1"),
        same("docker push 127.0.0.1:5577/a/tiny:1 | tail -n 1 | cut -d: -f1"),
        same("docker image push -q 127.0.0.1:5577/a/tiny:1"),
        same("docker rmi 127.0.0.1:5577/a/tiny:1 | head -n 1"),
        same("docker pull 127.0.0.1:5577/a/tiny:1"),
        same("docker image pull -q 127.0.0.1:5577/a/tiny:1"),
        same("docker pull -a -q 127.0.0.1:5577/a/tiny"),
        same(
            "docker run --rm --pull always -q --network none 127.0.0.1:5577/a/tiny:1 echo pulled 2>/dev/null || \
              docker run --rm --pull always --network none 127.0.0.1:5577/a/tiny:1 echo pulled",
        ),
        same(
            "docker rmi 127.0.0.1:5577/a/tiny:1 >/dev/null; docker run --rm --network none 127.0.0.1:5577/a/tiny:1 echo auto",
        ),
        same("docker pull 127.0.0.1:5577/nosuch"),
        same("docker create --name pc1 --network none 127.0.0.1:5577/nosuch:1"),
        same("docker login -u u -p p 127.0.0.1:5577"),
        same("docker logout 127.0.0.1:5577"),
    ],
};

/// The classic builder. (BuildKit has tests of its own.)
pub const BUILD: Scenario = Scenario {
    name: "build-classic",
    client: Client::Own,
    policies: DEVELOPER,
    steps: &[
        same(
            "mkdir $WORK/ctx; printf 'FROM tiny\\nCOPY f /f\\nRUN cat /f\\nCMD [\"cat\",\"/f\"]\\n' >$WORK/ctx/Dockerfile; echo hello >$WORK/ctx/f",
        ),
        same("DOCKER_BUILDKIT=0 docker build --network none -t cb1 $WORK/ctx"),
        same("tar -C $WORK/ctx -c . | DOCKER_BUILDKIT=0 docker image build --network none -t cb2 -"),
        same("docker run --rm --network none cb1"),
        same("printf 'FROM nosuch.test/x\\n' | DOCKER_BUILDKIT=0 docker build -q - >/dev/null 2>&1"),
        refused("DOCKER_BUILDKIT=0 docker build --network host $WORK/ctx", "host"),
        same("docker builder prune -f >/dev/null 2>&1; docker rmi -f cb1 cb2 >/dev/null"),
    ],
};
