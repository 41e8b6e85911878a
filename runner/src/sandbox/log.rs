//! What a job says: bytes cut into lines, and how a line is shown without obeying it.

/// Where a line was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One line of a job, without its line end. A line longer than 64 KiB comes in pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Where it was written to.
    pub stream: LogStream,
    /// The bytes as the job wrote them: any bytes at all.
    pub bytes: Vec<u8>,
}

impl LogLine {
    /// The line as text that is safe to show in a terminal.
    #[must_use]
    pub fn printable(&self) -> String {
        printable(&String::from_utf8_lossy(&self.bytes))
    }
}

/// A text without what a terminal would obey: escape sequences go, other control characters but tab
/// become `\u{FFFD}`, and so do the characters that turn the direction of writing. A carriage return
/// at the end goes; one within becomes a space, so that nothing overwrites what stands before it.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.trim_end_matches('\r').chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' | '\u{9b}' | '\u{9d}' | '\u{90}' => skip_escape(c, &mut rest),
            '\t' => shown.push('\t'),
            '\r' => shown.push(' '),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.push('\u{fffd}');
            }
            c if c.is_control() => shown.push('\u{fffd}'),
            c => shown.push(c),
        }
    }
    shown
}

/// Passes over the rest of an escape sequence (ECMA-48) whose first character is `first`.
fn skip_escape(first: char, rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    let kind = match first {
        '\u{9b}' => '[',
        '\u{9d}' => ']',
        '\u{90}' => 'P',
        _ => match rest.next() {
            Some(kind) => kind,
            None => return,
        },
    };
    match kind {
        '[' => while rest.next().is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c)) {},
        // Strings run to BEL or to the string terminator.
        ']' | 'P' | 'X' | '^' | '_' => {
            while let Some(c) = rest.next() {
                if c == '\u{7}' || c == '\u{9c}' {
                    return;
                }
                if c == '\u{1b}' {
                    rest.next_if_eq(&'\\');
                    return;
                }
            }
        }
        // Intermediate characters are followed by one final one.
        '\u{20}'..='\u{2f}' => while rest.next().is_some_and(|c| ('\u{20}'..='\u{2f}').contains(&c)) {},
        _ => {}
    }
}

/// Cuts one stream's bytes into lines.
#[derive(Debug)]
pub(super) struct LineCutter {
    stream: LogStream,
    held: Vec<u8>,
}

impl LineCutter {
    const LONGEST: usize = 64 << 10;

    pub(super) fn new(stream: LogStream) -> Self {
        Self { stream, held: Vec::new() }
    }

    /// Takes the next bytes and hands on every line that they complete.
    pub(super) fn push(&mut self, mut bytes: &[u8], on_line: &mut dyn FnMut(LogLine)) {
        while !bytes.is_empty() {
            let room = Self::LONGEST - self.held.len();
            let window = &bytes[..bytes.len().min(room)];
            if let Some(end) = window.iter().position(|byte| *byte == b'\n') {
                self.held.extend_from_slice(&window[..end]);
                bytes = &bytes[end + 1..];
                self.hand_on(on_line);
            } else {
                self.held.extend_from_slice(window);
                bytes = &bytes[window.len()..];
                if self.held.len() == Self::LONGEST {
                    self.hand_on(on_line);
                }
            }
        }
    }

    /// Hands on what the stream ended with, when that was no line end.
    pub(super) fn finish(&mut self, on_line: &mut dyn FnMut(LogLine)) {
        if !self.held.is_empty() {
            self.hand_on(on_line);
        }
    }

    fn hand_on(&mut self, on_line: &mut dyn FnMut(LogLine)) {
        on_line(LogLine { stream: self.stream, bytes: std::mem::take(&mut self.held) });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_are_not_shown() {
        for (raw, shown) in [
            ("plain äöü 🙂\tx", "plain äöü 🙂\tx"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link", "link"),
            ("\u{9b}2Jgone", "gone"),
            ("\u{1b}(Bset", "set"),
            ("\u{1b}c", ""),
            ("a\u{8}b\0c", "a\u{fffd}b\u{fffd}c"),
            ("50%\r100%\r", "50% 100%"),
            ("\u{202e}txt", "\u{fffd}txt"),
            ("\u{1b}", ""),
            ("\u{1b}[31", ""),
        ] {
            assert_eq!(printable(raw), shown, "{raw:?}");
        }
    }

    fn lines_of(pieces: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        let mut cutter = LineCutter::new(LogStream::Stdout);
        for piece in pieces {
            cutter.push(piece, &mut |line| lines.push(line.bytes));
        }
        cutter.finish(&mut |line| lines.push(line.bytes));
        lines
    }

    #[test]
    fn a_line_without_end_comes_in_pieces() {
        let lines = lines_of(&[vec![b'x'; LineCutter::LONGEST * 2 + 5]]);
        assert_eq!(
            lines.iter().map(Vec::len).collect::<Vec<_>>(),
            [LineCutter::LONGEST, LineCutter::LONGEST, 5]
        );
    }

    proptest! {
        #[test]
        fn lines_do_not_depend_on_how_the_bytes_came(text in "[a\n]{0,40}", cut in 0usize..40) {
            let bytes = text.into_bytes();
            let cut = cut.min(bytes.len());
            prop_assert_eq!(lines_of(std::slice::from_ref(&bytes)), lines_of(&[bytes[..cut].to_vec(), bytes[cut..].to_vec()]));
        }

        #[test]
        fn nothing_that_a_terminal_obeys_is_shown(text in "\\PC{0,20}[\\x00-\\x1f\\x7f-\\x9f]{0,6}\\PC{0,20}") {
            prop_assert!(!printable(&text).chars().any(|c| c.is_control() && c != '\t'));
        }
    }
}
