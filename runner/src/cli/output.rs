//! What the user sees: data on stdout, messages on stderr, nothing of a peer's that a terminal would obey.

use std::{
    error::Error,
    io::{self, ErrorKind, Write},
};

use serde::Serialize;

use super::CliError;
use crate::sandbox::printable;

/// How results are printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints a result: as the one JSON document, or as the text that `human` makes of it.
    pub(crate) fn data<T: Serialize + ?Sized>(
        self,
        value: &T,
        human: impl FnOnce() -> String,
    ) -> Result<(), CliError> {
        let text = if self.json {
            serde_json::to_string(value).map_err(|error| CliError::Stdout { source: error.into() })?
        } else {
            human()
        };
        print(&text)
    }

    /// Whether a program reads the result.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }
}

/// Writes `text` to stdout, with a line end. Whoever stopped reading has seen enough.
pub(crate) fn print(text: &str) -> Result<(), CliError> {
    if text.is_empty() {
        return Ok(());
    }
    let mut stdout = io::stdout().lock();
    let line_end = if text.ends_with('\n') { "" } else { "\n" };
    match write!(stdout, "{text}{line_end}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|source| CliError::Stdout { source }),
    }
}

/// Says something to the person.
pub(crate) fn note(text: impl AsRef<str>) {
    // Nobody is left to be told when stderr is closed.
    let _ = writeln!(io::stderr(), "{}", safe(text.as_ref()));
}

/// Says why the command failed, with the causes that the error's own text doesn't name.
pub(crate) fn report(error: &CliError) {
    let mut text = format!("error: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}\n  because {said}");
        }
        cause = inner.source();
    }
    note(text);
}

/// Many lines without what a terminal would obey.
pub(crate) fn safe(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// Rows below their headings, aligned; cells are made safe. Nothing but a note when there are no rows.
pub(crate) fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    if rows.is_empty() {
        note("there are none");
        return String::new();
    }
    let rows: Vec<[String; N]> =
        rows.iter().map(|row| row.each_ref().map(|cell| printable(cell).replace('\t', " "))).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([headings[column].len()]).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |cells: [&str; N]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(headings)];
    lines.extend(rows.iter().map(|row| line(row.each_ref().map(String::as_str))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_and_obeys_nobody() {
        let row = |name: &str, state: &str| [name.to_owned(), state.to_owned()];
        let shown =
            table(["NAME", "STATE"], &[row("été", "done"), row("\u{1b}[31mred\u{1b}[0m job", "x\ny")]);
        assert_eq!(shown, "NAME     STATE\nété      done\nred job  x\u{fffd}y");
    }

    #[test]
    fn lines_stay_and_escapes_go() {
        assert_eq!(safe("a\u{1b}[2J\nb\r\n"), "a\nb\n");
    }
}
