//! There and back to the bit, and what a write that fails leaves.

use std::collections::BTreeMap;
use std::fs;

use nn::files::{Disk, sweep, write_whole};
use nn::{Builder, Checkpoint, Embedding, Optimizer, Params, Problem, Rule, Stored, save};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use safetensors::Dtype;
use tensor::Tensor;

use super::given::{Folder, about, bits, head, model, text, trained};

fn there_and_back<T: Stored>(folder: &Folder, files: usize) {
    for rule in [Rule::adam(), Rule::adamw(0.1), Rule::Sgd { momentum: 0.9 }, Rule::rmsprop()] {
        let (params, optimizer) = trained::<T>(rule);
        let path = folder.file(T::DTYPE);
        save(&path, &params, Some(&optimizer), &about()).expect("saved");

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

        let bytes = fs::read(&path).expect("there");
        save(&path, &other, Some(&resumed), &about()).expect("saved");
        assert_eq!(fs::read(&path).expect("there"), bytes, "the same content gives the same bytes");
        assert_eq!(fs::read_dir(&folder.0).expect("there").count(), files, "nothing else is left");
    }
}

#[test]
fn there_and_back_to_the_bit() {
    let folder = Folder::new("round-trip");
    there_and_back::<f32>(&folder, 1);
    there_and_back::<f64>(&folder, 2);
}

#[test]
fn odd_numbers_keep_their_bits() {
    let folder = Folder::new("odd");
    let odd = [-0.0, f32::MIN_POSITIVE, 1e-45, -1e-45, f32::MAX, f32::MIN, 0.1, 1.0 + f32::EPSILON];
    let mut params = Params::<f32>::new();
    let x = params.add("x", &Tensor::from(odd));
    let path = folder.file("odd.safetensors");
    save(&path, &params, None, &BTreeMap::new()).expect("saved");
    params.set(x, &Tensor::zeros([odd.len()]));
    Checkpoint::load(&path).expect("loaded").load_params(&mut params).expect("fits");
    assert_eq!(bits(params.flat()), bits(&Tensor::from(odd)));
}

/// Everything that can be saved is loaded to the bit: any number of tensors of any shapes, those without elements too, under
/// any names, with any metadata, by any rule.
#[test]
fn everything_that_is_saved_is_loaded() {
    let extent = prop_oneof![4 => 0..4_usize, 1 => Just(4096), 1 => Just(1 << 20)];
    let shape = prop::collection::vec(extent, 0..=4).prop_map(|mut shape| {
        let product = shape.iter().try_fold(1_usize, |size, &extent| size.checked_mul(extent));
        if product.is_none_or(|size| size > 300) {
            shape[0] = 0; // nothing is left of a tensor that would be too large
        }
        shape
    });
    let name = prop_oneof![any::<String>(), "[a-z\"\\\\\u{0}-\u{1f}{}\\[\\]:,0-9]{0,12}", Just("shape".to_owned())];
    let tensors = prop::collection::btree_map(name.clone(), (shape, any::<u32>()), 0..6);
    let metadata = prop::collection::btree_map(name, any::<String>(), 0..4);
    let rules = [Rule::adam(), Rule::adamw(0.1), Rule::Sgd { momentum: 0.9 }, Rule::rmsprop()];
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
        let bytes = nn::encode(&params, optimizer.as_ref(), &metadata).expect("finite and small");
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
fn tensors_without_elements_are_saved_and_loaded() {
    let folder = Folder::new("empty");
    let path = folder.file("model.safetensors");
    let mut params = Params::<f32>::new();
    Embedding::new(&mut Builder::new(&mut params, 1), 0, 4096);
    for shape in [&[0, 1000][..], &[1000, 0], &[0, usize::MAX], &[4, 0, 1 << 40], &[0], &[0, 0, 0, 0]] {
        params.add(format!("{shape:?}"), &Tensor::zeros(shape));
    }
    save(&path, &params, None, &BTreeMap::new()).expect("saved");
    Checkpoint::load(&path).expect("loaded").load_params(&mut params).expect("the same model");
}

#[test]
fn moments_that_would_not_load_are_not_saved() {
    let params = head();
    for rule in [Rule::adam(), Rule::rmsprop(), Rule::Sgd { momentum: 0.9 }] {
        let mut optimizer = Optimizer::new(rule, &params);
        let moments = optimizer.moments().map(|(_, m)| Tensor::full(m.shape(), -0.5)).collect();
        optimizer.restore(3, moments);
        let saved = nn::encode(&params, Some(&optimizer), &BTreeMap::new());
        match rule {
            Rule::Sgd { .. } => assert!(saved.is_ok(), "a velocity may be negative"),
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
fn steps_that_would_not_load_are_not_restored() {
    let params = head();
    let mut optimizer = Optimizer::new(Rule::adam(), &params);
    let moments = optimizer.moments().map(|(_, m)| m.clone()).collect();
    optimizer.restore(1 << 63, moments);
}

#[test]
fn names_shapes_and_types_are_as_python_expects() {
    let folder = Folder::new("python");
    let path = folder.file("model.safetensors");
    let (params, optimizer) = trained::<f32>(Rule::adam());
    save(&path, &params, Some(&optimizer), &about()).expect("saved");
    let bytes = fs::read(&path).expect("there");
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
    let metadata =
        [("crc32", crc), ("optimizer.rule", "adam"), ("optimizer.steps", "3"), ("task", "calculator"), ("width", "3")];
    assert!(checkpoint.metadata().iter().map(|(k, v)| (&k[..], &v[..])).eq(metadata));
    assert_eq!(checkpoint.shapes().next(), Some(("gru.bias_hh_l0", &[9][..])));
}

/// What killed writers left behind is in nobody's way, be it what it may, and is swept away.
#[test]
fn parts_that_are_left_over_do_not_matter() {
    let folder = Folder::new("leftovers");
    let path = folder.file("model.safetensors");
    save(&path, &head(), None, &about()).expect("saved");
    let whole = fs::read(&path).expect("there");
    fs::write(folder.file("model.safetensors.0.part"), &whole[..40]).expect("written");
    fs::create_dir(folder.file("model.safetensors.1.part")).expect("made");

    let mut changed = head();
    changed.flat_mut().view_mut().fill(1.0);
    save(&path, &changed, None, &about()).expect("there is another name");
    let mut loaded = head();
    Checkpoint::load(&path).expect("whole").load_params(&mut loaded).expect("fits");
    assert_eq!(loaded.flat(), changed.flat());
    assert_eq!(fs::read(folder.file("model.safetensors.0.part")).expect("there"), whole[..40], "it may be another's");

    fs::write(folder.file("mine.part"), "kept").expect("written");
    sweep(&folder.0).expect("swept");
    let names = fs::read_dir(&folder.0).expect("there").map(|entry| entry.expect("readable").file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().expect("text")).collect();
    names.sort();
    assert_eq!(names, ["mine.part", "model.safetensors", "model.safetensors.1.part"]);
}

/// Two writers of one file at once: each leaves a whole file.
#[test]
fn two_writers_do_not_mix() {
    let folder = Folder::new("two-writers");
    let path = &folder.file("model.safetensors");
    let contents = [0, 1].map(|byte| vec![byte; 50_000]);
    write_whole(&Disk, path, &contents[0]).expect("written");
    std::thread::scope(|scope| {
        for content in &contents {
            scope.spawn(move || (0..50).for_each(|_| write_whole(&Disk, path, content).expect("written")));
        }
        for _ in 0..200 {
            assert!(contents.contains(&fs::read(path).expect("always there")));
        }
    });
    assert_eq!(fs::read_dir(&folder.0).expect("there").count(), 1);
}

#[test]
fn a_write_that_cannot_take_its_place_removes_what_it_wrote() {
    let folder = Folder::new("blocked");
    let path = folder.file("model.safetensors");
    fs::create_dir(&path).expect("made");
    fs::write(path.join("inside"), "kept").expect("written");
    save(&path, &head(), None, &about()).expect_err("a file does not replace a folder");
    assert_eq!(fs::read_dir(&folder.0).expect("there").count(), 1);
    let error = save(folder.file("no/such/folder"), &head(), None, &about()).expect_err("nowhere to write");
    assert!(matches!(error.problem, Problem::Write(_)));
    assert!(error.to_string().contains("no/such/folder: cannot be written: "), "{error}");
    let advice = "; a file that was there before is still whole; \
                  choose a folder that exists, that you may write to, and that has room";
    assert!(error.to_string().ends_with(advice), "{error}");
}

/// Such a folder takes files but cannot be opened (but by root, for whom this is an ordinary save).
#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_read_takes_checkpoints() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("unreadable");
    let path = folder.file("model.safetensors");
    let set = |mode| fs::set_permissions(&folder.0, fs::Permissions::from_mode(mode)).expect("our own folder");
    set(0o300);
    let saved = save(&path, &head(), None, &BTreeMap::new());
    set(0o700);
    saved.expect("the folder may be written to");
    Checkpoint::load(&path).expect("whole");
}

#[test]
fn metadata_that_would_not_be_read_are_not_saved() {
    let folder = Folder::new("metadata");
    let path = folder.file("model.safetensors");
    let about = |length| BTreeMap::from([("text".to_string(), "a".repeat(length))]);
    save(&path, &head(), None, &about(1_048_272)).expect("just short enough");
    Checkpoint::load(&path).expect("short enough");
    let whole = fs::read(&path).expect("there");
    let longer = u64::from_le_bytes(*whole.first_chunk().expect("eight bytes")) + 304;
    let error = save(&path, &head(), None, &about(1_048_576)).expect_err("too long");
    assert_eq!(
        text(&path, &error),
        format!(
            "its header would have {longer} bytes, expected 1048576 or fewer; \
             shorten the metadata, or put what they hold into a file of its own"
        )
    );
    assert_eq!(fs::read(&path).expect("there"), whole);
}

#[test]
#[should_panic(expected = "save: parameter optimizer.m has a name that is kept for the optimiser")]
fn parameters_do_not_take_the_optimisers_names() {
    let mut params = Params::<f32>::new();
    params.add("optimizer.m", &Tensor::zeros([1]));
    let _ = save("never", &params, None, &BTreeMap::new());
}

#[test]
#[should_panic(expected = "save: parameter __metadata__ has a name that is kept for the metadata")]
fn parameters_do_not_take_the_metadatas_name() {
    let mut params = Params::<f32>::new();
    params.add("__metadata__", &Tensor::zeros([1]));
    let _ = save("never", &params, None, &BTreeMap::new());
}
