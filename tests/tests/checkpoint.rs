//! Checkpoints: there and back to the bit, and everything that can be wrong with a file.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use nn::{Builder, Checkpoint, CheckpointError, Grads, Gru, Linear, Optimizer, Params, Problem, Rule, Stored, save};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};
use tensor::Tensor;

/// A folder of a test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("gradus-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the temporary folder takes folders");
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn model<T: Stored>(seed: u64, width: usize) -> Params<T> {
    let mut params = Params::new();
    let mut builder = Builder::new(&mut params, seed);
    Gru::new(&mut builder.scope("gru"), 2, width);
    Linear::new(&mut builder.scope("head"), width, 1);
    params
}

/// The model after three steps, and its optimiser.
fn trained<T: Stored>(rule: Rule) -> (Params<T>, Optimizer<T>) {
    let mut params = model(1, 3);
    let mut grads = Grads::zeros(&params);
    *grads.flat_mut() = Tensor::from_fn([params.size()], |i| T::of((i as f64).sin()));
    let mut optimizer = Optimizer::new(rule, &params);
    for _ in 0..3 {
        optimizer.step(0.01, &mut params, &grads);
    }
    (params, optimizer)
}

fn about() -> BTreeMap<String, String> {
    BTreeMap::from([("task".into(), "calculator".into()), ("width".into(), "3".into())])
}

fn bits<T: Stored>(values: &Tensor<T>) -> Vec<u64> {
    values.to_vec().into_iter().map(|x| x.value().to_bits()).collect()
}

fn there_and_back<T: Stored>(folder: &Folder) {
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
        assert!(!folder.file(&format!("{}.part", T::DTYPE)).exists());
    }
}

#[test]
fn there_and_back_to_the_bit() {
    let folder = Folder::new("round-trip");
    there_and_back::<f32>(&folder);
    there_and_back::<f64>(&folder);
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
    let metadata = [("optimizer.rule", "adam"), ("optimizer.steps", "3"), ("task", "calculator"), ("width", "3")];
    assert!(checkpoint.metadata().iter().map(|(k, v)| (&k[..], &v[..])).eq(metadata));
    assert_eq!(checkpoint.shapes().next(), Some(("gru.bias_hh_l0", &[9][..])));
}

type Tensors<'a> = &'a [(&'a str, Dtype, &'a [usize])];

/// A file as another program would write it: tensors of zeros, unless `change` makes them something else.
fn foreign(path: &Path, metadata: &[(&str, &str)], tensors: Tensors, change: impl Fn(&str, &mut [u8])) {
    let data: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(name, dtype, shape)| {
            let mut bytes = vec![0; shape.iter().product::<usize>() * dtype.bitsize() / 8];
            change(name, &mut bytes);
            bytes
        })
        .collect();
    let views = tensors.iter().zip(&data).map(|(&(name, dtype, shape), data)| {
        (name, TensorView::new(dtype, shape.to_vec(), data).expect("the bytes are as many as the shape says"))
    });
    let metadata = metadata.iter().map(|(key, value)| (key.to_string(), value.to_string()));
    let metadata = Some(metadata.collect()).filter(|map: &HashMap<_, _>| !map.is_empty());
    fs::write(path, serialize(views, metadata).expect("valid")).expect("written");
}

const HEAD: [(&str, Dtype, &[usize]); 2] = [("weight", Dtype::F32, &[1, 3]), ("bias", Dtype::F32, &[1])];

fn head() -> Params<f32> {
    let mut params = Params::new();
    Linear::new(&mut Builder::new(&mut params, 5), 3, 1);
    params
}

#[test]
fn a_state_dict_without_metadata_gives_initial_weights() {
    let folder = Folder::new("state-dict");
    let path = folder.file("pytorch.safetensors");
    foreign(&path, &[], &HEAD, |name, bytes| match name {
        "weight" => bytes[4..8].copy_from_slice(&2.5_f32.to_le_bytes()),
        _ => bytes.copy_from_slice(&(-1.5_f32).to_le_bytes()),
    });
    let checkpoint = Checkpoint::load(&path).expect("loaded");
    assert!(checkpoint.metadata().is_empty());
    let (mut narrow, mut wide) = (head(), head().cast::<f64>());
    checkpoint.load_params(&mut narrow).expect("fits");
    checkpoint.load_params(&mut wide).expect("fits");
    assert_eq!(narrow.flat().to_vec(), [0.0, 2.5, 0.0, -1.5]);
    assert_eq!(wide.flat().to_vec(), [0.0, 2.5, 0.0, -1.5]);
}

/// The text of an error, without the file's path, which must begin it.
fn text(path: &Path, error: &CheckpointError) -> String {
    assert_eq!(error.path, path);
    let text = error.to_string();
    text.strip_prefix(&format!("checkpoint {}: ", path.display())).expect("the path comes first").to_owned()
}

fn error_of(path: &Path, params: &mut Params<f32>) -> String {
    let before = bits(params.flat());
    let error = Checkpoint::load(path).and_then(|file| file.load_params(params)).expect_err("something is wrong");
    assert_eq!(bits(params.flat()), before, "a load that fails changes nothing");
    text(path, &error)
}

#[test]
fn files_that_are_not_checkpoints() {
    let folder = Folder::new("not-checkpoints");
    let missing = error_of(&folder.file("missing"), &mut head());
    assert_eq!(missing, "there is no such file; check the path, or train first");
    let is_folder = error_of(&folder.0, &mut head());
    assert!(is_folder.starts_with("cannot be read: "), "{is_folder}");
    let path = folder.file("text");
    fs::write(&path, "PK and then something else").expect("written");
    assert_eq!(
        error_of(&path, &mut head()),
        "is not a safetensors file (header too large); \
         from PyTorch, write one with safetensors.torch.save_file(model.state_dict(), path)"
    );
    fs::write(&path, b"\x02\0\0\0\0\0\0\0[]").expect("written");
    assert!(error_of(&path, &mut head()).starts_with("is not a safetensors file (invalid JSON in header: "));
}

#[test]
fn files_cut_off_anywhere_or_longer() {
    let folder = Folder::new("cut");
    let path = folder.file("model.safetensors");
    let (params, optimizer) = trained::<f32>(Rule::adam());
    save(&path, &params, Some(&optimizer), &about()).expect("saved");
    let whole = fs::read(&path).expect("there");
    let cut = |bytes: &[u8]| {
        fs::write(&path, bytes).expect("written");
        error_of(&path, &mut model(1, 3))
    };
    let expected = |bytes: usize| {
        format!(
            "holds {bytes} bytes, which is not what its header announces; \
             it was cut off or damaged: copy it again, or take an earlier one"
        )
    };
    for length in 0..whole.len() {
        assert_eq!(cut(&whole[..length]), expected(length));
    }
    assert_eq!(cut(&[&whole[..], &[0]].concat()), expected(whole.len() + 1));
}

#[test]
fn tensors_that_do_not_fit() {
    let folder = Folder::new("unfit");
    let path = folder.file("model.safetensors");
    let (weight, bias) = (HEAD[0], HEAD[1]);
    let error = |tensors: Tensors| {
        foreign(&path, &[], tensors, |_, _| ());
        error_of(&path, &mut head())
    };
    let advice = "; rename the tensors, or build the model or optimiser that the file was saved from";
    assert_eq!(error(&[weight]), format!("lacks bias{advice}"));
    let other = ("extra", Dtype::F32, &[2][..]);
    assert_eq!(error(&[weight, bias, other]), format!("holds the unexpected extra{advice}"));
    assert_eq!(error(&[other]), format!("lacks weight, bias, and holds the unexpected extra{advice}"));
    assert_eq!(
        error(&[("weight", Dtype::F32, &[1, 4]), bias]),
        "weight has shape [1, 4], expected [1, 3]; build the model with the sizes that the file was saved with"
    );
    assert_eq!(
        error(&[weight, ("bias", Dtype::F32, &[1, 1, 1, 1, 1])]),
        "bias has shape [1, 1, 1, 1, 1], expected [1]; build the model with the sizes that the file was saved with"
    );
    assert_eq!(
        error(&[weight, ("bias", Dtype::I64, &[1])]),
        "bias is of type I64, expected F32 or F64; convert it, or leave it out of the file"
    );
}

#[test]
fn numbers_that_are_not_finite() {
    let folder = Folder::new("nan");
    let path = folder.file("model.safetensors");
    let want = "bias holds a number that is not finite, expected finite numbers only; go on from an earlier checkpoint";
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        foreign(&path, &[], &HEAD, |name, bytes| {
            if name == "bias" {
                bytes.copy_from_slice(&bad.to_le_bytes());
            }
        });
        assert_eq!(error_of(&path, &mut head()), want);
    }
    let mut wide = head().cast::<f64>();
    wide.set(wide.find("bias").expect("there"), &Tensor::from([1e300]));
    save(&path, &wide, None, &BTreeMap::new()).expect("finite as f64");
    assert_eq!(error_of(&path, &mut head()), want, "1e300 is no f32");

    wide.flat_mut().view_mut().set(&[3], f64::NAN);
    let before = fs::read(&path).expect("there");
    let error = save(&path, &wide, None, &BTreeMap::new()).expect_err("would not load");
    assert_eq!(text(&path, &error), want);
    assert_eq!(fs::read(&path).expect("there"), before);
}

#[test]
fn an_optimisers_state_that_does_not_fit() {
    let folder = Folder::new("optimiser");
    let path = folder.file("model.safetensors");
    let (params, adam) = trained::<f32>(Rule::adam());
    let error = |optimizer: &mut Optimizer<f32>| {
        let (moments, steps) = (optimizer.moments().map(|(_, m)| bits(m)).collect::<Vec<_>>(), optimizer.steps());
        let error = Checkpoint::load(&path).expect("valid").load_optimizer(optimizer).expect_err("does not fit");
        assert!(optimizer.moments().map(|(_, m)| bits(m)).eq(moments) && optimizer.steps() == steps);
        text(&path, &error)
    };
    let advice = "; rename the tensors, or build the model or optimiser that the file was saved from";
    save(&path, &params, Some(&adam), &about()).expect("saved");
    let rule = |found: &str, expected: &str| {
        format!(
            "its metadata {found}, expected \"{expected}\" under \"optimizer.rule\"; \
             build the optimiser that the file was saved from, or begin with a new one"
        )
    };
    for other in [Rule::adamw(0.0), Rule::Sgd { momentum: 0.9 }, Rule::rmsprop()] {
        let mut optimizer = Optimizer::new(other, &params);
        assert_eq!(error(&mut optimizer), rule("give the optimiser's rule as \"adam\"", other.name()));
    }
    let mut small = Optimizer::new(Rule::adam(), &model::<f32>(1, 2));
    assert_eq!(
        error(&mut small),
        "optimizer.m has shape [67], expected [39]; build the model with the sizes that the file was saved with"
    );
    save(&path, &params, None, &about()).expect("saved");
    let mut fresh = Optimizer::new(Rule::adam(), &params);
    assert_eq!(error(&mut fresh), rule("lack the optimiser's rule", "adam"));
    let adam = ("optimizer.rule", "adam");
    foreign(&path, &[adam], &HEAD, |_, _| ());
    assert_eq!(error(&mut fresh), format!("lacks optimizer.m, optimizer.v{advice}"));

    let steps = |found: &str| {
        format!("{found}, expected a whole number below 2^64 - 1 under \"optimizer.steps\"; begin with a new optimiser")
    };
    let moments: Tensors = &[("optimizer.m", Dtype::F32, &[67]), ("optimizer.v", Dtype::F32, &[67])];
    foreign(&path, &[adam], moments, |_, _| ());
    assert_eq!(error(&mut fresh), steps("its metadata lack the optimiser's steps"));
    for bad in ["-1", "18446744073709551615"] {
        foreign(&path, &[adam, ("optimizer.steps", bad)], moments, |_, _| ());
        assert_eq!(error(&mut fresh), steps(&format!("its metadata give the optimiser's steps as \"{bad}\"")));
    }
    foreign(&path, &[adam, ("optimizer.steps", "7")], moments, |_, _| ());
    Checkpoint::load(&path).expect("valid").load_optimizer(&mut fresh).expect("fits");
    assert_eq!(fresh.steps(), 7);
}

/// A folder stands where the temporary file would: the write fails half-way, and the old file is still there.
#[test]
fn an_interrupted_write_leaves_the_old_file() {
    let folder = Folder::new("interrupted");
    let path = folder.file("model.safetensors");
    save(&path, &head(), None, &about()).expect("saved");
    let before = fs::read(&path).expect("there");
    let mut changed = head();
    changed.flat_mut().view_mut().fill(1.0);

    let part = folder.file("model.safetensors.part");
    fs::create_dir(&part).expect("made");
    let error = save(&path, &changed, None, &about()).expect_err("the way is blocked");
    assert!(matches!(error.problem, Problem::Write(_)));
    let message = text(&path, &error);
    assert!(message.starts_with("cannot be written: "), "{message}");
    let advice = "; a file that was there before is still whole; \
                  choose a folder that exists, that you may write to, and that has room";
    assert!(message.ends_with(advice), "{message}");
    assert_eq!(fs::read(&path).expect("there"), before);

    fs::remove_dir(&part).expect("empty");
    fs::write(&part, &before[..40]).expect("what a loss of power leaves");
    save(&path, &changed, None, &about()).expect("leftovers do not matter");
    let mut loaded = head();
    Checkpoint::load(&path).expect("whole").load_params(&mut loaded).expect("fits");
    assert_eq!(loaded.flat(), changed.flat());
    assert!(!part.exists());
}

#[test]
fn a_write_that_cannot_take_its_place_removes_what_it_wrote() {
    let folder = Folder::new("blocked");
    let path = folder.file("model.safetensors");
    fs::create_dir(&path).expect("made");
    fs::write(path.join("inside"), "kept").expect("written");
    save(&path, &head(), None, &about()).expect_err("a file does not replace a folder");
    assert!(!folder.file("model.safetensors.part").exists());
    let error = save(folder.file("no/such/folder"), &head(), None, &about()).expect_err("nowhere to write");
    assert!(error.to_string().contains("no/such/folder: cannot be written: "), "{error}");
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
