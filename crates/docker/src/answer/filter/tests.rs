use super::*;
use crate::endpoint::{Kind, Operation};
use crate::resource::Resource;

/// Runs an answer through in pieces of `size` bytes; things are kept as `keep` says.
fn run(operation: Operation, text: &str, size: usize, keep: impl Fn(&Whole) -> bool) -> Result<String, Malformed> {
    let mut split = Split::new(shape(operation).unwrap().shape);
    let mut out = Vec::new();
    for piece in text.as_bytes().chunks(size) {
        split.feed(piece);
        while let Some(whole) = split.next_item()? {
            if keep(&whole) {
                split.put(&whole.bytes);
            }
        }
        out.extend(split.take());
    }
    split.finish()?;
    out.extend(split.take());
    Ok(String::from_utf8(out).unwrap())
}

/// The same in pieces of every size, which must make no difference.
fn kept(operation: Operation, text: &str, without: &str) -> Result<String, Malformed> {
    let keep = |whole: &Whole| without.is_empty() || !String::from_utf8_lossy(&whole.bytes).contains(without);
    let whole = run(operation, text, text.len().max(1), keep);
    for size in 1..text.len() {
        assert_eq!(run(operation, text, size, keep), whole, "in pieces of {size}");
    }
    whole
}

#[test]
fn what_is_kept_is_as_it_was() {
    let list = r#"[{"Id":"a","x":"]},{\"\\"}, {"Id":"b","n":[1,{"m":null}]} ,{"Id":"c"}]"#;
    let same = kept(Operation::ContainerList, list, "").unwrap();
    assert_eq!(same, "[{\"Id\":\"a\",\"x\":\"]},{\\\"\\\\\"},{\"Id\":\"b\",\"n\":[1,{\"m\":null}]},{\"Id\":\"c\"}]\n");
    for (without, left) in [
        ("\"a\"", r#"[{"Id":"b","n":[1,{"m":null}]},{"Id":"c"}]"#),
        ("\"c\"", r#"[{"Id":"a","x":"]},{\"\\"},{"Id":"b","n":[1,{"m":null}]}]"#),
        ("Id", "[]"),
    ] {
        assert_eq!(kept(Operation::ContainerList, list, without).unwrap().trim_end(), left);
    }
    for same in ["[]", "null", "[ ]", " [ ] \n"] {
        assert_eq!(kept(Operation::ImageList, same, "x").unwrap().trim_end(), same.replace(' ', "").trim_end());
    }
}

#[test]
fn lists_in_objects() {
    let volumes = r#"{"Volumes":[{"Name":"a"},{"Name":"b"}],"Warnings":["w"],"Newer":[{"Name":"a"}]}"#;
    assert_eq!(
        kept(Operation::VolumeList, volumes, "\"a\"").unwrap(),
        "{\"Volumes\":[{\"Name\":\"b\"}],\"Warnings\":[\"w\"]}\n"
    );
    assert_eq!(
        kept(Operation::VolumeList, r#"{"Newer":{"x":"}"},"Volumes":null}"#, "x").unwrap(),
        "{\"Volumes\":null}\n"
    );
    let usage = r#"{"LayersSize":12,"Images":[{"Id":"i"}],"Containers":[],"Volumes":null,"BuildCache":[{"ID":"x"}],"BuilderSize":-1.5e3}"#;
    let left = kept(Operation::SystemDataUsage, usage, "ID").unwrap();
    assert_eq!(left.trim_end(), usage.replace(r#"[{"ID":"x"}]"#, "[]"));
    let newer = r#"{"ImageUsage":{"ActiveCount":1,"Items":[{"Id":"a"},{"Id":"b"}],"Else":{}},"VolumeUsage":{}}"#;
    let left = kept(Operation::SystemDataUsage, newer, "\"a\"").unwrap();
    assert_eq!(left.trim_end(), r#"{"ImageUsage":{"ActiveCount":1,"Items":[{"Id":"b"}]},"VolumeUsage":{}}"#);
}

#[test]
fn events_come_one_by_one() {
    let mut split = Split::new(shape(Operation::SystemEvents).unwrap().shape);
    split.feed(b"{\"a\":1}");
    let first = split.next_item().unwrap().unwrap();
    split.put(&first.bytes);
    assert_eq!(split.take(), b"{\"a\":1}\n", "at once, before the next comes");
    split.feed(b"\n{\"b\":");
    assert_eq!(split.next_item().unwrap(), None);
    assert!(split.finish().is_err());
    split.feed(b"2}\n");
    assert!(split.next_item().unwrap().is_some());
    assert_eq!(split.take(), b"");
    assert_eq!(split.finish(), Ok(()));
}

#[test]
fn what_is_not_as_it_should_be_is_not_passed_on() {
    for (operation, text) in [
        (Operation::ContainerList, r#"{"message":"x"}"#),
        (Operation::ContainerList, "[1]"),
        (Operation::ContainerList, "[null]"),
        (Operation::ContainerList, "[[]]"),
        (Operation::ContainerList, "[{}"),
        (Operation::ContainerList, "[{},]"),
        (Operation::ContainerList, "[{}{}]"),
        (Operation::ContainerList, "[{}]]"),
        (Operation::ContainerList, "[{}] [{}]"),
        (Operation::ContainerList, ""),
        (Operation::ContainerList, "nul"),
        (Operation::ContainerList, "nulls"),
        (Operation::ContainerList, "true"),
        (Operation::VolumeList, "[]"),
        (Operation::VolumeList, r#"{"Volumes":{}}"#),
        (Operation::VolumeList, r#"{"Warnings":[{"Name":"a"}]}"#),
        (Operation::VolumeList, r#"{"Warnings":[[]]}"#),
        (Operation::VolumeList, r#"{Volumes:[]}"#),
        (Operation::VolumeList, r#"{"Volumes" []}"#),
        (Operation::VolumeList, r#"{"Volumes":[],}"#),
        (Operation::VolumeList, r#"{"Volumes":[]"#),
        (Operation::SystemDataUsage, r#"{"LayersSize":[{"Id":"x"}]}"#),
        (Operation::SystemDataUsage, r#"{"LayersSize":1x}"#),
        (Operation::SystemEvents, "[{}]"),
        (Operation::SystemEvents, "\u{1e}{}"),
        (Operation::ContainerInspect, "[]"),
        (Operation::ContainerInspect, "{}{}"),
    ] {
        assert!(kept(operation, text, "").is_err(), "{text}");
    }
    let long = format!("[{{\"x\":\"{}\"}}]", "y".repeat(MOST_ITEM));
    assert!(run(Operation::ContainerList, &long, 4096, |_| true).is_err());
    let key = format!("{{\"{}\":1}}", "y".repeat(300));
    assert!(run(Operation::VolumeList, &key, 4096, |_| true).is_err());
}

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn a_list_tells_enough_to_ask() {
    let container = format!(
        r#"{{"Id":"{ID}","Names":["/b/alias","/web"],"Image":"tiny","ImageID":"sha256:{ID}","Labels":{{"k":"v"}},"State":"running"}}"#
    );
    let Ok(Some(Resource::Container(read))) = listed::resource(Item::Container, container.as_bytes()) else { panic!() };
    assert_eq!((read.id.as_str(), read.name.as_str(), read.image.as_str()), (ID, "web", "tiny"));
    assert_eq!(read.labels.get("k").map(String::as_str), Some("v"));
    let moved = container.replace("\"tiny\"", &format!("\"sha256:{ID}\""));
    let Ok(Some(Resource::Container(read))) = listed::resource(Item::Container, moved.as_bytes()) else { panic!() };
    assert_eq!(read.image, "", "the image that it was made with is not told");
    let image = format!(
        r#"{{"Id":"sha256:{ID}","RepoTags":["tiny:latest","registry.test/a:1"],"RepoDigests":["<none>@<none>"],"Labels":null}}"#
    );
    let Ok(Some(Resource::Image(read))) = listed::resource(Item::Image, image.as_bytes()) else { panic!() };
    let names: Vec<_> = listed::under_each_name(&read).into_iter().map(|(name, _)| name.unwrap()).collect();
    assert_eq!(names, ["tiny:latest", "registry.test/a:1"]);
    for (item, text) in [
        (Item::Container, "{}"),
        (Item::Container, r#"{"Id":"short"}"#),
        (Item::Image, "{}"),
        (Item::Network, "{}"),
        (Item::Volume, r#"{"Name":1}"#),
        (Item::Thing(Kind::Secret), "{}"),
    ] {
        assert!(listed::resource(item, text.as_bytes()).is_err(), "{item:?} {text}");
    }
}

#[test]
fn an_event_tells_of_whom_it_is() {
    let about = |kind: &str, id: &str, attributes: &str| {
        let text = format!(r#"{{"Type":"{kind}","Action":"x","Actor":{{"ID":"{id}","Attributes":{attributes}}}}}"#);
        listed::event(text.as_bytes()).unwrap()
    };
    let of_container = about("container", ID, r#"{"name":"web","image":"tiny","team":"red"}"#);
    let listed::About::Known(Resource::Container(container)) = of_container.about else { panic!() };
    assert_eq!((container.name.as_str(), container.image.as_str()), ("web", "tiny"));
    assert_eq!(container.labels.len(), 1);
    for kind in ["daemon", "builder", "plugin", "newer"] {
        assert_eq!(about(kind, "x", "{}").about, listed::About::Known(Resource::Daemon));
    }
    assert_eq!(about("container", "short", "{}").about, listed::About::Known(Resource::Daemon));
    let connected = about("network", "n1", &format!(r#"{{"container":"{ID}","name":"n"}}"#));
    assert_eq!(connected.container.as_deref(), Some(ID));
    assert_eq!(connected.about, listed::About::Named { kind: Kind::Network, id: "n1".to_owned(), name: None });
    for text in ["{}", r#"{"Type":"container"}"#, r#"{"status":"die","id":"x"}"#] {
        assert!(listed::event(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn neighbours_and_names_of_others_go() {
    let text = format!(
        r#"{{"Id":"n","Containers":{{"{ID}":{{"Name":"web"}},"ep-1":{{"Name":"x"}}}},"Services":{{"s":{{}}}}}}"#
    );
    let mut network = Tree::read(text.as_bytes()).unwrap();
    assert_eq!(neighbours(&network), [ID]);
    keep_containers(&mut network, |_| true);
    assert_eq!(
        network.write().unwrap(),
        format!(r#"{{"Id":"n","Containers":{{"{ID}":{{"Name":"web"}}}}}}"#).into_bytes()
    );
    keep_containers(&mut network, |_| false);
    assert_eq!(network.write().unwrap(), br#"{"Id":"n","Containers":{}}"#);
    let mut image = Tree::read(br#"{"RepoTags":["a:1","b:1"],"RepoDigests":["<none>@<none>"],"Tags":null}"#).unwrap();
    assert_eq!(names(&image), ["a:1", "b:1", "<none>@<none>"]);
    keep_names(&mut image, |name| name == "b:1");
    assert_eq!(image.write().unwrap(), br#"{"RepoTags":["b:1"],"RepoDigests":["<none>@<none>"],"Tags":null}"#);
}

#[test]
fn descriptors_do_not_tell_the_names_that_went() {
    let text = br#"{"RepoTags":["a:1","b:1"],"Manifests":[{"Descriptor":{"size":1,"annotations":{"io.containerd.image.name":"a:1"}}}]}"#;
    let mut image = Tree::read(text).unwrap();
    keep_names(&mut image, |_| true);
    assert_eq!(image.write().unwrap(), text);
    keep_names(&mut image, |name| name == "b:1");
    assert_eq!(image.write().unwrap(), br#"{"RepoTags":["b:1"],"Manifests":[{"Descriptor":{"size":1}}]}"#);
}

fn redaction(change: impl FnOnce(&mut Redaction)) -> Redactions {
    let mut redaction = Redaction::default();
    change(&mut redaction);
    Redactions(vec![redaction])
}

fn hidden(item: Item, redactions: &Redactions, text: &str) -> (String, usize) {
    let mut tree = Tree::read(text.as_bytes()).unwrap();
    let count = redactions.hide(item, &mut tree);
    (String::from_utf8(tree.write().unwrap()).unwrap(), count)
}

#[test]
fn values_of_variables_are_hidden_wherever_they_stand() {
    let environment = redaction(|redaction| redaction.environment = vec![Pattern::of_names("*password*").unwrap()]);
    for (item, text, shown) in [
        (
            Item::ContainerInspect,
            r#"{"Config":{"Env":["A=1","DB_PASSWORD=s3cret","PASSWORD="]},"Args":["-c","x PASSWORD=s3cret y"]}"#,
            r#"{"Config":{"Env":["A=1","DB_PASSWORD=[M]","PASSWORD="]},"Args":["-c","x PASSWORD=[M]"]}"#,
        ),
        (
            Item::Layer,
            r##"{"CreatedBy":"/bin/sh -c #(nop)  ENV A=1 PASSWORD=s3cret and more","Tags":null}"##,
            r##"{"CreatedBy":"/bin/sh -c #(nop)  ENV A=1 PASSWORD=[M]","Tags":null}"##,
        ),
        (
            Item::Thing(Kind::Service),
            r#"{"PreviousSpec":{"TaskTemplate":{"ContainerSpec":{"Env":["password=s3cret"]}}}}"#,
            r#"{"PreviousSpec":{"TaskTemplate":{"ContainerSpec":{"Env":["password=[M]"]}}}}"#,
        ),
        (
            Item::Thing(Kind::Plugin),
            r#"{"Settings":{"Env":["PASSWORD=s3cret"]},"Config":{"Env":[{"Name":"PASSWORD","Value":"s3cret"}]}}"#,
            r#"{"Settings":{"Env":["PASSWORD=[M]"]},"Config":{"Env":[{"Name":"PASSWORD","Value":"[M]"}]}}"#,
        ),
        (
            Item::Volume,
            r#"{"Options":{"o":"username=u,password=s3cret","password":"s3cret"}}"#,
            r#"{"Options":{"o":"username=u,password=[M]","password":"[M]"}}"#,
        ),
        (
            Item::ContainerInspect,
            r#"{"HostConfig":{"LogConfig":{"Type":"x","Config":{"x-password":"s3cret"}}}}"#,
            r#"{"HostConfig":{"LogConfig":{"Type":"x","Config":{"x-password":"[M]"}}}}"#,
        ),
        (
            Item::Processes,
            r#"{"Titles":["A","PID","CMD"],"Processes":[["PASSWORD=my","s3cret","x s3cret"],["root","1","sh"]]}"#,
            r#"{"Titles":["A","PID","CMD"],"Processes":[["PASSWORD=[M]","[M]","[M]"],["root","1","sh"]]}"#,
        ),
    ] {
        let (out, count) = hidden(item, &environment, text);
        assert_eq!(out, shown.replace("[M]", MARK), "{text}");
        assert!(count > 0 && !out.contains("s3cret"));
        assert_eq!(hidden(item, &environment, &out).1, 0, "what is hidden is not hidden again");
    }
}

#[test]
fn labels_mounts_commands_and_the_rest() {
    let labels = redaction(|redaction| redaction.labels = vec![Pattern::of_names("secret.*").unwrap()]);
    for (item, text, shown) in [
        (Item::Container, r#"{"Labels":{"secret.a":"x","b":"y"}}"#, r#"{"Labels":{"secret.a":"[M]","b":"y"}}"#),
        (
            Item::Event,
            r#"{"Actor":{"Attributes":{"secret.a":"x","name":"y"}}}"#,
            r#"{"Actor":{"Attributes":{"secret.a":"[M]","name":"y"}}}"#,
        ),
        (Item::Info, r#"{"Labels":["secret.a=x","b=y"]}"#, r#"{"Labels":["secret.a=[M]","b=y"]}"#),
        (Item::Layer, r#"{"CreatedBy":"LABEL secret.a=x"}"#, r#"{"CreatedBy":"LABEL secret.a=[M]"}"#),
    ] {
        assert_eq!(hidden(item, &labels, text).0, shown.replace("[M]", MARK));
    }
    let mounts = redaction(|redaction| redaction.mounts = vec![Pattern::of_paths("/srv/x").unwrap()]);
    assert_eq!(
        hidden(Item::ContainerInspect, &mounts, r#"{"Binds":["/srv/x/y:/data:ro","/srv:/srv"],"Source":"/srv/x"}"#).0,
        r#"{"Binds":["[M]:/data:ro","/srv:/srv"],"Source":"[M]"}"#.replace("[M]", MARK)
    );
    let commands = redaction(|redaction| redaction.commands = true);
    for (item, text, shown) in [
        (
            Item::ContainerInspect,
            r#"{"Path":"sh","Args":["-c","x"],"Config":{"Cmd":["x"],"Entrypoint":null,"Env":["A=1"]}}"#,
            r#"{"Path":"[M]","Args":["[M]"],"Config":{"Cmd":["[M]"],"Entrypoint":null,"Env":["A=1"]}}"#,
        ),
        (
            Item::Event,
            r#"{"Action":"exec_create: sh -c x","status":"die"}"#,
            r#"{"Action":"exec_create: [M]","status":"die"}"#,
        ),
        (Item::Processes, r#"{"Processes":[["1","sleep"]]}"#, r#"{"Processes":[["1","[M]"]]}"#),
    ] {
        assert_eq!(hidden(item, &commands, text).0, shown.replace("[M]", MARK));
    }
    let configs = redaction(|redaction| redaction.configs = vec![Pattern::of_names("app-*").unwrap()]);
    let config = |name: &str| format!(r#"{{"ID":"c","Spec":{{"Name":"{name}","Data":"c2VjcmV0"}}}}"#);
    assert!(hidden(Item::Thing(Kind::Config), &configs, &config("app-x")).0.contains("W3JlZGFjdGVk"));
    assert_eq!(hidden(Item::Thing(Kind::Config), &configs, &config("x")).1, 0);
    let all = redaction(|redaction| redaction.environment = vec![Pattern::of_names("*").unwrap()]);
    let text = r#"{"Spec":{"Name":"x","Data":"YQ=="},"TLSInfo":{"CertIssuerPublicKey":"YQ=="}}"#;
    assert_eq!(hidden(Item::Thing(Kind::Config), &all, text).0, text, "Base64 is no text");
    let tokens = redaction(|redaction| redaction.join_tokens = true);
    assert_eq!(hidden(Item::Swarm, &tokens, r#"{"JoinTokens":{"Worker":"a","Manager":"b"}}"#).1, 2);
    let credentials = redaction(|redaction| redaction.credentials = true);
    assert_eq!(
        hidden(
            Item::Info,
            &credentials,
            r#"{"HttpProxy":"http://u:p@proxy:3128/x","NoProxy":"a@b","Mirrors":["https://m/"]}"#
        )
        .0,
        r#"{"HttpProxy":"http://[M]@proxy:3128/x","NoProxy":"a@b","Mirrors":["https://m/"]}"#.replace("[M]", MARK)
    );
}

#[test]
fn a_redaction_is_for_the_families_that_it_names() {
    let mut redactions = redaction(|redaction| redaction.environment = vec![Pattern::of_names("*").unwrap()]);
    redactions.0[0].families = vec![Family::Container];
    assert!(redactions.reach(Item::ContainerInspect) && !redactions.reach(Item::ImageInspect));
    assert_eq!(hidden(Item::ImageInspect, &redactions, r#"{"Env":["A=1"]}"#).1, 0);
}

#[test]
fn errors_name_nobody_else() {
    for (said, shown) in [
        (
            format!(
                r#"{{"message":"Conflict. The container name \"/web\" is already in use by container \"{ID}\"."}}"#
            ),
            r#"{"message":"Conflict. The container name \"/web\" is already in use by container \"…\"."}"#,
        ),
        (format!("remove data: volume is in use - [{ID}, {ID}]"), "remove data: volume is in use - […, …]"),
        (
            r#"has active endpoints (name:"web" id:"0123456789ab")"#.to_owned(),
            r#"has active endpoints (name:"…" id:"…")"#,
        ),
        (r#"{"message":"(name:\"web\" id:\"0123456789ab\")"}"#.to_owned(), r#"{"message":"(name:\"…\" id:\"…\")"}"#),
        ("conflict: image sha256:0123456789ab … café".to_owned(), "conflict: image sha256:… … café"),
        ("rpc error: service 9mnpnzenvg8p8tdbtq4wvbkcz is not there".to_owned(), "rpc error: service … is not there"),
        ("no such container: deadbeefcafe".to_owned(), "no such container: deadbeefcafe"),
    ] {
        assert_eq!(scrubbed(&said, "/containers/deadbeefcafe/start"), shown);
    }
}
