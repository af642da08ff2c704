//! A program that is asked: the image as JSON on its standard input, yes by exit status 0, no by 1, anything else is an
//! error. So a script serves, or a scanner that takes the image's name as an argument.
//!
//! No shell, and nothing of our own environment but where programs are. When its time is up, it goes with everything that
//! it started.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;

use super::{Answer, Image};

/// A program with its arguments, in which `{image}`, `{pinned}`, `{digest}` and `{id}` stand for the image's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    program: PathBuf,
    arguments: Vec<String>,
}

impl Command {
    /// A program that only root or ourselves can change: else whoever changes it says what passes, and runs as we do.
    pub fn new(program: &Path, arguments: Vec<String>) -> Result<Command, String> {
        owned(program)?;
        Ok(Command { program: program.to_owned(), arguments })
    }

    pub(super) async fn ask(&self, image: &Image) -> Answer {
        let mut arguments = Vec::with_capacity(self.arguments.len());
        for argument in &self.arguments {
            arguments.push(filled_in(argument, image)?);
        }
        let Ended { status, out, err } = run(&self.program, &arguments, image.to_json().to_string().as_bytes()).await?;
        let said = last_line(&err).or_else(|| last_line(&out));
        let program = self.program.display();
        match status.code() {
            Some(0) => Ok(None),
            Some(1) => Ok(Some(said.unwrap_or_else(|| format!("{program} says no")))),
            Some(code) => Err(with(format!("{program} ended with status {code}"), said)),
            None => Err(with(format!("{program} was ended by a signal"), said)),
        }
    }
}

/// How a program ended.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    /// The end of what it said on standard output.
    pub(super) out: Vec<u8>,
    /// Likewise on standard error.
    pub(super) err: Vec<u8>,
}

/// Runs a program to its end. Dropped before, all that it started is ended.
pub(super) async fn run(program: &Path, arguments: &[String], input: &[u8]) -> Result<Ended, String> {
    owned(program)?;
    let child = tokio::process::Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .env("PATH", PATH)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn();
    let shown = program.display();
    let mut child = child.map_err(|error| format!("{shown} cannot be started: {error}"))?;
    let _group = Group(child.id());
    talk(&mut child, input).await.map_err(|error| format!("{shown}: {error}"))
}

/// Tells it the input and waits for its end, and for the end of what it says.
async fn talk(child: &mut Child, input: &[u8]) -> io::Result<Ended> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let tell = async {
        if let Some(mut stdin) = stdin {
            // One that does not listen may close it: its exit status is what counts.
            let _ = stdin.write_all(input).await;
        }
        Ok(())
    };
    let (status, out, err, ()) = tokio::try_join!(child.wait(), listen(stdout), listen(stderr), tell)?;
    Ok(Ended { status, out, err })
}

/// The end of what it says.
async fn listen(from: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let Some(mut from) = from else { return Ok(Vec::new()) };
    let (mut kept, mut all) = (Vec::new(), 0_usize);
    let mut piece = vec![0; 8 << 10];
    loop {
        let length = from.read(&mut piece).await?;
        if length == 0 {
            return Ok(kept);
        }
        all = all.saturating_add(length);
        if all > MOST_BYTES {
            return Err(io::Error::other(format!("it says more than {} MiB", MOST_BYTES >> 20)));
        }
        kept.extend_from_slice(piece.get(..length).unwrap_or_default());
        let surplus = kept.len().saturating_sub(KEPT_BYTES);
        kept.drain(..surplus);
    }
}

/// A process and all that it started, ended when this is dropped.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        let leader = self.0.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(leader) = leader {
            // It leads a group of its own. What is left of that goes, or nothing is.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

/// The argument for this image. One that the image has nothing for cannot be asked with.
fn filled_in(argument: &str, image: &Image) -> Result<String, String> {
    let mut filled = argument.to_owned();
    for (place, value) in [
        ("{image}", image.name().map(ToString::to_string)),
        ("{pinned}", image.pinned()),
        ("{digest}", image.digests().first().cloned()),
        ("{id}", image.id().map(str::to_owned)),
    ] {
        if filled.contains(place) {
            let value = value.ok_or_else(|| format!("the image has nothing for `{place}`"))?;
            filled = filled.replace(place, &value);
        }
    }
    Ok(filled)
}

/// Whether only root or we ourselves can change a program, and the folders that it is in.
fn owned(program: &Path) -> Result<(), String> {
    let ourselves = rustix::process::geteuid().as_raw();
    let real = program.canonicalize().map_err(|error| format!("cannot find `{}`: {error}", program.display()))?;
    for (place, path) in real.ancestors().enumerate() {
        let shown = path.display();
        let about = path.metadata().map_err(|error| format!("cannot look at `{shown}`: {error}"))?;
        if about.uid() != 0 && about.uid() != ourselves {
            return Err(format!("`{shown}` belongs to user {}: it must be root's or this program's own", about.uid()));
        }
        // In a folder such as /tmp only the owner can put another one in its place.
        let sticky = about.is_dir() && about.mode() & 0o1000 != 0;
        if about.mode() & 0o022 != 0 && !sticky {
            return Err(format!("`{shown}` can be changed by others: chmod go-w it"));
        }
        if place == 0 && (!about.is_file() || about.mode() & 0o111 == 0) {
            return Err(format!("`{shown}` is no program"));
        }
    }
    Ok(())
}

/// The last line that says anything.
fn last_line(said: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(said);
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
}

fn with(what: String, said: Option<String>) -> String {
    said.map_or_else(|| what.clone(), |said| format!("{what}: {said}"))
}

/// What a program is told of our environment: where its user's files are, and the language.
const ENVIRONMENT: &[&str] = &["HOME", "LANG", "TZ"];
/// Where programs are.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The most that a program may say, in bytes.
const MOST_BYTES: usize = 8 << 20;
/// How much of it is kept, from its end.
const KEPT_BYTES: usize = 8 << 10;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::time::{Duration, Instant};

    use docker::image::Reference;

    use super::*;

    /// A script in a folder of its own.
    struct Script(PathBuf);

    impl Script {
        fn new(name: &str, text: &str) -> Script {
            let folder = std::env::temp_dir().join(format!("dockwarden-command-{}-{name}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
            let file = folder.join("check");
            fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
            Script(file)
        }

        async fn ask(&self, arguments: &[&str]) -> Answer {
            let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
            Command::new(&self.0, arguments)?.ask(&image()).await
        }
    }

    impl Drop for Script {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(self.0.parent().unwrap());
        }
    }

    fn image() -> Image {
        Image::at_registry(Reference::parse("r.test/app:1").unwrap(), format!("sha256:{}", "1".repeat(64)))
    }

    #[tokio::test]
    async fn exit_statuses() {
        for (name, text, answer) in [
            ("yes", "exit 0", Ok(None)),
            ("no", "exit 1", Ok(Some("says no"))),
            ("why", "echo out; echo first >&2; echo ' three holes ' >&2; echo >&2; exit 1", Ok(Some("three holes"))),
            ("out", "echo found; exit 1", Ok(Some("found"))),
            ("two", "echo broken >&2; exit 2", Err("ended with status 2: broken")),
            ("signal", "kill -9 $$", Err("was ended by a signal")),
            ("none", "exec /nosuch", Err("ended with status")),
        ] {
            let script = Script::new(name, text);
            match (script.ask(&[]).await, answer) {
                (Ok(None), Ok(None)) => {}
                (Ok(Some(said)), Ok(Some(words))) | (Err(said), Err(words)) => assert!(said.contains(words), "{said}"),
                (said, _) => panic!("{name}: {said:?}"),
            }
        }
    }

    #[tokio::test]
    async fn what_it_is_told() {
        let folder = Script::new("folder", "pwd; exit 1");
        assert_eq!(folder.ask(&[]).await, Ok(Some("/".into())));
        let echo = Script::new("echo", "cat; exit 1");
        let said = echo.ask(&[]).await.unwrap().unwrap();
        assert!(
            said.contains(r#""image":"r.test/app:1""#) && said.contains(r#""pinned":"r.test/app@sha256:111"#),
            "{said}"
        );
        let arguments = Script::new("arguments", r#"echo "$1|$2"; exit 1"#);
        let digest = "1".repeat(64);
        let expected = format!("r.test/app@sha256:{digest}|a r.test/app:1;$(id)");
        assert_eq!(arguments.ask(&["{pinned}", "a {image};$(id)"]).await, Ok(Some(expected)));
        assert!(arguments.ask(&["{id}"]).await.is_err());
        let environment = Script::new("environment", "env | grep -q CARGO && exit 2; exit 1");
        assert!(environment.ask(&[]).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn when_its_time_is_up_all_that_it_started_goes() {
        let script = Script::new("slow", "sleep 1234.5 & sleep 1234.5");
        let began = Instant::now();
        assert!(tokio::time::timeout(Duration::from_millis(300), script.ask(&[])).await.is_err());
        assert!(began.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(200)).await;
        let left = fs::read_dir("/proc").unwrap().flatten().any(|process| {
            fs::read(process.path().join("cmdline")).is_ok_and(|line| line.starts_with(b"sleep\x001234.5"))
        });
        assert!(!left);
    }

    #[tokio::test]
    async fn one_that_talks_without_end_is_ended() {
        let script = Script::new("loud", "exec yes");
        assert!(script.ask(&[]).await.unwrap_err().contains("says more than"));
        let deaf = Script::new("deaf", "exec 0<&-; exit 0");
        assert_eq!(deaf.ask(&[]).await, Ok(None));
    }

    #[test]
    fn one_that_others_can_change_is_not_run() {
        let script = Script::new("owned", "exit 0");
        fs::set_permissions(&script.0, fs::Permissions::from_mode(0o757)).unwrap();
        assert!(Command::new(&script.0, Vec::new()).unwrap_err().contains("can be changed by others"));
        fs::set_permissions(&script.0, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Command::new(&script.0, Vec::new()).unwrap_err().contains("is no program"));
        fs::set_permissions(&script.0, fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(script.0.parent().unwrap(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(Command::new(&script.0, Vec::new()).unwrap_err().contains("can be changed by others"));
        assert!(Command::new(Path::new("/nosuch/check"), Vec::new()).unwrap_err().contains("cannot find"));
    }
}
