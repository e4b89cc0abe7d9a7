// kycc from TypeScript: launch a run and watch it, read a score and what made it, activate a scorecard as a second person.
//
//   npm install
//   npx tsx client.ts --address localhost:50051 [--token-file me.token] [--ca ca.pem] [--job JOB] BATCH_ID
//   npx tsx client.ts --activate VERSION --token-file boss.token
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import protobuf from "protobufjs";

const DEADLINE_MS = 30_000;
const PROTO = fileURLToPath(new URL("../../proto", import.meta.url));
const contracts = grpc.loadPackageDefinition(
  loadSync(
    ["kycc/orchestrator/v1/orchestrator_service.proto", "kycc/scoring/v1/scoring_service.proto", "kycc/scorecards/v1/scorecard_service.proto"],
    { includeDirs: [PROTO], keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true },
  ),
) as any;

/** What of google.rpc stands in the details of an error. */
const details = protobuf.parse(
  `syntax = "proto3"; package google.rpc;
   message Detail { string type_url = 1; bytes value = 2; }
   message Status { int32 code = 1; string message = 2; repeated Detail details = 3; }
   message ErrorInfo { string reason = 1; }
   message BadRequest { message FieldViolation { string field = 1; } repeated FieldViolation field_violations = 1; }`,
  { keepCase: true },
).root;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    address: { type: "string", default: "localhost:50051" },
    "token-file": { type: "string" },
    ca: { type: "string" },
    job: { type: "string", default: "scoring_job" },
    activate: { type: "string" },
  },
});

function connect(service: any): any {
  const tls = options.ca ? grpc.credentials.createSsl(readFileSync(options.ca)) : grpc.credentials.createInsecure();
  return new service(options.address, tls);
}

/** The token is read anew for every call, so that it may be renewed. */
function metadata(): grpc.Metadata {
  const found = new grpc.Metadata();
  const file = options["token-file"];
  if (file) found.set("authorization", `Bearer ${readFileSync(file, "utf8").trim()}`);
  return found;
}

/** Reason and fields of a kycc error: what a program decides by. The message is for people. */
function reason(error: grpc.ServiceError): string[] {
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  if (bytes === undefined) return [];
  const status: any = details.lookupType("google.rpc.Status").decode(bytes as Buffer);
  return status.details.flatMap((detail: any) => {
    const name = detail.type_url.split("/").pop();
    if (name === "google.rpc.ErrorInfo") return [(details.lookupType(name).decode(detail.value) as any).reason];
    if (name !== "google.rpc.BadRequest") return [];
    return (details.lookupType(name).decode(detail.value) as any).field_violations.map((violation: any) => violation.field);
  });
}

/** grpc-js leaves characters such as %3F as they came. */
function message(error: grpc.ServiceError): string {
  try {
    return decodeURIComponent(error.details);
  } catch {
    return error.details;
  }
}

/** One call with a deadline, as a promise. */
function call(client: any, method: string, request: object): Promise<any> {
  return new Promise((resolve, reject) =>
    client[method](request, metadata(), { deadline: Date.now() + DEADLINE_MS }, (error: grpc.ServiceError | null, answer: any) =>
      error ? reject(error) : resolve(answer),
    ),
  );
}

/** Follows a run to its end, over broken connections too; answers the run. */
async function watch(client: any, runId: string): Promise<any> {
  let seen = 0;
  for (;;) {
    try {
      for await (const answer of client.WatchRun({ run_id: runId, after_sequence: seen }, metadata())) {
        if (answer.event) {
          seen = answer.event.sequence;
          if (/^(STEP_SUCCESS|STEP_FAILURE|RUN_)/.test(answer.event.kind)) console.log(`  ${answer.event.kind}  ${answer.event.message}`);
        }
        if (answer.run) return answer.run;
      }
    } catch (error: any) {
      if (error.code !== grpc.status.UNAVAILABLE) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

async function launch(batch: string): Promise<void> {
  const client = connect(contracts.kycc.orchestrator.v1.OrchestratorService);
  // The same request id launches the run once, however often the call is made.
  const request = { job: options.job, batch_id: batch, request_id: `typescript-${options.job}-${batch}` };
  const { run } = await call(client, "LaunchRun", request);
  const ended = await watch(client, run.run_id);
  if (ended.status !== "RUN_STATUS_SUCCESS") throw new Error(`run ${run.run_id} failed: ${ended.failure?.message}`);
}

async function explain(batch: string): Promise<void> {
  const client = connect(contracts.kycc.scoring.v1.ScoringService);
  const { scores } = await call(client, "ListScores", { batch_id: batch, page_size: 1 });
  const { score } = await call(client, "GetScore", { batch_id: batch, party_id: scores[0].party_id });
  console.log(`${score.party_id}: ${score.final_score} (${score.band}) by scorecard ${score.scorecard_version}`);
  for (const part of score.contributions) {
    console.log(`  ${part.feature.padEnd(28)} ${part.value.toFixed(2).padStart(12)}   ${part.points.toFixed(2)} of ${part.max_points.toFixed(2)} points`);
  }
  for (const why of score.reasons) console.log(`  ${why.code}: ${why.text}`);
}

/** What a second person does: the author of a version may not approve it. */
async function activate(version: string): Promise<void> {
  const client = connect(contracts.kycc.scorecards.v1.ScorecardService);
  const { version: found } = await call(client, "GetVersion", { version });
  const wanted = found.gates.filter((gate: any) => gate.status === "needs_note");
  const { version: approved } = await call(client, "ApproveVersion", {
    version,
    reason: "judged by its gates",
    etag: found.etag,
    gate_notes: Object.fromEntries(wanted.map((gate: any) => [gate.gate, "looked at"])),
    request_id: `typescript-approve-${found.hash}`,
  });
  const { version: active } = await call(client, "ActivateVersion", {
    version,
    reason: "approved",
    etag: approved.etag,
    request_id: `typescript-activate-${found.hash}`,
  });
  console.log(`scorecard ${active.version} is active, by ${active.approver}`);
}

try {
  if (positionals[0]) {
    await launch(positionals[0]);
    await explain(positionals[0]);
  }
  if (options.activate) await activate(options.activate);
  process.exit(0);
} catch (error: any) {
  const refused = error.metadata instanceof grpc.Metadata;
  console.error(refused ? `${[...new Set([grpc.status[error.code], ...reason(error)])].join(" ")}: ${message(error)}` : error);
  process.exit(1);
}
