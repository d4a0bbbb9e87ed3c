//! Whether another thread of this process sleeps.

use std::mem::MaybeUninit;

/// What Mach knows of a thread (`thread_info`, `THREAD_BASIC_INFO`), by the name of its port, which lasts
/// as long as the thread.
pub(in crate::exec) struct ThreadState(libc::mach_port_t);

impl ThreadState {
    /// The calling thread's.
    pub(in crate::exec) fn own() -> Self {
        // SAFETY: the calling thread is there, and its port is not given away.
        let own = unsafe { libc::pthread_self() };
        // SAFETY: the handle is this thread's, which runs.
        Self(unsafe { libc::pthread_mach_thread_np(own) })
    }

    /// Whether it waits and a signal would wake it; none where nobody can tell.
    pub(in crate::exec) fn is_asleep(&self) -> Option<bool> {
        let mut info = MaybeUninit::<libc::thread_basic_info>::zeroed();
        let mut count = libc::THREAD_BASIC_INFO_COUNT;
        // SAFETY: there is room for what the count says.
        let failed = unsafe {
            libc::thread_info(
                self.0,
                libc::THREAD_BASIC_INFO as u32,
                info.as_mut_ptr().cast(),
                &raw mut count,
            )
        };
        // SAFETY: zeros are a valid one, whatever was written of it.
        let info = unsafe { info.assume_init() };
        (failed == libc::KERN_SUCCESS).then_some(info.run_state == libc::TH_STATE_WAITING)
    }
}
