//! Answers that are filtered. The first byte chooses the operation, the second which things are left out; the rest is
//! the answer.
//!
//! In whatever pieces it comes, the same is passed on; that is JSON, and passes again as it is. What is hidden within a
//! thing is not found in it by looking again. Facts are told of anything without a panic.
#![no_main]

use docker::answer::filter::{
    Item, Malformed, Pattern, Redaction, Redactions, Split, Tree, keep_containers, keep_names, listed, names,
    neighbours, scrubbed, shape,
};
use docker::endpoint::ENDPOINTS;
use libfuzzer_sys::fuzz_target;

fn run(form: docker::answer::filter::Answered, bytes: &[u8], size: usize, keep: u8) -> Result<Vec<u8>, Malformed> {
    let mut split = Split::new(form.shape);
    let (mut out, mut count) = (Vec::new(), 0_u32);
    for piece in bytes.chunks(size) {
        split.feed(piece);
        while let Some(whole) = split.next_item()? {
            if keep & (1 << (count % 8)) != 0 && Tree::read(&whole.bytes).is_ok() {
                split.put(&whole.bytes);
            }
            count = count.wrapping_add(1);
        }
        out.extend(split.take());
    }
    split.finish()?;
    out.extend(split.take());
    Ok(out)
}

fn hide(item: Item, bytes: &[u8]) {
    let Ok(mut tree) = Tree::read(bytes) else { return };
    let pattern = |text| Pattern::of_names(text).expect("a pattern");
    let everything = Redactions(vec![Redaction {
        environment: vec![pattern("*a*")],
        labels: vec![pattern("*")],
        mounts: vec![Pattern::of_paths("/s").expect("a path")],
        configs: vec![pattern("*")],
        commands: true,
        join_tokens: true,
        credentials: true,
        ..Redaction::default()
    }]);
    everything.hide(item, &mut tree);
    let written = tree.write().expect("it can be written");
    let mut again = Tree::read(&written).expect("what is written can be read");
    assert_eq!(again, tree);
    everything.hide(item, &mut again);
    let twice = again.write().expect("it can be written");
    everything.hide(item, &mut again);
    assert_eq!(again.write().expect("it can be written"), twice, "it is never done");
    let _ = (names(&again).len(), neighbours(&again).len());
    keep_names(&mut again, |_| false);
    keep_containers(&mut again, |_| false);
    assert!(neighbours(&again).is_empty());
}

fuzz_target!(|bytes: &[u8]| {
    let forms: Vec<_> = ENDPOINTS.iter().filter_map(|endpoint| shape(endpoint.operation)).collect();
    let [chosen, keep, answer @ ..] = bytes else { return };
    let form = forms[usize::from(*chosen) % forms.len()];
    let whole = run(form, answer, answer.len().max(1), *keep);
    assert_eq!(run(form, answer, 1, *keep), whole);
    assert_eq!(run(form, answer, 7, *keep), whole);
    if let Ok(passed) = whole
        && passed.iter().any(|byte| !byte.is_ascii_whitespace())
    {
        assert_eq!(run(form, &passed, 3, 0xff).as_ref(), Ok(&passed), "what was passed on passes again");
    }
    for item in form.items {
        let _ = listed::resource(*item, answer);
        hide(*item, answer);
    }
    let _ = listed::event(answer);
    let text = String::from_utf8_lossy(answer);
    let shown = scrubbed(&text, "");
    assert_eq!(scrubbed(&shown, ""), shown);
});
