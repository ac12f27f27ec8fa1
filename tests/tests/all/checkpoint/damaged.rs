//! Damaged files: cut anywhere, with any byte changed, and 10,000 with seeded damage of every kind. Each is an error in
//! words, or loads what was saved; none panics or takes more memory than it warrants.

use std::collections::HashSet;
use std::fs;
use std::mem::discriminant;

use allocation_counter::measure;
use nn::{Checkpoint, CheckpointError, Optimizer, Params, Problem, Rule, encode};
use safetensors::SafeTensors;
use tensor::philox::{Philox, Purpose, Stream};

use super::given::{Folder, about, bits, error_of, head, model, text, trained};

/// What reading takes beside the file itself: so many bytes for each byte of the header.
pub(crate) const FACTOR: u64 = 80;

/// Reads bytes with an eye on the memory that this takes.
pub(crate) fn read(bytes: &[u8]) -> Result<Checkpoint, CheckpointError> {
    let mut read = None;
    let owned = bytes.to_vec();
    let used = measure(|| read = Some(Checkpoint::decode("file", owned))).bytes_max;
    let header = bytes.first_chunk().map_or(0, |&prefix| u64::from_le_bytes(prefix).min(bytes.len() as u64 - 8));
    assert!(used <= 4096 + FACTOR * header, "{used} bytes of memory for a header of {header}");
    read.expect("just read")
}

/// A checkpoint, and the model that it holds.
fn saved() -> (Vec<u8>, Params<f32>) {
    let mut params = head();
    params.flat_mut().view_mut().fill(0.75);
    let bytes = encode(&params, Some(&Optimizer::new(Rule::adam(), &params)), &about()).expect("finite");
    (bytes, params)
}

/// What becomes of damaged bytes: a problem, or nothing if what loads is right. Without the checksum, which may be what
/// was damaged, right is what another reader finds in the same bytes.
fn outcome(bytes: &[u8], saved: &Params<f32>) -> Option<Problem> {
    let mut params = head();
    let loaded = read(bytes).and_then(|checkpoint| {
        checkpoint.load_params(&mut params)?;
        Ok(checkpoint)
    });
    match loaded {
        Ok(checkpoint) if checkpoint.metadata().contains_key("crc32") => {
            assert_eq!(bits(params.flat()), bits(saved.flat()));
            None
        }
        Ok(_) => {
            let file = SafeTensors::deserialize(bytes).expect("another reader understands it too");
            let data = ["weight", "bias"].map(|name| file.tensor(name).expect("it was loaded").data());
            assert_eq!(params.to_le_bytes(), data.concat());
            None
        }
        Err(error) => {
            assert!(text("file".as_ref(), &error).len() > 20);
            Some(error.problem)
        }
    }
}

#[test]
fn files_cut_off_anywhere_or_longer() {
    let folder = Folder::new("cut");
    let path = folder.file("model.safetensors");
    let (params, optimizer) = trained::<f32>(Rule::adam());
    let whole = encode(&params, Some(&optimizer), &about()).expect("finite");
    let expected = |bytes: usize| {
        format!(
            "holds {bytes} bytes, which is not what its header announces; \
             it was cut off or damaged: copy it again, or take an earlier one"
        )
    };
    let longer = [&whole[..], &[0]].concat();
    for length in (0..=longer.len()).filter(|&length| length != whole.len()) {
        let error = read(&longer[..length]).expect_err("cut");
        assert_eq!(text("file".as_ref(), &error), expected(length));
        if length % 100 < 10 || length > whole.len() - 10 {
            fs::write(&path, &longer[..length]).expect("written");
            assert_eq!(error_of(&path, &mut model(1, 3)), expected(length));
        }
    }
}

/// Every byte of the file, with every other value that it may have.
#[test]
fn one_changed_byte_is_an_error_or_changes_no_number() {
    let (mut bytes, params) = saved();
    assert!(outcome(&bytes, &params).is_none());
    let mut harmless = 0;
    for at in 0..bytes.len() {
        for change in 1..=255 {
            bytes[at] ^= change;
            harmless += usize::from(outcome(&bytes, &params).is_none());
            bytes[at] ^= change;
        }
    }
    // Spaces behind the JSON that became others, and keys of the checksum that became others.
    assert!((1..3000).contains(&harmless), "{harmless}");
}

fn chance(seed: u64) -> Philox {
    Philox::stream(seed, Stream { purpose: Purpose(1002), update: 0, episode: 0 })
}

/// Damages a header or a whole file.
fn damage(bytes: &mut Vec<u8>, chance: &mut Philox) {
    let mut below = |n: usize| chance.below(n as u32) as usize;
    let from = below(bytes.len() + 1);
    let to = (from + below(24)).min(bytes.len());
    match below(9) {
        0 if from < bytes.len() => bytes[from] ^= 1 << below(8),
        1 if from < bytes.len() => bytes[from] = br#"{}[]",:\0123456789 -.e"#[below(22)],
        2 => bytes.truncate(from),
        3 => drop(bytes.drain(from..to)),
        4 => {
            let (part, at) = (bytes[from..to].to_vec(), below(bytes.len() + 1));
            bytes.splice(at..at, part);
        }
        5 => {
            let random: Vec<u8> = (0..below(16)).map(|_| below(256) as u8).collect();
            bytes.splice(from..to, random);
        }
        6 => {
            let insert = ["[".repeat(1 + below(3000)), r#"{"":"#.repeat(1 + below(1000)), ",[]".repeat(below(500))];
            bytes.splice(from..from, insert[below(3)].bytes());
        }
        7 => word(bytes, below),
        _ => number(bytes, below),
    }
}

/// Puts a word that a header may have in the place of another.
fn word(bytes: &mut Vec<u8>, mut below: impl FnMut(usize) -> usize) {
    let words =
        ["weight", "bias", "F32", "I32", "F64", "[1, 3]", "[3]", "[1,1,3]", "[1]", "shape", "data_offsets", "null"];
    let [old, new] = [(); 2].map(|()| words[below(words.len())].as_bytes());
    if let Some(start) = bytes.windows(old.len()).position(|part| part == old) {
        bytes.splice(start..start + old.len(), new.iter().copied());
    }
}

/// Puts a hostile number in the place of one of those in the header.
fn number(bytes: &mut Vec<u8>, mut below: impl FnMut(usize) -> usize) {
    let digits = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    let starts: Vec<usize> = (1..bytes.len()).filter(|&i| digits(i) && !digits(i - 1)).collect();
    let Some(&start) = starts.get(below(starts.len() + 1)) else { return };
    let end = (start..).find(|&i| !digits(i)).expect("they end");
    let hostile =
        ["0", "1", "-1", "1e3", "18446744073709551615", "2305843009213693951", "4294967296", "99999999999999"];
    bytes.splice(start..end, hostile[below(8)].bytes());
}

/// Half of them have the right length of header for what the header has become, so that its reader gets to see it, and
/// half have no checksum, so that what comes after it does.
#[test]
fn ten_thousand_damaged_files() {
    let (whole, params) = saved();
    let header = 8 + u64::from_le_bytes(*whole.first_chunk().expect("eight bytes")) as usize;
    let key = whole.windows(5).position(|word| word == b"crc32").expect("there is a checksum");
    let (mut loaded, mut problems) = (0, HashSet::new());
    for seed in 0..10_000 {
        let chance = &mut chance(seed);
        let mut bytes = whole.clone();
        bytes[key] = if seed % 4 < 2 { b'c' } else { b'x' };
        let data = if seed % 2 == 0 { bytes.split_off(header) } else { Vec::new() };
        let skipped = if data.is_empty() { 0 } else { bytes.drain(..8).count() };
        (0..1 + chance.below(3)).for_each(|_| damage(&mut bytes, chance));
        if skipped > 0 {
            bytes = [&(bytes.len() as u64).to_le_bytes(), &bytes[..], &data].concat();
        }
        match outcome(&bytes, &params) {
            None => loaded += 1,
            Some(problem) => drop(problems.insert(discriminant(&problem))),
        }
    }
    assert!(loaded > 200, "{loaded} of them loaded");
    assert!(problems.len() >= 6, "{} kinds of problems", problems.len());
}

/// The words of an error whose checksum is wrong.
#[test]
fn a_changed_number_is_named_damage() {
    let (mut bytes, _) = saved();
    *bytes.last_mut().expect("not empty") ^= 1;
    let error = read(&bytes).expect_err("damaged");
    let Problem::Damaged { found, expected } = &error.problem else { panic!("{error}") };
    assert_eq!(
        text("file".as_ref(), &error),
        format!(
            "its content has the checksum \"{found}\", expected \"{expected}\" as its metadata say under \"crc32\"; \
             it was damaged: copy it again, or take an earlier one; if it was changed on purpose, leave \"crc32\" out"
        )
    );
}
