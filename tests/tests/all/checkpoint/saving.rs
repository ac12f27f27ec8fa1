//! Tests of saving: bit-exact round trips, and the state after a failed write.

use std::collections::BTreeMap;
use std::fs;

use nn::files::{Disk, remove_partial_files, write_atomic};
use nn::{Builder, Checkpoint, CheckpointProblem, Embedding, Optimizer, Params, Storable, UpdateRule, save_checkpoint};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use safetensors::Dtype;
use tensor::Tensor;

use super::fixtures::{Folder, about, bits, head, model, text, trained};

fn assert_round_trip<T: Storable>(folder: &Folder, files: usize) {
    for rule in [UpdateRule::adam(), UpdateRule::adamw(0.1), UpdateRule::Sgd { momentum: 0.9 }, UpdateRule::rmsprop()] {
        let (params, optimizer) = trained::<T>(rule);
        let path = folder.file(T::DTYPE);
        save_checkpoint(&path, &params, Some(&optimizer), &about()).expect("saved");

        let checkpoint = Checkpoint::load(&path).expect("loaded");
        let (mut other, mut resumed) = (model::<T>(2, 3), Optimizer::new(rule, &params));
        assert_ne!(bits(other.flat()), bits(params.flat()));
        checkpoint.load_params(&mut other).expect("the same model");
        checkpoint.load_optimizer(&mut resumed).expect("the same rule");
        assert_eq!(bits(other.flat()), bits(params.flat()));
        assert_eq!(resumed.steps(), 3);
        for ((name, got), (_, want)) in resumed.moments().zip(optimizer.moments()) {
            assert_eq!(bits(got), bits(want), "{rule:?} {name}");
        }

        let bytes = fs::read(&path).expect("it exists");
        save_checkpoint(&path, &other, Some(&resumed), &about()).expect("saved");
        assert_eq!(fs::read(&path).expect("it exists"), bytes, "the same content gives the same bytes");
        assert_eq!(fs::read_dir(&folder.0).expect("it exists").count(), files, "nothing else is left");
    }
}

#[test]
fn checkpoint_round_trip_keeps_every_bit() {
    let folder = Folder::new("round-trip");
    assert_round_trip::<f32>(&folder, 1);
    assert_round_trip::<f64>(&folder, 2);
}

#[test]
fn checkpoint_extreme_numbers_keep_their_bits() {
    let folder = Folder::new("odd");
    let odd = [-0.0, f32::MIN_POSITIVE, 1e-45, -1e-45, f32::MAX, f32::MIN, 0.1, 1.0 + f32::EPSILON];
    let mut params = Params::<f32>::new();
    let x = params.add("x", &Tensor::from(odd));
    let path = folder.file("odd.safetensors");
    save_checkpoint(&path, &params, None, &BTreeMap::new()).expect("saved");
    params.set(x, &Tensor::zeros([odd.len()]));
    Checkpoint::load(&path).expect("loaded").load_params(&mut params).expect("fits");
    assert_eq!(bits(params.flat()), bits(&Tensor::from(odd)));
}

/// Random models are loaded bit for bit: any number of tensors, any shapes (also without elements), any names, any metadata,
/// any optimiser.
#[test]
fn checkpoint_random_models_round_trip_bit_for_bit() {
    let extent = prop_oneof![4 => 0..4_usize, 1 => Just(4096), 1 => Just(1 << 20)];
    let shape = prop::collection::vec(extent, 0..=4).prop_map(|mut shape| {
        let product = shape.iter().try_fold(1_usize, |size, &extent| size.checked_mul(extent));
        if product.is_none_or(|size| size > 300) {
            shape[0] = 0; // a tensor that would be too large becomes empty
        }
        shape
    });
    let name = prop_oneof![any::<String>(), "[a-z\"\\\\\u{0}-\u{1f}{}\\[\\]:,0-9]{0,12}", Just("shape".to_owned())];
    let tensors = prop::collection::btree_map(name.clone(), (shape, any::<u32>()), 0..6);
    let metadata = prop::collection::btree_map(name, any::<String>(), 0..4);
    let rules = [UpdateRule::adam(), UpdateRule::adamw(0.1), UpdateRule::Sgd { momentum: 0.9 }, UpdateRule::rmsprop()];
    let config = ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let given = (tensors, metadata, prop::option::of(0..rules.len()), 0..1_u64 << 63);
    let outcome = runner.run(&given, |(tensors, metadata, rule, steps)| {
        let mut params = Params::<f32>::new();
        for (name, (shape, bits)) in tensors.iter().filter(|(name, _)| !name.starts_with("optimizer.")) {
            let value = |i: usize| f32::from_bits(bits.wrapping_mul(i as u32 + 1));
            params.add(
                name.clone(),
                &Tensor::from_fn(&shape[..], |i| Some(value(i)).filter(|x| x.is_finite()).unwrap_or(-0.0)),
            );
        }
        let mut optimizer = rule.map(|rule| Optimizer::new(rules[rule], &params));
        if let Some(optimizer) = &mut optimizer {
            let moments = optimizer.moments().map(|(_, m)| Tensor::from_fn(m.shape(), |i| i as f32 * 0.1)).collect();
            optimizer.restore(steps, moments);
        }
        let bytes = nn::encode_checkpoint(&params, optimizer.as_ref(), &metadata).expect("finite and small");
        let checkpoint =
            Checkpoint::decode("encoded", bytes).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let mut loaded = params.clone();
        loaded.flat_mut().view_mut().fill(9.0);
        checkpoint.load_params(&mut loaded).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(bits(loaded.flat()), bits(params.flat()));
        for (key, value) in metadata.iter().filter(|(key, _)| *key != "crc32") {
            prop_assert_eq!(&checkpoint.metadata()[key], value);
        }
        if let (Some(saved), Some(rule)) = (&optimizer, rule) {
            let mut resumed = Optimizer::new(rules[rule], &params);
            checkpoint.load_optimizer(&mut resumed).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(resumed.steps(), saved.steps());
            prop_assert!(resumed.moments().map(|(_, m)| bits(m)).eq(saved.moments().map(|(_, m)| bits(m))));
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn checkpoint_tensors_without_elements_round_trip() {
    let folder = Folder::new("empty");
    let path = folder.file("model.safetensors");
    let mut params = Params::<f32>::new();
    Embedding::new(&mut Builder::new(&mut params, 1), 0, 4096);
    for shape in [&[0, 1000][..], &[1000, 0], &[0, usize::MAX], &[4, 0, 1 << 40], &[0], &[0, 0, 0, 0]] {
        params.add(format!("{shape:?}"), &Tensor::zeros(shape));
    }
    save_checkpoint(&path, &params, None, &BTreeMap::new()).expect("saved");
    Checkpoint::load(&path).expect("loaded").load_params(&mut params).expect("the same model");
}

#[test]
fn checkpoint_moments_that_would_not_load_are_not_saved() {
    let params = head();
    for rule in [UpdateRule::adam(), UpdateRule::rmsprop(), UpdateRule::Sgd { momentum: 0.9 }] {
        let mut optimizer = Optimizer::new(rule, &params);
        let moments = optimizer.moments().map(|(_, m)| Tensor::full(m.shape(), -0.5)).collect();
        optimizer.restore(3, moments);
        let saved = nn::encode_checkpoint(&params, Some(&optimizer), &BTreeMap::new());
        match rule {
            UpdateRule::Sgd { .. } => assert!(saved.is_ok(), "a velocity may be negative"),
            _ => assert!(
                saved
                    .expect_err("would not load")
                    .to_string()
                    .starts_with("optimizer.v holds the negative number -0.5")
            ),
        }
    }
}

#[test]
#[should_panic(expected = "restore: 9223372036854775808 steps, expected fewer than 2^63")]
fn optimizer_restore_too_many_steps_panics() {
    let params = head();
    let mut optimizer = Optimizer::new(UpdateRule::adam(), &params);
    let moments = optimizer.moments().map(|(_, m)| m.clone()).collect();
    optimizer.restore(1 << 63, moments);
}

#[test]
fn checkpoint_names_shapes_and_types_match_pytorch() {
    let folder = Folder::new("python");
    let path = folder.file("model.safetensors");
    let (params, optimizer) = trained::<f32>(UpdateRule::adam());
    save_checkpoint(&path, &params, Some(&optimizer), &about()).expect("saved");
    let bytes = fs::read(&path).expect("it exists");
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("valid");
    let mut found: Vec<_> = file.tensors().into_iter().map(|(n, t)| (n, t.dtype(), t.shape().to_vec())).collect();
    found.sort();
    let want = [
        ("gru.bias_hh_l0", vec![9]),
        ("gru.bias_ih_l0", vec![9]),
        ("gru.weight_hh_l0", vec![9, 3]),
        ("gru.weight_ih_l0", vec![9, 2]),
        ("head.bias", vec![1]),
        ("head.weight", vec![1, 3]),
        ("optimizer.m", vec![67]),
        ("optimizer.v", vec![67]),
    ];
    assert_eq!(found, want.map(|(name, shape)| (name.to_string(), Dtype::F32, shape)));
    let checkpoint = Checkpoint::load(&path).expect("loaded");
    let crc = checkpoint.metadata()["crc32"].as_str();
    let metadata = [
        ("crc32", crc),
        ("optimizer.rule", "adam"),
        ("optimizer.steps", "3"),
        ("task", "calculator-stages"),
        ("width", "3"),
    ];
    assert!(checkpoint.metadata().iter().map(|(k, v)| (&k[..], &v[..])).eq(metadata));
    assert_eq!(checkpoint.shapes().next(), Some(("gru.bias_hh_l0", &[9][..])));
}

/// Part files or folders that killed writers left behind do not disturb a save. `remove_partial_files` deletes the files.
#[test]
fn save_leftover_part_files_do_not_matter() {
    let folder = Folder::new("leftovers");
    let path = folder.file("model.safetensors");
    save_checkpoint(&path, &head(), None, &about()).expect("saved");
    let whole = fs::read(&path).expect("it exists");
    fs::write(folder.file("model.safetensors.0.part"), &whole[..40]).expect("written");
    fs::create_dir(folder.file("model.safetensors.1.part")).expect("made");

    let mut changed = head();
    changed.flat_mut().view_mut().fill(1.0);
    save_checkpoint(&path, &changed, None, &about()).expect("saved under another part name");
    let mut loaded = head();
    Checkpoint::load(&path).expect("whole").load_params(&mut loaded).expect("fits");
    assert_eq!(loaded.flat(), changed.flat());
    assert_eq!(
        fs::read(folder.file("model.safetensors.0.part")).expect("it exists"),
        whole[..40],
        "it may belong to another process"
    );

    fs::write(folder.file("mine.part"), "kept").expect("written");
    remove_partial_files(&folder.0).expect("swept");
    let names = fs::read_dir(&folder.0).expect("it exists").map(|entry| entry.expect("readable").file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().expect("text")).collect();
    names.sort();
    assert_eq!(names, ["mine.part", "model.safetensors", "model.safetensors.1.part"]);
}

/// Two threads write one file at the same time. A reader always finds one of the two contents.
#[test]
fn write_atomic_two_writers_do_not_mix() {
    let folder = Folder::new("two-writers");
    let path = &folder.file("model.safetensors");
    let contents = [0, 1].map(|byte| vec![byte; 50_000]);
    write_atomic(&Disk, path, &contents[0]).expect("written");
    std::thread::scope(|scope| {
        for content in &contents {
            scope.spawn(move || (0..50).for_each(|_| write_atomic(&Disk, path, content).expect("written")));
        }
        for _ in 0..200 {
            assert!(contents.contains(&fs::read(path).expect("the file always exists")));
        }
    });
    assert_eq!(fs::read_dir(&folder.0).expect("it exists").count(), 1);
}

#[test]
fn save_failed_rename_removes_the_part_file() {
    let folder = Folder::new("blocked");
    let path = folder.file("model.safetensors");
    fs::create_dir(&path).expect("made");
    fs::write(path.join("inside"), "kept").expect("written");
    save_checkpoint(&path, &head(), None, &about()).expect_err("a file does not replace a folder");
    assert_eq!(fs::read_dir(&folder.0).expect("it exists").count(), 1);
    let error = save_checkpoint(folder.file("no/such/folder"), &head(), None, &about()).expect_err("nowhere to write");
    assert!(matches!(error.problem, CheckpointProblem::Write(_)));
    assert!(error.to_string().contains("no/such/folder: cannot be written: "), "{error}");
    let advice = "; an earlier file at this path is unchanged; \
                  choose an existing, writable folder with enough free space";
    assert!(error.to_string().ends_with(advice), "{error}");
}

/// The folder can be written to but not read. (Root can read it, so for root this is an ordinary save.)
#[cfg(unix)]
#[test]
fn save_unreadable_folder_takes_checkpoints() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("unreadable");
    let path = folder.file("model.safetensors");
    let set = |mode| fs::set_permissions(&folder.0, fs::Permissions::from_mode(mode)).expect("our own folder");
    set(0o300);
    let saved = save_checkpoint(&path, &head(), None, &BTreeMap::new());
    set(0o700);
    saved.expect("the folder may be written to");
    Checkpoint::load(&path).expect("whole");
}

#[test]
fn save_too_long_metadata_are_refused() {
    let folder = Folder::new("metadata");
    let path = folder.file("model.safetensors");
    let about = |length| BTreeMap::from([("text".to_string(), "a".repeat(length))]);
    save_checkpoint(&path, &head(), None, &about(1_048_272)).expect("just short enough");
    Checkpoint::load(&path).expect("short enough");
    let whole = fs::read(&path).expect("it exists");
    let longer = u64::from_le_bytes(*whole.first_chunk().expect("eight bytes")) + 304;
    let error = save_checkpoint(&path, &head(), None, &about(1_048_576)).expect_err("too long");
    assert_eq!(
        text(&path, &error),
        format!(
            "its header would have {longer} bytes, expected 1048576 or fewer; \
             shorten the metadata, or put what they hold into a file of its own"
        )
    );
    assert_eq!(fs::read(&path).expect("it exists"), whole);
}

#[test]
#[should_panic(expected = "save_checkpoint: parameter optimizer.m has a name that is reserved for the optimiser")]
fn save_parameter_with_an_optimiser_name_panics() {
    let mut params = Params::<f32>::new();
    params.add("optimizer.m", &Tensor::zeros([1]));
    let _ = save_checkpoint("never", &params, None, &BTreeMap::new());
}

#[test]
#[should_panic(expected = "save_checkpoint: parameter __metadata__ has a name that is reserved for the metadata")]
fn save_parameter_with_the_metadata_name_panics() {
    let mut params = Params::<f32>::new();
    params.add("__metadata__", &Tensor::zeros([1]));
    let _ = save_checkpoint("never", &params, None, &BTreeMap::new());
}
