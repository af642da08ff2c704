use super::*;

fn file(text: &str) -> NamedText {
    NamedText { name: "main.json".to_owned(), text: text.to_owned() }
}

fn faults(text: &str) -> String {
    read(&file(text)).expect_err("a fault").to_string()
}

#[test]
fn both_spellings_and_all_keys_are_read() {
    for plugin in ["plugin", "plugins"] {
        let text = format!(
            "{{\n\t\"{plugin}\": {{\n\t\t\"commands\": [\n\t\t\t{{\"cmd\": \"exec\", \"dmsg\": \"no \\ud83d\\udc33 \\/ \\\"exec\\\"\", \
             \"admin-msg\": \"they tried\"}},\n\t\t\t{{\"cmd\": \"container ls\", \"allow\": true, \"amsg\": \"seen\"}}\n\t\t],\n\t\t\
             \"description\": false, \"socket\": true, \"port\": 8080\n\t}},\n\t\"handler\": {{\"editor\": \"vim\"}}\n}}\n"
        );
        let read = read(&file(&text)).unwrap_or_else(|faults| panic!("{faults}"));
        let [exec, ps] = read.commands.as_slice() else { panic!("{read:?}") };
        assert_eq!((exec.command, exec.allow, exec.at()), ("exec", false, (4, 12)));
        assert_eq!(exec.message.as_deref(), Some("no 🐳 / \"exec\""));
        assert_eq!(exec.note.as_deref(), Some("they tried"));
        assert_eq!(
            (ps.written.as_str(), ps.command, ps.allow, ps.note.as_deref()),
            ("container ls", "ps", true, Some("seen"))
        );
        assert_eq!(
            (read.describes, read.socket, read.port, read.editor.as_deref()),
            (false, true, Some(8080), Some("vim"))
        );
        let warnings: Vec<String> = read.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings.iter().any(|warning| warning.contains("`compose exec` (the same request)")), "{warnings:?}");
        assert!(warnings.iter().any(|warning| warning.contains("dockwarden rules add")), "{warnings:?}");
    }
    let bare = read(&file(r#"{"plugin":{}}"#)).unwrap_or_else(|faults| panic!("{faults}"));
    assert!(
        bare.commands.is_empty() && bare.describes && !bare.socket && bare.port.is_none() && bare.warnings.is_empty()
    );
}

#[test]
fn each_fault_has_its_place() {
    for (text, expected) in [
        ("", "main.json: this is no valid JSON: EOF while parsing a value"),
        ("{\"plugin\": {},}", "main.json:1:15: this is no valid JSON: key must be a string"),
        ("plugin: {}", "main.json:1:1: this is no valid JSON: expected value"),
        ("{\"plugin\": {\n \"socket\": true,\n \"socket\": false}}", "main.json:3:2: key `socket` is given twice"),
        (
            "{\"plugin\": {}, \"plugins\": {}}",
            "main.json:1:27: `plugin` and `plugins` are two spellings of one key (leave one of them)",
        ),
        ("{}", "main.json:1:1: docksec's file has no `plugin`"),
        ("[]", "main.json:1:1: docksec's file must be an object, not a list"),
        ("{\"plugin\": []}", "main.json:1:12: `plugin` must be an object, not a list"),
        ("{\"Plugin\": {}}", "main.json:1:2: docksec's file has no key `Plugin` (did you mean `plugin`?)"),
        ("{\"plugin\": {\"comands\": []}}", "main.json:1:13: `plugin` has no key `comands` (did you mean `commands`?)"),
        ("{\"plugin\": {\"port\": 0}}", "main.json:1:21: `port` is a number from 1 to 65535"),
        ("{\"plugin\": {\"port\": 65536}}", "main.json:1:21: `port` is a number from 1 to 65535"),
        ("{\"plugin\": {\"port\": \"8080\"}}", "main.json:1:21: `port` is a number from 1 to 65535"),
        ("{\"plugin\": {\"socket\": \"yes\"}}", "main.json:1:23: `socket` is true or false, not a text"),
        ("{\"plugin\": {\"commands\": {}}}", "main.json:1:25: `commands` must be a list, not a mapping"),
        ("{\"plugin\": {\"commands\": [\"exec\"]}}", "main.json:1:26: a command must be an object, not a text"),
        ("{\"plugin\": {\"commands\": [{\"allow\": false}]}}", "main.json:1:26: a command needs `cmd`"),
        (
            "{\"plugin\": {\"commands\": [{\"cmd\": \"exek\"}]}}",
            "main.json:1:34: there is no docker command `exek` (did you mean `exec`?)",
        ),
        (
            "{\"plugin\": {\"commands\": [{\"cmd\": \"run --privileged\"}]}}",
            "main.json:1:34: there is no docker command `run --privileged` (write a docker command without options, such as `exec` or `container logs`)",
        ),
        (
            "{\"plugin\": {\"commands\": [{\"cmd\": \"exec\", \"msg\": 1}]}}",
            "main.json:1:42: a command has no key `msg` (did you mean `dmsg`?)",
        ),
        (
            "{\"plugin\": {\"commands\": [{\"cmd\": \"exec\", \"dmsg\": 1}]}}",
            "main.json:1:50: `dmsg` is a text, not a number",
        ),
        (
            "{\"plugin\": {\"commands\": [{\"cmd\": \"exec\", \"amsg\": \"a\", \"admin-msg\": \"b\"}]}}",
            "main.json:1:68: `amsg` and `admin-msg` are two spellings of one key (leave one of them)",
        ),
        (
            "{\"plugin\": {\"commands\": [\n{\"cmd\": \"ps\", \"allow\": true},\n{\"cmd\": \"container ls\"}]}}",
            "main.json:3:9: `container ls` is denied here, and allowed as `ps` in line 2: it is the same command (leave one of them)",
        ),
    ] {
        assert_eq!(faults(text), expected, "{text}");
    }
    assert!(faults(&"[".repeat(100_000)).contains("no valid JSON"));
}

#[test]
fn what_is_said_twice_counts_once_and_is_told() {
    let read = read(&file("{\"plugin\": {\"commands\": [{\"cmd\": \"rename\"}, {\"cmd\": \"container rename\"}]}}"));
    let read = read.unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!((read.commands.len(), read.rules().len()), (1, 1));
    let told = read.warnings.last().map(ToString::to_string).unwrap_or_default();
    assert!(
        told.ends_with("`container rename` is the same command as `rename` in line 1, which is the one that counts"),
        "{told}"
    );
}

#[test]
fn what_asks_no_daemon_is_told_to_stay_possible() {
    let read =
        read(&file(r#"{"plugin": {"commands": [{"cmd": "context ls"}]}}"#)).unwrap_or_else(|faults| panic!("{faults}"));
    assert!(read.warnings[0].to_string().contains("nothing can deny `context ls`"), "{:?}", read.warnings);
}
