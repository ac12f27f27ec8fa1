//! Fixtures of the tests: folders, models, and files as other programs write them.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use nn::{Builder, Checkpoint, CheckpointError, Grads, Gru, Linear, Optimizer, Params, Storable, UpdateRule};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};
use tensor::Tensor;

/// A temporary folder of one test, deleted on drop.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("gradus-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the temporary folder takes folders");
        Self(folder)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

pub(crate) fn model<T: Storable>(seed: u64, hidden_size: usize) -> Params<T> {
    let mut params = Params::new();
    let mut builder = Builder::new(&mut params, seed);
    Gru::new(&mut builder.scope("gru"), 2, hidden_size);
    Linear::new(&mut builder.scope("head"), hidden_size, 1);
    params
}

/// Returns the model after three steps, and its optimiser.
pub(crate) fn trained<T: Storable>(rule: UpdateRule) -> (Params<T>, Optimizer<T>) {
    let mut params = model(1, 3);
    let mut grads = Grads::zeros(&params);
    *grads.flat_mut() = Tensor::from_fn([params.size()], |i| T::from_f64((i as f64).sin()));
    let mut optimizer = Optimizer::new(rule, &params);
    for _ in 0..3 {
        optimizer.step(0.01, &mut params, &grads);
    }
    (params, optimizer)
}

pub(crate) fn about() -> BTreeMap<String, String> {
    BTreeMap::from([("task".into(), "calculator-stages".into()), ("width".into(), "3".into())])
}

pub(crate) fn bits<T: Storable>(values: &Tensor<T>) -> Vec<u64> {
    values.to_vec().into_iter().map(|x| x.value().to_bits()).collect()
}

pub(crate) type Tensors<'a> = &'a [(&'a str, Dtype, &'a [usize])];

/// Writes a file as another program would: tensors of zeros, which `change` may overwrite.
pub(crate) fn write_foreign(
    path: &Path,
    metadata: &[(&str, &str)],
    tensors: Tensors,
    change: impl Fn(&str, &mut [u8]),
) {
    let data: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(name, dtype, shape)| {
            let mut bytes = vec![0; shape.iter().product::<usize>() * dtype.bitsize() / 8];
            change(name, &mut bytes);
            bytes
        })
        .collect();
    let views = tensors.iter().zip(&data).map(|(&(name, dtype, shape), data)| {
        (name, TensorView::new(dtype, shape.to_vec(), data).expect("the shape fits the bytes"))
    });
    let metadata = metadata.iter().map(|(key, value)| (key.to_string(), value.to_string()));
    let metadata = Some(metadata.collect()).filter(|map: &HashMap<_, _>| !map.is_empty());
    fs::write(path, serialize(views, metadata).expect("valid")).expect("written");
}

pub(crate) const HEAD: [(&str, Dtype, &[usize]); 2] = [("weight", Dtype::F32, &[1, 3]), ("bias", Dtype::F32, &[1])];

pub(crate) fn head() -> Params<f32> {
    let mut params = Params::new();
    Linear::new(&mut Builder::new(&mut params, 5), 3, 1);
    params
}

/// Returns the text of an error without the file's path, which must come first.
pub(crate) fn text(path: &Path, error: &CheckpointError) -> String {
    assert_eq!(error.path, path);
    let text = error.to_string();
    text.strip_prefix(&format!("checkpoint {}: ", path.display())).expect("the path comes first").to_owned()
}

pub(crate) fn error_of(path: &Path, params: &mut Params<f32>) -> String {
    let before = bits(params.flat());
    let error = Checkpoint::load(path).and_then(|file| file.load_params(params)).expect_err("something is wrong");
    assert_eq!(bits(params.flat()), before, "a load that fails changes nothing");
    text(path, &error)
}
