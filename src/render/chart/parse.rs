//! Templates as parsed by gotmpl, held to what can be run here.

use std::rc::Rc;

use gotmpl::parse::{DefineNode, Expr, ListNode, Node, Parser, PipeNode};

use super::fault::{Fault, Outcome, Spot};
use super::functions;

/// A body and the file that it stands in.
pub struct Body {
    /// The file.
    pub file: Rc<str>,
    /// What is run.
    pub nodes: ListNode,
}

/// The templates of a file by name: what it defines, then its own text under its own name.
pub fn parse(name: &str, text: &str) -> Outcome<Vec<(String, Body)>> {
    let file: Rc<str> = Rc::from(name);
    let parsed = Parser::with_name(None, text, "{{", "}}").and_then(Parser::parse);
    let (nodes, defines) = parsed.map_err(|error| parse_fault(error, &file, text))?;
    check_list(&nodes, &file)?;
    let mut bodies = Vec::new();
    for DefineNode { name, body, .. } in defines {
        check_list(&body, &file)?;
        let file = Rc::clone(&file);
        bodies.push((name.to_string(), Body { file, nodes: body }));
    }
    bodies.push((name.to_owned(), Body { file, nodes }));
    Ok(bodies)
}

fn parse_fault(error: gotmpl::TemplateError, file: &Rc<str>, text: &str) -> Fault {
    let (line, column, message) = match error {
        gotmpl::TemplateError::Parse {
            line, col, message, ..
        }
        | gotmpl::TemplateError::Lex {
            line, col, message, ..
        } => (line, col, message),
        other => (1, 1, other.to_string()),
    };
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let within = text[before..]
        .char_indices()
        .nth(column.saturating_sub(1))
        .map_or(0, |(offset, _)| offset);
    Fault {
        message,
        spot: Some(Spot {
            file: Rc::clone(file),
            offset: before + within,
        }),
        unknown: None,
    }
}

/// Like Go, refuses functions that nobody knows before anything runs.
fn check_list(list: &ListNode, file: &Rc<str>) -> Outcome<()> {
    list.nodes.iter().try_for_each(|node| match node {
        Node::Action(action) => check_pipe(&action.pipe, file),
        Node::If(branch) | Node::With(branch) | Node::Range(branch) => {
            check_pipe(&branch.pipe, file)?;
            check_list(&branch.body, file)?;
            branch
                .else_body
                .iter()
                .try_for_each(|body| check_list(body, file))
        }
        Node::Template(call) => call.pipe.iter().try_for_each(|pipe| check_pipe(pipe, file)),
        Node::List(list) => check_list(list, file),
        Node::Define(define) => check_list(&define.body, file),
        Node::Text(_) | Node::Break(_) | Node::Continue(_) => Ok(()),
    })
}

fn check_pipe(pipe: &PipeNode, file: &Rc<str>) -> Outcome<()> {
    let commands = pipe.commands.iter();
    commands
        .flat_map(|command| &command.args)
        .try_for_each(|expression| check_expression(expression, file))
}

fn check_expression(expression: &Expr, file: &Rc<str>) -> Outcome<()> {
    match expression {
        Expr::Identifier(pos, name) if !functions::is_known(name) => Err(Fault {
            message: format!("the function `{name}` is not known"),
            spot: Some(Spot {
                file: Rc::clone(file),
                offset: pos.offset,
            }),
            unknown: Some(name.to_string()),
        }),
        Expr::Pipe(_, pipe) => check_pipe(pipe, file),
        Expr::Chain(_, inner, _) => check_expression(inner, file),
        _ => Ok(()),
    }
}
