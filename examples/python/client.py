"""kycc from Python: send a batch record by record, run the pipeline and watch it, read a score and what made it.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    PYTHON=venv/bin/python ./generate.sh
    venv/bin/python client.py --address localhost:50051 [--token-file me.token] [--ca ca.pem] BATCH_ID

With `--activate VERSION --approver-token-file boss.token` it lets a second person approve and activate a scorecard.
"""

import argparse
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_status import rpc_status
from google.rpc import error_details_pb2

sys.path.append(str(Path(__file__).parent / "generated"))
from kycc.ingestion.v1 import ingestion_service_pb2_grpc, upload_pb2  # noqa: E402
from kycc.orchestrator.v1 import orchestrator_service_pb2 as orchestrator  # noqa: E402
from kycc.orchestrator.v1 import orchestrator_service_pb2_grpc  # noqa: E402
from kycc.scorecards.v1 import scorecard_service_pb2 as scorecards  # noqa: E402
from kycc.scorecards.v1 import scorecard_service_pb2_grpc  # noqa: E402
from kycc.scoring.v1 import scoring_service_pb2 as scoring  # noqa: E402
from kycc.scoring.v1 import scoring_service_pb2_grpc  # noqa: E402

DEADLINE = 30  # seconds, for every call that is no stream
PARTIES = 300
RECORDS_A_MESSAGE = 1_000


class Token(grpc.AuthMetadataPlugin):
    """Shows a token with every call; the file is read anew each time, so that it may be renewed."""

    def __init__(self, path):
        self.path = path

    def __call__(self, _context, callback):
        callback((("authorization", "Bearer " + self.path.read_text().strip()),), None)


class ClearTextToken(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor, grpc.StreamStreamClientInterceptor):
    """The same without TLS: gRPC gives tokens to plain channels only so. For this machine alone."""

    def __init__(self, path):
        self.path = path

    def with_token(self, details):
        bearer = ("authorization", "Bearer " + self.path.read_text().strip())
        return details._replace(metadata=[*(details.metadata or []), bearer])

    def intercept_unary_unary(self, call, details, request):
        return call(self.with_token(details), request)

    def intercept_unary_stream(self, call, details, request):
        return call(self.with_token(details), request)

    def intercept_stream_stream(self, call, details, requests):
        return call(self.with_token(details), requests)


def connect(address, token_file, ca):
    if ca is None:
        channel = grpc.insecure_channel(address)
        return channel if token_file is None else grpc.intercept_channel(channel, ClearTextToken(token_file))
    credentials = grpc.ssl_channel_credentials(ca.read_bytes())
    if token_file is not None:
        credentials = grpc.composite_channel_credentials(credentials, grpc.metadata_call_credentials(Token(token_file)))
    return grpc.secure_channel(address, credentials)


def reason(error):
    """Reason and fields of a kycc error: what a program decides by. The message is for people."""
    status = rpc_status.from_call(error)
    found, fields = "", []
    for detail in status.details if status is not None else []:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo()
            detail.Unpack(info)
            found = info.reason
        if detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            bad = error_details_pb2.BadRequest()
            detail.Unpack(bad)
            fields = [violation.field for violation in bad.field_violations]
    return [found, *fields] if found else fields


def timestamp(moment):
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def made_up_records(as_of):
    """A chain of suppliers: parties, and payments between neighbours. Yields what one message carries."""
    names = [f"P{number:05d}" for number in range(PARTIES)]
    yield "parties", [
        upload_pb2.PartyRecord(party_id=name, name=f"Company {name}", party_type="supplier", kyc_verified=number % 3 > 0,
                               tax_id=f"TAX{number}", email=f"{name.lower()}@example.com", address="1 Main Street",
                               created_time=timestamp(as_of - timedelta(days=400 + number)))
        for number, name in enumerate(names)
    ]
    payments = []
    for number in range(PARTIES * 12):
        payer, payee = names[number % PARTIES], names[(number + 1) % PARTIES]
        payments.append(upload_pb2.TransactionRecord(
            txn_id=f"T{number:06d}", party_id=payer, counterparty_id=payee, amount=f"{100 + number % 900}.50", currency="USD",
            txn_type="payment", transaction_time=timestamp(as_of - timedelta(days=number % 300, hours=1))))
    for at in range(0, len(payments), RECORDS_A_MESSAGE):
        yield "transactions", payments[at:at + RECORDS_A_MESSAGE]
    yield "relationships", [
        upload_pb2.RelationshipRecord(relationship_id=f"R{number:05d}", from_party_id=names[number], to_party_id=names[number + 1],
                                      relationship_type="supplies_to", established_time=timestamp(as_of - timedelta(days=350)))
        for number in range(PARTIES - 1)
    ]


KINDS = {"parties": upload_pb2.PartyRecords, "transactions": upload_pb2.TransactionRecords,
         "relationships": upload_pb2.RelationshipRecords}


def send(ingestion, upload_id, records):
    """Sends one stream. After a broken connection the same call goes on where the first answer says."""
    requests = iter_requests(upload_id, records)
    bad = 0
    for answer in ingestion.UploadRecords(requests):
        for error in answer.errors:
            bad += 1
            print(f"  record {error.offset}: {error.field} {error.reason}")
        durable = answer.committed_offset
    print(f"sent {durable} records, {bad} of them with errors")
    return bad


def iter_requests(upload_id, records):
    yield upload_pb2.UploadRecordsRequest(start=upload_pb2.UploadStart(upload_id=upload_id, stream_id="python"))
    offset = 0
    for table, rows in records:
        block = upload_pb2.RecordBlock(offset=offset, **{table: KINDS[table](records=rows)})
        yield upload_pb2.UploadRecordsRequest(records=block)
        offset += len(rows)


def upload(channel, batch_id):
    ingestion = ingestion_service_pb2_grpc.IngestionServiceStub(channel)
    as_of = datetime.now(timezone.utc).replace(microsecond=0)
    created = ingestion.CreateBatch(upload_pb2.CreateBatchRequest(
        batch_id=batch_id, as_of_time=timestamp(as_of), request_id=f"python-{batch_id}"), timeout=DEADLINE)
    send(ingestion, created.upload.upload_id, made_up_records(as_of))
    committed = ingestion.CommitBatch(upload_pb2.CommitBatchRequest(upload_id=created.upload.upload_id), timeout=DEADLINE)
    return committed.run_id


def launch(channel, job, batch_id):
    service = orchestrator_service_pb2_grpc.OrchestratorServiceStub(channel)
    # The same request id launches the run once, however often the call is made.
    request = orchestrator.LaunchRunRequest(job=job, batch_id=batch_id, request_id=f"python-{job}-{batch_id}")
    return service.LaunchRun(request, timeout=DEADLINE).run.run_id


def watch(channel, run_id):
    """Follows a run to its end, over broken connections too."""
    service = orchestrator_service_pb2_grpc.OrchestratorServiceStub(channel)
    seen = 0
    while True:
        try:
            for answer in service.WatchRun(orchestrator.WatchRunRequest(run_id=run_id, after_sequence=seen)):
                if answer.HasField("event"):
                    seen = answer.event.sequence
                    if answer.event.kind.startswith(("STEP_SUCCESS", "STEP_FAILURE", "RUN_")):
                        print(f"  {answer.event.kind:<14} {answer.event.message}")
                if answer.HasField("run"):
                    if answer.run.status != orchestrator.RUN_STATUS_SUCCESS:
                        sys.exit(f"run {run_id} failed: {answer.run.failure.message}")
                    return
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                raise
            time.sleep(0.5)


def explain(channel, batch_id):
    service = scoring_service_pb2_grpc.ScoringServiceStub(channel)
    listed = service.ListScores(scoring.ListScoresRequest(batch_id=batch_id, page_size=1), timeout=DEADLINE)
    party = listed.scores[0].party_id
    score = service.GetScore(scoring.GetScoreRequest(party_id=party, batch_id=batch_id), timeout=DEADLINE).score
    print(f"{party}: {score.final_score} ({score.band}) by scorecard {score.scorecard_version}")
    for part in sorted(score.contributions, key=lambda part: part.points - part.max_points):
        print(f"  {part.feature:<28} {part.value:>12.2f}   {part.points:7.2f} of {part.max_points:.2f} points")
    for why in score.reasons:
        print(f"  {why.code}: {why.text}")


def activate(channel, version):
    """What a second person does: the author of a version may not approve it."""
    service = scorecard_service_pb2_grpc.ScorecardServiceStub(channel)
    found = service.GetVersion(scorecards.GetVersionRequest(version=version), timeout=DEADLINE).version
    approved = service.ApproveVersion(scorecards.ApproveVersionRequest(
        version=version, reason="judged by its gates", etag=found.etag,
        gate_notes={gate.gate: "looked at" for gate in found.gates if gate.status == "needs_note"},
        request_id=f"python-approve-{found.hash}"), timeout=DEADLINE).version
    active = service.ActivateVersion(scorecards.ActivateVersionRequest(
        version=version, reason="approved", etag=approved.etag, request_id=f"python-activate-{found.hash}"),
        timeout=DEADLINE).version
    print(f"scorecard {active.version} is active, by {active.approver}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("batch_id", nargs="?")
    parser.add_argument("--address", default="localhost:50051")
    parser.add_argument("--token-file", type=Path)
    parser.add_argument("--ca", type=Path, help="roots of the server's certificate; clear text without it")
    parser.add_argument("--activate", metavar="VERSION")
    parser.add_argument("--approver-token-file", type=Path)
    arguments = parser.parse_args()
    try:
        with connect(arguments.address, arguments.token_file, arguments.ca) as channel:
            if arguments.batch_id is not None:
                watch(channel, upload(channel, arguments.batch_id))
                for job in ("feature_job", "scoring_job"):
                    watch(channel, launch(channel, job, arguments.batch_id))
                explain(channel, arguments.batch_id)
        if arguments.activate is not None:
            with connect(arguments.address, arguments.approver_token_file, arguments.ca) as channel:
                activate(channel, arguments.activate)
    except grpc.RpcError as error:
        # Where no reason is more exact, it is the code once more.
        said = dict.fromkeys([error.code().name, *reason(error)])
        sys.exit(f"{' '.join(said)}: {error.details()}")


if __name__ == "__main__":
    main()
