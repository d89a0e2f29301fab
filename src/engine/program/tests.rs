use super::*;

fn shell(script: &str, patience: Duration) -> ProgramCall {
    ProgramCall::new("sh", patience).arguments(["-c", script])
}

#[tokio::test]
async fn a_program_is_run_to_its_end() {
    let mut lines = Vec::new();
    let finished = shell("echo out; echo one >&2; echo two >&2; exit 3", LONG)
        .run(|line| lines.push(line.to_owned()))
        .await
        .unwrap();
    assert_eq!(finished.code, 3);
    assert_eq!(finished.output, "out\n");
    assert_eq!(lines, ["one", "two"]);
    assert_eq!(finished.last_words(1), "two");
}

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn both_streams_come_line_by_line_where_that_is_asked_for() {
    let mut lines = Vec::new();
    let finished = shell("echo out; echo one >&2; echo more", LONG)
        .streams(Streams::Lines)
        .run(|line| lines.push(line.to_owned()))
        .await
        .unwrap();
    lines.sort();
    assert_eq!(lines, ["more", "one", "out"]);
    assert_eq!(finished.output, "out\nmore\n");
}

#[tokio::test]
async fn an_absent_program_is_told_from_one_that_fails() {
    let absent = ProgramCall::new("no-such-program-at-all", LONG)
        .run(|_| {})
        .await;
    assert!(matches!(absent, Err(CallError::Absent(_))));
    let nowhere = shell("true", LONG)
        .directory("/no/such/folder")
        .run(|_| {})
        .await;
    assert!(matches!(nowhere, Err(CallError::Unrunnable { .. })));
}

#[tokio::test]
async fn a_program_that_hangs_is_ended_with_what_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let script = "sleep 60 & echo $! > child; wait";
    let hung = shell(script, Duration::from_millis(500))
        .directory(folder.path())
        .run(|_| {})
        .await;
    assert!(matches!(hung, Err(CallError::TimedOut { .. })));
    let child = std::fs::read_to_string(folder.path().join("child")).unwrap();
    let process = Pid::from_raw(child.trim().parse().unwrap());
    let mut gone = false;
    for _ in 0..100 {
        gone = nix::sys::signal::kill(process, None).is_err();
        if gone {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(gone || is_zombie(&child));
}

fn is_zombie(process: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{}/stat", process.trim()))
        .is_ok_and(|stat| stat.contains(") Z "))
}

#[tokio::test]
async fn a_bare_call_inherits_no_variable() {
    let finished = ProgramCall::new("/usr/bin/env", LONG)
        .bare()
        .variable("ONLY", "this")
        .run(|_| {})
        .await
        .unwrap();
    assert_eq!(finished.output, "ONLY=this\n");
}
