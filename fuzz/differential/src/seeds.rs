//! Writes the recorded requests as seeds for the fuzz targets: a folder a target, a file a seed.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use differential::recorded::{Recorded, Sent, unpacked};
use docker::body::base64;
use docker::buildkit::message::bridge::SolveResponse;
use docker::buildkit::wire::{Strictness, framed, read};
use serde_json::Value;

/// The seeds of the fuzz targets. What a target reads first, its file in `fuzz/fuzz_targets` says.
pub fn write(recorded: &Recorded, folder: &Path) -> io::Result<()> {
    let path = |sent: &Sent| sent.target.split('?').next().unwrap_or_default().as_bytes().to_vec();
    let query =
        |sent: &Sent| sent.target.split_once('?').map(|(_, query)| query.as_bytes().to_vec()).unwrap_or_default();
    let sent = &recorded.sent;
    let named = |sent: &&Sent| !sent.method.is_empty();
    save(folder, "head", sent.iter().map(|sent| sent.raw.clone()))?;
    save(folder, "path", sent.iter().filter(named).map(path))?;
    save(folder, "query", sent.iter().filter(named).map(query))?;
    let bodies = recorded.bodies();
    save(folder, "json", bodies.iter().map(|(_, body)| body.clone()))?;
    let creates = bodies.iter().filter(|(operation, _)| operation == "ContainerCreate");
    save(folder, "create", creates.clone().map(|(_, body)| body.clone()))?;
    let request = |sent: &Sent| [sent.method.as_bytes(), b" ", sent.target.as_bytes(), b"\n", &sent.body].concat();
    save(folder, "request", sent.iter().filter(named).map(request))?;
    let images = creates.filter_map(|(_, body)| {
        let body: Value = serde_json::from_slice(body).ok()?;
        Some(body.get("Image")?.as_str()?.as_bytes().to_vec())
    });
    save(folder, "reference", images)?;
    let chunked = sent.iter().map(|sent| {
        let body = &sent.body[..sent.body.len().min(200)];
        [format!("{:x}\r\n", body.len()).as_bytes(), body, b"\r\n0\r\n\r\n"].concat()
    });
    save(folder, "chunks", chunked)?;
    save(folder, "response", RESPONSES.iter().map(|response| response.as_bytes().to_vec()))
}

/// The same of recorded conversations with BuildKit.
pub fn conversations(file: &Path, folder: &Path) -> io::Result<()> {
    let (mut frames, mut solves, mut operations, mut packets) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for line in unpacked(file)?.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let line: Value = serde_json::from_slice(line)?;
        let text = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default();
        let message = base64::decode(text("message").as_bytes()).unwrap_or_default();
        let frame = framed(&message).map_err(io::Error::other)?;
        frames.push([&[7][..], &frame].concat());
        let answer = line.get("answer").and_then(Value::as_bool) == Some(true);
        match (text("path"), answer) {
            ("/moby.buildkit.v1.Control/Solve", false) => solves.push([&[0, 0][..], &message].concat()),
            ("/moby.buildkit.v1.frontend.LLBBridge/Solve", false) => solves.push([&[1, 2][..], &message].concat()),
            ("/moby.buildkit.v1.frontend.LLBBridge/Solve", true) => {
                solves.push([&[5, 2][..], &message].concat());
                let answer: SolveResponse = read(&message, Strictness::Lenient).map_err(io::Error::other)?;
                let definition = answer.result.and_then(|result| result.one).and_then(|one| one.def);
                operations.extend(definition.into_iter().flat_map(|definition| definition.def));
            }
            _ => packets.push(frame),
        }
    }
    save(folder, "frames", frames.into_iter())?;
    save(folder, "solve", solves.into_iter())?;
    save(folder, "llb", operations.into_iter())?;
    save(folder, "diffcopy", packets.into_iter())
}

fn save(folder: &Path, target: &str, seeds: impl Iterator<Item = Vec<u8>>) -> io::Result<()> {
    let folder = folder.join(target);
    fs::create_dir_all(&folder)?;
    let seeds: BTreeSet<Vec<u8>> = seeds.filter(|seed| seed.len() <= 8192).collect();
    for (index, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("seed-{index:04}")), seed)?;
    }
    Ok(())
}

/// Heads of answers as the daemons write them.
const RESPONSES: &[&str] = &[
    "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.0 304 Not Modified\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 500 \r\nConnection: keep-alive, close\r\nContent-Length: 0\r\n\r\n",
];
