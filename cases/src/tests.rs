//! Cases as the tests of a test program.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::{env, io};

use harness::case::{Case, Os};
use harness::outcome;
use harness::subject::{self, Subject};
use harness::trace::{End, Trace};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use suites::baseline::Baselines;
use suites::verdict::{Judgement, Verdict};

use crate::{Named, Own, UsageError, found, said};

/// The first argument of this very program where it is the executor.
const EXECUTOR: &str = "sockeye-exec";

/// The tests of the cases at `path`, which is one of the package's, and their exit status.
pub fn run(package: &str, path: &str, baselines: Option<&str>) -> ExitCode {
    if env::args().nth(1).as_deref() == Some(EXECUTOR) {
        harness::exec::refuse_large_files();
        let done = harness::exec::serve(io::stdin().lock(), io::stdout().lock(), None);
        return if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(3) };
    }
    let arguments = Arguments::from_args();
    let baselines = baselines.map(|b| Path::new(package).join(b));
    let trials = trials(&Path::new(package).join(path), baselines.as_deref(), &arguments);
    // What cannot be read has no tests that a filter could mean: as code that does not compile it fails, whatever
    // is asked for.
    let broken: Vec<Trial> = trials.1.into_iter().map(|(path, why)| failing(&path, why)).collect();
    let is_meant = |trial: &Trial| is_named(trial.name(), &arguments);
    if !arguments.list && !broken.iter().all(is_meant) {
        let all = Arguments { filter: None, exact: false, ..arguments };
        return libtest_mimic::run(&all, broken).exit_code();
    }
    libtest_mimic::run(&arguments, broken.into_iter().chain(trials.0).collect()).exit_code()
}

/// What cannot be read, and why.
type Broken = Vec<(PathBuf, String)>;

/// A test for each case, and what of the files is none of cases.
fn trials(path: &Path, baselines: Option<&Path>, arguments: &Arguments) -> (Vec<Trial>, Broken) {
    let files = match found(path) {
        Ok(files) => files,
        Err(e) => return (Vec::new(), vec![(path.to_owned(), e.to_string())]),
    };
    let (mut own, mut broken) = (Own::default(), Broken::new());
    if let Some(folder) = baselines {
        if !folder.is_dir() {
            let why = "is no folder with what was observed before; `sockeye run --update --baselines` makes one";
            let why = format!("{} {why}", folder.display());
            return (Vec::new(), vec![(folder.to_owned(), why)]);
        }
        own.observed_in(Baselines::read(folder));
    }
    for path in files {
        let mut told = String::new();
        let hears = &mut |line: &str| {
            told.push_str(line);
            told.push('\n');
        };
        let named = Named { path: path.clone(), pattern: None };
        if let Err(UsageError(why)) = own.add(&named, hears) {
            broken.push((path, format!("{told}{why}")));
        }
    }
    let ids: Vec<String> = own.cases().map(|case| case.id.clone()).collect();
    let wanted = ids.iter().filter(|id| is_wanted(id, arguments)).cloned().collect();
    let jobs = arguments.test_threads;
    let asked = Arc::new(Asked { own, wanted, jobs, ran: OnceLock::new() });
    let trials = ids.into_iter().map(|id| {
        let asked = asked.clone();
        Trial::ignorable_test(id.clone(), move || asked.told(&id))
    });
    (trials.collect(), broken)
}

/// A test that says why there is none.
fn failing(path: &Path, why: String) -> Trial {
    Trial::test(crate::files::shown(path), move || Err(visible(&why).into()))
}

fn visible(text: &str) -> String {
    harness::text::shown(text).into_owned()
}

/// Whether the test of this name is one that runs, as libtest has it: none is run for the sake of another.
fn is_wanted(id: &str, arguments: &Arguments) -> bool {
    is_named(id, arguments) && !arguments.skip.iter().any(|word| is(id, word, arguments))
}

/// Whether the filter is none, or means it.
fn is_named(id: &str, arguments: &Arguments) -> bool {
    arguments.filter.as_ref().is_none_or(|word| is(id, word, arguments))
}

fn is(id: &str, word: &str, arguments: &Arguments) -> bool {
    if arguments.exact { id == word } else { id.contains(word) }
}

/// What is asked, and what came of it once it has run: all at once, when the first is asked for.
struct Asked {
    own: Own,
    /// The ids of those that run.
    wanted: HashSet<String>,
    jobs: Option<usize>,
    ran: OnceLock<Result<HashMap<String, Ran>, String>>,
}

/// What came of a case.
struct Ran {
    trace: Trace,
    judgement: Judgement,
    transcript: String,
}

impl Asked {
    /// What the test of a case says.
    fn told(&self, id: &str) -> Result<Completion, Failed> {
        let ran = self.ran.get_or_init(|| self.run()).as_ref().map_err(|why| visible(why))?;
        let Ran { trace, judgement, transcript } = ran.get(id).ok_or("it did not run")?;
        if judgement.is_unexpected() {
            let lines = said(trace, judgement).into_iter().map(|said| match said.who.trim_end() {
                "" => said.text,
                who => format!("{who} {}", said.text),
            });
            let lines: Vec<String> = lines.collect();
            let text = format!("{}\n{}\n\n{transcript}", judgement.verdict, lines.join("\n"));
            return Err(visible(&text).into());
        }
        let ignored = |why: &str| Ok(Completion::ignored_with(visible(why)));
        match &trace.end {
            End::Skipped { reason } => ignored(reason),
            _ if judgement.verdict.is_not_here(trace) => {
                ignored(&format!("this system has no {}", trace.lacks().unwrap_or("such name")))
            }
            _ if judgement.verdict == Verdict::New => {
                ignored("it asks nothing that could be seen here")
            }
            _ => Ok(Completion::Completed),
        }
    }

    fn run(&self) -> Result<HashMap<String, Ran>, String> {
        let program = env::current_exe().map_err(|e| format!("this program has no path: {e}"))?;
        let me = Subject { program, args: vec![EXECUTOR.into()] };
        let os = Os::host().ok_or_else(|| format!("sockeye knows no {}", env::consts::OS))?;
        let kernel = subject::fingerprint(&me).map_err(|e| e.to_string())?;
        let wanted = |case: &&Case| self.wanted.contains(&case.id);
        let cases: Vec<&Case> = self.own.cases().filter(wanted).collect();
        let jobs = self.jobs.or_else(|| std::thread::available_parallelism().ok().map(usize::from));
        let traces = subject::run(&me, &cases, jobs.unwrap_or(1), &|_, _| ());
        let traces = traces.map_err(|e| e.to_string())?;
        let ran = cases.into_iter().zip(traces).filter_map(|(case, trace)| {
            let platforms = suites::platforms(&kernel, &kernel.platforms(), case.suite());
            let judgement = self.own.judge(case, &trace, os, &platforms)?;
            let transcript = outcome::transcript(case, &trace, os);
            Some((case.id.clone(), Ran { trace, judgement, transcript }))
        });
        Ok(ran.collect())
    }
}
