#!/bin/bash
# Ten ordinary commands that work and ten attacks that are refused, on a throw-away daemon behind the firewall with
# preset developer. Ends with `20 of 20 as expected`; any other count is exit status 1.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

[ -x "$DOCKWARDEN" ] || die "no $DOCKWARDEN: run \`make demo\`, which builds it"
trap 'end_all; exit 1' INT TERM HUP
trap end_all EXIT
make_place
start_daemon --own-net
start_firewall "$PLACE/docker.sock" "$DAEMON_SOCKET" --preset developer --config "$(own_state)"
export DOCKER_HOST=unix://$PLACE/docker.sock SOCKET=$PLACE/docker.sock
export HOME=$PLACE     # nobody's docker configuration takes part
mkdir "$PLACE/app"
cd "$PLACE" || exit 1

count=0
good=0
# carry_out COMMAND: shows it and its output, leaves status and output behind.
carry_out() {
  count=$((count + 1))
  printf '\n%2d $ %s\n' "$count" "$1"
  output=$(timeout 60 bash -c "$1" </dev/null 2>&1)
  status=$?
  [ -z "$output" ] || printf '%s\n' "$output" | head -n 6 | cut -c1-400 | sed 's/^/     /'
}
works() {
  carry_out "$1"
  if [ "$status" = 0 ]; then good=$((good + 1)); else say "   !! this should have worked (exit status $status)"; fi
}
refused() {
  carry_out "$1"
  case $output in
    *'dockwarden: '*) good=$((good + 1)) ;;
    *) say "   !! this should have been refused by dockwarden (exit status $status)" ;;
  esac
}

step "Ordinary work: as without a firewall"
works "docker run --rm --network none tiny echo hello"
works "docker run -d --name web --network none --memory 64m tiny sh -c 'while :; do date; sleep 1; done'"
works "docker ps --format '{{.Names}}: {{.Status}}'"
works "sleep 1; docker logs --tail 1 web"
works "echo typed | docker exec -i web cat"
works "echo 'FROM tiny' >app/Dockerfile; docker cp app/Dockerfile web:/tmp/ && docker exec web cat /tmp/Dockerfile"
works "docker volume create data && docker run --rm --network none -v data:/data tiny sh -c 'echo kept >/data/f; cat /data/f'"
works "docker network create --internal back && docker run --rm --network back -p 8080:80 tiny hostname -i"
works "docker save tiny | docker load"
works "docker rm -f web && docker system df"

step "Attacks: each would hand over this machine"
refused "docker run --rm --privileged tiny sh"
refused "docker run --rm -v /:/host tiny ls /host"
refused "docker run --rm -v /var/run/docker.sock:/s tiny ls /s"
refused "docker run --rm --pid host tiny ps"
refused "docker run --rm --network host tiny ip addr"
refused "docker run --rm --cap-add SYS_ADMIN tiny mount"
refused "docker run --rm --device /dev/mem tiny cat /dev/mem"
refused "docker run --rm --security-opt seccomp=unconfined tiny sh"
refused "docker volume create -o type=none -o o=bind -o device=/ innocent"
refused "curl -sS --unix-socket \$SOCKET http://docker/v1.41/containers/create -H 'Content-Type: application/json' \\
        -d '{\"image\":\"tiny\",\"ho\\u017ftconfig\":{\"PRIVILEGED\":true}}'"

printf '\n%d of %d as expected\n' "$good" "$count"
[ "$good" = "$count" ]
