//! Queries: the canonical form has the same parameters in the same order.
#![no_main]

use docker::target::Query;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &str| {
    let Ok(query) = Query::parse(raw) else { return };
    let canonical = query.canonical();
    assert_eq!(Query::parse(&canonical).as_ref(), Ok(&query), "the canonical form means something else");
    for name in query.names() {
        let values = query.all(name).count();
        assert_eq!(query.one(name).is_ok(), values == 1, "a repeated parameter is one, or a single one is not");
    }
});
