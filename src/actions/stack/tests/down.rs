//! `down` after a command that was killed.

use std::sync::Arc;
use std::time::Duration;

use super::bench::Bench;
use crate::actions::stack::down::down;
use crate::engine::runtime::{ClearScope, Runtime};
use crate::model::stack::RuntimeKind;

#[tokio::test]
async fn what_a_killed_command_had_asked_for_is_cleared_though_it_comes_late() {
    let bench = Bench::working();
    let runtime = Arc::clone(&bench.runtime) as Arc<dyn Runtime>;
    let runtimes = [(RuntimeKind::Docker, runtime)];
    let late = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        bench.up().await.unwrap()
    };
    let (removed, _) = tokio::join!(down(&runtimes, ClearScope::Everything, true), late);
    assert_eq!(removed.unwrap().stopped.len(), 5);
    assert_eq!(bench.runtime.observe().await.unwrap(), []);
}
