# SPDX-License-Identifier: Apache-2.0
"""An nginx that answers the calls from memory, over TLS and HTTP/2: a server that is not the bottleneck.

Every address is an invitable account without an invitation, the list is empty, and every send succeeds. The replies
name the address that was asked about, because the dispatcher drops a reply about another one. Nothing is checked and
nothing is remembered.
"""
import os
import shutil
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
from harness import stop, wait_for  # pylint: disable=wrong-import-position

# One worker, because the client needs the other core. A connection lasts for the whole row.
CONFIGURATION = """
daemon off; pid {dir}/pid; error_log {dir}/error.log;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
    access_log off; default_type application/json;
    keepalive_requests 100000000; keepalive_timeout 600s; lingering_close off;
    client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi; uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem;
        location ~ "^/v1/(?<name>customers/[^/]+/userinvitations/[^/:]+):isInvitableUser$" {{
            return 200 '{{"isInvitableUser": true}}';
        }}
        location ~ "^/v1/(?<name>customers/[^/]+/userinvitations/[^/:]+):send$" {{
            return 200 '{{"done": true, "response": {{"name": "$name", "state": "INVITED",
                          "mailsSentCount": "1", "updateTime": "2026-01-02T00:00:00Z"}}}}';
        }}
        location ~ "^/v1/(?<name>customers/[^/]+/userinvitations/[^/:]+)$" {{
            return 200 '{{"name": "$name", "state": "NOT_YET_SENT", "updateTime": "2026-01-01T00:00:00Z"}}';
        }}
        location ~ "^/v1/customers/[^/]+/userinvitations$" {{
            return 200 '{{}}';
        }}
    }}
}}
"""


def available():
    return shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin") is not None


class MemoryServer:
    """`url`, and `ca_file`, which also trusts the certificate of `emulator`: that one mints the token."""

    def __init__(self, emulator):
        self.directory = tempfile.mkdtemp(prefix="cloudinvite-bench-nginx.")
        self.ca_file = os.path.join(self.directory, "ca.pem")
        self.emulator = emulator
        self.process = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"

    def __enter__(self):
        try:
            self.make_certificate()
            configuration = os.path.join(self.directory, "conf")
            with open(configuration, "w", encoding="utf-8") as file:
                file.write(CONFIGURATION.format(dir=self.directory, port=self.port))
            nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
            self.process = subprocess.Popen(
                [nginx, "-p", self.directory, "-e", os.path.join(self.directory, "error.log"), "-c", configuration],
                stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_for(self.answers, "nginx")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            if self.process:
                stop(self.process)
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)

    def make_certificate(self):
        certificate = os.path.join(self.directory, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", os.path.join(self.directory, "key.pem"), "-out", certificate],
                       check=True, capture_output=True)
        with open(self.ca_file, "w", encoding="utf-8") as file:
            for source in (certificate, self.emulator.file("ca.pem")):
                with open(source, encoding="utf-8") as part:
                    file.write(part.read())

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"nginx ended with {self.process.returncode}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
