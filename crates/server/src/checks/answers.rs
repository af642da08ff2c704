//! What a check said, kept for a while; and one question for all who ask the same at once.
//!
//! Errors are not kept: whoever comes after one asks anew. What is kept is bounded in number, the oldest goes first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{Image, Verdict};

/// The answers of one check.
#[derive(Debug)]
pub(super) struct Answers {
    ttl: Duration,
    known: Mutex<HashMap<Image, Known>>,
}

#[derive(Debug, Clone)]
enum Known {
    /// Somebody is asking; the answer will be here.
    Asking(watch::Receiver<Option<Verdict>>),
    /// An answer, and since when it is known.
    Answered(Verdict, Instant),
}

impl Answers {
    pub(super) fn new(ttl: Duration) -> Answers {
        Answers { ttl, known: Mutex::default() }
    }

    /// The answer about an image, and whether it was known. `asking` is begun only if nobody knows and nobody asks; it goes
    /// on when who began it leaves.
    pub(super) async fn get<F>(self: &Arc<Self>, image: &Image, asking: F) -> (Verdict, bool)
    where
        F: Future<Output = Verdict> + Send + 'static,
    {
        let mut coming = {
            let mut known = self.known();
            match known.get(image) {
                Some(Known::Answered(verdict, since)) if since.elapsed() < self.ttl => return (verdict.clone(), true),
                Some(Known::Asking(coming)) => coming.clone(),
                _ => {
                    let (tell, coming) = watch::channel(None);
                    known.insert(image.clone(), Known::Asking(coming.clone()));
                    tokio::spawn(Question { answers: Arc::clone(self), image: image.clone(), tell }.answer(asking));
                    coming
                }
            }
        };
        let verdict = match coming.wait_for(Option::is_some).await {
            Ok(verdict) => verdict.clone(),
            Err(_) => None,
        };
        (verdict.unwrap_or_else(|| Verdict::Error("the question ended by itself".to_owned())), false)
    }

    fn keep(&self, image: &Image, verdict: &Verdict) {
        let mut known = self.known();
        if matches!(verdict, Verdict::Error(_)) || self.ttl.is_zero() {
            known.remove(image);
            return;
        }
        known.insert(image.clone(), Known::Answered(verdict.clone(), Instant::now()));
        if known.len() > MOST {
            forget(&mut known, self.ttl);
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Image, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room: what is too old goes, or else the oldest. Questions under way stay, there are as many as connections.
fn forget(known: &mut HashMap<Image, Known>, ttl: Duration) {
    known.retain(|_, known| !matches!(known, Known::Answered(_, since) if since.elapsed() >= ttl));
    let answered = |(image, known): (&Image, &Known)| match known {
        Known::Answered(_, since) => Some((*since, image.clone())),
        Known::Asking(_) => None,
    };
    let mut all: Vec<(Instant, Image)> = known.iter().filter_map(answered).collect();
    if all.len() < MOST {
        return;
    }
    all.sort_by_key(|(since, _)| *since);
    for (_, image) in all.into_iter().take(MOST.wrapping_div(8)) {
        known.remove(&image);
    }
}

/// A question under way. When it ends without an answer, by a panic, nobody is left waiting and the next one asks anew.
struct Question {
    answers: Arc<Answers>,
    image: Image,
    tell: watch::Sender<Option<Verdict>>,
}

impl Question {
    async fn answer(self, asking: impl Future<Output = Verdict>) {
        let verdict = asking.await;
        // Kept first: who comes between the two finds it.
        self.answers.keep(&self.image, &verdict);
        self.tell.send_replace(Some(verdict));
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        if self.tell.borrow().is_none() {
            self.answers.known().remove(&self.image);
        }
    }
}

/// The answers that are kept at most.
const MOST: usize = 1024;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use docker::image::Reference;

    use super::*;

    fn image(name: &str) -> Image {
        Image::named(Reference::parse(name).unwrap())
    }

    async fn ask(answers: &Arc<Answers>, name: &str, verdict: Verdict, count: &Arc<AtomicUsize>) -> (Verdict, bool) {
        let count = Arc::clone(count);
        let asking = async move {
            count.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(50)).await;
            verdict
        };
        answers.get(&image(name), asking).await
    }

    #[tokio::test]
    async fn many_at_once_ask_once() {
        let (answers, count) = (Arc::new(Answers::new(Duration::from_secs(60))), Arc::default());
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (answers, count) = (Arc::clone(&answers), Arc::clone(&count));
            all.spawn(async move { ask(&answers, "x", Verdict::No("bad".into()), &count).await });
        }
        for (verdict, cached) in all.join_all().await {
            assert_eq!((verdict, cached), (Verdict::No("bad".into()), false));
        }
        assert_eq!(ask(&answers, "x", Verdict::Yes, &count).await, (Verdict::No("bad".into()), true));
        assert_eq!(ask(&answers, "y", Verdict::Yes, &count).await, (Verdict::Yes, false));
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn errors_and_old_answers_are_asked_anew() {
        let (answers, count) = (Arc::new(Answers::new(Duration::from_secs(60))), Arc::default());
        let error = Verdict::Error("down".into());
        assert_eq!(ask(&answers, "x", error.clone(), &count).await, (error, false));
        assert_eq!(ask(&answers, "x", Verdict::Yes, &count).await, (Verdict::Yes, false));
        let answers = Arc::new(Answers::new(Duration::from_millis(1)));
        ask(&answers, "x", Verdict::Yes, &count).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        let no = Verdict::No("since then".into());
        assert_eq!(ask(&answers, "x", no.clone(), &count).await, (no, false));
        let answers = Arc::new(Answers::new(Duration::ZERO));
        ask(&answers, "x", Verdict::Yes, &count).await;
        assert!(!ask(&answers, "x", Verdict::Yes, &count).await.1);
    }

    #[tokio::test]
    async fn who_leaves_does_not_end_the_question() {
        let (answers, count) = (Arc::new(Answers::new(Duration::from_secs(60))), Arc::default());
        let first = tokio::time::timeout(Duration::from_millis(5), ask(&answers, "x", Verdict::Yes, &count)).await;
        assert!(first.is_err());
        assert_eq!(ask(&answers, "x", Verdict::No("asked twice".into()), &count).await, (Verdict::Yes, false));
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_question_that_dies_is_an_error_and_can_be_asked_again() {
        let (answers, count) = (Arc::new(Answers::new(Duration::from_secs(60))), Arc::default());
        let dies = async { panic!("a bug") };
        assert!(matches!(answers.get(&image("x"), dies).await, (Verdict::Error(_), false)));
        assert_eq!(ask(&answers, "x", Verdict::Yes, &count).await, (Verdict::Yes, false));
    }

    #[tokio::test]
    async fn no_more_than_so_many_are_kept() {
        let answers = Arc::new(Answers::new(Duration::from_secs(60)));
        for number in 0..MOST + 10 {
            answers.get(&image(&format!("x:{number}")), async { Verdict::Yes }).await;
        }
        assert!(answers.known().len() <= MOST);
        let latest = image(&format!("x:{}", MOST + 9));
        assert!(answers.get(&latest, async { Verdict::Yes }).await.1, "the oldest go");
        assert!(!answers.get(&image("x:0"), async { Verdict::Yes }).await.1);
    }
}
