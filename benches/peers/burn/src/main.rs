//! burn peer (Flex CPU backend + autodiff). GRU with the three gates fused in one Linear each way;
//! `--cell nn` uses burn::nn::gru::Gru instead. See ../README.md for the specification.
use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::{
    gru::{Gru, GruConfig},
    Embedding, EmbeddingConfig, Initializer, Linear, LinearConfig,
};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{
    activation::{log_softmax, sigmoid, tanh},
    Device, Distribution, Int, Tensor, TensorData,
};
use std::time::Instant;

const V: usize = 18;
const CTX: i32 = 10;

#[derive(Module, Debug)]
struct Net {
    emb: Embedding,
    stage: Embedding,
    ih: Linear,
    hh: Linear,
    gru: Option<Gru>,
    pi: Linear,
    v: Linear,
}

impl Net {
    fn new(d: usize, nn_cell: bool, dev: &Device) -> Self {
        let e = |n| EmbeddingConfig::new(n, d).init(dev);
        let l = |i, o| LinearConfig::new(i, o).init(dev);
        let gru = nn_cell.then(|| {
            GruConfig::new(d, d, true)
                .with_initializer(Initializer::Uniform { min: -1. / (d as f64).sqrt(), max: 1. / (d as f64).sqrt() })
                .init(dev)
        });
        let o = if nn_cell { 1 } else { 3 * d };
        Net { emb: e(V), stage: e(3), ih: l(d, o), hh: l(d, o), gru, pi: l(d, V), v: l(d, 1) }
    }
    fn cell(&self, x: Tensor<2>, h: Tensor<2>) -> Tensor<2> {
        if let Some(g) = &self.gru {
            return g.forward(x.unsqueeze_dim(1), Some(h)).squeeze_dim(1);
        }
        let [i0, i1, i2]: [Tensor<2>; 3] = self.ih.forward(x).chunk(3, 1).try_into().unwrap();
        let [h0, h1, h2]: [Tensor<2>; 3] = self.hh.forward(h.clone()).chunk(3, 1).try_into().unwrap();
        let (r, z) = (sigmoid(i0 + h0), sigmoid(i1 + h1));
        let n = tanh(i2 + r * h2);
        n.clone() + z * (h - n)
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
    fn loss(&self, ctx: &[i32], stage: Tensor<1, Int>, t_max: usize, forced: Option<&[i32]>) -> (Tensor<1>, f32) {
        let b = ctx.len() / 4;
        let dev = stage.device();
        let (mut h, mut x) = self.start(Tensor::from_data(TensorData::new(ctx.to_vec(), [b, 4]), &dev), stage);
        let (mut acts, mut logps, mut ents, mut hs) = (vec![], vec![], vec![], vec![]);
        for t in 0..t_max {
            h = self.cell(x, h);
            let lsm = log_softmax(self.pi.forward(h.clone()), 1);
            let a: Tensor<1, Int> = match forced {
                Some(f) => Tensor::from_data(
                    TensorData::new((0..b).map(|i| f[i * t_max + t]).collect::<Vec<i32>>(), [b]),
                    &dev,
                ),
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
        let vs: Tensor<1> = self.v.forward(Tensor::stack::<3>(hs, 1)).sum_dim(1).reshape([b]);
        let acts: Vec<i32> = Tensor::stack::<2>(acts, 1).try_into_vec_as().unwrap();
        let r: Vec<f32> = (0..b)
            .map(|i| {
                (0..t_max).filter(|&j| acts[i * t_max + j] == (ctx[i * 4 + j % 3] + j as i32) % V as i32).count() as f32
                    / t_max as f32
            })
            .collect();
        let mean_r = r.iter().sum::<f32>() / b as f32;
        let r: Tensor<1> = Tensor::from_data(TensorData::new(r, [b]), &dev);
        let adv = (r.clone() - vs.clone()).detach();
        let lp: Tensor<1> = Tensor::cat(logps, 1).sum_dim(1).squeeze_dim(1);
        let pg = -(lp * adv).mean();
        let vl = (vs - r).square().mean();
        (pg + vl * 0.5 + Tensor::cat(ents, 1).mean() * 0.01, mean_r)
    }
    fn greedy(&self, ctx: &[i32], stage: Tensor<1, Int>, t_max: usize) -> Vec<i32> {
        let dev = stage.device();
        let (mut h, mut x) = self.start(Tensor::from_data(TensorData::new(ctx.to_vec(), [1, 4]), &dev), stage);
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
    // global norm (burn's own clipping is per tensor)
    let mut n = Norm { g, s: 0. };
    net.visit(&mut n);
    let k = max / (n.s.sqrt() + 1e-6);
    if k < 1. {
        net.visit(&mut Scale { g, k });
    }
}

fn adam() -> ModuleOptimizer {
    AdamConfig::new().with_epsilon(1e-8).init()
}

struct Rng(u64);
impl Rng {
    fn below(&mut self, n: u64) -> i32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 33) % n) as i32
    }
}
fn new_ctx(b: usize, r: &mut Rng) -> Vec<i32> {
    (0..b).flat_map(|_| [r.below(10), r.below(10), r.below(10), CTX]).collect()
}

fn golden(path: &str, name: &str, dev: &Device) {
    let raw = std::fs::read(path).unwrap();
    let st = safetensors::SafeTensors::deserialize(&raw).unwrap();
    let f32s = |k: &str| -> Vec<f32> {
        st.tensor(k).unwrap().data().chunks(4).map(|c| f32::from_le_bytes(c.try_into().unwrap())).collect()
    };
    let f64s = |k: &str| -> Vec<f64> {
        st.tensor(k).unwrap().data().chunks(8).map(|c| f64::from_le_bytes(c.try_into().unwrap())).collect()
    };
    let i32s = |k: &str| -> Vec<i32> {
        st.tensor(k).unwrap().data().chunks(4).map(|c| i32::from_le_bytes(c.try_into().unwrap())).collect()
    };
    let (d, b, t) = (96, 192, 6);
    let t1 = |k: &str| -> Param<Tensor<1>> {
        let v = f32s(k);
        let n = v.len();
        Param::from_tensor(Tensor::from_data(TensorData::new(v, [n]), dev))
    };
    let t2 = |k: &str, tr: bool| -> Param<Tensor<2>> {
        let s = st.tensor(k).unwrap().shape().to_vec();
        let x: Tensor<2> = Tensor::from_data(TensorData::new(f32s(k), [s[0], s[1]]), dev);
        Param::from_tensor(if tr { x.transpose() } else { x })
    };
    let mut net = Net::new(d, false, dev);
    net.emb.weight = t2("emb", false);
    net.stage.weight = t2("stage_emb", false);
    net.ih.weight = t2("w_ih", true);
    net.hh.weight = t2("w_hh", true);
    net.pi.weight = t2("pi_w", true);
    net.v.weight = t2("v_w", true);
    net.ih.bias = Some(t1("b_ih"));
    net.hh.bias = Some(t1("b_hh"));
    net.pi.bias = Some(t1("pi_b"));
    net.v.bias = Some(t1("v_b"));
    let (ctx, acts) = (i32s("ctx"), i32s("actions"));
    let stage = || Tensor::<1, Int>::zeros([b], dev);
    let (loss, _) = net.loss(&ctx, stage(), t, Some(&acts));
    let l: f32 = loss.clone().into_scalar();
    let g = GradientsParams::from_grads(loss.backward(), &net);
    let (mut mx, mut l2, mut worst) = (0f64, 0f64, String::new());
    let mut cmp = |k: &str, a: Vec<f32>| {
        let r = f32s(&format!("g.{k}"));
        let m = r.iter().zip(&a).map(|(r, a)| (r - a).abs() as f64).fold(0., f64::max)
            / r.iter().map(|x| x.abs() as f64).fold(0., f64::max);
        let e = (r.iter().zip(&a).map(|(r, a)| ((r - a) as f64).powi(2)).sum::<f64>()
            / r.iter().map(|x| (*x as f64).powi(2)).sum::<f64>())
        .sqrt();
        if m > mx {
            mx = m;
            worst = k.into();
        }
        l2 = l2.max(e);
    };
    let v2 = |p: &Param<Tensor<2>>, tr: bool| -> Vec<f32> {
        let x = g.get::<2>(p.id).unwrap();
        (if tr { x.transpose() } else { x }).try_into_vec_as().unwrap()
    };
    let v1 = |p: &Option<Param<Tensor<1>>>| -> Vec<f32> {
        g.get::<1>(p.as_ref().unwrap().id).unwrap().try_into_vec_as().unwrap()
    };
    cmp("emb", v2(&net.emb.weight, false));
    cmp("stage_emb", v2(&net.stage.weight, false));
    cmp("w_ih", v2(&net.ih.weight, true));
    cmp("w_hh", v2(&net.hh.weight, true));
    cmp("pi_w", v2(&net.pi.weight, true));
    cmp("v_w", v2(&net.v.weight, true));
    cmp("b_ih", v1(&net.ih.bias));
    cmp("b_hh", v1(&net.hh.bias));
    cmp("pi_b", v1(&net.pi.bias));
    cmp("v_b", v1(&net.v.bias));
    let (gl, gt) = (f64s("loss")[0], f64s("loss_traj"));
    let mut opt = adam();
    let mut wt = 0f64;
    for r in &gt {
        let (loss, _) = net.loss(&ctx, stage(), t, Some(&acts));
        wt = wt.max((loss.clone().into_scalar::<f32>() as f64 - r).abs());
        let mut g = GradientsParams::from_grads(loss.backward(), &net);
        clip(&net, &mut g, 1.0);
        net = opt.step(3e-4, net, g);
    }
    let den = gt.iter().map(|x| x.abs()).fold(0., f64::max);
    println!("{{\"peer\": \"{name}\", \"golden\": 1, \"loss\": {l}, \"loss_rel\": {:e}, \"grad_max_rel\": {mx:e}, \"grad_l2_rel\": {l2:e}, \"worst\": \"{worst}\", \"traj_rel\": {:e}, \"tensors\": 10}}", ((l as f64 - gl) / gl).abs(), wt / den);
}

fn cpu_s() -> f64 {
    // user + system time of this process, all threads
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.
}

fn main() {
    let arg = |k: &str, d: &str| {
        let a: Vec<String> = std::env::args().collect();
        a.iter().position(|x| x == k).map(|i| a[i + 1].clone()).unwrap_or(d.into())
    };
    let (name, nn_cell) = (arg("--name", "burn"), arg("--cell", "fused") == "nn");
    let plain = Device::flex();
    let dev = plain.clone().autodiff();
    if arg("--golden", "") != "" {
        return golden(&arg("--golden", ""), &name, &dev);
    }
    let mut rng = Rng(88172645463325252);
    let learn: usize = arg("--learn", "0").parse().unwrap();
    for w in arg("--workloads", "W1,W2,W3,W4,W5").split(',') {
        let ((b, t, d), (warm, secs, least)) = match w {
            "W1" => ((192, 6, 96), (20, 2., 10)),
            "W2" => ((4096, 8, 96), (2, 2., 3)),
            "W3" => ((1024, 8, 256), (2, 2., 3)),
            "W4" => ((512, 32, 512), (1, 2., 2)),
            _ => ((1, 7, 96), (300, 0.5, 200)),
        };
        let t0 = Instant::now();
        let mut net = Some(Net::new(d, nn_cell, &dev));
        let inf = net.as_ref().unwrap().valid();
        let mut opt = adam();
        let c1 = new_ctx(1, &mut rng);
        let mut one = || -> f32 {
            if w == "W5" {
                return inf.greedy(&c1, Tensor::zeros([1], &plain), t).len() as f32;
            }
            let n = net.take().unwrap();
            let (loss, r) = n.loss(&new_ctx(b, &mut rng), Tensor::zeros([b], &dev), t, None);
            let mut g = GradientsParams::from_grads(loss.backward(), &n);
            clip(&n, &mut g, 1.0);
            net = Some(opt.step(3e-4, n, g));
            let _: f32 = loss.into_scalar();
            r
        };
        if learn > 0 {
            let rs: Vec<f32> = (0..learn).map(|_| one()).collect();
            let m = |s: &[f32]| s.iter().sum::<f32>() / s.len() as f32;
            println!(
                "{{\"peer\": \"{name}\", \"learn\": {learn}, \"R_first20\": {}, \"R_last20\": {}}}",
                m(&rs[..20]),
                m(&rs[learn - 20..])
            );
            return;
        }
        one();
        let first = t0.elapsed().as_secs_f64();
        for _ in 1..warm {
            one();
        }
        let (mut n, t0, c0) = (0, Instant::now(), cpu_s());
        while n < least || t0.elapsed().as_secs_f64() < secs {
            one();
            n += 1;
        }
        let (dt, ct) = (t0.elapsed().as_secs_f64(), cpu_s() - c0);
        println!("{{\"peer\": \"{name}\", \"w\": \"{w}\", \"threads\": {}, \"per_s\": {}, \"per_cpu_s\": {}, \"n\": {n}, \"first_s\": {first}}}", arg("--threads", "1"), n as f64 / dt, n as f64 / ct);
    }
}
