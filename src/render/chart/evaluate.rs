//! What pipelines, calls and expressions of templates are worth.

use gotmpl::parse::{CommandNode, Expr, Number, PipeNode, Pos};

use super::execute::{Engine, Scope};
use super::fault::{Fault, Outcome};
use super::functions;
use super::methods;
use super::value::Value;

/// Variables that are searched through in one step.
const VARIABLES: usize = 16;

impl Engine {
    /// The value of a pipeline; its variables are bound.
    pub(super) fn pipe(
        &mut self,
        pipe: &PipeNode,
        dot: &Value,
        scope: &mut Scope,
    ) -> Outcome<Value> {
        let value = self.commands(pipe, dot, scope)?;
        for name in &pipe.decl {
            scope.bind(name, value.clone(), pipe.is_assign);
        }
        Ok(value)
    }

    /// The same without binding them.
    pub(super) fn commands(
        &mut self,
        pipe: &PipeNode,
        dot: &Value,
        scope: &mut Scope,
    ) -> Outcome<Value> {
        let mut last = None;
        for command in &pipe.commands {
            last = Some(self.command(command, dot, scope, last)?);
        }
        Ok(last.unwrap_or(Value::Nil))
    }

    fn command(
        &mut self,
        command: &CommandNode,
        dot: &Value,
        scope: &mut Scope,
        piped: Option<Value>,
    ) -> Outcome<Value> {
        let Some((first, rest)) = command.args.split_first() else {
            return Ok(Value::Nil);
        };
        if let Expr::Identifier(pos, name) = first {
            return self.call(name, *pos, rest, (dot, scope, piped));
        }
        if let Expr::Chain(pos, inner, fields) = first
            && let Expr::Identifier(_, name) = inner.as_ref()
        {
            let value = self.call(name, *pos, rest, (dot, scope, piped))?;
            return walk(value, fields).map_err(|message| Fault::from(message).or_at(scope, *pos));
        }
        if rest.is_empty() && piped.is_none() {
            return self.expression(first, dot, scope);
        }
        self.method(first, rest, (dot, scope, piped))
    }

    /// `.Files.Get "name"`: the last field is a method.
    fn method(
        &mut self,
        first: &Expr,
        rest: &[Expr],
        (dot, scope, piped): (&Value, &mut Scope, Option<Value>),
    ) -> Outcome<Value> {
        let pos = first.pos();
        let (receiver, fields) = match first {
            Expr::Field(_, fields) => (dot.clone(), fields.as_slice()),
            Expr::Variable(_, name, fields) => (scope.get(name)?, fields.as_slice()),
            Expr::Chain(_, inner, fields) => {
                (self.expression(inner, dot, scope)?, fields.as_slice())
            }
            _ => (Value::Nil, [].as_slice()),
        };
        let Some((name, fields)) = fields.split_last() else {
            let message = "an argument is given to what is no function".to_owned();
            return Err(Fault::from(message).or_at(scope, pos));
        };
        let receiver =
            walk(receiver, fields).map_err(|message| Fault::from(message).or_at(scope, pos))?;
        let mut arguments = Vec::new();
        for argument in rest {
            arguments.push(self.expression(argument, dot, scope)?);
        }
        arguments.extend(piped);
        let result = self.budget.spend_call(name, &arguments).and_then(|()| {
            let value = methods::call(&receiver, name, &arguments)?;
            self.budget.spend_made(name, &value)?;
            Ok(value)
        });
        result.map_err(|message| Fault::from(message).or_at(scope, pos))
    }

    fn call(
        &mut self,
        name: &str,
        pos: Pos,
        rest: &[Expr],
        (dot, scope, piped): (&Value, &mut Scope, Option<Value>),
    ) -> Outcome<Value> {
        let decides = match name {
            "and" => Some(false),
            "or" => Some(true),
            _ => None,
        };
        let mut arguments = Vec::new();
        for argument in rest {
            let value = self.expression(argument, dot, scope)?;
            if decides == Some(value.is_true()) {
                return Ok(value);
            }
            arguments.push(value);
        }
        arguments.extend(piped);
        if decides.is_some() {
            return Ok(arguments.pop().unwrap_or(Value::Nil));
        }
        let paid = self.budget.spend_call(name, &arguments);
        let result = paid.map_err(Fault::from).and_then(|()| {
            let value = self.result_of(name, &arguments)?;
            self.budget.spend_made(name, &value)?;
            Ok(value)
        });
        result.map_err(|fault| fault.or_at(scope, pos))
    }

    fn result_of(&mut self, name: &str, arguments: &[Value]) -> Outcome<Value> {
        match (name, arguments) {
            ("include", [Value::Text(template), dot]) => self.run(template, dot).map(Value::text),
            ("tpl", [Value::Text(text), dot]) => self
                .run_text(text, dot)
                .map(|text| Value::text(text.replace("<no value>", ""))),
            _ => functions::call(name, arguments).map_err(Fault::from),
        }
    }

    fn expression(&mut self, expression: &Expr, dot: &Value, scope: &mut Scope) -> Outcome<Value> {
        let at =
            |message: String, scope: &Scope| Fault::from(message).or_at(scope, expression.pos());
        self.budget.spend(1).map_err(|text| at(text, scope))?;
        let value = match expression {
            Expr::Dot(_) => Ok(dot.clone()),
            Expr::Field(_, fields) => walk(dot.clone(), fields),
            Expr::Variable(_, name, fields) => {
                let searched = self.budget.spend(scope.size() / VARIABLES);
                searched.map_err(|text| at(text, scope))?;
                let value = scope.get(name).map_err(|fault| at(fault.message, scope))?;
                walk(value, fields)
            }
            Expr::Identifier(pos, name) => return self.call(name, *pos, &[], (dot, scope, None)),
            Expr::String(_, text) => Ok(Value::text(text)),
            Expr::Number(_, Number::Int(number)) => Ok(Value::Int(*number)),
            Expr::Number(_, Number::Float(number)) => Ok(Value::Float(*number)),
            Expr::Number(_, Number::Uint(number)) => Err(format!("{number} overflows int")),
            Expr::Bool(_, flag) => Ok(Value::Bool(*flag)),
            Expr::Nil(_) => Ok(Value::Nil),
            Expr::Pipe(_, pipe) => return self.pipe(pipe, dot, scope),
            Expr::Chain(_, inner, fields) => walk(self.expression(inner, dot, scope)?, fields),
        };
        // A text of the template, and a file that is read as a field, are made anew each time.
        let value = value.and_then(|value| {
            self.budget.spend_made("", &value)?;
            Ok(value)
        });
        value.map_err(|text| at(text, scope))
    }
}

/// Follows fields; like Go, a missing key is nothing, and nothing has no fields.
fn walk<S: AsRef<str>>(mut value: Value, fields: &[S]) -> Result<Value, String> {
    for field in fields {
        value = methods::field(&value, field.as_ref())?;
    }
    Ok(value)
}
