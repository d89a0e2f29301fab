//! Rows in columns, for people.

use std::io::{self, Write};

/// Writes rows in columns as wide as their longest cell; `paint` colours the cells of a column,
/// after their width is known.
///
/// # Errors
/// What the stream says.
pub fn write_table<const COLUMNS: usize>(
    out: &mut dyn Write,
    rows: &[[String; COLUMNS]],
    paint: impl Fn(usize, &str) -> String,
) -> io::Result<()> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let missing = width(column).unwrap_or(0) - cell.chars().count();
            line.push_str(&paint(column, cell));
            if column + 1 < COLUMNS {
                line.push_str(&" ".repeat(missing + 2));
            }
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_as_wide_as_its_longest_cell_whatever_its_colours() {
        let rows = [["a", "one"], ["longer", ""]].map(|row| row.map(str::to_owned));
        let mut out = Vec::new();
        let paint = |column: usize, cell: &str| match column {
            0 => format!("<{cell}>"),
            _ => cell.to_owned(),
        };
        write_table(&mut out, &rows, paint).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "<a>       one\n<longer>\n");
    }
}
