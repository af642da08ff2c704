//! The oracles: processes that answer in batches (see `fuzz/oracle/main.go`).

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::check::{cut, put};

/// One oracle, ended with the process that asks it.
pub struct Oracle {
    /// The daemon that it speaks for: `20.10`, `28.5`.
    pub name: String,
    child: Child,
    questions: Option<ChildStdin>,
    answers: ChildStdout,
}

impl Oracle {
    /// Starts every `oracle-NAME` of a folder, in the order of their names.
    pub fn start_all(folder: &Path) -> io::Result<Vec<Oracle>> {
        let mut found: Vec<_> = std::fs::read_dir(folder)?.filter_map(|entry| entry.ok()).map(|e| e.path()).collect();
        found.sort();
        let name_of = |path: &Path| Some(path.file_name()?.to_str()?.strip_prefix("oracle-")?.to_owned());
        let named = found.iter().filter_map(|path| Some((path, name_of(path)?)));
        named.map(|(path, name)| Oracle::start(path, name)).collect()
    }

    fn start(program: &Path, name: String) -> io::Result<Oracle> {
        // One thread each: the machine's other cores have other oracles to run.
        let mut child = Command::new(program)
            .env("GOMAXPROCS", "1")
            .env("GOGC", "800")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (questions, answers) = pipes.ok_or_else(|| io::Error::other("no pipes to the oracle"))?;
        Ok(Oracle { name, child, questions: Some(questions), answers })
    }

    /// Sends a batch of questions. The answers must be fetched before the next batch.
    pub fn ask<'a>(&mut self, questions: impl Iterator<Item = &'a [u8]>) -> io::Result<()> {
        let mut batch = vec![0; 4];
        questions.for_each(|question| put(&mut batch, question));
        let length = u32::try_from(batch.len() - 4).map_err(io::Error::other)?;
        batch[..4].copy_from_slice(&length.to_le_bytes());
        self.questions.as_mut().map_or(Ok(()), |pipe| pipe.write_all(&batch))
    }

    /// The answers to the batch, in order.
    pub fn answers(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let mut length = [0; 4];
        self.answers.read_exact(&mut length)?;
        let mut batch = vec![0; u32::from_le_bytes(length) as usize];
        self.answers.read_exact(&mut batch)?;
        let (mut answers, mut rest) = (Vec::new(), batch.as_slice());
        while let Some((answer, further)) = cut(rest) {
            answers.push(answer.to_vec());
            rest = further;
        }
        Ok(answers)
    }

    /// One question, one answer.
    pub fn ask_one(&mut self, question: &[u8]) -> io::Result<Vec<u8>> {
        self.ask(std::iter::once(question))?;
        Ok(self.answers()?.pop().unwrap_or_default())
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // It ends when its questions end.
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}
