//! The network: a GRU that starts from its context and reads its own actions. Both heads are one product.

use autograd::{GruStepper, Var};
use nn::{BoundParams, Builder, Embedding, GruCell, Linear, Params};
use peer::{STAGES, VOCABULARY};
use rl::model::{ActionHead, Heads, Inputs, Model, Pass};
use tensor::Tensor;

/// The number of tokens of a context. An episode reads it first, and one token after each action.
const CONTEXT: usize = 4;

#[derive(Clone)]
pub struct Net {
    embedding: Embedding,
    stage: Embedding,
    rnn: GruCell,
    heads: Linear,
}

impl Net {
    pub fn new(params: &mut Params, hidden_size: usize) -> Self {
        let mut builder = Builder::new(params, 0);
        Self {
            embedding: Embedding::new(&mut builder.scope("emb"), VOCABULARY, hidden_size),
            stage: Embedding::new(&mut builder.scope("stage_emb"), STAGES, hidden_size),
            rnn: GruCell::new(&mut builder.scope("rnn"), hidden_size, hidden_size),
            heads: Linear::new(&mut builder.scope("heads"), hidden_size, VOCABULARY + 1),
        }
    }

    /// Replaces a context by its last token, and `state` by h₀ = tanh(mean emb(context) + state). Later tokens stay.
    fn begin<'t>(&self, pass: Pass<'t, f32>, inputs: &Inputs<f32>, state: Var<'t>) -> (Tensor<u32>, Var<'t>, Var<'t>) {
        let (Inputs::Tokens(tokens), Some(table)) = (inputs, pass.precomputed) else {
            unreachable!("tokens and a table")
        };
        if inputs.len() < CONTEXT {
            return (tokens.clone(), state, table);
        }
        let context = self.embedding.forward(pass.weights, &tokens.slice(0, 0..CONTEXT)).mean_axis(0);
        (tokens.slice(0, CONTEXT - 1..inputs.len()), (context + state).tanh(), table)
    }
}

/// The state before a context is the embedding of the stage. A context leaves one state, in which the first decision is made.
impl Model<f32> for Net {
    fn start<'t>(&self, pass: Pass<'t, f32>, stage: usize, episodes: usize) -> Var<'t> {
        let stage = pass.weights.get(self.stage.weight).slice(0, stage..stage + 1);
        stage.broadcast_to([episodes, stage.shape()[1]])
    }

    fn read<'t>(&self, pass: Pass<'t, f32>, inputs: &Inputs<f32>, state: Var<'t>) -> Var<'t> {
        self.read_all(pass, inputs, state).select(0, 0)
    }

    fn decide<'t>(&self, pass: Pass<'t, f32>, states: Var<'t>) -> Heads<'t, f32> {
        let both = self.heads.forward(pass.weights, states);
        let actions = ActionHead::Logits(both.slice(1, 0..VOCABULARY));
        Heads { actions, values: both.select(1, VOCABULARY) }
    }

    /// The GRU's input part of each token, gx\[V,3H\].
    fn precompute<'t>(&self, weights: BoundParams<'t>) -> Option<Var<'t>> {
        Some(self.rnn.project_input(weights, weights.get(self.embedding.weight)))
    }

    fn read_all<'t>(&self, pass: Pass<'t, f32>, inputs: &Inputs<f32>, state: Var<'t>) -> Var<'t> {
        let (tokens, h, table) = self.begin(pass, inputs, state);
        self.rnn.unroll_tokens(pass.weights, table, &tokens, h)
    }

    fn begin_steps(&self, pass: Pass<'_, f32>, state: Var<'_>, stepper: &mut GruStepper<f32>) -> bool {
        self.rnn.load_weights_into(pass.weights, stepper);
        stepper.begin(pass.tape().kernels(), state.value().view());
        true
    }

    fn read_steps(&self, pass: Pass<'_, f32>, inputs: &Inputs<f32>, stepper: &mut GruStepper<f32>) {
        let (kernels, is_context) = (pass.tape().kernels(), inputs.len() >= CONTEXT);
        // Later tokens leave the state to the stepper.
        let state = if is_context { self.start(pass, 0, 1) } else { pass.weights.get(self.stage.weight) };
        let (tokens, h, table) = self.begin(pass, inputs, state);
        if is_context {
            stepper.begin(kernels, h.value().view());
        }
        let count = tokens.shape()[0];
        (0..count).for_each(|k| stepper.step(kernels, table.value().view(), tokens.view().select(0, k)));
    }

    fn recall_steps<'t>(
        &self,
        pass: Pass<'t, f32>,
        inputs: &Inputs<f32>,
        state: Var<'t>,
        stepper: &mut GruStepper<f32>,
    ) -> Var<'t> {
        let (tokens, h, table) = self.begin(pass, inputs, state);
        self.rnn.unroll_from_steps(pass.weights, table, &tokens, h, stepper)
    }
}
