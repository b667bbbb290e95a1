"""The scripted receiver does each fault it promises, and is honest otherwise."""

import gzip
import http.client
import json
import os
import socket
import ssl
import tempfile
import time
import unittest

from sluice_e2e import Receiver
from sluice_e2e.services import ServiceError

NDJSON = {"Content-Type": "application/x-ndjson"}


def bulk_body(*numbers, action="create", index="logs"):
    lines = []
    for n in numbers:
        lines += [json.dumps({action: {"_index": index, "_id": f"id-{n}"}}), json.dumps({"n": n})]
    return ("\n".join(lines) + "\n").encode()


class ReceiverTest(unittest.TestCase):
    def start(self, *steps, **options):
        folder = tempfile.TemporaryDirectory(prefix="sluice-receiver-")
        self.addCleanup(folder.cleanup)
        receiver = Receiver(folder.name, steps, **options)
        self.addCleanup(receiver.clean_up)
        return receiver

    def connect(self, receiver, timeout=10):
        connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=timeout)
        self.addCleanup(connection.close)
        return connection

    def post(self, receiver, body, path="/_bulk", connection=None, headers=None):
        connection = connection or self.connect(receiver)
        connection.request("POST", path, body, {**NDJSON, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer

    def statuses(self, body):
        return [next(iter(item.values()))["status"] for item in json.loads(body)["items"]]


class Forms(ReceiverTest):
    def answer(self, form):
        receiver = self.start({"form": form})
        return self.post(receiver, bulk_body(1, 2))

    def test_http_1_0_ends_with_the_connection(self):
        _, body, answer = self.answer("http10")
        self.assertEqual((answer.version, self.statuses(body)), (10, [201, 201]))

    def test_chunks_and_trailers(self):
        _, body, answer = self.answer("chunked")
        self.assertEqual((answer.headers["Transfer-Encoding"], self.statuses(body)), ("chunked", [201, 201]))

    def test_gzip(self):
        _, body, _ = self.answer("gzip")
        self.assertEqual(self.statuses(gzip.decompress(body)), [201, 201])

    def test_noise_is_no_http(self):
        with self.assertRaises(http.client.BadStatusLine):
            self.answer("noise")

    def test_headers_that_never_end(self):
        with self.assertRaises(http.client.HTTPException):
            self.answer("endless_head")


class Counting(ReceiverTest):
    def test_numbers_are_counted_with_their_ids(self):
        receiver = self.start(tally=True)
        self.post(receiver, bulk_body(0, 1))
        _, again, _ = self.post(receiver, bulk_body(1, 2))
        self.assertEqual(self.statuses(again), [409, 201])
        self.post(receiver, bulk_body(2).replace(b"id-2", b"other"))
        stats = receiver.stats()
        self.assertEqual([stats[name] for name in ("created", "highest", "conflicts", "doubled")], [3, 2, 1, 1])

    def test_what_has_no_number_is_refused(self):
        receiver = self.start(tally=True)
        _, body, _ = self.post(receiver, bulk_body(1).replace(b'"n"', b'"m"'))
        self.assertEqual(self.statuses(body), [400])
        self.assertEqual(self.post(receiver, b"{}\n")[0], 400)

    def test_items_are_refused_by_the_script(self):
        receiver = self.start({"items": [{"status": 429, "every": 2}]}, tally=True)
        _, body, _ = self.post(receiver, bulk_body(0, 1, 2))
        self.assertEqual(self.statuses(body), [429, 201, 429])


class Honest(ReceiverTest):
    def test_create_is_201_once_and_409_afterwards(self):
        receiver = self.start()
        _, first, _ = self.post(receiver, bulk_body(1, 2))
        _, second, _ = self.post(receiver, bulk_body(2, 3))
        self.assertEqual(self.statuses(first), [201, 201])
        self.assertEqual(self.statuses(second), [409, 201])
        self.assertFalse(json.loads(first)["errors"])
        self.assertTrue(json.loads(second)["errors"])
        self.assertEqual(sorted(doc["n"] for doc in receiver.docs()), [1, 2, 3])
        self.assertEqual(receiver.stats()["conflicts"], 1)

    def test_documents_keep_every_byte(self):
        receiver = self.start()
        raw = b'{"n":1, "big":' + b"7" * 500 + b',"a":1,"a":2, "s":"\\u00e9\xc3\xa9"}'
        self.post(receiver, b'{"create":{"_id":"x"}}\n' + raw + b"\n", "/logs/_bulk")
        self.assertIn(raw, receiver.raw_docs())

    def test_gzip_bodies_are_read_and_measured(self):
        receiver = self.start()
        body = bulk_body(*range(100))
        status, _, _ = self.post(receiver, gzip.compress(body), headers={"Content-Encoding": "gzip"})
        self.assertEqual(status, 200)
        (request,) = receiver.requests()
        self.assertEqual(request["body_bytes"], len(body))
        self.assertLess(request["wire_bytes"], len(body))

    def test_chunked_bodies_and_keep_alive(self):
        receiver = self.start()
        connection = self.connect(receiver)
        for n in range(3):
            connection.request("POST", "/_bulk", iter([bulk_body(n)]), NDJSON, encode_chunked=True)
            self.assertEqual(connection.getresponse().read()[:1], b"{")
        self.assertEqual({request["connection"] for request in receiver.requests()}, {1})

    def test_expect_continue(self):
        receiver = self.start()
        body = bulk_body(1)
        with socket.create_connection(("127.0.0.1", receiver.port), 5) as sock:
            head = f"POST /_bulk HTTP/1.1\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
            sock.sendall(head.encode())
            self.assertTrue(sock.recv(100).startswith(b"HTTP/1.1 100"))
            sock.sendall(body)
            self.assertTrue(sock.recv(100).startswith(b"HTTP/1.1 200"))

    def test_malformed_requests_and_documents_are_refused(self):
        receiver = self.start()
        self.assertEqual(self.post(receiver, b'{"create":{"_index":"a"}}\n{"n":1}')[0], 400)  # no newline at the end
        self.assertEqual(self.post(receiver, b'{"kreate":{"_index":"a"}}\n{"n":1}\n')[0], 400)
        self.assertEqual(self.post(receiver, b'{"create":{}}\n{"n":1}\n')[0], 400)  # no index
        self.assertEqual(self.post(receiver, bulk_body(1), headers={"Content-Type": "text/plain"})[0], 406)
        _, body, _ = self.post(receiver, b'{"create":{"_index":"a"}}\n{"n":NaN}\n{"create":{"_index":"a"}}\n[1]\n')
        self.assertEqual(self.statuses(body), [400, 400])
        self.assertEqual(receiver.count(), 0)

    def test_documents_survive_a_restart_on_the_same_port(self):
        receiver = self.start()
        self.post(receiver, bulk_body(1))
        port = receiver.port
        receiver.stop()
        receiver.start()
        self.assertEqual(receiver.port, port)
        self.assertEqual(self.statuses(self.post(receiver, bulk_body(1))[1]), [409])

    def test_welcome_and_objects(self):
        receiver = self.start(flavour="opensearch", version="2.19.4")
        connection = self.connect(receiver)
        connection.request("GET", "/")
        welcome = json.loads(connection.getresponse().read())
        self.assertEqual((welcome["version"]["distribution"], welcome["version"]["number"]), ("opensearch", "2.19.4"))
        connection.request("PUT", "/_index_template/logs", b'{"index_patterns":["x"]}', {"Content-Type": "application/json"})
        self.assertEqual(connection.getresponse().read(), b'{"acknowledged":true}')
        self.assertIn("/_index_template/logs", json.loads(receiver.control("objects")))

    def test_authorization_is_wanted_word_for_word(self):
        receiver = self.start(auth="ApiKey good")
        self.assertEqual(self.post(receiver, bulk_body(1))[0], 401)
        self.assertEqual(self.post(receiver, bulk_body(1), headers={"Authorization": "ApiKey good"})[0], 200)
        self.assertEqual(receiver.stats()["unauthorized"], 1)


class Faults(ReceiverTest):
    def test_status_lists_with_headers_then_health(self):
        receiver = self.start({"status": 429, "headers": {"Retry-After": "7"}, "count": 2}, {"status": 503})
        answers = [self.post(receiver, bulk_body(n)) for n in range(4)]
        self.assertEqual([status for status, _, _ in answers], [429, 429, 503, 200])
        self.assertEqual(answers[0][2].headers["Retry-After"], "7")
        self.assertEqual([doc["n"] for doc in receiver.docs()], [3])
        self.assertEqual(receiver.stats()["steps_left"], [])

    def test_answer_lost_after_the_documents_were_taken(self):
        receiver = self.start({"how": "close", "store": True})
        with self.assertRaises(http.client.RemoteDisconnected):
            self.post(receiver, bulk_body(1))
        self.assertEqual(receiver.count(), 1)
        self.assertEqual(self.statuses(self.post(receiver, bulk_body(1))[1]), [409])

    def test_reset(self):
        receiver = self.start({"how": "reset"})
        with self.assertRaises(ConnectionResetError):
            self.post(receiver, bulk_body(1))

    def test_reset_in_the_middle_of_the_body(self):
        receiver = self.start({"read": 100, "how": "reset"})
        with self.assertRaises((ConnectionResetError, BrokenPipeError)):
            self.post(receiver, bulk_body(*range(100_000)))
        self.assertEqual(receiver.count(), 0)
        self.assertEqual(receiver.requests()[0]["wire_bytes"], 100)

    def test_hang(self):
        receiver = self.start({"how": "hang"})
        connection = self.connect(receiver, timeout=0.5)
        with self.assertRaises(TimeoutError):
            self.post(receiver, bulk_body(1), connection=connection)
        self.assertEqual(receiver.stats()["in_flight"], 1)
        connection.close()
        until = time.monotonic() + 5
        while receiver.stats()["in_flight"] and time.monotonic() < until:
            time.sleep(0.02)
        self.assertEqual(receiver.stats()["in_flight"], 0)

    def test_half_close(self):
        receiver = self.start({"how": "half_close"})
        connection = self.connect(receiver, timeout=5)
        with self.assertRaises(http.client.RemoteDisconnected):
            self.post(receiver, bulk_body(1), connection=connection)

    def test_answer_cut(self):
        receiver = self.start({"cut": 10, "how": "close"}, {"cut": 200, "how": "close"})
        with self.assertRaises((http.client.HTTPException, ConnectionError)):
            self.post(receiver, bulk_body(1))
        with self.assertRaises(http.client.IncompleteRead):
            self.post(receiver, bulk_body(2))

    def test_slow_reading_is_felt_by_the_sender(self):
        receiver = self.start({"read_rate": 500_000})
        body = bulk_body(*range(20_000))
        begun = time.monotonic()
        status, _, _ = self.post(receiver, body)
        self.assertEqual(status, 200)
        self.assertGreater(time.monotonic() - begun, len(body) / 500_000 * 0.8)

    def test_slow_and_late_answers(self):
        receiver = self.start({"delay": 0.3}, {"write_rate": 400})
        for least in (0.3, 0.3):
            begun = time.monotonic()
            self.assertEqual(self.post(receiver, bulk_body(1))[0], 200)
            self.assertGreater(time.monotonic() - begun, least)

    def test_too_large_by_limit_answers_before_the_body_was_read(self):
        receiver = self.start(max_body=1000)
        status, _, _ = self.post(receiver, bulk_body(*range(1000)))
        self.assertEqual(status, 413)
        self.assertEqual(self.post(receiver, bulk_body(1))[0], 200)

    def test_too_large_holds_for_the_decoded_body_too(self):
        receiver = self.start(max_body=8000)
        packed = gzip.compress(bulk_body(*range(1000)))
        self.assertLess(len(packed), 8000)
        self.assertEqual(self.post(receiver, packed, headers={"Content-Encoding": "gzip"})[0], 413)

    def test_items_are_refused_one_by_one(self):
        rules = [{"status": 429, "every": 3, "times": 1}, {"status": 400, "match": '"n": 4'}]
        receiver = self.start({"items": rules, "count": "forever"})
        _, body, _ = self.post(receiver, bulk_body(*range(6)))
        self.assertEqual(self.statuses(body), [429, 201, 201, 429, 400, 201])
        _, body, _ = self.post(receiver, bulk_body(0, 3, 4))
        self.assertEqual(self.statuses(body), [201, 201, 400])
        self.assertEqual(sorted(doc["n"] for doc in receiver.docs()), [0, 1, 2, 3, 5])

    def test_styles_say_the_same_in_other_spellings(self):
        styles = ("compact", "spaced", "lines", "errors_last")
        receiver = self.start(*({"style": style, "items": [{"every": 2}]} for style in styles), {"style": "no_errors"})
        bodies = [self.post(receiver, bulk_body(2 * n, 2 * n + 1))[1] for n in range(5)]
        self.assertEqual(len(set(bodies)), 5)
        self.assertTrue(all(json.loads(body)["errors"] is True for body in bodies[:4]))
        self.assertNotIn("errors", json.loads(bodies[4]))

    def test_odd_bodies(self):
        kinds = ("empty", "garbage", "html")
        receiver = self.start(*({"body_kind": kind} for kind in kinds), {"body": "{\"errors\":fal"}, {"status": 200, "body": {"errors": False}})
        bodies = [self.post(receiver, bulk_body(1))[1] for _ in range(5)]
        self.assertEqual([bodies[0], bodies[3], json.loads(bodies[4])], [b"", b'{"errors":fal', {"errors": False}])
        for body in bodies[1:4]:
            self.assertRaises(ValueError, json.loads, body)

    def test_endless_body_ends_with_the_client(self):
        receiver = self.start({"body_kind": "endless"})
        connection = self.connect(receiver)
        connection.request("POST", "/_bulk", bulk_body(1), NDJSON)
        answer = connection.getresponse()
        self.assertEqual(len(answer.read(3_000_000)), 3_000_000)
        answer.close()
        connection.close()
        self.assertEqual(self.post(receiver, bulk_body(2))[0], 200)

    def test_connect_steps_come_before_the_request(self):
        receiver = self.start({"on": "CONNECT", "how": "reset"})
        with self.assertRaises(ConnectionError):
            self.post(receiver, bulk_body(1))
        self.assertEqual(self.post(receiver, bulk_body(1))[0], 200)

    def test_steps_can_be_for_other_requests(self):
        receiver = self.start({"on": "^GET /$", "status": 500})
        self.assertEqual(self.post(receiver, bulk_body(1))[0], 200)
        connection = self.connect(receiver)
        connection.request("GET", "/")
        self.assertEqual(connection.getresponse().status, 500)

    def test_a_wrong_script_is_refused(self):
        receiver = self.start()
        for step in ({"statsu": 500}, {"how": "explode"}, {"cut": 3}, {"count": 0}, {"on": "("}, {"items": [{"every": 0}]}):
            with self.assertRaises(ServiceError, msg=step):
                receiver.script(step)


class Tls(ReceiverTest):
    def open(self, receiver, client=False):
        folder = os.path.join(receiver.state, "tls")
        context = ssl.create_default_context(cafile=os.path.join(folder, "ca.pem"))
        if client:
            context.load_cert_chain(os.path.join(folder, "client.pem"), os.path.join(folder, "client.key"))
        connection = http.client.HTTPSConnection("127.0.0.1", receiver.port, timeout=10, context=context)
        self.addCleanup(connection.close)
        return connection

    def test_a_good_certificate_is_accepted(self):
        receiver = self.start(tls="server")
        self.assertEqual(self.post(receiver, bulk_body(1), connection=self.open(receiver))[0], 200)
        self.assertEqual(receiver.count(), 1)

    def test_bad_certificates_are_refused_by_a_client_that_looks(self):
        for name, reason in (("expired", "expired"), ("wronghost", "mismatch"), ("stranger", "unable to get")):
            receiver = self.start(tls=name)
            with self.assertRaises(ssl.SSLCertVerificationError) as caught:
                self.post(receiver, bulk_body(1), connection=self.open(receiver))
            self.assertIn(reason, str(caught.exception))

    def test_client_certificates_can_be_wanted(self):
        receiver = self.start(tls="server", require_client=True)
        self.assertEqual(self.post(receiver, bulk_body(1), connection=self.open(receiver, client=True))[0], 200)
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.post(receiver, bulk_body(1), connection=self.open(receiver))

    def test_faults_work_under_tls(self):
        receiver = self.start({"how": "reset"}, {"status": 503}, tls="server")
        with self.assertRaises((ConnectionError, ssl.SSLError)):
            self.post(receiver, bulk_body(1), connection=self.open(receiver))
        self.assertEqual(self.post(receiver, bulk_body(1), connection=self.open(receiver))[0], 503)


if __name__ == "__main__":
    unittest.main()
