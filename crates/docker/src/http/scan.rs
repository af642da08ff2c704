//! Where a head ends: line discipline and limits, byte by byte, before anything is understood.
//!
//! The scan remembers how far it got, so a client that drips single bytes costs one step a byte
//! and not one pass over the buffer a byte. What is wrong is found at the byte that is wrong: a
//! client that ends its lines with LF alone is told, not left waiting. The verdict never depends on
//! how the bytes were cut into reads.

use super::error::HeadError;
use super::syntax::is_control;

/// The first byte of a TLS handshake record.
const TLS_HANDSHAKE: u8 = 0x16;

/// How large a head may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes of the whole head, the empty line that ends it included.
    pub bytes: usize,
    /// Bytes of the first line. A legacy build carries its arguments there, hence not small.
    pub line: usize,
    /// Number of fields.
    pub fields: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self { bytes: 64 * 1024, line: 32 * 1024, fields: 100 }
    }
}

/// A resumable search for the end of a head.
#[derive(Debug, Clone)]
pub struct HeadScan {
    limits: HeadLimits,
    /// Bytes looked at.
    at: usize,
    /// Lines that are whole.
    lines: usize,
    /// Bytes of the line under way.
    line: usize,
    after_cr: bool,
    ended: bool,
}

impl HeadScan {
    /// A scan that has seen nothing yet.
    pub fn new(limits: &HeadLimits) -> Self {
        Self { limits: *limits, at: 0, lines: 0, line: 0, after_cr: false, ended: false }
    }

    /// Goes on with a buffer that starts where it started before and has grown since. Gives the
    /// length of the head once its end is seen.
    pub fn advance(&mut self, buf: &[u8]) -> Result<Option<usize>, HeadError> {
        let limit = self.limits.bytes;
        let within = buf.get(..limit).unwrap_or(buf);
        while !self.ended
            && let Some(byte) = within.get(self.at)
        {
            self.step(*byte)?;
            self.at = self.at.saturating_add(1);
            self.pass_plain(within)?;
        }
        match self.ended {
            true => Ok(Some(self.at)),
            false if self.at >= limit => Err(HeadError::TooLarge { limit }),
            false => Ok(None),
        }
    }

    fn step(&mut self, byte: u8) -> Result<(), HeadError> {
        match byte {
            b'\n' if self.after_cr => self.end_line(),
            _ if self.after_cr => Err(HeadError::BareCr),
            b'\n' => Err(HeadError::BareLf),
            b'\r' => {
                self.after_cr = true;
                Ok(())
            }
            TLS_HANDSHAKE if self.at == 0 => Err(HeadError::Tls),
            _ if is_control(byte) => Err(HeadError::Control(byte)),
            b' ' | b'\t' if self.line == 0 && self.lines > 0 => Err(HeadError::Folded),
            _ => self.lengthen_line(1),
        }
    }

    /// Passes what within a line means nothing to a scan, which is nearly all of a head, at one go.
    fn pass_plain(&mut self, within: &[u8]) -> Result<(), HeadError> {
        if self.line == 0 || self.after_cr {
            return Ok(());
        }
        let rest = within.get(self.at..).unwrap_or_default();
        let plain = rest.iter().position(|byte| is_control(*byte)).unwrap_or(rest.len());
        self.at = self.at.saturating_add(plain);
        self.lengthen_line(plain)
    }

    fn lengthen_line(&mut self, by: usize) -> Result<(), HeadError> {
        self.line = self.line.saturating_add(by);
        match self.limits.line {
            limit if self.lines == 0 && self.line > limit => Err(HeadError::LineTooLong { limit }),
            _ => Ok(()),
        }
    }

    fn end_line(&mut self) -> Result<(), HeadError> {
        self.after_cr = false;
        if self.line == 0 {
            self.ended = true;
            return if self.lines == 0 { Err(HeadError::LeadingEmptyLine) } else { Ok(()) };
        }
        self.line = 0;
        let fields = self.lines;
        self.lines = self.lines.saturating_add(1);
        match self.limits.fields {
            limit if fields > limit => Err(HeadError::TooManyFields { limit }),
            _ => Ok(()),
        }
    }
}

/// The lines of a head that a scan found whole: without line ends, without the last empty one.
pub(super) fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .take_while(|line| !line.is_empty())
}

#[cfg(test)]
mod tests;
