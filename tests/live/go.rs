//! Generated services and the real Go: every allowed set of options builds, and is what the
//! formatter, the vet, the linter, the module tool and the code generators would have written.
//!
//! Each set of options is made once, with short, long and late-sorting names in turn; the race
//! detector runs on one service of each blueprint, since it doubles the time of all others.

mod client;
mod ignored;
mod mutations;
mod renamed;
mod upgrade;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use gantline::actions::blueprints::samples::{Combination, SHAPES, Shape, combinations, render};
use gantline::config::catalog;
use gantline::model::blueprint::Blueprint;

/// A rendered service in a temporary folder.
struct Sample {
    label: String,
    folder: PathBuf,
}

/// Runs a program in a service's folder; what it says is the failure's text.
fn run(sample: &Sample, program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(&sample.folder)
        .env("GOFLAGS", "-mod=readonly")
        .env("GOWORK", "off")
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let command = format!("{program} {}", arguments.join(" "));
    Err(format!("{}: {command}\n{text}", sample.label))
}

/// The same, and it must have nothing to say, but for what it gets that no cache has yet.
fn silent(sample: &Sample, program: &str, arguments: &[&str]) -> Result<(), String> {
    let said = run(sample, program, arguments)?;
    let mut words = said
        .lines()
        .filter(|line| !line.starts_with("go: downloading "));
    if words.all(|line| line.trim().is_empty()) {
        return Ok(());
    }
    let command = format!("{program} {}", arguments.join(" "));
    Err(format!("{}: {command} says\n{said}", sample.label))
}

/// The sets of options worth the time: no peer or two, not one.
fn worthwhile(blueprint: &Blueprint) -> Vec<Combination> {
    let all = combinations(blueprint);
    all.into_iter()
        .filter(|combination| combination.needs != 1)
        .collect()
}

fn samples(root: &Path) -> Vec<Sample> {
    let mut samples = Vec::new();
    let blueprints = catalog::blueprints(None).unwrap().into_iter();
    for blueprint in blueprints.filter(|it| !it.container) {
        let name = blueprint.reference.as_ref().unwrap().name.to_string();
        for (at, combination) in worthwhile(&blueprint).iter().enumerate() {
            let shape = &SHAPES[at % SHAPES.len()];
            samples.push(sample(root, (&blueprint, &name), combination, shape));
        }
    }
    samples
}

fn sample(
    root: &Path,
    (blueprint, name): (&Blueprint, &str),
    combination: &Combination,
    shape: &Shape,
) -> Sample {
    let label = format!("{name} {} ({} names)", combination.label(), shape.label);
    let folder = root.join(label.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-"));
    for (path, file) in render(blueprint, combination, shape).unwrap().files {
        let path = folder.join(path.as_str());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file.bytes).unwrap();
    }
    Sample { label, folder }
}

/// Looks at every sample, two at a time, and fails with all that was found.
fn every(samples: &[Sample], look: impl Fn(&Sample) -> Result<(), String> + Sync) {
    let next = AtomicUsize::new(0);
    let failures = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(sample) = samples.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(failure) = look(sample) {
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
#[ignore = "needs Go and golangci-lint"]
fn every_set_of_options_is_clean() {
    let root = tempfile::tempdir().unwrap();
    every(&samples(root.path()), |sample| {
        silent(sample, "gofmt", &["-l", "."])?;
        silent(sample, "go", &["mod", "tidy", "-diff"])?;
        silent(sample, "go", &["build", "./..."])?;
        silent(sample, "go", &["vet", "./..."])?;
        run(sample, "go", &["test", "./..."])?;
        run(sample, "golangci-lint", &["config", "verify"])?;
        run(
            sample,
            "golangci-lint",
            &["run", "--allow-parallel-runners", "./..."],
        )
        .map(drop)
    });
}

#[test]
#[ignore = "needs Go"]
fn generated_code_is_what_its_generator_writes() {
    let root = tempfile::tempdir().unwrap();
    every(&samples(root.path()), |sample| {
        let before = sources(&sample.folder);
        run(sample, "go", &["generate", "./..."])?;
        let after = sources(&sample.folder);
        let changed: Vec<_> = after
            .iter()
            .filter(|(path, text)| before.get(*path) != Some(text))
            .map(|(path, _)| path.display().to_string())
            .collect();
        if changed.is_empty() && before.len() == after.len() {
            return Ok(());
        }
        let label = &sample.label;
        Err(format!(
            "{label}: `go generate` changes {}",
            changed.join(", ")
        ))
    });
}

/// The pacts of a service, by path.
fn pacts(sample: &Sample) -> BTreeMap<PathBuf, Vec<u8>> {
    let folder = sample.folder.join("contracts");
    if !folder.exists() {
        return BTreeMap::new();
    }
    let mut found = sources(&folder);
    found.retain(|path, _| path.extension().is_some_and(|ending| ending == "json"));
    found
}

#[test]
#[ignore = "needs Go"]
fn a_pact_that_is_not_what_the_tests_record_is_red_until_it_is_recorded_again() {
    let root = tempfile::tempdir().unwrap();
    let with_pacts: Vec<_> = samples(root.path())
        .into_iter()
        .filter(|sample| !pacts(sample).is_empty())
        .collect();
    assert!(!with_pacts.is_empty());
    every(&with_pacts, |sample| {
        let recorded = pacts(sample);
        for (path, bytes) in &recorded {
            let text = String::from_utf8(bytes.clone()).unwrap();
            let edited = text.replacen("\"reference\"", "\"renamed\"", 1);
            fs::write(path, edited).unwrap();
        }
        let Err(said) = run(sample, "go", &["test", "./contracts"]) else {
            return Err(format!("{}: an edited pact is green", sample.label));
        };
        for part in ["\"renamed\"", "\"reference\"", "UPDATE_CONTRACTS=1"] {
            if !said.contains(part) {
                return Err(format!("{}: no {part} in {said}", sample.label));
            }
        }
        run(
            sample,
            "env",
            &["UPDATE_CONTRACTS=1", "go", "test", "./contracts"],
        )?;
        if pacts(sample) == recorded {
            return Ok(());
        }
        Err(format!("{}: recorded again, it differs", sample.label))
    });
}

#[test]
#[ignore = "needs Go and a C compiler"]
fn no_race_is_found_in_one_service_of_each_blueprint() {
    let root = tempfile::tempdir().unwrap();
    let all: Vec<_> = catalog::blueprints(None)
        .unwrap()
        .iter()
        .filter(|blueprint| !blueprint.container)
        .map(|blueprint| {
            let name = blueprint.reference.as_ref().unwrap().name.to_string();
            let largest = worthwhile(blueprint).pop().unwrap();
            sample(root.path(), (blueprint, &name), &largest, &SHAPES[1])
        })
        .collect();
    every(&all, |sample| {
        run(sample, "go", &["test", "-race", "./..."]).map(drop)
    });
}

fn sources(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else {
            found.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    found
}
