//! The results of all checks as JSON. Only `seconds` depends on the machine. `limit` is the smallest d for which the dual
//! check [detects](proofs::limit) a factor 1 + d on a whole gradient.

use autograd::gradcheck::Report;
use proofs::Target;
use proofs::curve::{PYTORCH_STEP, StepSizeCurve};
use proofs::limit::MAX_LIMIT;
use proofs::measure::{Measurement, Method};
use serde_json::{Map, Value, json};

use super::{Subject, Summary, largest_error, subjects, tolerances, verdict};

/// Converts all results to JSON.
pub(crate) fn json(measured: &[Measurement<'_>], curve: &StepSizeCurve) -> Value {
    let tolerances =
        Method::ALL.iter().zip(tolerances(measured)).map(|(method, t)| (method.name().to_owned(), json!(t)));
    json!({
        "agree": measured.iter().all(Measurement::is_ok),
        "verdict": verdict(measured),
        "cases": measured.len(),
        "tolerances": tolerances.collect::<Map<_, _>>(),
        "limit": Summary::from_cases(measured).limit,
        "largest_limit": MAX_LIMIT,
        "subjects": subjects(measured).map(subject).collect::<Vec<_>>(),
        "curve": self::curve(curve),
        "seconds": measured.iter().map(|case| case.time.as_secs_f64()).sum::<f64>(),
    })
}

fn subject(subject: Subject<'_>) -> Value {
    let (target, summary) = (subject[0].case.target, Summary::from_cases(subject));
    let worst = Method::ALL.iter().filter_map(|&method| {
        let (at, compared) = largest_error(subject, method)?;
        let mut json = json!(compared);
        json["case"] = json!(at.case.name);
        Some((method.name().to_owned(), json))
    });
    json!({
        "name": target.name(),
        "kind": if matches!(target, Target::Operation(_)) { "operation" } else { "layer" },
        "file": target.file(),
        "forward": target.rule().map(|rule| rule.forward),
        "backward": target.rule().and_then(|rule| rule.backward),
        "agree": summary.agree,
        "worst": worst.collect::<Map<_, _>>(),
        "richardson_estimate": summary.estimate,
        "limit": summary.limit,
        "cases": subject.iter().map(case).collect::<Vec<_>>(),
        "seconds": summary.time.as_secs_f64(),
    })
}

fn case(measured: &Measurement<'_>) -> Value {
    let shapes: Vec<_> = measured.case.inputs.iter().map(|input| input.value.shape().to_vec()).collect();
    let report = |(method, report): (&Method, &Report)| {
        let mut json = json!(report);
        json["agree"] = json!(report.is_ok());
        (method.name().to_owned(), json)
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

fn curve(curve: &StepSizeCurve) -> Value {
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
