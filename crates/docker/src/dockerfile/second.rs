//! The second reader: the crate `parse-dockerfile`, which shares no code with ours or the daemon's.

use parse_dockerfile::Instruction;

use super::Misread;
use super::lines::Line;

/// Fails unless the second reader sees the same instructions, one for one.
pub(super) fn agrees(text: &[u8], lines: &[Line]) -> Result<(), Misread> {
    let text = String::from_utf8_lossy(text);
    let file = parse_dockerfile::parse(&text).map_err(|_| Misread::Ambiguous { line: None })?;
    let mut theirs = file.instructions.iter();
    for line in lines {
        let Some(same) = theirs.next().and_then(keywords) else {
            return Err(Misread::Ambiguous { line: Some(line.number) });
        };
        let (keyword, inner) = same;
        let onbuild = inner.is_none_or(|inner| first_word(&line.rest).eq_ignore_ascii_case(inner));
        if line.keyword != keyword || !onbuild {
            return Err(Misread::Ambiguous { line: Some(line.number) });
        }
    }
    match theirs.next() {
        Some(_) => Err(Misread::Ambiguous { line: None }),
        None => Ok(()),
    }
}

fn first_word(text: &str) -> &str {
    text.split_ascii_whitespace().next().unwrap_or_default()
}

/// The keyword, and that of the instruction within `ONBUILD`.
fn keywords(instruction: &Instruction<'_>) -> Option<(&'static str, Option<&'static str>)> {
    match instruction {
        Instruction::Onbuild(onbuild) => Some(("onbuild", Some(keyword(&onbuild.instruction)?))),
        plain => Some((keyword(plain)?, None)),
    }
}

fn keyword(instruction: &Instruction<'_>) -> Option<&'static str> {
    Some(match instruction {
        Instruction::Add(_) => "add",
        Instruction::Arg(_) => "arg",
        Instruction::Cmd(_) => "cmd",
        Instruction::Copy(_) => "copy",
        Instruction::Entrypoint(_) => "entrypoint",
        Instruction::Env(_) => "env",
        Instruction::Expose(_) => "expose",
        Instruction::From(_) => "from",
        Instruction::Healthcheck(_) => "healthcheck",
        Instruction::Label(_) => "label",
        Instruction::Maintainer(_) => "maintainer",
        Instruction::Run(_) => "run",
        Instruction::Shell(_) => "shell",
        Instruction::Stopsignal(_) => "stopsignal",
        Instruction::User(_) => "user",
        Instruction::Volume(_) => "volume",
        Instruction::Workdir(_) => "workdir",
        _ => return None,
    })
}
