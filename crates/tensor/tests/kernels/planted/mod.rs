//! Mistakes, planted into the kernels' text one at a time: each is seen by the check that is named with it. What no order of
//! threads shows is for sanitizers to see.
//!
//! That the kernels as they are raise no alarm is what the tests of [`card`](crate::card) say, which run the same checks in the same
//! ways. `docs/planted-faults.md` is the list.

mod faults;

use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use emulator::{Emulator, Fault, Options, Outcome, Sanitizer};

use crate::card::{WAYS, bits, emulated, options, run};
use faults::FAULTS;

/// A mistake, and who sees it.
struct Planted {
    /// In words.
    what: &'static str,
    file: &'static str,
    text: &'static str,
    instead: &'static str,
    by: By,
    /// The test of this program, and what is said when it fails.
    test: &'static str,
    says: &'static str,
}

/// Who sees it.
#[derive(Clone, Copy)]
enum By {
    /// The comparison with the reference, of one of [`WAYS`].
    Comparison(usize),
    /// The emulator itself, which stops the launch.
    Emulator(usize),
    /// The comparison of bits between orders of threads.
    Bits,
    /// AddressSanitizer.
    Address,
    /// ThreadSanitizer.
    Thread,
}

impl By {
    fn words(self) -> String {
        let way = |at: usize| {
            let [order, blocks] = WAYS[at];
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

    fn way(self) -> [&'static str; 2] {
        match self {
            Self::Comparison(at) | Self::Emulator(at) => WAYS[at],
            _ => WAYS[2],
        }
    }
}

impl Planted {
    /// With the mistake. Files without it were compiled for the other tests; what every file begins with goes into one alone.
    fn options(&self) -> Options {
        let planted = Fault { file: self.file.into(), text: self.text.into(), instead: self.instead.into() };
        let one = match self.test.split("::").next() {
            Some("softmax" | "edges") => "softmax",
            Some("reduce") => "reduce",
            _ => "philox",
        };
        let of_one = || Some(["map", one].map(String::from).to_vec()); // a card is opened by `map`
        let doubles = matches!(self.by, By::Bits | By::Address);
        Options {
            modules: if self.file == "common.cuh" { of_one() } else { options().modules },
            scalars: if doubles { vec!["float", "double"] } else { vec!["float"] },
            sanitizer: self.by.sanitizer(),
            faults: vec![planted],
            ..Options::default()
        }
    }

    /// What is wrong with how it was seen, or that it was not.
    fn survives(&self) -> Option<String> {
        let built = Emulator::build(&self.options()).unwrap_or_else(|error| panic!("{}: {error}", self.what));
        if let By::Bits = self.by {
            let [forward, reverse] = ["forward", "reverse"].map(|order| bits(&built, [order, "64"]));
            return (forward == reverse).then(|| format!("{}: the same bits", self.what));
        }
        let outcome = run(&built, &[self.test], self.by.way(), &[("GRADUS_TEST_CASES", "16")]);
        let seen = !outcome.success && self.is_told(&outcome);
        (!seen).then(|| format!("{}: is not seen by {} in {}: {outcome}", self.what, self.by.words(), self.test))
    }

    fn is_told(&self, outcome: &Outcome) -> bool {
        let ran = outcome.stdout.contains("running 1 test");
        let said = [&outcome.stdout, &outcome.stderr].iter().any(|text| text.contains(self.says));
        // A sanitizer names the line, be it of the file itself or of what is put before it.
        ran && said && (self.by.sanitizer() == Sanitizer::None || outcome.stderr.contains("kernels/"))
    }

    fn row(&self) -> String {
        format!("| {} | `{}` | {} | `{}` |", self.what, self.file, self.by.words(), self.test)
    }
}

/// All of them that `which` wants, a few at a time.
fn all_are_seen(which: fn(Sanitizer) -> bool) {
    if emulated(&options()).is_none() {
        return;
    }
    let faults: Vec<_> = FAULTS.iter().filter(|fault| which(fault.by.sanitizer())).collect();
    let (next, survivors) = (AtomicUsize::new(0), Mutex::new(String::new()));
    let work = || {
        while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(words) = fault.survives() {
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

#[test]
fn each_is_seen() {
    all_are_seen(|sanitizer| sanitizer == Sanitizer::None);
}

/// Races that change no result in any order, and reads that change none.
#[test]
#[ignore = "builds with sanitizers: .ci/emulator runs it"]
fn each_is_seen_by_its_sanitizer() {
    all_are_seen(|sanitizer| sanitizer != Sanitizer::None);
}

/// That is why they have sanitizers: without one, the same checks in all three ways notice nothing.
#[test]
#[ignore = "builds with each mistake: .ci/emulator runs it"]
fn what_sanitizers_are_for_is_seen_by_nothing_else() {
    if emulated(&options()).is_none() {
        return;
    }
    for fault in FAULTS.iter().filter(|fault| fault.by.sanitizer() != Sanitizer::None) {
        let built = Emulator::build(&Options { sanitizer: Sanitizer::None, ..fault.options() }).expect("it is built");
        for way in WAYS {
            let outcome = run(&built, &[fault.test], way, &[]);
            assert!(outcome.success, "{}: {outcome}", fault.what);
        }
    }
}

#[test]
fn the_page_lists_them() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/planted-faults.md");
    let page = fs::read_to_string(path).unwrap_or_default();
    let listed: Vec<_> = page.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    let rows: Vec<_> = FAULTS.iter().map(Planted::row).collect();
    println!("{}", rows.join("\n"));
    assert_eq!(listed, rows, "docs/planted-faults.md");
}
