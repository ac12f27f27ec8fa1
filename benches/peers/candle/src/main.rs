//! candle peer (candle-nn GRU, AdamW with weight decay 0 = Adam). See ../README.md for the specification.
use candle_core::{backprop::GradStore, DType, Device, IndexOp, Result, Tensor, Var, D};
use candle_nn::{
    embedding, linear, rnn::GRU, AdamW, Embedding, GRUConfig, Linear, Module, Optimizer, ParamsAdamW, VarBuilder,
    VarMap, RNN,
};
use rand::{rngs::StdRng, Rng, SeedableRng};
use std::time::Instant;

const V: usize = 18;
const CTX: u32 = 10;

struct Net {
    emb: Embedding,
    stage: Embedding,
    rnn: GRU,
    pi: Linear,
    v: Linear,
}

impl Net {
    fn new(d: usize, vb: VarBuilder) -> Result<Self> {
        let k = candle_nn::Init::Uniform { lo: -1. / (d as f64).sqrt(), up: 1. / (d as f64).sqrt() };
        let cfg = GRUConfig { w_ih_init: k, w_hh_init: k, b_ih_init: Some(k), b_hh_init: Some(k) };
        Ok(Net {
            emb: embedding(V, d, vb.pp("emb"))?,
            stage: embedding(3, d, vb.pp("stage_emb"))?,
            rnn: candle_nn::gru(d, d, cfg, vb.pp("rnn"))?,
            pi: linear(d, V, vb.pp("pi"))?,
            v: linear(d, 1, vb.pp("v"))?,
        })
    }
    fn start(&self, ctx: &Tensor, stage: &Tensor) -> Result<(candle_nn::rnn::GRUState, Tensor)> {
        let h = (self.emb.forward(ctx)?.mean(1)? + self.stage.forward(stage)?)?.tanh()?;
        let x = self.emb.forward(&Tensor::full(CTX, ctx.dim(0)?, ctx.device())?)?;
        Ok((candle_nn::rnn::GRUState { h }, x))
    }
    fn loss(&self, ctx: &Tensor, stage: &Tensor, t_max: usize, forced: Option<&Tensor>) -> Result<(Tensor, f32)> {
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
        let vs = self.v.forward(&Tensor::stack(&hs, 1)?)?.squeeze(2)?.sum(1)?;
        let acts = Tensor::stack(&acts, 1)?;
        let r = reward(ctx, &acts)?;
        let adv = (&r - &vs)?.detach();
        let lp = Tensor::stack(&logps, 1)?.sum(1)?;
        let pg = (lp * adv)?.mean_all()?.neg()?;
        let vl = (vs - &r)?.sqr()?.mean_all()?;
        let ent = Tensor::stack(&ents, 1)?.mean_all()?; // minus the entropy
        Ok((((pg + (vl * 0.5)?)? + (ent * 0.01)?)?, r.mean_all()?.to_scalar()?))
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

fn reward(ctx: &Tensor, acts: &Tensor) -> Result<Tensor> {
    let (b, t) = acts.dims2()?;
    let (c, a) = (ctx.to_vec2::<u32>()?, acts.to_vec2::<u32>()?);
    let r: Vec<f32> = (0..b)
        .map(|i| (0..t).filter(|&j| a[i][j] == (c[i][j % 3] + j as u32) % V as u32).count() as f32 / t as f32)
        .collect();
    Tensor::from_vec(r, b, acts.device())
}

fn new_ctx(b: usize, rng: &mut StdRng) -> Result<Tensor> {
    let v: Vec<u32> =
        (0..b).flat_map(|_| [rng.random_range(0..10), rng.random_range(0..10), rng.random_range(0..10), CTX]).collect();
    Tensor::from_vec(v, (b, 4), &Device::Cpu)
}

fn clip(vars: &[Var], g: &mut GradStore, max: f64) -> Result<()> {
    let mut s = 0f64;
    for v in vars {
        if let Some(t) = g.get(v) {
            s += t.sqr()?.sum_all()?.to_scalar::<f32>()? as f64
        }
    }
    let k = (max / (s.sqrt() + 1e-6)).min(1.0);
    if k < 1.0 {
        for v in vars {
            if let Some(t) = g.remove(v) {
                g.insert(v, (t * k)?);
            }
        }
    }
    Ok(())
}

fn adam(vars: Vec<Var>) -> Result<AdamW> {
    AdamW::new(vars, ParamsAdamW { lr: 3e-4, weight_decay: 0.0, ..Default::default() })
}

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

fn golden(path: &str, name: &str) -> Result<()> {
    let dev = Device::Cpu;
    let g = candle_core::safetensors::load(path, &dev)?;
    let (vm, t) = (VarMap::new(), 6);
    let net = Net::new(96, VarBuilder::from_varmap(&vm, DType::F32, &dev))?;
    let data = vm.data().lock().unwrap().clone();
    for (k, n) in NAMES {
        data[n].set(&g[k])?;
    }
    let to_u32 = |t: &Tensor| t.to_dtype(DType::U32);
    let (ctx, acts) = (to_u32(&g["ctx"])?, to_u32(&g["actions"])?);
    let stage = Tensor::zeros(ctx.dim(0)?, DType::U32, &dev)?;
    let (loss, _) = net.loss(&ctx, &stage, t, Some(&acts))?;
    let grads = loss.backward()?;
    let (mut mx, mut l2, mut worst) = (0f64, 0f64, "");
    for (k, n) in NAMES {
        let r: Vec<f32> = g[&format!("g.{k}")].flatten_all()?.to_vec1()?;
        let a: Vec<f32> = grads.get(&data[n]).unwrap().flatten_all()?.to_vec1()?;
        let m = r.iter().zip(&a).map(|(r, a)| (r - a).abs() as f64).fold(0., f64::max)
            / r.iter().map(|x| x.abs() as f64).fold(0., f64::max);
        let e = (r.iter().zip(&a).map(|(r, a)| ((r - a) as f64).powi(2)).sum::<f64>()
            / r.iter().map(|x| (*x as f64).powi(2)).sum::<f64>())
        .sqrt();
        if m > mx {
            mx = m;
            worst = k;
        }
        l2 = l2.max(e);
    }
    let gl: f64 = g["loss"].to_vec1::<f64>()?[0];
    let gt: Vec<f64> = g["loss_traj"].to_vec1()?;
    let l = loss.to_scalar::<f32>()? as f64;
    let vars = vm.all_vars();
    let mut opt = adam(vars.clone())?;
    let mut worst_t = 0f64;
    for r in &gt {
        let (loss, _) = net.loss(&ctx, &stage, t, Some(&acts))?;
        worst_t = worst_t.max((loss.to_scalar::<f32>()? as f64 - r).abs());
        let mut gr = loss.backward()?;
        clip(&vars, &mut gr, 1.0)?;
        opt.step(&gr)?;
    }
    let den = gt.iter().map(|x| x.abs()).fold(0., f64::max);
    println!("{{\"peer\": \"{name}\", \"golden\": 1, \"loss\": {l}, \"loss_rel\": {:e}, \"grad_max_rel\": {mx:e}, \"grad_l2_rel\": {l2:e}, \"worst\": \"{worst}\", \"traj_rel\": {:e}, \"tensors\": {}}}", ((l - gl) / gl).abs(), worst_t / den, NAMES.len());
    Ok(())
}

fn cpu_s() -> f64 {
    // user + system time of this process, all threads
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.
}

fn main() -> Result<()> {
    let arg = |k: &str, d: &str| {
        let a: Vec<String> = std::env::args().collect();
        a.iter().position(|x| x == k).map(|i| a[i + 1].clone()).unwrap_or(d.into())
    };
    let name = arg("--name", "candle");
    if arg("--golden", "") != "" {
        return golden(&arg("--golden", ""), &name);
    }
    let dev = Device::Cpu;
    let mut rng = StdRng::seed_from_u64(0);
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
        let vm = VarMap::new();
        let net = Net::new(d, VarBuilder::from_varmap(&vm, DType::F32, &dev))?;
        let vars = vm.all_vars();
        let mut opt = adam(vars.clone())?;
        let stage = Tensor::zeros(b, DType::U32, &dev)?;
        let c1 = new_ctx(1, &mut rng)?;
        let mut one = || -> Result<f32> {
            if w == "W5" {
                return Ok(net.greedy(&c1, &stage, t)?.len() as f32);
            }
            let (loss, r) = net.loss(&new_ctx(b, &mut rng)?, &stage, t, None)?;
            let mut g = loss.backward()?;
            clip(&vars, &mut g, 1.0)?;
            opt.step(&g)?;
            let _ = loss.to_scalar::<f32>()?;
            Ok(r)
        };
        if learn > 0 {
            let rs: Vec<f32> = (0..learn).map(|_| one()).collect::<Result<_>>()?;
            let m = |s: &[f32]| s.iter().sum::<f32>() / s.len() as f32;
            println!(
                "{{\"peer\": \"{name}\", \"learn\": {learn}, \"R_first20\": {}, \"R_last20\": {}}}",
                m(&rs[..20]),
                m(&rs[learn - 20..])
            );
            return Ok(());
        }
        one()?;
        let first = t0.elapsed().as_secs_f64();
        for _ in 1..warm {
            one()?;
        }
        let (mut n, t0, c0) = (0, Instant::now(), cpu_s());
        while n < least || t0.elapsed().as_secs_f64() < secs {
            one()?;
            n += 1;
        }
        let (dt, ct) = (t0.elapsed().as_secs_f64(), cpu_s() - c0);
        println!("{{\"peer\": \"{name}\", \"w\": \"{w}\", \"threads\": {}, \"per_s\": {}, \"per_cpu_s\": {}, \"n\": {n}, \"first_s\": {first}}}", arg("--threads", "1"), n as f64 / dt, n as f64 / ct);
    }
    Ok(())
}
