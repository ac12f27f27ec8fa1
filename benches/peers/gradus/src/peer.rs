//! What the comparison asks of a peer.

use autograd::{Scan, Tape};
use peer::{CTX, Error, Golden, Peer, WORKLOADS, Workload};
use tensor::Tensor;

use crate::infer::Player;
use crate::play::{Episodes, greedy, play};
use crate::update::Learner;

/// A learner; and for inference the weights that it began with.
pub struct Gradus {
    learner: Learner,
    player: Player,
    steps: usize,
}

/// The golden file's names, and ours. Both heads are one matrix here: the rows of the policy, then that of the value.
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

impl Peer for Gradus {
    fn new(workload: &Workload) -> Result<Self, Error> {
        let (learner, steps) = (Learner::new(workload), workload.steps);
        let mut player = Player::load(&learner.net, &learner.params);
        let (quick, recorded) = (player.episode(&context(), steps), by_the_tape(&learner, steps));
        if quick != recorded {
            return Err(format!("without a tape the episode is {quick:?}, with one {recorded:?}").into());
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
        Ok(self.player.episode(&context(), self.steps))
    }
}

fn context() -> Tensor<u32> {
    Tensor::from([[3], [5], [7], [CTX]])
}

/// The greedy episode as training plays: what the quick one must give.
fn by_the_tape(learner: &Learner, steps: usize) -> Vec<u32> {
    let (tape, mut scan) = (Tape::evaluating(), Scan::default());
    let weights = learner.params.bind(&tape);
    learner.net.load(weights, &mut scan);
    let pass = learner.net.on(weights, learner.net.table(weights));
    play(&pass, context(), steps, &mut scan, greedy).actions.to_vec()
}

/// Those of the golden file, with time before batch.
fn episodes(golden: &Golden) -> Episodes {
    let turned = |x: &[u32], columns: usize| Tensor::new([x.len() / columns, columns], x.to_vec()).transpose();
    Episodes { contexts: turned(&golden.contexts, 4), actions: turned(&golden.actions, WORKLOADS[0].steps) }
}
