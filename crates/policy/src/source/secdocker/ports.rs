//! `ports:`: ports of the host, `22`, `127.0.0.1:8080`, `[::1]:8080`, `8000-8010/udp`.

use std::net::IpAddr;

use super::super::cedar::quote;
use super::super::target::Target;
use super::restrictions::Misread;

/// An entry of the list.
struct Port {
    address: Option<IpAddr>,
    first: u16,
    last: u16,
    protocol: Option<String>,
}

/// A port in a range is blocked, and the range that it is in. With an address only there, which is also where a container
/// takes the port on all addresses.
pub(super) fn targets(text: &str) -> Result<Vec<Target>, Misread> {
    let Port { address, first, last, protocol } = read(text).ok_or_else(|| {
        Misread::new(format!("`{text}` is no port"), "such as `22`, `8000-8010/udp` or `127.0.0.1:8080`")
    })?;
    let of_protocol = protocol.as_ref().map(|protocol| format!("resource.protocol == {}", quote(protocol)));
    let there = address.map(at);
    let overlap = format!("resource.first <= {last} && resource.last >= {first}");
    // A free port is the daemon's choice; whoever asks often enough gets each of these.
    let taken = if last >= FIRST_FREE { format!("(resource.first == 0) || ({overlap})") } else { overlap };
    let conditions = [Some(taken), of_protocol, there].into_iter().flatten();
    let published = conditions.fold(Target::action("publishPort"), Target::when);
    let all = (last >= FIRST_FREE).then(|| Target::action("publishAllPorts"));
    Ok([published].into_iter().chain(all).collect())
}

/// That a port is taken at this address, by that very address or by one that stands for all.
fn at(address: IpAddr) -> String {
    let taken = ["0.0.0.0".to_owned(), "::".to_owned(), address.to_string()];
    let taken = taken.map(|address| format!("ip({})", quote(&address)));
    format!("if resource has address then [{}].contains(resource.address) else true", taken.join(", "))
}

fn read(text: &str) -> Option<Port> {
    let (text, protocol) = match text.split_once('/') {
        Some((text, protocol)) => (text, Some(protocol.to_ascii_lowercase())),
        None => (text, None),
    };
    if protocol.as_ref().is_some_and(|protocol| !["tcp", "udp", "sctp"].contains(&protocol.as_str())) {
        return None;
    }
    let (address, ports) = match text.rsplit_once(':') {
        Some((address, ports)) => {
            let bare = address.strip_prefix('[').and_then(|address| address.strip_suffix(']')).unwrap_or(address);
            (Some(bare.parse::<IpAddr>().ok()?.to_canonical()), ports)
        }
        None => (None, text),
    };
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let number = |text: &str| text.parse::<u16>().ok().filter(|number| *number > 0 && !text.starts_with('+'));
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some(Port { address, first, last, protocol })
}

/// From here on daemons choose where a port is left to them: swarms from 30000, others by the kernel's range.
const FIRST_FREE: u16 = 30_000;
