//! Ends the real program right before one of the system calls with which it changes a disk.

use std::ffi::c_long;
use std::process::Command;

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// How a traced program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was killed at the chosen change.
    Killed,
    /// It came to its own end, with this exit code, after so many changes.
    Itself { code: i32, changes: usize },
}

/// Makes a command wait for [`run_killed_at`] before it begins.
pub fn waiting(program: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "kill -STOP $$ && exec \"$0\" \"$@\"", program]);
    command
}

/// Runs a command made by [`waiting`], and kills it at the change with this number, counted
/// from 1. Programs that it starts are not looked at.
#[allow(clippy::zombie_processes, reason = "what follows it waits for it")]
pub fn run_killed_at(command: &mut Command, at: usize) -> Ended {
    let child = command.spawn().unwrap();
    let child = Pid::from_raw(i32::try_from(child.id()).unwrap());
    let stopped = waitpid(child, Some(WaitPidFlag::WUNTRACED)).unwrap();
    assert_eq!(stopped, WaitStatus::Stopped(child, Signal::SIGSTOP));
    let options =
        Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_EXITKILL;
    ptrace::seize(child, options).unwrap();
    kill(child, Signal::SIGCONT).unwrap();
    follow(child, at)
}

fn follow(child: Pid, at: usize) -> Ended {
    let mut changes = 0;
    // Only the children of this thread: other tests have theirs.
    let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
    loop {
        match waitpid(None, Some(flags)).unwrap() {
            WaitStatus::PtraceSyscall(thread) => {
                changes += usize::from(begins_a_change(thread));
                if changes == at {
                    kill(child, Signal::SIGKILL).unwrap();
                }
                go_on(thread, None);
            }
            WaitStatus::Exited(ended, code) if ended == child => {
                return Ended::Itself { code, changes };
            }
            WaitStatus::Signaled(ended, signal, _) if ended == child => {
                assert_eq!(signal, Signal::SIGKILL);
                return Ended::Killed;
            }
            WaitStatus::Stopped(thread, signal) => go_on(thread, Some(signal)),
            status => {
                if let Some(thread) = status.pid() {
                    go_on(thread, None);
                }
            }
        }
    }
}

/// A thread that was killed meanwhile needs no telling.
fn go_on(thread: Pid, signal: Option<Signal>) {
    match ptrace::syscall(thread, signal) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => panic!("{thread}: {error}"),
    }
}

/// Whether a thread stands before a system call that changes a disk.
fn begins_a_change(thread: Pid) -> bool {
    let Ok(registers) = ptrace::getregs(thread) else {
        return false;
    };
    // At its beginning, a call's result reads as "there is no such call".
    let begins = registers.rax.cast_signed() == -i64::from(libc::ENOSYS);
    begins && changes_a_disk(registers.orig_rax.cast_signed(), &registers)
}

fn changes_a_disk(call: c_long, registers: &libc::user_regs_struct) -> bool {
    let creates = |flags: u64| flags & u64::from(libc::O_CREAT.unsigned_abs()) != 0;
    match call {
        libc::SYS_open => creates(registers.rsi),
        libc::SYS_openat => creates(registers.rdx),
        // The streams of the program are no files.
        libc::SYS_write | libc::SYS_pwrite64 | libc::SYS_writev => registers.rdi > 2,
        call => CHANGES.contains(&call),
    }
}

const CHANGES: [c_long; 19] = [
    libc::SYS_mkdir,
    libc::SYS_mkdirat,
    libc::SYS_rmdir,
    libc::SYS_unlink,
    libc::SYS_unlinkat,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_link,
    libc::SYS_linkat,
    libc::SYS_symlink,
    libc::SYS_symlinkat,
    libc::SYS_ftruncate,
    libc::SYS_chmod,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_copy_file_range,
];
