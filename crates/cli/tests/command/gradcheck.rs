//! What `gradcheck` shows of the gradients: tables, a page, JSON; and how it refuses. That a wrong gradient is exit code 1
//! is a unit test, since all that are shipped are right.

use autograd::ops::Kind;

use crate::place::{AssertContains, Place, assert_self_contained};

#[test]
fn a_few_are_shown_case_by_case() {
    let place = Place::new();
    let told = place.succeeds(&["gradcheck", "--op", "tanh,linear", "--op", "tanh"]);
    told.assert_contains(&[
        "tanh: y = tanh x; dx += (1 − y²)·dy; crates/autograd/src/ops/tanh.rs",
        "Linear: y = x·Wᵀ + b; crates/nn/src/linear.rs",
        "| a view ",
        "| [5, 3] ",
        "| at most ",
        "1 operation, 1 layer, ",
        "all agree",
        "a factor of 1 + ",
    ]);
    assert!(!told.contains("softmax") && told.matches("tanh: y").count() == 1, "{told}");
    let cases = proofs::operations(Kind::Tanh).len();
    assert_eq!(told.lines().filter(|line| line.starts_with("| a ")).count(), cases, "{told}");
}

#[test]
fn the_page_is_whole_and_replaces_nothing_else() {
    let place = Place::new();
    let told = place.succeeds(&["gradcheck", "--op", "mul", "--html"]);
    assert!(told.contains("all agree") && told.ends_with("\nwrote gradcheck.html\n"), "{told}");
    let page = place.text("gradcheck.html");
    assert_self_contained(&page);
    page.assert_contains(&[
        "all agree",
        "y = a·b elementwise, with a and b broadcast to their common shape<br>da += b·dy and db += a·dy, each",
        ">autograd/src/ops/mul.rs</span>",
        "Why not by differences alone",
        "truncation h²·f‴/6",
        "about ε/h",
        ">PyTorch, 10⁻⁶</text>",
        ">Richardson, ",
        ">duals, ",
        ">rounding, ε/h</text>",
        ">truncation, h²</text>",
        "T=7",
    ]);
    place.write("gradcheck.html", "mine");
    let says = "gradcheck.html is there already and is no page of gradus";
    place.refuses(&["gradcheck", "--op", "mul", "--html"], &[says]);
    place.refuses(&["gradcheck", "--op", "mul", "--html=no/page.html"], &["cannot write no/page.html"]);
    place.succeeds(&["gradcheck", "--op", "mul", "--html=other.html"]);
    assert_eq!(place.names(""), ["gradcheck.html", "other.html"]);
}

#[test]
fn what_does_not_exist_is_refused() {
    let place = Place::new();
    place.refuses(&["gradcheck", "--op", "sofmax"], &["no operation or layer sofmax; did you mean softmax?"]);
    place.refuses(
        &["gradcheck", "--op", "tanh", "--op", "xyzzy"],
        &["no operation or layer xyzzy; expected one of add, "],
    );
    place.refuses(&["gradcheck", "--op", ""], &["--op: the name is empty"]);
    place.refuses(&["gradcheck", "--json", "--html"], &["--json", "--html"]);
}
