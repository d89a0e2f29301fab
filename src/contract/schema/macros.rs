//! Queries as sqlc writes them, made plain: its parameters become placeholders. And what a query
//! uses that is not understood all the same.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::sql::Statement;
use super::tables::Tables;
use super::usage::Usage;

/// Functions that stand for a parameter.
const PARAMETERS: [&str; 3] = ["arg", "narg", "slice"];
/// The function that stands for all columns of a table.
const EMBED: &str = "embed";

/// A query without sqlc's own words: `sqlc.arg('note')` and `@note` are placeholders, and
/// `sqlc.embed(orders)` is `orders.*`.
pub(super) fn plain(statement: &Statement) -> Statement {
    let mut tokens = Vec::with_capacity(statement.tokens.len());
    let mut rest = statement.tokens.as_slice();
    while let Some((first, after)) = rest.split_first() {
        let taken = parameter(rest)
            .or_else(|| embedded(rest))
            .or_else(|| at(rest));
        match taken {
            Some((made, count)) => {
                let span = first.span;
                tokens.extend(made.into_iter().map(|token| TokenWithSpan { token, span }));
                rest = &rest[count..];
            }
            None => {
                tokens.push(first.clone());
                rest = after;
            }
        }
    }
    Statement {
        tokens,
        ..statement.clone()
    }
}

/// The name and the argument of `sqlc.NAME(ARGUMENT)`, and how many tokens that are.
fn call(tokens: &[TokenWithSpan]) -> Option<(String, &TokenWithSpan, usize)> {
    match tokens {
        [own, dot, called, open, argument, close, ..]
            if word(own).as_deref() == Some("sqlc")
                && dot.token == Token::Period
                && open.token == Token::LParen
                && close.token == Token::RParen =>
        {
            Some((word(called)?, argument, 6))
        }
        _ => None,
    }
}

fn parameter(tokens: &[TokenWithSpan]) -> Option<(Vec<Token>, usize)> {
    let (called, _, count) = call(tokens)?;
    PARAMETERS
        .contains(&called.as_str())
        .then(|| (vec![placeholder()], count))
}

fn embedded(tokens: &[TokenWithSpan]) -> Option<(Vec<Token>, usize)> {
    let (called, argument, count) = call(tokens)?;
    (called == EMBED).then(|| {
        (
            vec![argument.token.clone(), Token::Period, Token::Mul],
            count,
        )
    })
}

/// `@note`. With a space after the sign it is PostgreSQL's absolute value.
fn at(tokens: &[TokenWithSpan]) -> Option<(Vec<Token>, usize)> {
    match tokens {
        [sign, named, ..]
            if sign.token == Token::AtSign
                && word(named).is_some()
                && sign.span.end == named.span.start =>
        {
            Some((vec![placeholder()], 2))
        }
        _ => None,
    }
}

fn placeholder() -> Token {
    Token::Placeholder("$1".to_owned())
}

/// The word that a token is, as PostgreSQL takes it.
fn word(token: &TokenWithSpan) -> Option<String> {
    match &token.token {
        Token::Word(word) if word.quote_style.is_some() => Some(word.value.clone()),
        Token::Word(word) => Some(word.value.to_lowercase()),
        _ => None,
    }
}

/// What a query uses that cannot be parsed: every table that it names, and of that every column
/// that it names, or all where it names none or has a `*`.
pub(super) fn guessed(statement: &Statement, tables: &Tables) -> Usage {
    let words: Vec<String> = statement.tokens.iter().filter_map(word).collect();
    let starred = statement.tokens.windows(2).any(|pair| {
        // `count(*)` names no column.
        pair[1].token == Token::Mul && pair[0].token != Token::LParen
    });
    let inserts = words.iter().any(|word| word == "insert");
    let mut usage = Usage::default();
    for table in tables.names() {
        let last = table.rsplit('.').next().unwrap_or(table);
        if !words.iter().any(|word| word == last) {
            continue;
        }
        let known = tables.get(table).and_then(|it| it.columns.as_ref());
        let named: Vec<&String> = known
            .into_iter()
            .flat_map(|columns| columns.keys())
            .filter(|column| words.contains(column))
            .collect();
        if starred || named.is_empty() {
            usage.all_of(table, tables);
        }
        let used = usage.columns.entry(table.clone()).or_default();
        used.extend(named.iter().map(|&column| column.clone()));
        if inserts {
            let given = named.into_iter().cloned().collect();
            usage.inserts.insert(table.clone(), given);
        }
    }
    usage
}
