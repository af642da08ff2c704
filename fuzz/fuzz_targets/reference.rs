//! Names of images: what is printed is read as the same name.
#![no_main]

use docker::image::Reference;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(name) = Reference::parse(text) else { return };
    assert_eq!(Reference::parse(&name.to_string()).as_ref(), Ok(&name), "the full form is another name");
    assert_eq!(Reference::parse(&name.familiar()).as_ref(), Ok(&name), "the short form is another name");
});
