//! The one place where errors are rendered.

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet, renderer::DecorStyle};

use super::printable::printable;
use super::{Format, JSON_VERSION, Style};
use crate::error::{Error, Place};

/// An error as one document for programs.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct ErrorDocument<'a> {
    /// The version of the document.
    version: u32,
    /// What went wrong, where, why, and what to do next.
    error: &'a Error,
}

/// The text of an error with all its parts, ending in a line break.
pub fn render_error(error: &Error, format: Format, style: &Style) -> String {
    match format {
        Format::Json => json(error),
        Format::Human => {
            let mut text = String::new();
            if !error.related().is_empty() {
                for related in error.related() {
                    text.push_str(&human(related, style));
                    text.push('\n');
                }
            }
            text + &human(error, style)
        }
    }
}

fn json(error: &Error) -> String {
    let document = ErrorDocument {
        version: JSON_VERSION,
        error,
    };
    // An error is made of texts and numbers, which JSON can always hold.
    let text = serde_json::to_string(&document).unwrap_or_default();
    format!("{text}\n")
}

fn human(error: &Error, style: &Style) -> String {
    let headline = || {
        let message = style.strong(printable(error.message()));
        format!("{} {message}\n", style.bad("error:"))
    };
    let mut text = match error.place() {
        Some(place) if place.shows_its_source() => with_source(error.message(), place, style),
        Some(place) => format!("{} --> {}\n", headline(), printable(&place.to_string())),
        None => headline(),
    };
    for cause in error.causes() {
        let _ = writeln!(text, "  {} {}", style.dim("why:"), indented(cause));
    }
    for hint in error.hints() {
        let _ = writeln!(text, " {} {}", style.good("next:"), indented(hint));
    }
    text
}

fn with_source(message: &str, place: &Place, style: &Style) -> String {
    let source = printable(&place.source_line);
    let start = byte_of_character(&source, place.column.saturating_sub(1));
    let end = byte_of_character(&source, place.column.saturating_sub(1) + place.length);
    let path = place.file.display().to_string();
    let snippet = Snippet::source(source.as_str())
        .line_start(place.line)
        .path(path)
        .annotation(AnnotationKind::Primary.span(start..end.max(start)));
    let message = printable(message);
    let report = &[Level::ERROR.primary_title(message).element(snippet)];
    let renderer = if style.has_color() {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    renderer.decor_style(DecorStyle::Ascii).render(report) + "\n"
}

fn byte_of_character(text: &str, index: usize) -> usize {
    text.char_indices()
        .nth(index)
        .map_or(text.len(), |(at, _)| at)
}

fn indented(text: &str) -> String {
    printable(text.trim_end()).replace('\n', "\n       ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn an_error_says_what_where_why_and_what_next() {
        let text = "name: orders\nprots: {http: 8080}\n";
        let error = Error::invalid("unknown key `prots`")
            .at(Place::of_offset(
                Path::new("services/orders/service.yaml"),
                text,
                13,
                5,
            ))
            .since("a service has no such key")
            .hint("Write `ports`.");
        insta::assert_snapshot!(render_error(&error, Format::Human, &Style::default()), @r"
        error: unknown key `prots`
         --> services/orders/service.yaml:2:1
          |
        2 | prots: {http: 8080}
          | ^^^^^
          why: a service has no such key
         next: Write `ports`.
        ");
    }

    #[test]
    fn control_characters_of_a_file_do_not_reach_the_terminal() {
        let error = Error::failed("\u{1b}[2Jgone").since("a\u{7}b");
        let text = render_error(&error, Format::Human, &Style::default());
        assert!(
            !text.contains('\u{1b}') && !text.contains('\u{7}'),
            "{text:?}"
        );
    }

    #[test]
    fn a_program_gets_the_same_as_one_document() {
        let error = Error::missing("Docker does not answer").hint("Try `--runtime process`.");
        let text = render_error(&error, Format::Json, &Style::default());
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["error"]["kind"], "missing");
        assert_eq!(document["version"], 1);
    }
}
