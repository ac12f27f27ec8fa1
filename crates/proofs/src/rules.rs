//! The rule of each operation and layer in one line, and the file that derives it.

use std::sync::LazyLock;

use autograd::ops::Kind;

use crate::Target;

/// The equations of an operation or a layer, in the words of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The forward equation.
    pub forward: &'static str,
    /// The backward equation. `None` for a layer, which is composed of operations.
    pub backward: Option<&'static str>,
}

impl Target {
    /// Returns the path of the file with the whole derivation, from the root of the workspace.
    pub fn file(self) -> String {
        match self {
            Self::Operation(kind) => format!("crates/autograd/src/ops/{}.rs", kind.name()),
            Self::Layer("GruCell") => "crates/nn/src/gru.rs".into(),
            Self::Layer("Categorical" | "Gaussian") => "crates/rl/src/distribution.rs".into(),
            Self::Layer("A2C") => "crates/rl/src/a2c.rs".into(),
            Self::Layer(name) => format!("crates/nn/src/{}.rs", to_snake_case(name)),
        }
    }

    /// Returns the rule, if there is one.
    pub fn rule(self) -> Option<Rule> {
        match self {
            Self::Operation(kind) => {
                let [forward, backward] = &OPERATIONS[kind as usize];
                Some(Rule { forward, backward: Some(backward) })
            }
            Self::Layer(name) => Some(Rule { forward: layer_forward(name)?, backward: None }),
        }
    }
}

/// Converts `LayerNorm` to `layer_norm`.
fn to_snake_case(name: &str) -> String {
    let part = |(i, c): (usize, char)| {
        let lower = c.to_ascii_lowercase();
        if c.is_ascii_uppercase() && i > 0 { format!("_{lower}") } else { lower.to_string() }
    };
    name.chars().enumerate().map(part).collect()
}

fn layer_forward(name: &str) -> Option<&'static str> {
    Some(match name {
        "Linear" => "y = x·Wᵀ + b",
        "Embedding" => "Rows of a table W[V,E] by token",
        "LayerNorm" => "Rows shifted to mean 0 and scaled to variance 1, then times w[N] plus b[N]",
        "Mlp" => "Linear layers with an activation between them",
        "GruCell" | "Gru" => "h = (1 − z)·n + z·h_prev",
        "Attention" => "f = tanh([h; c]·W_mᵀ + b_m), with c = α·k and α = softmax(q·kᵀ/√H + mask)",
        "Categorical" => "An action that is not legal has the logit −∞",
        "Gaussian" => "Σ_d −½((a_d − μ_d)/σ_d)² − ln σ_d − ½·ln 2π",
        "A2C" => "L = − 1/B Σ_steps Â·ln π(a) + c_v · 1/N Σ_steps (V − G)² − β · 1/N Σ_steps H(π)",
        _ => return None,
    })
}

/// The rules of the operations, in the order of [`Kind::ALL`].
static OPERATIONS: LazyLock<Vec<[String; 2]>> = LazyLock::new(|| {
    Kind::ALL.iter().map(|kind| ["Forward", "Backward"].map(|part| first_sentence(kind.source(), part))).collect()
});

/// Returns the first sentence of one part of a file's opening doc, such as `- Forward: y = tanh x, for x of any shape.
/// …`. The domain (", for …") and the Markdown escapes are removed.
fn first_sentence(source: &str, part: &str) -> String {
    let doc = source.lines().map_while(|line| line.strip_prefix("//!"));
    let mut lines = doc.skip_while(|line| line.strip_prefix(" - ").is_none_or(|line| !line.starts_with(part)));
    let first = lines.next().and_then(|line| line.get(" - ".len() + part.len()..)).unwrap_or_default();
    let rest = lines.take_while(|line| line.starts_with("   "));
    let words: Vec<&str> = [first].into_iter().chain(rest).flat_map(str::split_whitespace).collect();
    let words = words.join(" ").replace('\\', "");
    let sentence = words.split(". ").next().unwrap_or_default();
    let sentence = sentence.split(", for ").next().unwrap_or_default();
    sentence.trim_start_matches([',', ':', ' ']).trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::{Target, all_cases};

    #[test]
    fn every_operation_and_layer_has_a_rule() {
        for case in all_cases() {
            let rule = case.target.rule().unwrap_or_else(|| panic!("{} has no rule: add it", case.target.name()));
            for words in rule.backward.into_iter().chain([rule.forward]) {
                assert!(!words.is_empty(), "{} lacks a line \"- Forward: …\" or \"- Backward: …\"", case.target.file());
            }
        }
    }

    /// An operation's rule comes from the named file. A layer's rule is repeated in a comment of its file, so neither
    /// can change alone.
    #[test]
    fn rules_match_their_files() {
        for target in all_cases().iter().map(|case| case.target) {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(target.file());
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let doc = text.lines().filter_map(|line| line.trim_start().strip_prefix("//"));
            let words = doc.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ").replace('\\', "");
            let holds = match target {
                Target::Operation(kind) => text == kind.source(),
                Target::Layer(_) => target.rule().is_some_and(|rule| words.contains(rule.forward)),
            };
            assert!(holds, "{}: {target:?}", path.display());
        }
    }
}
