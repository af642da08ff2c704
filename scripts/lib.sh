# What the scripts share: speaking, root, a private daemon, a firewall in front of a daemon.
# Sourced, never run. Everything started here is ended by `end_all`, which the callers put in a trap.

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
DOCKWARDEN=${DOCKWARDEN:-${CARGO_TARGET_DIR:-$REPO/target}/release/dockwarden}
MODERN_ENGINE=${MODERN_ENGINE:-$REPO/../shared/bin/modern-engine}
PLACE=''            # folder of sockets, configuration and logs, gone at the end
FIREWALL_PID=''
PLUGIN_PID=''
DAEMON_PID=''
DAEMON_SOCKET=''

say() { printf '%s\n' "$*"; }
step() { printf '\n== %s\n' "$*"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# Runs a command as root: directly, or by sudo.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "must be root (or have sudo) for: $*"; fi
}

# answers SOCKET: does a Docker API answer there?
answers() { curl -fsS -m 5 --unix-socket "$1" http://docker/_ping >/dev/null 2>&1; }

make_place() { PLACE=$(mktemp -d "${TMPDIR:-/tmp}/dockwarden.XXXXXX"); chmod 755 "$PLACE"; }

# start_daemon [options of private-daemon.sh]: sets DAEMON_SOCKET. The daemon ends when descriptor 8 closes.
start_daemon() {
  local word
  mkfifo "$PLACE/to" "$PLACE/from"
  "$REPO/scripts/private-daemon.sh" "$@" <"$PLACE/to" >"$PLACE/from" 8>&- 9>&- &
  DAEMON_PID=$!
  exec 8>"$PLACE/to" 9<"$PLACE/from"
  read -r word DAEMON_SOCKET <&9 || true
  [ "$word" = ready ] || die "the private daemon did not come up"
}

# own_state: a configuration file that keeps state and records in our folder; prints its name.
own_state() {
  printf 'state: %s/state.db\nrecords: { file: %s/records.jsonl }\n' "$PLACE" "$PLACE" >"$PLACE/config.yaml"
  printf '%s\n' "$PLACE/config.yaml"
}

# start_firewall LISTEN UPSTREAM [options of serve]: waits until it answers.
start_firewall() {
  local listen=$1 upstream=$2; shift 2
  "$DOCKWARDEN" serve --listen "unix://$listen" --upstream "unix://$upstream" "$@" \
    </dev/null >"$PLACE/firewall.log" 2>&1 8>&- 9>&- &
  FIREWALL_PID=$!
  for _ in $(seq 100); do
    answers "$listen" && return
    kill -0 "$FIREWALL_PID" 2>/dev/null || break
    sleep 0.1
  done
  cat "$PLACE/firewall.log" >&2
  die "the firewall did not come up"
}

# shared_key NAME [FILE]: a configuration of that name: FILE, a state of its own, and the key that all of our doors share;
# prints where it is.
shared_key() {
  local name=$PLACE/$1.yaml
  mkdir -p "$PLACE/$1"
  printf 'state: %s/state.db\nmediation: { key: %s/key }\n' "$PLACE/$1" "$PLACE" | cat ${2:+"$2"} - >"$name"
  printf '%s\n' "$name"
}

# start_plugin --config FILE: from now on the private daemon asks a firewall with that configuration.
start_plugin() {
  local socket word
  socket=$(dirname "$DAEMON_SOCKET")/plugins/dockwarden.sock
  cp "$(dirname "$2")"/*.cedar "$PLACE"
  "$DOCKWARDEN" serve --plugin-socket "$socket" --upstream "unix://$DAEMON_SOCKET" --config "$(shared_key plugin "$2")" \
    </dev/null >"$PLACE/plugin.log" 2>&1 8>&- 9>&- &
  PLUGIN_PID=$!
  for _ in $(seq 100); do
    [ ! -S "$socket" ] || break
    alive "$PLUGIN_PID" || { cat "$PLACE/plugin.log" >&2; die "the plugin did not come up"; }
    sleep 0.1
  done
  echo authorize >&8
  read -r word <&9
  [ "$word" = authorized ] || die "the daemon does not ask its plugin"
}

# alive PID: does it run (and is not merely unreaped)?
alive() { [ -n "$1" ] && [ -d "/proc/$1" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; }

# gone PID TENTHS: waits for its end, by looking: `wait` inside a trap may wait for another child, for ever.
gone() {
  local left=$2
  while alive "$1" && [ "$left" -gt 0 ]; do sleep 0.1; left=$((left - 1)); done
  ! alive "$1"
}

# Ends what was started here, in the order opposite to starting. May be called twice.
end_all() {
  trap '' INT TERM HUP
  local pid
  for pid in $FIREWALL_PID $PLUGIN_PID; do
    kill "$pid" 2>/dev/null
    gone "$pid" 100 || kill -KILL "$pid" 2>/dev/null
  done
  FIREWALL_PID='' PLUGIN_PID=''
  if [ -n "$DAEMON_PID" ]; then
    exec 8>&- 9<&-
    gone "$DAEMON_PID" 400 || say "the private daemon ($DAEMON_PID) does not end" >&2
    DAEMON_PID=''
  fi
  if [ -n "$PLACE" ]; then rm -rf "$PLACE"; PLACE=''; fi
}
