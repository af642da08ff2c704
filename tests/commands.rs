//! The other subcommands, as a user types them.

use crate::harness::engine::buildx;
use crate::harness::{Cli, Engine, Outcome, Shell, http, skipped};

/// A line with `dockwarden` on the path and the daemon's socket in `$DAEMON`.
fn run(engine: &Engine, line: &str) -> Outcome {
    let binary = std::env::var("DOCKWARDEN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_dockwarden").to_owned());
    let shell = Shell::new(engine.socket(), Cli::Machine);
    let socket = engine.socket().display();
    shell.run(&format!(
        "export XDG_STATE_HOME=$WORK DAEMON=unix://{socket}; dockwarden() {{ {binary} \"$@\"; }}\n{line}"
    ))
}

#[test]
fn run_gives_a_command_a_docker_of_its_own() {
    let engine = Engine::start();
    let allowed = run(
        &engine,
        "dockwarden run --upstream $DAEMON --preset developer -- docker run --rm --network none tiny echo hello",
    );
    assert_eq!((allowed.code, allowed.out.trim()), (0, "hello"), "{allowed:?}");
    let refused = run(&engine, "dockwarden run --upstream $DAEMON --preset readonly -- docker run --rm tiny true");
    assert_eq!(refused.code, 125, "{refused:?}");
    assert!(refused.err.contains("dockwarden: may not create containers"), "{refused:?}");
    let status = run(
        &engine,
        "dockwarden run --upstream $DAEMON --preset none -- sh -c 'ls -l ${DOCKER_HOST#unix://} >$WORK/socket; echo $DOCKER_HOST; exit 7'",
    );
    assert_eq!(status.code, 7, "{status:?}");
    let socket = status.out.trim().trim_start_matches("unix://");
    assert!(!socket.is_empty() && !std::path::Path::new(socket).exists(), "{socket} is still there");
}

#[test]
fn explain_runs_the_command_and_nothing_happens() {
    let engine = Engine::start();
    let before = http::inventory(engine.socket());
    let refused =
        run(&engine, "dockwarden explain --upstream $DAEMON --preset developer -- docker run --rm -v /etc:/e tiny ls");
    assert_eq!(refused.code, 2, "{refused:?}");
    for words in ["mountHostPath", "host paths are not granted", "refused: 1 of"] {
        assert!(refused.out.contains(words), "`{words}` is missing:\n{}", refused.out);
    }
    let allowed = run(
        &engine,
        "dockwarden explain --upstream $DAEMON --preset developer -- docker run -d --name x tiny sleep 1000",
    );
    assert_eq!(allowed.code, 0, "{allowed:?}");
    assert_eq!(http::inventory(engine.socket()), before, "a rehearsal changes nothing");
}

/// The rehearsal and the offline judge read Dockerfiles as the gateway does.
#[test]
fn explain_tells_what_a_dockerfile_asks_for() {
    let engine = Engine::start();
    let before = http::inventory(engine.socket());
    let context = "mkdir $WORK/ctx; printf 'FROM tiny\\nRUN id\\nADD http://127.0.0.1:1/x /\\n' >$WORK/ctx/Dockerfile;";
    let rehearsed = run(
        &engine,
        &format!(
            "{context} DOCKER_BUILDKIT=0 dockwarden explain --upstream $DAEMON -- docker build --network none $WORK/ctx"
        ),
    );
    let raw = "(printf 'POST /build HTTP/1.1\\r\\nHost: d\\r\\nContent-Type: application/x-tar\\r\\nContent-Length: 10240\\r\\n\\r\\n'; \
               tar -C $WORK/ctx -c Dockerfile)";
    let offline =
        run(&engine, &format!("{context} {raw} | dockwarden explain --upstream unix:///nosuch.sock --request -"));
    for told in [rehearsed, offline] {
        assert_eq!(told.code, 2, "{told:?}");
        for words in ["useImage", "buildRun", "buildFetch", "the daemon fetches nothing for builds"] {
            assert!(told.out.contains(words), "`{words}` is missing:\n{}\n{}", told.out, told.err);
        }
    }
    assert_eq!(http::inventory(engine.socket()), before, "a rehearsal changes nothing");
}

/// What BuildKit would do, it tells itself; the build ends there.
#[test]
fn explain_tells_what_buildkit_would_do() {
    let Some(buildx) = buildx() else {
        return skipped("the rehearsal of a build", "no ../shared/bin/modern-engine here, so no buildx");
    };
    let engine = Engine::start();
    let before = http::inventory(engine.socket());
    let explain = |dockerfile: &str, options: &str| {
        let text = dockerfile.replace('\n', "\\n");
        run(
            &engine,
            &format!(
                "mkdir $WORK/ctx; echo s3cret >$WORK/s; printf '{text}' >$WORK/ctx/Dockerfile; \
                 dockwarden explain --upstream $DAEMON -- {buildx} build --load --network none {options} -t built $WORK/ctx"
            ),
        )
    };
    let refused = explain(
        "FROM tiny\nRUN --mount=type=secret,id=key echo ran\n\nADD http://127.0.0.1:1/x /\n",
        "--secret id=key,src=$WORK/s",
    );
    assert_eq!(refused.code, 2, "{refused:?}");
    for words in [
        "granted  useImage on Image::\"docker.io/library/tiny:latest\"",
        "granted  buildRun on ",
        "granted  useBuildSecret on ",
        "granted  nameImage on Image::\"docker.io/library/built:latest\"",
        "refused  buildFetch on BuildSource::\"http://127.0.0.1:1/x\"",
        "the daemon fetches nothing for builds",
        "At Dockerfile:4: ADD http://127.0.0.1:1/x /",
        "refused: 1 of ",
    ] {
        assert!(refused.out.contains(words), "`{words}` is missing:\n{}\n{}", refused.out, refused.err);
    }
    let granted = explain("FROM tiny\nRUN echo ran >/f\n", "");
    assert_eq!(granted.code, 0, "{granted:?}");
    assert!(granted.out.contains("buildRun") && !granted.out.contains("refused"), "{granted:?}");
    assert!(granted.err.contains("dockwarden: not built: this is a rehearsal"), "{granted:?}");
    assert_eq!(http::inventory(engine.socket()), before, "a rehearsal changes nothing");
    let kept = http::get(engine.socket(), "/system/df")["BuildCache"].to_string();
    assert!(kept.contains("local source") && !kept.contains("echo ran"), "no step has run: {kept}");
}

#[test]
fn explain_needs_no_daemon() {
    let engine = Engine::start();
    let nowhere = "--upstream unix://$WORK/nowhere.sock";
    let explained = run(
        &engine,
        &format!("dockwarden explain {nowhere} -- docker run --rm --init --platform linux/amd64 -v /etc:/e alpine ls"),
    );
    assert_eq!(explained.code, 2, "{explained:?}");
    assert!(explained.out.contains("mountHostPath"), "{}", explained.out);
}

#[test]
fn check_shows_every_fault_in_its_place() {
    let engine = Engine::start();
    let faulty = "printf 'listen:\\n  - sockt: /x\\npolicy:\\n  preset: developr\\n  rules:\\n    - deny: exce\\n' >$WORK/c.yaml; dockwarden check --config $WORK/c.yaml";
    let outcome = run(&engine, faulty);
    assert_eq!(outcome.code, 3, "{outcome:?}");
    let text = format!("{}{}", outcome.out, outcome.err);
    for words in ["sockt", "socket", "developr", "developer", "exce", "exec", "c.yaml:2", "c.yaml:4", "c.yaml:6"] {
        assert!(text.contains(words), "`{words}` is missing:\n{text}");
    }
}
