#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Google's addresses: its own names, private ones, the one that requires a client certificate; and that a credential's
file cannot direct requests to other hosts.
"""
import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

import harness
from google_caller import Caller, Google
from proxy import Authority, Proxy

API, MTLS = "cloudidentity.googleapis.com", "cloudidentity.mtls.googleapis.com"
PRIVATE, TOKEN = "cloudidentity-vpc1.p.googleapis.com", "oauth2.googleapis.com"
NAMES = ",".join("DNS:" + name for name in (API, MTLS, PRIVATE, TOKEN)) + ",IP:127.0.0.1"


def ends(caller):
    """The exit of a caller that cannot start."""
    process = caller.start()
    process.stdin.close()
    process.stdout.close()
    return process.wait(harness.TIMEOUT)


class Front:
    """nginx in front of the emulator, under Google's names. Only the mTLS name requires a client certificate; all of
    them record what they get.
    """

    CONFIGURATION = """
        daemon off; user root; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log;
        events {{ }}
        http {{
            log_format shown escape=json '{{"sni":"$ssl_server_name","host":"$http_host",'
                '"client":"$ssl_client_verify","what":"$request_method $uri",'
                '"project":"$http_x_goog_user_project"}}';
            access_log {dir}/access.log shown;
            client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
            fastcgi_temp_path {dir}/fastcgi; uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
            ssl_certificate {cert}; ssl_certificate_key {key};
            server {{
                listen 127.0.0.1:{port} ssl http2 default_server;
                ssl_verify_client optional_no_ca;
                location / {{ proxy_pass {google}; proxy_next_upstream off; }}
            }}
            server {{
                listen 127.0.0.1:{port} ssl http2;
                server_name {mtls};
                ssl_verify_client on; ssl_client_certificate {client};
                location / {{ proxy_pass {google}; proxy_next_upstream off; }}
            }}
        }}"""

    def __init__(self, google, server, client):
        self.directory = tempfile.mkdtemp(prefix="cloudinvite-front.")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        with open(self.file("conf"), "w", encoding="utf-8") as file:
            file.write(self.CONFIGURATION.format(
                dir=self.directory, port=port, google=google.url, cert=server.certificate,
                key=server.key, client=client.certificate, mtls=MTLS))
        self.process = subprocess.Popen(["nginx", "-e", self.file("error.log"), "-c",
                                         self.file("conf")], stderr=subprocess.DEVNULL)
        harness.wait_for(lambda: self.answers(port), "nginx")

    def file(self, name):
        return os.path.join(self.directory, name)

    @staticmethod
    def answers(port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def seen(self, count=2):
        """What it recorded: one line each, which may come after the reply."""
        def lines():
            with open(self.file("access.log"), encoding="utf-8") as file:
                return file.read().splitlines()

        harness.wait_for(lambda: len(lines()) >= count, "nginx's log")
        return [json.loads(line) for line in lines()]

    def close(self):
        harness.stop(self.process)
        shutil.rmtree(self.directory, ignore_errors=True)


@unittest.skipUnless(shutil.which("nginx") and os.geteuid() == 0, "needs root and nginx")
class Fronted(Google):
    """Google under its own names: a proxy connects to this server instead."""

    def setUp(self):
        super().setUp()
        self.server, self.client = self.authority(NAMES), self.authority("DNS:client")
        self.front = Front(self.google, self.server, self.client)
        self.addCleanup(self.front.close)
        self.way = Proxy(lead=self.front.address).__enter__()
        self.addCleanup(self.way.__exit__)

    def authority(self, name):
        authority = Authority(name)
        self.addCleanup(authority.__exit__)
        return authority

    def outside(self, **overrides):
        """A caller that knows Google by its names only."""
        with open(self.google.file("credentials.json"), encoding="utf-8") as file:
            key = dict(json.load(file), token_uri=f"https://{TOKEN}/token")
        caller = self.caller(**dict({
            "endpoint": f"https://{API}", "token_endpoint": f"https://{TOKEN}/token",
            "proxy": self.way.url, "ca_file": self.server.certificate}, **overrides))
        with open(caller.key, "w", encoding="utf-8") as file:
            json.dump(key, file)
        return caller

    def shown(self):
        """(sni, host) of the last call."""
        last = self.front.seen()[-1]
        return last["sni"], last["host"]

    def answer(self, **overrides):
        return self.outside(**overrides).one("list", size=1)


class Names(Fronted):
    def test_googles_own_names_are_in_sni_and_host(self):
        self.assertEqual(self.answer()["kind"], "none")
        self.assertEqual([(one["sni"], one["host"]) for one in self.front.seen()],
                         [(TOKEN, TOKEN), (API, API)])
        self.assertEqual(self.way.asked, [TOKEN + ":443", API + ":443"])

    def test_a_private_endpoint_is_asked_under_its_name(self):
        self.assertEqual(self.answer(endpoint=f"https://{PRIVATE}")["kind"], "none")
        self.assertEqual(self.shown(), (PRIVATE, PRIVATE))

    def test_a_private_name_that_leads_elsewhere_is_not_trusted(self):
        reply = self.answer(endpoint="https://cloudidentity-evil.p.googleapis.com")
        self.assertEqual((reply["kind"], reply["code"]), ("setup", "tls_untrusted"))
        self.assertEqual([one["what"] for one in self.front.seen(1)], ["POST /token"])


class Certificates(Fronted):
    def test_only_the_mtls_host_gets_the_certificate(self):
        reply = self.answer(endpoint=f"https://{MTLS}", client_key=self.client.key,
                            client_certificate=self.client.certificate)
        self.assertEqual(reply["kind"], "none", reply["what"])
        self.assertEqual([(one["sni"], one["client"]) for one in self.front.seen()],
                         [(TOKEN, "NONE"), (MTLS, "SUCCESS")])

    def test_without_a_certificate_the_sentence_says_so(self):
        reply = self.answer(endpoint=f"https://{MTLS}")
        self.assertEqual((reply["kind"], reply["code"]), ("setup", "tls_client_certificate"))
        self.assertIn("requires a client certificate", reply["what"])
        self.assertIn("client_certificate and client_key", reply["remedy"])

    def test_a_user_that_the_host_does_not_know_is_reported_too(self):
        stranger = self.authority("DNS:stranger")
        reply = self.answer(endpoint=f"https://{MTLS}", client_key=stranger.key,
                            client_certificate=stranger.certificate)
        self.assertEqual((reply["kind"], reply["code"]), ("setup", "tls_client_certificate"))
        self.assertIn("does not accept", reply["what"])

    def test_a_host_that_hangs_up_in_tls_is_understood_as_well(self):
        context = self.server.server()
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(self.client.certificate)
        for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
            for known in (False, True):
                context.minimum_version = context.maximum_version = version
                stranger = self.authority("DNS:stranger")
                more = {"client_certificate": stranger.certificate, "client_key": stranger.key} \
                    if known else {}
                with self.subTest(f"{version.name} {known}"), Listener(context) as listener:
                    caller = self.caller()
                    self.assertEqual(caller.one("list", size=1)["kind"], "none")
                    trust = self.server.trusted_with(self.google.file("ca.pem"))
                    reply = caller.again(endpoint=listener.url, ca_file=trust, **more) \
                        .one("list", size=1)
                    self.assertIn(reply["code"], ("tls_client_certificate", "tls_handshake"))
                    if version == ssl.TLSVersion.TLSv1_3 or known:
                        self.assertEqual(reply["code"], "tls_client_certificate", reply["what"])

    def test_a_pair_that_is_none_stops_the_start_with_the_reason(self):
        other = self.authority("DNS:other")
        caller = self.outside(client_certificate=self.client.certificate, client_key=other.key)
        self.assertEqual(ends(caller), 2)
        self.assertIn("is not the key of the certificate", caller.said())


class Listener:
    """Accepts connections, with or without a TLS handshake."""

    def __init__(self, context):
        self.context = context
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            with self.context.wrap_socket(peer, server_side=True,
                                          do_handshake_on_connect=False) as inside:
                try:
                    inside.do_handshake()
                except OSError:
                    # Until the client hangs up: after an immediate close it might not get the reason.
                    with contextlib.suppress(OSError):
                        while os.read(inside.fileno(), 4096):
                            pass

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()


class QuotaProject(Fronted):
    def projects(self):
        return {one["what"].split("/")[1]: one["project"] for one in self.front.seen()}

    def test_the_setting_is_sent_to_the_api_and_not_for_the_token(self):
        self.assertEqual(self.answer(quota_project="identity-7")["kind"], "none")
        self.assertEqual(self.projects(), {"token": "", "v1": "identity-7"})

    def test_without_one_nothing_is_printed(self):
        self.assertEqual(self.answer()["kind"], "none")
        self.assertEqual(self.projects(), {"token": "", "v1": ""})

    def test_the_credentials_own_counts_where_the_settings_name_none(self):
        for count, setting, expected in ((2, "", "of-the-file"),
                                         (4, "of-the-settings", "of-the-settings")):
            caller = self.outside(quota_project=setting)
            with open(caller.key, encoding="utf-8") as file:
                key = dict(json.load(file), quota_project_id="of-the-file")
            with open(caller.key, "w", encoding="utf-8") as file:
                json.dump(key, file)
            self.assertEqual(caller.one("list", size=1)["kind"], "none")
            self.assertEqual(self.front.seen(count)[-1]["project"], expected)


class Pinned(Google):
    """A file that names another token endpoint is refused before any request."""

    def test_no_file_can_direct_a_token_request_elsewhere(self):
        with Proxy() as evil:
            for uri in (f"http://{evil.address}/token", f"https://{evil.address}/token",
                        f"https://{TOKEN}@{evil.address}/token",
                        f"https://{TOKEN}:443@{evil.address}/token", f"https://{TOKEN}./token",
                        f"https://{TOKEN}.evil.example/token", f"https://{TOKEN.upper()}/token",
                        f"https://{TOKEN}\\@{evil.address}/token", f"https://{TOKEN}%2e/token",
                        f"https://{TOKEN}\u3002/token", f"https://{TOKEN}/../token",
                        f"https://{TOKEN}:8443/token", f"//{TOKEN}/token", ""):
                with self.subTest(uri):
                    self.refuse(uri)
            self.assertEqual(evil.connections, 0)
        self.assertEqual(self.tokens_minted(), 0)

    def refuse(self, uri):
        with Caller(self.google) as caller:
            with open(caller.key, encoding="utf-8") as file:
                key = dict(json.load(file), token_uri=uri)
            with open(caller.key, "w", encoding="utf-8") as file:
                json.dump(key, file)
            self.assertEqual(ends(caller), 2)
            self.assertIn("token_uri", caller.said())


if __name__ == "__main__":
    harness.main()
