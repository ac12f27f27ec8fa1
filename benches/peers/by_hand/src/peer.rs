//! The implementation of [`Peer`].

use autograd::Tape;
use peer::{CTX, Error, Golden, Peer, WORKLOADS, Workload};
use tensor::Tensor;

use crate::episodes::Episodes;
use crate::infer::Player;
use crate::update::Learner;

/// A learner, and a player with the learner's initial weights for inference.
pub struct ByHand {
    learner: Learner,
    player: Player,
    steps: usize,
}

/// The golden file's names and this network's. Here both heads are one matrix: the rows of the policy, then the row of the
/// value.
const NAMES: [(&[&str], &str); 8] = [
    (&["emb"], "emb.weight"),
    (&["stage_emb"], "stage_emb.weight"),
    (&["w_ih"], "rnn.weight_ih"),
    (&["w_hh"], "rnn.weight_hh"),
    (&["b_ih"], "rnn.bias_ih"),
    (&["b_hh"], "rnn.bias_hh"),
    (&["pi_w", "v_w"], "heads.weight"),
    (&["pi_b", "v_b"], "heads.bias"),
];

impl Peer for ByHand {
    fn new(workload: &Workload) -> Result<Self, Error> {
        let (learner, steps) = (Learner::new(workload), workload.steps);
        let mut player = Player::load(&learner.net, &learner.params);
        let actions = player.play_episode(&context(), steps);
        if actions != greedy_actions_on_tape(&learner, &actions) {
            return Err(format!("the episode {actions:?}, played without a tape, is not greedy on a tape").into());
        }
        Ok(Self { learner, player, steps })
    }

    fn with_weights(golden: &Golden) -> Result<Self, Error> {
        let mut out = Self::new(&WORKLOADS[0])?;
        let params = &mut out.learner.params;
        for (theirs, ours) in NAMES {
            let numbers = theirs.iter().map(|name| golden.weight(name)).collect::<Result<Vec<_>, _>>()?;
            let param = params.find(ours).ok_or("a parameter has another name")?;
            params.set(param, &Tensor::new(params.shape(param), numbers.concat()));
        }
        Ok(out)
    }

    fn update(&mut self) -> Result<f64, Error> {
        let (_, reward) = self.learner.update()?;
        Ok(reward)
    }

    fn gradients(&mut self, golden: &Golden) -> Result<(f64, Vec<(&'static str, Vec<f32>)>), Error> {
        let loss = self.learner.learn(&episodes(golden));
        let (params, grads) = (&self.learner.params, self.learner.grads());
        let mut out = Vec::new();
        for (theirs, ours) in NAMES {
            let param = params.find(ours).ok_or("a parameter has another name")?;
            let mut numbers = grads.get(params, param).to_vec();
            for &name in theirs {
                let rest = numbers.split_off(golden.weight(name)?.len());
                out.push((name, std::mem::replace(&mut numbers, rest)));
            }
        }
        Ok((loss, out))
    }

    fn update_on(&mut self, golden: &Golden) -> Result<f64, Error> {
        let loss = self.learner.learn(&episodes(golden));
        self.learner.step()?;
        Ok(loss)
    }

    fn episode(&mut self) -> Result<Vec<u32>, Error> {
        Ok(self.player.play_episode(&context(), self.steps))
    }
}

fn context() -> Tensor<u32> {
    Tensor::from([3, 5, 7, CTX])
}

/// Computes the greedy action after each of these actions but the last, as training computes it.
fn greedy_actions_on_tape(learner: &Learner, actions: &[u32]) -> Vec<u32> {
    let tape = Tape::no_grad();
    let weights = learner.params.bind(&tape);
    let episodes =
        Episodes { contexts: context().reshape([4, 1]), actions: Tensor::new([actions.len(), 1], actions.to_vec()) };
    let pass = learner.net.bind(weights, learner.net.input_table(weights));
    let (logits, _) = pass.decide(pass.read(&episodes.tokens(), pass.start(&episodes.contexts)));
    let mut greedy = Tensor::zeros([actions.len()]);
    tape.kernels().argmax(logits.value().view(), greedy.view_mut());
    greedy.to_vec()
}

/// Returns the golden file's episodes, with time before batch.
fn episodes(golden: &Golden) -> Episodes {
    let transposed = |x: &[u32], columns: usize| Tensor::new([x.len() / columns, columns], x.to_vec()).transpose();
    Episodes { contexts: transposed(&golden.contexts, 4), actions: transposed(&golden.actions, WORKLOADS[0].steps) }
}
