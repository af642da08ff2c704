//! `bench report`: the lines of a run, one result each, as one table or as JSON.
//!
//! Each quantity is the median of its rounds. Contenders are compared only inside the run, round beside
//! round on the same machine; a round that is missing for somebody is an error, not a smaller sample.

mod quantities;
mod table;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::failure::Failure;
use quantities::{QUANTITIES, Quantity};

/// Who is measured, in the order of the columns.
const CONTENDERS: [&str; 3] = ["none", "haproxy", "dockwarden"];
/// Who is compared with whom.
const RATIOS: [(&str, &str); 3] = [("dockwarden", "haproxy"), ("dockwarden", "none"), ("haproxy", "none")];

/// Everything that one run measured.
struct Run {
    contenders: Vec<&'static str>,
    rounds: usize,
    rows: Vec<Row>,
}

/// One quantity of one trial.
struct Row {
    trial: String,
    title: String,
    quantity: &'static Quantity,
    /// By contender, one value a round.
    values: BTreeMap<String, Vec<f64>>,
}

/// Prints the results of a run.
pub fn run(arguments: &Arguments) -> Result<String, Failure> {
    let results = read_file(&arguments.required::<String>("results")?)?;
    let decide = arguments.optional::<String>("decide")?.map(|file| read_file(&file)).transpose()?;
    let run = Run::read(&results)?;
    match arguments.optional::<String>("format")?.as_deref() {
        None | Some("table") => Ok(table::print(&run, decide.as_deref())),
        Some("json") => Ok(run.json(decide.as_deref()).to_string()),
        Some(other) => Err(Failure::Usage(format!("--format is table or json, not `{other}`"))),
    }
}

fn read_file(path: &str) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(Failure::during(format!("cannot read {path}")))
}

impl Run {
    /// Lines of `{"contender", "trial", "title", "result": {quantity: number}}`.
    fn read(lines: &str) -> Result<Self, Failure> {
        let mut rows: Vec<Row> = Vec::new();
        for line in lines.lines() {
            let line: Value = serde_json::from_str(line).map_err(Failure::during(format!("not a result: `{line}`")))?;
            let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default();
            for quantity in QUANTITIES {
                let Some(value) = line.pointer(&format!("/result/{}", quantity.key)).and_then(Value::as_f64) else {
                    continue;
                };
                let row = row_of(&mut rows, text("trial"), text("title"), quantity);
                row.values.entry(text("contender").to_owned()).or_default().push(value);
            }
        }
        // A contender without a process of its own has fewer quantities: bring each trial's together again.
        let trials = distinct(&rows);
        rows.sort_by_key(|row| (trials.iter().position(|trial| *trial == row.trial), row.quantity.place()));
        let took_part = |who: &&str| rows.iter().any(|row| row.values.contains_key(*who));
        let contenders = CONTENDERS.into_iter().filter(took_part).collect();
        let rounds = rows.iter().flat_map(|row| row.values.values()).map(Vec::len).max().unwrap_or(0);
        Self { contenders, rounds, rows }.checked()
    }

    fn checked(self) -> Result<Self, Failure> {
        if self.rows.is_empty() {
            return Err(Failure::trial("nothing was measured"));
        }
        for row in &self.rows {
            for (who, values) in &row.values {
                if values.len() != self.rounds {
                    let (got, of, trial, key) = (values.len(), self.rounds, &row.trial, row.quantity.key);
                    return Err(Failure::trial(format!(
                        "`{who}` has {got} of {of} rounds of `{key}` in trial `{trial}`"
                    )));
                }
            }
        }
        Ok(self)
    }

    /// The most CPU that anything else used beside a contender, in percent of a core.
    fn noise(&self) -> f64 {
        let rows = self.rows.iter().filter(|row| row.quantity.key == "others_percent");
        rows.flat_map(|row| self.contenders.iter().filter_map(|who| row.median(who))).fold(0.0, f64::max)
    }

    fn json(&self, decide: Option<&str>) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(|row| row.json(&self.contenders)).collect();
        let decide = decide.map(|text| text.lines().collect::<Vec<_>>());
        json!({ "rounds": self.rounds, "contenders": self.contenders, "rows": rows, "decide": decide })
    }
}

/// The trials in the order in which they were carried out.
fn distinct(rows: &[Row]) -> Vec<String> {
    let mut trials: Vec<String> = Vec::new();
    for row in rows {
        if !trials.contains(&row.trial) {
            trials.push(row.trial.clone());
        }
    }
    trials
}

fn row_of<'a>(rows: &'a mut Vec<Row>, trial: &str, title: &str, quantity: &'static Quantity) -> &'a mut Row {
    let known = rows.iter().position(|row| row.trial == trial && row.quantity.key == quantity.key);
    let place = known.unwrap_or(rows.len());
    if known.is_none() {
        rows.push(Row { trial: trial.to_owned(), title: title.to_owned(), quantity, values: BTreeMap::new() });
    }
    #[expect(clippy::indexing_slicing, reason = "found or pushed just above")]
    &mut rows[place]
}

impl Row {
    /// Median of the rounds.
    fn median(&self, who: &str) -> Option<f64> {
        let mut values = self.values.get(who)?.clone();
        values.sort_by(f64::total_cmp);
        let upper = values.get(values.len() / 2)?;
        let lower = values.get((values.len() - 1) / 2)?;
        Some(f64::midpoint(*lower, *upper))
    }

    /// How many times as much `who` has as `other`.
    fn ratio(&self, who: &str, other: &str) -> Option<f64> {
        let other = self.median(other).filter(|value| *value > 0.0)?;
        Some(self.median(who)? / other)
    }

    fn json(&self, contenders: &[&str]) -> Value {
        let medians: BTreeMap<_, _> = contenders.iter().map(|who| (*who, self.median(who))).collect();
        let ratios: BTreeMap<_, _> = RATIOS
            .iter()
            .filter_map(|(who, other)| Some((format!("{who}/{other}"), self.ratio(who, other)?)))
            .collect();
        json!({
            "trial": self.trial,
            "title": self.title,
            "quantity": self.quantity.key,
            "unit": self.quantity.unit,
            "median": medians,
            "rounds": self.values,
            "ratio": ratios,
        })
    }
}

#[cfg(test)]
mod tests;
