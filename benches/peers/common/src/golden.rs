//! The golden file: weights, contexts and actions, and the results of PyTorch in f64.

use std::path::Path;

use safetensors::SafeTensors;

use crate::{Error, Peer};

/// The content of the golden file.
pub struct Golden {
    bytes: Vec<u8>,
    /// Three digits and CTX of each episode, \[B,4\].
    pub contexts: Vec<u32>,
    /// The actions, \[B,T\].
    pub actions: Vec<u32>,
}

impl Golden {
    /// Reads the file.
    ///
    /// # Errors
    /// If the file cannot be read, or if contexts or actions are missing.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut out = Self { bytes, contexts: Vec::new(), actions: Vec::new() };
        let whole = |x: [u8; 4]| u32::from_le_bytes(x);
        (out.contexts, out.actions) = (out.numbers("ctx", whole)?, out.numbers("actions", whole)?);
        Ok(out)
    }

    /// Returns a weight, or a gradient if the name begins with `g.`.
    pub fn weight(&self, name: &str) -> Result<Vec<f32>, Error> {
        self.numbers(name, f32::from_le_bytes)
    }

    /// Returns the shape of a weight.
    pub fn shape(&self, name: &str) -> Result<Vec<usize>, Error> {
        Ok(SafeTensors::deserialize(&self.bytes)?.tensor(name)?.shape().to_vec())
    }

    fn numbers<T, const N: usize>(&self, name: &str, decode: impl Fn([u8; N]) -> T) -> Result<Vec<T>, Error> {
        let file = SafeTensors::deserialize(&self.bytes)?;
        let (numbers, _) = file.tensor(name)?.data().as_chunks();
        Ok(numbers.iter().map(|&x| decode(x)).collect())
    }
}

/// Prints the errors of the loss, of the gradients and of the losses of ten updates, each relative to the largest golden value.
pub(crate) fn verify<P: Peer>(name: &str, golden: &Golden) -> Result<(), Error> {
    let want_loss = golden.numbers("loss", f64::from_le_bytes)?;
    let want_losses = golden.numbers("loss_traj", f64::from_le_bytes)?;
    let mut peer = P::with_weights(golden)?;
    let (loss, gradients) = peer.gradients(golden)?;
    let mut worst = (0.0, "");
    for &(name, ref got) in &gradients {
        let want = golden.weight(&format!("g.{name}"))?;
        let error = relative(got.iter().map(|&x| x.into()), want.iter().map(|&x| x.into()));
        if !(error <= worst.0) {
            worst = (error, name);
        }
    }
    let losses = want_losses.iter().map(|_| peer.update_on(golden)).collect::<Result<Vec<_>, _>>()?;
    println!(
        r#"{{"peer": "{name}", "golden": 1, "loss": {loss}, "loss_rel": {:e}, "grad_max_rel": {:e}, "worst": "{}", "traj_rel": {:e}, "tensors": {}}}"#,
        relative([loss].into_iter(), want_loss.into_iter()),
        worst.0,
        worst.1,
        relative(losses.into_iter(), want_losses.iter().copied()),
        gradients.len(),
    );
    Ok(())
}

/// Returns max |got − want| / max |want|, or infinity if the lengths differ.
fn relative(got: impl ExactSizeIterator<Item = f64>, want: impl ExactSizeIterator<Item = f64> + Clone) -> f64 {
    if got.len() != want.len() {
        return f64::INFINITY;
    }
    let largest = want.clone().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    // f64::max would ignore NaN.
    let worst = got.zip(want).map(|(got, want)| (got - want).abs()).fold(0.0, |a, b| if b <= a { a } else { b });
    worst / largest
}
