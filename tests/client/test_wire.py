"""The wire as a caller with no generated code sees it: grpcio, through server reflection.

    pip install grpcio grpcio-reflection grpcio-health-checking grpcio-status
    JIANBAO_ADDRESS=127.0.0.1:50051 python3 -m unittest discover -s tests/client
"""
import itertools
import os
import queue
import threading
import time
import unittest

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

SERVICE = "jianbao.v1.ExtractReportService"
TEXT = "截至5月末，农发行乌兰察布市分行累计发放复工复产贷款5835万元。"


class WireTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
        cls.channel = grpc.insecure_channel(os.environ["JIANBAO_ADDRESS"], options)
        pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(cls.channel))
        service = pool.FindServiceByName(SERVICE)
        unary, bulk = service.FindMethodByName("ExtractReport"), service.FindMethodByName("BulkExtractReports")
        message = message_factory.GetMessageClass
        cls.Request = message(unary.input_type)
        cls.unary = staticmethod(cls.channel.unary_unary(
            f"/{SERVICE}/ExtractReport", request_serializer=cls.Request.SerializeToString,
            response_deserializer=message(unary.output_type).FromString))
        cls.bulk = staticmethod(cls.channel.stream_stream(
            f"/{SERVICE}/BulkExtractReports", request_serializer=cls.Request.SerializeToString,
            response_deserializer=message(bulk.output_type).FromString))

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()

    def request(self, id, text=TEXT, **bulletin):
        return self.Request(bulletin={"id": id, "text": text, **bulletin})

    def details(self, error):
        """The details of an error, by the name of their message."""
        found = {}
        for detail in rpc_status.from_call(error).details:
            kind = getattr(error_details_pb2, detail.type_url.rsplit(".", 1)[-1])
            found[kind.__name__] = message = kind()
            detail.Unpack(message)
        return found

    def test_c6_unary_echoes_the_id_and_names_the_engine(self):
        report = self.unary(self.request("甲-1"), timeout=10).report
        self.assertEqual(report.bulletin_id, "甲-1")
        self.assertTrue(report.engine.version)
        self.assertTrue(report.engine.lexicon_digest)

    def test_c6_bad_input_names_the_field(self):
        for field, bulletin in (("bulletin.text", {"text": ""}),
                                ("bulletin.published_on", {"text": "x", "published_on": "2020-13-01"}),
                                ("bulletin.text", {"text": "一" * (1 << 20) + "二"})):
            with self.assertRaises(grpc.RpcError) as caught:
                self.unary(self.request("a", **bulletin), timeout=10)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
            details = self.details(caught.exception)
            self.assertEqual([v.field for v in details["BadRequest"].field_violations], [field])
            self.assertEqual((details["ErrorInfo"].reason, details["ErrorInfo"].domain), ("INVALID_REQUEST", "jianbao"))

    def test_c1_deadline_exceeded_unary_and_bulk(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.unary(self.request("a", "一二三四五六七八九十，" * 90_000), timeout=0.001)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        never = threading.Event()
        with self.assertRaises(grpc.RpcError) as caught:
            for _ in self.bulk((never.wait(5) for _ in range(1)), timeout=0.2):
                pass
        never.set()
        self.assertEqual(caught.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)

    def test_c7_gzip_both_ways(self):
        report = self.unary(self.request("a"), timeout=10, compression=grpc.Compression.Gzip).report
        self.assertEqual(report.bulletin_id, "a")

    def test_b1_bulk_answers_each_in_order_with_errors_in_band(self):
        count = 3_000
        requests = (self.request(f"id-{n}", "" if n % 7 == 3 else TEXT) for n in range(count))
        seen = 0
        for n, answer in enumerate(self.bulk(requests, timeout=60)):
            self.assertEqual((answer.sequence, answer.bulletin_id), (n, f"id-{n}"))
            self.assertEqual(answer.WhichOneof("outcome"), "error" if n % 7 == 3 else "report")
            if n % 7 == 3:
                self.assertEqual(answer.error.code, grpc.StatusCode.INVALID_ARGUMENT.value[0])
                self.assertEqual(answer.error.field_violations[0].field, "bulletin.text")
            seen += 1
        self.assertEqual(seen, count)

    def test_b3_answers_come_while_the_requests_go_on(self):
        requests = queue.Queue()
        answers = self.bulk(iter(requests.get, None), timeout=30)
        for n in range(50):
            requests.put(self.request(str(n)))
            self.assertEqual(next(answers).bulletin_id, str(n))
        requests.put(None)
        self.assertEqual(list(answers), [])

    def test_b4_an_endless_stream_can_be_left(self):
        answers = self.bulk((self.request(str(n)) for n in itertools.count()), timeout=30)
        for n, answer in zip(range(100), answers):
            self.assertEqual(answer.sequence, n)
        answers.cancel()
        self.assertEqual(self.unary(self.request("after"), timeout=10).report.bulletin_id, "after")

    def test_c5_unknown_method(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.channel.unary_unary(f"/{SERVICE}/NoSuchMethod")(b"", timeout=10)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNIMPLEMENTED)
        self.assertEqual(self.details(caught.exception)["ErrorInfo"].reason, "UNKNOWN_METHOD")

    def test_l2_health(self):
        health = health_pb2_grpc.HealthStub(self.channel)
        serving = health_pb2.HealthCheckResponse.SERVING
        for service in ("", SERVICE):
            self.assertEqual(health.Check(health_pb2.HealthCheckRequest(service=service), timeout=10).status, serving)
        with self.assertRaises(grpc.RpcError) as caught:
            health.Check(health_pb2.HealthCheckRequest(service="no.such.Service"), timeout=10)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)
        watch = health.Watch(health_pb2.HealthCheckRequest(service="no.such.Service"), timeout=10)
        self.assertEqual(next(watch).status, health_pb2.HealthCheckResponse.SERVICE_UNKNOWN)
        self.assertTrue(watch.is_active())
        watch.cancel()

    def test_l2_health_lists_every_service(self):
        if not hasattr(health_pb2, "HealthListRequest"):
            self.skipTest("this grpcio-health-checking has no List")
        statuses = health_pb2_grpc.HealthStub(self.channel).List(health_pb2.HealthListRequest(), timeout=10).statuses
        self.assertEqual(set(statuses), {"", SERVICE})

    def test_c3_health_answers_fast_while_bulletins_are_read(self):
        stop = threading.Event()
        text = TEXT * 300
        feed = (self.request(str(n), text) for n in itertools.takewhile(lambda _: not stop.is_set(), itertools.count()))
        answers = self.bulk(feed, timeout=60)
        drain = threading.Thread(target=lambda: [None for _ in answers])
        drain.start()
        health = health_pb2_grpc.HealthStub(self.channel)
        times = []
        for _ in range(100):
            begun = time.perf_counter()
            health.Check(health_pb2.HealthCheckRequest(), timeout=10)
            times.append(time.perf_counter() - begun)
        stop.set()
        drain.join()
        self.assertLess(sorted(times)[50], 0.25)


if __name__ == "__main__":
    unittest.main()
