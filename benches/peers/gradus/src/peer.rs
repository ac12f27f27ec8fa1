//! What the comparison asks of a peer.

use autograd::{Scan, Tape};
use peer::{CTX, Error, Golden, Peer, WORKLOADS, Workload};
use tensor::Tensor;

use crate::play::{Episodes, greedy, play};
use crate::update::Learner;

/// A learner; and for inference a tape, with the table and the GRU of the weights it began with.
pub struct Gradus {
    learner: Learner,
    steps: usize,
    table: Tensor,
    evaluating: Tape,
    scan: Scan<f32>,
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
        let learner = Learner::new(workload);
        let tape = Tape::evaluating();
        let (weights, mut scan) = (learner.params.bind(&tape), Scan::default());
        learner.net.load(weights, &mut scan);
        let table = learner.net.table(weights).value();
        Ok(Self { learner, steps: workload.steps, table, evaluating: Tape::evaluating(), scan })
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
        let Self { learner, steps, table, evaluating: tape, scan } = self;
        let context = Tensor::from([[3], [5], [7], [CTX]]);
        let played = {
            let weights = learner.params.bind(tape);
            play(&learner.net.on(weights, tape.constant(table.clone())), context, *steps, scan, greedy)
        };
        tape.clear();
        Ok(played.actions.to_vec())
    }
}

/// Those of the golden file, with time before batch.
fn episodes(golden: &Golden) -> Episodes {
    let turned = |x: &[u32], columns: usize| Tensor::new([x.len() / columns, columns], x.to_vec()).transpose();
    Episodes { contexts: turned(&golden.contexts, 4), actions: turned(&golden.actions, WORKLOADS[0].steps) }
}
