#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What happens before the first byte: names, routes, TLS. Nothing was written then, so a send may be repeated. In a
network namespace of its own, with a resolv.conf of its own.
"""
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings
from unittest import mock

import google_caller
import harness
import wire

INSIDE = "CLOUDINVITE_NETWORK"
UNSHARE = ["unshare", "--mount", "--propagation", "private", "--net", "--"]
ALICE = "alice@example.com"
LAX = """openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = lax
[lax]
MinProtocol = TLSv1
CipherString = ALL:@SECLEVEL=0
"""
SILENT, DENYING = "127.0.0.53", "127.0.0.54"


class Names:
    """A name server that never answers, and one that knows no name."""

    def __init__(self):
        self.sockets = []
        for address in (SILENT, DENYING):
            place = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            place.bind((address, 53))
            self.sockets.append(place)
        threading.Thread(target=self.deny, daemon=True).start()

    def deny(self):
        while True:
            query, who = self.sockets[1].recvfrom(512)
            self.sockets[1].sendto(query[:2] + b"\x81\x83" + query[4:6] + bytes(6) + query[12:], who)


def use(*servers):
    with open("/etc/resolv.conf", "w", encoding="ascii") as file:
        file.writelines(f"nameserver {server}\n" for server in servers)
        file.write("search corp.example.com example.com\n")


class Way(google_caller.Google):

    def expect(self, kind, code, seconds=12, words="", **settings):
        """The same for every call, without a mail; the replies' `what`."""
        for method in ("check", "list", "send"):
            caller = self.caller(timeout="1s", **settings)
            began = time.monotonic()
            reply = caller.one(method, ALICE, size=1)
            self.assertEqual((reply["kind"], reply["code"]), (kind, code), reply)
            self.assertLess(time.monotonic() - began, seconds)
            self.assertIn(words, reply["what"])
            self.assertTrue(reply["remedy"])
            caller.__exit__()
        self.assertEqual(self.google.mailbox()["total"], 0)


class Resolution(Way):

    def test_a_name_server_that_never_answers_costs_no_more_than_the_timeout(self):
        use(SILENT, SILENT, SILENT)
        self.expect("transient", "network_timeout", words="cloudidentity.test:443: no answer before the timeout",
                    endpoint="https://cloudidentity.test:443")

    def test_an_unknown_name_is_called_that(self):
        use(DENYING)
        self.expect("transient", "network_name", words="cloudidentity.test: cannot resolve the host name",
                    endpoint="https://cloudidentity.test")
        self.expect("transient", "network_proxy", words="proxy", proxy="http://proxy.test:3128")

    def stopped_within(self, **settings):
        with harness.Site(self.google, {"google": settings}) as site:
            site.arrive_account("alice")
            site.collector_once()
            dispatcher = site.start_dispatcher()
            harness.wait_for(lambda: "decision" in site.read("cloudinvite-dispatcher.log"),
                             "the decision")
            time.sleep(0.5)
            began = time.monotonic()
            dispatcher.send_signal(signal.SIGTERM)
            self.assertEqual(dispatcher.wait(harness.TIMEOUT), 0)
            return time.monotonic() - began

    def test_the_dispatcher_stops_while_a_name_is_looked_up(self):
        use(SILENT, SILENT, SILENT)
        url = "https://cloudidentity.test:443"
        self.assertLess(self.stopped_within(endpoint=url, timeout="2s"), 12)

    def test_it_stops_while_the_name_of_the_token_endpoint_is_looked_up(self):
        use(SILENT, SILENT, SILENT)
        url = "https://oauth2.test/token"
        path = self.google.file("credentials.json")
        with open(path, encoding="utf-8") as file:
            key = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(key.replace(self.google.url + "/token", url))
        self.assertLess(self.stopped_within(token_endpoint=url, timeout="60s"), 12)


class Routes(Way):

    def test_no_route_and_no_listener_are_connection_errors(self):
        self.expect("transient", "network_connect", endpoint="https://198.51.100.1")
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
            self.expect("transient", "network_connect", words=f"127.0.0.1:{port}",
                        endpoint=f"https://127.0.0.1:{port}")

    def test_packets_that_are_dropped_are_a_timeout(self):
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            port = full.getsockname()[1]
            for _ in range(4):  # the queue is full then, and the kernel drops the next connection
                waiting = socket.socket()
                self.addCleanup(waiting.close)
                waiting.setblocking(False)
                waiting.connect_ex(("127.0.0.1", port))
            self.expect("transient", "network_timeout", endpoint=f"https://127.0.0.1:{port}")


class Tls(Way):

    def refuse(self, kind, code, words, change=None, certificate=None, known=True):
        server = wire.Wire(self.google)
        self.addCleanup(server.close)
        if certificate:
            wire.certificate(server.directory, **certificate)
            server.trust()
        if change:
            change(server.context)
        ca_file = server.file("ca.pem") if known else self.google.file("ca.pem")
        self.expect(kind, code, words=words, endpoint=server.url, ca_file=ca_file)
        self.assertEqual(server.requests, [])

    def test_a_certificate_of_another_host_is_refused(self):
        self.refuse("setup", "tls_untrusted", "match",
                    certificate={"name": "subjectAltName=DNS:accounts.google.com"})

    def test_an_expired_certificate_is_refused(self):
        self.refuse("setup", "tls_untrusted", "expired", certificate={"expired": True})

    def test_a_self_signed_certificate_is_refused(self):
        self.refuse("setup", "tls_untrusted", "self", known=False)

    def test_tls_before_1_2_is_refused(self):
        def old(version):
            def change(context):
                warnings.simplefilter("ignore", DeprecationWarning)
                context.set_ciphers("ALL:@SECLEVEL=0")
                context.minimum_version = context.maximum_version = version
            return change
        # Even if the system would allow it.
        lax = self.google.file("lax.cnf")
        with open(lax, "w", encoding="ascii") as file:
            file.write(LAX)
        for environment in ({}, {"OPENSSL_CONF": lax}):
            with mock.patch.dict(os.environ, environment):
                for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
                    self.refuse("transient", "tls_handshake", "TLS", change=old(version))

    def test_what_speaks_no_tls_is_refused(self):
        with harness.Emulator(arguments=["--http"]) as plain:
            self.expect("transient", "tls_handshake", endpoint=f"https://127.0.0.1:{plain.port}")


def main():
    if not os.environ.get(INSIDE):
        if os.geteuid() != 0 or subprocess.run([*UNSHARE, "true"], stderr=subprocess.DEVNULL,
                                               check=False).returncode != 0:
            print("ok 1 - network # SKIP needs root for mount and network namespaces\n1..1")
            sys.exit(0)
        os.environ[INSIDE] = "1"
        os.execvp(UNSHARE[0], [*UNSHARE, sys.executable, os.path.abspath(sys.argv[0]),
                               *sys.argv[1:]])
    for command in ("ip link set lo up", "mount -n -t tmpfs tmpfs /run", "touch /run/resolv.conf",
                    "mount -n --bind /run/resolv.conf /etc/resolv.conf"):
        subprocess.run(command.split(), check=True)
    Names()
    use(DENYING)
    harness.main()


if __name__ == "__main__":
    main()
