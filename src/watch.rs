//! `sockeye run FILE --watch`: again whenever a file is saved.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use anyhow::Result;

use crate::cli::{OfOwn, Run};
use crate::out::Paint as _;
use crate::{Status, UsageError, interrupt, out, run, select};
use cases::{found, saved};

/// How often is looked whether a file was saved.
const OFTEN: Duration = Duration::from_millis(200);

/// What the last run came to, which is what the program says when it is interrupted.
static LAST: AtomicU8 = AtomicU8::new(Status::Expected as u8);

/// Runs until Ctrl-C.
pub(crate) fn watch(args: &Run) -> Result<Status> {
    let (named, patterns) = select::named(&args.patterns);
    if named.is_empty() || !patterns.is_empty() {
        let why = "--watch waits until a file of cases is saved: name files or folders of cases";
        return Err(UsageError(why.to_owned()).into());
    }
    for named in &named {
        found(&named.path)?;
    }
    interrupt::tidy_up_with(|| Some(LAST.load(Ordering::Relaxed)))?;
    let once = Run { own: OfOwn { watch: false, ..args.own.clone() }, ..args.clone() };
    loop {
        // What is saved while the cases run is seen behind them.
        let seen = saved(&named);
        let status = crate::status(run::once(&once));
        LAST.store(status as u8, Ordering::Relaxed);
        out::is_read()?;
        errln!("{}", "waiting until a file is saved; Ctrl-C ends".bold());
        while saved(&named) == seen {
            std::thread::sleep(OFTEN);
        }
        out::blank();
    }
}
