#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The emulator's faults, its latency, its log and its control endpoints, and how it starts and stops."""
import gzip
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

import harness

ALICE = "alice@example.com"
PATH = f"/v1/customers/C01234567/userinvitations/{ALICE}"


class Google(harness.ResetEmulator):

    def setUp(self):
        super().setUp()
        self.google.accounts({"address": ALICE})
        self.token = self.google.control("POST", "tokens")["access_token"]
        self.headers = {"Authorization": f"Bearer {self.token}"}

    def ask(self, method, path, connection=None):
        """(status, headers, body), on a connection of its own unless one is given."""
        if connection is None:
            return self.google.request(method, path, headers=self.headers)
        connection.request(method, path, headers=self.headers)
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read()

    def send(self, connection=None):
        return self.ask("POST", PATH + ":send", connection)

    def check(self, connection=None):
        return self.ask("GET", PATH + ":isInvitableUser", connection)

    def mails(self):
        return self.google.mailbox()["total"]


class Faults(Google):

    def test_a_status_has_no_effect_and_googles_body(self):
        for status, word in ((400, "INVALID_ARGUMENT"), (401, "UNAUTHENTICATED"),
                             (403, "PERMISSION_DENIED"), (404, "NOT_FOUND"),
                             (429, "RESOURCE_EXHAUSTED"), (500, "INTERNAL"), (503, "UNAVAILABLE")):
            self.google.faults({"route": "send", "status": status})
            got, _, body = self.send()
            self.assertEqual((got, json.loads(body)["error"]["status"]), (status, word))
        self.assertEqual(self.mails(), 0)
        self.assertEqual(self.send()[0], 200)

    def test_body_and_headers_can_be_given(self):
        self.google.faults({"route": "check", "status": 429, "body": "{\"x\":1}",
                            "headers": {"Retry-After": "7", "Content-Type": "application/x-y",
                                        "Date": "Thu, 01 Jan 1970 00:00:00 GMT"}})
        status, headers, body = self.check()
        self.assertEqual((status, body, headers["Retry-After"]), (429, b'{"x":1}', "7"))
        self.assertEqual(headers.get_all("Content-Type"), ["application/x-y"])
        self.assertEqual(headers.get_all("Date"), ["Thu, 01 Jan 1970 00:00:00 GMT"])

    def test_status_after_has_the_effect(self):
        self.google.faults({"route": "send", "action": "status_after", "status": 503})
        self.assertEqual(self.send()[0], 503)
        self.assertEqual(self.mails(), 1)

    def test_pages_that_are_not_json(self):
        for action, status, kind in (("html", 502, "text/html"), ("plain", 503, "text/plain")):
            self.google.faults({"route": "send", "action": action})
            got, headers, body = self.send()
            self.assertEqual((got, headers.get_content_type()), (status, kind))
            with self.assertRaises(ValueError):
                json.loads(body)
        self.assertEqual(self.mails(), 0)

    def test_a_redirect(self):
        self.google.faults({"route": "check", "action": "redirect"})
        status, headers, _ = self.check()
        self.assertEqual((status, headers["Location"]), (302, "https://redirected.invalid/"))

    def cut(self, action, ask, connection=None):
        self.google.faults({"route": "*", "action": action, "reused_only": connection is not None})
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionResetError,
                                ssl.SSLError)):
            ask(connection)

    def test_drop_before_cuts_without_the_effect(self):
        self.cut("drop_before", self.send)
        self.assertEqual(self.mails(), 0)
        self.assertEqual(self.google.log(route="send")[0]["status"], 0)

    def test_drop_after_cuts_with_the_effect(self):
        self.cut("drop_after", self.send)
        self.assertEqual(self.mails(), 1)

    def test_a_reused_connection_can_be_cut_after_the_effect(self):
        connection = self.google.connect()
        self.assertEqual(self.check(connection)[0], 200)
        self.cut("drop_after", self.send, connection)
        self.assertEqual(self.mails(), 1)
        last = self.google.log(route="send")[0]
        self.assertEqual((last["reused"], last["fault"]), (True, "drop_after"))

    def test_reused_only_spares_new_connections(self):
        self.google.faults({"route": "*", "action": "drop_before", "reused_only": True})
        for _ in range(3):
            self.assertEqual(self.check()[0], 200)
        self.assertEqual(self.google.faults()[0]["times"], 1)

    def test_garbage_is_neither_http_nor_tls(self):
        self.google.faults({"route": "check", "action": "garbage"})
        with self.assertRaises((ssl.SSLError, http.client.HTTPException, ConnectionResetError)):
            self.check()

    def test_a_truncated_body(self):
        self.google.faults({"route": "send", "action": "truncate"})
        with self.assertRaises((http.client.IncompleteRead, ssl.SSLError)):
            self.send()
        self.assertEqual(self.mails(), 1)

    def test_gzip_without_a_request_for_it(self):
        self.google.faults({"route": "check", "action": "gzip"})
        _, headers, body = self.check()
        self.assertEqual(headers["Content-Encoding"], "gzip")
        self.assertEqual(json.loads(gzip.decompress(body)), {"isInvitableUser": True})

    def test_a_wrong_content_type(self):
        self.google.faults({"route": "check", "action": "wrong_type"})
        _, headers, body = self.check()
        self.assertEqual(headers.get_content_type(), "text/html")
        self.assertEqual(json.loads(body), {"isInvitableUser": True})

    def test_a_huge_body_is_the_answer_and_much_more(self):
        self.google.faults({"route": "check", "action": "huge"})
        _, _, body = self.check()
        self.assertEqual(len(body), 16 * 1024 * 1024)
        self.assertEqual(json.loads(body)["isInvitableUser"], True)

    def test_duplicate_members_contradict(self):
        self.google.faults({"route": "check", "action": "duplicate"})
        _, _, body = self.check()
        self.assertEqual(json.loads(body, object_pairs_hook=list),
                         [("isInvitableUser", True), ("isInvitableUser", False)])

    def test_delay_comes_after_the_effect(self):
        self.google.faults({"route": "send", "action": "delay", "delay_ms": 3000})
        thread = threading.Thread(target=self.send)
        started = time.monotonic()
        thread.start()
        harness.wait_for(lambda: self.mails() == 1, "the mail")
        self.assertTrue(thread.is_alive())
        thread.join()
        self.assertGreaterEqual(time.monotonic() - started, 2.9)

    def test_slow_drips_the_real_body(self):
        self.google.faults({"route": "check", "action": "slow", "delay_ms": 10})
        started = time.monotonic()
        _, _, body = self.check()
        self.assertEqual(json.loads(body), {"isInvitableUser": True})
        self.assertGreaterEqual(time.monotonic() - started, 0.009 * len(body))

    def test_times_after_and_address(self):
        self.google.accounts({"address": "bob@example.com"})
        self.google.faults({"route": "check", "address": ALICE, "after": 1, "times": 2})
        other = "/v1/customers/C01234567/userinvitations/bob@example.com:isInvitableUser"
        self.assertEqual(self.ask("GET", other)[0], 200)
        self.assertEqual([self.check()[0] for _ in range(4)], [200, 503, 503, 200])
        self.assertEqual(self.google.faults(), [])

    def test_zero_times_is_forever_until_it_is_cleared(self):
        self.google.faults([{"route": "check", "times": 0}, {"route": "get", "status": 500}])
        self.assertEqual([self.check()[0] for _ in range(5)], [503] * 5)
        self.assertEqual([(fault["route"], fault["hits"]) for fault in self.google.faults()],
                         [("check", 5), ("get", 0)])
        self.google.clear_faults()
        self.assertEqual(self.check()[0], 200)

    def test_a_fault_that_is_wrong_is_refused_whole(self):
        for wrong in ({"route": "nowhere"}, {"action": "explode"}, {"times": -1}, {"status": 42},
                      {"headers": {"x": 1}}, {"typo": 1}, "drop"):
            with self.assertRaises(AssertionError):
                self.google.faults([{"route": "get"}, wrong])
        self.assertEqual(self.google.faults(), [])


class Latency(Google):

    def test_it_delays_every_reply_and_blocks_no_other(self):
        self.google.latency({"route": "*", "ms": 1000})
        started = time.monotonic()
        threads = [threading.Thread(target=self.check) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        elapsed = time.monotonic() - started
        self.assertGreaterEqual(elapsed, 1)
        self.assertLess(elapsed, 16, "32 in a row would take 32 s")

    def test_it_can_be_one_route(self):
        self.google.latency([{"route": "get", "ms": 60000}])
        started = time.monotonic()
        self.check()
        self.assertLess(time.monotonic() - started, 59)
        self.google.latency([{"route": "get", "ms": 3000}])
        started = time.monotonic()
        self.ask("GET", PATH)
        self.assertGreaterEqual(time.monotonic() - started, 2.9)

    def test_it_stops_while_replies_are_waiting(self):
        with harness.Emulator() as google:
            google.latency({"route": "other", "ms": 60000})
            google.faults({"route": "get", "action": "slow", "delay_ms": 1000})
            connections = [google.connect() for _ in range(4)]
            for number, connection in enumerate(connections):
                connection.request("GET", "/" if number % 2 else PATH)
            harness.wait_for(lambda: len(google.log()) == 4, "four requests")
            google.process.send_signal(signal.SIGTERM)
            self.assertEqual(google.process.wait(5), 0)
            for connection in connections:
                connection.close()


class Crowd(Google):

    def test_requests_that_all_come_at_the_same_moment_are_all_answered(self):
        """127 to 130 of them: libmicrohttpd handles 128 events at a time."""
        request = (f"GET {PATH}:isInvitableUser HTTP/1.1\r\nHost: google\r\n"
                   f"Authorization: Bearer {self.token}\r\n\r\n").encode()
        connections = []
        for _ in range(130):
            connections.append(self.google.connect(timeout=3))
            connections[-1].connect()
            self.addCleanup(connections[-1].close)
        for count in (127, 128, 129, 130):
            self.google.process.send_signal(signal.SIGSTOP)
            for connection in connections[:count]:
                connection.sock.sendall(request)
            self.google.process.send_signal(signal.SIGCONT)
            for connection in connections[:count]:
                reply = http.client.HTTPResponse(connection.sock)
                reply.begin()
                self.assertEqual(reply.status, 200, count)
                reply.read()
                reply.close()


class Log(Google):

    def test_it_tells_what_was_asked_in_order(self):
        connection = self.google.connect()
        self.check(connection)
        self.send(connection)
        first, second = self.google.log()
        self.assertEqual((first["n"], first["route"], first["method"], first["status"]),
                         (1, "check", "GET", 200))
        self.assertEqual((second["n"], second["route"], second["address"], second["principal"]),
                         (2, "send", ALICE, "admin@example.com"))
        self.assertEqual(first["path"], PATH + ":isInvitableUser")
        self.assertEqual((first["connection"], first["reused"]), (second["connection"], False))
        self.assertTrue(second["reused"])
        self.assertEqual(second["authorization"], "bearer")
        self.assertLessEqual(first["at_ms"], second["at_ms"])
        self.assertNotIn(self.token, json.dumps(self.google.log()))

    def test_since_leaves_out_what_is_known(self):
        for _ in range(3):
            self.check()
        self.assertEqual([entry["n"] for entry in self.google.log(since=2)], [3])
        self.assertEqual(self.google.log(since=3), [])

    def test_it_can_be_switched_off_and_the_counts_go_on(self):
        self.google.switches({"log": False})
        self.check()
        self.assertEqual(self.google.log(), [])
        self.assertEqual(self.google.stats()["check"], 1)

    def test_bodies_and_raw_paths_are_kept(self):
        self.google.request("POST", "/v1/x%2By?a=%20b", body=b'{"x":"\xc3\xa4"}\xff',
                            headers={"Content-Type": "application/json", "User-Agent": "me/1"})
        entry = self.google.log()[0]
        self.assertEqual((entry["path"], entry["query"], entry["user_agent"], entry["route"]),
                         ("/v1/x%2By", "a=%20b", "me/1", "other"))
        self.assertEqual((entry["content_length"], entry["content_type"]),
                         (11, "application/json"))
        self.assertTrue(entry["body"].startswith('{"x":"'))


class Control(Google):

    def test_the_state_can_be_read_and_put_back(self):
        self.google.accounts({"prefix": "user", "count": 5, "domain": "example.com",
                              "state": "INVITED", "mails": 2, "created": "100h"})
        self.google.switches({"send_managed": 409, "operation": "pending"})
        self.google.quota({"per_minute": 60, "retry_after": 5})
        self.google.latency({"route": "get", "ms": 1})
        self.google.faults({"route": "send", "action": "drop_after", "times": 3, "after": 1})
        before = self.google.state()
        self.google.control("PUT", "state", before)
        after = self.google.state()
        del before["clock"], after["clock"]
        self.assertEqual(after, before)

    def test_a_reset_goes_back_to_the_scenario(self):
        scenario = {"customer": {"id": "C0other"}, "accounts": [{"address": "x@example.com"}],
                    "clock": {"now": "2030-01-01T00:00:00Z"}}
        with harness.Emulator(scenario) as google:
            google.accounts({"address": ALICE})
            google.state({"customer": {"id": "C0changed"}})
            google.reset()
            state = google.state()
            self.assertEqual(state["customer"]["id"], "C0other")
            self.assertEqual([one["address"] for one in state["accounts"]], ["x@example.com"])
            self.assertTrue(state["clock"]["now"].startswith("2030-01-01T00:00"))

    def test_a_document_that_is_wrong_changes_nothing_and_says_where(self):
        for wrong, says in (({"accounts": [{"address": "a@b"}, {"kind": "consumer"}]}, "accounts[1]"),
                            ({"accounts": [{"address": "a@b", "created": "soon"}]}, "created"),
                            ({"customer": {"domains": [{"kind": "verified"}]}}, "name is missing"),
                            ({"clock": {"now": "yesterday"}}, "clock"), ({"typo": 1}, "typo"),
                            ({"switches": {"operation": "odd"}}, "operation"), ([], "object")):
            with self.assertRaises(AssertionError) as caught:
                self.google.control("PUT", "state", wrong)
            self.assertIn(says, str(caught.exception))
        self.assertEqual(self.google.account(ALICE)["address"], ALICE)

    def test_accounts_can_be_replaced_and_taken_away(self):
        self.google.accounts([{"address": "Bob@Example.COM"}, {"address": ALICE, "mails": 3}])
        self.assertEqual(self.google.account("bob@example.com")["kind"], "consumer")
        self.assertEqual(self.google.account(ALICE)["mails"], 3)
        self.google.control("DELETE", "accounts?address=" + ALICE)
        with self.assertRaises(AssertionError):
            self.google.account(ALICE)
        self.google.control("DELETE", "accounts")
        self.assertEqual(self.google.control("GET", "accounts"), {"count": 0})

    def test_only_the_invited_can_answer(self):
        for answer in (self.google.accept, self.google.decline):
            with self.assertRaises(AssertionError):
                answer(ALICE)
            self.send()
            answer(ALICE)
            self.google.accounts({"address": ALICE})

    def test_unknown_endpoints_are_refused(self):
        for method, name in (("GET", "nothing"), ("POST", "ready"), ("DELETE", "state")):
            with self.assertRaises(AssertionError):
                self.google.control(method, name)

    def test_a_hundred_thousand_accounts_cost_no_more_a_call(self):
        self.google.accounts({"prefix": "user", "count": 100000, "domain": "example.com"})
        connection = self.google.connect()
        self.ask("GET", "/v1/customers/C01234567/userinvitations?pageSize=1", connection)
        before = self.processor_seconds()
        for number in range(300):
            self.ask("GET", f"/v1/customers/C01234567/userinvitations/user{number}@example.com",
                     connection)
            self.ask("GET", "/v1/customers/C01234567/userinvitations?pageSize=1", connection)
        self.assertLess(self.processor_seconds() - before, 2)

    def processor_seconds(self):
        """The emulator's own processor time: other processes do not count."""
        with open(f"/proc/{self.google.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Program(harness.Test):
    BINARY = os.path.join(harness.BUILD, "cloudinvite-emulator")

    def run_it(self, *arguments):
        return subprocess.run([self.BINARY, *arguments], stdin=subprocess.DEVNULL, timeout=20,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)

    def test_help_and_version(self):
        done = self.run_it("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ("--scenario", "/emulator/faults", "omit_false", "drop_after"):
            self.assertIn(word, done.stdout)
        self.assertRegex(self.run_it("--version").stdout, r"^cloudinvite-emulator \d+\.\d+")

    def test_an_unsupported_request_is_reported(self):
        with tempfile.TemporaryDirectory() as directory:
            bad = os.path.join(directory, "bad.json")
            with open(bad, "w", encoding="ascii") as file:
                file.write('{"accounts":\n [}')
            for arguments, status, says in (
                    (["--wrong"], 2, "usage"), (["extra"], 2, "usage"), (["--threads", "0"], 2, "usage"),
                    (["--listen", "nowhere"], 2, "usage"), (["--listen", "localhost:0"], 1, "address"),
                    (["--listen", "192.0.2.1:1"], 1, "cannot listen"),
                    (["--scenario", bad], 1, "bad.json:2"),
                    (["--scenario", directory + "/none"], 1, "none"),
                    (["--directory", bad], 1, "Not a directory")):
                done = self.run_it(*arguments)
                self.assertEqual(done.returncode, status, (arguments, done.stderr))
                self.assertIn(says, done.stderr)
                self.assertNotIn("listening", done.stdout)

    def test_the_directory_has_all_that_a_client_needs(self):
        with harness.Emulator() as google:
            self.assertEqual(os.stat(google.file("credentials.json")).st_mode & 0o777, 0o600)
            with open(google.file("cloudinvite.conf"), encoding="ascii") as file:
                settings = file.read()
            for line in ("[google]", "customer = C01234567", "subject = admin@example.com",
                         f"endpoint = {google.url}", f"token_endpoint = {google.url}/token",
                         f"ca_file = {google.file('ca.pem')}",
                         f"credentials = {google.file('credentials.json')}"):
                self.assertIn(line + "\n", settings)
            with open(google.file("output"), encoding="ascii") as file:
                self.assertEqual(file.read(), f"listening {google.url}\n"
                                 f"metadata {google.metadata_url}\n")
            google.process.send_signal(signal.SIGTERM)
            self.assertEqual(google.process.wait(10), 0)
            self.assertFalse(os.path.exists(google.file("port")))

    def test_its_certificate_is_good_for_the_hosts_that_it_stands_for(self):
        with harness.Emulator() as google:
            context = ssl.create_default_context(cafile=google.file("ca.pem"))
            for host in ("localhost", "127.0.0.1", "::1", "cloudidentity.googleapis.com",
                         "oauth2.googleapis.com"):
                with socket.create_connection(("127.0.0.1", google.port)) as raw, \
                        context.wrap_socket(raw, server_hostname=host):
                    pass

    def test_it_serves_without_tls_and_in_several_threads(self):
        with harness.Emulator(arguments=["--http", "--threads", "4"]) as google:
            self.assertEqual(google.ready()["base"], f"http://127.0.0.1:{google.port}")

    def test_it_listens_on_ipv6(self):
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError:
            self.skipTest("this machine has no IPv6")
        with harness.Emulator(arguments=["--http", "--listen", "[::1]:0"]) as google:
            connection = http.client.HTTPConnection("::1", google.port)
            connection.request("GET", "/emulator/ready")
            self.assertEqual(json.loads(connection.getresponse().read())["base"],
                             f"http://[::1]:{google.port}")
            connection.close()


if __name__ == "__main__":
    harness.main()
