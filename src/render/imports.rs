//! A Go module under another path: what imports its own packages has to follow. Pure.

use std::borrow::Cow;

/// A module's path, as it was and as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleMove {
    before: String,
    now: String,
}

impl ModuleMove {
    /// What two versions of a go.mod say; `None` where the path is the same, or one has none.
    pub fn between(before: &[u8], now: &[u8]) -> Option<Self> {
        let (before, now) = (module_path(before)?, module_path(now)?);
        (before != now).then_some(Self { before, now })
    }

    /// A Go file with what it says in quotes of the module's packages brought to the new path.
    /// What is no text stays as it is.
    pub fn followed<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Cow::Borrowed(bytes);
        };
        let (before, now) = (&self.before, &self.now);
        if !text.contains(&format!("\"{before}")) {
            return Cow::Borrowed(bytes);
        }
        // What follows the path tells it from that of a module whose name begins alike.
        let followed = ["/", "\""].iter().fold(text.to_owned(), |text, end| {
            text.replace(&format!("\"{before}{end}"), &format!("\"{now}{end}"))
        });
        Cow::Owned(followed.into_bytes())
    }
}

/// The path behind `module` in a go.mod.
fn module_path(go_mod: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(go_mod).ok()?;
    let mut lines = text.lines().map(str::trim);
    let path = lines.find_map(|line| line.strip_prefix("module "))?;
    let path = path.split("//").next()?.trim().trim_matches('"');
    (!path.is_empty()).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved() -> ModuleMove {
        ModuleMove::between(
            b"// The service\nmodule example.com/shop/orders\n\ngo 1.26\n",
            b"module \"example.com/shop/sales\" // since then\n",
        )
        .unwrap()
    }

    #[test]
    fn imports_of_the_module_follow_and_those_of_its_neighbour_stay() {
        let before = "import (\n\t\"example.com/shop/orders\"\n\t\"example.com/shop/orders/a\"\n\
                      \t\"example.com/shop/orders-api/a\"\n)\n// see example.com/shop/orders/a\n";
        let expected = "import (\n\t\"example.com/shop/sales\"\n\t\"example.com/shop/sales/a\"\n\
                        \t\"example.com/shop/orders-api/a\"\n)\n// see example.com/shop/orders/a\n";
        let followed = moved().followed(before.as_bytes()).into_owned();
        assert_eq!(String::from_utf8(followed).unwrap(), expected);
    }

    #[test]
    fn what_is_no_text_stays() {
        let bytes = b"\xff \"example.com/shop/orders/a\"";
        assert_eq!(moved().followed(bytes), bytes.as_slice());
    }

    #[test]
    fn a_path_that_is_the_same_or_absent_has_not_moved() {
        assert_eq!(ModuleMove::between(b"module a\n", b"module a\n\n"), None);
        assert_eq!(ModuleMove::between(b"go 1.26\n", b"module a\n"), None);
    }
}
