//! From text to statements of PostgreSQL, each by itself, so that one that is not understood
//! spoils no other.

use sqlparser::ast::{self, Ident, ObjectName};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace};

/// A statement of more tokens is not parsed. The tree of an expression is as deep as it has
/// operators, and it is taken apart level by level on the stack.
const MOST_TOKENS: usize = 6_000;
/// How much of a statement a message shows, in characters.
const SHOWN: usize = 60;
/// What a comment for gantline begins with.
const ANNOTATION: &str = "gantline:";

/// One statement.
#[derive(Debug, Clone, Default)]
pub(super) struct Statement {
    /// The line on which it begins, counted from 1.
    pub line: usize,
    /// Its tokens without white space.
    pub tokens: Vec<TokenWithSpan>,
    /// The comments before and within it.
    pub comments: Vec<Comment>,
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comment {
    /// The line on which it begins.
    pub line: usize,
    /// What it says, without its signs.
    pub text: String,
}

impl Comment {
    /// What it tells gantline.
    pub fn annotation(&self) -> Option<&str> {
        self.text.strip_prefix(ANNOTATION).map(str::trim)
    }
}

/// A text, as far as its tokens could be told apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Script {
    /// Its statements.
    pub statements: Vec<Statement>,
    /// Comments after the last of them.
    pub trailing: Vec<Comment>,
    /// The line from which on it is no SQL, and why.
    pub broken: Option<(usize, String)>,
}

/// Takes a text apart.
pub(super) fn script(text: &str) -> Script {
    let dialect = PostgreSqlDialect {};
    let mut tokens = Vec::new();
    let read = Tokenizer::new(&dialect, text).tokenize_with_location_into_buf(&mut tokens);
    let mut script = Script {
        broken: read
            .err()
            .map(|error| (line(error.location.line), one_line(&error.message))),
        ..Script::default()
    };
    let mut open = Statement::default();
    let mut ended_on = 0;
    for token in tokens {
        let on = line(token.span.start.line);
        match &token.token {
            Token::Whitespace(space) => {
                let Some(text) = comment(space) else { continue };
                let comment = Comment { line: on, text };
                match script.statements.last_mut() {
                    // A comment at the end of a line belongs to what ends there.
                    Some(last) if on == ended_on && open.tokens.is_empty() => {
                        last.comments.push(comment);
                    }
                    _ => open.comments.push(comment),
                }
            }
            Token::SemiColon => {
                if !open.tokens.is_empty() {
                    script.statements.push(std::mem::take(&mut open));
                    ended_on = on;
                }
            }
            _ => {
                if open.tokens.is_empty() {
                    open.line = on;
                }
                open.tokens.push(token);
            }
        }
    }
    match (open.tokens.is_empty(), &script.broken) {
        (true, _) => script.trailing = open.comments,
        // What the text breaks off in is part of what is not understood.
        (false, Some(_)) => {}
        (false, None) => script.statements.push(open),
    }
    script
}

fn comment(space: &Whitespace) -> Option<String> {
    let text = match space {
        Whitespace::SingleLineComment { comment, .. } => comment,
        Whitespace::MultiLineComment(comment) => comment,
        _ => return None,
    };
    Some(text.trim().to_owned())
}

fn line(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX).max(1)
}

impl Statement {
    /// Parses it.
    ///
    /// # Errors
    /// Why it is not understood.
    pub fn parse(&self) -> Result<ast::Statement, String> {
        if self.tokens.len() > MOST_TOKENS {
            return Err(format!("it has more than {MOST_TOKENS} words and signs"));
        }
        let dialect = PostgreSqlDialect {};
        let mut parser = Parser::new(&dialect).with_tokens_with_locations(self.tokens.clone());
        let parsed = parser.parse_statement().map_err(reason)?;
        match parser.peek_token_ref().token {
            Token::EOF => Ok(parsed),
            ref other => Err(one_line(&format!("nobody expects `{other}` there"))),
        }
    }

    /// Its beginning, in one line.
    pub fn shown(&self) -> String {
        let mut shown = String::new();
        for token in &self.tokens {
            let glued = matches!(token.token, Token::Comma | Token::Period | Token::RParen);
            if !shown.is_empty() && !glued && !shown.ends_with(['.', '(']) {
                shown.push(' ');
            }
            shown.push_str(&token.token.to_string());
            if shown.chars().count() > SHOWN {
                let cut: String = shown.chars().take(SHOWN).collect();
                return format!("{} ...", cut.replace(char::is_control, " "));
            }
        }
        shown.replace(char::is_control, " ")
    }
}

/// Why a statement is not understood, without the parser's own beginning.
fn reason(error: ParserError) -> String {
    match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => one_line(&text),
        ParserError::RecursionLimitExceeded => "it is nested too deep".to_owned(),
    }
}

/// A message of the parser, which may quote what it does not understand, without line ends.
fn one_line(message: &str) -> String {
    message.replace(char::is_control, " ")
}

/// The name of an identifier as PostgreSQL takes it: in lower case unless it is quoted.
pub(super) fn name(identifier: &Ident) -> String {
    match identifier.quote_style {
        Some(_) => identifier.value.clone(),
        None => identifier.value.to_lowercase(),
    }
}

/// The parts of a name.
pub(super) fn parts(name_of: &ObjectName) -> Vec<String> {
    let identifiers = name_of.0.iter().filter_map(|part| part.as_ident());
    identifiers.map(name).collect()
}

/// The name of a table; the schema `public` is left out.
pub(super) fn table(name_of: &ObjectName) -> String {
    in_schema(&parts(name_of))
}

/// As [`table`], of its parts.
pub(super) fn in_schema(parts: &[String]) -> String {
    match parts {
        [schema, rest @ ..] if schema == "public" && !rest.is_empty() => rest.join("."),
        _ => parts.join("."),
    }
}

/// The column that a name means: its last part.
pub(super) fn column(name_of: &ObjectName) -> String {
    parts(name_of).pop().unwrap_or_default()
}
