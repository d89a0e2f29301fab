//! Colours, by what they say, and the width that there is.

use std::fmt::Display;

use anstyle::{AnsiColor, Effects};

/// Paints text when colour is wanted, and leaves it alone when not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    color: bool,
    columns: Option<usize>,
}

impl Style {
    /// A style with or without colour.
    pub const fn new(color: bool) -> Self {
        Self {
            color,
            columns: None,
        }
    }

    /// The same within so many columns.
    #[must_use]
    pub const fn within(self, columns: Option<usize>) -> Self {
        Self { columns, ..self }
    }

    /// The columns of the terminal; `None` where lines may have any length.
    pub const fn columns(&self) -> Option<usize> {
        self.columns
    }

    /// Whether it paints.
    pub const fn has_color(&self) -> bool {
        self.color
    }

    fn paint(self, style: anstyle::Style, text: impl Display) -> String {
        if self.color {
            format!("{style}{text}{style:#}")
        } else {
            text.to_string()
        }
    }

    /// Something went well, or was added.
    pub fn good(&self, text: impl Display) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    /// Something failed, or was removed.
    pub fn bad(&self, text: impl Display) -> String {
        self.paint(AnsiColor::Red.on_default() | Effects::BOLD, text)
    }

    /// Something may surprise.
    pub fn caution(&self, text: impl Display) -> String {
        self.paint(AnsiColor::Yellow.on_default(), text)
    }

    /// A name, a path or a command to type.
    pub fn name(&self, text: impl Display) -> String {
        self.paint(AnsiColor::Cyan.on_default(), text)
    }

    /// A heading.
    pub fn strong(&self, text: impl Display) -> String {
        self.paint(anstyle::Style::new() | Effects::BOLD, text)
    }

    /// Something of less weight.
    pub fn dim(&self, text: impl Display) -> String {
        self.paint(anstyle::Style::new() | Effects::DIMMED, text)
    }
}
