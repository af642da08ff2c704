//! Images that a stream of messages tells of: who had them made is written down before the message goes on, and what was
//! fetched by its digest is given the name that it was asked for by.
//!
//! What a build prints is the client's own: a line that looks like an id proves nothing. The daemon's word is the
//! message of its own kind (`aux`). To a quiet build it gives none, but says one thing alone: the id, or first what was
//! printed and then that it failed.

use docker::answer;
use docker::endpoint::{Kind, Operation};
use docker::request::Call;
use docker::world::KnownImage;
use serde::Deserialize;

use crate::firewall::Firewall;
use crate::firewall::ask::{Line, ask};
use crate::firewall::checked::Naming;
use crate::firewall::resolve::inspect_target;
use crate::owners::{Intent, Thing};
use crate::wire::BodyError;
use docker::http::Method;

/// Reads along with the answer to a pull, a build, a load or an import.
pub(super) struct Witness<'a> {
    firewall: &'a Firewall,
    operation: Operation,
    made: Made,
    line: Line,
    /// The beginning of a message.
    begun: Vec<u8>,
    /// Whether the daemon has said how it ended.
    told: bool,
    /// Whether it says one thing alone.
    quiet: bool,
    /// The one thing, while it is one, of a quiet build.
    only: Option<String>,
    messages: usize,
}

/// What is to be done about what is made.
pub(super) struct Made {
    /// Written down, whose it is.
    pub(super) intent: Option<Intent>,
    /// Given a name.
    pub(super) naming: Option<Naming>,
}

/// A message, as far as it tells of an image.
#[derive(Default, Deserialize)]
struct Message {
    status: Option<String>,
    stream: Option<String>,
    aux: Option<Aux>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Aux {
    #[serde(rename = "ID")]
    id: Option<String>,
}

/// What a message tells.
#[derive(Debug, PartialEq, Eq)]
enum News {
    /// An image, by the id that the daemon gave it.
    Made(String),
    /// An id, if nothing else is said.
    Only(String),
    /// An image by its name.
    Named(String),
    /// The images that were asked for.
    Asked,
    /// It failed.
    Failed,
}

impl<'a> Witness<'a> {
    /// `None`: there is nothing to be done.
    pub(super) fn of(firewall: &'a Firewall, call: &Call, made: Made) -> Option<Self> {
        if made.intent.is_none() && made.naming.is_none() {
            return None;
        }
        let quiet = call.query.flag("q").ok().flatten() == Some(true);
        Some(Witness {
            firewall,
            operation: call.operation,
            made,
            line: None,
            begun: Vec::new(),
            told: false,
            quiet,
            only: None,
            messages: 0,
        })
    }

    /// Reads a piece of the answer. It may be passed on when this is done.
    pub(super) async fn saw(&mut self, piece: &[u8]) -> Result<(), BodyError> {
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at_checked(end.saturating_add(1)).unwrap_or((rest, &[]));
            self.begun.extend_from_slice(line);
            self.message().await?;
            rest = after;
        }
        // No message of those that count is so long.
        if self.begun.len().saturating_add(rest.len()) <= LONGEST {
            self.begun.extend_from_slice(rest);
        }
        Ok(())
    }

    /// The answer has ended. What nothing was told about is found out later.
    pub(super) async fn end(mut self) -> Result<(), BodyError> {
        self.message().await?;
        if let (Some(id), 1) = (self.only.take(), self.messages) {
            self.heard(News::Made(id)).await?;
        }
        self.name().await?;
        match self.made.intent {
            Some(intent) if self.told => intent.settle().await.map_err(|unkept| broken(&unkept)),
            _ => Ok(()),
        }
    }

    /// The daemon refused: nothing was made.
    pub(super) async fn nothing(self) -> Result<(), BodyError> {
        match self.made.intent {
            Some(intent) => intent.settle().await.map_err(|unkept| broken(&unkept)),
            None => Ok(()),
        }
    }

    /// Gives what was fetched its name.
    async fn name(&mut self) -> Result<(), BodyError> {
        let Some(naming) = self.made.naming.take() else { return Ok(()) };
        let given = naming.give(self.firewall, &mut self.line).await;
        given.map_err(|answer| std::io::Error::other(answer.message).into())
    }

    /// A message is there whole.
    async fn message(&mut self) -> Result<(), BodyError> {
        let line = std::mem::take(&mut self.begun);
        if !line.iter().all(u8::is_ascii_whitespace) {
            self.messages = self.messages.saturating_add(1);
        }
        match news(self.operation, &line) {
            Some(News::Only(id)) => self.only = Some(id).filter(|_| self.quiet),
            Some(news) => self.heard(news).await?,
            None => {}
        }
        Ok(())
    }

    async fn heard(&mut self, news: News) -> Result<(), BodyError> {
        let ids = match news {
            News::Failed => {
                self.made.naming = None;
                Vec::new()
            }
            News::Only(_) => Vec::new(),
            News::Made(id) => vec![id],
            News::Named(name) => self.look(&name).await?.and_then(|image| image.image.id).into_iter().collect(),
            News::Asked => {
                self.name().await?;
                let mut ids = Vec::new();
                let names = self.made.intent.as_ref().map(|intent| intent.making().names.clone());
                for name in names.unwrap_or_default() {
                    ids.extend(self.look(&name).await?.and_then(|image| image.image.id));
                }
                ids
            }
        };
        self.told = true;
        let things = ids.into_iter().map(|id| Thing { kind: Kind::Image, id }).collect();
        match &mut self.made.intent {
            Some(intent) => intent.made(things).await.map_err(|unkept| broken(&unkept)),
            None => Ok(()),
        }
    }

    async fn look(&mut self, name: &str) -> Result<Option<KnownImage>, BodyError> {
        let Some(target) = inspect_target(Operation::ImageInspect, name) else { return Ok(None) };
        let answers = ask(self.firewall, &mut self.line, &Method::Get, &[&target]).await;
        match answers.map_err(|answer| broken(&answer.message))?.pop() {
            Some((200, body)) => answer::image(&body).map(Some).map_err(|error| broken(&error)),
            _ => Ok(None),
        }
    }
}

fn news(operation: Operation, line: &[u8]) -> Option<News> {
    let message: Message = serde_json::from_slice(line).ok()?;
    if message.error.is_some() {
        return Some(News::Failed);
    }
    let text = |text: Option<String>| text.map(|text| text.trim_end().to_owned()).unwrap_or_default();
    let (status, stream) = (text(message.status), text(message.stream));
    match operation {
        Operation::ImageBuild => match message.aux.and_then(|aux| aux.id).filter(|id| is_image_id(id)) {
            Some(id) => Some(News::Made(id)),
            None => Some(stream).filter(|stream| is_image_id(stream)).map(News::Only),
        },
        Operation::ImageLoad => {
            let id = stream.strip_prefix("Loaded image ID: ").filter(|id| is_image_id(id));
            let name = stream.strip_prefix("Loaded image: ");
            id.map(|id| News::Made(id.to_owned())).or(name.map(|name| News::Named(name.to_owned())))
        }
        _ if is_image_id(&status) => Some(News::Made(status)),
        _ => status.starts_with("Status: ").then_some(News::Asked),
    }
}

fn is_image_id(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(answer::is_id)
}

fn broken(why: &dyn std::fmt::Display) -> BodyError {
    std::io::Error::other(format!("whose the image is could not be written down: {why}")).into()
}

/// The longest message that is read, in bytes.
const LONGEST: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_daemons_own_word_counts() {
        let id = format!("sha256:{}", "4".repeat(64));
        let told = |operation, line: &str| news(operation, line.as_bytes());
        let build = |line: &str| told(Operation::ImageBuild, line);
        assert_eq!(build(&format!(r#"{{"aux":{{"ID":"{id}"}}}}"#)), Some(News::Made(id.clone())));
        assert_eq!(build(&format!(r#"{{"stream":"{id}\n"}}"#)), Some(News::Only(id.clone())), "RUN echo prints it too");
        assert_eq!(build(&format!(r#"{{"stream":" ---> {id}\n"}}"#)), None);
        assert_eq!(build(r#"{"errorDetail":{"message":"x"},"error":"x"}"#), Some(News::Failed));
        assert_eq!(build(r#"{"stream":"Successfully built 444444444444\n"}"#), None);
        let load = |line: &str| told(Operation::ImageLoad, line);
        assert_eq!(load(r#"{"stream":"Loaded image: tiny:1\n"}"#), Some(News::Named("tiny:1".to_owned())));
        assert_eq!(load(&format!(r#"{{"stream":"Loaded image ID: {id}\n"}}"#)), Some(News::Made(id.clone())));
        let pull = |line: &str| told(Operation::ImageCreate, line);
        assert_eq!(pull(r#"{"status":"Status: Image is up to date for tiny:1"}"#), Some(News::Asked));
        assert_eq!(pull(&format!(r#"{{"status":"{id}"}}"#)), Some(News::Made(id)), "an import");
        assert_eq!(pull(r#"{"status":"Pulling fs layer","id":"abc"}"#), None);
    }
}
