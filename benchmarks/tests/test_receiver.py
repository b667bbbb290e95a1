"""The receiver counts what came, answers as Elasticsearch does, and stands bytes cut anywhere."""

import gzip
import json
import socket
import time
import unittest

from bench_tools import RunningReceiver, ToolTest, bulk_body, tool


def read_answer(sock):
    """Reads one answer with a Content-Length from a socket; returns (status, body)."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int([line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")][0][15:])
    while len(body) < length:
        body += sock.recv(65536)
    return int(head.split()[1]), body


class TestCounting(ToolTest):
    def test_unique_doubled_missing_and_unexpected(self):
        receiver = RunningReceiver(self, "--check", "10")
        self.assertEqual(receiver.bulk(bulk_body([0, 1, 2, 3]))[0], 200)
        self.assertEqual(receiver.bulk(bulk_body([3, 4, 10, 99]))[0], 200)
        counts = receiver.stats()
        self.assertEqual({name: counts[name] for name in ("records", "unique", "doubled", "missing", "unexpected")},
                         {"records": 8, "unique": 5, "doubled": 1, "missing": 5, "unexpected": 2})
        self.assertEqual(counts["requests"], 2)

    def test_without_check_missing_are_the_holes(self):
        receiver = RunningReceiver(self)
        receiver.bulk(bulk_body([0, 1, 100_000]))
        self.assertEqual(receiver.stats()["missing"], 99_998)

    def test_number_is_found_in_every_spelling(self):
        receiver = RunningReceiver(self, "--check", "4")
        documents = ['{"pad":"' + "x" * 40 + '","n":0}', '{"message": "x", "n": 1}',
                     json.dumps({"message": '{"a":1,"n":2,"b":2}'}), '{"n":3}']
        receiver.bulk("".join('{"index":{}}\n' + document + "\n" for document in documents).encode())
        counts = receiver.stats()
        self.assertEqual((counts["unique"], counts["unnumbered"]), (4, 0))

    def test_number_is_found_at_every_place_of_a_document(self):
        receiver = RunningReceiver(self, "--check", "80")
        body = "".join('{"create":{}}\n{"p":"' + "n" * n + f'","n":{n}}}\n' for n in range(80))
        receiver.bulk(body.encode())
        self.assertEqual(receiver.stats()["unique"], 80)

    def test_the_time_of_the_last_bulk_body_is_known(self):
        receiver = RunningReceiver(self)
        self.assertEqual(receiver.stats()["last_ns"], 0)
        before = time.time_ns()
        receiver.bulk(bulk_body([0]))
        after = time.time_ns()
        self.assertEqual(receiver.bulk(b"no action\n")[0], 400)
        self.assertTrue(before <= receiver.stats()["last_ns"] <= after)

    def test_query_numbers(self):
        receiver = RunningReceiver(self, "--check", "2", "--number", "query")
        receiver.bulk(b'{"create":{}}\n{"message":"GET /?n=1 HTTP/1.1"}\n')
        self.assertEqual(receiver.stats()["unique"], 1)

    def test_documents_without_number_and_torn_documents_are_counted(self):
        receiver = RunningReceiver(self)
        receiver.bulk(b'{"create":{}}\n{"message":"x"}\n{"create":{}}\n{"n":0,"cut\n')
        counts = receiver.stats()
        self.assertEqual((counts["unnumbered"], counts["malformed"], counts["unique"]), (1, 1, 1))

    def test_null_mode_counts_bytes_only(self):
        receiver = RunningReceiver(self, "--mode", "null")
        body = bulk_body(range(5))
        status, answer = receiver.bulk(body)
        self.assertEqual((status, len(answer["items"])), (200, 5))
        counts = receiver.stats()
        self.assertEqual((counts["bytes"], counts["records"]), (len(body), 0))

    def test_stats_are_printed_when_stopped(self):
        receiver = RunningReceiver(self)
        receiver.bulk(bulk_body([0, 1]))
        self.assertEqual(receiver.stop()["unique"], 2)
        self.assertEqual(receiver.process.returncode, 0)

    def test_latency_is_from_the_stamp_to_the_request(self):
        receiver = RunningReceiver(self, "--latency")
        stamp = time.time_ns()
        body = "".join(f'{{"create":{{}}}}\n{{"n":{n},"t":{stamp - (90_000_000 if n == 0 else 1_000_000)}}}\n'
                       for n in range(100))
        receiver.bulk(body.encode())
        latency = receiver.stats()["latency_ns"]
        self.assertEqual(latency["count"], 100)
        self.assertTrue(1e6 <= latency["p50"] < 60e6, latency)
        self.assertTrue(90e6 <= latency["max"] < 150e6, latency)
        self.assertLessEqual(latency["p50"], latency["p99"])
        self.assertLessEqual(latency["p99"], latency["max"])

    def test_canaries_are_found_where_they_leak(self):
        canaries = self.folder / "canaries"
        path, _ = self.corpus("winston", 300_000, 1, "corpus.log", "--canaries", canaries)
        lines = path.read_bytes().splitlines()
        body = b"".join(b'{"create":{}}\n' + line + b"\n" for line in lines)
        receiver = RunningReceiver(self, "--canaries", str(canaries))
        receiver.bulk(body)
        self.assertEqual(receiver.stats()["canaries"], len(canaries.read_text().splitlines()))
        receiver.bulk(bulk_body(range(1000)))
        self.assertEqual(receiver.stats()["canaries"], len(canaries.read_text().splitlines()), "no false alarm")


    def test_a_canary_noted_twice_counts_once_and_a_short_one_is_refused(self):
        canaries = self.folder / "canaries"
        canaries.write_text("hunter2-hunter2\nhunter2-hunter2\n\nopensesame")
        receiver = RunningReceiver(self, "--canaries", str(canaries))
        receiver.bulk(b'{"create":{}}\n{"n":1,"a":"hunter2-hunter2","b":"opensesame"}\n')
        self.assertEqual(receiver.stats()["canaries"], 2)
        canaries.write_text("short\n")
        done = tool("sluice-receiver", "--canaries", canaries, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertNotIn("short", done.stderr.replace("too short", ""), "a secret is not for the terminal")


class TestAnswers(ToolTest):
    def setUp(self):
        super().setUp()
        self.receiver = RunningReceiver(self)

    def test_version_for_probes(self):
        status, headers, body = self.receiver.request("GET", "/")
        about = json.loads(body)
        self.assertEqual((status, headers["X-elastic-product"]), (200, "Elasticsearch"))
        self.assertTrue(about["version"]["number"].startswith("8."))
        self.assertIn("tagline", about)
        status, headers, body = self.receiver.request("HEAD", "/")
        self.assertEqual((status, body), (200, b""))
        self.assertGreater(int(headers["content-length"]), 100)

    def test_an_item_for_each_action_in_its_order(self):
        body = (b'{"create":{"_index":"a","_id":"1"}}\n{"n":1}\n{"delete":{"_id":"2"}}\n'
                b'{ "index" : {"_id":"3"}}\n{"n":3}\n')
        status, answer = self.receiver.bulk(body)
        self.assertEqual((status, answer["errors"], answer["took"]), (200, False, 1))
        self.assertEqual([list(item) for item in answer["items"]], [["create"], ["delete"], ["index"]])
        self.assertEqual(answer["items"][0]["create"],
                         {"_index": "a", "_id": "1", "_version": 1, "result": "created", "status": 201})
        self.assertEqual(answer["items"][2]["index"]["_id"], "3")
        self.assertEqual(self.receiver.stats()["records"], 2)

    def test_filter_path(self):
        body = bulk_body([1])
        cases = {
            "errors,items.*.error": {"errors": False},
            "errors%2Citems.%2A.error": {"errors": False},
            "items.*.error": {},
            "took": {"took": 1},
            "items.*.status": {"items": [{"create": {"status": 201}}]},
            "errors,items.create._id": {"errors": False, "items": [{"create": {"_id": "id-1"}}]},
            "**.status,err*": {"errors": False, "items": [{"create": {"status": 201}}]},
            "-took,-items": {"errors": False},
            "items,-items.*._*": {"items": [{"create": {"result": "created", "status": 201}}]},
        }
        for filter_path, expected in cases.items():
            self.assertEqual(self.receiver.bulk(body, "?filter_path=" + filter_path), (200, expected), filter_path)
        self.assertEqual(self.receiver.bulk(body, "?refresh=false&filter_path=took")[1], {"took": 1})
        self.assertIn("items", self.receiver.bulk(body, "?refresh=false")[1])

    def test_bodies_that_the_server_would_refuse(self):
        for body in (b"", b'{"create":{}}\n{"n":1}', b'{"create":{}}\n', b'{"n":1}\n', b"\n", b"hello\n",
                     b'{"created":{}}\n{"n":1}\n'):
            status, answer = self.receiver.bulk(body)
            self.assertEqual((status, answer["status"]), (400, 400), body)
        self.assertEqual(self.receiver.stats()["refused"], 7)

    def test_gzip(self):
        body = bulk_body(range(5000))
        status, answer = self.receiver.bulk(gzip.compress(body), **{"Content-Encoding": "gzip"})
        self.assertEqual((status, len(answer["items"])), (200, 5000))
        members = gzip.compress(body[:1000]) + gzip.compress(body[1000:])
        self.assertEqual(self.receiver.bulk(members, **{"Content-Encoding": "gzip"})[0], 200)
        counts = self.receiver.stats()
        self.assertEqual((counts["unique"], counts["doubled"]), (5000, 5000))
        self.assertEqual(counts["bytes"], 2 * len(body))
        self.assertLess(counts["wire_bytes"], len(body))

    def test_bad_gzip_is_refused(self):
        packed = gzip.compress(bulk_body([1]))
        for body in (b"no gzip", packed[:-3], packed + b"more", b""):
            self.assertEqual(self.receiver.bulk(body, **{"Content-Encoding": "gzip"})[0], 400)

    def test_index_in_the_path_and_other_requests(self):
        status, _, _ = self.receiver.request("POST", "/logs-2024/_bulk", bulk_body([1]))
        self.assertEqual((status, self.receiver.stats()["records"]), (200, 1))
        for method, path in (("PUT", "/_index_template/x"), ("GET", "/_cluster/health")):
            self.assertEqual(self.receiver.request(method, path)[0], 200)


class TestWire(ToolTest):
    def setUp(self):
        super().setUp()
        self.receiver = RunningReceiver(self)

    def connect(self):
        sock = socket.create_connection(("127.0.0.1", self.receiver.port), timeout=10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.addCleanup(sock.close)
        return sock

    def chunked(self, body, sizes):
        chunks = b""
        for size in sizes:
            chunks += b"%x;name=value\r\n%s\r\n" % (len(body[:size]), body[:size])
            body = body[size:]
        if body:
            chunks += b"%X\r\n%s\r\n" % (len(body), body)
        return chunks + b"0\r\nTrailer: x\r\n\r\n"

    def test_requests_cut_at_every_byte(self):
        body = bulk_body([1])
        plain = b"POST /_bulk HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        chunks = b"POST /_bulk HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + self.chunked(body, [1, 7])
        sock = self.connect()
        for request in (plain, chunks):
            for cut in range(1, len(request)):
                sock.sendall(request[:cut])
                time.sleep(0.0005)
                sock.sendall(request[cut:])
                self.assertEqual(read_answer(sock)[0], 200, request[:cut])
        counts = self.receiver.stats()
        self.assertEqual(counts["records"], len(plain) + len(chunks) - 2)
        self.assertEqual(counts["malformed"], 0)

    def test_requests_sent_behind_each_other(self):
        body = bulk_body([1, 2])
        request = b"POST /_bulk HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        sock = self.connect()
        sock.sendall(request * 50 + b"GET /__stats HTTP/1.1\r\nConnection: close\r\n\r\n")
        data = b""
        while part := sock.recv(65536):
            data += part
        self.assertEqual(data.count(b"HTTP/1.1 200 OK"), 51)
        self.assertIn(b'"records":100,', data)

    def test_a_client_is_told_to_continue(self):
        body = bulk_body([1])
        sock = self.connect()
        sock.sendall(b"POST /_bulk HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        self.assertEqual(sock.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
        sock.sendall(body)
        self.assertEqual(read_answer(sock)[0], 200)

    def test_a_client_that_reads_late_gets_its_whole_answer(self):
        body = bulk_body(range(100_000))
        sock = self.connect()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        sock.sendall(b"POST /_bulk HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        time.sleep(0.3)
        self.assertEqual(self.receiver.stats()["records"], 100_000, "others are served meanwhile")
        status, answer = read_answer(sock)
        self.assertEqual((status, len(json.loads(answer)["items"])), (200, 100_000))

    def test_what_is_no_request_is_refused_and_closed(self):
        cases = {
            b"HELLO\r\n\r\n": 400,
            b"GET / HTTP/2.0\r\n\r\n": 400,
            b"GET x HTTP/1.1\r\n\r\n": 400,
            b"GET / HTTP/1.1\r\nno colon\r\n\r\n": 400,
            b"POST /_bulk HTTP/1.1\r\nContent-Length: x\r\n\r\n": 400,
            b"POST /_bulk HTTP/1.1\r\nContent-Length: -1\r\n\r\n": 400,
            b"POST /_bulk HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n": 400,
            b"POST /_bulk HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n": 400,
            b"POST /_bulk HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n": 413,
            b"POST /_bulk HTTP/1.1\r\nContent-Encoding: br\r\n\r\n": 415,
            b"POST /_bulk HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n": 501,
            b"POST /_bulk HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n": 400,
            b"POST /_bulk HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n": 400,
            b"POST /_bulk HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n": 400,
            b"GET /" + b"x" * 66_000: 431,
        }
        for request, expected in cases.items():
            sock = self.connect()
            sock.sendall(request)
            self.assertEqual(read_answer(sock)[0], expected, request[:80])
            self.assertEqual(sock.recv(1), b"", request[:80])
        self.assertEqual(self.receiver.request("GET", "/")[0], 200)

    def test_old_clients_are_closed_after_the_answer(self):
        sock = self.connect()
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        self.assertEqual(read_answer(sock)[0], 200)
        self.assertEqual(sock.recv(1), b"")


if __name__ == "__main__":
    unittest.main()
