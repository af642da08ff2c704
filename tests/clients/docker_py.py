"""What docker-py's users do, one part a run: `docker_py.py PART`. Prints what came back, without ids and times."""
import io
import sys
import tarfile
import time

import docker

client = docker.from_env(timeout=30)
NONE = {"network_mode": "none"}


def show(what, value):
    print(f"{what}: {value}")


def system():
    show("ping", client.ping())
    show("version", client.version()["ApiVersion"])
    show("info", client.info()["Driver"])
    show("df", sorted(client.df()))
    show("events", [e["Action"] for e in client.events(since=0, until=int(time.time()), decode=True, filters={"type": "plugin"})])


def containers():
    show("run", client.containers.run("tiny", "echo hi", remove=True, **NONE))
    try:
        client.containers.run("tiny", "sh -c 'echo bad >&2; exit 3'", remove=True, **NONE)
    except docker.errors.ContainerError as error:
        show("error", (error.exit_status, error.stderr))
    c = client.containers.run("tiny", "sleep 1000", detach=True, name="py1", labels={"a": "b"}, **NONE)
    show("list", [x.name for x in client.containers.list(filters={"label": "a=b"})])
    show("sparse", [x.name for x in client.containers.list(sparse=True)])
    c.reload()
    show("status", c.status)
    show("top", len(c.top()["Processes"]))
    show("stats", sorted(c.stats(stream=False))[:3])
    show("diff", c.diff())
    c.pause()
    c.unpause()
    c.rename("py2")
    show("update", c.update(mem_limit="64m", memswap_limit="128m"))
    c.restart(timeout=0)
    c.kill()
    show("wait", c.wait()["StatusCode"])
    c.start()
    c.stop(timeout=0)
    c.remove(force=True, v=True)
    show("pruned", len(client.containers.prune()["ContainersDeleted"] or []))


def streams():
    c = client.containers.run("tiny", "sh -c 'for i in 1 2 3; do echo $i; sleep 0.2; done; cat'", detach=True, stdin_open=True, **NONE)
    show("logs follow", b"".join(line for _, line in zip(range(3), c.logs(stream=True, follow=True))))
    show("logs", c.logs(tail=1))
    show("exec", c.exec_run("echo x"))
    show("exec detach", c.exec_run("sleep 1", detach=True))
    show("exec demux", c.exec_run(["sh", "-c", "echo o; echo e >&2; exit 4"], demux=True))
    show("exec tty", c.exec_run("tty", tty=True, user="1000"))
    _, sock = c.exec_run("cat", stdin=True, socket=True)
    raw = sock._sock
    raw.sendall(b"typed\n")
    raw.shutdown(1)
    got = b""
    while piece := raw.recv(4096):
        got += piece
    show("exec socket", got)
    c.remove(force=True)


def archives():
    c = client.containers.run("tiny", "sleep 1000", detach=True, **NONE)
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        entry = tarfile.TarInfo("f.txt")
        entry.size = 5
        tar.addfile(entry, io.BytesIO(b"hello"))
    show("put", c.put_archive("/tmp", data.getvalue()))
    stream, stat = c.get_archive("/tmp/f.txt")
    show("get", (stat["name"], stat["size"], tarfile.open(fileobj=io.BytesIO(b"".join(stream))).getnames()))
    show("export", b"".join(c.export())[257:262])
    show("commit", client.images.get(c.commit("pycm", "1").id).tags)
    c.remove(force=True)


def images():
    image = client.images.get("tiny")
    show("list", sorted(t for i in client.images.list() for t in i.tags))
    show("tag", image.tag("pytag", "1"))
    show("history", len(image.history()))
    saved = b"".join(image.save(named=True))
    show("load", sorted(client.images.load(saved)[0].tags))
    built, _ = client.images.build(fileobj=io.BytesIO(b"FROM tiny\nLABEL made=here\n"), tag="pybuilt", rm=True, network_mode="none")
    show("build", built.labels)
    client.images.remove("pybuilt")
    client.images.remove("pytag:1")
    show("prune", client.images.prune()["SpaceReclaimed"] >= 0)


def volumes():
    v = client.volumes.create("pyv", labels={"l": "1"})
    show("list", [x.name for x in client.volumes.list(filters={"label": "l=1"})])
    show("get", client.volumes.get("pyv").attrs["Driver"])
    mount = docker.types.Mount("/data", "pyv", type="volume")
    show("run", client.containers.run("tiny", "sh -c 'echo d >/data/x; cat /data/x'", mounts=[mount], remove=True, **NONE))
    v.remove()
    show("prune", client.volumes.prune()["SpaceReclaimed"])


def networks():
    n = client.networks.create("pyn", driver="bridge", internal=True)
    show("list", [x.name for x in client.networks.list(names=["pyn"])])
    c = client.containers.create("tiny", "sleep 1000", name="pyc", **NONE)
    client.networks.get("none").disconnect(c)
    n.connect(c, aliases=["al"])
    c.start()
    n.reload()
    show("connected", [x.name for x in n.containers])
    n.disconnect(c)
    c.remove(force=True)
    n.remove()
    show("prune", client.networks.prune().get("NetworksDeleted"))


def privileged():
    client.containers.create("tiny", "true", name="pyp", privileged=True, **NONE).remove()


try:
    {f.__name__: f for f in (system, containers, streams, archives, images, volumes, networks, privileged)}[sys.argv[1]]()
except docker.errors.APIError as error:
    sys.exit(f"{error.status_code} {error.explanation}")
