"""A real Kafka: it starts, takes records and keeps them, has doors that are locked, and lives on without one of three brokers."""

import os
import tempfile
import unittest

from sluice_e2e import Kafka, KafkaError
from sluice_e2e.kafka import STRANGER, USER
from sluice_e2e.services import MissingTool, is_service_running

RECORDS = 1000


def values(numbers):
    return [b'{"n":%d}' % n for n in numbers]


class KafkaTest(unittest.TestCase):
    def start(self, **options):
        folder = tempfile.TemporaryDirectory(prefix="sluice-kafka-")
        self.addCleanup(folder.cleanup)
        try:
            kafka = Kafka(os.path.join(folder.name, "state"), "logs", **options)
        except MissingTool as missing:
            self.skipTest(str(missing))
        self.addCleanup(kafka.clean_up)
        return kafka

    def numbers(self, kafka, **options):
        return sorted(int(record.value[5:-1]) for record in kafka.records(**options))


class One(KafkaTest):
    def test_a_broker_lives(self):
        kafka = self.start().create(partitions=3)
        kafka.produce(*values(range(RECORDS)))
        self.assertEqual(kafka.count(), RECORDS)
        kafka.kill()
        self.assertFalse(is_service_running("kafka", kafka.state))
        kafka.start()
        self.assertEqual(self.numbers(kafka), list(range(RECORDS)))
        kafka.stop()
        self.assertFalse(is_service_running("kafka", kafka.state))
        kafka.start()
        kafka.pause()
        kafka.resume()
        kafka.produce(*values(range(RECORDS, RECORDS + 3)), compression="gzip")
        self.assertEqual(self.numbers(kafka), list(range(RECORDS + 3)))
        self.assertEqual({record.partition for record in kafka.records()}, {0, 1, 2})

        self.topics_have_rules(kafka)
        self.doors_are_locked(kafka)

    def topics_have_rules(self, kafka):
        kafka.create("narrow", config={"max.message.bytes": 200})
        kafka.produce(b"x" * 100, topic="narrow")
        with self.assertRaisesRegex(KafkaError, "larger than the max message size"):
            kafka.produce(b"x" * 300, topic="narrow")
        kafka.configure({"max.message.bytes": 1000}, topic="narrow")
        kafka.produce(b"x" * 300, topic="narrow")
        (first, second) = kafka.records("narrow")
        self.assertEqual((first.offset, first.key, first.headers, second.value), (0, None, {}, b"x" * 300))
        kafka.delete("narrow")
        self.assertEqual((kafka.count("narrow"), kafka.records("narrow")), (0, []))
        with self.assertRaisesRegex(KafkaError, "does not host this topic"):
            kafka.produce(b"x", topic="narrow")

    def doors_are_locked(self, kafka):
        for mechanism in ("scram-sha-256", "scram-sha-512", "plain"):
            self.assertEqual(self.ask(kafka, USER, mechanism=mechanism), RECORDS + 3)
            with self.assertRaisesRegex(KafkaError, "[Aa]uthentication failed"):
                self.ask(kafka, USER, password="wrong", mechanism=mechanism)
        self.assertEqual(self.ask(kafka, STRANGER), 0)  # topics that one may not see are not there

    def ask(self, kafka, user, **login):
        client = kafka.client(user, **login)
        self.addCleanup(client.clean_up)
        return client.ask("count", topic=kafka.topic)


class Three(KafkaTest):
    def test_one_of_three_may_be_lost(self):
        kafka = self.start(brokers=3).create(replicas=3)
        kafka.produce(*values(range(RECORDS)))
        lost = kafka.lose_leader()
        self.assertFalse(is_service_running("kafka", kafka.state))
        kafka.produce(*values(range(RECORDS, 2 * RECORDS)))
        self.assertEqual(self.numbers(kafka), list(range(2 * RECORDS)))
        kafka.start(lost)
        self.assertEqual(self.numbers(kafka), list(range(2 * RECORDS)))
        self.assertTrue(is_service_running("kafka", kafka.state))


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    skipped = [reason for _, reason in result.skipped]
    if skipped:
        print(f"skip: {skipped[0]}")
    raise SystemExit(0 if result.wasSuccessful() and not skipped else 77 if result.wasSuccessful() else 1)
