//! Every bound on size, wait and count, in one place.
//!
//! An attacker will open thousands of connections, send a head one byte a second, or announce a body
//! that never comes. Whatever waits, grows or counts on behalf of a client is bounded by a field
//! here; the configuration may change it, nothing else may invent its own. Streams that have been
//! taken over (attach, exec) are not bounded in size: they are bounded in number.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The bounds. Times are wall-clock waits, sizes are bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest request or answer head, in bytes: 64 KiB. dockerd itself takes 1 MiB; no honest
    /// client comes near.
    pub head_bytes: usize,
    /// For the whole request head, from its first byte to its last: 10 s. Counted over the whole so
    /// that a byte a second cannot hold a slot.
    pub head_wait: Duration,
    /// Longest silence within a request body: 120 s; an archive may come down a slow pipe.
    pub body_silence: Duration,
    /// For the whole of a body that must be read before it can be judged: 60 s. Archives (image load,
    /// build context, files to copy) have more: `archive_wait`.
    pub judged_body_wait: Duration,
    /// Largest body that is read to be judged, in bytes: 16 MiB.
    pub judged_body_bytes: usize,
    /// All bodies together that are read to be judged at one time, in bytes: 256 MiB. Who finds no room waits. As much
    /// again is for things in answers that are being filtered; there, who finds no room has the answer broken off.
    pub judged_bodies_bytes: usize,
    /// The same of one subject, so that nobody can take them all: 64 MiB.
    pub judged_bodies_bytes_per_subject: usize,
    /// Largest archive that is received to be judged, in bytes: 16 GiB.
    pub archive_bytes: usize,
    /// All archives together that are stored at one time, in bytes: 64 GiB. Who finds no room is refused.
    pub archives_bytes: usize,
    /// The same of one subject, so that nobody can take them all: 32 GiB.
    pub archives_bytes_per_subject: usize,
    /// What storing archives leaves free on their disk, in bytes: 512 MiB.
    pub archive_free_bytes: usize,
    /// For the whole of an archive to arrive: 6 h, enough for the largest at 1 MB a second.
    pub archive_wait: Duration,
    /// What must come of an archive, in bytes for each second that its client is waited for, counted over `body_silence`:
    /// 4 KiB. Who sends less holds room that others want.
    pub archive_rate: usize,
    /// Most bytes that come out of an archive when it is decompressed: 16 GiB.
    pub archive_unpacked_bytes: usize,
    /// How many bytes each compressed one may become, when more than 256 MiB have come out: 250.
    pub archive_ratio: usize,
    /// For looking into one archive: 10 min.
    pub archive_look_wait: Duration,
    /// Archives that are looked into at one time: 4. Each takes a thread and up to 20 MiB.
    pub archive_looks: usize,
    /// The same of one subject, so that nobody can take them all: 2.
    pub archive_looks_per_subject: usize,
    /// For fetching one image that a build starts from, before the build is judged: 30 min.
    pub fetch_wait: Duration,
    /// Images that others are asked about at one time, by `policy: { checks }`: 16. Who comes later waits.
    pub checks: usize,
    /// The same of one subject, so that nobody can take them all: 4.
    pub checks_per_subject: usize,
    /// How long a connection may stay open between two requests: 120 s.
    pub keep_alive: Duration,
    /// For a TLS handshake, from accept to end: 10 s.
    pub handshake_wait: Duration,
    /// For finding out who a peer is, name services included: 10 s.
    pub identify_wait: Duration,
    /// For connecting to the daemon, TLS included: 5 s.
    pub connect_wait: Duration,
    /// For looks at the daemon's own things that a request names, all that are asked for at once: 30 s.
    pub lookup_wait: Duration,
    /// The answers that are read at such looks, together, in bytes: 8 MiB.
    pub lookup_bytes: usize,
    /// From the end of a request to the head of the daemon's answer: none, because `wait`, `events`
    /// and `build` rightly answer after hours.
    pub answer_wait: Option<Duration>,
    /// Longest silence in both directions of a taken-over stream: none; an attached shell may rest
    /// over the weekend.
    pub stream_silence: Option<Duration>,
    /// Connections at one time, all doors together: 4096.
    pub connections: usize,
    /// Connections at one time of one subject, so that nobody can take them all: 1024.
    pub connections_per_subject: usize,
    /// BuildKit's tunnels at one time, and sessions within them: 1024. Each holds up to 2 MiB for who does not read.
    pub tunnels: usize,
    /// The same of one subject, so that nobody can take them all: 128.
    pub tunnels_per_subject: usize,
    /// Connections to the admin socket at one time: 16.
    pub admin_connections: usize,
    /// Temporary rules at one time: 100. Each is looked at in every question that it is about.
    pub temporary_rules: usize,
    /// The longest that a temporary rule may last: 30 days. What should last longer belongs into the configuration.
    pub temporary_time: Duration,
    /// At shutdown, how long running exchanges may take to end: 10 s.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 64 << 10,
            head_wait: Duration::from_secs(10),
            body_silence: Duration::from_secs(120),
            judged_body_wait: Duration::from_secs(60),
            judged_body_bytes: 16 << 20,
            judged_bodies_bytes: 256 << 20,
            judged_bodies_bytes_per_subject: 64 << 20,
            archive_bytes: 16 << 30,
            archives_bytes: 64 << 30,
            archives_bytes_per_subject: 32 << 30,
            archive_free_bytes: 512 << 20,
            archive_wait: Duration::from_secs(6 * 3600),
            archive_rate: 4 << 10,
            archive_unpacked_bytes: 16 << 30,
            archive_ratio: 250,
            archive_look_wait: Duration::from_secs(600),
            archive_looks: 4,
            archive_looks_per_subject: 2,
            fetch_wait: Duration::from_secs(1800),
            checks: 16,
            checks_per_subject: 4,
            keep_alive: Duration::from_secs(120),
            handshake_wait: Duration::from_secs(10),
            identify_wait: Duration::from_secs(10),
            connect_wait: Duration::from_secs(5),
            lookup_wait: Duration::from_secs(30),
            lookup_bytes: 8 << 20,
            answer_wait: None,
            stream_silence: None,
            connections: 4096,
            connections_per_subject: 1024,
            tunnels: 1024,
            tunnels_per_subject: 128,
            admin_connections: 16,
            temporary_rules: 100,
            temporary_time: Duration::from_secs(30 * 86_400),
            drain: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// Lets the process open as many files as the system grants it: a connection takes two, and many systems start
    /// services with 1024. Gives how many connections there is room for, when that is less than the limit.
    pub fn make_room(&self) -> Option<usize> {
        let granted = getrlimit(Resource::Nofile);
        // Refused only where nothing can be raised: then what there is is what counts.
        let raised = setrlimit(Resource::Nofile, Rlimit { current: granted.maximum, ..granted }).is_ok();
        let files = if raised { granted.maximum } else { granted.current };
        let room = usize::try_from(files?).unwrap_or(usize::MAX).saturating_sub(OTHER_FILES).wrapping_div(2);
        (room < self.connections).then_some(room)
    }
}

/// Files that are open beside connections: listeners, records, the runtime's own.
const OTHER_FILES: usize = 64;
