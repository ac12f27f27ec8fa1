//! Faults that are planted into the kernels' text one at a time. The named check must detect each. Sanitizers detect the
//! faults that change no result in any order of threads. `record/planted-faults.md` lists all faults.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use crate::{Built, Emulator, Fault, Options, Outcome, Sanitizer, repository};

/// The order in which a block's threads take turns, and the maximum number of blocks in a grid.
pub type Schedule = [&'static str; 2];

/// A planted fault and the check that detects it.
#[derive(Clone, Copy, Debug)]
pub struct PlantedFault {
    /// A description of the fault.
    pub description: &'static str,
    /// The file, such as `map.cu`.
    pub file: &'static str,
    /// The text to replace, which occurs once.
    pub text: &'static str,
    /// The text that replaces it.
    pub replacement: &'static str,
    /// The detector of the fault.
    pub detector: Detector,
    /// The test that fails.
    pub test: &'static str,
    /// A text in the failure's message. For [`Detector::Bits`], a text in each line with the bits.
    pub message: &'static str,
}

/// Builds a list of faults. Each row has the description, the file, its text and the replacement; the detector, the test, and
/// the message.
#[macro_export]
macro_rules! planted {
    ($($what:literal in $file:literal: $text:literal => $replacement:literal; $by:expr, $test:expr, $message:expr;)*) => {
        &[$($crate::planted::PlantedFault {
            description: $what,
            file: $file,
            text: $text,
            replacement: $replacement,
            detector: $by,
            test: $test,
            message: $message,
        }),*]
    };
}

/// The check that detects a fault.
#[derive(Clone, Copy, Debug)]
pub enum Detector {
    /// The comparison with the reference.
    Comparison(Schedule),
    /// The emulator, which stops the launch.
    Emulator(Schedule),
    /// The comparison of bits between two orders of threads.
    Bits,
    /// AddressSanitizer.
    Address,
    /// ThreadSanitizer.
    Thread,
}

impl Detector {
    fn describe(self) -> String {
        let describe_schedule = |[order, blocks]: Schedule| {
            let order = order.split(':').next().unwrap_or(order);
            format!("{order}, {blocks} block{}", if blocks == "1" { "" } else { "s at most" })
        };
        match self {
            Self::Comparison(schedule) => format!("comparison ({})", describe_schedule(schedule)),
            Self::Emulator(schedule) => format!("emulator ({})", describe_schedule(schedule)),
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

    fn schedule(self) -> Schedule {
        match self {
            Self::Comparison(schedule) | Self::Emulator(schedule) => schedule,
            _ => ["random:7", "3"],
        }
    }
}

/// The faults that the tests of one program detect.
#[derive(Clone, Copy, Debug)]
pub struct FaultList {
    /// The heading of their table in `record/planted-faults.md`.
    pub heading: &'static str,
    /// The faults.
    pub faults: &'static [PlantedFault],
    /// Returns the build options for a fault, as small as its test allows. The fault and the sanitizer are added.
    pub build: fn(&PlantedFault) -> Options,
    /// Returns the program that contains the tests.
    pub program: fn() -> PathBuf,
    /// More environment variables of the tests.
    pub environment: &'static [(&'static str, &'static str)],
}

impl FaultList {
    /// Checks all faults that need no sanitizer, several at a time.
    ///
    /// # Panics
    /// If a fault is not detected, or cannot be built.
    pub fn assert_every_fault_is_detected(&self) {
        self.assert_all_detected(|by| by.sanitizer() == Sanitizer::None);
    }

    /// Checks the faults that need a sanitizer: races that change no result, and out-of-bounds reads without an effect.
    ///
    /// # Panics
    /// If a fault is not detected, or cannot be built.
    pub fn assert_every_fault_is_detected_by_its_sanitizer(&self) {
        self.assert_all_detected(|by| by.sanitizer() != Sanitizer::None);
    }

    /// Checks that these faults need a sanitizer: without one, the same tests pass.
    ///
    /// # Panics
    /// If a test fails.
    pub fn assert_sanitizer_faults_pass_without_one(&self, schedules: &[Schedule]) {
        for fault in self.faults.iter().filter(|fault| fault.detector.sanitizer() != Sanitizer::None) {
            let built = Emulator::build(&Options { sanitizer: Sanitizer::None, ..self.options(fault) });
            let built = built.unwrap_or_else(|error| panic!("{}: {error}", fault.description));
            for &schedule in schedules {
                let outcome = self.run(&built, fault, schedule);
                assert!(outcome.success, "{}: {outcome}", fault.description);
            }
        }
    }

    /// Checks that the page lists exactly these faults.
    ///
    /// # Panics
    /// If it does not.
    pub fn assert_page_lists_every_fault(&self) {
        let page = fs::read_to_string(repository().join("record/planted-faults.md")).unwrap_or_default();
        let below = page.split(&format!("\n## {}\n", self.heading)).nth(1).unwrap_or_default();
        let section = below.split("\n## ").next().unwrap_or_default();
        let listed: Vec<_> = section.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
        let rows: Vec<_> = self.faults.iter().map(table_row).collect();
        println!("{}", rows.join("\n"));
        assert_eq!(listed, rows, "record/planted-faults.md, {}", self.heading);
    }

    fn assert_all_detected(&self, which: fn(Detector) -> bool) {
        let faults: Vec<_> = self.faults.iter().filter(|fault| which(fault.detector)).collect();
        let (next, survivors) = (AtomicUsize::new(0), Mutex::new(String::new()));
        let work = || {
            while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Some(words) = self.check_detection(fault) {
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

    fn options(&self, fault: &PlantedFault) -> Options {
        let planted = Fault { file: fault.file.into(), text: fault.text.into(), replacement: fault.replacement.into() };
        Options { sanitizer: fault.detector.sanitizer(), faults: vec![planted], ..(self.build)(fault) }
    }

    fn run(&self, built: &Built, fault: &PlantedFault, [order, blocks]: Schedule) -> Outcome {
        let options = [("GRADUS_EMULATOR_ORDER", order), ("GRADUS_CUDA_BLOCKS", blocks), ("RUST_BACKTRACE", "0")];
        built.run_test(&(self.program)(), fault.test, &[&options, self.environment].concat())
    }

    /// Returns a message if the fault is not detected as expected.
    fn check_detection(&self, fault: &PlantedFault) -> Option<String> {
        let built =
            Emulator::build(&self.options(fault)).unwrap_or_else(|error| panic!("{}: {error}", fault.description));
        if let Detector::Bits = fault.detector {
            let [forward, reverse] = ["forward", "reverse"].map(|order| self.read_bits(&built, fault, [order, "64"]));
            return (forward == reverse).then(|| format!("{}: the same bits", fault.description));
        }
        let outcome = self.run(&built, fault, fault.detector.schedule());
        let seen = !outcome.success && has_expected_message(fault, &outcome);
        (!seen).then(|| {
            format!(
                "{}: is not detected by {} in {}: {outcome}",
                fault.description,
                fault.detector.describe(),
                fault.test
            )
        })
    }

    fn read_bits(&self, built: &Built, fault: &PlantedFault, schedule: Schedule) -> Vec<String> {
        let outcome = self.run(built, fault, schedule);
        let lines: Vec<_> =
            outcome.stdout.lines().filter(|line| line.contains(fault.message)).map(String::from).collect();
        assert!(outcome.success && !lines.is_empty(), "{}: {outcome}", fault.description);
        lines
    }
}

fn has_expected_message(fault: &PlantedFault, outcome: &Outcome) -> bool {
    let output = [&outcome.stdout, &outcome.stderr].iter().any(|text| text.contains(fault.message));
    // A sanitizer names a line of the kernel file, or of the file that is put before it.
    output && (fault.detector.sanitizer() == Sanitizer::None || outcome.stderr.contains("kernels/"))
}

fn table_row(fault: &PlantedFault) -> String {
    format!("| {} | `{}` | {} | `{}` |", fault.description, fault.file, fault.detector.describe(), fault.test)
}
