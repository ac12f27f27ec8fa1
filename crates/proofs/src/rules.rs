//! The rule of each operation and layer in a line, and the file that derives it.

use std::sync::LazyLock;

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
                let [forward, backward] = &OPERATIONS[kind as usize];
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

/// The rules of the operations, in the order of their list.
static OPERATIONS: LazyLock<Vec<[String; 2]>> = LazyLock::new(|| {
    Kind::ALL.iter().map(|kind| ["Forward", "Backward"].map(|part| said(kind.source(), part))).collect()
});

/// The first sentence of a part of the doc that opens a file, `- Forward: y = tanh x, for x of any shape. …`, without its domain
/// and without the marks of Markdown.
fn said(source: &str, part: &str) -> String {
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

    use crate::{Of, all};

    #[test]
    fn every_operation_and_layer_has_a_rule() {
        for case in all() {
            let rule = case.of.rule().unwrap_or_else(|| panic!("{} has no rule: add it", case.of.name()));
            for words in rule.backward.into_iter().chain([rule.forward]) {
                assert!(!words.is_empty(), "{} does not say it: - Forward: …, - Backward: …", case.of.file());
            }
        }
    }

    /// An operation's rule is taken from the file that is named. The words of a layer stand in a comment of its file, so that neither
    /// can change alone.
    #[test]
    fn rules_are_those_of_their_files() {
        for of in all().iter().map(|case| case.of) {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(of.file());
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let doc = text.lines().filter_map(|line| line.trim_start().strip_prefix("//"));
            let words = doc.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ").replace('\\', "");
            let holds = match of {
                Of::Operation(kind) => text == kind.source(),
                Of::Layer(_) => of.rule().is_some_and(|rule| words.contains(rule.forward)),
            };
            assert!(holds, "{}: {of:?}", path.display());
        }
    }
}
