//! What a build asks for, in a form that is one step from privileges.

use super::{Build, Steps};

/// One thing that a build asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// To use an image, named as the Dockerfile names it; the daemon pulls it where it is not there.
    UseImage(String),
    /// To run commands.
    Run,
    /// To run commands in a network of their choice: `host`, `none`, …
    RunInNetwork(String),
    /// To run commands with all privileges (`insecure`) or another mode than the usual one.
    RunWithSecurity(String),
    /// To run commands with a device.
    RunWithDevice(String),
    /// To fetch a URL or a git repository from the daemon's own network.
    Fetch {
        /// Where from; variables in it are not known.
        from: String,
        /// Whether it may as well be a file of the context.
        unsure: bool,
    },
    /// To leave all this to those who build from the result.
    LeaveTrigger(Box<Ask>),
    /// What cannot be told: nobody can grant it.
    Unclear(String),
}

impl Build {
    /// Everything that the build asks for, each once, in the order of the Dockerfile within each kind.
    pub fn asks(&self) -> Vec<Ask> {
        let syntax = self.syntax.iter().map(|name| match name.as_str() {
            "" => Ask::Unclear("# syntax=".to_owned()),
            name => Ask::UseImage(name.to_owned()),
        });
        let bases = self.bases.iter().map(|base| Ask::UseImage(base.name.clone()));
        let later = self.onbuild.asks().into_iter().map(|ask| Ask::LeaveTrigger(Box::new(ask)));
        unique(syntax.chain(bases).chain(self.steps.asks()).chain(later))
    }
}

impl Steps {
    /// Everything that instructions ask for, each once.
    pub fn asks(&self) -> Vec<Ask> {
        let mut asks: Vec<Ask> = self.copies_from.iter().map(|image| Ask::UseImage(image.name.clone())).collect();
        for run in &self.runs {
            asks.push(Ask::Run);
            asks.extend(run.network.clone().map(Ask::RunInNetwork));
            asks.extend(run.security.clone().map(Ask::RunWithSecurity));
            asks.extend(run.devices.iter().cloned().map(Ask::RunWithDevice));
        }
        asks.extend(self.fetches.iter().map(|fetch| Ask::Fetch { from: fetch.from.clone(), unsure: fetch.unsure }));
        asks.extend(self.unknown.iter().map(|unknown| Ask::Unclear(unknown.text.clone())));
        unique(asks)
    }
}

fn unique(asks: impl IntoIterator<Item = Ask>) -> Vec<Ask> {
    let mut all: Vec<Ask> = Vec::new();
    for ask in asks {
        if !all.contains(&ask) {
            all.push(ask);
        }
    }
    all
}
