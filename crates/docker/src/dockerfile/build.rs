//! From the lines of a Dockerfile to what building it would do.

use super::lines::{self, Dialect, Line, Lines};
use super::stages::Stages;
use super::steps::{self, Reading};
use super::{Build, BuildArgs, Builder, Misread, Steps, Unknown, detect_syntax, second};

/// Reads a Dockerfile.
pub fn read(text: &[u8], args: &BuildArgs, builder: Builder) -> Result<Build, Misread> {
    let syntax = match builder {
        Builder::Classic => Vec::new(),
        Builder::BuildKit => syntax(text, args),
    };
    match built_in(text, args, builder) {
        Ok(build) => Ok(Build { syntax, ..build }),
        // It is for another reader, and need not make sense to the built-in one.
        Err(_) if !syntax.is_empty() => {
            let unknown = vec![Unknown { text: "a Dockerfile for another reader".to_owned(), line: 1 }];
            Ok(Build { syntax, steps: Steps { unknown, ..Steps::default() }, ..Build::default() })
        }
        Err(misread) => Err(misread),
    }
}

/// What the triggers of a base image do (`Config.OnBuild`), which run as if they followed its `FROM`.
pub fn triggers(triggers: &[String], builder: Builder) -> Result<Steps, Misread> {
    let mut steps = Steps::default();
    for trigger in triggers {
        let Lines { lines, escape } = agreed(trigger.as_bytes(), builder)?;
        let [line] = lines.as_slice() else { return Err(Misread::at(1, "a trigger of more than one instruction")) };
        if matches!(line.keyword.as_str(), "onbuild" | "from" | "maintainer") {
            return Err(Misread::at(1, "an instruction that is no trigger"));
        }
        triggered(line, escape, builder, &mut steps)?;
    }
    Ok(steps)
}

/// What a trigger does. The daemon reads its words with the escape character of the Dockerfile that is built from the
/// image, which may be another one than where it was written: what that makes a difference to is refused.
fn triggered(line: &Line, escape: char, builder: Builder, steps: &mut Steps) -> Result<(), Misread> {
    let step = |escape, steps: &mut Steps| Reading { stages: &Stages::unknown(), escape, builder }.step(line, steps);
    let (mut one, mut other) = (Steps::default(), Steps::default());
    step('\\', &mut one)?;
    step('`', &mut other)?;
    if one != other {
        return Err(Misread::Ambiguous { line: Some(line.number) });
    }
    step(escape, steps)
}

fn syntax(text: &[u8], args: &BuildArgs) -> Vec<String> {
    let mut syntax = detect_syntax(text);
    syntax.extend(args.get("BUILDKIT_SYNTAX").cloned().flatten().filter(|name| !name.is_empty()));
    syntax
}

fn built_in(text: &[u8], args: &BuildArgs, builder: Builder) -> Result<Build, Misread> {
    let Lines { lines, escape } = agreed(text, builder)?;
    let mut stages = Stages::new(args, escape, builder);
    let mut build = Build::default();
    for line in &lines {
        match line.keyword.as_str() {
            "from" => stage(line, &mut stages, &mut build)?,
            "arg" if !stages.any() => stages.argument(line)?,
            _ if !stages.any() => return Err(Misread::NoStage),
            "onbuild" => {
                let inner = steps::trigger(line, escape)?;
                triggered(&inner, escape, builder, &mut build.onbuild)?;
            }
            _ => Reading { stages: &stages, escape, builder }.step(line, &mut build.steps)?,
        }
    }
    if !stages.any() {
        return Err(Misread::NoStage);
    }
    second::agrees(text, &lines)?;
    build.steps.unknown.append(&mut stages.unknown);
    Ok(build)
}

fn stage(line: &Line, stages: &mut Stages, build: &mut Build) -> Result<(), Misread> {
    build.bases.extend(stages.begin(line)?);
    Ok(())
}

/// The instructions, as every daemon that could build them sees them.
fn agreed(text: &[u8], builder: Builder) -> Result<Lines, Misread> {
    let new = lines::read(text, Dialect::New)?;
    if builder == Builder::BuildKit {
        return Ok(new);
    }
    if let Some(line) = new.lines.iter().find(|line| line.heredocs > 0) {
        return Err(Misread::Heredoc { line: line.number });
    }
    let old = lines::read(text, Dialect::Old)?;
    if old == new {
        return Ok(new);
    }
    let mut pairs = new.lines.iter().zip(&old.lines);
    let line = pairs.find(|(new, old)| new != old).map(|(new, _)| new.number);
    Err(Misread::Ambiguous { line })
}
