//! Tests of damaged files: truncated at any length, with any byte changed, and 10,000 with seeded random damage.
//!
//! Each file causes an error with a message or loads what was saved. None panics or uses more memory than its header
//! justifies.

use std::collections::HashSet;
use std::fs;
use std::mem::discriminant;

use allocation_counter::measure;
use nn::{Checkpoint, CheckpointError, CheckpointProblem, Optimizer, Params, UpdateRule, encode_checkpoint};
use safetensors::SafeTensors;
use tensor::philox::{Philox, Purpose, Stream};

use super::fixtures::{Folder, about, bits, error_of, head, model, text, trained};

/// The largest number of bytes that a reader may allocate per byte of the header, besides the file itself.
pub(crate) const FACTOR: u64 = 80;

/// Decodes a checkpoint and asserts that the peak memory stays within the bound.
pub(crate) fn read(bytes: &[u8]) -> Result<Checkpoint, CheckpointError> {
    let mut read = None;
    let owned = bytes.to_vec();
    let used = measure(|| read = Some(Checkpoint::decode("file", owned))).bytes_max;
    let header = bytes.first_chunk().map_or(0, |&prefix| u64::from_le_bytes(prefix).min(bytes.len() as u64 - 8));
    assert!(used <= 4096 + FACTOR * header, "{used} bytes of memory for a header of {header}");
    read.expect("just read")
}

/// Returns the bytes of a checkpoint and the model in it.
fn saved() -> (Vec<u8>, Params<f32>) {
    let mut params = head();
    params.flat_mut().view_mut().fill(0.75);
    let bytes =
        encode_checkpoint(&params, Some(&Optimizer::new(UpdateRule::adam(), &params)), &about()).expect("finite");
    (bytes, params)
}

/// Loads damaged bytes. Returns the problem, or `None` if the loaded values are right.
///
/// With a checksum, right values are the saved ones. If the damage removed the checksum, they are the values that another
/// reader finds in the same bytes.
fn load_damaged(bytes: &[u8], saved: &Params<f32>) -> Option<CheckpointProblem> {
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
            let file = SafeTensors::deserialize(bytes).expect("another reader accepts it too");
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
fn checkpoint_truncated_or_longer_file_is_refused() {
    let folder = Folder::new("cut");
    let path = folder.file("model.safetensors");
    let (params, optimizer) = trained::<f32>(UpdateRule::adam());
    let whole = encode_checkpoint(&params, Some(&optimizer), &about()).expect("finite");
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

/// Changes every byte of the file to every other value.
#[test]
fn checkpoint_one_changed_byte_is_refused_or_harmless() {
    let (mut bytes, params) = saved();
    assert!(load_damaged(&bytes, &params).is_none());
    let mut harmless = 0;
    for at in 0..bytes.len() {
        for change in 1..=255 {
            bytes[at] ^= change;
            harmless += usize::from(load_damaged(&bytes, &params).is_none());
            bytes[at] ^= change;
        }
    }
    // Harmless changes: the padding behind the JSON, and the key of the checksum.
    assert!((1..3000).contains(&harmless), "{harmless}");
}

fn chance(seed: u64) -> Philox {
    Philox::stream(seed, Stream { purpose: Purpose(1002), update: 0, episode: 0 })
}

/// Applies one random damage to a header or a whole file.
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
        7 => replace_word(bytes, below),
        _ => replace_number(bytes, below),
    }
}

/// Replaces a word of the header with another word that a header may contain.
fn replace_word(bytes: &mut Vec<u8>, mut below: impl FnMut(usize) -> usize) {
    let words =
        ["weight", "bias", "F32", "I32", "F64", "[1, 3]", "[3]", "[1,1,3]", "[1]", "shape", "data_offsets", "null"];
    let [old, new] = [(); 2].map(|()| words[below(words.len())].as_bytes());
    if let Some(start) = bytes.windows(old.len()).position(|part| part == old) {
        bytes.splice(start..start + old.len(), new.iter().copied());
    }
}

/// Replaces a number of the header with a hostile number.
fn replace_number(bytes: &mut Vec<u8>, mut below: impl FnMut(usize) -> usize) {
    let digits = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    let starts: Vec<usize> = (1..bytes.len()).filter(|&i| digits(i) && !digits(i - 1)).collect();
    let Some(&start) = starts.get(below(starts.len() + 1)) else { return };
    let end = (start..).find(|&i| !digits(i)).expect("they end");
    let hostile =
        ["0", "1", "-1", "1e3", "18446744073709551615", "2305843009213693951", "4294967296", "99999999999999"];
    bytes.splice(start..end, hostile[below(8)].bytes());
}

/// In half of the files, the length field is corrected after the damage, so that the header is parsed. In half of them, the
/// checksum is missing, so that the checks behind it run.
#[test]
fn checkpoint_ten_thousand_damaged_files_are_refused_or_harmless() {
    let (whole, params) = saved();
    let header = 8 + u64::from_le_bytes(*whole.first_chunk().expect("eight bytes")) as usize;
    let key = whole.windows(5).position(|word| word == b"crc32").expect("the file has a checksum");
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
        match load_damaged(&bytes, &params) {
            None => loaded += 1,
            Some(problem) => drop(problems.insert(discriminant(&problem))),
        }
    }
    assert!(loaded > 200, "{loaded} of them loaded");
    assert!(problems.len() >= 6, "{} kinds of problems", problems.len());
}

/// The message of a checksum error.
#[test]
fn checkpoint_changed_number_fails_the_checksum() {
    let (mut bytes, _) = saved();
    *bytes.last_mut().expect("not empty") ^= 1;
    let error = read(&bytes).expect_err("damaged");
    let CheckpointProblem::Damaged { found, expected } = &error.problem else { panic!("{error}") };
    assert_eq!(
        text("file".as_ref(), &error),
        format!(
            "its content has the checksum \"{found}\", expected \"{expected}\" as its metadata say under \"crc32\"; \
             it was damaged: copy it again, or take an earlier one; if it was changed on purpose, leave \"crc32\" out"
        )
    );
}
