//! The burn peer (Flex CPU backend with autodiff). Each Linear of the GRU computes all three gates.
//! `../README.md` specifies the computation.
use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{
    activation::{log_softmax, sigmoid, tanh},
    Device, Distribution, Int, Tensor, TensorData,
};
use peer::{
    mean_reward, returns, Arguments, Contexts, Error, Golden, Peer, Workload, CTX, STAGES, VOCABULARY, WORKLOADS,
};

#[derive(Module, Debug)]
struct Net {
    emb: Embedding,
    stage: Embedding,
    ih: Linear,
    hh: Linear,
    pi: Linear,
    v: Linear,
}

impl Net {
    fn new(hidden_size: usize, dev: &Device) -> Self {
        let e = |n| EmbeddingConfig::new(n, hidden_size).init(dev);
        let l = |i, o| LinearConfig::new(i, o).init(dev);
        Net {
            emb: e(VOCABULARY),
            stage: e(STAGES),
            ih: l(hidden_size, 3 * hidden_size),
            hh: l(hidden_size, 3 * hidden_size),
            pi: l(hidden_size, VOCABULARY),
            v: l(hidden_size, 1),
        }
    }
    fn cell(&self, x: Tensor<2>, h_prev: Tensor<2>) -> Tensor<2> {
        let [gx_r, gx_z, gx_n]: [Tensor<2>; 3] = self.ih.forward(x).chunk(3, 1).try_into().unwrap();
        let [gh_r, gh_z, gh_n]: [Tensor<2>; 3] = self.hh.forward(h_prev.clone()).chunk(3, 1).try_into().unwrap();
        let (r, z) = (sigmoid(gx_r + gh_r), sigmoid(gx_z + gh_z));
        let n = tanh(gx_n + r * gh_n);
        n.clone() + z * (h_prev - n)
    }
    fn start(&self, ctx: Tensor<2, Int>, stage: Tensor<1, Int>) -> (Tensor<2>, Tensor<2>) {
        let [b, _] = ctx.dims();
        let dev = ctx.device();
        let ce: Tensor<2> = self.emb.forward(ctx).mean_dim(1).squeeze_dim(1);
        let se: Tensor<2> = self.stage.forward(stage.unsqueeze_dim(1)).squeeze_dim(1);
        (tanh(ce + se), self.tok(Tensor::full([b], CTX, &dev)))
    }
    fn tok(&self, a: Tensor<1, Int>) -> Tensor<2> {
        self.emb.forward(a.unsqueeze_dim(1)).squeeze_dim(1)
    }
    fn loss(&self, ctx: &[u32], stage: Tensor<1, Int>, t_max: usize, forced: Option<&[u32]>) -> (Tensor<1>, f64) {
        let b = ctx.len() / 4;
        let dev = stage.device();
        let (mut h, mut x) = self.start(ints(ctx, [b, 4], &dev), stage);
        let (mut acts, mut logps, mut ents, mut hs) = (vec![], vec![], vec![], vec![]);
        for t in 0..t_max {
            h = self.cell(x, h);
            let lsm = log_softmax(self.pi.forward(h.clone()), 1);
            let a: Tensor<1, Int> = match forced {
                Some(f) => ints(&f.iter().skip(t).step_by(t_max).copied().collect::<Vec<_>>(), [b], &dev),
                None => {
                    // Gumbel-max, outside the graph
                    let l = lsm.clone().inner();
                    let u = l.random_like(Distribution::Uniform(1e-7, 1.0));
                    Tensor::from_inner((l - (-u.log()).log()).argmax(1).squeeze_dim(1))
                }
            };
            logps.push(lsm.clone().gather(1, a.clone().unsqueeze_dim(1)));
            ents.push((lsm.clone().exp() * lsm).sum_dim(1));
            x = self.tok(a.clone());
            acts.push(a);
            hs.push(h.clone());
        }
        let vs: Tensor<2> = self.v.forward(Tensor::stack::<3>(hs, 1)).reshape([b, t_max]);
        let acts: Vec<u32> = Tensor::stack::<2>(acts, 1).try_into_vec_as().unwrap();
        let gs = returns(ctx, &acts, t_max);
        let reward = mean_reward(&gs, t_max);
        let gs: Tensor<2> = Tensor::from_data(TensorData::new(gs, [b, t_max]), &dev);
        let adv = (gs.clone() - vs.clone()).detach();
        let pg = -(Tensor::cat(logps, 1) * adv).sum_dim(1).mean();
        let vl = (vs - gs).square().mean();
        (pg + vl * 0.5 + Tensor::cat(ents, 1).mean() * 0.01, reward)
    }
    fn greedy(&self, ctx: &[u32], stage: Tensor<1, Int>, t_max: usize) -> Vec<u32> {
        let dev = stage.device();
        let (mut h, mut x) = self.start(ints(ctx, [1, 4], &dev), stage);
        let mut acts = vec![];
        for _ in 0..t_max {
            h = self.cell(x, h);
            let a: Tensor<1, Int> = self.pi.forward(h.clone()).argmax(1).squeeze_dim(1);
            x = self.tok(a.clone());
            acts.push(a);
        }
        Tensor::cat(acts, 0).try_into_vec_as().unwrap()
    }
}

fn ints<const D: usize>(x: &[u32], shape: [usize; D], dev: &Device) -> Tensor<D, Int> {
    Tensor::from_data(TensorData::new(x.iter().map(|&x| x as i32).collect(), shape), dev)
}

struct Norm<'a> {
    g: &'a GradientsParams,
    s: f32,
}
impl ModuleVisitor for Norm<'_> {
    fn visit_float<const D: usize>(&mut self, p: &Param<Tensor<D>>) {
        if let Some(t) = self.g.get::<D>(p.id) {
            self.s += t.square().sum().into_scalar::<f32>();
        }
    }
}
struct Scale<'a> {
    g: &'a mut GradientsParams,
    k: f32,
}
impl ModuleVisitor for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, p: &Param<Tensor<D>>) {
        if let Some(t) = self.g.remove::<D>(p.id) {
            self.g.register(p.id, t * self.k);
        }
    }
}
fn clip(net: &Net, g: &mut GradientsParams, max: f32) {
    // The global norm. burn's own clipping is per tensor.
    let mut n = Norm { g, s: 0. };
    net.visit(&mut n);
    let k = max / (n.s.sqrt() + 1e-6);
    if k < 1. {
        net.visit(&mut Scale { g, k });
    }
}

/// A network with its optimiser.
struct Burn {
    /// The network. A step takes it out and moves it through the optimiser, so that nothing is copied.
    net: Option<Net>,
    opt: ModuleOptimizer,
    dev: Device,
    /// For inference: the initial network without gradients, and its context.
    inference: (Net, Vec<u32>),
    contexts: Contexts,
    workload: Workload,
}

impl Burn {
    fn loss(&self, ctx: &[u32], forced: Option<&[u32]>) -> (Tensor<1>, f64) {
        let stage = Tensor::zeros([self.workload.batch], &self.dev);
        self.net.as_ref().unwrap().loss(ctx, stage, self.workload.steps, forced)
    }

    /// Updates the parameters and reads the loss back.
    fn step(&mut self, loss: Tensor<1>) -> f64 {
        let net = self.net.take().unwrap();
        let mut g = GradientsParams::from_grads(loss.backward(), &net);
        clip(&net, &mut g, 1.0);
        self.net = Some(self.opt.step(3e-4, net, g));
        loss.into_scalar::<f32>().into()
    }
}

impl Peer for Burn {
    fn new(workload: &Workload) -> Result<Self, Error> {
        let dev = Device::flex().autodiff();
        let net = Net::new(workload.hidden_size, &dev);
        let mut contexts = Contexts::default();
        let inference = (net.valid(), contexts.draw(1));
        let opt = AdamConfig::new().with_epsilon(1e-8).init();
        Ok(Self { net: Some(net), opt, dev, inference, contexts, workload: *workload })
    }

    fn with_weights(golden: &Golden) -> Result<Self, Error> {
        let mut out = Self::new(&WORKLOADS[0])?;
        let (net, dev) = (out.net.as_mut().unwrap(), &out.dev);
        let vector = |k: &str| -> Result<Param<Tensor<1>>, Error> {
            let v = golden.weight(k)?;
            let n = v.len();
            Ok(Param::from_tensor(Tensor::from_data(TensorData::new(v, [n]), dev)))
        };
        let matrix = |k: &str, tr: bool| -> Result<Param<Tensor<2>>, Error> {
            let s = golden.shape(k)?;
            let x: Tensor<2> = Tensor::from_data(TensorData::new(golden.weight(k)?, [s[0], s[1]]), dev);
            Ok(Param::from_tensor(if tr { x.transpose() } else { x }))
        };
        net.emb.weight = matrix("emb", false)?;
        net.stage.weight = matrix("stage_emb", false)?;
        for (linear, [w, b]) in [
            (&mut net.ih, ["w_ih", "b_ih"]),
            (&mut net.hh, ["w_hh", "b_hh"]),
            (&mut net.pi, ["pi_w", "pi_b"]),
            (&mut net.v, ["v_w", "v_b"]),
        ] {
            (linear.weight, linear.bias) = (matrix(w, true)?, Some(vector(b)?));
        }
        Ok(out)
    }

    fn update(&mut self) -> Result<f64, Error> {
        let ctx = self.contexts.draw(self.workload.batch);
        let (loss, reward) = self.loss(&ctx, None);
        self.step(loss);
        Ok(reward)
    }

    fn gradients(&mut self, golden: &Golden) -> Result<(f64, Vec<(&'static str, Vec<f32>)>), Error> {
        let (loss, _) = self.loss(&golden.contexts, Some(&golden.actions));
        let value = loss.clone().into_scalar::<f32>();
        let net = self.net.as_ref().unwrap();
        let g = GradientsParams::from_grads(loss.backward(), net);
        let gradient = |p: &Param<Tensor<2>>, tr: bool| -> Vec<f32> {
            let x = g.get::<2>(p.id).unwrap();
            (if tr { x.transpose() } else { x }).try_into_vec_as().unwrap()
        };
        let mut out =
            vec![("emb", gradient(&net.emb.weight, false)), ("stage_emb", gradient(&net.stage.weight, false))];
        for (linear, [w, b]) in [
            (&net.ih, ["w_ih", "b_ih"]),
            (&net.hh, ["w_hh", "b_hh"]),
            (&net.pi, ["pi_w", "pi_b"]),
            (&net.v, ["v_w", "v_b"]),
        ] {
            let bias = g.get::<1>(linear.bias.as_ref().unwrap().id).unwrap();
            out.extend([(w, gradient(&linear.weight, true)), (b, bias.try_into_vec_as().unwrap())]);
        }
        Ok((value.into(), out))
    }

    fn update_on(&mut self, golden: &Golden) -> Result<f64, Error> {
        let (loss, _) = self.loss(&golden.contexts, Some(&golden.actions));
        Ok(self.step(loss))
    }

    fn episode(&mut self) -> Result<Vec<u32>, Error> {
        let (net, context) = &self.inference;
        Ok(net.greedy(context, Tensor::zeros([1], &Device::flex()), self.workload.steps))
    }
}

fn main() -> Result<(), Error> {
    peer::run::<Burn>("burn", &Arguments::read()?)
}
