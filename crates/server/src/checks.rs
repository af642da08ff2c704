//! Checks of images by others: a registry, a scanner, a program, a web hook.
//!
//! The policy decides first; what it denies is not asked about. What it grants is asked here before a byte goes to the
//! daemon, and every check must say yes. An answer is about one image, by its digest or id, and is kept for a while; many
//! who want the same image at once wait for one answer. Whatever goes wrong is an error, and an error is a no, unless the
//! configuration says otherwise of that check.
//!
//! The step before is the decision ([`policy`]), the step after the request's way to the daemon, which must use the very
//! image that was asked about: `firewall/checked.rs` sees to that.

pub mod anchore;
mod answers;
pub mod command;
pub mod credentials;
pub mod http;
mod image;
pub mod registry;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use docker::image::Pattern;
use serde::Serialize;

use crate::limits::Limits;
use crate::share::{Held, Share};
use answers::Answers;
pub use image::Image;

/// What an image is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Use {
    /// A container is made from it, or mounts it.
    Create,
    /// It is fetched.
    Pull,
    /// A service runs it.
    Service,
    /// A build starts or copies from it.
    Build,
}

impl Use {
    /// All of them.
    pub const ALL: [Use; 4] = [Use::Create, Use::Pull, Use::Service, Use::Build];

    /// The word in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Use::Create => "create",
            Use::Pull => "pull",
            Use::Service => "service",
            Use::Build => "build",
        }
    }
}

/// Who is asked.
#[derive(Debug)]
pub enum Kind {
    /// Whether the registry has the same under that name.
    Registry(registry::Registry),
    /// What Anchore Engine found in it.
    Anchore(anchore::Anchore),
    /// A program.
    Command(command::Command),
    /// A web hook.
    Http(http::Hook),
}

/// One check, as it is configured.
#[derive(Debug)]
pub struct Settings {
    /// What it is called in refusals and records.
    pub name: String,
    /// Who is asked.
    pub kind: Kind,
    /// Of which images. None: of all.
    pub images: Vec<Pattern>,
    /// When they are wanted for what.
    pub uses: Vec<Use>,
    /// For the whole of an answer.
    pub timeout: Duration,
    /// How long an answer is kept.
    pub ttl: Duration,
    /// Whether an image passes that it could not be asked about.
    pub error_allows: bool,
}

/// What a check says of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may be used.
    Yes,
    /// It may not, and why.
    No(String),
    /// Nobody could tell, and why.
    Error(String),
}

/// One check's answer about one image, as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// The check's name.
    pub check: String,
    /// The image as it was named.
    pub image: String,
    /// What was asked about: the digest of its registry, or its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// `yes`, `no`, `error`, or `not asked`, as in a rehearsal.
    pub answer: &'static str,
    /// Why, where it is not yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether the answer was known already.
    pub cached: bool,
    /// Whether the image passes.
    pub passes: bool,
}

/// One check, and what it said so far.
#[derive(Debug)]
struct Check {
    settings: Settings,
    answers: Arc<Answers>,
}

/// All checks of a configuration.
#[derive(Debug, Default)]
pub struct Checks(Vec<Arc<Check>>);

impl Checks {
    /// Checks that were asked nothing yet.
    pub fn new(all: Vec<Settings>) -> Checks {
        let check = |settings: Settings| Check { answers: Arc::new(Answers::new(settings.ttl)), settings };
        Checks(all.into_iter().map(|settings| Arc::new(check(settings))).collect())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any has a say about an image that is wanted for something.
    pub fn concern(&self, image: &Image, wanted: Use) -> bool {
        self.of(image, wanted).next().is_some()
    }

    /// Who would be asked about it.
    pub fn rehearse(&self, image: &Image, wanted: Use) -> Vec<Checked> {
        let told = |check: &Arc<Check>, image: &Image| Checked {
            answer: "not asked",
            ..check.told(image, &Verdict::Yes, false)
        };
        self.of(image, wanted).map(|(check, image)| told(check, &image)).collect()
    }

    /// What all say that have a say about an image that cannot be told.
    pub fn untold(&self, image: &Image, wanted: Use, why: &str) -> Vec<Checked> {
        let verdict = Verdict::Error(printable(why));
        self.of(image, wanted).map(|(check, image)| check.told(&image, &verdict, false)).collect()
    }

    /// The answers of all that have a say, up to the first that does not let the image pass.
    pub(crate) async fn ask(&self, image: &Image, wanted: Use, user: &str, turns: &Arc<Share>) -> Vec<Checked> {
        let mut all = Vec::new();
        for (check, seen) in self.of(image, wanted) {
            let (verdict, cached) = check.ask(&seen, user, turns).await;
            let told = Checked { image: image.describe(), ..check.told(&seen, &verdict, cached) };
            let passes = told.passes;
            all.push(told);
            if !passes {
                break;
            }
        }
        all
    }

    /// Those that have a say, and the image as each is asked about it.
    fn of<'a>(&'a self, image: &'a Image, wanted: Use) -> impl Iterator<Item = (&'a Arc<Check>, Image)> {
        let concerned = self.0.iter().filter(move |check| check.settings.uses.contains(&wanted));
        concerned.filter_map(|check| Some((check, image.seen_by(&check.settings.images)?)))
    }
}

/// Where images are checked: the checks in force, and the turns of those who ask.
#[derive(Debug)]
pub struct Desk {
    checks: ArcSwap<Checks>,
    pub(crate) turns: Arc<Share>,
}

impl Desk {
    /// With these checks.
    pub fn new(checks: Checks, limits: &Limits) -> Desk {
        let turns = Share::new(limits.checks, limits.checks_per_subject);
        Desk { checks: ArcSwap::from_pointee(checks), turns: Arc::new(turns) }
    }

    /// Puts others in force. What the ones before said is forgotten.
    pub fn take(&self, checks: Checks) {
        self.checks.store(Arc::new(checks));
    }

    /// Those in force.
    pub(crate) fn checks(&self) -> Arc<Checks> {
        self.checks.load_full()
    }
}

impl Check {
    /// Its answer about an image, and whether that was known. Who asks first asks for all; the question goes on when they
    /// leave.
    async fn ask(self: &Arc<Self>, image: &Image, user: &str, turns: &Arc<Share>) -> (Verdict, bool) {
        let (check, turns) = (Arc::clone(self), Arc::clone(turns));
        let (asked, user) = (image.clone(), user.to_owned());
        let asking = async move {
            let timeout = check.settings.timeout;
            let in_turn = async {
                let mut turn = Held::default();
                turns.wait(&user, &mut turn, 1).await;
                check.settings.kind.ask(&asked).await
            };
            let late = || Verdict::Error(format!("no answer within {}", in_words(timeout)));
            tokio::time::timeout(timeout, in_turn).await.unwrap_or_else(|_| late())
        };
        self.answers.get(image, asking).await
    }

    fn told(&self, image: &Image, verdict: &Verdict, cached: bool) -> Checked {
        let (answer, reason) = match verdict {
            Verdict::Yes => ("yes", None),
            Verdict::No(reason) => ("no", Some(reason.clone())),
            Verdict::Error(reason) => ("error", Some(reason.clone())),
        };
        let passes = match verdict {
            Verdict::Yes => true,
            Verdict::No(_) => false,
            Verdict::Error(_) => self.settings.error_allows,
        };
        let digest = image.digest().map(str::to_owned);
        Checked { check: self.settings.name.clone(), image: image.describe(), digest, answer, reason, cached, passes }
    }
}

impl Kind {
    async fn ask(&self, image: &Image) -> Verdict {
        let verdict = match self {
            Kind::Registry(registry) => registry.ask(image).await,
            Kind::Anchore(anchore) => anchore.ask(image).await,
            Kind::Command(command) => command.ask(image).await,
            Kind::Http(hook) => hook.ask(image).await,
        };
        match verdict {
            Ok(None) => Verdict::Yes,
            Ok(Some(reason)) => Verdict::No(printable(&reason)),
            Err(reason) => Verdict::Error(printable(&reason)),
        }
    }
}

impl Checked {
    /// The end of a sentence about an image that does not pass.
    pub fn refusal(&self) -> String {
        let (image, check) = (&self.image, &self.check);
        let reason = self.reason.as_deref().unwrap_or_default();
        match self.answer {
            "no" => format!("may not use image {image} (check {check}: {reason})."),
            _ => format!(
                "image {image} could not be checked, and nothing unchecked is used (check {check}: {reason}). Try again, \
                 or ask the administrator."
            ),
        }
    }
}

/// What a check answers: nothing in the way, or what is; or why nobody could tell.
pub(crate) type Answer = Result<Option<String>, String>;

/// A text that others wrote, fit for terminals, logs and one line of a refusal.
fn printable(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let clean = |c: char| if c.is_control() || turns(c) { ' ' } else { c };
    let mut result: String = text.trim().chars().take(LONGEST_REASON).map(clean).collect();
    if text.trim().chars().nth(LONGEST_REASON).is_some() {
        result.push('…');
    }
    result
}

fn in_words(time: Duration) -> String {
    if time.subsec_millis() == 0 { format!("{} s", time.as_secs()) } else { format!("{} ms", time.as_millis()) }
}

/// In characters.
const LONGEST_REASON: usize = 300;
