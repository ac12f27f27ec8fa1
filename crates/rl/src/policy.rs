//! The network that comes with the crate: an encoder of observations, a GRU or no memory, a policy head and a value head.
//!
//! ```text
//! tokens ─ Embedding ─┐                     ┌─ Linear ─ logits of the actions, or the mean of a Gaussian
//!           or        ├─ GRU, or none ─ h ─┤
//! vector ─ MLP ─ tanh ┘                     └─ Linear ─ V: expected return
//!                        │
//! stage  ─ Embedding ────┘ h₀ = tanh(stage embedding), or the same h₀ for all stages
//! ```
//!
//! With attention, the heads read f = tanh(W·\[h; c\]) instead of h. There c is what the state looks up among the tokens of the
//! first observation: see [`nn::Attention`]. Such a policy can read its problem again at each step.
//!
//! A critic that is separate reads vectors with layers of its own. The state is then the outputs of both networks, side by side.
//!
//! The network has no planner, no external memory and no tool interface. Without attention, everything that it remembers is in h.

use autograd::{GruStepper, Var};
use nn::{
    Activation, Attention, BoundParams, Builder, Embedding, GruCell, GruGates, Init, Linear, Mlp, Param, Params,
    Variant,
};
use tensor::Real;

use crate::env::{ActionSpace, Space, Spec};
use crate::model::{ActionHead, Heads, Inputs, Keys, Model, Pass};

/// The layers of the network. Their parameters are in [`Params`], under the names `emb` or `enc`, `stage_emb`, `rnn`, `pi`,
/// `v`, `log_std`, `critic`, `attn`.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The layers that read an observation.
    pub encoder: Encoder,
    /// The memory between observations.
    pub memory: Option<Memory>,
    /// Attention over the first observation.
    pub attention: Option<Attention>,
    /// Policy head: h to the logits of the actions, or to the mean of a Gaussian.
    pub pi: Linear,
    /// Value head: h to V(h).
    pub v: Linear,
    /// The layers that read a vector for the value head alone, if the critic is separate.
    pub critic: Option<Mlp>,
    /// ln σ of each number of a continuous action, \[D\].
    pub log_std: Option<Param>,
    /// H, the hidden size.
    hidden_size: usize,
    /// The number of stages.
    stages: usize,
}

/// The layers that read an observation.
#[derive(Clone, Debug)]
pub enum Encoder {
    /// Embedding of the tokens, \[V,H\].
    Tokens(Embedding),
    /// Layers from D to H, with tanh after each.
    Vector(Mlp),
}

/// The memory between observations.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Embedding of the stages, \[stages,H\]; of one row, \[1,H\], if the task hides the stage.
    pub stage: Embedding,
    /// GRU cell from H to H.
    pub rnn: GruCell,
}

/// The sizes and kinds of the layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Architecture {
    /// H, the hidden size of all layers.
    pub hidden_size: usize,
    /// The position of the GRU's reset gate, or `None` for a policy without memory.
    pub memory: Option<Variant>,
    /// True if decisions look up the tokens of the first observation. Such a policy has a GRU.
    pub has_attention: bool,
    /// The number of layers that read a vector, at least 1.
    pub encoder_layers: usize,
    /// True if the critic reads vectors with as many layers of its own. Such a policy has no memory.
    pub has_separate_critic: bool,
}

impl Architecture {
    /// A GRU of hidden size H, and one layer that reads vectors.
    pub fn gru(hidden_size: usize) -> Self {
        let memory = Some(Variant::ResetAfter);
        Self { hidden_size, memory, has_attention: false, encoder_layers: 1, has_separate_critic: false }
    }

    /// A GRU of hidden size H with attention over the tokens of the first observation.
    pub fn attention(hidden_size: usize) -> Self {
        Self { has_attention: true, ..Self::gru(hidden_size) }
    }
}

impl Policy {
    /// Creates a network for a task. Adds its parameters to `params`, initialised as in PyTorch; σ starts at 1.
    ///
    /// # Panics
    /// If `params` has one of them already, if there are no encoder layers, if a network without memory cannot know which of
    /// several stages it is in, if a separate critic would need a memory or an embedding, or if attention has no tokens or no GRU.
    #[track_caller]
    pub fn new<T: Real>(params: &mut Params<T>, spec: &Spec, architecture: Architecture, seed: u64) -> Self {
        spec.assert_valid();
        let Architecture { hidden_size, memory, has_attention, encoder_layers, has_separate_critic } = architecture;
        let stages = spec.stages;
        let rows = if spec.has_stages_to_tell() { stages } else { 1 };
        assert!(encoder_layers > 0, "Policy: 0 encoder layers, expected at least 1");
        assert!(
            memory.is_some() || !spec.has_stages_to_tell(),
            "Policy: without memory it cannot tell {stages} stages apart"
        );
        let is_separable = memory.is_none() && matches!(spec.observation, Space::Vector { .. });
        assert!(is_separable || !has_separate_critic, "Policy: a separate critic reads vectors without memory");
        let tokens = if let Space::Tokens { names } = &spec.observation { Some(names.len()) } else { None };
        let can_attend = memory.is_some() && tokens.is_some();
        assert!(can_attend || !has_attention, "Policy: attention reads tokens with a GRU");
        let mut builder = Builder::new(params, seed);
        let layers = |builder: &mut Builder<'_, T>, name, size| {
            let mut widths = alloc::vec![hidden_size; encoder_layers + 1];
            widths[0] = size;
            Mlp::new(&mut builder.scope(name), &widths, Activation::Tanh)
        };
        Self {
            encoder: match &spec.observation {
                Space::Tokens { names } => {
                    Encoder::Tokens(Embedding::new(&mut builder.scope("emb"), names.len(), hidden_size))
                }
                &Space::Vector { size } => Encoder::Vector(layers(&mut builder, "enc", size)),
            },
            memory: memory.map(|variant| Memory {
                stage: Embedding::new(&mut builder.scope("stage_emb"), rows, hidden_size),
                rnn: GruCell::new(&mut builder.scope("rnn"), hidden_size, hidden_size).with_variant(variant),
            }),
            pi: Linear::new(&mut builder.scope("pi"), hidden_size, spec.action.size()),
            v: Linear::new(&mut builder.scope("v"), hidden_size, 1),
            log_std: match spec.action {
                ActionSpace::Discrete { .. } => None,
                ActionSpace::Continuous { size } => Some(builder.add("log_std", [size], Init::Constant(0.0))),
            },
            critic: has_separate_critic.then(|| layers(&mut builder, "critic", spec.observation.size())),
            attention: tokens
                .filter(|_| has_attention)
                .map(|count| Attention::new(&mut builder.scope("attn"), count, hidden_size)),
            hidden_size,
            stages,
        }
    }

    /// The embedding of the tokens and the GRU, if the policy has both.
    pub fn token_gru(&self) -> Option<(Embedding, Memory)> {
        match (&self.encoder, self.memory) {
            (Encoder::Tokens(embedding), Some(memory)) => Some((*embedding, memory)),
            _ => None,
        }
    }

    /// Computes the input of the memory, \[…,H\], from each observation; for tokens with a GRU, see `precompute`.
    fn encode<'t, T: Real>(&self, weights: BoundParams<'t, T>, inputs: &Inputs<T>) -> Var<'t, T> {
        match (&self.encoder, inputs) {
            (Encoder::Tokens(embedding), Inputs::Tokens(tokens)) => embedding.forward(weights, tokens),
            (Encoder::Vector(layers), Inputs::Vectors(x)) => {
                let x = weights.tape().constant(x.clone());
                let read = |layers: &Mlp| layers.forward(weights, x).tanh();
                match &self.critic {
                    None => read(layers),
                    Some(critic) => Var::concat(&[read(layers), read(critic)], 2),
                }
            }
            (Encoder::Tokens(_), _) => panic!("Policy: its encoder reads tokens, but the observations are vectors"),
            (Encoder::Vector(_), _) => panic!("Policy: its encoder reads vectors, but the observations are tokens"),
        }
    }

    /// The GRU's gates at each of K ≥ 1 observations; each gate is \[K·B,H\]. h\[B,H\] is the state before the first
    /// observation, and states\[K,B,H\] are the states after each. Returns `None` if the policy has no memory.
    pub fn gates<'t, T: Real>(
        &self,
        pass: Pass<'t, T>,
        inputs: &Inputs<T>,
        h: Var<'t, T>,
        states: Var<'t, T>,
    ) -> Option<GruGates<'t, T>> {
        let Memory { rnn, .. } = self.memory?;
        let (count, hidden_size) = (inputs.len(), h.shape()[1]);
        let rows = |x: Var<'t, T>, columns| x.reshape([x.shape().size() / columns, columns]);
        let before = Var::concat(&[h, rows(states.slice(0, 0..count - 1), hidden_size)], 0);
        let gx = match (inputs, pass.precomputed) {
            (Inputs::Tokens(tokens), Some(table)) => table.embedding(tokens),
            _ => rnn.project_input(pass.weights, self.encode(pass.weights, inputs)),
        };
        Some(rnn.gates(pass.weights, rows(gx, 3 * hidden_size), before))
    }
}

impl<T: Real> Model<T> for Policy {
    /// h₀ = tanh(stage embedding); zeros without memory.
    ///
    /// # Panics
    /// If the task has no such stage.
    #[track_caller]
    fn start<'t>(&self, pass: Pass<'t, T>, stage: usize, episodes: usize) -> Var<'t, T> {
        let networks = if self.critic.is_some() { 2 } else { 1 };
        let shape = [episodes, networks * self.hidden_size];
        let Some(Memory { stage: embedding, .. }) = self.memory else {
            return pass.tape().constant_full(shape, T::zero());
        };
        assert!(stage < self.stages, "start: stage {stage}, but there are {} stages", self.stages);
        let weight = pass.weights.get(embedding.weight);
        let row = stage.min(weight.shape()[0] - 1); // there is one row if the task hides the stage
        let h = weight.slice(0, row..row + 1);
        h.tanh().broadcast_to(shape)
    }

    fn read<'t>(&self, pass: Pass<'t, T>, inputs: &Inputs<T>, state: Var<'t, T>) -> Var<'t, T> {
        self.read_all(pass, inputs, state).select(0, 0)
    }

    /// # Panics
    /// If a policy with attention has not read a first observation.
    #[track_caller]
    fn decide<'t>(&self, pass: Pass<'t, T>, states: Var<'t, T>) -> Heads<'t, T> {
        let hidden_size = self.hidden_size;
        let states = match (self.attention, pass.context) {
            (None, _) => states,
            (Some(attention), Some(context)) => {
                let (shape, episodes) = (states.shape(), context.keys.shape()[0]);
                let by_time = states.reshape([shape[0] / episodes, episodes, hidden_size]);
                attention.forward(pass.weights, by_time, context).reshape(shape)
            }
            (Some(_), None) => panic!("decide: a policy with attention needs the first observation in Pass::context"),
        };
        let [actor, critic] = match self.critic {
            None => [states; 2],
            Some(_) => [0, hidden_size].map(|start| states.slice(1, start..start + hidden_size)),
        };
        let values = self.v.forward(pass.weights, critic);
        let outputs = self.pi.forward(pass.weights, actor);
        let actions = match self.log_std {
            None => ActionHead::Logits(outputs),
            Some(log_std) => ActionHead::Gaussian { mean: outputs, log_std: pass.weights.get(log_std) },
        };
        Heads { actions, values: values.reshape([states.shape()[0]]) }
    }

    /// The input part of the GRU's gates for each of the V tokens, gx = x·W_ihᵀ + b_ih, \[V,3H\]. A token's embedding does not
    /// change during a pass. Therefore one product of V rows replaces a product for every token that the network reads.
    fn precompute<'t>(&self, weights: BoundParams<'t, T>) -> Option<Var<'t, T>> {
        let (embedding, Memory { rnn, .. }) = self.token_gru()?;
        Some(rnn.project_input(weights, weights.get(embedding.weight)))
    }

    /// # Panics
    /// If a token is outside the vocabulary, or the shapes do not match.
    #[track_caller]
    fn read_all<'t>(&self, pass: Pass<'t, T>, inputs: &Inputs<T>, state: Var<'t, T>) -> Var<'t, T> {
        let Some(Memory { rnn, .. }) = self.memory else {
            let x = self.encode(pass.weights, inputs);
            return if let Encoder::Tokens(_) = self.encoder { x.tanh() } else { x };
        };
        match (inputs, pass.precomputed) {
            (Inputs::Tokens(tokens), Some(table)) => rnn.unroll_tokens(pass.weights, table, tokens, state),
            _ => {
                let x = self.encode(pass.weights, inputs);
                rnn.unroll(pass.weights, rnn.project_input(pass.weights, x), state)
            }
        }
    }

    fn read_context<'t>(
        &self,
        pass: Pass<'t, T>,
        inputs: &Inputs<T>,
        states: Var<'t, T>,
        lengths: &[usize],
    ) -> Option<Keys<'t, T>> {
        let (attention, Inputs::Tokens(tokens)) = (self.attention?, inputs) else { return None };
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let tokens = tokens.slice(0, 0..longest).to_contiguous();
        Some(attention.read(pass.weights, &tokens, states.slice(0, 0..longest), lengths))
    }

    /// A policy with attention does not: the keys of its context are states that a stepper does not give.
    fn begin_steps(&self, pass: Pass<'_, T>, state: Var<'_, T>, stepper: &mut GruStepper<T>) -> bool {
        let Some((_, Memory { rnn, .. })) = self.token_gru().filter(|_| self.attention.is_none()) else { return false };
        let fused = rnn.load_weights_into(pass.weights, stepper);
        if fused {
            stepper.begin(pass.tape().kernels(), state.value().view());
        }
        fused
    }

    fn read_steps(&self, pass: Pass<'_, T>, inputs: &Inputs<T>, stepper: &mut GruStepper<T>) {
        let (Inputs::Tokens(tokens), Some(table)) = (inputs, pass.precomputed) else {
            unreachable!("begin_steps accepts only tokens with a GRU")
        };
        let table = table.value();
        for k in 0..inputs.len() {
            stepper.step(pass.tape().kernels(), table.view(), tokens.view().select(0, k));
        }
    }

    fn recall_steps<'t>(
        &self,
        pass: Pass<'t, T>,
        inputs: &Inputs<T>,
        state: Var<'t, T>,
        stepper: &mut GruStepper<T>,
    ) -> Var<'t, T> {
        let (Inputs::Tokens(tokens), Some(table), Some(memory)) = (inputs, pass.precomputed, self.memory) else {
            unreachable!("begin_steps accepts only tokens with a GRU")
        };
        memory.rnn.unroll_from_steps(pass.weights, table, tokens, state, stepper)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use autograd::Tape;

    use super::*;
    use crate::agent::Agent;
    use crate::distribution::Choice;
    use crate::env::{Episodes, Task};
    use crate::model::Decisions;
    use crate::rollout::{self, Options, Streams};
    use crate::test_tasks::{Chance, rng};
    use crate::trajectories::Trajectories;
    use tensor::Map;

    /// A policy with attention, with parameters so large that its decisions depend on what it looks up.
    fn attention(task: &Chance) -> (Policy, Params<f64>) {
        let mut params = Params::new();
        let policy = Policy::new(&mut params, &task.spec(), Architecture::attention(5), 3);
        params.flat_mut().apply(Map::Scale(2.0));
        (policy, params)
    }

    /// A task that hides the stage has one first state for all stages.
    #[test]
    fn start_of_a_hidden_stage_is_that_of_all_stages() {
        for hides_stage in [false, true] {
            let spec = crate::env::Spec { stages: 3, hides_stage, ..Chance::default().spec() };
            let mut params = Params::<f64>::new();
            let policy = Policy::new(&mut params, &spec, Architecture::gru(5), 3);
            let tape = Tape::no_grad();
            let pass = Pass::new(&policy, params.bind(&tape));
            let states = [0, 1, 2].map(|stage| policy.start(pass, stage, 2).value().to_vec());
            assert_eq!([states[1] == states[0], states[2] == states[0]], [hides_stage; 2]);
        }
    }

    /// The log-probabilities and values of some decisions, one row after the other.
    fn numbers(decisions: &Decisions<'_, f64>) -> Vec<f64> {
        let crate::distribution::Distribution::Categorical { log_probs } = decisions.actions else {
            panic!("the actions are discrete")
        };
        [log_probs.value().to_vec(), decisions.values.value().to_vec()].concat()
    }

    /// Acting looks up keys that stay on the tape of no step. Learning computes them again in one pass, and an agent token by
    /// token: all decide the same, for contexts of one length and of several.
    #[test]
    fn attention_acting_learning_and_an_agent_decide_the_same() {
        for task in [Chance::default(), Chance { is_even: true, ..Chance::default() }] {
            let (policy, params) = attention(&task);
            let mut episodes = Episodes::new(&task, 1, 6);
            let mut streams = Streams::shared((0..6).map(rng).collect());
            let options = Options { choice: Choice::SAMPLED, ..Options::GREEDY };
            let mut acted = Vec::new();
            let see = |view: rollout::StepView<'_, '_, f64>| acted.push(numbers(&view.decisions));
            let model = (&policy, &params);
            let played = rollout::play(model, &mut Tape::no_grad(), &mut episodes, &mut streams, options, None, see)
                .expect("no fault");
            assert!(played.steps > 2);

            let tape = Tape::<f64>::no_grad();
            let learned = numbers(&played.decisions(&policy, Pass::new(&policy, params.bind(&tape)), None));
            let (rows, agent) = (played.steps * 6, Agent::new(task.spec(), policy.clone(), params.clone()));
            let is_near = |a: f64, b: f64| (a - b).abs() < 1e-12;
            for i in 0..6 {
                let Trajectories { observed: crate::trajectories::Observed::Tokens { tokens, ends }, .. } = &played
                else {
                    panic!("observations are tokens")
                };
                let read: Vec<u32> = tokens.iter().skip(i).step_by(6).copied().collect();
                let (mut episode, mut from) = (agent.begin(1), 0);
                for k in played.steps_of(i) {
                    let to = ends[k] as usize + 1;
                    episode.observe(&read[from..to]);
                    from = to;
                    let acted = &acted[k / 6];
                    assert!(is_near(acted[18 + i], learned[3 * rows + k]), "{task:?}: value of step {k}");
                    assert!(is_near(acted[18 + i], episode.value()), "{task:?}: value of step {k}");
                    for (a, p) in episode.probabilities().into_iter().enumerate() {
                        assert!(is_near(acted[3 * i + a], learned[3 * k + a]), "{task:?}: step {k}, action {a}");
                        assert!(is_near(acted[3 * i + a], Real::ln(p)), "{task:?}: step {k}, action {a}");
                    }
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "decide: a policy with attention needs the first observation in Pass::context")]
    fn decide_attention_without_a_context_panics() {
        let (policy, params) = attention(&Chance::default());
        let tape = Tape::no_grad();
        policy.decide(Pass::new(&policy, params.bind(&tape)), tape.constant_full([1, 5], 0.0));
    }

    #[test]
    #[should_panic(expected = "Policy: attention reads tokens with a GRU")]
    fn new_attention_over_vectors_panics() {
        let task = Chance { has_vectors: true, ..Chance::default() };
        Policy::new(&mut Params::<f32>::new(), &task.spec(), Architecture::attention(5), 0);
    }
}
