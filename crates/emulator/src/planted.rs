//! Mistakes, planted into the kernels' text one at a time: each must be seen by the check that is named with it. What no order of
//! threads shows is for sanitizers to see. `docs/planted-faults.md` lists them all.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use crate::{Built, Emulator, Fault, Options, Outcome, Sanitizer, repository};

/// In which order a block's threads take their turns, and how many blocks a grid has at most.
pub type Way = [&'static str; 2];

/// A mistake, and who sees it.
#[derive(Clone, Copy, Debug)]
pub struct Planted {
    /// In words.
    pub what: &'static str,
    /// The file, `map.cu`.
    pub file: &'static str,
    /// What stands there, once.
    pub text: &'static str,
    /// What is compiled instead.
    pub instead: &'static str,
    /// Who sees it.
    pub by: By,
    /// The test of the program that runs.
    pub test: &'static str,
    /// What is said when it fails; where bits are compared, what is in the lines that have them.
    pub says: &'static str,
}

/// Mistakes in rows: the mistake in words, the file, its text and the text that replaces it; who sees it, the test, and its message.
#[macro_export]
macro_rules! planted {
    ($($what:literal in $file:literal: $text:literal => $instead:literal; $by:expr, $test:expr, $says:expr;)*) => {
        &[$($crate::planted::Planted {
            what: $what,
            file: $file,
            text: $text,
            instead: $instead,
            by: $by,
            test: $test,
            says: $says,
        }),*]
    };
}

/// Who sees a mistake.
#[derive(Clone, Copy, Debug)]
pub enum By {
    /// The comparison with the reference.
    Comparison(Way),
    /// The emulator itself, which stops the launch.
    Emulator(Way),
    /// The comparison of bits between orders of threads.
    Bits,
    /// AddressSanitizer.
    Address,
    /// ThreadSanitizer.
    Thread,
}

impl By {
    fn words(self) -> String {
        let way = |[order, blocks]: Way| {
            let order = order.split(':').next().unwrap_or(order);
            format!("{order}, {blocks} block{}", if blocks == "1" { "" } else { "s at most" })
        };
        match self {
            Self::Comparison(at) => format!("comparison ({})", way(at)),
            Self::Emulator(at) => format!("emulator ({})", way(at)),
            Self::Bits => "bits, forward against reverse".into(),
            Self::Address => "AddressSanitizer".into(),
            Self::Thread => "ThreadSanitizer".into(),
        }
    }

    fn sanitizer(self) -> Sanitizer {
        match self {
            Self::Address => Sanitizer::Address,
            Self::Thread => Sanitizer::Thread,
            _ => Sanitizer::None,
        }
    }

    fn way(self) -> Way {
        match self {
            Self::Comparison(way) | Self::Emulator(way) => way,
            _ => ["random:7", "3"],
        }
    }
}

/// The mistakes that the tests of one program see.
#[derive(Clone, Copy, Debug)]
pub struct List {
    /// The heading that stands above them in `docs/planted-faults.md`.
    pub heading: &'static str,
    /// The mistakes.
    pub faults: &'static [Planted],
    /// What is built, but for the mistake and for who watches: as little as the test needs.
    pub build: fn(&Planted) -> Options,
    /// The program whose tests see them.
    pub program: fn() -> PathBuf,
    /// What the environment of the tests has besides.
    pub environment: &'static [(&'static str, &'static str)],
}

impl List {
    /// All that need no sanitizer, a few at a time.
    ///
    /// # Panics
    /// If one is not seen, or cannot be built.
    pub fn each_is_seen(&self) {
        self.all_are_seen(|by| by.sanitizer() == Sanitizer::None);
    }

    /// All others: races that change no result in any order, and reads that change none.
    ///
    /// # Panics
    /// If one is not seen, or cannot be built.
    pub fn each_is_seen_by_its_sanitizer(&self) {
        self.all_are_seen(|by| by.sanitizer() != Sanitizer::None);
    }

    /// That is why they have sanitizers: without one, the same checks notice nothing.
    ///
    /// # Panics
    /// If they notice something.
    pub fn nothing_else_sees_what_sanitizers_are_for(&self, ways: &[Way]) {
        for fault in self.faults.iter().filter(|fault| fault.by.sanitizer() != Sanitizer::None) {
            let built = Emulator::build(&Options { sanitizer: Sanitizer::None, ..self.options(fault) });
            let built = built.unwrap_or_else(|error| panic!("{}: {error}", fault.what));
            for &way in ways {
                let outcome = self.run(&built, fault, way);
                assert!(outcome.success, "{}: {outcome}", fault.what);
            }
        }
    }

    /// # Panics
    /// If the page lists others.
    pub fn the_page_lists_them(&self) {
        let page = fs::read_to_string(repository().join("docs/planted-faults.md")).unwrap_or_default();
        let below = page.split(&format!("\n## {}\n", self.heading)).nth(1).unwrap_or_default();
        let section = below.split("\n## ").next().unwrap_or_default();
        let listed: Vec<_> = section.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
        let rows: Vec<_> = self.faults.iter().map(row).collect();
        println!("{}", rows.join("\n"));
        assert_eq!(listed, rows, "docs/planted-faults.md, {}", self.heading);
    }

    fn all_are_seen(&self, which: fn(By) -> bool) {
        let faults: Vec<_> = self.faults.iter().filter(|fault| which(fault.by)).collect();
        let (next, survivors) = (AtomicUsize::new(0), Mutex::new(String::new()));
        let work = || {
            while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Some(words) = self.survives(fault) {
                    let mut all = survivors.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                    writeln!(all, "{words}").expect("a string has room");
                }
            }
        };
        let threads = thread::available_parallelism().map_or(1, |count| count.get()).min(4);
        thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
        let survivors = survivors.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        assert!(survivors.is_empty(), "{survivors}");
    }

    fn options(&self, fault: &Planted) -> Options {
        let planted = Fault { file: fault.file.into(), text: fault.text.into(), instead: fault.instead.into() };
        Options { sanitizer: fault.by.sanitizer(), faults: vec![planted], ..(self.build)(fault) }
    }

    fn run(&self, built: &Built, fault: &Planted, [order, blocks]: Way) -> Outcome {
        let options = [("GRADUS_EMULATOR_ORDER", order), ("GRADUS_CUDA_BLOCKS", blocks), ("RUST_BACKTRACE", "0")];
        built.run_test(&(self.program)(), fault.test, &[&options, self.environment].concat())
    }

    /// What is wrong with how it was seen, or that it was not.
    fn survives(&self, fault: &Planted) -> Option<String> {
        let built = Emulator::build(&self.options(fault)).unwrap_or_else(|error| panic!("{}: {error}", fault.what));
        if let By::Bits = fault.by {
            let [forward, reverse] = ["forward", "reverse"].map(|order| self.bits(&built, fault, [order, "64"]));
            return (forward == reverse).then(|| format!("{}: the same bits", fault.what));
        }
        let outcome = self.run(&built, fault, fault.by.way());
        let seen = !outcome.success && is_told(fault, &outcome);
        (!seen).then(|| format!("{}: is not seen by {} in {}: {outcome}", fault.what, fault.by.words(), fault.test))
    }

    fn bits(&self, built: &Built, fault: &Planted, way: Way) -> Vec<String> {
        let outcome = self.run(built, fault, way);
        let lines: Vec<_> = outcome.stdout.lines().filter(|line| line.contains(fault.says)).map(String::from).collect();
        assert!(outcome.success && !lines.is_empty(), "{}: {outcome}", fault.what);
        lines
    }
}

fn is_told(fault: &Planted, outcome: &Outcome) -> bool {
    let said = [&outcome.stdout, &outcome.stderr].iter().any(|text| text.contains(fault.says));
    // A sanitizer names the line, be it of the file itself or of what is put before it.
    said && (fault.by.sanitizer() == Sanitizer::None || outcome.stderr.contains("kernels/"))
}

fn row(fault: &Planted) -> String {
    format!("| {} | `{}` | {} | `{}` |", fault.what, fault.file, fault.by.words(), fault.test)
}
