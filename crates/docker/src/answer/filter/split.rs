//! Takes an answer apart while it passes: one thing at a time, in whatever pieces the bytes come.
//!
//! What is written is written by us, but for things that are given back as they were. So commas and members are where
//! they belong whatever is left out, and what stands between things in the daemon's answer does not matter.

use super::shape::{Item, Shape};
use super::tree::Tree;

/// The largest thing that is read, in bytes. The configuration of a swarm holds 500 KiB; labels and environment of a
/// container are bound by the body that made it.
pub const MOST_ITEM: usize = 16 << 20;
/// The longest name of a member, in bytes.
const MOST_KEY: usize = 256;

/// An answer that does not have the form that it should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the daemon's answer cannot be filtered: {0}")]
pub struct Malformed(pub &'static str);

/// A thing that was read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// What it is.
    pub item: Item,
    /// As it came.
    pub bytes: Vec<u8>,
}

/// An answer on its way.
#[derive(Debug)]
pub struct Split {
    state: State,
    frames: Vec<Frame>,
    scan: Scan,
    /// What is being read whole.
    held: Vec<u8>,
    input: Vec<u8>,
    at: usize,
    out: Vec<u8>,
    stream: Option<&'static Shape>,
}

/// What may come next.
#[derive(Debug, Clone, Copy)]
enum State {
    /// A value of this form.
    Value(&'static Shape),
    /// The first value of a list, or its end.
    First(&'static Shape),
    /// The rest of a value that is read whole.
    Within(Held),
    /// A comma or the end of what the value is in.
    After,
    /// The name of a member, or the end of an object without any.
    Key { first: bool },
    /// A colon, and then a value of this form.
    Colon(&'static Shape),
}

/// What is being read whole.
#[derive(Debug, Clone, Copy)]
enum Held {
    Item(Item),
    Plain,
    Null,
    Key,
    Unknown,
}

/// A list or object that is open.
#[derive(Debug)]
struct Frame {
    of: Of,
    /// Whether something was written into it, so that a comma comes before the next.
    written: bool,
    /// The name of the member whose value comes, as it is written.
    key: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum Of {
    List(&'static Shape),
    Members(&'static [(&'static str, Shape)]),
}

impl Split {
    /// For an answer of that form.
    pub fn new(shape: &'static Shape) -> Split {
        Split {
            state: State::Value(shape),
            frames: Vec::new(),
            scan: Scan::default(),
            held: Vec::new(),
            input: Vec::new(),
            at: 0,
            out: Vec::new(),
            stream: matches!(shape, Shape::Stream(_)).then_some(shape),
        }
    }

    /// Takes a piece of the answer.
    pub fn feed(&mut self, piece: &[u8]) {
        self.input.drain(..self.at.min(self.input.len()));
        self.at = 0;
        self.input.extend_from_slice(piece);
    }

    /// The next thing, once it is there whole. Unless it is [`put`](Split::put) before the next is asked for, it is
    /// left out.
    pub fn next_item(&mut self) -> Result<Option<Whole>, Malformed> {
        while let Some(byte) = self.input.get(self.at).copied() {
            let (taken, whole) = self.step(byte)?;
            self.at = self.at.saturating_add(usize::from(taken));
            if whole.is_some() {
                return Ok(whole);
            }
        }
        Ok(None)
    }

    /// Writes the thing that came last, as it may be shown.
    pub fn put(&mut self, bytes: &[u8]) {
        self.before_value();
        self.out.extend_from_slice(bytes);
        if self.stream.is_some() {
            self.out.push(b'\n');
        }
    }

    /// How many bytes are held of the answer.
    pub fn held(&self) -> usize {
        self.held.capacity().saturating_add(self.out.capacity())
    }

    /// What is ready to be passed on.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// The answer has ended: whether it was whole.
    pub fn finish(&mut self) -> Result<(), Malformed> {
        // A number or `null` alone ends with the answer.
        if let State::Within(held @ (Held::Null | Held::Plain)) = self.state
            && self.scan.scalar
        {
            self.complete(held)?;
        }
        match (self.state, self.stream) {
            (State::Value(Shape::Stream(_)), Some(_)) => Ok(()),
            (State::After, None) if self.frames.is_empty() => {
                self.out.push(b'\n');
                Ok(())
            }
            _ => Err(Malformed("it breaks off")),
        }
    }

    /// Whether the byte was used up, and the thing that ended with it.
    fn step(&mut self, byte: u8) -> Result<(bool, Option<Whole>), Malformed> {
        if let State::Within(held) = self.state {
            return self.within(held, byte);
        }
        if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            return Ok((true, None));
        }
        match (self.state, self.frames.last().map(|frame| frame.of)) {
            (State::First(_), _) if byte == b']' => self.close(byte),
            (State::First(of), _) => {
                self.state = State::Value(of);
                return Ok((false, None));
            }
            (State::Value(shape), _) => self.begin(shape, byte)?,
            (State::After, Some(Of::List(of))) if byte == b',' => self.state = State::Value(of),
            (State::After, Some(Of::List(_))) if byte == b']' => self.close(byte),
            (State::After, Some(Of::Members(_))) if byte == b',' => self.state = State::Key { first: false },
            (State::After, Some(Of::Members(_))) if byte == b'}' => self.close(byte),
            (State::Key { first: true }, _) if byte == b'}' => self.close(byte),
            (State::Key { .. }, _) if byte == b'"' => self.hold(Held::Key, byte),
            (State::Colon(shape), _) if byte == b':' => self.state = State::Value(shape),
            _ => return Err(Malformed("it is not the JSON that it should be")),
        }
        Ok((true, None))
    }

    fn begin(&mut self, shape: &'static Shape, byte: u8) -> Result<(), Malformed> {
        match (shape, byte) {
            (Shape::List(of), b'[') => {
                self.open(Of::List(of), byte);
                self.state = State::First(of);
            }
            (Shape::Members(of), b'{') => {
                self.open(Of::Members(of), byte);
                self.state = State::Key { first: true };
            }
            (Shape::List(_) | Shape::Members(_), b'n') => self.hold(Held::Null, byte),
            (Shape::Item(item) | Shape::Stream(item), b'{') => self.hold(Held::Item(*item), byte),
            (Shape::Plain, b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => self.hold(Held::Plain, byte),
            (Shape::Unknown, _) => self.hold(Held::Unknown, byte),
            _ => return Err(Malformed("it holds something else than it should")),
        }
        Ok(())
    }

    fn hold(&mut self, held: Held, byte: u8) {
        self.held.clear();
        self.held.push(byte);
        self.scan = Scan::begin(byte);
        self.state = State::Within(held);
    }

    fn within(&mut self, held: Held, byte: u8) -> Result<(bool, Option<Whole>), Malformed> {
        let step = self.scan.advance(byte);
        if step == Step::Before {
            return Ok((false, self.complete(held)?));
        }
        let most = if matches!(held, Held::Key) { MOST_KEY } else { MOST_ITEM };
        match held {
            Held::Unknown => {}
            _ if self.held.len() >= most => return Err(Malformed("something in it is too large")),
            _ => self.held.push(byte),
        }
        let whole = if step == Step::Last { self.complete(held)? } else { None };
        Ok((true, whole))
    }

    /// What was held is whole.
    fn complete(&mut self, held: Held) -> Result<Option<Whole>, Malformed> {
        let bytes = std::mem::take(&mut self.held);
        self.state = self.stream.map_or(State::After, State::Value);
        match held {
            Held::Item(item) => return Ok(Some(Whole { item, bytes })),
            Held::Unknown => {}
            Held::Null if bytes != b"null" => return Err(Malformed("it holds something else than it should")),
            Held::Null | Held::Plain => {
                Tree::read(&bytes)?;
                self.before_value();
                self.out.extend_from_slice(&bytes);
            }
            Held::Key => {
                let Tree::Text(name) = Tree::read(&bytes)? else { return Err(Malformed("a member has no name")) };
                let Some(Frame { of: Of::Members(known), key, .. }) = self.frames.last_mut() else {
                    return Err(Malformed("a member is outside of an object"));
                };
                let shape = known.iter().find(|(known, _)| *known == name).map(|(_, shape)| shape);
                *key = bytes;
                self.state = State::Colon(shape.unwrap_or(&Shape::Unknown));
            }
        }
        Ok(None)
    }

    fn open(&mut self, of: Of, byte: u8) {
        self.before_value();
        self.out.push(byte);
        self.frames.push(Frame { of, written: false, key: Vec::new() });
    }

    fn close(&mut self, byte: u8) {
        self.frames.pop();
        self.out.push(byte);
        self.state = State::After;
    }

    /// The comma before a value, where one is needed, and its name.
    fn before_value(&mut self) {
        let Some(frame) = self.frames.last_mut() else { return };
        if frame.written {
            self.out.push(b',');
        }
        frame.written = true;
        if matches!(frame.of, Of::Members(_)) {
            self.out.append(&mut frame.key);
            self.out.push(b':');
        }
    }
}

/// Where a value ends.
#[derive(Debug, Default)]
struct Scan {
    depth: u32,
    text: bool,
    escaped: bool,
    /// A number, `true`, `false` or `null`: it ends with what follows.
    scalar: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Within,
    /// The value ends with this byte.
    Last,
    /// It ended before.
    Before,
}

impl Scan {
    fn begin(byte: u8) -> Scan {
        let depth = u32::from(matches!(byte, b'{' | b'['));
        let text = byte == b'"';
        Scan { depth, text, escaped: false, scalar: depth == 0 && !text }
    }

    fn advance(&mut self, byte: u8) -> Step {
        if self.scalar {
            let part = byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
            return if part { Step::Within } else { Step::Before };
        }
        if self.text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.text = false,
                _ => {}
            }
        } else {
            match byte {
                b'"' => self.text = true,
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        if self.depth == 0 && !self.text { Step::Last } else { Step::Within }
    }
}
