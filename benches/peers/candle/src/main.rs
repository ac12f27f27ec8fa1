//! The candle peer (candle-nn's GRU; AdamW with weight decay 0, which is Adam). `../README.md` specifies the computation.
use candle_core::{DType, Device, IndexOp, Result, Tensor, D};
use candle_nn::{
    embedding, linear, rnn::GRU, AdamW, Embedding, GRUConfig, Linear, Module, Optimizer, ParamsAdamW, VarBuilder,
    VarMap, RNN,
};
use peer::{
    mean_reward, returns, Arguments, Contexts, Error, Golden, Peer, Workload, CTX, STAGES, VOCABULARY, WORKLOADS,
};

struct Net {
    emb: Embedding,
    stage: Embedding,
    rnn: GRU,
    pi: Linear,
    v: Linear,
}

impl Net {
    fn new(hidden_size: usize, vb: VarBuilder) -> Result<Self> {
        let k =
            candle_nn::Init::Uniform { lo: -1. / (hidden_size as f64).sqrt(), up: 1. / (hidden_size as f64).sqrt() };
        let cfg = GRUConfig { w_ih_init: k, w_hh_init: k, b_ih_init: Some(k), b_hh_init: Some(k) };
        Ok(Net {
            emb: embedding(VOCABULARY, hidden_size, vb.pp("emb"))?,
            stage: embedding(STAGES, hidden_size, vb.pp("stage_emb"))?,
            rnn: candle_nn::gru(hidden_size, hidden_size, cfg, vb.pp("rnn"))?,
            pi: linear(hidden_size, VOCABULARY, vb.pp("pi"))?,
            v: linear(hidden_size, 1, vb.pp("v"))?,
        })
    }
    fn start(&self, ctx: &Tensor, stage: &Tensor) -> Result<(candle_nn::rnn::GRUState, Tensor)> {
        let h = (self.emb.forward(ctx)?.mean(1)? + self.stage.forward(stage)?)?.tanh()?;
        let x = self.emb.forward(&Tensor::full(CTX, ctx.dim(0)?, ctx.device())?)?;
        Ok((candle_nn::rnn::GRUState { h }, x))
    }
    fn loss(&self, ctx: &Tensor, stage: &Tensor, t_max: usize, forced: Option<&Tensor>) -> Result<(Tensor, f64)> {
        let (mut st, mut x) = self.start(ctx, stage)?;
        let (mut acts, mut logps, mut ents, mut hs) = (vec![], vec![], vec![], vec![]);
        for t in 0..t_max {
            st = self.rnn.step(&x, &st)?;
            let lsm = candle_nn::ops::log_softmax(&self.pi.forward(st.h())?, D::Minus1)?;
            let a = match forced {
                Some(f) => f.i((.., t))?.contiguous()?,
                None => {
                    // Gumbel-max
                    let u = Tensor::rand(1e-7f32, 1f32, lsm.shape(), lsm.device())?;
                    (lsm.detach() - u.log()?.neg()?.log()?)?.argmax(D::Minus1)?
                }
            };
            x = self.emb.forward(&a)?;
            logps.push(lsm.gather(&a.unsqueeze(1)?, 1)?.squeeze(1)?);
            ents.push((lsm.exp()? * &lsm)?.sum(1)?);
            acts.push(a);
            hs.push(st.h().clone());
        }
        let vs = self.v.forward(&Tensor::stack(&hs, 1)?)?.squeeze(2)?;
        let acts = Tensor::stack(&acts, 1)?;
        let gs = returns(&ctx.flatten_all()?.to_vec1()?, &acts.flatten_all()?.to_vec1()?, t_max);
        let reward = mean_reward(&gs, t_max);
        let gs = Tensor::from_vec(gs, vs.shape(), ctx.device())?;
        let adv = (&gs - &vs)?.detach();
        let pg = (Tensor::stack(&logps, 1)? * adv)?.sum(1)?.mean_all()?.neg()?;
        let vl = (vs - gs)?.sqr()?.mean_all()?;
        let ent = Tensor::stack(&ents, 1)?.mean_all()?; // minus the entropy
        Ok((((pg + (vl * 0.5)?)? + (ent * 0.01)?)?, reward))
    }
    fn greedy(&self, ctx: &Tensor, stage: &Tensor, t_max: usize) -> Result<Vec<u32>> {
        let (mut st, mut x) = self.start(ctx, stage)?;
        let mut acts = vec![];
        for _ in 0..t_max {
            st = self.rnn.step(&x, &st)?;
            let a = self.pi.forward(st.h())?.argmax(D::Minus1)?;
            x = self.emb.forward(&a)?;
            acts.push(a);
        }
        Tensor::stack(&acts, 1)?.flatten_all()?.to_vec1()
    }
}

/// The golden file's names and candle's.
const NAMES: [(&str, &str); 10] = [
    ("emb", "emb.weight"),
    ("stage_emb", "stage_emb.weight"),
    ("w_ih", "rnn.weight_ih_l0"),
    ("w_hh", "rnn.weight_hh_l0"),
    ("b_ih", "rnn.bias_ih_l0"),
    ("b_hh", "rnn.bias_hh_l0"),
    ("pi_w", "pi.weight"),
    ("pi_b", "pi.bias"),
    ("v_w", "v.weight"),
    ("v_b", "v.bias"),
];

type Outcome<T> = std::result::Result<T, Error>;

/// A network with its optimiser.
struct Candle {
    net: Net,
    vars: VarMap,
    opt: AdamW,
    stage: Tensor,
    context: Tensor,
    contexts: Contexts,
    workload: Workload,
}

impl Candle {
    fn loss(&self, golden: &Golden) -> Result<Tensor> {
        let [ctx, acts] = [&golden.contexts, &golden.actions].map(|x| matrix(x.clone(), self.workload.batch));
        Ok(self.net.loss(&ctx?, &self.stage, self.workload.steps, Some(&acts?))?.0)
    }

    /// Clips the gradients by their global norm, updates the parameters and reads the loss back.
    fn step(&mut self, loss: &Tensor) -> Result<f64> {
        let (vars, mut g) = (self.vars.all_vars(), loss.backward()?);
        let mut s = 0f64;
        for v in &vars {
            if let Some(t) = g.get(v) {
                s += t.sqr()?.sum_all()?.to_scalar::<f32>()? as f64
            }
        }
        let k = (1. / (s.sqrt() + 1e-6)).min(1.0);
        if k < 1.0 {
            for v in &vars {
                if let Some(t) = g.remove(v) {
                    g.insert(v, (t * k)?);
                }
            }
        }
        self.opt.step(&g)?;
        Ok(loss.to_scalar::<f32>()?.into())
    }
}

fn matrix(x: Vec<u32>, rows: usize) -> Result<Tensor> {
    let columns = x.len() / rows;
    Tensor::from_vec(x, (rows, columns), &Device::Cpu)
}

impl Peer for Candle {
    fn new(workload: &Workload) -> Outcome<Self> {
        let vars = VarMap::new();
        let net = Net::new(workload.hidden_size, VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu))?;
        let opt = AdamW::new(vars.all_vars(), ParamsAdamW { lr: 3e-4, weight_decay: 0.0, ..Default::default() })?;
        let stage = Tensor::zeros(workload.batch, DType::U32, &Device::Cpu)?;
        let mut contexts = Contexts::default();
        let context = matrix(contexts.draw(1), 1)?;
        Ok(Self { net, vars, opt, stage, context, contexts, workload: *workload })
    }

    fn with_weights(golden: &Golden) -> Outcome<Self> {
        let out = Self::new(&WORKLOADS[0])?;
        let data = out.vars.data().lock().unwrap().clone();
        for (theirs, ours) in NAMES {
            data[ours].set(&Tensor::from_vec(golden.weight(theirs)?, golden.shape(theirs)?, &Device::Cpu)?)?;
        }
        Ok(out)
    }

    fn update(&mut self) -> Outcome<f64> {
        let ctx = matrix(self.contexts.draw(self.workload.batch), self.workload.batch)?;
        let (loss, reward) = self.net.loss(&ctx, &self.stage, self.workload.steps, None)?;
        self.step(&loss)?;
        Ok(reward)
    }

    fn gradients(&mut self, golden: &Golden) -> Outcome<(f64, Vec<(&'static str, Vec<f32>)>)> {
        let loss = self.loss(golden)?;
        let (grads, data) = (loss.backward()?, self.vars.data().lock().unwrap());
        let gradient = |(theirs, ours)| Ok((theirs, grads.get(&data[ours]).unwrap().flatten_all()?.to_vec1()?));
        Ok((loss.to_scalar::<f32>()?.into(), NAMES.into_iter().map(gradient).collect::<Result<_>>()?))
    }

    fn update_on(&mut self, golden: &Golden) -> Outcome<f64> {
        let loss = self.loss(golden)?;
        Ok(self.step(&loss)?)
    }

    fn episode(&mut self) -> Outcome<Vec<u32>> {
        Ok(self.net.greedy(&self.context, &self.stage, self.workload.steps)?)
    }
}

fn main() -> Outcome<()> {
    peer::run::<Candle>("candle", &Arguments::read()?)
}
