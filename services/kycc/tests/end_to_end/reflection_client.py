"""Drives the main job as a stranger would: no generated code, only what the server says of itself by reflection.

    reflection_client.py ADDRESS KEY VIEWER_KEY BATCH_ID

Prints JSON: what was listed, launched, watched and read, and with which codes callers without a key, and viewers, are refused.
"""

import json
import sys

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

DEADLINE = 30  # seconds, for every call that is no stream
STREAM_DEADLINE = 300


class WithKey(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor, grpc.StreamStreamClientInterceptor):
    def __init__(self, key):
        self.key = key

    def shown(self, details):
        return details._replace(metadata=[*(details.metadata or []), ("x-api-key", self.key)])

    def intercept_unary_unary(self, call, details, request):
        return call(self.shown(details), request)

    def intercept_unary_stream(self, call, details, request):
        return call(self.shown(details), request)

    def intercept_stream_stream(self, call, details, requests):
        return call(self.shown(details), requests)


class Stranger:
    """Calls methods by name, with requests and answers as JSON has them."""

    def __init__(self, channel):
        self.channel = channel
        self.known = ProtoReflectionDescriptorDatabase(channel)
        self.pool = descriptor_pool.DescriptorPool(self.known)

    def services(self):
        return sorted(self.known.get_services())

    def method(self, service, name):
        found = self.pool.FindServiceByName(service).FindMethodByName(name)
        request = message_factory.GetMessageClass(found.input_type)
        answer = message_factory.GetMessageClass(found.output_type)
        make = self.channel.unary_stream if found.server_streaming else self.channel.unary_unary
        return make(f"/{service}/{name}", request_serializer=request.SerializeToString,
                    response_deserializer=answer.FromString), request

    def call(self, service, name, request):
        made, kind = self.method(service, name)
        answer = made(json_format.ParseDict(request, kind()), timeout=DEADLINE)
        return json_format.MessageToDict(answer, preserving_proto_field_name=True)

    def stream(self, service, name, request):
        made, kind = self.method(service, name)
        for answer in made(json_format.ParseDict(request, kind()), timeout=STREAM_DEADLINE):
            yield json_format.MessageToDict(answer, preserving_proto_field_name=True)


def code_of(made):
    try:
        made()
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


def main():
    address, key, viewer_key, batch = sys.argv[1:]
    orchestrator, scoring = "kycc.orchestrator.v1.OrchestratorService", "kycc.scoring.v1.ScoringService"
    job = {"job": "full_scoring_job", "batch_id": batch, "request_id": f"reflection-{batch}"}
    with grpc.insecure_channel(address) as plain:
        stranger = Stranger(grpc.intercept_channel(plain, WithKey(key)))
        services = stranger.services()
        # Viewers may ask what there is; the calls of those without a key are made with what a key had told.
        viewer = Stranger(grpc.intercept_channel(plain, WithKey(viewer_key)))
        nobody = Stranger(plain)
        nobody.pool = stranger.pool
        refused = {
            "without a key": code_of(lambda: nobody.call(orchestrator, "LaunchRun", job)),
            "without a key, reflection": code_of(lambda: Stranger(plain).services()),
            "with a wrong key": code_of(lambda: Stranger(grpc.intercept_channel(plain, WithKey(key[:-1] + "x"))).services()),
            "as viewer": code_of(lambda: viewer.call(orchestrator, "LaunchRun", job)),
        }
        run = stranger.call(orchestrator, "LaunchRun", job)["run"]
        events, ended = [], None
        for answer in stranger.stream(orchestrator, "WatchRun", {"run_id": run["run_id"]}):
            if "event" in answer:
                events.append(answer["event"]["kind"])
            ended = answer.get("run", ended)
        again = stranger.call(orchestrator, "LaunchRun", job)["run"]
        statistics = viewer.call(scoring, "GetStatistics", {"batch_id": batch})
        listed = viewer.call(scoring, "ListScores", {"batch_id": batch, "page_size": 1})["scores"]
        score = viewer.call(scoring, "GetScore", {"batch_id": batch, "party_id": listed[0]["party_id"]})["score"]
    print(json.dumps({"services": services, "refused": refused, "run": ended, "run_again": again["run_id"], "events": events,
                      "statistics": statistics, "score": score}))


if __name__ == "__main__":
    main()
