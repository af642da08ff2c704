#!/bin/bash
# The firewall in front of the daemon that is there (DOCKER_HOST, or /var/run/docker.sock), or in front of a private
# throw-away one. Runs until Ctrl-C, which ends all that was started here and leaves nothing behind.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

[ -x "$DOCKWARDEN" ] || die "no $DOCKWARDEN: run \`make run\`, which builds it"
stopping=''
trap 'stopping=1' INT TERM HUP
trap end_all EXIT
make_place

upstream=${DOCKER_HOST:-unix:///var/run/docker.sock}
case $upstream in
  unix://*) ;;
  *) die "DOCKER_HOST is \`$upstream\`: this tour wants a unix:// socket; for others: dockwarden serve --upstream $upstream" ;;
esac
if answers "${upstream#unix://}"; then
  upstream=${upstream#unix://}
  image=$(curl -fsS -m 5 --unix-socket "$upstream" http://docker/images/json | grep -oE '"RepoTags":\["[^"]+"' | head -n 1 | cut -d'"' -f4)
  image=${image:-busybox}
  network=''
  say "In front of the Docker that is there: $upstream"
elif [ -n "${DOCKER_HOST:-}" ]; then
  die "DOCKER_HOST is \`$DOCKER_HOST\`, and nothing answers there"
else
  say "No Docker answers here: starting a private one, which goes when you press Ctrl-C."
  start_daemon
  upstream=$DAEMON_SOCKET
  image=tiny
  network='--network none '
fi
start_firewall "$PLACE/docker.sock" "$upstream" --preset developer --config "$(own_state)"

cat <<TOUR

Dockwarden is listening, with preset developer. In another terminal:

  export DOCKER_HOST=unix://$PLACE/docker.sock

  docker run --rm $network$image echo hello      works as before
  docker ps -a                                  as do ps, logs, exec, cp, build, volumes, networks
  docker run --rm --privileged $image sh         refused: it would hand over this machine
  docker run --rm -v /:/host $image sh           refused, and says which mounts would pass
  docker volume create -o type=none -o o=bind -o device=/ v
                                                refused: a mount of / in disguise

Its log is $PLACE/firewall.log, what it recorded $PLACE/records.jsonl. Ctrl-C ends it all.
TOUR

while [ -z "$stopping" ] && alive "$FIREWALL_PID"; do sleep 0.2; done
if [ -z "$stopping" ]; then
  say "the firewall ended by itself:" >&2
  tail -n 20 "$PLACE/firewall.log" >&2
  exit 1
fi
say "Ending."
