//! How much a template may take. Numbers of `range` and bytes of the file are counted. The engine
//! cannot be asked to count its rounds and its texts, so a template that may loop or grow is rendered
//! beside a watch on time and memory.

use std::cell::Cell;
use std::io::{self, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use tera::{Kwargs, State, TeraResult};

/// The largest file that a template may make, in bytes: a blueprint cannot fill a disk.
const LARGEST_FILE: usize = 4 << 20;
/// Numbers that `range` may give to one file.
const MOST_NUMBERS: usize = 100_000;
/// How long one file may take; what people write takes thousandths of a second.
const LONGEST: Duration = Duration::from_secs(5);
/// How much one file may take of memory, in bytes.
const MOST_MEMORY: usize = 512 << 20;
/// How often time and memory are looked at.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);
/// The stack of a watched template: values within values are printed and dropped by recursion.
const STACK: usize = 64 << 20;

thread_local! {
    static NUMBERS_LEFT: Cell<usize> = const { Cell::new(MOST_NUMBERS) };
}

/// Runs the rendering of one file, with all its numbers before it, beside a watch if it is watched.
///
/// # Errors
/// Why it was given up. A watched thread that was given up cannot be ended, and ends with the program.
pub fn run<T: Send + 'static>(
    is_watched: bool,
    render: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let render = || {
        NUMBERS_LEFT.set(MOST_NUMBERS);
        render()
    };
    if !is_watched {
        return Ok(render());
    }
    let (rendered, result) = mpsc::channel();
    let (begun, memory) = (Instant::now(), peak_memory());
    let work = move || {
        // Nobody listens any more once it was given up.
        let _ = rendered.send(render());
    };
    let thread = thread::Builder::new().stack_size(STACK);
    let thread = thread.spawn(work);
    thread.map_err(|error| format!("no thread can be started for it: {error}"))?;
    loop {
        match result.recv_timeout(BETWEEN_LOOKS) {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Disconnected) => return Err("the engine gave up".to_owned()),
            Err(RecvTimeoutError::Timeout) if begun.elapsed() > LONGEST => {
                return Err(format!("it takes more than {} seconds", LONGEST.as_secs()));
            }
            Err(RecvTimeoutError::Timeout) if peak_memory() > memory + MOST_MEMORY => {
                let most = MOST_MEMORY / (1 << 20);
                return Err(format!("it takes more than {most} MiB of memory"));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// The most memory that this program had so far, in bytes; 0 where the system does not say.
fn peak_memory() -> usize {
    // Linux counts in KiB.
    let unit = if cfg!(target_os = "macos") {
        1
    } else {
        1 << 10
    };
    getrusage(UsageWho::RUSAGE_SELF).map_or(0, |usage| {
        usize::try_from(usage.max_rss()).unwrap_or(0) * unit
    })
}

/// Whether a template takes no more than its length says: it has conditions and values, these written
/// as they are, and no way to repeat or to lengthen them. Where in doubt it is not.
pub fn is_plain(mut text: &str) -> bool {
    while let Some(start) = text.find('<') {
        text = &text[start + 1..];
        let Some((end, is_harmless)) = (match text.bytes().next() {
            Some(b'#') => Some(("#>", (|_| true) as fn(&str) -> bool)),
            Some(b'%') => Some(("%>", is_condition as fn(&str) -> bool)),
            Some(b'{') => Some(("}>", is_plain_expression as fn(&str) -> bool)),
            _ => None,
        }) else {
            continue;
        };
        match text[1..].split_once(end) {
            Some((tag, after)) if is_harmless(tag) => text = after,
            _ => return false,
        }
    }
    true
}

fn is_condition(tag: &str) -> bool {
    let tag = tag.trim_matches(['-', ' ', '\n']);
    let (word, expression) = tag.split_once(' ').unwrap_or((tag, ""));
    ["if", "elif", "else", "endif"].contains(&word) && is_plain_expression(expression)
}

/// With double quotes alone, and each of them closed, the tag ends where it seems to.
fn is_plain_expression(expression: &str) -> bool {
    let mut filters = expression.split('|').skip(1);
    !expression.contains(['\'', '`', '\\', '[', '~'])
        && expression.matches('"').count().is_multiple_of(2)
        && filters.all(|filter| {
            let filter = filter.trim_start();
            ["quoted", "yaml"].iter().any(|own| filter.starts_with(own))
        })
}

/// `range(start, end, step_by)`, as the engine's own, out of what is left to the file.
pub fn range(arguments: Kwargs, _: &State) -> TeraResult<Vec<i64>> {
    let start = arguments.get::<i64>("start")?.unwrap_or_default();
    let end = arguments.must_get::<i64>("end")?;
    let step = arguments.get::<i64>("step_by")?.unwrap_or(1);
    if step == 0 || (step > 0 && start > end) {
        let message = "`range` never gets from its `start` to its `end`";
        return Err(tera::Error::message(message));
    }
    let mut numbers = Vec::new();
    let mut next = Some(start);
    while let Some(number) = next.filter(|number| {
        if step > 0 {
            *number < end
        } else {
            *number > end
        }
    }) {
        let left = NUMBERS_LEFT.get().checked_sub(1);
        NUMBERS_LEFT.set(left.ok_or_else(|| {
            tera::Error::message(format!(
                "`range` gives more than {MOST_NUMBERS} numbers to one file"
            ))
        })?);
        numbers.push(number);
        next = number.checked_add(step);
    }
    Ok(numbers)
}

/// The file that a template makes, as far as it may.
#[derive(Debug, Default)]
pub struct Bounded(pub Vec<u8>);

impl Bounded {
    /// Why it takes no more.
    pub fn refusal() -> String {
        format!("it makes more than {} MiB", LARGEST_FILE / (1 << 20))
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LARGEST_FILE {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_repeat_or_lengthen_is_not_plain() {
        for plain in [
            "if a < b { <% if store == \"sql\" -%>x<% elif a and not b %><%- else %><% endif %> }",
            "<{ service.kebab }> <# for x in 'y' #> for <{ env | yaml(indent=2) }>",
        ] {
            assert!(is_plain(plain), "{plain}");
        }
        for grows in [
            "<% for x in y %><% endfor %>",
            "<% set a = b %>",
            "<%set a = b %>",
            "<{ [x for x in y] }>",
            "<{ a ~ a }>",
            "<{ a | replace(from=\"\", to=a) }>",
            "<% if a == \"%>\" %><% endif %>",
            "<% if '\"' == \"'%>\" %><% endif %>",
            "<% raw %><# <% endraw %><% for x in y %><% endfor %>",
            "<{ not_closed",
        ] {
            assert!(!is_plain(grows), "{grows}");
        }
    }
}
