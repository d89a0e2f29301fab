//! `install.sh` from a release archive.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::published::{
    ARCHIVE, Machine, Member, NAME, Served, Server, archive, good_archive, script, sums,
};

/// Nothing was installed, and nothing is left behind.
fn assert_untouched(machine: &Machine) {
    assert_eq!(machine.traces(), Vec::<String>::new());
}

#[test]
fn a_good_archive_is_installed_and_said() {
    let machine = Machine::with("curl");
    let run = machine.install(&Server::of(good_archive()), &[]);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.text.contains("has the SHA-256 that was published"),
        "{run}"
    );
    assert!(
        run.text
            .contains("installed [ROOT]/home/.local/bin/gantline (gantline 1.2.3)"),
        "{run}"
    );
    assert!(
        run.text.contains("is not on your PATH: export PATH="),
        "{run}"
    );
    assert!(
        run.text
            .contains("to undo: rm '[ROOT]/home/.local/bin/gantline'"),
        "{run}"
    );
    assert_eq!(machine.traces(), ["[ROOT]/home/.local/bin/gantline"]);
}

#[test]
fn wget_serves_where_there_is_no_curl() {
    let machine = Machine::with("wget");
    let run = machine.install(&Server::of(good_archive()), &[]);
    assert_eq!(run.code, 0, "{run}");
    assert!(machine.target().is_file());
}

#[test]
fn the_release_may_be_named_by_the_environment() {
    let machine = Machine::with("curl");
    let server = Server::of(good_archive());
    let folder = machine.path("current/tools");
    let environment = [
        ("GANTLINE_VERSION", "1.2.3"),
        ("GANTLINE_URL", server.address()),
        ("GANTLINE_DIR", folder.to_str().unwrap()),
    ];
    let run = machine.run_with(&environment, &[]);
    assert_eq!(run.code, 0, "{run}");
    assert!(folder.join("gantline").is_file());
}

#[test]
fn an_archive_is_installed_from_a_folder_with_spaces_to_another() {
    let machine = Machine::with("curl");
    let published = machine.path("current/my downloads");
    fs::create_dir(&published).unwrap();
    fs::write(published.join(ARCHIVE), good_archive()).unwrap();
    fs::write(published.join("SHA256SUMS"), sums(&good_archive())).unwrap();
    let archive = format!("my downloads/{ARCHIVE}");
    let run = machine.run(&["--archive", &archive, "--dir", "my programs"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        machine.path("current/my programs/gantline").is_file(),
        "{run}"
    );
}

/// A cargo that makes a program of this version at once.
const CARGO: &str = "#!/bin/sh
mkdir -p \"$CARGO_TARGET_DIR/release\"
printf '#!/bin/sh\\necho gantline 1.2.3\\n' >\"$CARGO_TARGET_DIR/release/gantline\"
chmod 755 \"$CARGO_TARGET_DIR/release/gantline\"
echo \"$@\" >\"$CARGO_TARGET_DIR/arguments\"
";

#[test]
fn what_cargo_builds_from_a_checkout_is_installed() {
    let machine = Machine::with("curl");
    machine.program("cargo", CARGO);
    let target = machine.path("current/target");
    let environment = [("CARGO_TARGET_DIR", target.to_str().unwrap())];
    let run = machine.run_with(&environment, &["--from-source"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.text.contains("(gantline 1.2.3)"), "{run}");
    assert!(machine.target().is_file());
    let arguments = fs::read_to_string(target.join("arguments")).unwrap();
    assert_eq!(
        arguments,
        "build --quiet --release --locked --bin gantline\n"
    );
}

#[test]
fn a_build_that_fails_installs_nothing() {
    let machine = Machine::with("curl");
    machine.program("cargo", "#!/bin/sh\nexit 101\n");
    let run = machine.run(&["--from-source"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.text.contains("the build failed"), "{run}");
    assert_untouched(&machine);
}

#[test]
fn without_cargo_it_is_said_what_a_build_needs() {
    let machine = Machine::with("curl");
    let run = machine.run(&["--from-source"]);
    assert_eq!(run.code, 4, "{run}");
    assert!(run.text.contains("cargo is not on PATH"), "{run}");
}

#[test]
fn an_earlier_version_is_replaced_and_named() {
    let machine = Machine::with("curl");
    fs::create_dir_all(machine.target().parent().unwrap()).unwrap();
    script(&machine.target(), "#!/bin/sh\necho gantline 1.0.0\n");
    let run = machine.install(&Server::of(good_archive()), &[]);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.text
            .contains("(gantline 1.2.3, in place of gantline 1.0.0)"),
        "{run}"
    );
}

#[test]
fn what_was_installed_is_removed_again() {
    let machine = Machine::with("curl");
    machine.install(&Server::of(good_archive()), &[]);
    let run = machine.run(&["--uninstall"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(!machine.target().exists());
    let again = machine.run(&["--uninstall"]);
    assert_eq!(
        (again.code, again.text.contains("there is no")),
        (0, true),
        "{again}"
    );
}

#[test]
fn a_corrupted_archive_changes_nothing() {
    let machine = Machine::with("curl");
    let mut corrupted = good_archive();
    corrupted[30] ^= 1;
    let server = Server::start([
        (ARCHIVE, Served::Whole(corrupted)),
        ("SHA256SUMS", Served::Whole(sums(&good_archive()))),
    ]);
    let run = machine.install(&server, &[]);
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.text.contains("it is damaged, or not the one published"),
        "{run}"
    );
    assert_untouched(&machine);
}

#[test]
fn a_sum_that_the_user_gives_counts_more_than_the_published_one() {
    let machine = Machine::with("curl");
    let run = machine.install(&Server::of(good_archive()), &["--sha256", &"a".repeat(64)]);
    assert_eq!(run.code, 1, "{run}");
    assert_untouched(&machine);
}

#[test]
fn checksums_that_do_not_name_the_archive_are_not_enough() {
    let machine = Machine::with("curl");
    let server = Server::start([
        (ARCHIVE, Served::Whole(good_archive())),
        ("SHA256SUMS", Served::Whole(b"00  other.tar.gz\n".to_vec())),
    ]);
    let run = machine.install(&server, &[]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.text.contains("does not name"), "{run}");
    assert_untouched(&machine);
}

#[test]
fn a_download_that_breaks_off_leaves_nothing() {
    for downloader in ["curl", "wget"] {
        let machine = Machine::with(downloader);
        let server = Server::start([
            (ARCHIVE, Served::Half(good_archive())),
            ("SHA256SUMS", Served::Whole(sums(&good_archive()))),
        ]);
        let run = machine.install(&server, &[]);
        assert_eq!(run.code, 4, "{} {run}", machine.downloader());
        assert!(run.text.contains("was not received whole"), "{run}");
        assert_untouched(&machine);
    }
}

#[test]
fn a_version_that_is_not_published_is_said() {
    for downloader in ["curl", "wget"] {
        let machine = Machine::with(downloader);
        let run = machine.install(&Server::start([]), &[]);
        assert_eq!(run.code, 4, "{} {run}", machine.downloader());
        assert!(run.text.contains("is the version right?"), "{run}");
        assert_untouched(&machine);
    }
}

#[test]
fn without_curl_and_wget_it_is_said_what_to_install() {
    let machine = Machine::with("true");
    let run = machine.install(&Server::of(good_archive()), &[]);
    assert_eq!(run.code, 4, "{run}");
    assert!(run.text.contains("neither curl nor wget"), "{run}");
    assert_untouched(&machine);
}

#[test]
fn a_machine_without_an_archive_is_told_so() {
    for (system, machine_name) in [("FreeBSD", "amd64"), ("Linux", "riscv64")] {
        let machine = Machine::with("curl");
        let uname =
            format!("#!/bin/sh\ncase $1 in -s) echo {system} ;; -m) echo {machine_name} ;; esac\n");
        fs::remove_file(machine.path("path/uname")).unwrap();
        machine.program("uname", &uname);
        let run = machine.install(&Server::of(good_archive()), &[]);
        assert_eq!(run.code, 4, "{run}");
        assert!(run.text.contains("there is no archive for"), "{run}");
        assert_untouched(&machine);
    }
}

#[test]
fn a_program_that_does_not_run_here_is_not_installed() {
    let machine = Machine::with("curl");
    let foreign = archive(&[(
        &format!("{NAME}/gantline"),
        Member::File(b"\x7fELF of elsewhere"),
    )]);
    fs::create_dir_all(machine.target().parent().unwrap()).unwrap();
    script(&machine.target(), "#!/bin/sh\necho gantline 1.0.0\n");
    let run = machine.install(&Server::of(foreign), &[]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.text.contains("does not run on this machine"), "{run}");
    assert!(
        fs::read_to_string(machine.target())
            .unwrap()
            .contains("1.0.0")
    );
    assert_eq!(machine.traces(), ["[ROOT]/home/.local/bin/gantline"]);
}

#[test]
fn of_a_hostile_archive_nothing_but_the_program_is_written() {
    let machine = Machine::with("curl");
    let outside = machine.path("outside");
    let hostile = archive(&[
        ("../../../../evil", Member::File(b"evil")),
        (outside.to_str().unwrap(), Member::File(b"evil")),
        (&format!("{NAME}/bin"), Member::Link("/")),
        (&format!("{NAME}/bin/evil"), Member::File(b"evil")),
        (
            &format!("{NAME}/gantline"),
            Member::File(b"#!/bin/sh\necho gantline 1.2.3\n"),
        ),
    ]);
    let run = machine.install(&Server::of(hostile), &[]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(machine.traces(), ["[ROOT]/home/.local/bin/gantline"]);
    assert!(!outside.exists());
}

#[test]
fn a_link_in_the_place_of_the_program_is_not_followed() {
    let machine = Machine::with("curl");
    let hostile = archive(&[(&format!("{NAME}/gantline"), Member::Link("/bin/sh"))]);
    let run = machine.install(&Server::of(hostile), &[]);
    assert_eq!(run.code, 1, "{run}");
    assert_untouched(&machine);
}

#[test]
fn a_folder_that_cannot_be_written_is_named_with_the_way_out() {
    // Not even root can write to these.
    for folder in ["/dev/null/bin", "/proc"] {
        let machine = Machine::with("curl");
        let run = machine.install(&Server::of(good_archive()), &["--dir", folder]);
        assert_eq!(run.code, 4, "{run}");
        assert!(
            run.text.contains("choose another folder with --dir"),
            "{run}"
        );
        assert_untouched(&machine);
    }
}

#[test]
fn a_user_who_may_not_write_to_a_folder_is_told_so_and_it_stays_as_it_was() {
    let machine = Machine::of_somebody("curl");
    let server = Server::of(good_archive());
    let tools = machine.path("current/tools");
    fs::create_dir(&tools).unwrap();
    script(&tools.join("gantline"), "#!/bin/sh\necho gantline 1.0.0\n");
    let mode = |mode| fs::set_permissions(&tools, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o555);
    let before = machine.traces();
    for (folder, said) in [
        ("tools", "[ROOT]/current/tools cannot be written to"),
        ("tools/bin", "[ROOT]/current/tools/bin cannot be made"),
    ] {
        let run = machine.install(&server, &["--dir", folder]);
        assert_eq!(run.code, 4, "{run}");
        let said = format!("{said}; choose another folder with --dir");
        assert!(run.text.contains(&said), "{run}");
        assert_eq!(machine.traces(), before);
    }
    let left = fs::read_to_string(tools.join("gantline")).unwrap();
    assert!(left.contains("1.0.0"), "{left}");
    // So that the folder can be removed.
    mode(0o755);
}

#[test]
fn a_user_without_privileges_installs_for_themselves_and_removes_it_again() {
    let machine = Machine::of_somebody("curl");
    let run = machine.install(&Server::of(good_archive()), &[]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.text.contains("(gantline 1.2.3)"), "{run}");
    let installed = fs::metadata(machine.target()).unwrap();
    assert_eq!(installed.mode() & 0o777, 0o755);
    let home = fs::metadata(machine.path("home")).unwrap();
    assert_eq!(installed.uid(), home.uid());
    assert_ne!(installed.uid(), 0, "it was installed by root");
    assert_eq!(machine.traces(), ["[ROOT]/home/.local/bin/gantline"]);
    let run = machine.run(&["--uninstall"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(!machine.target().exists());
}

#[test]
fn an_address_that_is_not_encrypted_is_refused() {
    let machine = Machine::with("curl");
    let run = machine.run(&["--version", "1.2.3", "--url", "http://example.com"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.text.contains("only https addresses"), "{run}");
}

#[test]
fn without_a_version_that_of_the_script_is_asked_for() {
    let machine = Machine::with("curl");
    let server = Server::start([("SHA256SUMS", Served::Whole(Vec::new()))]);
    let run = machine.run(&["--url", server.address()]);
    let own = format!("gantline-{}-linux-amd64.tar.gz", env!("CARGO_PKG_VERSION"));
    assert!(run.text.contains(&format!("does not name {own}")), "{run}");
}

#[test]
fn wrong_usage_is_said_with_the_usage() {
    let machine = Machine::with("curl");
    for arguments in [&["--frobnicate"][..], &["--version"]] {
        assert_eq!(machine.run(arguments).code, 2);
    }
    let help = machine.run(&["--help"]);
    assert_eq!(
        (help.code, help.text.contains("--from-source")),
        (0, true),
        "{help}"
    );
}
