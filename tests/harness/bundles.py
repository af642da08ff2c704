"""What a test of bundles needs of their maker and of a server, by the facts of OPA's documentation.

bundles.py serve FOLDER       serves its files with ETags, to who shows the token in FOLDER/token; says the port, then
                              a line an answer: status and the ETag that was asked with
bundles.py pack FOLDER FILE [KEY]   packs a folder, signed with a private key where one is named
"""

import base64, hashlib, http.server, json, os, subprocess, sys, tarfile


class Files(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = os.path.join(sys.argv[2], os.path.basename(self.path))
        with open(os.path.join(sys.argv[2], "token")) as file:
            token = file.read().strip()
        asked = self.headers.get("If-None-Match")
        body, fields, status = b"", {}, 200
        if self.headers.get("Authorization") != token:
            status = 401
        elif not os.path.exists(path):
            status = 404
        else:
            with open(path, "rb") as file:
                body = file.read()
            fields["ETag"] = '"%s"' % hashlib.sha256(body).hexdigest()[:16]
            if asked == fields["ETag"]:
                status, body = 304, b""
        print(status, asked, flush=True)
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[3]) if len(sys.argv) > 3 else 0), Files)
    print(server.server_port, flush=True)
    server.serve_forever()


def hashed(path):
    with open(path, "rb") as file:
        content = file.read()
    if os.path.basename(path) in ("data.json", ".manifest"):
        content = json.dumps(json.loads(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return hashlib.sha256(content).hexdigest()


def token(files, key):
    part = lambda value: base64.urlsafe_b64encode(value).rstrip(b"=")
    written = part(b'{"alg":"RS256"}') + b"." + part(json.dumps({"files": files}).encode())
    signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=written, capture_output=True, check=True)
    return (written + b"." + part(signed.stdout)).decode()


def pack(folder, file, key=None):
    signatures = os.path.join(folder, ".signatures.json")
    if os.path.exists(signatures):
        os.remove(signatures)
    inside = sorted(os.path.join(at, name) for at, _, names in os.walk(folder) for name in names)
    listed = [{"name": os.path.relpath(path, folder), "hash": hashed(path), "algorithm": "SHA-256"} for path in inside]
    if key:
        with open(signatures, "w") as out:
            json.dump({"signatures": [token(listed, key)]}, out)
    with tarfile.open(file + ".new", "w:gz") as out:
        out.add(folder, ".")
    os.rename(file + ".new", file)


serve() if sys.argv[1] == "serve" else pack(*sys.argv[2:])
