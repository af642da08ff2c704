//! What can be typed.

use clap::{CommandFactory, Parser};

use super::{Cli, Command, Exit, usage};

fn parsed(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn ordinary_lines() {
    for line in [
        "dockwarden serve",
        "dockwarden serve --config a.yaml --listen unix:///a --listen tcp://127.0.0.1:1 --upstream /b --preset ci --policy a.cedar --policy b.yaml",
        "dockwarden --json check --config a.yaml",
        "dockwarden check --json --preset none",
        "dockwarden explain 01JDCX5M8Z6M0Q3K3Y4V9T2R7S --records r.jsonl",
        "dockwarden explain --request - --json",
        "dockwarden explain --as root,ci -- docker run --rm alpine",
        "dockwarden serve --plugin-socket /run/docker/plugins/dockwarden.sock",
        "dockwarden run -- make -j --json test",
        "dockwarden run --preset restricted --upstream unix:///x -- true",
        "dockwarden completions zsh",
        "dockwarden rules add --deny exec --to everyone --for 2h --reason migration",
        "dockwarden rules add --allow exec --allow logs --to alice,bob --to ci --for 30m --socket /run/x",
        "dockwarden rules add --rule {deny:exec} --for 3d --config a.yaml",
        "dockwarden rules list --json",
        "dockwarden rules remove 7q3k9xmz",
        "dockwarden plugin package /tmp/plugin --binary x",
        "dockwarden plugin install",
        "dockwarden plugin install --as managed --name team/dockwarden:1 --docker /x.sock --yes --json",
        "dockwarden plugin status --json --daemon-json x",
        "dockwarden plugin uninstall --dry-run",
        "dockwarden plugin rescue --name a --name b",
        "dockwarden doctor --json --root /mnt",
        "dockwarden doctor --fix --only userns-off,icc --skip icc",
        "dockwarden doctor --apply --yes --restart --docker unix:///run/user/1000/docker.sock --pidfile x",
    ] {
        assert!(parsed(line).is_ok(), "{line}: {}", parsed(line).unwrap_err());
    }
}

#[test]
fn wrong_lines_are_wrong_usage_and_help_is_not() {
    for line in [
        "dockwarden",
        "dockwarden sever",
        "dockwarden serve --preset develper",
        "dockwarden serve --listen nowhere",
        "dockwarden serve --upstream http://x",
        "dockwarden explain",
        "dockwarden explain 01J --request -",
        "dockwarden explain 01J -- docker ps",
        "dockwarden explain --as , -- docker ps",
        "dockwarden run",
        "dockwarden run make test",
        "dockwarden completions tcsh",
        "dockwarden rules",
        "dockwarden rules add --deny exec",
        "dockwarden rules add --for 2h",
        "dockwarden rules add --deny exec --allow logs --for 2h",
        "dockwarden rules add --deny exec --for 5",
        "dockwarden rules add --rule {deny:exec} --to alice --for 1h",
        "dockwarden rules remove",
        "dockwarden plugin",
        "dockwarden plugin package",
        "dockwarden plugin install --name firewall",
        "dockwarden plugin install --as daemon",
        "dockwarden plugin status --docker tcp://127.0.0.1:2375",
        "dockwarden doctor --fix --apply",
        "dockwarden doctor --yes",
        "dockwarden doctor --only userns",
        "dockwarden doctor --docker tcp://127.0.0.1:2375",
    ] {
        assert_eq!(parsed(line).map_err(|error| usage(&error)).unwrap_err(), Exit::Usage, "{line}");
    }
    for line in ["dockwarden --help", "dockwarden --version", "dockwarden run --help", "dockwarden help explain"] {
        assert_eq!(parsed(line).map_err(|error| usage(&error)).unwrap_err(), Exit::Done, "{line}");
    }
}

#[test]
fn what_follows_the_dashes_is_the_commands_own() {
    let Command::Run(arguments) = parsed("dockwarden run -- make --preset x -- y").unwrap().command else { panic!() };
    assert_eq!(format!("{arguments:?}").matches("--preset").count(), 1);
}

/// Help is for people: each subcommand shows how it is used.
#[test]
fn every_subcommand_has_examples() {
    for subcommand in Cli::command().get_subcommands() {
        let examples = subcommand.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(examples.contains("dockwarden "), "{}", subcommand.get_name());
    }
}
