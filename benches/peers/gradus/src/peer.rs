//! The implementation of [`Peer`] by [`rl::a2c`] and [`rl::agent`].

use autograd::Tape;
use nn::{Grads, Optimizer, Params, UpdateRule, clip_global_norm, differentiate};
use peer::{CTX, Error, Golden, Peer, WORKLOADS, Workload};
use rl::a2c::{Learner, LossTerms, Update};
use rl::agent::{self, Agent};
use rl::env::{Action, Actions, SingleEnv, Task};
use rl::trajectories::{Observed, Trajectories};
use rl::{model::Pass, returns::compute_advantages};
use tensor::{Tensor, philox::Philox};

use crate::net::Net;
use crate::task::{Digits, Episode};

/// A learner, and an agent with the learner's initial weights.
pub struct Gradus {
    task: Digits,
    learner: Learner<f32, Net>,
    update: Update,
    /// An episode of an agent that lives as long as the program.
    episode: agent::Episode<'static, f32, Net>,
}

/// The golden file's names and this network's. Here both heads are one matrix: the rows of the policy, then the row of the value.
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

impl Gradus {
    /// Computes the loss of the golden file's episodes and its gradients.
    fn differentiate(&self, golden: &Golden) -> Result<(f64, Grads), Error> {
        let (Self { task: Digits(steps), learner: Learner { model, params, .. }, update, .. }, mut rng) =
            (self, Philox::new(0));
        let transposed =
            |x: &[u32], columns| Tensor::new([x.len() / columns, columns], x.to_vec()).transpose().to_vec();
        let (contexts, actions) = (transposed(&golden.contexts, 4), transposed(&golden.actions, *steps));
        let (episodes, count) = (contexts.len() / 4, actions.len());
        let digits = |i| [0, 1, 2].map(|k| contexts[k * episodes + i]);
        let mut env: Vec<_> =
            (0..episodes).map(|i| Episode { steps: *steps, digits: digits(i), actions: 0, latest: CTX }).collect();
        let rewards =
            (0..count).map(|k| env[k % episodes].step(Action::Discrete(actions[k]), &mut rng).reward).collect();
        let (observed, valid) = (Observed::from_contexts(&contexts, &actions, episodes), vec![true; count]);
        let actions = Actions::Discrete(actions);
        let mut played =
            Trajectories { episodes, steps: *steps, observed, actions, rewards, valid, ..Trajectories::default() };
        let mut grads = Grads::zeros(params);
        let loss = differentiate(params, &mut Tape::new(), &mut grads, |_, weights| {
            let decisions = played.decisions(model, Pass::new(model, weights), None);
            played.values = decisions.values.value().to_vec().into_iter().map(f64::from).collect();
            let estimates = compute_advantages(&played, update.gamma, update.estimator);
            LossTerms::compute(decisions, &played, &estimates).loss(update, episodes, count)
        })?;
        Ok((loss.into(), grads))
    }
}

impl Peer for Gradus {
    fn new(&Workload { batch, steps, hidden_size, .. }: &Workload) -> Result<Self, Error> {
        let (task, mut params) = (Digits(steps), Params::new());
        let net = Net::new(&mut params, hidden_size);
        let agent: &'static _ = Box::leak(Box::new(Agent::new(task.spec(), net.clone(), params.clone())));
        let optimizer = Optimizer::new(UpdateRule::adam(), &params);
        let update = Update { counts: vec![batch], chunk: 96, rate: 3e-4, ..Update::default() };
        Ok(Self { task, learner: Learner::new(net, params, optimizer), update, episode: agent.begin(0) })
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
        let metrics = self.learner.update(&self.task, &self.update)?;
        self.update.number += 1;
        Ok(metrics.reward)
    }

    fn gradients(&mut self, golden: &Golden) -> Result<(f64, Vec<(&'static str, Vec<f32>)>), Error> {
        let ((loss, grads), params, mut out) = (self.differentiate(golden)?, &self.learner.params, Vec::new());
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
        let (loss, mut grads) = self.differentiate(golden)?;
        let (Learner { params, optimizer, .. }, Update { clip, rate, .. }) = (&mut self.learner, &self.update);
        clip_global_norm(params, &mut grads, *clip)?;
        optimizer.step(*rate, params, &grads);
        Ok(loss)
    }

    fn episode(&mut self) -> Result<Vec<u32>, Error> {
        let (episode, mut actions) = (&mut self.episode, vec![]);
        episode.restart(0);
        for _ in 0..self.task.0 {
            match actions.last() {
                None => episode.observe(&[3, 5, 7, CTX]),
                Some(&action) => episode.observe(&[action]),
            }
            actions.push(episode.greedy());
        }
        Ok(actions)
    }
}
