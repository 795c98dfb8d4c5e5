#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tokens, calls and replies with an emulated Google over TLS."""
import json
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

import harness
from google_caller import Google, calls

PROCESSES = 50
ROUNDS = 12


class Calls(Google):
    def test_all_five_methods_work_in_v1_and_v1beta1(self):
        for version in ("v1", "v1beta1"):
            address = f"{version}@example.com"
            self.google.accounts({"address": address})
            caller = self.caller(api_version=version)
            self.assertTrue(caller.one("check", address)["invitable"])
            shown = caller.one("get", address)
            self.assertTrue(shown["shown"])
            self.assertEqual(shown["invitation"]["state"], "NOT_YET_SENT")
            sent = caller.one("send", address)
            self.assertTrue(sent["confirmed"])
            self.assertEqual(sent["invitation"]["mails"], 1)
            listed = caller.one("list", size=200, filter="state=='invited'")
            self.assertIn(address, [i["address"] for i in listed["page"]])
            self.assertTrue(caller.one("cancel", address)["confirmed"])
            self.assertEqual(caller.one("get", address)["invitation"]["state"], "NOT_YET_SENT")
            paths = {entry["path"].split("/")[1] for entry in self.google.log()
                     if entry["address"] == address}
            self.assertEqual(paths, {version})

    def test_an_address_is_encoded_once(self):
        self.google.accounts({"address": "a+b@example.com"})
        self.assertTrue(self.caller().one("check", "a+b@example.com")["invitable"])
        entry = self.google.log(route="check")[0]
        self.assertTrue(entry["path"].endswith("/a%2Bb@example.com:isInvitableUser"), entry)
        self.assertEqual(entry["address"], "a+b@example.com")

    def test_a_list_is_read_page_by_page_with_filter_and_order(self):
        self.google.accounts({"prefix": "user", "start": 1, "count": 450, "domain": "example.com"})
        caller, seen, token = self.caller(), [], None
        for expected in (200, 200, 50):
            more = {"token": token} if token else {}
            page = caller.one("list", size=200, order="email desc",
                              filter="state=='not_yet_sent'||state=='invited'", **more)
            self.assertEqual(page["kind"], "none", page["what"])
            self.assertEqual(len(page["page"]), expected)
            seen += [i["address"] for i in page["page"]]
            token = page.get("next")
        self.assertIsNone(token)
        self.assertEqual(len(set(seen)), 450)
        self.assertEqual(seen, sorted(seen, reverse=True))

    def test_a_person_who_is_not_shown_is_not_a_fault(self):
        self.google.accounts({"address": "new@example.com", "created": "1h"})
        reply = self.caller().one("get", "new@example.com")
        self.assertEqual((reply["kind"], reply["shown"], reply["status"]), ("none", False, 404))

    def test_left_out_defaults_are_defaults(self):
        self.google.switches({"omit_false": True, "omit_zero": True, "expires_in_string": True})
        self.google.accounts({"address": "alice@example.com"})
        caller = self.caller()
        reply = caller.one("check", "nobody@example.com")
        self.assertEqual((reply["kind"], reply["invitable"]), ("none", False))
        self.assertEqual(caller.one("get", "alice@example.com")["invitation"]["mails"], 0)

    def test_an_operation_is_confirmed_only_if_it_says_done(self):
        expected = {"done": ("none", True, True), "pending": ("none", False, False),
                    "missing_done": ("none", False, None), "empty": ("none", False, False),
                    "error": ("rejected", False, False)}
        caller = self.caller()
        for number, (shape, (kind, confirmed, invitation)) in enumerate(expected.items()):
            address = f"op{number}@example.com"
            self.google.accounts({"address": address})
            self.google.switches({"operation": shape})
            reply = caller.one("send", address)
            self.assertEqual((reply["kind"], reply["confirmed"]), (kind, confirmed), shape)
            if invitation is not None:
                self.assertEqual("invitation" in reply, invitation, shape)

    def test_many_calls_at_once_are_each_answered_once(self):
        self.google.accounts({"prefix": "user", "start": 1, "count": 300, "domain": "example.com"})
        addresses = [f"user{n}@example.com" for n in range(1, 301)]
        replies = self.caller().round(*calls("check", *addresses))
        self.assertTrue(all(reply["invitable"] for reply in replies))
        self.assertEqual(self.tokens_minted(), 1)


class Tokens(Google):
    def test_fifty_processes_that_ask_at_once_mint_one_token(self):
        self.google.accounts({"address": "alice@example.com"})
        self.google.latency({"route": "token", "ms": 300})
        caller = self.caller()
        line = json.dumps({"calls": calls("check", "alice@example.com")}) + "\n"
        processes = [caller.start() for _ in range(PROCESSES)]
        for process in processes:
            process.stdin.write(line)
            process.stdin.close()
        replies = [json.loads(process.stdout.readline()) for process in processes]
        statuses = [process.wait(harness.TIMEOUT) for process in processes]
        for process in processes:
            process.stdout.close()
        self.assertEqual(statuses, [0] * PROCESSES)
        self.assertEqual([r["invitable"] for r in replies], [True] * PROCESSES)
        self.assertEqual(self.tokens_minted(), 1)
        self.assertEqual(self.google.stats()["check"], PROCESSES)

    def test_the_next_process_takes_the_token_from_disk(self):
        caller = self.caller()
        for _ in range(2):
            self.assertEqual(caller.one("list", size=1)["kind"], "none")
            caller.process.stdin.close()
            caller.process.wait(harness.TIMEOUT)
            caller.process.stdout.close()
            caller.process = None
        self.assertEqual(self.tokens_minted(), 1)

    def test_the_cache_is_private_and_no_secret_is_printed(self):
        caller = self.caller()
        caller.one("list", size=1)
        (name,) = caller.token_files()
        path = os.path.join(caller.tokens, name)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(path, encoding="utf-8") as file:
            token = json.load(file)
        self.assertEqual(token["scope"],
                         "https://www.googleapis.com/auth/cloud-identity.userinvitations")
        self.assertNotIn(token["access_token"], caller.said())
        self.assertIn("token_minted", caller.said())

    def test_a_wrong_clock_is_measured_reported_and_corrected_for(self):
        for seconds in (-7200, 1200):
            self.google.reset()
            now = time.gmtime(time.time() - seconds)
            self.google.clock({"now": time.strftime("%Y-%m-%dT%H:%M:%SZ", now)})
            caller = self.caller()
            reply = caller.one("list", size=1)
            self.assertEqual(reply["kind"], "none", reply["what"])
            self.assertAlmostEqual(caller.skew, seconds, delta=5)
            self.assertIn("clock_skew", caller.said())
            self.assertEqual([entry["status"] for entry in self.google.log(route="token")],
                             [400, 200])

    def test_a_token_that_google_forgot_is_replaced_and_the_call_repeated(self):
        self.google.accounts({"prefix": "user", "start": 1, "count": 20, "domain": "example.com"})
        caller = self.caller()
        addresses = [f"user{n}@example.com" for n in range(1, 21)]
        caller.one("check", addresses[0])
        self.google.revoke_tokens()
        replies = caller.round(*calls("send", *addresses))
        self.assertEqual({(reply["what"], reply["confirmed"]) for reply in replies}, {("", True)})
        self.assertEqual(self.google.mailbox()["counts"], dict.fromkeys(addresses, 1))
        self.assertEqual(self.tokens_minted(), 2)

    def test_a_401_that_stays_is_a_setup_fault_after_one_fresh_token(self):
        self.google.faults({"route": "check", "status": 401, "times": 0})
        reply = self.caller().one("check", "alice@example.com")
        self.assertEqual((reply["kind"], reply["code"]), ("setup", "token_not_accepted"))
        self.assertEqual(self.google.stats()["check"], 2)
        self.assertEqual(self.tokens_minted(), 2)

    def test_a_short_token_is_used_and_not_kept(self):
        self.google.switches({"token_lifetime": 60})
        caller = self.caller()
        for _ in range(2):
            self.assertEqual(caller.one("list", size=1)["kind"], "none")
        self.assertEqual(self.tokens_minted(), 2)

    def test_without_a_cache_it_goes_on_and_says_so_once(self):
        self.google.switches({"token_lifetime": 60})
        caller = self.caller()
        os.rmdir(caller.tokens)
        for _ in range(3):
            self.assertEqual(caller.one("list", size=1)["kind"], "none")
        self.assertEqual(caller.said().count("token_cache"), 1, caller.said())

    def test_a_rotated_key_is_picked_up_without_a_restart(self):
        caller = self.caller()
        self.assertEqual(caller.one("list", size=1)["kind"], "none")
        new_key = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA"], check=True,
                                 capture_output=True, text=True).stdout
        public = subprocess.run(["openssl", "pkey", "-pubout"], input=new_key, check=True,
                                capture_output=True, text=True).stdout
        with open(caller.key, encoding="utf-8") as file:
            content = json.load(file)
        accounts = self.google.state()["service_accounts"]
        accounts[0]["keys"] = [{"kid": "rotated", "public_key": public}]
        self.google.state({"service_accounts": accounts})
        self.google.revoke_tokens()
        content.update(private_key=new_key, private_key_id="rotated")
        with open(caller.key + "+", "w", encoding="utf-8") as file:
            json.dump(content, file)
        os.chmod(caller.key + "+", 0o600)
        os.rename(caller.key + "+", caller.key)
        time.sleep(1.1)  # the interval in which the file is checked
        self.assertEqual(caller.one("list", size=1)["kind"], "none")
        self.assertIn("credential_read", caller.said())
        self.assertEqual([entry["status"] for entry in self.google.log(route="token")], [200, 200])


class Verb(Google):
    """cloudinvite token"""

    @staticmethod
    def token(caller, *arguments):
        return subprocess.run([os.path.join(harness.BUILD, "cloudinvite"), "-c", caller.conf,
                               "token", *arguments], capture_output=True, text=True, check=False,
                              timeout=harness.TIMEOUT)

    def test_without_a_token_it_says_no_and_mints_none(self):
        caller = self.caller()
        done = self.token(caller)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("as admin@example.com", done.stdout)
        done = self.token(caller, "--json")
        self.assertEqual(done.returncode, 1)
        self.assertEqual((json.loads(done.stdout)["usable"], json.loads(done.stdout)["expires"]),
                         (False, None))
        self.assertEqual(self.tokens_minted(), 0)

    def test_token_shows_account_and_expiry_and_the_token_only_on_request(self):
        caller = self.caller()
        caller.one("list", size=1)
        with open(os.path.join(caller.tokens, caller.token_files()[0]), encoding="utf-8") as file:
            token = json.load(file)["access_token"]
        for arguments in ((), ("--json",)):
            done = self.token(caller, *arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn(token, done.stdout + done.stderr)
            self.assertIn("google_driver (pid", done.stdout)
        document = json.loads(done.stdout)
        self.assertTrue(document["usable"])
        self.assertRegex(document["expires"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(self.token(caller, "--print").stdout, token + "\n")
        self.assertEqual(self.tokens_minted(), 1)

    def test_print_mints_what_curl_needs(self):
        caller = self.caller()
        done = self.token(caller, "--print")
        self.assertEqual(done.returncode, 0, done.stderr)
        status, _, _ = self.google.request(
            "GET", "/v1/customers/C01234567/userinvitations",
            headers={"Authorization": "Bearer " + done.stdout.strip()})
        self.assertEqual((status, self.tokens_minted()), (200, 1))

    def test_a_bad_credential_is_4_and_a_bad_word_is_2(self):
        caller = self.caller()
        os.chmod(caller.key, 0o644)
        done = self.token(caller)
        self.assertEqual(done.returncode, 4)
        self.assertIn(caller.key, done.stderr)
        self.assertEqual(self.token(caller, "--frob").returncode, 2)
        self.assertEqual(self.token(caller, "--json", "--print").returncode, 2)


class SetUp(Google):
    def expect(self, code, remedy):
        reply = self.caller().one("send", "alice@example.com")
        self.assertEqual((reply["kind"], reply["code"]), ("setup", code), reply["what"])
        self.assertIn(remedy, reply["remedy"])
        self.assertEqual(self.google.mailbox()["total"], 0)

    def test_missing_delegation_names_client_id_and_scope(self):
        self.google.accounts({"address": "alice@example.com"})
        client_id = self.google.state()["service_accounts"][0]["client_id"]
        self.google.state({"grants": []})
        self.expect("token_delegation_missing", f"client id {client_id} with exactly the scope "
                    "https://www.googleapis.com/auth/cloud-identity.userinvitations.")

    def test_a_deleted_key_is_called_that(self):
        accounts = self.google.state()["service_accounts"]
        accounts[0]["keys"] = []
        self.google.state({"service_accounts": accounts})
        self.expect("token_key_unknown", "add a key of type JSON")

    def test_a_deleted_administrator_is_called_that(self):
        customer = self.google.state()["customer"]
        for status, code in (("deleted", "token_subject_deleted"),
                             ("purged", "token_subject_deleted"),
                             ("restricted", "token_access_denied")):
            customer["admins"] = [{"address": "admin@example.com", "super": True, "status": status}]
            self.google.state({"customer": customer})
            self.expect(code, "")

    def test_a_disabled_api_is_called_that(self):
        self.google.switches({"api_disabled": True})
        self.expect("api_disabled", "https://console.cloud.google.com/apis/library/")

    def test_a_helpdesk_administrator_is_refused_by_the_control_call(self):
        caller = self.caller(subject="helpdesk@example.com")
        self.assertEqual(caller.one("check", "alice@example.com")["kind"], "rejected")
        reply = caller.one("list", size=1)
        self.assertEqual(reply["kind"], "setup")
        self.assertIn("super administrator", reply["remedy"])

    def test_a_certificate_that_is_not_trusted_is_refused(self):
        reply = self.caller(ca_file="/etc/ssl/certs/ca-certificates.crt").one("list", size=1)
        self.assertEqual((reply["kind"], reply["code"]), ("setup", "tls_untrusted"))
        self.assertIn("ca_file", reply["remedy"])
        self.assertEqual(self.tokens_minted(), 0)


class Replies(Google):
    def fault(self, method, **fault):
        address = "alice@example.com"
        self.google.reset()
        self.google.accounts({"address": address})
        self.google.faults(dict(fault, route=method))
        return self.caller(timeout="2s").one(method, address)

    def test_unexpected_replies_to_a_check_are_transient(self):
        for action, kind in (("html", "transient"), ("plain", "transient"), ("truncate", "transient"),
                             ("garbage", "transient"), ("huge", "transient"), ("duplicate", "transient"),
                             ("gzip", "transient"), ("drop_before", "transient"), ("redirect", "setup")):
            reply = self.fault("check", action=action)
            self.assertEqual(reply["kind"], kind, (action, reply["what"]))
            self.assertFalse(reply["invitable"])
        for status, kind in ((408, "transient"), (429, "transient"), (500, "transient"), (503, "transient"),
                             (400, "rejected"), (403, "rejected"), (404, "rejected")):
            self.assertEqual(self.fault("check", status=status)["kind"], kind, status)

    def test_unexpected_replies_to_a_send_leave_it_unconfirmed(self):
        for action, mails in (("drop_after", 1), ("drop_before", 0), ("truncate", 1),
                              ("garbage", 1), ("huge", 1), ("duplicate", 1), ("gzip", 1),
                              ("html", 0)):
            reply = self.fault("send", action=action)
            self.assertEqual(reply["kind"], "ambiguous", (action, reply["what"]))
            self.assertEqual(self.google.mailbox()["total"], mails, action)
        reply = self.fault("send", action="status_after", status=503)
        self.assertEqual((reply["kind"], self.google.mailbox()["total"]), ("ambiguous", 1))

    def test_replies_that_say_no_let_a_send_be_repeated_or_not(self):
        for status, kind in ((429, "transient"), (400, "rejected"), (403, "rejected"), (404, "rejected"),
                             (302, "ambiguous"), (408, "ambiguous"), (500, "ambiguous")):
            self.assertEqual(self.fault("send", status=status)["kind"], kind, status)

    def test_a_used_up_quota_says_when_to_come_back(self):
        caller = self.caller()
        for form in ("429", "403"):
            self.google.quota({"per_minute": 1, "form": form, "retry_after": 17})
            reply = caller.round(*calls("check", "a@example.com", "b@example.com"))[1]
            self.assertEqual((reply["kind"], reply["quota"], reply["retry_after"]),
                             ("transient", True, 17), reply["what"])

    def test_a_date_in_retry_after_counts_from_googles_clock(self):
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 100))
        reply = self.fault("check", status=503, headers={"Retry-After": date})
        self.assertAlmostEqual(reply["retry_after"], 100, delta=5)

    def test_too_slow_a_reply_is_given_up(self):
        reply = self.fault("send", action="delay", delay_ms=4000)
        self.assertEqual((reply["kind"], reply["code"]), ("ambiguous", "network_timeout"))
        self.assertEqual(self.google.mailbox()["total"], 1)
        reply = self.fault("check", action="slow", delay_ms=500)
        self.assertEqual((reply["kind"], reply["code"]), ("transient", "network_timeout"))


def relay(client, server):
    """Bytes in both directions, until one side closes."""
    while True:
        for end in select.select([client, server], [], [])[0]:
            data = end.recv(65536)
            if not data:
                return
            other = server if end is client else client
            other.sendall(data)


class Once(Google):
    def test_a_send_on_a_connection_that_dies_is_mailed_once(self):
        addresses = [f"u{n}@example.com" for n in range(1, ROUNDS + 1)]
        self.google.accounts({"prefix": "u", "start": 1, "count": ROUNDS, "domain": "example.com"})
        self.google.faults({"route": "send", "action": "drop_after", "reused_only": True,
                            "times": 0})
        caller = self.caller()
        for address in addresses:
            self.assertTrue(caller.one("check", address)["invitable"])
            reply = caller.one("send", address)
            self.assertEqual((reply["kind"], reply["code"]), ("ambiguous", "network_cut"),
                             reply["what"])
        self.assertTrue(all(entry["reused"] for entry in self.google.log(route="send")))
        self.assertEqual(self.google.mailbox()["counts"], dict.fromkeys(addresses, 1))
        self.assertEqual(self.google.stats()["send"], ROUNDS)

    def test_a_repeat_waits_for_its_permit(self):
        self.google.accounts({"address": "alice@example.com"})
        caller = self.caller()
        caller.one("check", "alice@example.com")
        for fault in ({"status": 401}, {"action": "drop_after", "reused_only": True}):
            self.google.faults({"route": "check", **fault})
            before = len(self.google.log(route="check"))
            began = time.monotonic()
            self.assertTrue(caller.one("check", "alice@example.com", permits=1500,
                                       begin_within_ms=1000)["invitable"])
            self.assertGreater(time.monotonic() - began, 1.4)
            self.assertEqual(len(self.google.log(route="check")) - before, 2)

    def test_a_send_that_would_begin_late_is_not_begun(self):
        self.google.accounts({"address": "alice@example.com"})
        caller = self.caller()
        # It waits for its token, …
        self.google.latency({"route": "token", "ms": 500})
        reply = caller.one("send", "alice@example.com", begin_within_ms=100)
        self.assertEqual((reply["kind"], reply["code"]), ("stopped", "stood_still"))
        # … or, after a 401, for its permit.
        self.google.latency({"route": "token", "ms": 0})
        self.google.faults({"route": "send", "status": 401})
        reply = caller.one("send", "alice@example.com", permits=60000, begin_within_ms=1000)
        self.assertEqual((reply["kind"], reply["code"]), ("stopped", "stood_still"))
        self.assertEqual(self.google.mailbox()["total"], 0)
        self.assertEqual(self.google.stats()["send"], 1)
        self.assertTrue(caller.one("send", "alice@example.com", begin_within_ms=5000)["confirmed"])

    def test_a_process_that_is_stopped_while_it_connects_sends_nothing(self):
        self.google.accounts({"address": "alice@example.com"})
        listener = socket.create_server(("127.0.0.1", 0), backlog=1)
        self.addCleanup(listener.close)
        caller = self.caller()
        caller.one("check", "alice@example.com")
        caller.again(endpoint=f"https://127.0.0.1:{listener.getsockname()[1]}")
        upstream = urllib.parse.urlsplit(self.google.url)

        def serve():
            client, _ = listener.accept()
            with client, socket.create_connection((upstream.hostname, upstream.port)) as server:
                os.kill(caller.process.pid, signal.SIGSTOP)
                time.sleep(1)
                os.kill(caller.process.pid, signal.SIGCONT)
                relay(client, server)

        thread = threading.Thread(target=serve)
        thread.start()
        reply = caller.one("send", "alice@example.com", begin_within_ms=700)
        thread.join()
        self.assertEqual((reply["kind"], reply["code"]), ("stopped", "stood_still"), reply["what"])
        self.assertEqual(self.google.mailbox()["total"], 0)

    def test_a_cancel_is_not_replayed_either(self):
        self.google.accounts({"address": "alice@example.com", "state": "INVITED", "mails": 1})
        caller = self.caller()
        caller.one("check", "alice@example.com")
        self.google.faults({"route": "cancel", "action": "drop_after", "reused_only": True})
        self.assertEqual(caller.one("cancel", "alice@example.com")["kind"], "transient")
        self.assertEqual(self.google.stats()["cancel"], 1)

    def test_a_check_on_a_connection_that_dies_is_repeated(self):
        self.google.accounts({"address": "alice@example.com"})
        caller = self.caller()
        caller.one("check", "alice@example.com")
        self.google.faults({"route": "check", "action": "drop_after", "reused_only": True})
        self.assertTrue(caller.one("check", "alice@example.com")["invitable"])
        self.assertEqual(self.google.stats()["check"], 3)

    def test_a_send_that_cannot_connect_may_be_repeated(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            url = f"https://127.0.0.1:{closed.getsockname()[1]}"
            reply = self.caller(endpoint=url).one("send", "alice@example.com")
        self.assertEqual((reply["kind"], reply["code"]), ("transient", "network_connect"))

    def test_stopped_calls_are_reported_and_a_written_send_is_unconfirmed(self):
        self.google.accounts({"prefix": "u", "start": 1, "count": 2, "domain": "example.com"})
        caller = self.caller()
        caller.one("list", size=1)
        self.google.faults([{"route": "send", "action": "delay", "delay_ms": 60000},
                            {"route": "check", "action": "delay", "delay_ms": 60000}])
        began = time.monotonic()
        send, check = caller.round(*calls("send", "u1@example.com"),
                                   *calls("check", "u2@example.com"), stop_after_ms=500)
        self.assertLess(time.monotonic() - began, 30)
        self.assertEqual((send["kind"], check["kind"]), ("ambiguous", "stopped"))
        self.assertEqual(self.google.mailbox()["counts"], {"u1@example.com": 1})

    def test_one_call_waited_for_is_like_any_other(self):
        self.google.accounts({"prefix": "u", "start": 1, "count": 3, "domain": "example.com"})
        replies = self.caller().round(*calls("send", "u1@example.com", "u2@example.com"),
                                      {"method": "list", "size": 2}, now=True)
        self.assertEqual([r["confirmed"] for r in replies], [True, True, False])
        self.assertEqual(len(replies[2]["page"]), 2)
        self.assertTrue(replies[2]["next"])


class Proxy:
    """Answers every CONNECT with one status."""

    def __init__(self, status):
        self.status = status
        self.asked = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                self.asked.append(connection.recv(4096).split(b"\r\n")[0].decode())
                connection.sendall(f"HTTP/1.1 {self.status} No\r\nContent-Length: 0\r\n\r\n"
                                   .encode())

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()


class Proxies(Google):
    def test_a_proxy_in_the_environment_is_not_used(self):
        proxy = Proxy(403)
        self.addCleanup(proxy.close)
        caller = self.caller()
        for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            caller.environment[name] = proxy.url
        self.assertEqual(caller.one("list", size=1)["kind"], "none")
        self.assertEqual(proxy.asked, [])

    def test_no_file_of_the_environment_gets_the_secrets_of_tls(self):
        caller = self.caller()
        keys = self.google.file("keys.log")
        caller.environment["SSLKEYLOGFILE"] = keys
        self.assertEqual(caller.one("list", size=1)["kind"], "none")
        self.assertFalse(os.path.exists(keys))

    def test_a_proxy_in_the_settings_is_used_whatever_no_proxy_says(self):
        for status, kind, word in ((407, "setup", "password"), (502, "transient", "")):
            proxy = Proxy(status)
            caller = self.caller(proxy=proxy.url)
            caller.environment["no_proxy"] = "*"
            reply = caller.one("list", size=1)
            proxy.close()
            self.assertEqual((reply["kind"], reply["code"]), (kind, "proxy_refused"))
            self.assertIn(word, reply["remedy"])
            self.assertEqual(proxy.asked, [f"CONNECT 127.0.0.1:{self.google.port} HTTP/1.1"])

    def test_a_send_that_the_proxy_refuses_may_be_repeated(self):
        caller = self.caller()
        caller.one("list", size=1)  # now the token is on disk
        caller.__exit__()
        proxy = Proxy(503)
        self.addCleanup(proxy.close)
        other = self.caller(proxy=proxy.url)
        reply = other.one("send", "alice@example.com")
        self.assertEqual(reply["kind"], "transient")


class Nginx:
    """HTTP/2 in front of the emulator, in a directory of its own."""

    CONFIGURATION = """
        daemon off; user root; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log;
        events {{ }}
        http {{
            log_format version "$server_protocol $request_method $uri";
            access_log {dir}/access.log version;
            client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
            fastcgi_temp_path {dir}/fastcgi; uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
            server {{
                listen 127.0.0.1:{port} ssl http2;
                ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem;
                location / {{ proxy_pass {google}; proxy_next_upstream off; }}
            }}
        }}"""

    def __init__(self, google):
        self.directory = tempfile.mkdtemp(prefix="cloudinvite-nginx.")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"https://127.0.0.1:{port}"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", self.file("key.pem"), "-out", self.file("cert.pem")],
                       check=True, capture_output=True)
        with open(self.file("conf"), "w", encoding="utf-8") as file:
            file.write(self.CONFIGURATION.format(dir=self.directory, port=port, google=google.url))
        with open(self.file("ca.pem"), "w", encoding="utf-8") as file:
            for source in (self.file("cert.pem"), google.file("ca.pem")):
                with open(source, encoding="utf-8") as part:
                    file.write(part.read())
        self.process = subprocess.Popen(["nginx", "-e", self.file("error.log"), "-c",
                                         self.file("conf")], stderr=subprocess.DEVNULL)
        harness.wait_for(lambda: self.workers() and self.answers(port), "nginx")

    def file(self, name):
        return os.path.join(self.directory, name)

    def workers(self):
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]

    @staticmethod
    def answers(port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def versions(self):
        with open(self.file("access.log"), encoding="utf-8") as file:
            return {line.split()[0] for line in file}

    def close(self):
        harness.stop(self.process)
        shutil.rmtree(self.directory, ignore_errors=True)


@unittest.skipUnless(shutil.which("nginx") and os.geteuid() == 0, "needs root and nginx")
class Http2(Google):
    def setUp(self):
        super().setUp()
        self.nginx = Nginx(self.google)
        self.addCleanup(self.nginx.close)
        self.google.accounts({"prefix": "u", "start": 1, "count": 50, "domain": "example.com"})

    def test_many_calls_at_once_go_over_http2(self):
        caller = self.caller(endpoint=self.nginx.url, ca_file=self.nginx.file("ca.pem"))
        addresses = [f"u{n}@example.com" for n in range(1, 51)]
        replies = caller.round(*calls("send", *addresses))
        self.assertEqual({(reply["what"], reply["confirmed"]) for reply in replies}, {("", True)})
        self.assertEqual(self.google.mailbox()["counts"], dict.fromkeys(addresses, 1))
        self.assertEqual(self.nginx.versions(), {"HTTP/2.0"})

    def test_a_send_whose_server_dies_is_mailed_once(self):
        caller = self.caller(endpoint=self.nginx.url, ca_file=self.nginx.file("ca.pem"))
        for number in range(1, 4):
            address = f"u{number}@example.com"
            self.assertTrue(caller.one("check", address)["invitable"])
            self.google.faults({"route": "send", "action": "delay", "delay_ms": 1500})
            (worker,) = self.nginx.workers()
            killer = threading.Timer(0.5, os.kill, (worker, signal.SIGKILL))
            killer.start()
            reply = caller.one("send", address)
            killer.join()
            self.assertEqual((reply["kind"], reply["code"]), ("ambiguous", "network_cut"),
                             reply["what"])
            harness.wait_for(lambda: worker not in self.nginx.workers() and self.nginx.workers(),
                             "another worker of nginx")
        self.assertEqual(self.google.mailbox()["counts"],
                         {f"u{n}@example.com": 1 for n in range(1, 4)})
        self.assertEqual(self.google.stats()["send"], 3)


if __name__ == "__main__":
    harness.main()
