//! The parts of the benchmark that a shell cannot do well. Each subcommand carries out one trial and
//! prints its result as one line of JSON; `report` turns the lines of a whole run into a table.
//! Nothing here starts or stops a proxy: `bench/run` does, and says which process is measured.

mod arguments;
mod failure;
mod http;
mod load;
mod machine;
mod meters;
mod os;
mod percentile;
mod process;
mod ready;
mod report;
mod stream_idle;
mod stream_pull;
mod stream_serve;
mod takeover;

use std::process::ExitCode;

use arguments::Arguments;
use failure::Failure;

const USAGE: &str = "\
usage: bench COMMAND [--NAME VALUE]...
  ready         --socket S --pid P                   wait until S answers GET /_ping
  load          --socket S --path P --rate N --seconds N --connections N --expect STATUS
                [--method M] [--body FILE] [--pid P] [--upstream-pid P]
  memory        --pid P
  stream-serve  --socket S                           upstream that answers attach with 101
  stream-pull   --socket S --bytes N [--pid P]
  stream-idle   --socket S --connections N --pid P
  report        --results FILE [--decide FILE] [--format table|json]";

const WRONG_USAGE: u8 = 64;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let outcome = Arguments::parse(words).and_then(|arguments| carry_out(&command, &arguments));
    match outcome {
        Ok(output) => {
            println!("{output}");
            ExitCode::SUCCESS
        }
        Err(Failure::Usage(message)) => {
            eprintln!("bench: {message}\n{USAGE}");
            ExitCode::from(WRONG_USAGE)
        }
        Err(failure) => {
            eprintln!("bench {command}: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn carry_out(command: &str, arguments: &Arguments) -> Result<String, Failure> {
    match command {
        "ready" => ready::run(arguments),
        "load" => load::run(arguments),
        "memory" => process::run_memory(arguments),
        "stream-serve" => stream_serve::run(arguments),
        "stream-pull" => stream_pull::run(arguments),
        "stream-idle" => stream_idle::run(arguments),
        "report" => report::run(arguments),
        other => Err(Failure::Usage(format!("no such command: `{other}`"))),
    }
}
