#!/bin/bash
# Installs what is missing of Debian's packages, and says so. Does nothing where nothing is missing.
#
#   setup.sh run    what `make run` needs: a daemon (where none answers and no dockerd is there), busybox, curl
#   setup.sh demo   the same with a dockerd of its own to throw away
#   setup.sh test   what the tests need
#   setup.sh bench  what the benchmark compares with
set -euo pipefail
. "$(dirname "$0")/lib.sh"

missing=()
# need COMMAND PACKAGE
need() { [ -n "$(PATH=$PATH:/usr/sbin:/sbin command -v "$1")" ] || missing+=("$2"); }

need curl curl
need ip iproute2
need pgrep procps
need cc build-essential
[ -x /bin/busybox ] || missing+=(busybox-static)
case ${1:-} in
  run)
    socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
    case $socket in
      unix://*) answers "${socket#unix://}" || need dockerd docker.io ;;
      *) ;; # said by DOCKER_HOST: run.sh tells when it does not answer
    esac ;;
  demo) need dockerd docker.io ;;
  test)
    need dockerd docker.io
    need docker-registry docker-registry
    need unshare util-linux
    need script bsdutils
    need iptables iptables
    need python3 python3
    need make make
    need openssl openssl
    need c++ build-essential
    [ -x /usr/bin/docker-compose ] || missing+=(docker-compose)
    /usr/bin/python3 -c 'import docker' 2>/dev/null || missing+=(python3-docker) ;;
  bench)
    need nginx nginx-light
    need haproxy haproxy ;;
  *) sed -n '2,7p' "$0" | sed 's/^# \{0,1\}//'; exit 64 ;;
esac

command -v cargo >/dev/null || die "no Rust toolchain: install one from https://rustup.rs (1.88 or later)"
[ ${#missing[@]} -gt 0 ] || exit 0
command -v apt-get >/dev/null || die "missing and no apt-get here to install them: ${missing[*]}"
say "setup: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
install() { as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; }
{ as_root apt-get update && install; } >"$log" 2>&1 </dev/null ||
  { tail -n 20 "$log" >&2; die "could not install ${missing[*]} (log: $log)"; }
rm -f "$log"
