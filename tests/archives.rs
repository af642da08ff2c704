//! Builds, loads and copies through the real binary: what an archive asks for is asked, what cannot be received or
//! understood goes nowhere, and nothing of it stays.

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::http::{self, inventory};
use crate::harness::{Cli, Engine, Firewall, Outcome, Shell};
use crate::subjects::open_to_all;

const DEVELOPER: &str = "policy: { preset: developer }\n";
/// What every line can use: a context in `$WORK/ctx`, and `build` by the classic builder.
const PRELUDE: &str = "set -o pipefail; mkdir -p $WORK/ctx; build() { DOCKER_BUILDKIT=0 docker build \"$@\"; }; \
                       file() { printf \"$1\" >$WORK/ctx/Dockerfile; };";

struct Place {
    engine: Engine,
    firewall: Firewall,
    shell: Shell,
}

impl Place {
    fn new(configuration: &str) -> Place {
        let engine = Engine::start();
        let firewall = Firewall::start(engine.socket(), |_| configuration.to_owned());
        let shell = Shell::new(&firewall.socket(), Cli::from(engine.kind()));
        Place { engine, firewall, shell }
    }

    fn run(&self, line: &str) -> Outcome {
        self.shell.run(&format!("{PRELUDE} {line}"))
    }

    fn must(&self, line: &str) -> String {
        self.shell.must(&format!("{PRELUDE} {line}"))
    }

    /// Past the firewall.
    fn directly(&self, line: &str) {
        let shell = Shell::new(self.engine.socket(), Cli::from(self.engine.kind()));
        shell.must(&format!("{PRELUDE} {line}"));
    }

    /// The line fails with a message of ours that holds the words, and nothing is new on the daemon.
    fn refuse(&self, line: &str, words: &[&str]) {
        let before = inventory(self.engine.socket());
        let outcome = self.run(line);
        let said = format!("{}{}", outcome.out, outcome.err);
        assert_ne!(outcome.code, 0, "`{line}` went through: {outcome:#?}");
        assert!(said.contains("dockwarden: "), "`{line}` was refused by somebody else: {said}");
        for words in words {
            assert!(said.contains(words), "`{line}`: the message names no `{words}`: {said}");
        }
        assert_eq!(before, inventory(self.engine.socket()), "`{line}` left something on the daemon");
    }

    /// Nothing of an archive is left, and no descriptor of one is open.
    fn nothing_left(&self) {
        let open = format!("/proc/{}/fd", self.firewall.pid());
        let of_archives = || {
            let links = fs::read_dir(&open).unwrap().filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
            links.filter(|link| link.to_string_lossy().contains("(deleted)")).count()
        };
        let gone = crate::harness::eventually(Duration::from_secs(5), || of_archives() == 0);
        assert!(gone, "an archive is still open");
        let names = fs::read_dir(self.firewall.folder())
            .unwrap()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let archives: Vec<String> = names.filter(|name| name.starts_with(".archive")).collect();
        assert!(archives.is_empty(), "{archives:?}");
    }
}

#[test]
fn builds_that_are_granted_work() {
    let place = Place::new(DEVELOPER);
    place.must("file 'FROM tiny\\nCOPY f /f\\nRUN cat /f\\nCMD [\"cat\",\"/f\"]\\n'; echo hello >$WORK/ctx/f");
    let said = place.must("build --network none -t b1 $WORK/ctx 2>&1");
    assert!(said.contains("hello") && said.contains("Successfully"), "{said}");
    assert_eq!(place.must("docker run --rm --network none b1"), "hello");
    for pack in ["cat", "gzip", "bzip2"] {
        place.must(&format!("tar -C $WORK/ctx -c . | {pack} | build --network none -t b2 -"));
    }
    // The daemon decompresses xz with a program that it may not have.
    let xz = place.run("tar -C $WORK/ctx -c . | xz | build --network none -t b2 -");
    assert!(xz.code == 0 || xz.err.contains("exec: \"xz\""), "{xz:?}");
    // Of zstd only daemons of today know; it is read all the same.
    place.must("file 'FROM tiny\\nADD http://127.0.0.1:1/x /\\n'; tar -C $WORK/ctx -c . | zstd -q >$WORK/ctx.zst");
    let url = "http://d/v1.41/build";
    let send = "curl -s --unix-socket $SOCKET -H 'Content-Type: application/x-tar' --data-binary @$WORK/ctx.zst";
    place.refuse(&format!("{send} {url}; exit 1"), &["fetch http://127.0.0.1:1/x in a build"]);
    place.must("file 'FROM tiny\\nCOPY f /f\\nRUN cat /f\\n'");
    place.must(
        "build -t b3 --network none --build-arg BASE=tiny -f - $WORK/ctx <<<$'ARG BASE=nosuch\\nFROM $BASE\\nCOPY f /'",
    );
    // Ways of sending a body: chunks, after `100 Continue`, and an old client that knows neither.
    let url = "http://d/v1.41/build?networkmode=none&q=1";
    let kind = "-H 'Content-Type: application/x-tar'";
    let curl = "curl -sf --unix-socket $SOCKET -X POST";
    place.must("tar -C $WORK/ctx -cf $WORK/ctx.tar .");
    for way in [
        format!("{curl} {kind} -H 'Transfer-Encoding: chunked' --data-binary @$WORK/ctx.tar '{url}'"),
        format!("{curl} {kind} -H 'Expect: 100-continue' --data-binary @$WORK/ctx.tar '{url}'"),
        format!("{curl} {kind} -0 --data-binary @$WORK/ctx.tar '{url}'"),
    ] {
        let said = place.must(&way);
        assert!(said.contains("sha256:"), "{said}");
    }
    place.nothing_left();
}

#[test]
fn refused_builds_say_why() {
    let place = Place::new(
        "policy:\n  preset: developer\n  rules:\n    - deny: { image: evil.example }\n      message: evil images are evil\n",
    );
    for (line, words) in [
        (
            "file 'FROM tiny\\nADD http://127.0.0.1:1/x /x\\n'; build $WORK/ctx",
            &["fetch http://127.0.0.1:1/x in a build", "COPY"][..],
        ),
        ("file 'FROM evil.example/app:1\\n'; build $WORK/ctx", &["use image evil.example/app:1", "evil images"]),
        ("file 'ARG A=evil\\nFROM ${A}.example/${B:-app}:1\\n'; build $WORK/ctx", &["evil.example/app:1"]),
        ("file 'FROM tiny\\nCOPY --from=evil.example/app:1 / /\\n'; build $WORK/ctx", &["evil.example/app:1"]),
        ("file 'FROM tiny\\nONBUILD COPY --from=evil.example/app:1 / /\\n'; build $WORK/ctx", &["evil.example/app:1"]),
        ("file 'FROM tiny\\n'; build --add-host a:1.2.3.4 $WORK/ctx", &["build option extrahosts"]),
        ("file 'FROM tiny\\n'; build --cgroup-parent /x $WORK/ctx", &["cgroup"]),
        ("file 'FROM tiny\\n'; build -t evil.example/app:2 $WORK/ctx; docker tag tiny evil.example/x; exit 1", &[]),
        ("printf 'FROM evil.example/app:1\\n' | build -", &["evil.example/app:1"]),
        ("file 'FROM tiny\\nCOPY --from=$X / /\\n'; build $WORK/ctx", &["cannot be told what `$X`"]),
        ("file 'FROM tiny\\nRUN <<E\\necho\\nE\\n'; build $WORK/ctx", &["here-document", "BuildKit"]),
    ] {
        if !words.is_empty() {
            place.refuse(line, words);
        }
    }
    let restricted = Firewall::preset(place.engine.socket(), "restricted");
    let shell = Shell::new(&restricted.socket(), Cli::from(place.engine.kind()));
    let outcome = shell.run(&format!("{PRELUDE} file 'FROM tiny\\nRUN id\\n'; build $WORK/ctx"));
    assert!(outcome.err.contains("images are pulled, not made"), "{outcome:?}");
    place.nothing_left();
}

#[test]
fn what_the_query_says_is_refused_before_the_upload() {
    let place = Place::new(DEVELOPER);
    place.must("file 'FROM tiny\\n'; truncate -s 2G $WORK/ctx/large");
    let began = Instant::now();
    place.refuse("build --network host $WORK/ctx", &["host's network namespace"]);
    assert!(began.elapsed() < Duration::from_secs(12), "it took {:?}", began.elapsed());
    // One that waits for a sign to send is not given it.
    let outcome = place.run(
        "curl -sv --unix-socket $SOCKET -X POST -H 'Content-Type: application/x-tar' -H 'Expect: 100-continue' \
         --data-binary @$WORK/ctx/Dockerfile 'http://d/v1.41/build?networkmode=host'",
    );
    assert!(outcome.out.contains("dockwarden: may not"), "{outcome:?}");
    assert!(!outcome.err.contains("100 Continue"), "{outcome:?}");
}

#[test]
fn triggers_of_images_are_judged() {
    let place = Place::new(DEVELOPER);
    place.directly("file 'FROM tiny\\nONBUILD ADD http://127.0.0.1:1/x /x\\n'; build -t here $WORK/ctx");
    place.refuse("file 'FROM here\\n'; build $WORK/ctx", &["fetch http://127.0.0.1:1/x in a build"]);
    let far = "127.0.0.1:5577/far";
    place.directly(&format!(
        "docker tag here {far}/evil; docker tag tiny {far}/good; docker push -q {far}/evil; docker push -q {far}/good; \
         docker rmi {far}/evil {far}/good"
    ));
    // Images that are not there are fetched first, so that their triggers are seen.
    let line = format!("file 'FROM {far}/evil\\n'; build $WORK/ctx");
    let outcome = place.run(&line);
    assert!(outcome.err.contains("fetch http://127.0.0.1:1/x in a build"), "{outcome:?}");
    place.must(&format!("file 'FROM {far}/good\\nRUN true\\n'; build --network none -t built $WORK/ctx"));
    place.must(&format!("file 'FROM {far}/good\\nRUN true\\n'; build --pull --network none -t built $WORK/ctx"));
    let outcome = place.run(&format!("file 'FROM {far}/nosuch\\n'; build $WORK/ctx"));
    assert!(outcome.err.contains("which the daemon cannot fetch"), "{outcome:?}");
}

/// With `--pull` the daemon asks its registry for what triggers copy from, too, though no image is to be fetched first.
#[test]
fn what_triggers_copy_from_is_not_pulled_unasked() {
    let place = Place::new(DEVELOPER);
    let firewall = Firewall::start(place.engine.socket(), |folder| {
        let policy = "forbid(principal, action == Action::\"pullImage\", resource);\n";
        fs::write(folder.join("no-pull.cedar"), policy).expect("a policy");
        "policy: { preset: developer, cedar: [no-pull.cedar] }\n".to_owned()
    });
    let shell = Shell::new(&firewall.socket(), Cli::from(place.engine.kind()));
    let run = |line: &str| shell.run(&format!("{PRELUDE} {line}"));
    let file = "file 'FROM scratch AS a\\nONBUILD COPY --from=tiny /bin/true /x\\nFROM a\\n'";
    let built = run(&format!("{file}; build -t within $WORK/ctx"));
    assert_eq!(built.code, 0, "{built:?}");
    let refused = run(&format!("{file}; build --pull -t anew $WORK/ctx"));
    assert!(refused.code != 0 && refused.err.contains("pull image tiny:latest"), "{refused:?}");
}

#[test]
fn loads_plant_only_names_that_are_granted() {
    let place = Place::new("policy:\n  preset: developer\n  rules:\n    - deny: { name_image: evil.example }\n");
    place.directly("docker tag tiny evil.example/app:1; docker tag tiny good:1");
    place.must("docker save evil.example/app:1 good:1 -o $WORK/both.tar; docker save good:1 -o $WORK/good.tar");
    place.directly("docker rmi evil.example/app:1 good:1");
    place.refuse("docker load -i $WORK/both.tar", &["name an image evil.example/app:1"]);
    place.refuse("gzip -c $WORK/both.tar | docker load", &["evil.example/app:1"]);
    let said = place.must("docker load -i $WORK/good.tar");
    assert!(said.contains("good:1"), "{said}");
    place.must("docker import - imported:1 <$WORK/good.tar");
    place.nothing_left();
}

/// A name without a tag is the name with tag `latest`, in all ways to give it.
#[test]
fn a_name_is_judged_with_the_tag_that_it_will_have() {
    let place = Place::new("policy:\n  preset: developer\n  rules:\n    - deny: { name_image: \"kept:latest\" }\n");
    place.must("docker create --name box --network none tiny true");
    let post = "curl -s --unix-socket $SOCKET -X POST";
    let archive = "-H 'Content-Type: application/x-tar' --data-binary @/dev/null";
    for (ask, body) in [
        ("images/tiny/tag?repo=kept", ""),
        ("commit?container=box&repo=kept", ""),
        ("images/create?fromSrc=-&repo=kept", archive),
    ] {
        let said = place.must(&format!("{post} {body} 'http://d/{ask}'"));
        assert!(said.contains("may not name an image kept:latest"), "{ask}: {said}");
    }
    let words = &["name an image kept:latest"];
    place.refuse("file 'FROM tiny\\n'; build -t kept $WORK/ctx", words);
    place.must("docker tag tiny kept:other; docker tag tiny other");
    place.nothing_left();
}

#[test]
fn files_that_are_more_than_contents_are_not_copied_in() {
    let place = Place::new(DEVELOPER);
    place.must("docker create --name box --network none tiny true; echo hello >$WORK/f; mkdir -p $WORK/d/e; ln -s ../x $WORK/d/e/in");
    place.must("docker cp $WORK/f box:/f; docker cp $WORK/d box:/d; docker cp box:/f - | tar -xO | grep hello");
    place.must("tar -C $WORK -c f | docker cp - box:/tmp");
    place.refuse(
        "ln -s /etc/passwd $WORK/abs; docker cp $WORK/abs box:/abs",
        &["symbolic link that leads out of its folder", "abs"],
    );
    place.refuse(
        "mkdir $WORK/dev; mknod $WORK/dev/null c 1 3; tar -C $WORK/dev -c null | docker cp - box:/tmp",
        &["device node"],
    );
    // The same hidden behind a link that stays within: `a/b/c` is the folder itself.
    place.refuse(
        "mkdir -p $WORK/l/a/b; cd $WORK/l; ln -s ../.. a/b/c; ln -s ../etc m; tar -cf ../l.tar a; \
         tar -rf ../l.tar --transform 's,^m$,a/b/c/m,' m; docker cp - box:/tmp <../l.tar",
        &["symbolic link that leads out of its folder", "a/b/c/m"],
    );
    place.refuse("cp /bin/true $WORK/su; chmod 4755 $WORK/su; docker cp $WORK/su box:/su", &["runs as its owner"]);
    place.refuse("tar -C $WORK -cz f | docker cp - box:/tmp", &["compressed (gzip); send it uncompressed"]);
    place.nothing_left();
}

#[test]
fn bombs_limits_and_broken_archives_go_nowhere() {
    let place = Place::new("policy: { preset: developer }\nlimits: { archive_bytes: 4MiB, body_silence: 1s }\n");
    place.must("file 'FROM tiny\\n'; truncate -s 600M $WORK/zeros; tar -C $WORK -c zeros ctx | gzip >$WORK/bomb");
    place.refuse("build - <$WORK/bomb", &["more than 250 bytes from each compressed one", "limits.archive_ratio"]);
    place.refuse(
        "truncate -s 5M $WORK/ctx/large; build $WORK/ctx",
        &["larger than 4194304 bytes", "limits.archive_bytes"],
    );
    let send = "curl -s --unix-socket $SOCKET -X POST -H 'Content-Type: application/x-tar'";
    let url = "'http://d/v1.41/build'";
    for (body, words) in [
        ("head -c 700 $WORK/tar", "cut off"),
        ("printf hello", "cut off"),
        ("printf '\\x1f\\x8b\\x08xxxxxxxx'", "cannot be decompressed (gzip)"),
        ("printf ''", "no file `Dockerfile`"),
    ] {
        place.refuse(
            &format!("rm -f $WORK/ctx/large; tar -C $WORK/ctx -cf $WORK/tar .; {body} | {send} --data-binary @- {url}; exit 1"),
            &[words],
        );
    }
    // A client that stops, and one that leaves.
    let announced = "POST /v1.41/build HTTP/1.1\\r\\nHost: d\\r\\nContent-Type: application/x-tar\\r\\nContent-Length: 5000\\r\\n\\r\\nabc";
    place.refuse(
        &format!("(printf '{announced}'; sleep 3) | curl -s --unix-socket $SOCKET telnet://d; exit 1"),
        &["nothing was sent for 1 s"],
    );
    place.run(&format!("printf '{announced}' | timeout 0.3 curl -s --unix-socket $SOCKET telnet://d"));
    place.nothing_left();
}

/// Begins a build with these bytes of its context.
fn begin(place: &Place, framing: &str, bytes: &[u8]) -> UnixStream {
    let mut stream = UnixStream::connect(place.firewall.socket()).expect("connect");
    let head = format!("POST /build HTTP/1.1\r\nHost: d\r\nContent-Type: application/x-tar\r\n{framing}\r\n\r\n");
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(bytes)).expect("a request");
    stream
}

/// A build by another user than root: its exit status and what is said of it.
fn build_by_nobody(place: &Place) -> Outcome {
    open_to_all(&place.firewall.socket());
    place.run(
        "file 'FROM tiny\\n'; tar -C $WORK/ctx -c . | setpriv --reuid=65534 --regid=65534 --clear-groups \
         curl -s --unix-socket $SOCKET -H 'Content-Type: application/x-tar' --data-binary @- http://d/build",
    )
}

/// A few kilobytes that become 60 GiB: looking into them ends in time, or with its client, and takes no turn from others.
#[test]
fn a_bomb_takes_no_turn_from_others() {
    const WAIT: Duration = Duration::from_secs(20);
    let place = Place::new(&format!(
        "{DEVELOPER}limits: {{ archive_looks: 2, archive_looks_per_subject: 1, archive_look_wait: 20s, \
         archive_unpacked_bytes: 100GiB, archive_ratio: 1000000000 }}\n"
    ));
    let work = place.must(
        "truncate -s 60G $WORK/zeros; head -c 100M /dev/zero | bzip2 >$WORK/piece; \
         { tar -C $WORK -c zeros 2>$WORK/err | head -c 512 | bzip2; for i in $(seq 600); do cat $WORK/piece; done; } \
         >$WORK/bomb; echo $WORK",
    );
    let bomb = fs::read(Path::new(&work).join("bomb")).expect("the bomb");
    assert!(bomb.len() < 128 << 10, "{}", bomb.len());
    let length = format!("Content-Length: {}", bomb.len());
    let began = Instant::now();
    let mut bombs: Vec<UnixStream> = (0..3).map(|_| begin(&place, &length, &bomb)).collect();
    // Which of them is looked into first is not theirs to choose.
    let said = |bombs: &mut [UnixStream]| -> String {
        let now = |bomb| http::receive(bomb, Duration::from_millis(50), Duration::from_millis(50)).text();
        bombs.iter_mut().map(now).collect()
    };

    let built = build_by_nobody(&place);
    assert!(built.out.contains("Successfully built"), "{built:?}");
    let early = said(&mut bombs);
    assert!(early.is_empty() && began.elapsed() < WAIT, "{:?}: {early}", began.elapsed());

    let mut ended = String::new();
    while ended.is_empty() && began.elapsed() < WAIT * 2 {
        ended = said(&mut bombs);
    }
    assert!(ended.contains("takes too long (limits.archive_look_wait)"), "{:?}: {ended}", began.elapsed());

    // Those behind it leave, one of them while it is looked into: nobody waits for the end of that.
    drop(bombs);
    let began = Instant::now();
    place.must("build -q $WORK/ctx");
    assert!(began.elapsed() < WAIT, "looks go on without their clients: {:?}", began.elapsed());
    place.nothing_left();
}

/// One who uploads for as long as he may keeps his own room, and nobody else's; and who sends next to nothing is let go.
#[test]
fn an_upload_without_end_takes_no_room_from_others() {
    let place = Place::new(&format!(
        "{DEVELOPER}limits: {{ archives_bytes: 2MiB, archives_bytes_per_subject: 1MiB, body_silence: 2s, archive_rate: 10KiB }}\n"
    ));
    let mut slow = begin(&place, "Transfer-Encoding: chunked", format!("e0000\r\n{}", "x".repeat(0xE_0000)).as_bytes());
    std::thread::sleep(Duration::from_millis(500));
    place.must("file 'FROM tiny\\n'; head -c 300K /dev/urandom >$WORK/ctx/large");
    place.refuse("build $WORK/ctx", &["one subject may take: 1048576 bytes", "limits.archives_bytes_per_subject"]);
    let built = build_by_nobody(&place);
    assert!(built.out.contains("Successfully built"), "{built:?}");
    // A byte now and then is not silence, and yet too little.
    let began = Instant::now();
    let answer = loop {
        let _ = slow.write_all(b"\r\n1\r\nx");
        let answer = http::receive(&mut slow, Duration::from_millis(300), Duration::from_millis(500));
        if !answer.bytes.is_empty() || began.elapsed() > Duration::from_secs(20) {
            break answer;
        }
    };
    assert!(answer.text().contains("less than 10240 bytes a second (limits.archive_rate)"), "{}", answer.text());
    place.must("build -q $WORK/ctx");
    place.nothing_left();
}

#[test]
fn a_full_disk_refuses_and_recovers() {
    let disk = tempfile::tempdir().expect("a folder");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"]).arg(disk.path()).status();
    assert!(mounted.expect("mount").success(), "needs root");
    let outcome = std::panic::catch_unwind(|| on_a_small_disk(disk.path()));
    let _ = Command::new("umount").args(["-l"]).arg(disk.path()).status();
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

fn on_a_small_disk(disk: &Path) {
    let place = Place::new(&format!("{DEVELOPER}spool: {}\nlimits: {{ archive_free_bytes: 1MiB }}\n", disk.display()));
    place.must("file 'FROM tiny\\nCOPY Dockerfile /\\n'; truncate -s 20M $WORK/ctx/large");
    place.refuse("build $WORK/ctx", &["no room to judge the archive", "limits.archive_free_bytes"]);
    place.must("rm $WORK/ctx/large; build -t fits $WORK/ctx");
    assert_eq!(fs::read_dir(disk).unwrap().count(), 0);
    place.nothing_left();
}

/// A large context passes without being held in memory (docs/archives.md has the figures for 4 GiB).
#[test]
fn a_large_context_stays_on_disk() {
    let place = Place::new(DEVELOPER);
    place.must("file 'FROM tiny\\nCOPY Dockerfile /\\n'; head -c 300M /dev/urandom >$WORK/ctx/large; build -q -t large $WORK/ctx");
    let status = fs::read_to_string(format!("/proc/{}/status", place.firewall.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kib < 32 << 10, "{line}");
    place.nothing_left();
}
