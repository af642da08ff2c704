# Every target is a script or a cargo command that also works by hand; `make` alone says what there is.
.DEFAULT_GOAL := help
.PHONY: help build plugin run demo test test-engines fuzz bench lint

help: ## this text
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

build: ## the binary, target/release/dockwarden
	cargo build --release

# Static, so that a plugin of it runs on any host; without its name services, which a plugin has no use for.
HOST_TARGET = $(shell rustc -vV | sed -n 's/^host: //p')
plugin: ## target/plugin: a managed plugin of a static binary, for `docker plugin create` (minutes: a build of its own)
	RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --target $(HOST_TARGET) --target-dir target/static
	rm -rf target/plugin
	target/static/$(HOST_TARGET)/release/dockwarden plugin package target/plugin

run: ## the firewall in front of your Docker, or of a throw-away one; Ctrl-C ends it
	@scripts/setup.sh run
	@cargo build --release --quiet
	@scripts/run.sh

demo: ## ten ordinary commands that work, ten attacks that are refused
	@scripts/setup.sh demo
	@cargo build --release --quiet
	@scripts/demo.sh

test: ## everything, end to end on a real Docker 20.10 included (root or sudo)
	@scripts/test.sh

test-engines: ## the end-to-end tests and the corpus on Docker 28.5 (needs ../shared/bin/modern-engine)
	@scripts/test.sh --engine modern

SECONDS ?= 60
fuzz: ## a differential test against Go, then every fuzz target for a minute (SECONDS=3600 for more)
	@fuzz/differ --cases 1000000
	@fuzz/run $(SECONDS)

bench: ## CPU, latency and memory beside HAProxy and no proxy
	@scripts/setup.sh bench
	@cargo build --release --quiet
	@bench/run

lint: ## form and warnings
	cargo fmt --all --check
	cargo clippy --release --workspace --all-targets -- -D warnings
