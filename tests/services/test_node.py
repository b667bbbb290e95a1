"""Real search servers: they start, take a bulk, keep it through kill and restart, and stop."""

import json
import os
import tempfile
import unittest
import urllib.error
import urllib.request

from sluice_e2e.services import MissingTool, SearchNode, fetch, is_service_running

RECORDS = 1000


def bulk(node, numbers):
    lines = []
    for n in numbers:
        lines += [json.dumps({"create": {"_id": f"id-{n}"}}), json.dumps({"n": n})]
    body = ("\n".join(lines) + "\n").encode()
    request = urllib.request.Request(f"{node.url}/{node.index}/_bulk", body, {"Content-Type": "application/x-ndjson"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return [item["create"]["status"] for item in json.loads(answer.read())["items"]]


class NodeTest:
    product = ""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="sluice-node-")
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o755)
        try:
            self.node = SearchNode(self.product, os.path.join(folder.name, "state"), "logs")
        except MissingTool as missing:
            self.skipTest(str(missing))
        self.addCleanup(self.node.clean_up)

    def test_a_node_lives(self):
        node = self.node
        self.assertEqual(bulk(node, range(RECORDS)), [201] * RECORDS)
        self.assertEqual(bulk(node, range(3)), [409] * 3)
        url = node.url
        node.kill()
        with self.assertRaises(urllib.error.URLError):
            fetch(url)
        node.start()
        self.assertEqual(node.url, url)
        self.assertEqual(sorted(doc["n"] for doc in node.docs()), list(range(RECORDS)))
        node.stop()
        self.assertFalse(is_service_running(node.product, node.state))

    def test_it_knows_templates_pipelines_and_data_streams(self):
        node = self.node
        template = {"index_patterns": ["stream-*"], "data_stream": {}}
        self.assertIn(b"true", fetch(f"{node.url}/_index_template/streams", template, "PUT"))
        self.assertIn(b"true", fetch(f"{node.url}/_ingest/pipeline/empty", {"processors": []}, "PUT"))
        body = b'{"create":{}}\n{"@timestamp":"2026-01-01T00:00:00Z","n":1}\n'
        request = urllib.request.Request(f"{node.url}/stream-a/_bulk?pipeline=empty", body, {"Content-Type": "application/x-ndjson"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            self.assertFalse(json.loads(answer.read())["errors"])
        with self.assertRaises(urllib.error.HTTPError) as refused:  # lifecycle policies are no part of this zip
            fetch(f"{node.url}/_ilm/policy/p", {}, "PUT")
        self.assertEqual(refused.exception.code, 400)


class OpenSearch(NodeTest, unittest.TestCase):
    product = "opensearch"


class Elasticsearch(NodeTest, unittest.TestCase):
    product = "elasticsearch"


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    skipped = [reason for _, reason in result.skipped]
    if skipped:
        print(f"skip: {skipped[0]}")
    raise SystemExit(0 if result.wasSuccessful() and not skipped else 77 if result.wasSuccessful() else 1)
