use super::*;

fn owners(state: &Arc<State>) -> Arc<Owners> {
    // Loading waits for the disk, which a test's runtime would rather not.
    let state = Arc::clone(state);
    std::thread::spawn(move || Owners::load(state).unwrap()).join().unwrap()
}

fn wish(owner: &str, names: &[&str]) -> Wish {
    let making = Making {
        kind: Kind::Container,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        volumes: Vec::new(),
        memory: 1 << 20,
        nano_cpus: 500_000_000,
        ports: 1,
    };
    Wish { making, owner: owner.to_owned(), shared_with: vec!["dev".to_owned()] }
}

fn with(wish: Wish, change: impl FnOnce(&mut Making)) -> Wish {
    let mut wish = wish;
    change(&mut wish.making);
    wish
}

async fn make(intent: Intent, things: Vec<Thing>) {
    intent.finish(things).await.unwrap();
}

fn container(id: &str) -> Thing {
    Thing { kind: Kind::Container, id: id.to_owned() }
}

fn image(id: &str) -> Thing {
    Thing { kind: Kind::Image, id: id.to_owned() }
}

#[tokio::test]
async fn what_is_made_is_its_makers_also_after_a_restart() {
    let state = Arc::new(State::in_memory().unwrap());
    let known = owners(&state);
    let intent = known.begin(wish("alice", &[]), &Quota::default(), 0).await.unwrap();
    assert_eq!(known.of(Kind::Container, "c1"), Ownership::default());
    make(intent, vec![container("c1"), Thing { kind: Kind::Volume, id: "data".to_owned() }]).await;
    for known in [&known, &owners(&state)] {
        let ownership = known.of(Kind::Container, "c1");
        assert_eq!((ownership.owners, ownership.shared_with), (vec!["alice".to_owned()], vec!["dev".to_owned()]));
        assert_eq!(known.of(Kind::Volume, "data").owners, ["alice"]);
        assert_eq!(known.list().len(), 2);
    }
    known.give(container("c1"), "bob".to_owned()).await.unwrap();
    assert_eq!(owners(&state).of(Kind::Container, "c1").owners, ["bob"]);
    known.gone(vec![container("c1")], i64::MAX).await.unwrap();
    assert_eq!(owners(&state).of(Kind::Container, "c1"), Ownership::default());
}

#[tokio::test]
async fn an_image_belongs_to_all_who_made_it_but_not_one_that_was_there_before() {
    let state = Arc::new(State::in_memory().unwrap());
    let known = owners(&state);
    known.everybodys(vec!["base".to_owned()]);
    for owner in ["alice", "bob"] {
        let wish = with(wish(owner, &["app:1"]), |making| making.kind = Kind::Image);
        let intent = known.begin(wish, &Quota::default(), 0).await.unwrap();
        make(intent, vec![image("app"), image("base")]).await;
    }
    assert_eq!(known.of(Kind::Image, "app").owners, ["alice", "bob"]);
    assert_eq!(known.of(Kind::Image, "base"), Ownership::default());
}

#[tokio::test]
async fn two_at_once_cannot_both_have_the_last_of_a_quota() {
    let state = Arc::new(State::in_memory().unwrap());
    let known = owners(&state);
    let quota = Quota { containers: Some(1), ..Quota::default() };
    let first = known.begin(wish("alice", &[]), &quota, 0).await.unwrap();
    let second = known.begin(wish("alice", &[]), &quota, 0).await.unwrap_err().to_string();
    assert!(second.starts_with("alice has 1 of 1 containers"), "{second}");
    assert!(known.begin(wish("bob", &[]), &quota, 0).await.is_ok());
    first.settle().await.unwrap();
    let again = known.begin(wish("alice", &[]), &quota, 0).await.unwrap();
    make(again, vec![container("c1")]).await;
    assert!(known.begin(wish("alice", &[]), &quota, 0).await.is_err());
    let memory = Quota { memory: Some(1 << 20), ..Quota::default() };
    let full = known.begin(wish("alice", &[]), &memory, 0).await.unwrap_err().to_string();
    assert!(full.contains("1m of 1m of memory"), "{full}");
    let endless = with(wish("carol", &[]), |making| making.memory = 0);
    let endless = known.begin(endless, &memory, 0).await.unwrap_err().to_string();
    assert!(endless.contains("--memory"), "{endless}");
}

#[tokio::test]
async fn nobody_slips_into_a_volume_that_another_makes_at_the_same_moment() {
    let state = Arc::new(State::in_memory().unwrap());
    let known = owners(&state);
    let with_data = |owner: &str| with(wish(owner, &[]), |making| making.volumes = vec!["data".to_owned()]);
    let looked = known.moment();
    let intent = known.begin(with_data("alice"), &Quota::default(), looked).await.unwrap();
    assert!(matches!(known.begin(with_data("bob"), &Quota::default(), looked).await, Err(Hindrance::Taken(_))));
    make(intent, vec![container("c1"), Thing { kind: Kind::Volume, id: "data".to_owned() }]).await;
    // Bob looked before it was there.
    assert!(matches!(known.begin(with_data("bob"), &Quota::default(), looked).await, Err(Hindrance::Taken(_))));
    assert!(known.begin(with_data("alice"), &Quota::default(), looked).await.is_ok());
}

#[tokio::test]
async fn what_was_made_in_the_moment_of_a_crash_finds_its_owner() {
    let state = Arc::new(State::in_memory().unwrap());
    let known = owners(&state);
    drop(known.begin(wish("alice", &["/web"]), &Quota::default(), 0).await.unwrap());
    let running = known.begin(wish("bob", &[]), &Quota::default(), 0).await.unwrap();
    let found = |id: &str, label: Option<&str>| Found {
        thing: container(id),
        label: label.map(str::to_owned),
        names: Vec::new(),
        usage: Usage::default(),
        volumes: Vec::new(),
    };
    // A label alone, or one of somebody who made nothing, gives nobody anything.
    let all =
        vec![found("c1", Some("alice")), found("c2", Some("mallory")), found("c3", None), found("c4", Some("bob"))];
    assert_eq!(known.adopt(all).await.unwrap(), 1);
    assert_eq!(known.of(Kind::Container, "c1").owners, ["alice"]);
    make(running, vec![container("c4")]).await;
    assert_eq!(known.adopt(vec![found("c5", Some("alice"))]).await.unwrap(), 0, "its intent was settled");
}
