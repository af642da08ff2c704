#!/usr/bin/env python3
"""Gathers what real clients sent: gather.py ../shared/api/traffic > requests.jsonl.gz

A line is one request: who sent it to which daemon, method, target, header, body as text (Latin-1, one letter a byte;
left out where the recording holds only its beginning), and how often it was sent. Credentials are left out.
"""

import base64
import gzip
import json
import pathlib
import sys

# Credentials, and numbers that are others in each request.
CONSTANT = {"x-registry-auth": "e30=", "x-registry-config": "e30=", "traceparent": "00-" + "0" * 32 + "-" + "0" * 16 + "-01"}


def body_of(body):
    if body.get("truncated") or "data" not in body:
        return ""
    data = base64.b64decode(body["data"]) if body["encoding"] == "base64" else body["data"].encode()
    return data.decode("latin-1")


def request_of(source, request):
    headers = [[name, CONSTANT.get(name.lower(), value)] for name, value in request["headers"]]
    target = {"method": request["method"], "target": request["target"], "version": request["version"]}
    return {"from": source, **target, "headers": headers, "body": body_of(request["body"])}


def main():
    counts = {}
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.jsonl")):
        # CLIENT-DAEMON-SCENARIO
        source = "-".join(path.stem.split("-")[:2])
        for line in path.read_text(encoding="utf-8").splitlines():
            key = json.dumps(request_of(source, json.loads(line)["request"]), separators=(",", ":"))
            counts[key] = counts.get(key, 0) + 1
    lines = ("{%s,\"times\":%d}\n" % (key[1:-1], times) for key, times in counts.items())
    sys.stdout.buffer.write(gzip.compress("".join(lines).encode(), 9, mtime=0))


main()
