# SPDX-License-Identifier: Apache-2.0
"""The services of a cloud for its machines: a metadata server, IAM that signs, and the token exchange.

They are in Python and not in the emulator, so that tests can put them into a network of their own and break each of
them. The emulator's token endpoint verifies what they sign.
"""
import base64
import http.server
import json
import ssl
import subprocess
import threading
import time
import urllib.parse

from google.auth import crypt

PROJECT = "cloudinvite-emulated"
INVITER = f"inviter@{PROJECT}.iam.gserviceaccount.com"
MACHINE = f"worker@{PROJECT}.iam.gserviceaccount.com"
POOL = "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/pool"
AUDIENCE = POOL + "/providers/cluster"
ACCOUNTS = "projects/-/serviceAccounts/"


def segment(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def refusal(status, word, message, reason=None):
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason,
                "metadata": {"consumer": "projects/" + PROJECT}}] if reason else []
    return status, {"error": {"code": status, "status": word, "message": message,
                              "details": details}}


class Answers(http.server.BaseHTTPRequestHandler):
    """Each server's handler; `cloud` is set on the class."""
    protocol_version = "HTTP/1.1"
    cloud = None

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def answer(self, status, body, **headers):
        if status == 200 and isinstance(self, Iam) and self.cloud.instead:
            status, body = self.cloud.instead
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        try:
            self.end_headers()
            self.wfile.write(data)
        except BrokenPipeError:
            pass  # the client has given up

    def body(self):
        return self.rfile.read(int(self.headers["Content-Length"])).decode()


class Metadata(Answers):
    def do_GET(self):
        cloud, path = self.cloud, self.path.removeprefix("/computeMetadata/v1/")
        cloud.note("waiting")
        cloud.awake.wait()
        cloud.note("metadata", path=path, flavor=self.headers["Metadata-Flavor"],
                   source=self.client_address[0])
        if path == "/identity":
            self.answer(200, {"value": cloud.subject})
        elif cloud.busy > 0:
            cloud.busy -= 1
            self.answer(503, "", Metadata_Flavor="Google")
        elif self.headers["Metadata-Flavor"] != "Google":
            self.answer(403, "")
        elif path == "universe/universe-domain" and cloud.universe:
            self.answer(200, cloud.universe, Metadata_Flavor="Google")
        elif path == "instance/service-accounts/default/email" and cloud.account:
            self.answer(200, cloud.account, Metadata_Flavor="Google")
        elif path.startswith("instance/service-accounts/default/token?") and cloud.account:
            token = cloud.new_token(cloud.account)
            self.answer(200, {"access_token": token, "expires_in": 600, "token_type": "Bearer"},
                        Metadata_Flavor="Google")
        else:
            self.answer(404, "", Metadata_Flavor="Google")


class Iam(Answers):
    def do_POST(self):
        text = self.body()
        if self.path == "/v1/token":
            self.answer(*self.exchange(dict(urllib.parse.parse_qsl(text))))
        else:
            self.answer(*self.sign(self.path.removeprefix("/v1/" + ACCOUNTS), json.loads(text)))

    def exchange(self, form):
        cloud = self.cloud
        cloud.note("sts", form=form, authorization=self.headers["Authorization"])
        if form["audience"] != AUDIENCE:
            return 400, {"error": "invalid_target", "error_description": "The target service "
                         'indicated by the "audience" parameters is invalid.'}
        if form["subject_token"] != cloud.subject:
            return 400, {"error": "invalid_grant", "error_description": "Expired."}
        return 200, {"access_token": cloud.new_token(POOL + "/subject/s"), "token_type": "Bearer",
                     "issued_token_type": form["requested_token_type"]}

    def sign(self, path, asked):
        cloud, account = self.cloud, path.removesuffix(":signJwt")
        token = (self.headers["Authorization"] or "").removeprefix("Bearer ")
        claims = json.loads(asked["payload"])
        caller = cloud.tokens.get(token, cloud.person if token.startswith("ya29.") else None)
        chain = [caller, *(d.removeprefix(ACCOUNTS) for d in asked.get("delegates", [])), account]
        cloud.note("iam", account=account, caller=caller, claims=claims, chain=chain)
        if caller is None:
            return refusal(401, "UNAUTHENTICATED", "Request had invalid credentials.")
        if cloud.api_disabled:
            return refusal(403, "PERMISSION_DENIED", "It is disabled.", "SERVICE_DISABLED")
        if account != INVITER:
            return refusal(404, "NOT_FOUND", "Requested entity was not found.")
        if any(pair not in cloud.creators for pair in zip(chain, chain[1:])):
            return refusal(403, "PERMISSION_DENIED", "Permission 'iam.serviceAccounts.signJwt' "
                           "denied on resource (or it may not exist).", "IAM_PERMISSION_DENIED")
        assert isinstance(claims["exp"], int) and claims["exp"] <= time.time() + 3600, claims
        return 200, {"keyId": cloud.signer.key_id, "signedJwt": cloud.signed(claims)}


class FakeGcp:
    """`settings` are those of [google] that lead here. Its members change what it does."""

    def __init__(self, google):
        self.busy = 0  # so many times it answers 503
        self.awake = threading.Event()  # cleared: the metadata server hangs
        self.awake.set()
        self.instead = None  # (status, body) instead of what IAM and STS would have answered with 200
        self.universe = None
        self.account = MACHINE
        self.api_disabled = False
        self.subject = "eyJhbGciOiJSUzI1NiJ9.subject.token"
        self.creators = {(MACHINE, INVITER), (POOL + "/subject/s", INVITER), (INVITER, INVITER)}
        self.person = INVITER  # the owner of the emulator's tokens
        self.tokens = {}  # each token that was given out, and its owner
        self.log = []
        self.servers = []
        with open(google.file("credentials.json"), encoding="utf-8") as file:
            self.signer = crypt.RSASigner.from_service_account_info(json.load(file))
        self.metadata_port = self.serve(Metadata)
        self.secure = self.certificate(google)
        port = self.serve(Iam, self.secure)
        self.settings = {
            "iam_endpoint": f"https://127.0.0.1:{port}",
            "sts_endpoint": f"https://127.0.0.1:{port}/v1/token",
            "metadata_endpoint": f"http://127.0.0.1:{self.metadata_port}",
            "ca_file": google.file("both.pem")}

    @staticmethod
    def certificate(google):
        """A certificate of our own, trusted like the emulator's."""
        key, own = google.file("cloud.key"), google.file("cloud.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", own, "-days",
                        "2", "-subj", "/CN=cloud", "-addext", "subjectAltName=IP:127.0.0.1"],
                       check=True, stderr=subprocess.DEVNULL)
        with open(google.file("both.pem"), "w", encoding="ascii") as both:
            for name in (google.file("ca.pem"), own):
                with open(name, encoding="ascii") as one:
                    both.write(one.read())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own, key)
        return context

    def serve(self, answers, secure=None, address=("127.0.0.1", 0)):
        """Starts one more server; returns its port."""
        bound = type("Bound", (answers,), {"cloud": self})
        server = http.server.ThreadingHTTPServer(address, bound)
        if secure:
            server.socket = secure.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self.servers.append(server)
        return server.server_address[1]

    def close(self):
        self.awake.set()
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def note(self, what, **more):
        self.log.append(dict(more, what=what))

    def asked(self, what):
        return [entry for entry in self.log if entry["what"] == what]

    def new_token(self, principal):
        token = f"cloud-token-{len(self.tokens)}"
        self.tokens[token] = principal
        return token

    def signed(self, claims):
        header = {"alg": "RS256", "typ": "JWT", "kid": self.signer.key_id}
        text = b".".join(segment(json.dumps(part).encode()) for part in (header, claims))
        return (text + b"." + segment(self.signer.sign(text))).decode()
