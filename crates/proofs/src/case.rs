//! Test cases: one function at one point, whose gradient is checked.

use std::fmt;
use std::sync::Arc;

use autograd::gradcheck::{DynFunction, Input};
use autograd::ops::Kind;
use tensor::Tensor;

use crate::Layout;

/// The operation, layer, distribution or loss that a case tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// An operation of the tape.
    Operation(Kind),
    /// A layer, a distribution or a loss, by its name.
    Layer(&'static str),
}

impl Target {
    /// Returns the operation's name on a printed tape, or the layer's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Operation(kind) => kind.name(),
            Self::Layer(name) => name,
        }
    }
}

/// The batch axes: rows along them do not depend on each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchAxes {
    /// The axis of each input; `None` if all rows share the input.
    pub inputs: Vec<Option<usize>>,
    /// The axis of the value.
    pub value: usize,
}

/// A function of tensors and the point at which to differentiate it.
#[derive(Clone)]
pub struct Case {
    /// The tested operation or layer.
    pub target: Target,
    /// A description of the case, unique among the cases of the same operation or layer.
    pub name: String,
    /// The inputs of the function.
    pub inputs: Vec<Input>,
    /// The function, for any scalar type.
    pub f: Arc<dyn DynFunction + Send + Sync>,
    /// The batch axes, if the function has a batch and takes any number of rows.
    pub batch: Option<BatchAxes>,
    /// True for a recurrence over any number of steps. Its first input \[T,…\] is the sequence, the second the initial
    /// state, and the value \[T,…\] holds the state after each step.
    pub recurrent: bool,
}

impl Case {
    /// Creates a case without a batch.
    pub fn new(
        target: Target,
        name: impl Into<String>,
        inputs: impl IntoIterator<Item = impl Into<Input>>,
        f: impl DynFunction + Send + Sync + 'static,
    ) -> Self {
        let inputs = inputs.into_iter().map(Into::into).collect();
        Self { target, name: name.into(), inputs, f: Arc::new(f), batch: None, recurrent: false }
    }

    /// Adds the [`BatchAxes`]: the batch axis of each input and of the value.
    ///
    /// # Panics
    /// If `inputs` and the inputs of the case differ in number.
    pub fn with_batch(self, inputs: &[Option<usize>], value: usize) -> Self {
        assert_eq!(inputs.len(), self.inputs.len(), "with_batch: {self}");
        Self { batch: Some(BatchAxes { inputs: inputs.to_vec(), value }), ..self }
    }

    pub(crate) fn into_recurrent(self) -> Self {
        Self { recurrent: true, ..self }
    }

    /// Returns the values of the inputs.
    pub fn values(&self) -> Vec<Tensor<f64>> {
        self.inputs.iter().map(|input| input.value.clone()).collect()
    }

    /// Returns the same case with its inputs in another memory layout.
    pub fn with_layout(&self, layout: Layout) -> Self {
        let mut case = self.clone();
        case.inputs.iter_mut().for_each(|input| input.value = layout.apply(&input.value));
        case.name = format!("{}, {layout:?}", self.name);
        case
    }
}

/// Writes the target, the name and the shapes of the inputs: `gru, seven steps: [7, 3, 12] [3, 4] [12, 4] [12]`.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}:", self.target.name(), self.name)?;
        self.inputs.iter().try_for_each(|input| write!(f, " {}", input.value.shape()))
    }
}

/// Creates cases of one operation. Each has a name, inputs, optional batch axes, and the function.
macro_rules! cases {
    ($kind:ident: $(
        $name:literal, [$($input:expr),* $(,)?] $(by rows $rows:expr => $row:literal)?: |$x:pat_param| $body:expr;
    )*) => {
        vec![$($crate::Case::new(
            $crate::Target::Operation(autograd::ops::Kind::$kind),
            $name,
            [$($input),*],
            autograd::function!(|$x| $body),
        )$(.with_batch(&$rows, $row))?),*]
    };
}
