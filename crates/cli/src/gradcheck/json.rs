//! The checks for programs: everything that is known. Only what is called seconds depends on the machine. What is called
//! limit is the smallest d of a factor 1 + d on a whole gradient that the dual check [sees](proofs::limit).

use autograd::gradcheck::Report;
use proofs::Of;
use proofs::curve::{Curve, PYTORCH_STEP};
use proofs::limit::ENOUGH;
use proofs::measure::{Measured, Method};
use serde_json::{Map, Value, json};

use super::{Figures, Subject, subjects, tolerances, verdict, worst};

/// All of it.
pub(crate) fn json(measured: &[Measured<'_>], curve: &Curve) -> Value {
    let tolerances =
        Method::ALL.iter().zip(tolerances(measured)).map(|(method, t)| (method.name().to_owned(), json!(t)));
    json!({
        "agree": measured.iter().all(Measured::is_ok),
        "verdict": verdict(measured),
        "cases": measured.len(),
        "tolerances": tolerances.collect::<Map<_, _>>(),
        "limit": Figures::of(measured).limit,
        "largest_limit": ENOUGH,
        "subjects": subjects(measured).map(subject).collect::<Vec<_>>(),
        "curve": self::curve(curve),
        "seconds": measured.iter().map(|case| case.time.as_secs_f64()).sum::<f64>(),
    })
}

fn subject(subject: Subject<'_>) -> Value {
    let (of, figures) = (subject[0].case.of, Figures::of(subject));
    let worst = Method::ALL.iter().filter_map(|&method| {
        let (at, compared) = worst(subject, method)?;
        let mut told = json!(compared);
        told["case"] = json!(at.case.name);
        Some((method.name().to_owned(), told))
    });
    json!({
        "name": of.name(),
        "kind": if matches!(of, Of::Operation(_)) { "operation" } else { "layer" },
        "file": of.file(),
        "forward": of.rule().map(|rule| rule.forward),
        "backward": of.rule().and_then(|rule| rule.backward),
        "agree": figures.agree,
        "worst": worst.collect::<Map<_, _>>(),
        "richardson_estimate": figures.estimate,
        "limit": figures.limit,
        "cases": subject.iter().map(case).collect::<Vec<_>>(),
        "seconds": figures.time.as_secs_f64(),
    })
}

fn case(measured: &Measured<'_>) -> Value {
    let shapes: Vec<_> = measured.case.inputs.iter().map(|input| input.value.shape().to_vec()).collect();
    let report = |(method, report): (&Method, &Report)| {
        let mut told = json!(report);
        told["agree"] = json!(report.is_ok());
        (method.name().to_owned(), told)
    };
    json!({
        "name": measured.case.name,
        "shapes": shapes,
        "agree": measured.is_ok(),
        "reports": Method::ALL.iter().zip(&measured.reports).map(report).collect::<Map<_, _>>(),
        "limit": measured.limit,
        "seconds": measured.time.as_secs_f64(),
    })
}

fn curve(curve: &Curve) -> Value {
    let (step, error) = curve.best();
    let point = |step: f64, error: f64| json!({ "step": step, "error": error });
    json!({
        "case": curve.case,
        "central_differences": curve.points.iter().map(|&(step, error)| point(step, error)).collect::<Vec<_>>(),
        "best": point(step, error),
        "pytorch": point(PYTORCH_STEP, curve.pytorch),
        "richardson": curve.richardson,
        "reverse_mode": curve.reverse,
    })
}
