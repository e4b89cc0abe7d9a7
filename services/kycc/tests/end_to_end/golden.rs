//! One whole run as text. A change here is a change of what people get; look at it before accepting it.

use crate::place::Place;

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
            text += &format!(
                "  {} {} {}\n",
                output["dataset"], output["rows"], output["digest"]
            );
        }
    }
    let report = place.text("data", &["report", "--batch", &batch.id]);
    text += "\n";
    text += &report.replace(place.path("data").to_str().unwrap(), "DATA");
    insta::assert_snapshot!(text);
}
