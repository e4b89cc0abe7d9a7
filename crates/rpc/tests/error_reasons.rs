//! docs/errors.md and the code name the same reasons: whoever makes a new one documents it, and none outlives its code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What takes a reason as its first argument.
const MAKERS: [&str; 10] = [
    "ApiError::precondition(",
    "ApiError::aborted(",
    "ApiError::unavailable(",
    "ApiError::exhausted(",
    "TaskError::fatal(",
    "TaskError::transient(",
    "Failure::new(",
    "refused(",
    "Fault::whole(",
    ".fault(",
];

/// Takes the field first, then the reason.
const MAKER_OF_A_FIELD: &str = "Fault::of(";

/// Takes a kind that is also the reason.
const MAKER_OF_A_KIND: &str = "Failure::plain(";

/// Functions that answer nothing but reasons.
const REASON_FUNCTIONS: [&str; 3] = ["fn reason(", "fn of_sqlstate(", "fn of_sqlite("];

/// Of test code, which makes up reasons.
const TEST_PLACES: [&str; 6] = [
    "/tests/",
    "/testing/",
    "/simulation/",
    "/conformance/",
    "/testkit/",
    "tests.rs",
];

/// Each reason and the files, relative to the workspace, that make it.
type Reasons = BTreeMap<String, BTreeSet<String>>;

#[test]
fn every_reason_of_the_code_is_documented_and_every_documented_one_is_made() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let made = made(&root);
    let text = fs::read_to_string(root.join("docs/errors.md")).unwrap();
    let told = documented(&text);
    let mut wrong = Vec::new();
    for (reason, files) in &made {
        if !told.contains(reason) {
            let files: Vec<_> = files.iter().map(String::as_str).collect();
            wrong.push(format!(
                "{reason}, made in {}, is in no table of docs/errors.md; add it",
                files.join(", ")
            ));
        }
    }
    for reason in &told {
        if !made.contains_key(reason) {
            wrong.push(format!(
                "{reason} of docs/errors.md is made nowhere; take its line out"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn reasons_are_found_wherever_the_code_makes_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let made = made(&root);
    for (reason, file) in [
        ("NO_LEADER", "services/orchestrator/src/handlers/forward.rs"),
        (
            "STREAM_TAKEN",
            "services/ingestion/src/handlers/upload/stream.rs",
        ),
        (
            "TOO_MANY_UPLOADS",
            "services/ingestion/src/handlers/upload/create.rs",
        ),
        (
            "OFFSET_GAP",
            "services/ingestion/src/handlers/upload/block.rs",
        ),
        (
            "INPUT_REFUSED",
            "services/orchestrator/src/engine/outside.rs",
        ),
        (
            "START_TIMEOUT",
            "services/orchestrator/src/engine/deadlines.rs",
        ),
        ("BAD_ID", "services/ingestion/src/core/value.rs"),
        ("LEASE_EXPIRED", "services/orchestrator/src/core/task.rs"),
        ("NO_HANDLER", "crates/runtime/src/worker/attempt.rs"),
        ("LAKE_DISK_FULL", "crates/lake/src/store_problem.rs"),
        ("STORE_TIMEOUT", "crates/store/src/error/class.rs"),
        (
            "SELF_APPROVAL",
            "services/scorecards/src/core/life/refusal.rs",
        ),
    ] {
        let files = made.get(reason);
        assert!(
            files.is_some_and(|files| files.contains(file)),
            "{reason} of {file}: {files:?}"
        );
    }
}

#[test]
fn a_scan_tells_reasons_from_other_words_and_stops_at_the_tests() {
    let source = r#"
        fn reason(&self) -> &'static str {
            match self { Self::A => "A_REASON", Self::B { .. } => { "ANOTHER" } }
        }
        fn name() -> &'static str { "NO_REASON" }
        fn is_refused() { return Err(refused(
            "REFUSED", format!("{}", "NOT_FIRST"))); }
        fn literal() { Violation { reason: "LITERAL".into() } }
        const CALLED_SO: &str = "CALLED_SO";
        const CALLED_OTHERWISE: &str = "ELSE";
        fn kind() { Failure::plain(FailureKind::StartTimeout, "TEXT") }
        fn of_a_field() { Fault::of(FIELDS[2], "OF_A_FIELD", "TEXT") }
        fn record(&self) { self.fault("OF_A_RECORD", "TEXT") }
        fn passed_on() { ApiError::precondition(error.reason(), "TEXT") }
        #[cfg(test)]
        mod tests { fn made_up() { TaskError::fatal("MADE_UP", "") } }
    "#;
    let found: Vec<_> = reasons_in(source).into_iter().collect();
    assert_eq!(
        found,
        [
            "ANOTHER",
            "A_REASON",
            "CALLED_SO",
            "LITERAL",
            "OF_A_FIELD",
            "OF_A_RECORD",
            "REFUSED",
            "START_TIMEOUT",
        ]
    );
    let table = "| reason | gRPC code |\n|---|---|\n| `A_REASON` | `NOT_FIRST` |\n\n`IN_TEXT` |";
    assert_eq!(
        documented(table),
        BTreeSet::from(["A_REASON".to_owned()]),
        "the first column alone"
    );
}

fn made(root: &Path) -> Reasons {
    let mut made = Reasons::new();
    for group in ["crates", "services"] {
        for member in entries(&root.join(group)) {
            for file in sources(&member.join("src")) {
                let name = file.strip_prefix(root).expect("a file of the workspace");
                let name = name.to_string_lossy().replace('\\', "/");
                if TEST_PLACES.iter().any(|place| name.contains(place)) {
                    continue;
                }
                for reason in
                    reasons_in(&fs::read_to_string(&file).expect("a source that can be read"))
                {
                    made.entry(reason).or_default().insert(name.clone());
                }
            }
        }
    }
    made
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries
        .map(|entry| entry.expect("an entry of a folder").path())
        .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in entries(folder) {
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

/// Of the code before its unit tests.
fn reasons_in(source: &str) -> BTreeSet<String> {
    let source = before_tests(source);
    let mut found = BTreeSet::new();
    for name in MAKERS {
        for (at, _) in source.match_indices(name) {
            let whole = name.starts_with('.')
                || !source[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            found.extend(literal(&source[at + name.len()..]).filter(|_| whole));
        }
    }
    for (at, name) in source.match_indices(MAKER_OF_A_FIELD) {
        let arguments = &source[at + name.len()..];
        let second = arguments.split_once(',').map(|(_, rest)| rest);
        found.extend(second.and_then(literal));
    }
    for (at, name) in source.match_indices(MAKER_OF_A_KIND) {
        let kind = source[at + name.len()..].trim_start();
        found.extend(kind.strip_prefix("FailureKind::").map(in_capitals));
    }
    for name in [" reason: ", " code: "] {
        for (at, name) in source.match_indices(name) {
            found.extend(literal(&source[at + name.len()..]));
        }
    }
    // Constants that are called like the reason that they hold.
    for (at, name) in source.match_indices("const ") {
        if let Some((name, value)) = source[at + name.len()..].split_once(": &str = ") {
            found.extend(literal(value).filter(|value| value == name));
        }
    }
    for function in REASON_FUNCTIONS {
        for (at, _) in source.match_indices(function) {
            found.extend(body(&source[at..]).split('"').filter_map(named));
        }
    }
    found
}

fn before_tests(source: &str) -> &str {
    let mut rest = source;
    while let Some(at) = rest.find("#[cfg(test)]") {
        let after = &rest[at + "#[cfg(test)]".len()..];
        if after.trim_start().starts_with("mod tests {") {
            let kept = source.len() - (rest.len() - at);
            return &source[..kept];
        }
        rest = after;
    }
    source
}

/// The reason that `text` begins with, in quotes.
fn literal(text: &str) -> Option<String> {
    let text = text.trim_start().strip_prefix('"')?;
    named(&text[..text.find('"')?])
}

/// `START_TIMEOUT` of `StartTimeout, …`.
fn in_capitals(text: &str) -> String {
    let mut made = String::new();
    for c in text.chars().take_while(|c| c.is_alphanumeric()) {
        if c.is_uppercase() && !made.is_empty() {
            made.push('_');
        }
        made.extend(c.to_uppercase());
    }
    made
}

fn named(word: &str) -> Option<String> {
    let mut letters = word.bytes();
    let capital = letters
        .next()
        .is_some_and(|first| first.is_ascii_uppercase());
    let upper =
        letters.all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    (capital && upper).then(|| word.to_owned())
}

/// From the first brace to the one that closes it. The functions hold no brace in quotes.
fn body(text: &str) -> &str {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return &text[..at],
            '}' => depth -= 1,
            _ => {}
        }
    }
    text
}

/// First column of the tables.
fn documented(text: &str) -> BTreeSet<String> {
    let cells = text.lines().filter_map(|line| line.strip_prefix("| `"));
    cells
        .filter_map(|rest| named(&rest[..rest.find('`')?]))
        .collect()
}
