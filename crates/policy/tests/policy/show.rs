//! What is shown of answers, to whom.

use docker::answer::filter::{Item, Tree};
use docker::endpoint::{Kind, Operation};
use docker::facts::CanonicalBody;
use docker::resource::Resource;
use policy::{Decision, Filter, Policy, Sources, Subject};

use crate::support::*;

fn filter(policy: &Policy, subject: &Subject, operation: Operation) -> Option<Box<Filter>> {
    match policy.decide(subject, on_daemon(operation), &now()) {
        Decision::Allowed(mut permit) => {
            let changes = permit.answer_changes();
            let filter = permit.take_filter();
            assert_eq!(changes, filter.as_ref().is_some_and(|filter| filter.form().is_some()));
            filter
        }
        Decision::Refused(refusal) => panic!("{}", refusal.message()),
    }
}

fn sees(policy: &Policy, subject: &Subject, resource: Resource) -> bool {
    let Some(filter) = filter(policy, subject, Operation::ContainerList) else { return true };
    policy.viewer(subject, &filter, &now()).sees(&resource)
}

/// Everybody may list; who is no admin sees what is of the own team.
const TEAMS: &str = r#"
permit (principal, action in Action::"read", resource);
@id("everything-for-admins")
forbid (principal, action == Action::"show", resource is Daemon) unless { principal in Group::"staff" };
@id("own")
forbid (principal, action == Action::"show", resource is Container)
unless { principal in Group::"staff" || (resource.hasTag("team") && resource.getTag("team") == "red") };
"#;

#[test]
fn presets_show_everything_untouched() {
    for name in ["open", "developer", "ci", "readonly", "restricted"] {
        assert!(filter(&preset(name), &subject("bob", &[]), Operation::SystemInfo).is_none(), "{name}");
        let listed = filter(&preset(name), &subject("bob", &[]), Operation::ContainerList);
        assert!(listed.is_none(), "{name}");
    }
}

#[test]
fn things_are_asked_about_one_by_one() {
    let policy = cedar(TEAMS).unwrap();
    let bob = subject("bob", &[]);
    let of = |team: &str| Resource::Container(container("web", &[("team", team)]));
    assert!(filter(&policy, &bob, Operation::ContainerList).is_some_and(|filter| filter.hides()));
    assert!(sees(&policy, &bob, of("red")));
    assert!(!sees(&policy, &bob, of("blue")));
    assert!(!sees(&policy, &bob, Resource::Daemon));
    assert!(sees(&policy, &bob, Resource::Volume(volume("data"))), "nothing is said of volumes");
    let carol = subject("carol", &["staff"]);
    assert!(filter(&policy, &carol, Operation::ContainerList).is_none(), "excepted, and shown the daemon");
    // What cannot be filtered is told all the same: its errors must name nobody.
    let filter = filter(&policy, &bob, Operation::SystemVersion).unwrap();
    assert!(filter.form().is_none() && filter.hides());
}

/// Otherwise a rule that hides things would hide nothing as long as the preset shows the daemon.
#[test]
fn who_forbids_to_show_things_need_not_think_of_the_daemon() {
    let rules = "preset: developer\nrules:\n  - deny: show\n    to: docker\n    on: { label: { secret: \"yes\" } }\n";
    let policy = yaml(rules).unwrap();
    let secret = || Resource::Container(container("web", &[("secret", "yes")]));
    assert!(!sees(&policy, &subject("bob", &["docker"]), secret()));
    assert!(sees(&policy, &subject("bob", &["docker"]), Resource::Container(container("web", &[]))));
    assert!(filter(&policy, &subject("bob", &[]), Operation::ContainerList).is_none(), "it is for others");
}

/// Whoever is excepted need not have each thing asked about. What is no exception is none.
#[test]
fn exceptions_are_read_from_policies() {
    for (unless, untouched) in [
        ("principal in Group::\"staff\"", true),
        ("principal == User::\"root\" || principal in Group::\"staff\" || resource.name == \"x\"", true),
        ("principal == User::\"bob\"", true),
        ("resource.name == \"x\" || principal in Group::\"staff\"", false),
        ("principal in Group::\"staff\" && resource.name == \"x\"", false),
        ("!(principal in Group::\"staff\")", false),
        ("principal in Group::\"docker\"", false),
    ] {
        let policy = cedar(&format!(
            "permit (principal, action in Action::\"read\", resource);\n\
             forbid (principal, action == Action::\"show\", resource is Container) unless {{ {unless} }};"
        ));
        let found = filter(&policy.unwrap(), &subject("bob", &["staff"]), Operation::ContainerList);
        assert_eq!(found.is_none(), untouched, "{unless}");
    }
}

/// Lists do not tell a container's user: for who asks, the answer is no.
#[test]
fn what_a_list_does_not_tell_hides() {
    for (condition, seen) in
        [("resource.name == \"web\"", true), ("resource.image == \"alpine\"", true), ("resource.user == \"\"", false)]
    {
        let policy = cedar(&format!(
            "permit (principal, action in Action::\"read\", resource);\n\
             forbid (principal, action == Action::\"show\", resource is Container) unless {{ {condition} }};"
        ));
        let web = Resource::Container(container("web", &[]));
        assert_eq!(sees(&policy.unwrap(), &subject("bob", &[]), web), seen, "{condition}");
    }
    let forbids = r#"permit (principal, action, resource);
        forbid (principal, action == Action::"show", resource is Container) when { resource.privileged };"#;
    assert!(!sees(&cedar(forbids).unwrap(), &subject("bob", &[]), Resource::Container(container("web", &[]))));
}

/// Asked about by the beginning of its id, it would be named.
#[test]
fn refusals_do_not_name_what_is_not_shown() {
    let policy = cedar(TEAMS).unwrap();
    let stop = |team| on_container(Operation::ContainerStop, &container("web", &[("team", team)]));
    let said = verdict(&policy, &subject("bob", &[]), &stop("blue"));
    assert!(
        said.starts_with("dockwarden: may not stop container that is not shown to you (no policy grants it"),
        "{said}"
    );
    assert!(!said.contains("web"), "{said}");
    assert!(verdict(&policy, &subject("bob", &[]), &stop("red")).contains("container web"));
    let link = create(docker::privilege::Privilege::LinkContainer { container: container("web", &[]) });
    let said = verdict(&policy, &subject("bob", &[]), &link);
    assert!(said.contains("link to container that is not shown to you") && !said.contains("web"), "{said}");
}

#[test]
fn what_is_only_warned_of_is_shown() {
    let policy = yaml("preset: developer\nmode: warn\nrules:\n  - deny: show\n").unwrap();
    assert!(filter(&policy, &subject("bob", &[]), Operation::ContainerList).is_none());
}

fn redacting(section: &str) -> Result<Policy, policy::Diagnostics> {
    let redact = serde_saphyr::from_str(section).map_err(|error| panic!("{error}")).ok();
    load(&Sources { preset: Some("open".to_owned()), file: text("config.yaml", section), redact, ..Sources::default() })
}

#[test]
fn values_are_hidden_from_whom_it_says() {
    let policy = redacting("- environment: [\"*TOKEN*\"]\n  in: [container, service]\n  except: [staff]\n").unwrap();
    let (bob, carol) = (subject("bob", &[]), subject("carol", &["staff"]));
    assert!(filter(&policy, &carol, Operation::ServiceList).is_none());
    assert!(filter(&policy, &bob, Operation::ImageList).is_none());
    let filter = filter(&policy, &bob, Operation::ServiceList).unwrap();
    assert!(!filter.hides());
    let mut tree = Tree::read(br#"{"Env":["A_TOKEN=x","B=y"]}"#).unwrap();
    assert_eq!(filter.redactions().hide(Item::Thing(Kind::Service), &mut tree), 1);
    assert_eq!(tree.write().unwrap(), br#"{"Env":["A_TOKEN=[redacted by dockwarden]","B=y"]}"#);
}

#[test]
fn what_was_hidden_is_not_written_back() {
    let policy = redacting("- environment: [\"*\"]\n").unwrap();
    let mut update = on_daemon(Operation::ServiceUpdate);
    update.resources = vec![Resource::Thing(thing(Kind::Service, "web"))];
    assert!(allows(&policy, &subject("bob", &[]), &update));
    update.canonical.body = CanonicalBody::Json(br#"{"Env":["A=[redacted by dockwarden]"]}"#.to_vec());
    let said = verdict(&policy, &subject("bob", &[]), &update);
    assert!(said.contains("would become the value of what was hidden"), "{said}");
    assert!(
        allows(&preset("open"), &subject("bob", &[]), &update),
        "where nothing is hidden it is a text like any other"
    );
}

#[test]
fn faults_of_the_section_are_told_with_their_places() {
    let faults =
        redacting("- enviroment: [x]\n- mounts: [srv]\n- configs: true\n  to: [dokcer]\n").unwrap_err().to_string();
    for said in [
        "config.yaml:1:3: nothing is hidden by `enviroment` (did you mean `environment`?)",
        "config.yaml:2:12: `srv` cannot be used: a path begins with `/`",
        "config.yaml:4:8: nobody knows a user or a group `dokcer` (did you mean `docker`?)",
    ] {
        assert!(faults.contains(said), "no `{said}` in\n{faults}");
    }
}
