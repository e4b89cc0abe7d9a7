//! One whole run as text. A change here is a change of what people get; look at it before accepting it.

use crate::place::Place;

const ROUNDED: [&str; 3] = ["scores", "model", "scorecard_draft"];

#[test]
fn a_run_of_three_hundred_parties_reads_as_it_always_did() {
    let place = Place::new();
    let batch = place.generate(300, 7, &[]);
    let run = place.execute("data", &batch, &[]);
    let mut text = String::new();
    for step in run["steps"].as_array().unwrap() {
        text += &format!(
            "{} {}\n",
            step["asset"].as_str().unwrap(),
            step["status"].as_str().unwrap()
        );
        for output in step["outputs"].as_array().unwrap() {
            let dataset = output["dataset"].as_str().unwrap();
            // Logarithms and exponentials come from the system's library, whose last bit is not ours to promise.
            let digest = if ROUNDED.contains(&dataset) {
                "…"
            } else {
                output["digest"].as_str().unwrap()
            };
            text += &format!("  {dataset} {} {digest}\n", output["rows"]);
        }
    }
    let report = place.text("data", &["report", "--batch", &batch.id]);
    text += "\n";
    text += &report.replace(place.path("data").to_str().unwrap(), "DATA");
    // Names made of those digests.
    let model = place.json("data", &["model", "list"])["models"][0]["model_id"].clone();
    let draft = place.json("data", &["scorecard", "list"])["versions"][0]["version"].clone();
    let text = text
        .replace(model.as_str().unwrap(), "MODEL")
        .replace(draft.as_str().unwrap(), "DRAFT");
    insta::assert_snapshot!(text);
}
