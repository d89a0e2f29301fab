//! A terminal with somebody at it: what the program asks is seen, and answered by keys.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::pty::{Winsize, openpty};

use super::workspace::Workspace;

/// How long the program may take to say or to do something.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a key may take to have its effect, before it is pressed again.
const EFFECT: Duration = Duration::from_secs(1);

/// How many columns a terminal has when nothing else is said.
pub const USUAL_WIDTH: u16 = 120;
/// Enter.
pub const ENTER: &str = "\r";
/// Ctrl-C.
pub const INTERRUPT: &str = "\u{3}";

/// The binary at a terminal.
pub struct Terminal {
    program: Child,
    keyboard: File,
    output: Receiver<Vec<u8>>,
    /// All that the program wrote.
    written: Vec<u8>,
    /// How much of it, as people see it, was looked at.
    seen: usize,
}

/// How a run at a terminal ended.
pub struct Ended {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// All that the program wrote, with what moves the cursor and gives colours.
    pub written: String,
}

impl Terminal {
    /// Starts the binary in a workspace, at a terminal as people have it.
    pub fn start(workspace: &Workspace, environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        Self::of_width(USUAL_WIDTH, workspace, environment, arguments)
    }

    /// Starts the binary in a workspace, at a terminal of so many columns.
    pub fn of_width(
        columns: u16,
        workspace: &Workspace,
        environment: &[(&str, &str)],
        arguments: &[&str],
    ) -> Self {
        let size = Winsize {
            ws_row: 40,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let both = openpty(&size, None).unwrap();
        for side in [both.master.as_fd(), both.slave.as_fd()] {
            fcntl(side, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).unwrap();
        }
        let program = workspace.start_at(&both.slave, environment, arguments);
        let keyboard = File::from(both.master);
        let mut screen = keyboard.try_clone().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // An error means that nobody holds the other side any more.
            while let Ok(length) = screen.read(&mut buffer) {
                if length == 0 || sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            program,
            keyboard,
            output,
            written: Vec::new(),
            seen: 0,
        }
    }

    /// Waits until the program shows a text, after what was seen before.
    pub fn sees(&mut self, text: &str) {
        let began = Instant::now();
        loop {
            let shown = self.shown();
            let new = shown.get(self.seen..).unwrap_or_default();
            if let Some(at) = new.find(text) {
                self.seen += at + text.len();
                return;
            }
            assert!(began.elapsed() < PATIENCE, "no {text:?} in: {shown}");
            self.read(EFFECT);
        }
    }

    /// What is shown until now, without colours.
    pub fn shown(&self) -> String {
        let text = String::from_utf8_lossy(&self.written);
        console::strip_ansi_codes(&text).into_owned()
    }

    /// Presses keys.
    pub fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Answers a question.
    pub fn answers(&mut self, question: &str, keys: &str) {
        self.sees(question);
        self.types(keys);
        self.types(ENTER);
    }

    /// Answers all questions of `add service` with what makes the service `orders`.
    pub fn answers_for_orders(&mut self) {
        self.answers("Name of the service", "orders");
        self.answers("Blueprint", "go-service");
        self.answers("entity:", "order");
        self.answers("store:", "postgres");
        self.answers("messaging:", "nats");
        self.answers("Event that it publishes", "order-placed");
        self.sees("Write them?");
        self.types("y");
    }

    /// Presses Ctrl-C until the program ends: between two keys nobody may listen. Each time it
    /// gets a while, since the terminal forgets what is being written when the key is pressed.
    pub fn interrupts(mut self) -> Ended {
        let began = Instant::now();
        while self.program.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < PATIENCE, "goes on: {}", self.shown());
            self.types(INTERRUPT);
            let pressed = Instant::now();
            while pressed.elapsed() < EFFECT && self.program.try_wait().unwrap().is_none() {
                self.read(Duration::from_millis(20));
            }
        }
        self.ends()
    }

    /// Waits for the program's end.
    pub fn ends(mut self) -> Ended {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.program.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "goes on: {}", self.shown());
            self.read(Duration::from_millis(50));
        };
        while self.read(EFFECT) {}
        Ended {
            code: status.code().unwrap_or(-1),
            written: String::from_utf8_lossy(&self.written).into_owned(),
        }
    }

    /// Takes in what the program writes; whether there was something.
    fn read(&mut self, patience: Duration) -> bool {
        match self.output.recv_timeout(patience) {
            Ok(bytes) => {
                self.written.extend(bytes);
                true
            }
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(Duration::from_millis(10));
                false
            }
        }
    }
}

impl Ended {
    /// All that the program wrote, as people see it.
    pub fn shown(&self) -> String {
        console::strip_ansi_codes(&self.written).into_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A test that failed leaves nothing behind; a program that ended is no error here.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
