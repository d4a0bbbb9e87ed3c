//! What a process that is given no more says: a sentence and a status, and no signal.

use std::alloc::{GlobalAlloc, Layout, System};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// What a process without memory says.
const NO_MEMORY: &[u8] = b"sockeye: there is no more memory to be had, see ulimit(1) and free(1)\n";

/// The status of a harness that could not run.
const STATUS: libc::c_int = 3;

/// The system's memory. A process that gets none ends with a sentence: what is in the standard
/// library instead is an abort, which for the one that waits for it is a signal of the kernel's.
#[derive(Debug)]
pub struct Memory;

// SAFETY: the system's allocator does all of it, and what is returned is its pointer or nothing.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are handed on.
        got(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are handed on.
        got(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promises are handed on.
        got(unsafe { System.realloc(old, layout, size) })
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are handed on.
        unsafe { System.dealloc(old, layout) }
    }
}

fn got(memory: *mut u8) -> *mut u8 {
    if memory.is_null() { no_memory() } else { memory }
}

/// Ends the process by calls that need no memory.
#[cold]
fn no_memory() -> ! {
    // SAFETY: the bytes are valid for their length; if nobody takes them there is nobody to tell.
    unsafe { libc::write(libc::STDERR_FILENO, NO_MEMORY.as_ptr().cast(), NO_MEMORY.len()) };
    // SAFETY: it does not return, and runs nothing of the program's.
    unsafe { libc::_exit(STATUS) }
}

extern "C" fn nothing(_signal: libc::c_int) {}

/// Has `write` fail with EFBIG where a file is not allowed to grow (setrlimit(2), `RLIMIT_FSIZE`),
/// instead of a signal that ends the process. Programs that it starts have the signal's default: a
/// handler does not outlive execve(2), an ignored signal would.
pub fn refuse_large_files() {
    let handler = SigHandler::Handler(nothing);
    let action = SigAction::new(handler, SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler does nothing. It fails for no signal that a program may catch.
    let _ = unsafe { sigaction(Signal::SIGXFSZ, &action) };
}
