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

fn record() -> String {
    ulid::Ulid::generate().to_string()
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
    let intent = known.begin(record(), wish("alice", &[]), &Quota::default(), 0).await.unwrap();
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
    known.everybodys(vec!["base".to_owned()]).await.unwrap();
    for owner in ["alice", "bob"] {
        let wish = with(wish(owner, &["app:1"]), |making| making.kind = Kind::Image);
        let intent = known.begin(record(), wish, &Quota::default(), known.moment()).await.unwrap();
        make(intent, vec![image("app"), image("base")]).await;
    }
    assert_eq!(known.of(Kind::Image, "app").owners, ["alice", "bob"]);
    let base = known.of(Kind::Image, "base");
    assert!(base.owners.is_empty() && base.everybodys, "{base:?}");
    // The name was given to another's image since it was looked at.
    let late = with(wish("carol", &["app:1"]), |making| making.kind = Kind::Image);
    assert!(matches!(known.begin(record(), late, &Quota::default(), 0).await, Err(Hindrance::Taken(_))));
}

#[tokio::test]
async fn two_at_once_cannot_both_have_the_last_of_a_quota() {
    let state = Arc::new(State::in_memory().unwrap());
    let known = owners(&state);
    let quota = Quota { containers: Some(1), ..Quota::default() };
    let first = known.begin(record(), wish("alice", &[]), &quota, 0).await.unwrap();
    let second = known.begin(record(), wish("alice", &[]), &quota, 0).await.unwrap_err().to_string();
    assert!(second.starts_with("alice has 1 of 1 containers"), "{second}");
    assert!(known.begin(record(), wish("bob", &[]), &quota, 0).await.is_ok());
    first.settle().await.unwrap();
    let again = known.begin(record(), wish("alice", &[]), &quota, 0).await.unwrap();
    make(again, vec![container("c1")]).await;
    assert!(known.begin(record(), wish("alice", &[]), &quota, 0).await.is_err());
    let memory = Quota { memory: Some(1 << 20), ..Quota::default() };
    let full = known.begin(record(), wish("alice", &[]), &memory, 0).await.unwrap_err().to_string();
    assert!(full.contains("1m of 1m of memory"), "{full}");
    let endless = with(wish("carol", &[]), |making| making.memory = 0);
    let endless = known.begin(record(), endless, &memory, 0).await.unwrap_err().to_string();
    assert!(endless.contains("--memory"), "{endless}");
}

#[tokio::test]
async fn nobody_slips_into_a_volume_that_another_makes_at_the_same_moment() {
    let state = Arc::new(State::in_memory().unwrap());
    let known = owners(&state);
    let with_data = |owner: &str| with(wish(owner, &[]), |making| making.volumes = vec!["data".to_owned()]);
    let looked = known.moment();
    let intent = known.begin(record(), with_data("alice"), &Quota::default(), looked).await.unwrap();
    assert!(matches!(
        known.begin(record(), with_data("bob"), &Quota::default(), looked).await,
        Err(Hindrance::Taken(_))
    ));
    make(intent, vec![container("c1"), Thing { kind: Kind::Volume, id: "data".to_owned() }]).await;
    // Bob looked before it was there.
    assert!(matches!(
        known.begin(record(), with_data("bob"), &Quota::default(), looked).await,
        Err(Hindrance::Taken(_))
    ));
    assert!(known.begin(record(), with_data("alice"), &Quota::default(), looked).await.is_ok());
}

#[tokio::test]
async fn what_was_made_in_the_moment_of_a_crash_finds_its_owner() {
    let state = Arc::new(State::in_memory().unwrap());
    let known = owners(&state);
    let volumes = |making: &mut Making| making.volumes = vec!["data".to_owned(), String::new()];
    drop(known.begin("r1".to_owned(), with(wish("alice", &["/web"]), volumes), &Quota::default(), 0).await.unwrap());
    let running = known.begin("r2".to_owned(), wish("bob", &[]), &Quota::default(), 0).await.unwrap();
    let found = |id: &str, label: Option<&str>, record: &str| Found {
        thing: container(id),
        label: label.map(str::to_owned),
        record: Some(record.to_owned()),
        names: Vec::new(),
        usage: Usage::default(),
        volumes: Vec::new(),
    };
    // A label of an owner alone proves nothing: images hand theirs down. Nor does one of somebody else's record.
    let nameless = "4".repeat(64);
    let volumes = vec!["data".to_owned(), nameless.clone(), "legacy".to_owned()];
    let all = vec![
        Found { volumes, ..found("c1", Some("alice"), "r1") },
        found("c2", Some("alice"), "r0"),
        found("c3", Some("mallory"), "r1"),
        found("c4", None, "r1"),
        found("c5", Some("bob"), "r2"),
    ];
    assert_eq!(known.adopt(all).await.unwrap(), Adopted { count: 3, left: false });
    assert_eq!(known.of(Kind::Container, "c1").owners, ["alice"]);
    assert_eq!(known.of(Kind::Volume, "data").owners, ["alice"]);
    assert_eq!(known.of(Kind::Volume, &nameless).owners, ["alice"]);
    assert_eq!(known.of(Kind::Volume, "legacy"), Ownership::default(), "it was there before");
    make(running, vec![container("c5")]).await;
    assert_eq!(known.adopt(vec![found("c6", Some("alice"), "r1")]).await.unwrap().count, 0, "its intent was settled");
}
