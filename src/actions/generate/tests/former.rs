//! Services that were generated in another folder.

use super::*;

const GO_MOD: &str = "go.mod";
const MAIN: &str = "cmd/NAME/main.go";
const STORE: &str = "internal/store/store.go";

/// What the blueprint makes of a service; every file but two says its name.
fn service(name: &str) -> BTreeMap<TreePath, RenderedFile> {
    let files = [
        (GO_MOD, "module example.com/NAME\n\ngo 1.26\n"),
        (
            MAIN,
            "package main\n\nimport (\n\t\"example.com/NAME/internal/store\"\n)\n\nfunc main() {\n\tstore.Open()\n}\n",
        ),
        (STORE, "package store\n\nfunc Open() {}\n"),
        ("README.md", "# NAME\n\nWhat it is about.\n"),
        ("Dockerfile", "FROM scratch\n"),
    ];
    let named = |text: &str| text.replace("NAME", name);
    let files = files
        .map(|(path, text)| rendered(&format!("services/{name}/{}", named(path)), named(text)));
    files.into()
}

/// A tree in which `orders` was generated.
fn generated() -> MemoryTree {
    let mut tree = MemoryTree::default();
    let plan = plan_groups(
        vec![group("orders", &service("orders"))],
        &Extent::default(),
        &tree,
    );
    tree.apply(&plan.unwrap());
    tree
}

/// Puts all files of a folder into another, or copies them.
fn move_folder(tree: &mut MemoryTree, from: &str, to: &str) {
    let from = path(from);
    let moved: Vec<_> = tree
        .files
        .iter()
        .filter(|(path, _)| path.is_in(&from))
        .map(|(old, file)| {
            (
                old.clone(),
                path(&old.as_str().replacen(from.as_str(), to, 1)),
                file.clone(),
            )
        })
        .collect();
    for (old, new, file) in moved {
        tree.files.remove(&old);
        tree.put(new, file);
    }
}

/// Generates `sales` instead of `orders`.
fn generate_sales(tree: &mut MemoryTree) -> FilePlan {
    let gone = ["orders".to_owned()];
    let extent = Extent {
        gone: &gone,
        ..Extent::default()
    };
    let plan = plan_groups(vec![group("sales", &service("sales"))], &extent, tree).unwrap();
    tree.apply(&plan);
    plan
}

fn text(tree: &MemoryTree, name: &str) -> String {
    let file = tree.files.get(&path(name));
    file.map(|file| String::from_utf8_lossy(&file.bytes).into_owned())
        .unwrap_or_default()
}

#[test]
fn a_service_whose_folder_was_renamed_goes_on_from_its_base() {
    let mut tree = generated();
    move_folder(&mut tree, "services/orders", "services/sales");
    tree.put(
        path("services/sales/README.md"),
        FileContent::plain("# orders\n\nWhat I think it is about.\n"),
    );
    let plan = generate_sales(&mut tree);
    assert_eq!(plan.conflicts().count(), 0, "{plan:?}");
    assert_eq!(plan.former["sales"], path("services/orders"));
    for (path, file) in service("sales") {
        if path.file_name() != "README.md" {
            assert_eq!(tree.files[&path].bytes, file.bytes, "{path}");
        }
    }
    assert!(
        !tree
            .files
            .keys()
            .any(|path| path.as_str().contains("cmd/orders"))
    );
    assert_eq!(text(&tree, ".gantline/base/index/orders"), "");
    let again = generate_sales(&mut tree);
    assert!(again.is_clean() && again.records.is_empty(), "{again:?}");
}

#[test]
fn edits_of_a_renamed_service_are_merged() {
    let mut tree = generated();
    move_folder(&mut tree, "services/orders", "services/sales");
    let main = text(&tree, "services/sales/cmd/orders/main.go");
    let edited = main
        .replace(
            ")\n\nfunc",
            "\t\"example.com/orders/internal/mine\"\n)\n\nfunc",
        )
        .replace("store.Open()", "store.Open()\n\tmine.Run()");
    tree.put(
        path("services/sales/cmd/orders/main.go"),
        FileContent::plain(edited.clone()),
    );
    generate_sales(&mut tree);
    assert_eq!(
        text(&tree, "services/sales/cmd/sales/main.go"),
        edited.replace("example.com/orders", "example.com/sales")
    );
}

#[test]
fn the_users_own_code_goes_with_its_folder_and_imports_the_module_by_its_new_path() {
    let mut tree = generated();
    move_folder(&mut tree, "services/orders", "services/sales");
    let own = "package mine\n\nimport _ \"example.com/orders/internal/store\"\n";
    for name in [
        "cmd/orders/flags.go",
        "internal/mine/mine.go",
        "vendor/x/x.go",
        "tool/tool.go",
    ] {
        tree.put(
            path(&format!("services/sales/{name}")),
            FileContent::plain(own),
        );
    }
    tree.put(
        path("services/sales/tool/go.mod"),
        FileContent::plain("module example.com/tool\n"),
    );
    generate_sales(&mut tree);
    let followed = own.replace("example.com/orders", "example.com/sales");
    assert_eq!(text(&tree, "services/sales/cmd/sales/flags.go"), followed);
    assert_eq!(text(&tree, "services/sales/cmd/orders/flags.go"), "");
    assert_eq!(
        text(&tree, "services/sales/internal/mine/mine.go"),
        followed
    );
    assert_eq!(text(&tree, "services/sales/vendor/x/x.go"), own);
    assert_eq!(text(&tree, "services/sales/tool/tool.go"), own);
}

#[test]
fn a_file_that_was_edited_and_is_generated_as_before_follows_its_module_too() {
    let mut tree = generated();
    move_folder(&mut tree, "services/orders", "services/sales");
    let own = "package store\n\nimport _ \"example.com/orders/internal/mine\"\n";
    tree.put(
        path("services/sales/internal/store/store.go"),
        FileContent::plain(own),
    );
    generate_sales(&mut tree);
    let followed = own.replace("example.com/orders", "example.com/sales");
    assert_eq!(
        text(&tree, "services/sales/internal/store/store.go"),
        followed
    );
}

#[test]
fn a_copy_of_a_service_goes_on_from_the_base_of_the_first() {
    let mut tree = generated();
    let first = tree.clone();
    move_folder(&mut tree, "services/orders", "services/sales");
    tree.files.extend(first.files);
    let groups = ["orders", "sales"].map(|name| group(name, &service(name)));
    let plan = plan_groups(groups.into(), &Extent::default(), &tree).unwrap();
    tree.apply(&plan);
    assert_eq!(plan.conflicts().count(), 0, "{plan:?}");
    for (path, file) in service("orders").into_iter().chain(service("sales")) {
        assert_eq!(tree.files[&path].bytes, file.bytes, "{path}");
    }
}

#[test]
fn a_folder_of_which_most_files_are_others_is_no_renamed_service() {
    let mut tree = generated();
    move_folder(&mut tree, "services/orders", "services/sales");
    for name in [GO_MOD, STORE, "README.md"] {
        tree.put(
            path(&format!("services/sales/{name}")),
            FileContent::plain("mine\n"),
        );
    }
    let plan = generate_sales(&mut tree);
    assert!(plan.former.is_empty());
    assert_eq!(plan.conflicts().count(), 3);
}

#[test]
fn an_index_that_was_renamed_says_itself_what_the_service_was() {
    let mut tree = generated();
    let mut other = MemoryTree::default();
    // Another of which the folder could as well be.
    let twin = |name: &str| -> BTreeMap<_, _> {
        let files = service("orders").into_iter();
        files
            .map(|(path, file)| {
                (
                    super::path(
                        &path
                            .as_str()
                            .replace("services/orders", &format!("services/{name}")),
                    ),
                    file,
                )
            })
            .collect()
    };
    let plan = plan_groups(
        vec![group("twin", &twin("twin"))],
        &Extent::default(),
        &other,
    )
    .unwrap();
    other.apply(&plan);
    other
        .files
        .retain(|path, _| path.as_str().starts_with(".gantline"));
    tree.files.extend(other.files);
    move_folder(&mut tree, "services/orders", "services/sales");
    let plan = plan_groups(
        vec![group("sales", &service("sales"))],
        &Extent::default(),
        &tree,
    );
    assert!(plan.unwrap().former.is_empty());
    move_folder(
        &mut tree,
        ".gantline/base/index/orders",
        ".gantline/base/index/sales",
    );
    let plan = plan_groups(
        vec![group("sales", &service("sales"))],
        &Extent::default(),
        &tree,
    )
    .unwrap();
    assert_eq!(plan.former["sales"], path("services/orders"));
    assert_eq!(plan.conflicts().count(), 0);
}

#[test]
fn what_was_generated_for_a_service_that_is_gone_goes_too() {
    let mut tree = generated();
    tree.files
        .retain(|path, _| path.as_str().starts_with(".gantline"));
    let gone = ["orders".to_owned()];
    let extent = Extent {
        gone: &gone,
        ..Extent::default()
    };
    let plan = plan_groups(Vec::new(), &extent, &tree).unwrap();
    tree.apply(&plan);
    assert_eq!(plan.forgotten, gone);
    assert_eq!(tree.files.len(), 0, "{tree:?}");
}
