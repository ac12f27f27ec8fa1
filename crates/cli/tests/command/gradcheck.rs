//! Output of `gradcheck`: tables, the page, JSON and refusals. The exit code 1 of a wrong gradient has a unit test, because
//! all gradients of the engine are correct.

use autograd::ops::Kind;
use serde_json::Value;

use crate::sandbox::{AssertContains, Sandbox, assert_self_contained};

#[test]
fn gradcheck_named_operations_show_each_case() {
    let sandbox = Sandbox::new();
    let output = sandbox.expect_success(&["gradcheck", "--op", "tanh,linear", "--op", "tanh"]);
    output.assert_contains(&[
        "tanh: y = tanh x; dx += (1 − y²)·dy; crates/autograd/src/ops/tanh.rs",
        "Linear: y = x·Wᵀ + b; crates/nn/src/linear.rs",
        "| a view ",
        "| [5, 3] ",
        "| at most ",
        "1 operation, 1 layer, ",
        "all agree",
        "a factor of 1 + ",
    ]);
    assert!(!output.contains("softmax") && output.matches("tanh: y").count() == 1, "{output}");
    let cases = proofs::operation_cases(Kind::Tanh).len();
    assert_eq!(output.lines().filter(|line| line.starts_with("| a ")).count(), cases, "{output}");
}

#[test]
fn gradcheck_page_is_complete_and_replaces_only_pages_of_gradus() {
    let sandbox = Sandbox::new();
    let output = sandbox.expect_success(&["gradcheck", "--op", "mul", "--html"]);
    assert!(output.contains("all agree") && output.ends_with("\nwrote gradcheck.html\n"), "{output}");
    let page = sandbox.text("gradcheck.html");
    assert_self_contained(&page);
    page.assert_contains(&[
        "all agree",
        "y = a·b elementwise, with a and b broadcast to their common shape<br>da += b·dy and db += a·dy, each",
        ">autograd/src/ops/mul.rs</span>",
        "Limits of finite differences",
        "truncation h²·f‴/6",
        "about ε/h",
        ">PyTorch, 10⁻⁶</text>",
        ">Richardson, ",
        ">duals, ",
        ">rounding, ε/h</text>",
        ">truncation, h²</text>",
        "T=7",
    ]);
    sandbox.write("gradcheck.html", "mine");
    let messages = "gradcheck.html exists already and is not a page of gradus";
    sandbox.expect_refusal(&["gradcheck", "--op", "mul", "--html"], &[messages]);
    sandbox.expect_refusal(&["gradcheck", "--op", "mul", "--html=no/page.html"], &["cannot write no/page.html"]);
    sandbox.expect_success(&["gradcheck", "--op", "mul", "--html=other.html"]);
    assert_eq!(sandbox.names(""), ["gradcheck.html", "other.html"]);
}

#[test]
fn gradcheck_list_names_what_op_takes() {
    let sandbox = Sandbox::new();
    let listed = sandbox.expect_success(&["gradcheck", "--list"]);
    listed.assert_contains(&["| tanh ", "| operation |", "| Linear ", "| layer ", "y = tanh x"]);
    let json: Value = serde_json::from_str(&sandbox.expect_success(&["gradcheck", "--list", "--json"])).expect("JSON");
    let names: Vec<_> = json.as_array().expect("a list").iter().map(|target| target["name"].as_str()).collect();
    assert!(Kind::ALL.iter().all(|kind| names.contains(&Some(kind.name()))), "{names:?}");
    assert_eq!(listed.lines().filter(|line| line.starts_with("| ")).count(), names.len() + 1);
    sandbox.expect_refusal(&["gradcheck", "--list", "--op", "tanh"], &["--list", "cannot be used with"]);
}

#[test]
fn gradcheck_unknown_name_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.expect_refusal(&["gradcheck", "--op", "sofmax"], &["no operation or layer sofmax; did you mean softmax?"]);
    sandbox.expect_refusal(
        &["gradcheck", "--op", "tanh", "--op", "xyzzy"],
        &["no operation or layer xyzzy; expected one of add, "],
    );
    sandbox.expect_refusal(&["gradcheck", "--op", ""], &["--op: the name is empty"]);
    sandbox.expect_refusal(&["gradcheck", "--json", "--html"], &["--json", "--html"]);
}
