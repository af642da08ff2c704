//! A plan: steps in words, each with what takes it back. Shown, or carried out; whatever fails takes all back.

use serde_json::json;

use super::super::{Exit, Failure};
use crate::talk;

/// What a step does; the sentence says why it could not.
type Act<'a> = Box<dyn Fn() -> Result<(), String> + 'a>;

/// One step.
pub struct Step<'a> {
    words: String,
    act: Act<'a>,
    undo: Option<(String, Act<'a>)>,
}

impl<'a> Step<'a> {
    /// A step that leaves nothing to be taken back.
    pub fn new(words: impl Into<String>, act: impl Fn() -> Result<(), String> + 'a) -> Self {
        Step { words: words.into(), act: Box::new(act), undo: None }
    }

    /// With what takes it back, done or half done.
    pub fn undone_by(self, words: impl Into<String>, undo: impl Fn() -> Result<(), String> + 'a) -> Self {
        Step { undo: Some((words.into(), Box::new(undo))), ..self }
    }
}

/// How plans are carried out.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Only say what would be done.
    pub dry_run: bool,
    /// Say it as JSON.
    pub as_json: bool,
}

impl Manner {
    /// Carries out a plan to its end, or back to its beginning.
    pub fn carry_out(self, plan: &[Step<'_>]) -> Result<Exit, Failure> {
        for (at, step) in plan.iter().enumerate() {
            if self.dry_run {
                self.tell("would", &step.words)?;
                continue;
            }
            self.tell("step", &step.words)?;
            if let Err(error) = (step.act)() {
                self.tell("failed", &error)?;
                let done = plan.iter().take(at.saturating_add(1)).rev();
                return Err(Failure::Sentence(self.take_back(done, &error)));
            }
        }
        Ok(Exit::Done)
    }

    /// Takes back what was done, the last first; what cannot be is told, and the rest goes on.
    fn take_back<'a, 'b: 'a>(self, done: impl Iterator<Item = &'a Step<'b>>, error: &str) -> String {
        let mut left = Vec::new();
        for (words, undo) in done.filter_map(|step| step.undo.as_ref()) {
            // Whoever closed stdout still wants it undone.
            let _ = self.tell("undo", words);
            if let Err(error) = undo() {
                let _ = self.tell("failed", &error);
                left.push(format!("could not {words}: {error}"));
            }
        }
        match left.as_slice() {
            [] => format!("{error}; everything is as it was before"),
            left => format!("{error}; and {}", left.join("; ")),
        }
    }

    fn tell(self, kind: &str, words: &str) -> std::io::Result<()> {
        if self.as_json {
            return talk::result(&json!({ kind: words }).to_string());
        }
        match kind {
            "step" => talk::result(words),
            kind => talk::result(&format!("{kind}: {words}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn step<'a>(name: &'static str, fails: bool, said: &'a RefCell<Vec<String>>) -> Step<'a> {
        let act = move || {
            said.borrow_mut().push(name.to_owned());
            if fails { Err(format!("{name} failed")) } else { Ok(()) }
        };
        Step::new(name, act).undone_by(format!("undo {name}"), move || {
            said.borrow_mut().push(format!("undo {name}"));
            if name == "b" { Err("stuck".to_owned()) } else { Ok(()) }
        })
    }

    #[test]
    fn what_fails_is_taken_back_with_all_before_it() {
        let said = RefCell::new(Vec::new());
        let manner = Manner { dry_run: false, as_json: true };
        let plan = ["a", "b", "c", "d"].map(|name| step(name, name == "c", &said));
        let failure = manner.carry_out(&plan).unwrap_err().to_string();
        assert_eq!(*said.borrow(), ["a", "b", "c", "undo c", "undo b", "undo a"]);
        assert_eq!(failure, "c failed; and could not undo b: stuck");
        said.borrow_mut().clear();
        let plan = ["a", "c"].map(|name| step(name, name == "c", &said));
        assert!(manner.carry_out(&plan).unwrap_err().to_string().ends_with("as it was before"));
        said.borrow_mut().clear();
        assert_eq!(Manner { dry_run: true, ..manner }.carry_out(&plan).unwrap(), Exit::Done);
        assert!(said.borrow().is_empty());
    }
}
