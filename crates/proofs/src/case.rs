//! One function at one point, of which a gradient is proved.

use std::fmt;
use std::sync::Arc;

use autograd::gradcheck::{Input, Overloaded};
use autograd::ops::Kind;
use tensor::Tensor;

use crate::Layout;

/// What a case is a case of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Of {
    /// An operation of the tape.
    Operation(Kind),
    /// A layer, by its name.
    Layer(&'static str),
}

impl Of {
    /// The operation's name on a printed tape, or the layer's.
    pub fn name(self) -> &'static str {
        match self {
            Self::Operation(kind) => kind.name(),
            Self::Layer(name) => name,
        }
    }
}

/// Which axis counts rows that do not see each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Of each input; `None` where all rows share it.
    pub inputs: Vec<Option<usize>>,
    /// Of the value.
    pub value: usize,
}

/// A function of tensors, and where to differentiate it.
#[derive(Clone)]
pub struct Case {
    /// What is proved.
    pub of: Of,
    /// What is particular about this case; distinct among those of the same operation or layer.
    pub name: String,
    /// Where.
    pub inputs: Vec<Input>,
    /// The function, over any scalar.
    pub f: Arc<dyn Overloaded + Send + Sync>,
    /// Its batch, where it has one and is a function of any number of rows.
    pub batch: Option<Batch>,
    /// Whether it is a recurrence over any number of steps: the first input \[T,…\] is what comes in, the second the state
    /// before, the value \[T,…\] the state after each step.
    pub recurrent: bool,
}

impl Case {
    /// A case without a batch.
    pub fn new(
        of: Of,
        name: impl Into<String>,
        inputs: impl IntoIterator<Item = impl Into<Input>>,
        f: impl Overloaded + Send + Sync + 'static,
    ) -> Self {
        let inputs = inputs.into_iter().map(Into::into).collect();
        Self { of, name: name.into(), inputs, f: Arc::new(f), batch: None, recurrent: false }
    }

    /// Adds a [`Batch`]: the axis that counts its rows, of each input and of the value.
    ///
    /// # Panics
    /// If the case has another number of inputs.
    pub fn by_rows(self, inputs: &[Option<usize>], value: usize) -> Self {
        assert_eq!(inputs.len(), self.inputs.len(), "by_rows: {self}");
        Self { batch: Some(Batch { inputs: inputs.to_vec(), value }), ..self }
    }

    pub(crate) fn recurrent(self) -> Self {
        Self { recurrent: true, ..self }
    }

    /// The inputs' values.
    pub fn values(&self) -> Vec<Tensor<f64>> {
        self.inputs.iter().map(|input| input.value.clone()).collect()
    }

    /// The same case, its inputs lying otherwise in memory.
    pub fn laid_out(&self, layout: Layout) -> Self {
        let mut case = self.clone();
        case.inputs.iter_mut().for_each(|input| input.value = layout.of(&input.value));
        case.name = format!("{}, {layout:?}", self.name);
        case
    }
}

/// `gru, seven steps: [7, 3, 12] [3, 4] [12, 4] [12]`
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}:", self.of.name(), self.name)?;
        self.inputs.iter().try_for_each(|input| write!(f, " {}", input.value.shape()))
    }
}

/// Cases of one operation: a name, inputs, the function, and where there is a batch, its axes.
macro_rules! cases {
    ($kind:ident: $(
        $name:literal, [$($input:expr),* $(,)?] $(by rows $rows:expr => $row:literal)?: |$x:pat_param| $body:expr;
    )*) => {
        vec![$($crate::Case::new(
            $crate::Of::Operation(autograd::ops::Kind::$kind),
            $name,
            [$($input),*],
            autograd::function!(|$x| $body),
        )$(.by_rows(&$rows, $row))?),*]
    };
}
