#!/usr/bin/env python3
"""Writes logs with loguru as a health checker configures it: one JSON object a line, made by formatter
functions, in four files (main, metrics, alerts, audit), each with its own rotation, retention and zip
compression, all through loguru's queue.

  run DIR [--count N] [--rate PER_SECOND] [--seed N] [--first N] [--rotation "5 MB"]
          [--retention "30 days"] [--secrets FILE]

Every record has a member n, from --first on, in health_checker.jsonl; some are in the other files too.
The records hold what such a program leaks; each planted secret is unique, stands on a line of its own in
the --secrets file and carries a mark: "cnryq7", the same in base64 in a JWT's claims, or, in a card,
4929 0716 at its beginning.

The application's formatters return the JSON itself. Loguru takes what a formatter returns as a template
and would choke on its braces, so the JSON travels in the record and the template names it.
"""

import argparse
import base64
import json
import random
import string
import time
from pathlib import Path

from loguru import logger

METRIC_FIELDS = ("check_name", "status", "response_time", "critical", "health_score", "total_checks", "failed_checks")
ALERT_FIELDS = ("check_name", "error_type", "critical", "performance_issue", "validation_failed", "critical_failure")
AUDIT_FIELDS = ("check_name", "configuration_change", "system_access", "security_event", "compliance_check")
SEVERITIES = {"DEBUG": "low", "INFO": "info", "SUCCESS": "info", "WARNING": "medium", "ERROR": "high", "CRITICAL": "critical"}
MARK, CARD_MARK = "cnryq7", "49290716"
CONTEXT = {"service", "version", "environment", "component", "operation"}


# -- the application's configuration ------------------------------------------------------------------


def template(make_entry):
    def formatter(record):
        entry = make_entry(record)
        record["rendered"] = json.dumps(entry, default=str, ensure_ascii=False)
        return "{rendered}\n"

    return formatter


def base_entry(record, *context):
    entry = {"timestamp": record["time"].isoformat()}
    entry.update({name: record["extra"].get(name, "unknown") for name in context})
    entry["n"] = record["extra"]["n"]
    return entry


def chosen(record, fields):
    return {name: record["extra"][name] for name in fields if name in record["extra"]}


@template
def health_entry(record):
    entry = {"timestamp": record["time"].isoformat(), "level": record["level"].name}
    entry.update({name: record["extra"].get(name, "unknown") for name in ("service", "version", "environment", "component", "operation")})
    entry.update(message=record["message"], module=record["module"], function=record["function"], line=record["line"],
                 process_id=record["process"].id, thread_id=record["thread"].id)  # fmt: skip
    entry.update({name: value for name, value in record["extra"].items() if name not in CONTEXT})
    if record["exception"]:
        exception = record["exception"]
        entry["exception"] = {"type": exception.type.__name__, "value": str(exception.value), "traceback": exception.traceback}
    return entry


@template
def metrics_entry(record):
    return {**base_entry(record, "service", "component", "operation"), "metric_type": "health_check", **chosen(record, METRIC_FIELDS)}


@template
def alert_entry(record):
    level = record["level"].name
    entry = {**base_entry(record, "service", "component", "operation"), "level": level, "alert_type": level.lower()}
    entry.update(message=record["message"], severity=SEVERITIES.get(level, "unknown"), **chosen(record, ALERT_FIELDS))
    if record["exception"]:
        entry.update(exception_type=record["exception"].type.__name__, exception_message=str(record["exception"].value))
    return entry


@template
def audit_entry(record):
    entry = base_entry(record, "service", "component", "operation")
    entry.update(audit_event=record["extra"].get("audit_event", "unknown"), message=record["message"], process_id=record["process"].id,
                 user_context=record["extra"].get("user_context", "system"), **chosen(record, AUDIT_FIELDS))  # fmt: skip
    return entry


def configure(folder, rotation, retention):
    """The sinks as the application has them; `rotation` and `retention` replace its own if given."""
    logger.remove()
    sinks = (
        ("health_checker.jsonl", health_entry, "INFO", "500 MB", "30 days", None),
        ("health_metrics.jsonl", metrics_entry, "INFO", "100 MB", "7 days", lambda record: record["extra"].get("metric", False)),
        ("health_alerts.jsonl", alert_entry, "WARNING", "100 MB", "90 days", lambda record: record["level"].no >= 30),
        ("health_audit.jsonl", audit_entry, "INFO", "1 GB", "1 year", lambda record: record["extra"].get("audit", False)),
    )
    for name, entry, level, own_rotation, own_retention, wanted in sinks:
        logger.add(folder / name, format=entry, level=level, filter=wanted, rotation=rotation or own_rotation,
                   retention=retention or own_retention, compression="zip", enqueue=True, diagnose=False, backtrace=False)  # fmt: skip
    logger.configure(extra={"service": "health-checker", "version": "1.0.0", "environment": "production",
                            "component": "unknown", "operation": "unknown"})  # fmt: skip


# -- records ------------------------------------------------------------------------------------------


class Secrets:
    """Secrets of every kind, each unique, each noted in the side file."""

    def __init__(self, dice, path):
        self.dice = dice
        self.file = open(path, "w", encoding="ascii") if path else None

    def plant(self, secret):
        if self.file:
            self.file.write(secret + "\n")
        return secret

    def word(self, length, alphabet=string.ascii_letters + string.digits):
        return "".join(self.dice.choices(alphabet, k=length))

    def token(self):
        return self.plant(MARK + self.word(26))

    def email(self):
        return self.plant(f"{MARK}{self.word(12, string.ascii_lowercase)}@{self.word(6, string.ascii_lowercase)}.example")

    def jwt(self):
        def part(value):
            return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")

        claims, signature = self.plant(part({"sub": MARK + self.word(10), "iat": 1700000000})), self.token()
        return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{claims}.{signature}"

    def card(self, separator):
        digits = CARD_MARK + self.word(7, string.digits)
        doubled = (int(d) * (2 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits)))
        digits += str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)
        return self.plant(separator.join(digits[i : i + 4] for i in range(0, 16, 4)))


class HealthChecker:
    """Logs what a health checker logs, one record a call."""

    CHECKS = ("database", "redis", "payments-api", "smtp", "søk", "disk")

    def __init__(self, dice, secrets):
        self.dice = dice
        self.secrets = secrets

    def log(self, n):
        kinds = (self.passed, self.passed, self.metric, self.slow, self.passed, self.request, self.audited, self.failed, self.user, self.crashed)
        kind = kinds[n % len(kinds)]
        kind(logger.bind(n=n, component="health_checker", operation=kind.__name__, check_name=self.dice.choice(self.CHECKS)))

    def passed(self, log):
        log.bind(duration=round(self.dice.random() * 900, 3), correlation_id=self.secrets.word(8)).info("Completed check in time")

    def metric(self, log):
        log.bind(metric=True, status="healthy", response_time=self.dice.random(), health_score=98.5, total_checks=12).info("metrics")

    def slow(self, log):
        log.bind(performance_issue=True).warning(f"Check was slow for {self.secrets.email()}")

    def request(self, log):
        headers = {"Authorization": f"Bearer {self.secrets.jwt()}", "X-Api-Key": self.secrets.token(), "Cookie": f"sid={self.secrets.token()}"}
        log.bind(headers=headers, url=f"https://probe:{self.secrets.token()}@status.example/health").info("Probing")

    def audited(self, log):
        log.bind(audit=True, audit_event="config.changed", user_context=self.secrets.email(), configuration_change={"password": self.secrets.token()}).info(
            "Configuration changed"
        )

    def failed(self, log):
        log.bind(error_type="Refused", critical=True).error(f"payment probe with card {self.secrets.card(self.dice.choice([' ', '-', '']))} failed")

    def user(self, log):
        log.bind(user={"mail": self.secrets.email(), "keys": [{"id": 1, "secret": self.secrets.token()}]}).info("password={}", self.secrets.token())

    def crashed(self, log):
        try:
            raise ConnectionError(f"token: {self.secrets.token()} was refused")
        except ConnectionError:
            log.opt(exception=True).error("Check crashed\nwith a second line")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir", type=Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=0, help="records a second; 0 is as fast as it can")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--rotation", help="instead of the application's own, e.g. '5 MB'")
    parser.add_argument("--retention", help="instead of the application's own")
    parser.add_argument("--secrets", help="file for the planted secrets, one a line")
    return parser.parse_args()


def main():
    args = parse_arguments()
    args.dir.mkdir(parents=True, exist_ok=True)
    configure(args.dir, args.rotation, args.retention)
    dice = random.Random(args.seed)
    checker = HealthChecker(dice, Secrets(dice, args.secrets))
    begun = time.monotonic()
    for i in range(args.count):
        checker.log(args.first + i)
        if args.rate:
            time.sleep(max(0.0, begun + i / args.rate - time.monotonic()))
    logger.complete()
    logger.remove()


main()
