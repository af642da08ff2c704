//! Known holes of daemons by which what a firewall or the daemon refuses is done after all. The table is that of docs/doctor.md,
//! with the public references; only such are in it whose fixed versions their records name.

use super::finding::{Finding, Severity};
use super::host::Host;

/// A hole.
pub struct Hole {
    /// Its number.
    pub cve: &'static str,
    /// Whom it concerns, and what it does.
    pub what: &'static str,
    /// The versions that have it: from the first to the last, both included.
    pub versions: &'static [(Version, Version)],
    /// What to go to.
    pub fixed: &'static str,
    /// Whether it matters on a host.
    matters: fn(&Host) -> bool,
}

/// A version of the daemon: its three numbers.
pub type Version = (u32, u32, u32);

/// Looks at the daemon's version.
pub fn check(host: &Host, found: &mut Vec<Finding>) {
    let Ok(daemon) = &host.daemon else { return };
    let Some(version) = version(&daemon.version) else { return };
    let packager = Packager::of(host, &daemon.version);
    let concerns = |hole: &&Hole| hole.concerns(version) && (hole.matters)(host) && !packager.fixed(hole.cve);
    let open: Vec<&Hole> = HOLES.iter().filter(concerns).collect();
    let many = if open.len() == 1 { "a known hole".to_owned() } else { format!("{} known holes", open.len()) };
    let mut finding = Finding::new("known-holes", Severity::Warning, format!("Docker {} has {many}", daemon.version))
        .benchmark("1.2.2")
        .why("By these, what is refused to a user or a container is done after all. docs/doctor.md has the references.")
        .remedy(match packager {
            Packager::Nobody => "Update Docker.",
            Packager::Silent => {
                "Update Docker. A distribution may have mended them under the old number: the list of changes of its package, \
                 which is not on this host, says so."
            }
            Packager::Says(_) => "Update Docker. The distribution's list of changes on this host does not name them.",
        });
    for hole in &open {
        finding = finding.saw(format!("{}, fixed in {}: {}", hole.cve, hole.fixed, hole.what), None);
    }
    if !open.is_empty() {
        found.push(finding);
    }
}

impl Hole {
    /// Whether a version has it.
    fn concerns(&self, version: Version) -> bool {
        self.versions.iter().any(|(first, last)| (*first..=*last).contains(&version))
    }
}

/// Who packed the daemon, and may have mended it under the old number.
enum Packager {
    /// Its makers.
    Nobody,
    /// A distribution, whose list of changes is not here.
    Silent,
    /// A distribution; its list of changes.
    Says(String),
}

impl Packager {
    fn of(host: &Host, version: &str) -> Packager {
        if !version.contains(['+', '~']) && !version.contains("ubuntu") {
            return Packager::Nobody;
        }
        host.root.unpacked(CHANGES).map_or(Packager::Silent, Packager::Says)
    }

    fn fixed(&self, cve: &str) -> bool {
        matches!(self, Packager::Says(changes) if changes.contains(cve))
    }
}

/// The numbers of a version; `None` of what is none, as development builds have it.
fn version(text: &str) -> Option<Version> {
    let numbers = text.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
    let mut numbers = numbers.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next().unwrap_or(Ok(0)).ok()?))
}

fn always(_: &Host) -> bool {
    true
}

fn asks_plugins(host: &Host) -> bool {
    !host.plugins.is_empty()
}

fn remaps(host: &Host) -> bool {
    super::userns::remapped(host).is_some()
}

fn verifies_clients(host: &Host) -> bool {
    host.settings.is_on("tlsverify") == Some(true)
}

/// What a distribution changed of the package.
const CHANGES: &str = "/usr/share/doc/docker.io/changelog.Debian.gz";

const FIRST: Version = (0, 0, 0);

/// All of them; docs/doctor.md says where each is described.
pub const HOLES: &[Hole] = &[
    Hole {
        cve: "CVE-2026-34040",
        what: "A request whose body is longer than 1 MiB is done without authorization plugins having seen the body. Dockwarden's \
               plugin refuses what it is not shown; others may not.",
        versions: &[(FIRST, (25, 0, 15)), ((26, 0, 0), (29, 3, 0))],
        fixed: "29.3.1 (or 25.0.16)",
        matters: asks_plugins,
    },
    Hole {
        cve: "CVE-2024-41110",
        what: "A request that says Content-Length: 0 and has a body is done without authorization plugins having seen the body. \
               Dockwarden's plugin refuses what it is not shown; others may not.",
        versions: &[
            (FIRST, (18, 9, 0)),
            ((19, 3, 0), (19, 3, 15)),
            ((20, 0, 0), (20, 10, 27)),
            ((23, 0, 0), (23, 0, 14)),
            ((24, 0, 0), (24, 0, 9)),
            ((25, 0, 0), (25, 0, 5)),
            ((26, 0, 0), (26, 0, 2)),
            ((26, 1, 0), (26, 1, 4)),
            ((27, 0, 0), (27, 1, 0)),
        ],
        fixed: "27.1.1 (or 26.1.5, 25.0.6)",
        matters: asks_plugins,
    },
    Hole {
        cve: "CVE-2026-33997",
        what: "A managed plugin gets other privileges at its installation than were agreed to.",
        versions: &[(FIRST, (29, 3, 0))],
        fixed: "29.3.1",
        matters: always,
    },
    Hole {
        cve: "CVE-2026-41567",
        what: "Who copies a packed archive into a container (docker cp -) has a program of the container's image run as root on the host.",
        versions: &[(FIRST, (29, 5, 0))],
        fixed: "29.5.1",
        matters: always,
    },
    Hole {
        cve: "CVE-2026-42306",
        what: "A container that wins a race against docker cp has a mount land on a path of the host.",
        versions: &[(FIRST, (29, 5, 0))],
        fixed: "29.5.1",
        matters: always,
    },
    Hole {
        cve: "CVE-2021-21284",
        what: "With userns-remap, the remapped root of a container that reaches the host's files becomes the host's root.",
        versions: &[(FIRST, (19, 3, 14)), ((20, 10, 0), (20, 10, 2))],
        fixed: "20.10.3 (or 19.03.15)",
        matters: remaps,
    },
    Hole {
        cve: "CVE-2019-14271",
        what: "docker cp out of a container whose image is hostile runs the image's code as root on the host.",
        versions: &[((19, 3, 0), (19, 3, 0))],
        fixed: "19.03.1",
        matters: always,
    },
    Hole {
        cve: "CVE-2018-12608",
        what: "With tlsverify, a client's certificate is taken of any authority that the host trusts, not only of the one configured.",
        versions: &[(FIRST, (17, 5, 999))],
        fixed: "17.06.0",
        matters: verifies_clients,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_they_are_written() {
        for (text, expected) in [
            ("20.10.24+dfsg1", Some((20, 10, 24))),
            ("18.09.1", Some((18, 9, 1))),
            ("28.5.2", Some((28, 5, 2))),
            ("29.0", Some((29, 0, 0))),
            ("24.0.7-rc.1", Some((24, 0, 7))),
            ("dev", None),
            ("", None),
        ] {
            assert_eq!(version(text), expected, "{text}");
        }
    }

    #[test]
    fn fixed_versions_are_not_concerned() {
        let open = |text: &str| -> Vec<&str> {
            let version = version(text).unwrap();
            HOLES.iter().filter(|hole| hole.concerns(version)).map(|hole| hole.cve).collect()
        };
        assert_eq!(open("29.5.1"), Vec::<&str>::new());
        assert_eq!(open("29.3.1"), ["CVE-2026-41567", "CVE-2026-42306"]);
        assert!(!open("25.0.16").contains(&"CVE-2026-34040") && open("25.0.15").contains(&"CVE-2026-34040"));
        for (broken, mended) in
            [("18.09.0", "18.09.1"), ("27.1.0", "27.1.1"), ("26.1.4", "26.1.5"), ("25.0.5", "25.0.6")]
        {
            assert!(open(broken).contains(&"CVE-2024-41110"), "{broken}");
            assert!(!open(mended).contains(&"CVE-2024-41110"), "{mended}");
        }
        assert!(open("19.03.0").contains(&"CVE-2019-14271") && !open("19.03.1").contains(&"CVE-2019-14271"));
        assert!(open("20.10.2").contains(&"CVE-2021-21284") && !open("20.10.3").contains(&"CVE-2021-21284"));
        assert!(open("17.05.0").contains(&"CVE-2018-12608") && !open("17.06.0").contains(&"CVE-2018-12608"));
    }

    /// The page says the same.
    #[test]
    fn the_page_has_every_hole_with_its_fixed_version() {
        let page = include_str!("../../../../docs/doctor.md");
        for hole in HOLES {
            let row = page.lines().find(|line| line.starts_with(&format!("| {} |", hole.cve)));
            assert!(row.is_some_and(|row| row.contains(hole.fixed)), "docs/doctor.md: {} {}", hole.cve, hole.fixed);
        }
    }
}
