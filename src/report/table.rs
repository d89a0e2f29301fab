//! Rows in columns, for people; where those are too wide for the terminal, a row below another.

use std::io::{self, Write};

use super::Style;

/// What the last column has at least: with less, rows are written as paragraphs.
const LEAST: usize = 20;
/// Between two columns, and before the lines of a paragraph.
const GAP: usize = 2;

/// Writes rows in columns as wide as their longest cell, the last one wrapped at the edge of the
/// terminal. Where that leaves it too little, the first cell of a row is a line, and the others stand
/// below it. `paint` colours the cells of a column, after their width is known.
///
/// # Errors
/// What the stream says.
pub fn write_table<const COLUMNS: usize>(
    (out, style): (&mut dyn Write, &Style),
    rows: &[[String; COLUMNS]],
    paint: impl Fn(usize, &str) -> String,
) -> io::Result<()> {
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    });
    let last = COLUMNS.saturating_sub(1);
    let before: usize = widths[..last].iter().map(|width| width + GAP).sum();
    let room = style.columns().map(|all| all.saturating_sub(before));
    let needed = widths.last().copied().unwrap_or(0).min(LEAST);
    let is_narrow = room.is_some_and(|room| room < needed);
    for row in rows {
        if is_narrow {
            let room = style.columns().map(|all| all.saturating_sub(GAP));
            write_paragraph(out, row, |column, cell| {
                let lines = wrapped(cell, room.filter(|_| column > 0));
                lines.map(|line| paint(column, &line)).collect()
            })?;
            continue;
        }
        let mut line = String::new();
        for (column, cell) in row[..last].iter().enumerate() {
            let missing = widths[column] - cell.chars().count();
            line.push_str(&paint(column, cell));
            line.push_str(&" ".repeat(missing + GAP));
        }
        for piece in wrapped(&row[last], room) {
            line.push_str(&paint(last, &piece));
            writeln!(out, "{}", line.trim_end())?;
            line = " ".repeat(before);
        }
    }
    Ok(())
}

/// Writes the first cell of a row, and the others below it.
fn write_paragraph(
    out: &mut dyn Write,
    row: &[String],
    lines: impl Fn(usize, &str) -> Vec<String>,
) -> io::Result<()> {
    for (column, cell) in row.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
        let margin = if column == 0 { 0 } else { GAP };
        for line in lines(column, cell) {
            writeln!(out, "{:margin$}{line}", "")?;
        }
    }
    Ok(())
}

/// The lines of a cell: broken between words where there is no room; what is one word stays whole, to
/// be copied.
fn wrapped(cell: &str, room: Option<usize>) -> impl Iterator<Item = String> {
    let mut lines = vec![String::new()];
    let mut words = cell.split(' ');
    if let (Some(first), Some(line)) = (words.next(), lines.last_mut()) {
        line.push_str(first);
    }
    for word in words {
        let width = |line: &String| line.chars().count() + 1 + word.chars().count();
        match lines.last_mut() {
            Some(line) if room.is_none_or(|room| width(line) <= room) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written<const COLUMNS: usize>(
        columns: Option<usize>,
        rows: &[[&str; COLUMNS]],
        paint: impl Fn(usize, &str) -> String,
    ) -> String {
        let rows: Vec<_> = rows.iter().map(|row| row.map(str::to_owned)).collect();
        let (mut out, style) = (Vec::new(), Style::default().within(columns));
        write_table((&mut out, &style), &rows, paint).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn plain(_: usize, cell: &str) -> String {
        cell.to_owned()
    }

    const STATUS: [[&str; 4]; 2] = [
        [
            "orders",
            "starting",
            "http://127.0.0.1:40123",
            "waits for orders-db",
        ],
        ["orders-db", "ready", "", ""],
    ];

    #[test]
    fn a_column_is_as_wide_as_its_longest_cell_whatever_its_colours() {
        let paint = |column: usize, cell: &str| match column {
            0 => format!("<{cell}>"),
            _ => cell.to_owned(),
        };
        assert_eq!(
            written(None, &[["a", "one"], ["longer", ""]], paint),
            "<a>       one\n<longer>\n"
        );
    }

    #[test]
    fn what_is_too_wide_for_the_terminal_stands_below_one_another() {
        assert_eq!(
            written(Some(40), &STATUS, plain),
            "orders\n  starting\n  http://127.0.0.1:40123\n  waits for orders-db\n\
             orders-db\n  ready\n"
        );
        let long = "http://127.0.0.1:40123/a/path/that/is/one/word says more than one line holds";
        assert_eq!(
            written(Some(30), &[["orders", long, "4.2 s"]], plain),
            "orders\n  http://127.0.0.1:40123/a/path/that/is/one/word\n  says more than one line\n  \
             holds\n  4.2 s\n"
        );
    }

    #[test]
    fn the_last_column_is_wrapped_where_it_has_room() {
        let rows = [["1", "failed", "the pod does not become ready in time"]];
        assert_eq!(
            written(Some(40), &rows, plain),
            "1  failed  the pod does not become ready\n           in time\n"
        );
        let whole = "1  failed  the pod does not become ready in time\n";
        assert_eq!(written(Some(80), &rows, plain), whole);
        assert_eq!(written(None, &rows, plain), whole);
    }
}
