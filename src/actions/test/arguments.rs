//! The arguments of `go test`: where packages stand among them, and what they have written.

use std::path::{Component, Path};

/// Flags that stand alone (`go help build`, `go help testflag`; Go 1.26).
const SWITCHES: [&str; 20] = [
    "a",
    "artifacts",
    "asan",
    "benchmem",
    "buildvcs",
    "c",
    "cover",
    "failfast",
    "fullpath",
    "json",
    "linkshared",
    "modcacherw",
    "msan",
    "n",
    "race",
    "short",
    "trimpath",
    "v",
    "work",
    "x",
];
/// Flags with a value, which may be the next word.
const VALUED: [&str; 46] = [
    "C",
    "asmflags",
    "bench",
    "benchtime",
    "blockprofile",
    "blockprofilerate",
    "buildmode",
    "compiler",
    "count",
    "covermode",
    "coverpkg",
    "coverprofile",
    "cpu",
    "cpuprofile",
    "exec",
    "fuzz",
    "fuzzminimizetime",
    "fuzztime",
    "gccgoflags",
    "gcflags",
    "installsuffix",
    "ldflags",
    "list",
    "memprofile",
    "memprofilerate",
    "mod",
    "modfile",
    "mutexprofile",
    "mutexprofilefraction",
    "o",
    "outputdir",
    "overlay",
    "p",
    "parallel",
    "pgo",
    "pkgdir",
    "run",
    "shuffle",
    "skip",
    "tags",
    "timeout",
    "toolexec",
    "trace",
    "vet",
    "debug-actiongraph",
    "debug-trace",
];
/// Flags whose value is a file or a folder that is written.
const WRITTEN: [&str; 8] = [
    "blockprofile",
    "coverprofile",
    "cpuprofile",
    "memprofile",
    "mutexprofile",
    "o",
    "outputdir",
    "trace",
];

/// The part of the arguments that Go reads itself. What follows `-args`, or a flag that only the
/// tests know, is theirs, and no package is looked for there.
#[derive(Default)]
struct Read<'a> {
    flags: Vec<(&'a str, Option<&'a str>)>,
    has_packages: bool,
    /// How many words.
    length: usize,
}

fn read(given: &[String]) -> Read<'_> {
    let mut read = Read::default();
    while let Some(word) = given.get(read.length) {
        let Some(flag) = word.strip_prefix('-') else {
            read.has_packages = true;
            read.length += 1;
            continue;
        };
        let flag = flag.strip_prefix('-').unwrap_or(flag);
        let flag = flag.strip_prefix("test.").unwrap_or(flag);
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (flag, None),
        };
        let is_valued = VALUED.contains(&name);
        if !is_valued && !SWITCHES.contains(&name) {
            break;
        }
        let next = given.get(read.length + 1).map(String::as_str);
        let next = next.filter(|_| is_valued && value.is_none());
        read.flags.push((name, value.or(next)));
        read.length += 1 + usize::from(next.is_some());
    }
    read
}

/// The arguments as given, with all packages where none is named.
pub(super) fn with_packages(given: &[String]) -> Vec<String> {
    let read = read(given);
    let mut all = given.to_vec();
    if !read.has_packages {
        all.insert(read.length, "./...".to_owned());
    }
    all
}

/// Whether Go is to write one JSON document for each event.
pub(super) fn is_json(given: &[String]) -> bool {
    let flags = read(given).flags;
    flags
        .iter()
        .any(|(name, value)| *name == "json" && !matches!(value, Some("false" | "0")))
}

/// A flag, and the file that it has written at one place for all services: Go runs in each service's
/// folder, and this is outside of it.
pub(super) fn shared_file(given: &[String]) -> Option<(&str, &str)> {
    let flags = read(given).flags.into_iter();
    let mut written = flags.filter_map(|(name, value)| Some((name, value?)));
    written.find(|(name, value)| {
        let path = Path::new(value);
        let leads_out =
            path.is_absolute() || path.components().any(|it| it == Component::ParentDir);
        WRITTEN.contains(name) && leads_out && !path.starts_with("/dev")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn given(text: &str) -> String {
        with_packages(&words(text)).join(" ")
    }

    #[test]
    fn all_packages_are_tested_unless_some_are_named() {
        assert_eq!(given(""), "./...");
        assert_eq!(given("-run TestX -count=1"), "-run TestX -count=1 ./...");
        for named in [
            "-race ./internal/...",
            "./internal/... -race",
            "-run TestX example.com/shop/services/orders/internal/app",
            "all",
        ] {
            assert_eq!(given(named), named);
        }
    }

    #[test]
    fn the_value_of_a_flag_is_no_package() {
        for (flags, expected) in [
            ("-coverpkg ./...", "-coverpkg ./... ./..."),
            ("-coverpkg=./...", "-coverpkg=./... ./..."),
            (
                "--coverprofile ./cover.out",
                "--coverprofile ./cover.out ./...",
            ),
            ("-test.run . -v", "-test.run . -v ./..."),
            (
                "-coverpkg ./... ./internal/app",
                "-coverpkg ./... ./internal/app",
            ),
        ] {
            assert_eq!(given(flags), expected);
        }
    }

    #[test]
    fn packages_stand_before_what_is_meant_for_the_tests() {
        assert_eq!(given("-v -args -x ./a"), "-v ./... -args -x ./a");
        assert_eq!(given("-v -update ./a"), "-v ./... -update ./a");
        assert_eq!(given("-golden=x -v"), "./... -golden=x -v");
    }

    #[test]
    fn a_file_outside_of_the_services_folder_is_one_for_all() {
        for (flags, shared) in [
            ("-coverprofile cover.out", None),
            (
                "-coverprofile=/tmp/c.out",
                Some(("coverprofile", "/tmp/c.out")),
            ),
            ("-v -outputdir ../../out", Some(("outputdir", "../../out"))),
            ("-c -o /dev/null", None),
            ("-run /tmp/x", None),
        ] {
            assert_eq!(shared_file(&words(flags)), shared, "{flags}");
        }
        assert!(is_json(&words("-v -json")));
        assert!(!is_json(&words("-run -json -json=false")));
    }
}
