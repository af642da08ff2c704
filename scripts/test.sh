#!/bin/bash
# All tests, after installing what they need. Last line: `N passed, N failed`; what could not run is listed before it
# as `SKIPPED: reason` and counted. Exit status 0 only when nothing failed.
#
#   test.sh                  form, warnings, unit tests, end-to-end tests, a short fuzzing run and the corpus, on the
#                            machine's Docker (20.10)
#   test.sh --engine modern  end-to-end tests and corpus on Docker 28.5 through ../shared/bin/modern-engine
set -uo pipefail
. "$(dirname "$0")/lib.sh"
cd "$REPO" || exit 1
trap 'rm -rf "$PLACE"' EXIT
make_place

engine=${2:-machine}
passed=0
failed=0
export E2E_SKIPPED=$PLACE/skipped
: >"$E2E_SKIPPED"

# check NAME COMMAND...: one thing that passes or fails.
check() {
  step "$1"
  if "${@:2}"; then passed=$((passed + 1)); else failed=$((failed + 1)); say "FAILED: $1"; fi
}

# tests COMMAND...: cargo test, counted by its own result lines; ended badly without a failed test is a failure too.
tests() {
  step "$*"
  "$@" 2>&1 | tee "$PLACE/log"
  local ended=${PIPESTATUS[0]} good bad
  good=$(grep -E '^test result:' "$PLACE/log" | grep -oE '[0-9]+ passed' | awk '{n += $1} END {print n + 0}')
  bad=$(grep -E '^test result:' "$PLACE/log" | grep -oE '[0-9]+ failed' | awk '{n += $1} END {print n + 0}')
  if [ "$ended" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  passed=$((passed + good))
  failed=$((failed + bad))
}

# skippable COMMAND...: what says `SKIPPED: reason` because something is missing here.
skippable() {
  "$@" 2>&1 | tee "$PLACE/log"
  local ended=${PIPESTATUS[0]}
  grep '^SKIPPED: ' "$PLACE/log" >>"$E2E_SKIPPED"
  return "$ended"
}

corpus() {
  step "corpus of attacks and harmless requests ($engine${*:+, $*})"
  local last
  scripts/corpus.sh "$@" 2>&1 | tee "$PLACE/log"
  last=$(tail -n 1 "$PLACE/log")
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
  else
    failed=$((failed + 1))
  fi
}

finish() {
  local skipped
  skipped=$(wc -l <"$E2E_SKIPPED")
  step "result ($engine)"
  cat "$E2E_SKIPPED"
  # A test that says SKIPPED has not passed, though cargo counts it so.
  say "skipped: $skipped"
  say "$((passed - skipped)) passed, $failed failed"
  [ "$failed" = 0 ]
  exit
}

scripts/setup.sh test || exit 1
case $engine in
  machine)
    check "cargo fmt --check" cargo fmt --all --check
    check "cargo clippy" cargo clippy --release --workspace --all-targets -- -D warnings
    tests cargo test --release --workspace --no-fail-fast
    check "requests beside Go" skippable fuzz/differ --cases 50000
    check "fuzz targets, three seconds each" skippable fuzz/run 3
    corpus
    corpus --door plugin ;;
  modern)
    if ! [ -x "$MODERN_ENGINE" ]; then
      say "SKIPPED: tests on Docker 28.5: there is no $MODERN_ENGINE here" >>"$E2E_SKIPPED"
      passed=1 finish
    fi
    MODERN_ENGINE=$(realpath "$MODERN_ENGINE")
    export MODERN_ENGINE E2E_ENGINE=modern
    command -v debootstrap >/dev/null || as_root apt-get install -y debootstrap >/dev/null || exit 1
    "$MODERN_ENGINE" root >/dev/null || exit 1
    tests cargo test --release --workspace --test e2e --no-fail-fast
    corpus --engine modern ;;
  *) die "--engine is \`$engine\`; it may be \`modern\`" ;;
esac
finish
