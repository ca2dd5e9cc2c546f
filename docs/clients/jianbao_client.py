"""Reads bulletins from JSON lines, writes a report for each as JSON lines in the same order.

    pip install grpcio grpcio-reflection
    python3 jianbao_client.py 127.0.0.1:50051 < bulletins.jsonl > reports.jsonl

A line in is a bulletin, {"id": "…", "text": "…"} and whatever else the proto has; a line out is the report or the error
of that bulletin. With `--unary` each bulletin is a call of its own. The service is known by its reflection; a program
that stays generates its stubs from proto/ with grpcio-tools instead.
"""
import argparse
import collections
import json
import pathlib
import random
import sys
import threading
import time

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

SERVICE = "jianbao.v1.ExtractReportService"
CONFIG = pathlib.Path(__file__).with_name("service-config.json").read_text()
WINDOW = 256  # bulletins sent and not answered, kept to be sent again
STREAM_SECONDS = 600  # a stream that takes longer is begun anew from where it is
AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.DEADLINE_EXCEEDED)


class Client:
    def __init__(self, address):
        self.channel = grpc.insecure_channel(address, options=[
            ("grpc.service_config", CONFIG),
            ("grpc.max_receive_message_length", -1),  # a report is longer than its text
            ("grpc.keepalive_time_ms", 60_000),
        ])
        grpc.channel_ready_future(self.channel).result(timeout=30)
        service = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(self.channel)).FindServiceByName(SERVICE)
        unary, bulk = service.FindMethodByName("ExtractReport"), service.FindMethodByName("BulkExtractReports")
        message = message_factory.GetMessageClass
        self.Request = message(unary.input_type)
        self.unary = self.channel.unary_unary(
            f"/{SERVICE}/ExtractReport", self.Request.SerializeToString, message(unary.output_type).FromString)
        self.stream = self.channel.stream_stream(
            f"/{SERVICE}/BulkExtractReports", self.Request.SerializeToString, message(bulk.output_type).FromString)

    def one(self, bulletin):
        """The answer to one bulletin. The service config retries it and sets its deadline."""
        return self.unary(self.Request(bulletin=bulletin))

    def bulk(self, bulletins):
        """One answer for each bulletin, in order, over as many streams as it takes."""
        bulletins = iter(bulletins)
        unanswered = collections.deque()
        failures = 0
        done = False
        while not done:
            stream = Stream(bulletins, unanswered)
            try:
                for sequence, answer in enumerate(self.stream(stream.requests(self.Request), timeout=STREAM_SECONDS)):
                    assert answer.sequence == sequence, "answers come in the order of the requests"
                    stream.answered()
                    failures = 0
                    yield answer
                done = True
            except grpc.RpcError as error:
                stream.close()
                if error.code() not in AGAIN:
                    raise
                failures += 1
                time.sleep(pause(error, failures))
        if unanswered:
            raise RuntimeError("the stream ended before its last answer")


class Stream:
    """What one stream sends: first what an earlier one was not answered, then more, never too far ahead of the answers."""

    def __init__(self, bulletins, unanswered):
        self.bulletins, self.unanswered = bulletins, unanswered
        self.again = list(unanswered)
        self.changed = threading.Condition()
        self.open = True

    def requests(self, Request):
        for bulletin in self.again:
            yield Request(bulletin=bulletin)
        while True:
            with self.changed:
                self.changed.wait_for(lambda: len(self.unanswered) < WINDOW or not self.open)
                bulletin = next(self.bulletins, None) if self.open else None
                if bulletin is None:
                    return
                self.unanswered.append(bulletin)
            yield Request(bulletin=bulletin)

    def answered(self):
        with self.changed:
            self.unanswered.popleft()
            self.changed.notify()

    def close(self):
        with self.changed:
            self.open = False
            self.changed.notify()


def pause(error, failures):
    """How long to wait: what the server says, else twice as long each time, at random."""
    said = dict(error.trailing_metadata() or ()).get("grpc-retry-pushback-ms")
    if said is not None and said.isdigit():
        return int(said) / 1000
    return random.uniform(0, min(5, 0.1 * 2**failures))


def main():
    parser = argparse.ArgumentParser(description="Reads bulletins through a Jianbao server.")
    parser.add_argument("address")
    parser.add_argument("--unary", action="store_true", help="a call for each bulletin instead of a stream of them")
    arguments = parser.parse_args()
    client = Client(arguments.address)
    bulletins = (json.loads(line) for line in sys.stdin if line.strip())
    answers = map(client.one, bulletins) if arguments.unary else client.bulk(bulletins)
    for answer in answers:
        print(json.dumps(json_format.MessageToDict(answer), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
