//! Whatever a blueprint makes of a file next, the user loses nothing.

use proptest::prelude::*;

use super::*;

/// A text of a few lines, so that edits meet.
fn few_lines() -> impl Strategy<Value = String> {
    proptest::collection::vec("[a-d]", 0..6)
        .prop_map(|lines| lines.iter().map(|line| format!("{line}\n")).collect())
}

/// How many lines of a text are this one.
fn count(text: &str, line: &str) -> usize {
    text.lines().filter(|other| *other == line).count()
}

proptest! {
    #[test]
    fn whatever_a_newer_version_makes_no_line_that_the_user_added_is_lost(
        base in few_lines(),
        yours in proptest::option::of(few_lines()),
        newer in proptest::option::of(few_lines()),
    ) {
        let mut workspace = Workspace::generated(FILE, &base);
        match &yours {
            Some(text) => workspace.edit(FILE, text.clone()),
            None => workspace.delete(FILE),
        }
        match &newer {
            Some(text) => workspace.blueprint(FILE, text.clone()),
            None => workspace.blueprint_drops(FILE),
        }
        let plan = workspace.plan();
        let conflict = plan.changes.iter().find(|change| change.outcome.needs_the_user());
        prop_assert_eq!(conflict.is_some(), !plan.sides.is_empty());
        if let Some(sides) = plan.sides.get(&path(FILE)) {
            prop_assert_eq!(&sides.base, base.as_bytes());
            let generated = newer.as_deref().map(str::as_bytes);
            prop_assert_eq!(Some(sides.generated.as_slice()), generated);
        }
        workspace.generate();
        let after = workspace.text(FILE);
        let Some(yours) = yours else {
            prop_assert_eq!(after, None, "what the user deleted stays deleted");
            return Ok(());
        };
        if yours == base {
            prop_assert_eq!(after, newer);
            return Ok(());
        }
        let after = after.unwrap_or_default();
        for line in yours.lines() {
            let added = count(&yours, line).saturating_sub(count(&base, line));
            prop_assert!(count(&after, line) >= added, "{:?} lost {:?}", after, line);
        }
    }
}
