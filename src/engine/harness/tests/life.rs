//! How a harness begins and ends.

use super::*;

#[tokio::test]
async fn a_harness_that_does_not_say_where_it_listens_did_not_start() {
    let with = |version: u32, address: &str| {
        format!(
            "echo '{}'; {WAIT}",
            json!({"version": version, "address": address})
        )
    };
    let cases = [
        ("echo hello; exit 2".to_owned(), "ended before it said"),
        ("sleep 60".to_owned(), "did not say within 1 s"),
        (
            "printf '\\377{\"version\":\\n'; sleep 60".to_owned(),
            "did not say within 1 s",
        ),
        ("while echo {}; do :; done".to_owned(), "wrote much"),
        (with(2, "127.0.0.1:1"), "version 2"),
        (with(1, "nowhere"), "no address"),
        (with(1, "192.0.2.1:80"), "not this host alone"),
    ];
    for (script, expected) in cases {
        let Err(trouble) = start(&script).await else {
            panic!("{script} started");
        };
        assert_eq!(trouble.kind, TroubleKind::DoesNotStart, "{script}");
        assert!(trouble.message.contains(expected), "{}", trouble.message);
        assert!(trouble.next.is_some());
    }
    let nothing = ProcessHarness::start("orders", Command::new("/no/such/program"), SHORT).await;
    assert_eq!(nothing.err().unwrap().kind, TroubleKind::DoesNotStart);
}

#[tokio::test]
async fn a_harness_ends_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("child");
    let address = server(|_| None).await;
    let script = format!(
        "sleep 60 & echo $! > {}; {}; wait",
        file.display(),
        greeting(&address)
    );
    drop(start(&script).await.unwrap());
    let child = std::fs::read_to_string(&file).unwrap();
    for _ in 0..100 {
        if has_ended(child.trim()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("process {child} is left");
}

fn has_ended(process: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(process).join("stat"));
    stat.map_or(true, |stat| stat.contains(") Z "))
}

#[tokio::test]
async fn a_provider_without_a_harness_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let harnesses = ProcessHarnesses::new(folder.path().to_path_buf(), SHORT);
    let source = HarnessSource {
        provider: "orders".to_owned(),
        directory: folder.path().to_path_buf(),
    };
    let Err(BuildFailure::Trouble(trouble)) = harnesses.build(&source).await else {
        panic!("it was built");
    };
    assert_eq!(trouble.kind, TroubleKind::NoHarness);
    assert!(
        trouble.message.contains("internal/contracttest"),
        "{}",
        trouble.message
    );
}
