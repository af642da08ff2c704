#!/bin/bash
# Replays the corpus of attacks and harmless requests (tests/corpus) through the firewall with examples/corpus.yaml,
# in front of a throw-away daemon, and looks on the daemon itself for what came of them.
#
#   corpus.sh [--engine modern] [REGEX of ids or classes]
#
# Last line: `N passed, N failed`.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" = 0 ] || exec sudo --preserve-env=PATH,CARGO_TARGET_DIR,DOCKWARDEN,MODERN_ENGINE "$0" "$@"
CLASSES='^(a-plain|a-user|a-image|a-build|b-json|c-path|c-query|e-build|f-toctou|g-benign)$'
engine=()
if [ "${1:-}" = --engine ]; then engine=("--${2:?--engine modern}"); shift 2; fi
only=${1:-$CLASSES}

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
start_firewall "$PLACE/docker.sock" "$DAEMON_SOCKET" --config "$REPO/examples/corpus.yaml"
gzip -dc "$REPO/tests/corpus/cases-public.jsonl.gz" >"$PLACE/cases.jsonl"
timeout 1800 python3 "$REPO/tests/corpus/replay.py" --socket "$PLACE/docker.sock" --daemon "$DAEMON_SOCKET" \
  --cases "$PLACE/cases.jsonl" --judge --must-only --quiet --only "$only" 2>&1 | tee "$PLACE/replay.log"
ended=${PIPESTATUS[0]}

# `SUMMARY  287 cases: FAIL-OPEN: 1, pass: 280, pass-weak: 6`
summary=$(grep -a '^SUMMARY' "$PLACE/replay.log")
number() { printf '%s\n' "$summary" | grep -oE "[ ,]$1: [0-9]+" | grep -oE '[0-9]+$' || echo 0; }
cases=$(printf '%s\n' "$summary" | grep -oE '[0-9]+ cases' | cut -d' ' -f1)
failed=$(($(number FAIL-OPEN) + $(number FAIL-CLOSED)))
passed=$((${cases:-0} - failed))
# A replayer that did not come to its end is a failure, whatever it counted.
if [ -z "$cases" ] || { [ "$ended" != 0 ] && [ "$failed" = 0 ]; }; then failed=$((failed + 1)); fi
say "$passed passed, $failed failed"
[ "$failed" = 0 ]
