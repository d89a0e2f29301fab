//! Block-style YAML as lines that belong to keys and elements, merged without touching others.

use super::super::Texts;
use super::value::order;

/// Merges the lines by key and element; `None` where both changed one thing, or where the
/// layout (several documents, complex keys, mixed indentation) is beyond this.
pub(super) fn merge(texts: Texts<'_>) -> Option<String> {
    let base = Block::parse(texts.base)?;
    let yours = Block::parse(texts.yours)?;
    let generated = Block::parse(texts.generated)?;
    merge_blocks(Some(&base), &yours, &generated)
}

/// Whether a block map names a key twice, which parsers let pass in silence.
pub(super) fn has_duplicate_keys(text: &str) -> bool {
    let Some(block) = Block::parse(text) else {
        return false;
    };
    let is_map = block.kind == Kind::Map;
    let repeats = block.items.iter().enumerate().any(|(position, item)| {
        let earlier = block.items.iter().take(position);
        is_map && earlier.into_iter().any(|other| other.key == item.key)
    });
    repeats
        || block
            .items
            .iter()
            .any(|item| has_duplicate_keys(&item.nested_text(block.kind)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Map,
    List,
}

/// A block map or list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    kind: Kind,
    indent: usize,
    items: Vec<Item>,
    /// Comments and empty lines after the last item.
    tail: String,
}

/// A key with its value, or an element.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    /// Comments and empty lines above it.
    lead: String,
    /// The key; for an element its text.
    key: String,
    /// Its own line.
    head: String,
    /// The lines that are indented below it.
    nested: String,
}

impl Item {
    fn body(&self) -> String {
        format!("{}{}", self.head, self.nested)
    }

    /// What is inside: of a key the lines below it, of an element its content, moved in line.
    fn nested_text(&self, kind: Kind) -> String {
        match kind {
            Kind::Map if self.opens_a_block() => self.nested.clone(),
            Kind::Map => String::new(),
            Kind::List => self.body().replacen('-', " ", 1),
        }
    }

    /// Whether nothing but a comment follows the key on its line.
    fn opens_a_block(&self) -> bool {
        let rest = self.head.trim_start();
        let value = rest.get(self.key.len()..).unwrap_or_default();
        let value = value.trim_start().strip_prefix(':').unwrap_or(value).trim();
        value.is_empty() || value.starts_with('#')
    }
}

impl Block {
    fn parse(text: &str) -> Option<Self> {
        let first = text.lines().find(|line| is_content(line))?;
        let indent = indentation(first);
        let kind = if is_element(first) {
            Kind::List
        } else {
            Kind::Map
        };
        let mut block = Self {
            kind,
            indent,
            items: Vec::new(),
            tail: String::new(),
        };
        for line in text.split_inclusive('\n') {
            block.take(line)?;
        }
        if kind == Kind::List {
            for item in &mut block.items {
                item.key = element_key(item);
            }
        }
        Some(block)
    }

    /// Takes the next line; `None` when the layout is beyond this.
    fn take(&mut self, line: &str) -> Option<()> {
        if line.trim_start_matches(' ').starts_with('\t') || is_document_mark(line) {
            return None;
        }
        let depth = indentation(line);
        if !line.trim().is_empty() && depth > self.indent && !self.items.is_empty() {
            let pending = std::mem::take(&mut self.tail);
            let item = self.items.last_mut()?;
            item.nested.push_str(&pending);
            item.nested.push_str(line);
            return Some(());
        }
        if !is_content(line) {
            self.tail.push_str(line);
            return Some(());
        }
        if depth != self.indent {
            return None;
        }
        match (self.kind, is_element(line)) {
            // A list may stand at the indentation of the key that it belongs to.
            (Kind::Map, true) => {
                let pending = std::mem::take(&mut self.tail);
                let item = self.items.last_mut().filter(|item| item.opens_a_block())?;
                item.nested.push_str(&pending);
                item.nested.push_str(line);
            }
            (Kind::List, false) => return None,
            (kind, _) => {
                let key = match kind {
                    Kind::Map => key_of(line)?,
                    Kind::List => String::new(),
                };
                self.items.push(Item {
                    lead: std::mem::take(&mut self.tail),
                    key,
                    head: line.to_owned(),
                    nested: String::new(),
                });
            }
        }
        Some(())
    }

    fn find(&self, key: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.key == key)
    }

    fn keys(&self) -> Option<Vec<String>> {
        let mut keys: Vec<String> = Vec::new();
        for item in &self.items {
            if keys.contains(&item.key) {
                return None;
            }
            keys.push(item.key.clone());
        }
        Some(keys)
    }

    /// Elements are known by their text unless all of them have names.
    fn by_text(mut self) -> Self {
        for item in &mut self.items {
            item.key = item.body();
        }
        self
    }

    fn has_names(&self) -> bool {
        self.items
            .iter()
            .all(|item| item.key.starts_with(NAME_PREFIX))
    }
}

/// Marks the key of an element that is a map with a name.
const NAME_PREFIX: &str = "name: ";

fn element_key(item: &Item) -> String {
    let inner = item.nested_text(Kind::List);
    let name = Block::parse(&inner)
        .filter(|block| block.kind == Kind::Map)
        .and_then(|block| block.find("name").map(|name| name.head.trim().to_owned()));
    name.unwrap_or_else(|| item.body())
}

fn merge_blocks(base: Option<&Block>, yours: &Block, generated: &Block) -> Option<String> {
    let same_kind = |block: &Block| block.kind == yours.kind && block.indent == yours.indent;
    if !same_kind(generated) || base.is_some_and(|base| !same_kind(base)) {
        return None;
    }
    let named = |block: &Block| block.kind == Kind::Map || block.has_names();
    if named(yours) && named(generated) && base.is_none_or(named) {
        return merge_items(base, yours, generated);
    }
    let base = base.cloned().map(Block::by_text);
    merge_items(
        base.as_ref(),
        &yours.clone().by_text(),
        &generated.clone().by_text(),
    )
}

fn merge_items(base: Option<&Block>, yours: &Block, generated: &Block) -> Option<String> {
    let mut text = String::new();
    for key in order(&yours.keys()?, &generated.keys()?) {
        let item = merge_item(
            yours.kind,
            base.and_then(|base| base.find(&key)),
            yours.find(&key),
            generated.find(&key),
        )?;
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&item);
    }
    let base_tail = base.map_or("", |base| base.tail.as_str());
    text.push_str(pick(base_tail, &yours.tail, &generated.tail)?);
    Some(text)
}

/// The merged lines of one key or element: empty when it is gone, `None` on a clash.
fn merge_item(
    kind: Kind,
    base: Option<&Item>,
    yours: Option<&Item>,
    generated: Option<&Item>,
) -> Option<String> {
    let whole = |item: &Item| format!("{}{}", item.lead, item.body());
    let (yours, generated) = match (base, yours, generated) {
        (_, Some(yours), Some(generated)) => (yours, generated),
        (None, Some(only), None) | (None, None, Some(only)) => return Some(whole(only)),
        (Some(base), Some(other), None) | (Some(base), None, Some(other)) => {
            return (base.body() == other.body()).then(String::new);
        }
        (_, None, None) => return Some(String::new()),
    };
    let base_lead = base.map_or("", |base| base.lead.as_str());
    let lead = pick(base_lead, &yours.lead, &generated.lead)?;
    let base_body = base.map(Item::body).unwrap_or_default();
    if let Some(body) = pick(&base_body, &yours.body(), &generated.body()) {
        return Some(format!("{lead}{body}"));
    }
    let body = merge_inside(kind, base, yours, generated)?;
    Some(format!("{lead}{body}"))
}

fn merge_inside(kind: Kind, base: Option<&Item>, yours: &Item, generated: &Item) -> Option<String> {
    let base_block = match base {
        Some(base) => Some(Block::parse(&base.nested_text(kind))?),
        None => None,
    };
    let inside = merge_blocks(
        base_block.as_ref(),
        &Block::parse(&yours.nested_text(kind))?,
        &Block::parse(&generated.nested_text(kind))?,
    )?;
    match kind {
        Kind::Map => {
            let base_head = base.map_or("", |base| base.head.as_str());
            let head = pick(base_head, &yours.head, &generated.head)?;
            Some(format!("{head}{inside}"))
        }
        Kind::List => {
            let indent = indentation(&yours.head);
            let (before, after) = (inside.get(..indent)?, inside.get(indent + 1..)?);
            Some(format!("{before}-{after}"))
        }
    }
}

/// The side that changed; `None` when both did, differently.
fn pick<'a>(base: &str, yours: &'a str, generated: &'a str) -> Option<&'a str> {
    if yours == generated || generated == base {
        Some(yours)
    } else if yours == base {
        Some(generated)
    } else {
        None
    }
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn is_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

fn is_element(line: &str) -> bool {
    let line = line.trim_start();
    line.trim_end() == "-" || line.starts_with("- ")
}

fn is_document_mark(line: &str) -> bool {
    ["---", "...", "%"]
        .iter()
        .any(|mark| line.starts_with(mark))
}

/// A plain or quoted key; `None` for anything else.
fn key_of(line: &str) -> Option<String> {
    let line = line.trim();
    let first = line.chars().next()?;
    if matches!(first, '"' | '\'') {
        let end = line.get(1..)?.find(first)? + 2;
        let (key, rest) = line.split_at_checked(end)?;
        return (rest == ":" || rest.starts_with(": ")).then(|| key.to_owned());
    }
    if "?&*!|>{}[],#%@`<".contains(first) {
        return None;
    }
    let end = line
        .find(": ")
        .or_else(|| line.strip_suffix(':').map(str::len))?;
    let key = line.get(..end)?;
    (!key.contains(" #")).then(|| key.to_owned())
}
