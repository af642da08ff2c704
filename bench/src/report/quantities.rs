//! What is measured, in the order of the table. A key that is not here is not reported.

/// A measured quantity.
pub struct Quantity {
    /// Its name in a trial's result.
    pub key: &'static str,
    /// Its name for readers.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Digits after the point.
    pub digits: usize,
}

const fn quantity(key: &'static str, name: &'static str, unit: &'static str, digits: usize) -> Quantity {
    Quantity { key, name, unit, digits }
}

impl Quantity {
    /// Its place in the order of the table.
    pub fn place(&self) -> Option<usize> {
        QUANTITIES.iter().position(|other| other.key == self.key)
    }
}

/// All of them.
pub const QUANTITIES: &[Quantity] = &[
    quantity("cpu_us", "CPU of the proxy", "µs/request", 1),
    quantity("upstream_cpu_us", "CPU of the upstream", "µs/request", 1),
    quantity("p50_us", "latency p50", "µs", 0),
    quantity("p99_us", "latency p99", "µs", 0),
    quantity("p99_9_us", "latency p99.9", "µs", 0),
    quantity("others_percent", "CPU of others (noise)", "% of a core", 0),
    quantity("resident_kib", "resident memory", "KiB", 0),
    quantity("gb_per_second", "speed", "GB/s", 2),
    quantity("cpu_s_per_gb", "CPU of the proxy", "s/GB", 3),
    quantity("kib_each", "memory", "KiB/stream", 2),
];
