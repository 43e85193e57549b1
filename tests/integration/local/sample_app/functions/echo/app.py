"""Answers HTTP with the event it got, or with what the request's `answer` asks for; speaks on WebSockets."""

import json
import os
import time

from sample import LAYER

STARTED = []


def lambda_handler(event, context):
    """Tell the kinds of events apart."""
    if event["requestContext"].get("eventType"):
        return socket(event, context)
    return http(event, context)


def http(event, context):
    """Echo the event, unless the body says what to do."""
    body = json.loads(event["body"]) if event.get("body", "").startswith("{") else {}
    time.sleep(body.get("sleep", 0))
    if body.get("raise"):
        raise RuntimeError("asked to fail")
    if "answer" in body:
        return body["answer"]
    seen = {"event": event, "pid": os.getpid(), "environment": dict(os.environ), "layer": LAYER}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(seen)}


def socket(event, context):
    """Deny, accept, echo or fail, as the query or the message says."""
    query = event.get("queryStringParameters", {})
    if event["requestContext"]["eventType"] == "CONNECT":
        if "deny" in query:
            return {"statusCode": int(query["deny"]), "body": "denied", "headers": {"retry-after": "7", "x-own": "1"}}
        if "fail" in query:
            raise RuntimeError("asked to fail")
        chosen = {"Sec-WebSocket-Protocol": query["choose"]} if "choose" in query else {}
        if "post" in query:
            say(event, {"early": try_post(event)})
        return {"statusCode": 200, "headers": chosen}
    if event["requestContext"]["eventType"] == "DISCONNECT":
        remember(event)
        return {}
    return message(event)


def message(event):
    """Do what a message asks for."""
    if event["isBase64Encoded"]:
        return post(event, {"base64": event["body"]})
    body = json.loads(event["body"])
    time.sleep(body.get("sleep", 0))
    if body.get("raise"):
        raise RuntimeError("asked to fail")
    if body.get("exit"):
        os._exit(3)
    post(event, {"echo": body, "event": {**event, "body": len(event["body"])}})
    return {"statusCode": 200}


def client(name):
    """Return an AWS client, made at first use."""
    import boto3

    return boto3.client(name)


def post(event, value):
    """Send a frame to the connection of an event."""
    connection = event["requestContext"]["connectionId"]
    client("apigatewaymanagementapi").post_to_connection(ConnectionId=connection, Data=json.dumps(value).encode())


def try_post(event):
    """Return the name of the error that a post ends in."""
    try:
        post(event, {})
    except Exception as error:
        return type(error).__name__
    return "sent"


def say(event, value):
    """Write a value where a test can read it."""
    connection = event["requestContext"]["connectionId"]
    item = {"pk": {"S": f"connect/{event['queryStringParameters']['post']}"}, "value": {"S": json.dumps(value)}}
    item["connection"] = {"S": connection}
    client("dynamodb").put_item(TableName=os.environ["TABLE_NAME"], Item=item)


def remember(event):
    """Write how a connection ended."""
    context = event["requestContext"]
    item = {"pk": {"S": f"gone/{context['authorizer']['room']}"}, "value": {"S": json.dumps(event)}}
    client("dynamodb").put_item(TableName=os.environ["TABLE_NAME"], Item=item)
