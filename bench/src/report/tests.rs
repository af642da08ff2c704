use super::*;

fn line(contender: &str, cpu: f64) -> String {
    json!({ "contender": contender, "trial": "ping", "title": "GET /_ping", "result": { "cpu_us": cpu, "requests": 9 } }).to_string()
}

fn three_rounds() -> String {
    let rounds = [
        ("haproxy", 40.0),
        ("dockwarden", 18.0),
        ("haproxy", 36.0),
        ("dockwarden", 90.0),
        ("haproxy", 30.0),
        ("dockwarden", 9.0),
    ];
    rounds.map(|(who, cpu)| line(who, cpu)).join("\n")
}

#[test]
fn medians_of_the_rounds_and_their_ratio() {
    let report = Run::read(&three_rounds()).unwrap().json(None);
    assert_eq!(report.pointer("/rounds"), Some(&json!(3)));
    assert_eq!(report.pointer("/rows/0/median"), Some(&json!({ "haproxy": 36.0, "dockwarden": 18.0 })));
    assert_eq!(report.pointer("/rows/0/ratio"), Some(&json!({ "dockwarden/haproxy": 0.5 })));
}

#[test]
fn the_table_has_a_line_a_quantity() {
    let text = table::print(&Run::read(&three_rounds()).unwrap(), Some("60 policies: 42 µs\n"));
    let expected = "                                       HAProxy  Dockwarden  Dockwarden
                                                             / HAProxy

GET /_ping
  CPU of the proxy, µs/request            36.0        18.0       0.50x

Medians of 3 interleaved rounds.

Decision time, in the product itself (cargo example `decide`)
60 policies: 42 µs";
    assert_eq!(text, expected);
}

#[test]
fn the_quantities_of_a_trial_stay_together() {
    let measured = |who: &str, trial: &str, result: Value| {
        json!({ "contender": who, "trial": trial, "result": result }).to_string()
    };
    let lines = [
        measured("none", "ping", json!({ "p50_us": 60.0 })),
        measured("none", "pull", json!({ "gb_per_second": 10.0 })),
        measured("haproxy", "ping", json!({ "cpu_us": 30.0, "p50_us": 90.0 })),
        measured("haproxy", "pull", json!({ "gb_per_second": 3.0, "cpu_s_per_gb": 0.2 })),
    ];
    let run = Run::read(&lines.join("\n")).unwrap();
    let order: Vec<_> = run.rows.iter().map(|row| row.quantity.key).collect();
    assert_eq!(order, ["cpu_us", "p50_us", "gb_per_second", "cpu_s_per_gb"]);
}

#[test]
fn a_busy_machine_is_named() {
    let said = |percent: f64| {
        let result = json!({ "others_percent": percent });
        let line = json!({ "contender": "none", "trial": "ping", "result": result }).to_string();
        table::print(&Run::read(&line).unwrap(), None).contains("The machine was busy")
    };
    assert!(said(40.0));
    assert!(!said(2.0));
}

#[test]
fn a_missing_round_is_an_error() {
    let lines = format!("{}\n{}\n{}", line("haproxy", 1.0), line("haproxy", 1.0), line("dockwarden", 1.0));
    let failure = Run::read(&lines).err().unwrap();
    assert_eq!(failure.to_string(), "`dockwarden` has 1 of 2 rounds of `cpu_us` in trial `ping`");
    assert!(Run::read("").is_err());
}
