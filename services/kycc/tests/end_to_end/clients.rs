//! Callers that are not ours: the examples in Python and TypeScript, grpcurl, and a client that knows nothing but an address.
//! `scripts/setup.sh test` installs what they need; without it these tests fail.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::place::{Dev, Place, text};

const PEOPLE: [(&str, &[&str]); 4] = [
    ("ana", &["operator", "ingester"]),
    ("boss", &["approver"]),
    ("uma", &["operator", "approver"]),
    ("vera", &["viewer"]),
];

/// A batch whose draft passes its gates: with few parties too few defaults are held out.
const APPROVABLE: (&str, u32, u32) = ("APPROVABLE", 4_000, 1);
const SMALL: (&str, u32, u32) = ("SMALL", 300, 7);

const LAUNCH: &str = "kycc.orchestrator.v1.OrchestratorService/LaunchRun";
const WATCH: &str = "kycc.orchestrator.v1.OrchestratorService/WatchRun";
const STATISTICS: &str = "kycc.scoring.v1.ScoringService/GetStatistics";

/// A running fleet that asks its callers who they are.
struct Fleet {
    place: Place,
    address: String,
    tls: bool,
    _dev: Dev,
}

impl Fleet {
    fn start(tls: bool) -> Self {
        let place = Place::new();
        let mut security = json!({"api_keys_file": place.path("keys.yaml")});
        if tls {
            let certified =
                rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
            let key = certified.signing_key.serialize_pem();
            std::fs::write(place.path("cert.pem"), certified.cert.pem()).unwrap();
            std::fs::write(place.path("key.pem"), key).unwrap();
            security["tls"] =
                json!({"cert_file": place.path("cert.pem"), "key_file": place.path("key.pem")});
        }
        let keys = PEOPLE.map(|(person, roles)| draw_key(&place, person, roles));
        write_json(&place.path("keys.yaml"), &json!({"keys": keys}));
        write_json(&place.path("kycc.yaml"), &json!({"security": security}));
        let settings = place.path("kycc.yaml");
        let dev = place.dev_with("data", &["--config-file", settings.to_str().unwrap()]);
        let note = std::fs::read(place.path("data/fleet.json")).unwrap();
        let note: Value = serde_json::from_slice(&note).unwrap();
        let bound = note["grpc_addr"].as_str().unwrap();
        let (_, port) = bound.rsplit_once(':').unwrap();
        Self {
            address: format!("localhost:{port}"),
            place,
            tls,
            _dev: dev,
        }
    }

    /// The file with somebody's key.
    fn token(&self, person: &str) -> PathBuf {
        token(&self.place, person)
    }

    fn key(&self, person: &str) -> String {
        let key = std::fs::read_to_string(self.token(person)).unwrap();
        key.trim().to_owned()
    }

    /// Writes a batch and its outcomes into the landing folder.
    fn land(&self, (batch, parties, seed): (&str, u32, u32)) {
        let (parties, seed) = (parties.to_string(), seed.to_string());
        let mut arguments = vec!["batch", "generate", "--batch", batch];
        arguments.extend([
            "--parties",
            &parties,
            "--seed",
            &seed,
            "--out",
            "data/landing",
        ]);
        self.place.text("unused", &arguments);
    }

    /// The newest version of the scorecard, as kycc's own command shows it to a viewer.
    fn newest_version(&self) -> Value {
        let scheme = if self.tls { "https" } else { "http" };
        let server = format!("{scheme}://{}", self.address);
        let arguments = ["--json", "--server", &server, "scorecard", "list"];
        let mut command = self.place.command("data", &arguments);
        command.env("KYCC_API_KEY", self.key("vera"));
        if self.tls {
            command.env("KYCC_CA_FILE", self.place.path("cert.pem"));
        }
        let listed: Value = serde_json::from_str(&succeeds(&mut command)).unwrap();
        listed["versions"][0].clone()
    }

    fn python_example(&self) -> Command {
        // Not beside the example, where another test may be reading.
        let stubs = self.place.path("stubs");
        if !stubs.exists() {
            let mut generate = Command::new(root().join("examples/python/generate.sh"));
            let python = root().join(".tools/venv/bin/python");
            succeeds(generate.env("PYTHON", python).arg(&stubs));
        }
        let mut command = tool(".tools/venv/bin/python");
        command.env("PYTHONPATH", stubs);
        command.arg(root().join("examples/python/client.py"));
        self.with_place(command)
    }

    fn typescript_example(&self) -> Command {
        let mut command = tool("examples/typescript/node_modules/.bin/tsx");
        command.arg(root().join("examples/typescript/client.ts"));
        self.with_place(command)
    }

    fn with_place(&self, mut command: Command) -> Command {
        command.args(["--address", &self.address]);
        if self.tls {
            command.arg("--ca").arg(self.place.path("cert.pem"));
        }
        command
    }

    fn grpcurl(&self, person: Option<&str>, data: Option<&Value>, arguments: &[&str]) -> Command {
        let mut command = tool(".tools/venv/bin/grpcurl");
        command.arg("-plaintext");
        if let Some(person) = person {
            command.args(["-H", &format!("authorization: Bearer {}", self.key(person))]);
        }
        if let Some(data) = data {
            command.args(["-d", &data.to_string()]);
        }
        command.arg(&self.address).args(arguments);
        command
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Something that `scripts/setup.sh test` installs. Proxies are for the world outside.
fn tool(path: &str) -> Command {
    let path = root().join(path);
    assert!(
        path.exists(),
        "{} is missing: run scripts/setup.sh test",
        path.display()
    );
    let mut command = Command::new(path);
    command.env("NO_PROXY", "localhost,127.0.0.1");
    command.env("no_proxy", "localhost,127.0.0.1");
    command
}

fn token(place: &Place, person: &str) -> PathBuf {
    place.path(&format!("{person}.token"))
}

/// Keeps a key for its owner, and answers its entry for the fleet.
fn draw_key(place: &Place, person: &str, roles: &[&str]) -> Value {
    let mut arguments = vec!["key", "create", person];
    for role in roles {
        arguments.extend(["--role", role]);
    }
    let mut drawn = place.json("unused", &arguments);
    std::fs::write(token(place, person), drawn["key"].as_str().unwrap()).unwrap();
    drawn["entry"].take()
}

/// JSON is YAML, too.
fn write_json(path: &Path, value: &Value) {
    std::fs::write(path, value.to_string()).unwrap();
}

fn ended(command: &mut Command) -> (Output, String) {
    let output = command.output().unwrap();
    let said = format!("{}\n{}", text(&output.stdout), text(&output.stderr));
    (output, said)
}

fn succeeds(command: &mut Command) -> String {
    let (output, said) = ended(command);
    assert!(output.status.success(), "{said}");
    text(&output.stdout)
}

fn fails(command: &mut Command) -> String {
    let (output, said) = ended(command);
    assert!(!output.status.success(), "{said}");
    text(&output.stderr)
}

/// The refusal begins with the code, and where there is one that says more, the reason.
fn refused(command: &mut Command, wanted: &str) {
    let said = fails(command);
    assert!(said.starts_with(wanted), "wanted {wanted}, not {said}");
}

#[test]
fn the_python_example_sends_a_batch_over_tls_and_explains_a_score() {
    let fleet = Fleet::start(true);
    let example = |person: &str| {
        let mut command = fleet.python_example();
        command.arg("--token-file").arg(fleet.token(person));
        command
    };
    let said = succeeds(example("ana").arg("PYTHON"));
    assert!(said.contains("sent 4199 records, 0 of them"), "{said}");
    // Of ingestion, features and scores.
    assert_eq!(said.matches("RUN_SUCCESS").count(), 3, "{said}");
    for wanted in [
        ") by scorecard 1.0\n",
        "kyc_verified",
        " points",
        "KYC_VERIFICATION: ",
    ] {
        assert!(said.contains(wanted), "{wanted} is missing: {said}");
    }
    refused(example("vera").arg("OTHER"), "PERMISSION_DENIED: ");
    refused(fleet.python_example().arg("OTHER"), "UNAUTHENTICATED: ");
    refused(example("ana").arg("a/b"), "INVALID_ARGUMENT batch_id: ");
    let approve = |person: &str| {
        let mut command = fleet.python_example();
        command.args(["--activate", "1.0-nosuch", "--approver-token-file"]);
        command.arg(fleet.token(person));
        command
    };
    refused(&mut approve("boss"), "NOT_FOUND: ");
}

/// Uma may launch and approve, but not approve what she launched.
#[test]
fn the_examples_run_the_main_job_and_a_second_person_activates_its_draft() {
    let fleet = Fleet::start(false);
    fleet.land(APPROVABLE);
    let example = |person: &str, arguments: &[&str]| {
        let mut command = fleet.typescript_example();
        command.arg("--token-file").arg(fleet.token(person));
        command.args(arguments);
        command
    };
    let said = succeeds(&mut example(
        "uma",
        &["--job", "full_scoring_job", APPROVABLE.0],
    ));
    for wanted in [
        "STEP_SUCCESS  refine_scorecard",
        "RUN_SUCCESS",
        ") by scorecard 1.0\n",
        "kyc_verified",
    ] {
        assert!(said.contains(wanted), "{wanted} is missing: {said}");
    }
    let draft = fleet.newest_version();
    assert_eq!(
        (&draft["author"], &draft["status"]),
        (&"uma".into(), &"gated".into())
    );
    let mut gates = draft["gates"].as_array().unwrap().iter();
    assert!(gates.any(|gate| gate["status"] == "needs_note"), "{draft}");
    let version = draft["version"].as_str().unwrap();
    let activate = ["--activate", version];
    refused(&mut example("ana", &activate), "PERMISSION_DENIED: ");
    refused(
        &mut example("uma", &activate),
        "PERMISSION_DENIED: uma is the author of version",
    );
    let said = succeeds(&mut example("boss", &activate));
    let wanted = format!("scorecard {version} is active, by boss\n");
    assert_eq!(said, wanted);
    // What is so already succeeds, in the other language, too.
    let mut python = fleet.python_example();
    python.args(activate).arg("--approver-token-file");
    python.arg(fleet.token("boss"));
    assert_eq!(succeeds(&mut python), wanted);
    assert_eq!(fleet.newest_version()["status"], "active");

    refused(&mut example("vera", &[APPROVABLE.0]), "PERMISSION_DENIED: ");
    refused(&mut example("ana", &["a/b"]), "INVALID_ARGUMENT batch_id: ");
    refused(
        fleet.typescript_example().arg(APPROVABLE.0),
        "UNAUTHENTICATED: ",
    );
}

#[test]
fn grpcurl_launches_a_run_and_the_examples_tell_why_its_draft_is_refused() {
    let fleet = Fleet::start(false);
    fleet.land(SMALL);
    let listed = succeeds(&mut fleet.grpcurl(Some("vera"), None, &["list"]));
    for service in [LAUNCH, STATISTICS].map(|method| method.split_once('/').unwrap().0) {
        assert!(listed.lines().any(|line| line == service), "{listed}");
    }
    let method = LAUNCH.replace('/', ".");
    let described = succeeds(&mut fleet.grpcurl(Some("vera"), None, &["describe", &method]));
    assert!(
        described.contains("rpc LaunchRun ( .kycc.orchestrator.v1.LaunchRunRequest )"),
        "{described}"
    );
    let said = fails(&mut fleet.grpcurl(None, None, &["list"]));
    assert!(said.contains("Unauthenticated"), "{said}");

    let job = json!({"job": "full_scoring_job", "batch_id": SMALL.0, "request_id": "grpcurl"});
    let said = fails(&mut fleet.grpcurl(Some("vera"), Some(&job), &[LAUNCH]));
    assert!(said.contains("Code: PermissionDenied"), "{said}");
    let answer = |person: &str, data: &Value, method: &str| {
        succeeds(&mut fleet.grpcurl(Some(person), Some(data), &[method]))
    };
    let launched: Value = serde_json::from_str(&answer("ana", &job, LAUNCH)).unwrap();
    let run = json!({"run_id": launched["run"]["runId"]});
    let watched = answer("vera", &run, WATCH);
    let answers = serde_json::Deserializer::from_str(&watched).into_iter::<Value>();
    let last = answers.last().unwrap().unwrap();
    assert_eq!(last["run"]["status"], "RUN_STATUS_SUCCESS", "{last}");
    let batch = json!({"batch_id": SMALL.0});
    let statistics: Value = serde_json::from_str(&answer("vera", &batch, STATISTICS)).unwrap();
    assert_eq!(statistics["partiesScored"], SMALL.1.to_string());

    let draft = fleet.newest_version();
    for (mut example, token) in [
        (fleet.python_example(), "--approver-token-file"),
        (fleet.typescript_example(), "--token-file"),
    ] {
        example.arg(token).arg(fleet.token("boss"));
        example.args(["--activate", draft["version"].as_str().unwrap()]);
        refused(&mut example, "FAILED_PRECONDITION GATES_NOT_PASSED: ");
    }
}

#[test]
fn a_client_that_knows_only_an_address_and_a_key_runs_the_main_job_by_reflection() {
    let fleet = Fleet::start(false);
    fleet.land(SMALL);
    let mut client = tool(".tools/venv/bin/python");
    client.arg(root().join("services/kycc/tests/end_to_end/reflection_client.py"));
    client.args([
        &fleet.address,
        &fleet.key("ana"),
        &fleet.key("vera"),
        SMALL.0,
    ]);
    let seen: Value = serde_json::from_str(&succeeds(&mut client)).unwrap();
    let services = seen["services"].as_array().unwrap();
    for service in [
        "kycc.orchestrator.v1.OrchestratorService",
        "kycc.scoring.v1.ScoringService",
    ] {
        assert!(services.contains(&service.into()), "{services:?}");
    }
    assert_eq!(
        seen["refused"],
        json!({
            "without a key": "UNAUTHENTICATED",
            "without a key, reflection": "UNAUTHENTICATED",
            "with a wrong key": "UNAUTHENTICATED",
            "as viewer": "PERMISSION_DENIED",
        })
    );
    let run = &seen["run"];
    assert_eq!(run["status"], "RUN_STATUS_SUCCESS");
    assert_eq!(run["principal"], "ana");
    // The same request once more launched nothing.
    assert_eq!(seen["run_again"], run["run_id"]);
    let events = seen["events"].as_array().unwrap();
    let succeeded = events.iter().filter(|kind| **kind == "STEP_SUCCESS");
    assert_eq!(succeeded.count(), run["steps"].as_array().unwrap().len());
    assert_eq!(events.last().unwrap(), "RUN_SUCCESS");
    assert_eq!(seen["statistics"]["parties_scored"], SMALL.1.to_string());
    let score = &seen["score"];
    let points = score["final_score"].as_i64().unwrap();
    assert!((300..=900).contains(&points), "{score}");
    assert_eq!(score["scorecard_version"], "1.0");
    assert!(!score["contributions"].as_array().unwrap().is_empty());
}
