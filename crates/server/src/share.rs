//! What all clients share, and how much of it one subject may hold.
//!
//! Room for archives and bodies, and turns at looking into archives, are bounded for all together. A
//! bound for all alone would let one subject hold everything: so each has one of its own, and waits, or
//! is refused, within that before it takes anything from the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Something that is shared, in units of the owner's choice.
#[derive(Debug)]
pub(crate) struct Share {
    all: Arc<Semaphore>,
    each: usize,
    /// What is left to those subjects that hold some, or wait for it.
    of: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// What a subject holds, until it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Held {
    own: Option<OwnedSemaphorePermit>,
    all: Option<OwnedSemaphorePermit>,
}

/// Why a subject gets no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Short {
    /// It holds its share.
    Own,
    /// Nothing is left, or not so much.
    All,
}

impl Share {
    /// So much for all, of which one subject may hold so much.
    pub(crate) fn new(all: usize, each: usize) -> Self {
        let all = all.clamp(1, Semaphore::MAX_PERMITS);
        Share { all: Arc::new(Semaphore::new(all)), each: each.clamp(1, all), of: Mutex::default() }
    }

    /// The most that one subject may hold.
    pub(crate) fn each(&self) -> usize {
        self.each
    }

    /// Takes until so much is held, and waits for it: first for those who hold what the subject may, then for all.
    pub(crate) async fn wait(&self, user: &str, held: &mut Held, amount: usize) {
        let Ok(more @ 1..) = u32::try_from(amount.saturating_sub(held.amount())) else { return };
        let own = self.of(user);
        // Never closed.
        let Ok(own) = own.acquire_many_owned(more).await else { return };
        let Ok(all) = Arc::clone(&self.all).acquire_many_owned(more).await else { return };
        held.add(own, all);
    }

    /// Takes until so much is held, if there is so much now.
    pub(crate) fn take(&self, user: &str, held: &mut Held, amount: usize) -> Result<(), Short> {
        let more = amount.saturating_sub(held.amount());
        if more == 0 {
            return Ok(());
        }
        let more = u32::try_from(more).map_err(|_| Short::All)?;
        let own = self.of(user).try_acquire_many_owned(more).map_err(|_| Short::Own)?;
        let all = Arc::clone(&self.all).try_acquire_many_owned(more).map_err(|_| Short::All)?;
        held.add(own, all);
        Ok(())
    }

    /// What is left to a subject. Those that hold nothing are forgotten.
    fn of(&self, user: &str) -> Arc<Semaphore> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = of.get(user) {
            return Arc::clone(own);
        }
        of.retain(|_, own| Arc::strong_count(own) > 1);
        let own = Arc::new(Semaphore::new(self.each));
        of.insert(user.to_owned(), Arc::clone(&own));
        own
    }

    /// What nobody holds.
    #[cfg(test)]
    pub(crate) fn left(&self) -> usize {
        self.all.available_permits()
    }
}

impl Held {
    pub(crate) fn amount(&self) -> usize {
        self.all.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// Gives back what is more than so much.
    pub(crate) fn shrink(&mut self, amount: usize) {
        let more = self.amount().saturating_sub(amount);
        for permit in [&mut self.own, &mut self.all].into_iter().flatten() {
            // What is split off is given back at once.
            drop(permit.split(more));
        }
    }

    fn add(&mut self, own: OwnedSemaphorePermit, all: OwnedSemaphorePermit) {
        match (&mut self.own, &mut self.all) {
            (Some(before), Some(all_before)) => {
                before.merge(own);
                all_before.merge(all);
            }
            _ => (self.own, self.all) = (Some(own), Some(all)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn nobody_holds_all() {
        let share = Share::new(4, 3);
        let (mut one, mut other) = (Held::default(), Held::default());
        assert_eq!(share.take("one", &mut one, 2), Ok(()));
        assert_eq!(share.take("one", &mut one, 3), Ok(()), "what is held counts");
        assert_eq!(share.take("one", &mut one, 4), Err(Short::Own));
        assert_eq!(share.take("one", &mut Held::default(), 1), Err(Short::Own));
        assert_eq!(share.take("other", &mut other, 2), Err(Short::All));
        assert_eq!(share.take("other", &mut other, 1), Ok(()));
        assert_eq!((one.amount(), other.amount(), share.left()), (3, 1, 0));
        one.shrink(5);
        assert_eq!(one.amount(), 3);
        one.shrink(1);
        assert_eq!((one.amount(), share.left()), (1, 2));
        assert_eq!(share.take("one", &mut one, 3), Ok(()), "what was given back may be had again");
        drop((one, other));
        assert_eq!(share.left(), 4);
        assert_eq!(share.take("third", &mut Held::default(), 3), Ok(()));
        assert_eq!(share.of.lock().unwrap().len(), 1, "those that hold nothing are forgotten");
    }

    #[test]
    fn a_share_beyond_all_is_all_and_nothing_is_nothing() {
        let share = Share::new(2, 9);
        let mut held = Held::default();
        assert_eq!(share.take("one", &mut held, 2), Ok(()));
        assert_eq!(share.take("one", &mut held, 0), Ok(()));
        assert_eq!(held.amount(), 2);
    }

    #[tokio::test]
    async fn who_waits_for_his_own_keeps_nothing_from_others() {
        let share = Arc::new(Share::new(4, 2));
        let mut one = Held::default();
        share.wait("one", &mut one, 2).await;
        let queue: Vec<_> = (0..10)
            .map(|_| {
                let share = Arc::clone(&share);
                tokio::spawn(async move {
                    let mut held = Held::default();
                    share.wait("one", &mut held, 1).await;
                    held
                })
            })
            .collect();
        let waited = tokio::time::timeout(Duration::from_secs(5), async {
            let mut other = Held::default();
            share.wait("other", &mut other, 2).await;
            other.amount()
        });
        assert_eq!(waited.await, Ok(2));
        drop(one);
        for task in queue {
            assert_eq!(task.await.unwrap().amount(), 1);
        }
        assert_eq!(share.left(), 4);
    }
}
