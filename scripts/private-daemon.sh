#!/bin/bash
# A throw-away Docker daemon of its own: own root, own sockets, own mount namespace; nothing of it outlives it.
#
#   private-daemon.sh [--modern] [--own-net] [--bare] [--registry] [--etc DIR] [--tcp]
#
# Prints `ready SOCKET` when it is up, then obeys lines on stdin: `kill` (the daemon dies at once, answer `down`),
# `start` (it comes back, answer `ready SOCKET`), `authorize` (from now on it asks the authorization plugin that answers
# at `plugins/dockwarden.sock` beside SOCKET, answer `authorized`), `unauthorize` (it asks none, answer `unauthorized`).
# When stdin ends, or on TERM or INT, it removes its containers and networks, ends, and deletes all it had. So whoever
# holds the other end of the pipe cannot leave it behind, not even by being killed.
#
#   --modern    Docker 28.5 through modern-engine instead of the machine's dockerd
#   --own-net   a network namespace of its own (published ports are then not seen by the host)
#   --bare      without the image `tiny`
#   --registry  an empty registry at 127.0.0.1:5577 as the daemon sees it (needs --own-net)
#   --etc DIR   its /etc has the files of DIR over the machine's, docker/daemon.json among them; what it writes lands there
#   --tcp       answers on port 2375 of all its addresses too, to anybody (needs --own-net)
#
# No docker0 and no firewall rules, so that the machine's network stays as it is: containers get `--network none`
# or a network made by `docker network create`.
set -uo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" = 0 ] || exec sudo --preserve-env=MODERN_ENGINE,MODERN_ENGINE_ROOT "$HERE/private-daemon.sh" "$@"

MODERN='' OWN_NET='' BARE='' REGISTRY='' ETC='' TCP=()
while [ $# -gt 0 ]; do
  case $1 in
    --modern) MODERN=1 ;;
    --own-net) OWN_NET=1 ;;
    --bare) BARE=1 ;;
    --registry) REGISTRY=1 ;;
    --etc) shift; ETC=$1 ;;
    --tcp) TCP=(--host 'tcp://[::]:2375' --tls=false) ;;
    *) sed -n '2,23p' "$0" | sed 's/^# \{0,1\}//'; exit 64 ;;
  esac
  shift
done
ENGINE=${MODERN_ENGINE:-$HERE/../../shared/bin/modern-engine}
NAME=dockwarden-engine.$$.$RANDOM

# The outside network stays visible or not: the daemon's command goes through these.
IN_NET=()
[ -z "$OWN_NET" ] || IN_NET=(unshare --net sh -c 'ip link set lo up; exec "$@"' sh)

if [ -n "$MODERN" ]; then
  ROOT=$("$ENGINE" root) || exit 1
  DIR=$ROOT/run/$NAME
else
  ROOT=''
  DIR=${TMPDIR:-/tmp}/$NAME
fi
SOCKET=$DIR/docker.sock
REGISTRY_PID=''
HOST_NETWORKS=''

api() { curl -fsS -m 20 --unix-socket "$SOCKET" "${@:2}" "http://docker$1"; }

# The daemon's own /etc, in its own mount namespace.
with_etc() {
  [ -n "$ETC" ] || { echo :; return; }
  mkdir -p "$ETC.work"
  echo "mount -t overlay overlay -o 'lowerdir=$ROOT/etc,upperdir=$ETC,workdir=$ETC.work' '$ROOT/etc'"
}

start() {
  # Plugins are found in one place of a root: this daemon has its own there.
  mkdir -p "$DIR/plugins" "$ROOT/run/docker/plugins"
  [ -f "$DIR/daemon.json" ] || echo '{}' >"$DIR/daemon.json"
  local config=${DIR#"$ROOT"}/daemon.json
  [ -z "$ETC" ] || config=/etc/docker/daemon.json
  if [ -n "$MODERN" ]; then
    # Its root has our /tmp, and a link to itself: so it knows our folders, and its own, by the names that we know.
    mkdir -p "$ROOT$(dirname "$ROOT")"
    [ -L "$ROOT$ROOT" ] || ln -sn / "$ROOT$ROOT" 2>/dev/null
    "${IN_NET[@]}" unshare --mount --propagation slave sh -c "$(with_etc)"' &&
      mount --bind "$0/plugins" "$1/run/docker/plugins" && mount --rbind /tmp "$1/tmp" && shift && exec "$@"' "$DIR" "$ROOT" \
      "$ENGINE" start "/run/$NAME" --config-file "$config" "${TCP[@]}" >/dev/null || return 1
  else
    rm -f "$SOCKET" "$DIR/pid"
    setsid "${IN_NET[@]}" unshare --mount --propagation slave \
      sh -c "$(with_etc)"' && mount --bind "$0/plugins" /run/docker/plugins && exec "$@"' "$DIR" \
      dockerd --config-file "$config" --host "unix://$SOCKET" \
      --data-root "$DIR/data" --exec-root "$DIR/exec" --pidfile "$DIR/pid" \
      --bridge none --iptables=false --ip6tables=false "${TCP[@]}" </dev/null >>"$DIR/log" 2>&1 &
    local pid=$!
    for _ in $(seq 150); do
      [ -S "$SOCKET" ] && api /_ping >/dev/null 2>&1 && break
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    api /_ping >/dev/null 2>&1 || { tail -n 5 "$DIR/log" >&2; return 1; }
  fi
  [ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID" "$SOCKET"
}

# The processes that have our folder in their command line: dockerd, containerd, shims, port proxies.
processes() { pgrep -f "/$NAME/"; }

down() {
  kill -KILL "$(cat "$DIR/pid")" 2>/dev/null
  while api /_ping >/dev/null 2>&1; do sleep 0.05; done
  # containerd dies with it; where nobody reaps the two, their numbers still look alive to the next daemon
  rm -f "$DIR/pid" "$DIR/exec/containerd/containerd.pid"
}

# has_plugins LIST: the authorization plugins from now on, as JSON. The daemon says when it has them.
has_plugins() {
  local before
  before=$(reloads)
  printf '{"authorization-plugins": [%s]}\n' "$1" >"$DIR/daemon.json"
  kill -HUP "$(cat "$DIR/pid")" 2>/dev/null || return
  for _ in $(seq 200); do [ "$(reloads)" -gt "$before" ] && return; sleep 0.05; done
  echo "private-daemon: the daemon did not take its plugins" >&2
  return 1
}

reloads() { grep -c 'Reloaded configuration' "$DIR/log"; }

finish() {
  trap '' INT TERM HUP
  local id pid
  ! grep -q plugins "$DIR/daemon.json" 2>/dev/null || has_plugins ''
  if [ -S "$SOCKET" ] && api /_ping >/dev/null 2>&1; then
    for id in $(api '/containers/json?all=1' | grep -oE '"Id":"[0-9a-f]{64}"' | cut -d'"' -f4); do
      api "/containers/$id?force=1&v=1" -X DELETE >/dev/null 2>&1
    done
    for id in $(api '/networks?filters={"type":["custom"]}' -g | grep -oE '"Id":"[0-9a-f]{64}"' | cut -d'"' -f4); do
      api "/networks/$id" -X DELETE >/dev/null 2>&1
      HOST_NETWORKS="$HOST_NETWORKS br-${id:0:12}"
    done
  fi
  [ -z "$REGISTRY_PID" ] || kill "$REGISTRY_PID" 2>/dev/null
  [ ! -f "$DIR/pid" ] || kill "$(cat "$DIR/pid")" 2>/dev/null
  for _ in $(seq 100); do [ -n "$(processes)" ] || break; sleep 0.1; done
  for pid in $(processes); do kill -KILL "$pid" 2>/dev/null; done
  [ -n "$OWN_NET" ] || for id in $HOST_NETWORKS; do ip link del "$id" 2>/dev/null; done
  # Mounts live in the daemon's own mount namespace and went with it.
  rm -rf "$DIR" 2>/dev/null || { sleep 1; rm -rf "$DIR"; }
}

# An image with every applet of busybox and two users, to have something to run.
import_tiny() {
  [ -x /bin/busybox ] || { echo "private-daemon: /bin/busybox is missing: apt-get install busybox-static" >&2; return 1; }
  local root=$DIR/tiny applet
  mkdir -p "$root/bin" "$root/etc" "$root/tmp"
  chmod 1777 "$root/tmp"
  cp /bin/busybox "$root/bin/busybox"
  for applet in $(/bin/busybox --list); do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
  done
  printf 'root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\nuser:x:1000:\n' >"$root/etc/group"
  tar -C "$root" --sort=name --mtime=@1700000000 -c . |
    api '/images/create?fromSrc=-&repo=tiny&tag=latest' -X POST -H 'Content-Type: application/x-tar' --data-binary @- >/dev/null
  rm -rf "$root"
}

start_registry() {
  cat >"$DIR/registry.yml" <<CONFIG
version: 0.1
log: { level: error }
storage: { filesystem: { rootdirectory: $DIR/registry }, delete: { enabled: true } }
http: { addr: "127.0.0.1:5577" }
CONFIG
  nsenter --net --target "$(cat "$DIR/pid")" docker-registry serve "$DIR/registry.yml" </dev/null >"$DIR/registry.log" 2>&1 &
  REGISTRY_PID=$!
}

trap 'finish; exit 0' INT TERM HUP
start || { echo failed; finish; exit 1; }
[ -n "$BARE" ] || import_tiny || { echo failed; finish; exit 1; }
[ -z "$REGISTRY" ] || start_registry
echo "ready $SOCKET"
while read -r command; do
  case $command in
    kill) down; echo down ;;
    start) if start; then echo "ready $SOCKET"; else echo failed; fi ;;
    authorize) if has_plugins '"dockwarden"'; then echo authorized; else echo failed; fi ;;
    unauthorize) if has_plugins ''; then echo unauthorized; else echo failed; fi ;;
    *) echo "unknown command" ;;
  esac
done
finish
