//! Ctrl-C, SIGTERM and a closed terminal: the first ends a command in order, the second at once.

use std::process::exit;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::error::{EXIT_INTERRUPTED, Error, Result};

/// Signals so close to one another are one: a terminal sends Ctrl-C to the program and to what
/// called it, such as `make`, which may pass it on.
const SAME: Duration = Duration::from_millis(300);
/// How long after the second signal the program may still be there, such as in a call of another
/// program that does not come back.
const LAST_RESORT: Duration = Duration::from_secs(2);

/// How many signals came since someone listens. Signals are the process's, and so is their count.
static COUNT: LazyLock<watch::Sender<u32>> = LazyLock::new(|| watch::channel(0).0);
/// Whether someone listens: once is enough, although `demo` runs several commands.
static LISTENING: AtomicBool = AtomicBool::new(false);

/// The signals that come from a moment on.
#[derive(Clone)]
pub struct Interrupts {
    count: watch::Receiver<u32>,
    /// How many came before.
    before: u32,
}

/// Listens from now on. While someone listens, neither signal ends the program by itself.
///
/// # Errors
/// When the signals cannot be listened to.
pub fn listen() -> Result<Interrupts> {
    if !LISTENING.swap(true, Ordering::SeqCst)
        && let Err(error) = start()
    {
        LISTENING.store(false, Ordering::SeqCst);
        return Err(Error::failed("cannot listen to signals").because(error));
    }
    Ok(Interrupts::from_now_on())
}

/// Done when two signals came from now on; never where nobody listens.
pub fn second() -> BoxFuture<'static, ()> {
    Interrupts::from_now_on().after(1)
}

impl Interrupts {
    fn from_now_on() -> Self {
        let count = COUNT.subscribe();
        let before = *count.borrow();
        Self { count, before }
    }

    /// Done at the first signal.
    pub fn signal(&self) -> BoxFuture<'static, ()> {
        self.after(0)
    }

    /// Does work that may be left at any point, such as what only asks a cluster.
    ///
    /// # Errors
    /// The work's, or that the user interrupted.
    pub async fn leave<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.signal() => Err(Error::interrupted()),
            done = work => done,
        }
    }

    /// Refuses to go on after a signal that the work before did not heed.
    ///
    /// # Errors
    /// When there was one.
    pub fn check(&self) -> Result<()> {
        match *self.count.borrow() > self.before {
            true => Err(Error::interrupted()),
            false => Ok(()),
        }
    }

    fn after(&self, ignored: u32) -> BoxFuture<'static, ()> {
        let mut count = self.count.clone();
        let last = self.before + ignored;
        Box::pin(async move {
            // An error means that nobody counts any more: wait for ever.
            if count.wait_for(|count| *count > last).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

fn start() -> std::io::Result<()> {
    let interrupt = signal(SignalKind::interrupt())?;
    let terminate = signal(SignalKind::terminate())?;
    let hangup = match ignores_hangup() {
        true => None,
        false => Some(signal(SignalKind::hangup())?),
    };
    tokio::spawn(count(interrupt, terminate, hangup));
    Ok(())
}

/// Whether the end of the terminal is to be survived, as under `nohup`.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|it| it.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & 1 == 1)
}

async fn next(hangup: Option<&mut Signal>) {
    match hangup {
        Some(hangup) => drop(hangup.recv().await),
        None => std::future::pending().await,
    }
}

async fn count(mut interrupt: Signal, mut terminate: Signal, mut hangup: Option<Signal>) {
    let mut last: Option<Instant> = None;
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = next(hangup.as_mut()) => {}
        }
        if last.is_some_and(|last| last.elapsed() < SAME) {
            continue;
        }
        COUNT.send_modify(|count| *count += 1);
        if last.replace(Instant::now()).is_some() {
            tokio::spawn(async {
                tokio::time::sleep(LAST_RESORT).await;
                exit(i32::from(EXIT_INTERRUPTED));
            });
        }
    }
}
