//! A reader of the reference numbers in `tests/golden`, which other programs computed.
//!
//! Each `.safetensors` file is one case. Its tensors are named `in.*`, `param.*`, `out.*`, `up.*`, `grad.*`,
//! `clipped.*` and `after.*`. The README beside the files describes each file and how to regenerate it.
//! A faulty file causes a panic that names it, because this is test code.
//!
//! ```ignore
//! let case = Case::load("op_matmul");
//! let (shape, a) = case.f64("in.a");
//! let (_, want) = case.f64("out.y");
//! assert_close("matmul", &ours(&shape, &a), &want, 1e-10);
//! ```

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use tensor::Tensor;

pub use crate::close::assert_close;

/// Returns the path of a file in `tests/golden`, such as `"tutorial_env.jsonl"`.
pub fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(file)
}

/// Lists the stems of all reference files, sorted: every `.safetensors`, `.json` and `.jsonl` in `tests/golden`.
pub fn list_stems() -> Vec<String> {
    let folder = path("");
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("golden: cannot list {}: {e}", folder.display()));
    let mut stems: Vec<String> = entries
        .map(|entry| entry.expect("a directory entry is readable").path())
        .filter(|file| is_reference(file))
        .filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()))
        .collect();
    stems.sort();
    stems
}

/// Loads the cases whose names begin with `prefix`, each with its name.
///
/// # Panics
/// If their number is not `count`.
pub fn load_cases(prefix: &str, count: usize) -> Vec<(String, Case)> {
    let names: Vec<String> = list_stems().into_iter().filter(|name| name.starts_with(prefix)).collect();
    assert_eq!(names.len(), count, "{names:?}");
    names.into_iter().map(|name| (name.clone(), Case::load(&name))).collect()
}

fn is_reference(file: &Path) -> bool {
    file.extension().is_some_and(|e| e == "safetensors" || e == "json" || e == "jsonl")
}

/// One `.safetensors` file, decoded.
#[derive(Debug)]
pub struct Case {
    name: String,
    meta: HashMap<String, String>,
    tensors: BTreeMap<String, (Vec<usize>, Data)>,
}

#[derive(Debug)]
enum Data {
    F64(Vec<f64>),
    I64(Vec<i64>),
}

impl Case {
    /// Reads `tests/golden/NAME.safetensors`.
    ///
    /// # Panics
    /// If the file is missing, malformed, or holds a type other than F64 and I64.
    #[track_caller]
    pub fn load(name: &str) -> Self {
        let file = path(&format!("{name}.safetensors"));
        let bytes = fs::read(&file).unwrap_or_else(|e| panic!("golden: cannot read {}: {e}", file.display()));
        Self::parse(name, &bytes)
    }

    #[track_caller]
    fn parse(name: &str, bytes: &[u8]) -> Self {
        let (_, header) = SafeTensors::read_metadata(bytes)
            .unwrap_or_else(|e| panic!("golden: {name} is not a safetensors file: {e}"));
        let views =
            SafeTensors::deserialize(bytes).unwrap_or_else(|e| panic!("golden: {name} is not a safetensors file: {e}"));
        let decode = |(tensor, view): (String, TensorView)| {
            let data = Data::from_view(&view)
                .unwrap_or_else(|dtype| panic!("golden: {name} holds {tensor} as {dtype}, expected F64 or I64"));
            (tensor, (view.shape().to_vec(), data))
        };
        Self {
            name: name.to_owned(),
            meta: header.metadata().clone().unwrap_or_default(),
            tensors: views.tensors().into_iter().map(decode).collect(),
        }
    }

    /// Returns the shape and the row-major values of a float tensor. A scalar has the empty shape.
    ///
    /// # Panics
    /// If the case has no such tensor, or if it holds integers.
    #[track_caller]
    pub fn f64(&self, tensor: &str) -> (Vec<usize>, Vec<f64>) {
        match self.tensor(tensor) {
            (shape, Data::F64(values)) => (shape.clone(), values.clone()),
            _ => panic!("golden: {tensor} of {} is I64, not F64", self.name),
        }
    }

    /// Returns the shape and the row-major values of an integer tensor.
    ///
    /// # Panics
    /// If the case has no such tensor, or if it holds floats.
    #[track_caller]
    pub fn i64(&self, tensor: &str) -> (Vec<usize>, Vec<i64>) {
        match self.tensor(tensor) {
            (shape, Data::I64(values)) => (shape.clone(), values.clone()),
            _ => panic!("golden: {tensor} of {} is F64, not I64", self.name),
        }
    }

    /// Reads a float tensor.
    ///
    /// # Panics
    /// As [`f64`](Self::f64).
    #[track_caller]
    pub fn read(&self, tensor: &str) -> Tensor<f64> {
        let (shape, values) = self.f64(tensor);
        Tensor::new(&shape[..], values)
    }

    /// Reads a tensor of indices.
    ///
    /// # Panics
    /// As [`i64`](Self::i64), or if a number is not an index.
    #[track_caller]
    pub fn read_indices(&self, tensor: &str) -> Tensor<u32> {
        let (shape, values) = self.i64(tensor);
        Tensor::new(&shape[..], values.into_iter().map(|i| u32::try_from(i).expect("an index")).collect())
    }

    /// Returns an entry of the file's metadata, such as `"what"`.
    ///
    /// # Panics
    /// If there is no such entry.
    #[track_caller]
    pub fn meta(&self, key: &str) -> &str {
        match self.meta.get(key) {
            Some(value) => value,
            None => panic!("golden: {} has no metadata {key:?}, only {:?}", self.name, self.meta.keys()),
        }
    }

    /// Returns the sorted full names of the tensors whose names begin with `prefix`.
    ///
    /// # Panics
    /// If no name does: a loop over an empty list would check nothing.
    #[track_caller]
    pub fn names(&self, prefix: &str) -> Vec<String> {
        let names: Vec<String> = self.tensors.keys().filter(|name| name.starts_with(prefix)).cloned().collect();
        assert!(!names.is_empty(), "golden: {} has no tensor {prefix}*, only {:?}", self.name, self.tensors.keys());
        names
    }

    #[track_caller]
    fn tensor(&self, tensor: &str) -> &(Vec<usize>, Data) {
        self.tensors
            .get(tensor)
            .unwrap_or_else(|| panic!("golden: {} has no tensor {tensor}, only {:?}", self.name, self.tensors.keys()))
    }
}

impl Data {
    /// Decodes little-endian bytes. Any other dtype is returned as the error.
    fn from_view(view: &TensorView) -> Result<Self, Dtype> {
        let words = || view.data().as_chunks::<8>().0.iter().copied();
        match view.dtype() {
            Dtype::F64 => Ok(Data::F64(words().map(f64::from_le_bytes).collect())),
            Dtype::I64 => Ok(Data::I64(words().map(i64::from_le_bytes).collect())),
            other => Err(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_case_matmul_holds_its_product() {
        let case = Case::load("op_matmul");
        let ((rows, a), (cols, b)) = (case.f64("in.a"), case.f64("in.b"));
        let (shape, want) = case.f64("out.y");
        let (m, k, n) = (rows[0], rows[1], cols[1]);
        let got: Vec<f64> = (0..m * n).map(|at| (0..k).map(|i| a[at / n * k + i] * b[i * n + at % n]).sum()).collect();
        assert_eq!((shape, cols[0]), (vec![m, n], k));
        assert_close("a @ b", &got, &want, 1e-14);
        assert_eq!(case.meta("case"), "op_matmul");
    }

    #[test]
    fn golden_case_integers_keep_their_values() {
        let case = Case::load("op_embedding");
        let (shape, rows) = case.i64("in.idx");
        let (table_shape, table) = case.f64("in.table");
        let d = table_shape[1];
        let got: Vec<f64> = rows.iter().flat_map(|&row| table[row as usize * d..][..d].iter().copied()).collect();
        assert_eq!(shape, [3, 8]);
        assert_close("rows", &got, &case.f64("out.y").1, 0.0);
    }

    #[test]
    fn golden_case_scalar_has_the_empty_shape() {
        let (shape, norm) = Case::load("clip_grad_norm_clips").f64("out.norm");
        assert_eq!((shape.len(), norm.len()), (0, 1));
    }

    #[test]
    fn golden_case_names_are_sorted_and_filtered() {
        let case = Case::load("gru_bptt_t1_b2_i3_h4");
        let want = ["param.b_hh", "param.b_ih", "param.w_hh", "param.w_ih"];
        assert_eq!(case.names("param."), want);
    }

    #[test]
    fn golden_files_are_all_listed_and_decode() {
        let stems = list_stems();
        assert_eq!(stems.len(), 41);
        assert!(stems.is_sorted());
        for stem in stems.iter().filter(|stem| path(&format!("{stem}.safetensors")).is_file()) {
            assert_eq!(Case::load(stem).meta("case"), stem);
        }
    }

    #[test]
    #[should_panic(expected = "cannot read")]
    fn golden_case_missing_file_is_named() {
        Case::load("op_nonesuch");
    }

    #[test]
    #[should_panic(expected = "broken is not a safetensors file")]
    fn golden_case_malformed_file_is_named() {
        Case::parse("broken", b"not a header");
    }

    #[test]
    #[should_panic(expected = "op_gather has no tensor in.q, only [\"grad.x\"")]
    fn golden_case_unknown_tensor_lists_known_tensors() {
        Case::load("op_gather").f64("in.q");
    }

    #[test]
    #[should_panic(expected = "in.idx of op_gather is I64, not F64")]
    fn golden_case_integers_read_as_floats_panic() {
        Case::load("op_gather").f64("in.idx");
    }

    #[test]
    #[should_panic(expected = "in.x of op_gather is F64, not I64")]
    fn golden_case_floats_read_as_integers_panic() {
        Case::load("op_gather").i64("in.x");
    }

    #[test]
    #[should_panic(expected = "has no metadata \"stage\"")]
    fn golden_case_unknown_metadata_is_named() {
        Case::load("op_gather").meta("stage");
    }

    #[test]
    #[should_panic(expected = "has no tensor param.*")]
    fn golden_case_prefix_without_tensors_panics() {
        Case::load("op_gather").names("param.");
    }
}
