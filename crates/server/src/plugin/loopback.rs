//! Who connects to a port of this host's loopback: its processes see one another's sockets, so the kernel says whose they are.
//!
//! Without it every user could ask what only the daemon is to ask, and tell of things that were made, and so become their
//! owner. A socket that was closed again is nobody's any more, or root's, by the kernel's word: so only one that is still
//! connected counts.

use std::net::{Ipv4Addr, SocketAddrV4};

/// The users whose processes hold the sockets at that end, as far as they are connected.
pub(super) async fn users(end: SocketAddrV4) -> std::io::Result<Vec<u32>> {
    let sockets = tokio::fs::read_to_string("/proc/net/tcp").await?;
    Ok(sockets.lines().filter_map(|line| user(line, end)).collect())
}

/// The user of a line, where it is of a connected socket at that end.
fn user(line: &str, end: SocketAddrV4) -> Option<u32> {
    let mut fields = line.split_whitespace().skip(1);
    let (local, state) = (fields.next()?, fields.nth(1)?);
    let (uid, inode) = (fields.nth(3)?, fields.nth(1)?);
    let here = state == ESTABLISHED && inode != "0" && address(local)? == end;
    here.then(|| uid.parse().ok()).flatten()
}

/// `0100007F:1F90`: the address as the number that it is in memory, then the port.
fn address(text: &str) -> Option<SocketAddrV4> {
    let (address, port) = text.split_once(':')?;
    let address = u32::from_str_radix(address, 16).ok()?;
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(SocketAddrV4::new(Ipv4Addr::from(address.to_ne_bytes()), port))
}

const ESTABLISHED: &str = "01";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_connected_sockets_at_that_end_count() {
        let end = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0x1f90);
        let local = format!("{:08X}", u32::from_ne_bytes([127, 0, 0, 1]));
        let line = |local: &str, state: &str, uid: &str, inode: &str| {
            format!(
                "   0: {local} 0100007F:0016 {state} 00000000:00000000 00:00000000 00000000  {uid}        0 {inode} 1 0 20 4 30 10 -1"
            )
        };
        assert_eq!(user(&line(&format!("{local}:1F90"), "01", "1000", "4711"), end), Some(1000));
        assert_eq!(user(&line(&format!("{local}:1F91"), "01", "1000", "4711"), end), None);
        assert_eq!(user(&line(&format!("{local}:1F90"), "06", "0", "0"), end), None);
        assert_eq!(user(&line(&format!("{local}:1F90"), "05", "0", "0"), end), None);
        assert_eq!(user(&line(&format!("{local}:1F90"), "01", "0", "0"), end), None);
        assert_eq!(
            user("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid", end),
            None
        );
        assert_eq!(user("", end), None);
    }

    #[tokio::test]
    async fn the_kernel_says_who_connected() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (_stream, std::net::SocketAddr::V4(peer)) = listener.accept().await.unwrap() else { panic!("IPv6") };
        let me = rustix::process::geteuid().as_raw();
        assert_eq!(users(peer).await.unwrap(), [me]);
        drop(client);
        assert!(users(peer).await.unwrap().is_empty());
    }
}
