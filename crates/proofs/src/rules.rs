//! The rule of each operation and layer in a line, and the file that derives it.

use autograd::ops::Kind;

use crate::Of;

/// What is proved of an operation or a layer, in the words of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it computes.
    pub forward: &'static str,
    /// What its backward adds; nothing for a layer, which is made of operations.
    pub backward: Option<&'static str>,
}

impl Of {
    /// The file of the workspace that has the whole derivation.
    pub fn file(self) -> String {
        match self {
            Self::Operation(kind) => format!("crates/autograd/src/ops/{}.rs", kind.name()),
            Self::Layer("GruCell") => "crates/nn/src/gru.rs".into(),
            Self::Layer(name) => format!("crates/nn/src/{}.rs", snake(name)),
        }
    }

    /// Its rule, if it has one line.
    pub fn rule(self) -> Option<Rule> {
        match self {
            Self::Operation(kind) => {
                let (forward, backward) = operation(kind);
                Some(Rule { forward, backward: Some(backward) })
            }
            Self::Layer(name) => Some(Rule { forward: layer(name)?, backward: None }),
        }
    }
}

/// `layer_norm` of `LayerNorm`.
fn snake(name: &str) -> String {
    let part = |(i, c): (usize, char)| {
        let lower = c.to_ascii_lowercase();
        if c.is_ascii_uppercase() && i > 0 { format!("_{lower}") } else { lower.to_string() }
    };
    name.chars().enumerate().map(part).collect()
}

fn layer(name: &str) -> Option<&'static str> {
    Some(match name {
        "Linear" => "y = x·Wᵀ + b",
        "Embedding" => "Rows of a table W[V,E] by token",
        "LayerNorm" => "Rows shifted to mean 0 and scaled to variance 1, then times w[N] plus b[N]",
        "Mlp" => "Linear layers with an activation between them",
        "GruCell" | "Gru" => "h' = (1 − z)·n + z·h",
        _ => return None,
    })
}

#[rustfmt::skip] // a table
fn operation(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Add => ("y = a + b", "da += dy and db += dy"),
        Kind::Sub => ("y = a − b", "da += dy and db += −dy"),
        Kind::Mul => ("y = a·b", "da += b·dy and db += a·dy"),
        Kind::Div => ("y = a / b", "with g = dy / b: da += g and db += −y·g"),
        Kind::Neg => ("y = −x", "dx += −dy"),
        Kind::Scale => ("y = c·x", "dx += c·dy"),
        Kind::Shift => ("y = x + c", "dx += dy"),
        Kind::Exp => ("y = eˣ", "dx += y·dy"),
        Kind::Log => ("y = ln x", "dx += dy / x"),
        Kind::Sqrt => ("y = √x", "dx += dy / (2y)"),
        Kind::Square => ("y = x²", "dx += 2x·dy"),
        Kind::Tanh => ("y = tanh x", "dx += (1 − y²)·dy"),
        Kind::Sigmoid => ("y = σ(x) = 1 / (1 + e⁻ˣ)", "dx += y·(1 − y)·dy"),
        Kind::Relu => ("y = max(x, 0)", "dx += dy where y > 0"),
        Kind::MatMul => ("y[M,N] = a[M,K] · b[K,N]", "da += dy·bᵀ, db += aᵀ·dy"),
        Kind::Sum => ("y = Σ x", "dx += dy everywhere"),
        Kind::SumAxis => ("y[…] = Σ_k x[…, k, …]", "dx[…, k, …] += dy[…] for every k"),
        Kind::Reshape => ("y has the elements of x in row-major order", "dx += dy under x's shape"),
        Kind::Permute => ("axis k of y is axis `axes[k]` of x", "dx += dy with the order undone"),
        Kind::BroadcastTo => ("y[…] = x at the same place", "dx += dy summed over the repeated axes"),
        Kind::Slice => ("y = x with one axis restricted to a range", "dx, restricted to the same range, += dy"),
        Kind::Concat => ("y = [x₀, x₁, …] along `axis`", "dx_k += the part of dy where x_k lies"),
        Kind::Softmax => ("y_i = e^(x_i − m) / Σ_j e^(x_j − m) per row of x[…,N], with m the row's maximum", "dx_i += y_i·(dy_i − Σ_j dy_j·y_j)"),
        Kind::LogSoftmax => ("y_i = x_i − m − ln Σ_j e^(x_j − m) per row of x[…,N], with m the row's maximum", "dx_i += dy_i − e^(y_i)·Σ_j dy_j"),
        Kind::LogSumExp => ("y = m + ln Σ_j e^(x_j − m) per row of x[…,N], with m the row's maximum", "dx_j += dy·e^(x_j − y)"),
        Kind::Entropy => ("y = −Σ_j e^(x_j)·x_j per row of log-probabilities x[…,A], with 0·ln 0 = 0", "dx_j += −(1 + x_j)·e^(x_j)·dy, and nothing where x_j = −∞"),
        Kind::Embedding => ("y[…,:] = table[index[…],:]", "dtable[index[…],:] += dy[…,:]"),
        Kind::Gather => ("y[…,k] = x[…, index[…,k]]", "dx[…, index[…,k]] += dy[…,k]"),
        Kind::LayerNorm => (
            "μ = mean x, s = 1/√(mean (x − μ)² + ε), x̂ = (x − μ)·s, y = x̂·w + b",
            "with g = dy·w: dx += s·(g − mean g − x̂·mean(g·x̂)); dw += Σ_rows dy·x̂; db += Σ_rows dy",
        ),
        Kind::Gru => ("h = (1 − z)·n + z·h₋", "dgx += (da_r, da_z, da_n)"),
        Kind::Detach => ("y = x", "nothing: y is a constant"),
        Kind::Hook => ("y = x", "dx += dy, after the hook has seen dy"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use crate::all;

    /// What the doc that opens a file says, without the marks that Markdown needs.
    fn doc(file: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let doc = text.lines().filter_map(|line| line.trim_start().strip_prefix("//"));
        let words = doc.flat_map(str::split_whitespace).collect::<Vec<_>>();
        words.join(" ").replace('\\', "")
    }

    /// The words are those of the file, so that neither can change alone.
    #[test]
    fn rules_are_those_of_their_files() {
        for case in all() {
            let (file, name) = (case.of.file(), case.of.name());
            let rule = case.of.rule().unwrap_or_else(|| panic!("{name} has no rule: add it"));
            for words in rule.backward.into_iter().chain([rule.forward]) {
                assert!(doc(&file).contains(words), "{name}: {file} does not say {words:?}");
            }
        }
    }
}
