"""What moto holds, asked for with boto3: a JSON object a line in, one a line out.

    client.py URL REGION        the first line names the credentials: {"access_key_id": …, "secret_access_key": …}

  {"do": "user", "name": N, "actions": [...]}  a new user who may do these: its access_key_id and secret_access_key
  {"do": "as", "keys": K}                   who asks from now on
  {"do": "groups"}                          the groups, as DescribeLogGroups tells them
  {"do": "tags", "group": G}                a group's tags
  {"do": "streams", "group": G}             names of streams
  {"do": "events", "group": G, "stream": S} [[timestamp, message], ...] in the order that GetLogEvents gives
"""

import json
import sys

import boto3

URL, REGION = sys.argv[1:]


def connect(service, keys):
    return boto3.client(service, endpoint_url=URL, region_name=REGION, aws_access_key_id=keys["access_key_id"],
                        aws_secret_access_key=keys["secret_access_key"])  # fmt: skip


def user(iam, name, actions):
    """Three calls."""
    iam.create_user(UserName=name)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}


def events(logs, group, stream):
    found, token = [], {}
    while True:
        page = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **token)
        found += [[event["timestamp"], event["message"]] for event in page["events"]]
        if page["nextForwardToken"] == token.get("nextToken"):
            return found
        token = {"nextToken": page["nextForwardToken"]}


def streams(logs, group):
    pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=group)
    return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]


def answer(clients, asked):
    logs, iam = clients
    match asked["do"]:
        case "user":
            return user(iam, asked["name"], asked["actions"])
        case "groups":
            return logs.describe_log_groups()["logGroups"]
        case "tags":
            return logs.list_tags_log_group(logGroupName=asked["group"])["tags"]
        case "streams":
            return streams(logs, asked["group"])
        case "events":
            return events(logs, asked["group"], asked["stream"])


def main():
    keys = json.loads(sys.stdin.readline())
    clients = connect("logs", keys), connect("iam", keys)
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["do"] == "as":
            clients = connect("logs", asked["keys"]), connect("iam", asked["keys"])
            said = {"done": True}
        else:
            try:
                said = {"done": answer(clients, asked)}
            except Exception as err:  # whatever boto3 says is for who asked
                said = {"error": f"{type(err).__name__}: {err}"}
        print(json.dumps(said), flush=True)


main()
