#!/usr/bin/env python3
"""Gathers the seeds: gather.py RECORDINGS... CASES > recorded.jsonl.gz

RECORDINGS are traffic recordings, CASES the public corpus of attacks. A line is one request: method, target,
header and body as text (Latin-1, one letter a byte), or `raw`, the bytes of a whole connection. Credentials
are left out, equal requests are taken once.
"""

import base64
import gzip
import json
import re
import sys

KEPT = {"host", "user-agent", "content-type", "content-length", "connection", "upgrade", "transfer-encoding", "expect"}
MOST = 24 * 1024


def latin1(data):
    return data.decode("latin-1")


def body_of(body):
    if not body or body.get("truncated") or "data" not in body:
        return b""
    return base64.b64decode(body["data"]) if body["encoding"] == "base64" else body["data"].encode()


def recorded(exchange):
    request = exchange["request"]
    headers = [[k, v] for k, v in request["headers"] if k.lower() in KEPT]
    return {"method": request["method"], "target": request["target"], "headers": headers, "body": latin1(body_of(request["body"]))}


def attack(case):
    if "raw_b64" in case:
        return {"raw": latin1(base64.b64decode(case["raw_b64"]))}
    body = base64.b64decode(case["body_b64"]) if "body_b64" in case else (case.get("body") or "").encode()
    given = case.get("headers") or {}
    headers = given if isinstance(given, list) else list(given.items())
    return {"method": case["method"], "target": case["path"], "headers": [["Host", "docker"], *headers], "body": latin1(body)}


def key(seed):
    # Ids and names that differ from run to run make no other seed.
    return re.sub(r"[0-9a-f]{12,}|[0-9]+", "0", json.dumps(seed, sort_keys=True))


def main():
    seeds = {}
    for path in sys.argv[1:]:
        for line in open(path, encoding="utf-8"):
            entry = json.loads(line)
            seed = recorded(entry) if "request" in entry else attack(entry) if "method" in entry or "raw_b64" in entry else None
            if seed and len(seed.get("body", "")) + len(seed.get("raw", "")) <= MOST:
                seeds.setdefault(key(seed), seed)
    text = "".join(json.dumps(seed) + "\n" for seed in seeds.values())
    sys.stdout.buffer.write(gzip.compress(text.encode(), mtime=0))


main()
