#!/bin/bash
# Replays the corpus of attacks and harmless requests (tests/corpus) through the firewall with examples/corpus.yaml,
# in front of a throw-away daemon, and looks on the daemon itself for what came of them.
#
#   corpus.sh [--engine modern | --door plugin] [REGEX of ids or classes]
#
# `--door plugin`: past the gateway, on the daemon's own socket, with the firewall as the plugin that the daemon asks.
# What no plugin is shown cannot be judged: it is refused.
#
# Cases that the baseline policy does not decide (`should`) may turn out otherwise than the corpus says; each such case
# must be named, with the reason, in docs/corpus.md, and so must those that the plugin refuses unseen. Last line: `N passed, N failed`.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" = 0 ] || exec sudo --preserve-env=PATH,CARGO_TARGET_DIR,DOCKWARDEN,MODERN_ENGINE "$0" "$@"
engine=()
door=gateway
if [ "${1:-}" = --engine ]; then engine=("--${2:?--engine modern}"); shift 2; fi
if [ "${1:-}" = --door ]; then door=${2:?--door plugin}; shift 2; fi
case $door in gateway | plugin) ;; *) die "--door is \`$door\`; it may be \`plugin\`" ;; esac
only=${1:-.}

[ -x "$DOCKWARDEN" ] || die "no $DOCKWARDEN: build it first"
# The cases mount below /srv/ci, and the replayer writes links there.
made=''
# examples/corpus.yaml names no place for state and records: root's usual one, kept where it was there before.
state=$(ls -d /var/lib/dockwarden 2>/dev/null || true)
roots=('')
[ ${#engine[@]} = 0 ] || { ENGINE_ROOT=$("$MODERN_ENGINE" root); export ENGINE_ROOT; roots+=("$ENGINE_ROOT"); }
clean() {
  end_all
  for root in "${roots[@]}"; do rm -rf "$root"/srv/ci/x-*; done
  [ -z "$made" ] || rmdir /srv/ci 2>/dev/null
  [ -n "$state" ] || rm -rf /var/lib/dockwarden
}
trap 'clean; exit 1' INT TERM HUP
trap clean EXIT
[ -d /srv/ci ] || made=1
for root in "${roots[@]}"; do mkdir -p "$root/srv/ci"; done

make_place
start_daemon --own-net --bare "${engine[@]}"
if [ "$door" = gateway ]; then
  asked=$PLACE/docker.sock daemon=$DAEMON_SOCKET
  start_firewall "$asked" "$daemon" --config "$REPO/examples/corpus.yaml"
else
  # The replayer looks at the daemon through a gateway that grants everything: the plugin knows its seal.
  asked=$DAEMON_SOCKET daemon=$PLACE/around.sock
  start_plugin --config "$REPO/examples/corpus.yaml"
  start_firewall "$daemon" "$DAEMON_SOCKET" --config "$(shared_key around)" --preset open
fi
gzip -dc "$REPO/tests/corpus/cases-public.jsonl.gz" >"$PLACE/cases.jsonl"
timeout 1800 python3 "$REPO/tests/corpus/replay.py" --socket "$asked" --daemon "$daemon" \
  --cases "$PLACE/cases.jsonl" --judge --only "$only" 2>&1 | tee "$PLACE/replay.log" | grep -avE '^pass'
ended=${PIPESTATUS[0]}

# `SUMMARY  528 cases: FAIL-OPEN: 1, pass: 380, pass-weak: 120, ~fail-closed: 20, ~fail-open: 7`
summary=$(grep -a '^SUMMARY' "$PLACE/replay.log")
number() { printf '%s\n' "$summary" | grep -oE "[ ,]$1: [0-9]+" | grep -oE '[0-9]+$' || echo 0; }
cases=$(printf '%s\n' "$summary" | grep -oE '[0-9]+ cases' | cut -d' ' -f1)
# What the pages say of this door. Harmless cases of which no plugin is shown enough are refused, and said there.
if [ "$door" = gateway ]; then
  failed=$(($(number FAIL-OPEN) + $(number FAIL-CLOSED))) otherwise='^~fail-'
  sed '/^## Through the plugin/,$d' "$REPO/docs/corpus.md" >"$PLACE/said"
else
  failed=$(number FAIL-OPEN) otherwise='^(~fail-|FAIL-CLOSED)'
  cp "$REPO/docs/corpus.md" "$PLACE/said"
fi
for id in $(grep -aE "$otherwise" "$PLACE/replay.log" | awk '{print $3}'); do
  grep -qF "| \`$id\` |" "$PLACE/said" && continue
  say "$id: decided otherwise than the corpus says, and docs/corpus.md does not say why"
  failed=$((failed + 1))
done
passed=$((${cases:-0} - failed))
# A replayer that did not come to its end is a failure, whatever it counted.
counted=$(($(number FAIL-OPEN) + $(number FAIL-CLOSED)))
if [ -z "$cases" ] || { [ "$ended" != 0 ] && [ "$counted" = 0 ]; }; then failed=$((failed + 1)); fi
say "$passed passed, $failed failed"
[ "$failed" = 0 ]
