//! Tests take turns: between threads, and between programs.

use std::fs::{File, TryLockError};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use crate::common::turn::{self, turn};

#[test]
fn no_two_threads_have_a_turn_and_none_is_sent_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, now, most, had) =
        (folder.path().join("lock"), AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let _turn = turn::of(&file);
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(5));
                now.fetch_sub(1, Ordering::SeqCst);
                had.fetch_add(1, Ordering::SeqCst);
            });
        }
    });
    assert_eq!((most.into_inner(), had.into_inner()), (1, 8));
}

/// What another program would find.
#[test]
fn a_turn_is_held_until_it_is_dropped() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lock");
    let held = turn::of(&file);
    let other = File::open(&file).expect("it is there");
    assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
    drop(held);
    assert!(other.try_lock().is_ok());
}

#[test]
fn only_who_shares_the_network_waits() {
    assert_eq!(turn().is_some(), harness::exec::shares_the_network());
}
