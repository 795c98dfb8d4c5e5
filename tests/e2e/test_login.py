#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An administrator logs in: with a browser on this host and without one, with desktop and web clients; what is stored,
who can read it, and how long it is valid. The browser is a script that fills in the emulator's consent page.
"""
import glob
import http.client
import json
import os
import pwd
import signal
import stat
import subprocess
import time
import urllib.parse

import google_auth_httplib2
import httplib2
from google.auth import exceptions
from google.oauth2 import credentials

import harness

ADMIN, HELPDESK = "admin@example.com", "helpdesk@example.com"
ALICE = "alice@example.com"
SCOPE = "https://www.googleapis.com/auth/cloud-identity.userinvitations"
AUTH = "/o/oauth2/v2/auth?"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NOBODY = "nobody"


class Login:
    """A `cloudinvite login` that has printed the address to open."""

    def __init__(self, site, *options, stdin=subprocess.DEVNULL, client=None, **more):
        self.google = site.emulator
        client = client or self.google.file("client.json")
        self.process = subprocess.Popen(
            [os.path.join(harness.BUILD, "cloudinvite"), "-c", site.conf, "login", "--client",
             client, *options], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, **more)
        self.said = ""
        self.address = ""
        for line in self.process.stderr:
            self.said += line
            if line.startswith("https://"):
                self.address = line.strip()
            if line.startswith(("Waiting", "Your browser", "If your browser")):
                break
        self.question = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.address).query))

    def consent(self, decision="allow", account=ADMIN, granted=True):
        """Fills in the page; where the browser is then sent."""
        form = {"decision": decision, "account": account}
        if granted:
            form["granted"] = "yes"
        path = urllib.parse.urlsplit(self.address)
        status, headers, _ = self.google.request("POST", f"{path.path}?{path.query}",
                                                 urllib.parse.urlencode(form), FORM)
        assert status == 302, status
        return headers["Location"]

    def visit(self, address, method="GET"):
        """What the browser is shown there: (status, page)."""
        parts = urllib.parse.urlsplit(address)
        connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=harness.TIMEOUT)
        try:
            connection.request(method, parts.path + ("?" + parts.query if parts.query else ""))
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        finally:
            connection.close()

    def type(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def end(self):
        """(exit code, standard output, standard error)"""
        out, said = self.process.communicate(timeout=harness.TIMEOUT)
        return self.process.returncode, out, self.said + said


class Scene(harness.Test):
    """An emulated Google, where alice is unmanaged, and a host without a credential."""
    overrides = {}

    def setUp(self):
        self.google = harness.Emulator().__enter__()
        self.addCleanup(self.google.__exit__)
        self.site = harness.Site(self.google, {
            "google": {"subject": "", "credentials": ""}, **self.overrides}).__enter__()
        self.addCleanup(self.site.__exit__)
        self.google.accounts({"address": ALICE})
        self.kept = self.site.path("state/private/login.json")

    def start(self, *options, **more):
        login = Login(self.site, *options, **more)
        self.addCleanup(login.process.stdout.close)
        self.addCleanup(login.process.stderr.close)
        self.addCleanup(lambda: login.process.poll() is None and login.process.kill())
        return login

    def log_in(self, *options, **consent):
        """With a browser on this host."""
        login = self.start(*options)
        login.visit(login.consent(**consent))
        return login.end()

    def file(self, path=None):
        with open(path or self.kept, encoding="utf-8") as file:
            return json.load(file)

    def use(self, path, **google):
        self.site.write_settings({"google": {"credentials": path, **google}})

    def granted(self, **login):
        """A login's file, without the page."""
        path = self.site.path("granted.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.google.control("POST", "logins", login), file)
        os.chmod(path, 0o600)
        self.use(path)
        return path

    def run_verb(self, *verb, code=0):
        done = self.site.run(*verb)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def client(self, **web):
        """A web client that both sides know."""
        web = {"client_id": "web.apps.googleusercontent.com", "client_secret": "GOCSPX-web", **web}
        self.google.state({"oauth_clients": [{**web, "type": "web"}]})
        self.site.write("web.json", json.dumps({"web": web}))
        return self.site.path("web.json")

    def refreshes(self):
        return sum("grant_type=refresh_token" in entry["body"]
                   for entry in self.google.log(route="token"))


class Desktop(Scene):

    def test_the_account_that_logs_in_is_the_one_acted_as(self):
        code, out, said = self.log_in("--account", ADMIN)
        self.assertEqual(code, 0, said)
        self.assertIn(f"credentials = {self.kept}", out)
        self.assertIn("The login works", out)
        self.use(self.kept)
        self.run_verb("check", ALICE)
        self.assertEqual({entry["principal"] for entry in self.google.log(route="check")}, {ADMIN})
        self.assertIn(f"{ADMIN} (login)", self.run_verb("token").stdout)

    def test_the_file_is_ours_alone_and_google_auth_can_read_it(self):
        self.log_in()
        self.assertEqual(stat.S_IMODE(os.stat(self.kept).st_mode), 0o600)
        kept = self.file()
        self.assertEqual((kept["type"], kept["scopes"]), ("authorized_user", [SCOPE]))
        self.assertNotIn("account", kept)
        credentials.Credentials.from_authorized_user_info(kept)

    def test_the_question_is_bound_to_this_login(self):
        login = self.start("--account", HELPDESK)
        asked = login.question
        self.assertTrue(login.address.startswith(self.google.url + AUTH))
        self.assertEqual(
            {name: asked[name] for name in ("response_type", "scope", "code_challenge_method",
                                            "access_type", "prompt", "login_hint")},
            {"response_type": "code", "scope": SCOPE, "code_challenge_method": "S256",
             "access_type": "offline", "prompt": "consent", "login_hint": HELPDESK})
        self.assertEqual((len(asked["code_challenge"]), len(asked["state"])), (43, 43))
        self.assertRegex(asked["redirect_uri"], r"^http://127\.0\.0\.1:\d+/$")
        another = self.start()
        for name in ("state", "code_challenge"):
            self.assertNotEqual(asked[name], another.question[name])

    def test_no_secret_is_printed_or_logged(self):
        login = self.start()
        redirect = login.consent()
        login.visit(redirect)
        _, out, said = login.end()
        code = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(redirect).query))["code"]
        kept = self.file()
        for secret in (code, kept["refresh_token"], kept["client_secret"]):
            self.assertNotIn(secret, out + said)
            self.assertNotIn(secret, json.dumps(self.google.log(route="token")))

    def test_what_is_not_an_answer_gets_a_4xx_and_waiting_goes_on(self):
        login = self.start()
        right = login.consent()
        base = login.question["redirect_uri"]
        for address, status in (
                (base + "favicon.ico", 404), (base + "other" + right[len(base):], 404), (base, 400),
                (base + "?code=4/0A", 400), (base + "?code=4/0A&state=", 400),
                (right.replace("state=", "state=x"), 400), (right.replace("code=", "kode="), 400),
                (right + "&state=" + login.question["state"], 400),
                (base + "?error=access_denied&state=" + "x" * 43, 400)):
            self.assertEqual(login.visit(address)[0], status, address)
        self.assertEqual(login.visit(right, "POST")[0], 405)
        self.assertIsNone(login.process.poll())
        status, page = login.visit(right)
        self.assertEqual(status, 200)
        self.assertIn("return to the terminal", page)
        self.assertEqual(login.end()[0], 0)

    def test_silent_browsers_delay_no_other(self):
        login = self.start()
        port = urllib.parse.urlsplit(login.question["redirect_uri"]).port
        idle = [http.client.HTTPConnection("127.0.0.1", port) for _ in range(12)]
        for connection in idle:
            connection.connect()
        self.assertEqual(login.visit(login.consent())[0], 200)
        self.assertEqual(login.end()[0], 0)
        for connection in idle:
            connection.close()

    def test_the_port_can_be_chosen(self):
        first = self.start()
        taken = urllib.parse.urlsplit(first.question["redirect_uri"]).port
        first.process.send_signal(signal.SIGTERM)
        first.process.wait()
        login = self.start("--port", str(taken))
        self.assertEqual(login.question["redirect_uri"], f"http://127.0.0.1:{taken}/")
        done = self.site.run("login", "--client", self.google.file("client.json"), "--port",
                             str(taken))
        self.assertEqual(done.returncode, 2)
        self.assertIn("--port", done.stderr)
        login.visit(login.consent())
        self.assertEqual(login.end()[0], 0)

    def test_ctrl_c_leaves_nothing_behind(self):
        before = self.files()
        login = self.start()
        login.process.send_signal(signal.SIGINT)
        self.assertEqual(login.end()[0], -signal.SIGINT)
        self.assertEqual(self.files(), before)

    def files(self):
        return [name for _, _, names in os.walk(self.site.path("state")) for name in names]

    def test_machines_get_json(self):
        for options, account in ((("--account", ADMIN), ADMIN), ((), None)):
            code, out, _ = self.log_in("--json", *options)
            self.assertEqual((code, json.loads(out)),
                             (0, {"credentials": self.kept, "account": account, "account_confirmed": False,
                                  "scope": SCOPE}))

    def test_it_says_that_the_account_is_not_known(self):
        _, out, _ = self.log_in()
        self.assertIn("Google does not report which account logged in", out)
        self.assertNotIn("--account", out)
        self.assertNotIn("my_customer", out)
        self.site.write_settings({"google": {"customer": "my_customer"}})
        _, out, _ = self.log_in("--account", ADMIN, account=HELPDESK)
        self.assertIn(f"--account {ADMIN} was only a hint to the browser", out)
        self.assertIn("my_customer means the organisation of that account", out)


class Refused(Scene):

    def refused(self, decision="deny", **consent):
        code, _, said = self.log_in(decision=decision, **consent)
        self.assertEqual(code, 6, said)
        self.assertFalse(os.path.exists(self.kept))
        return said

    def test_a_no_on_the_page_says_what_to_do(self):
        self.assertIn("consent was refused", self.refused())

    def test_a_scope_that_the_client_may_not_ask_for_says_what_to_do(self):
        self.google.switches({"consent": "invalid_scope"})
        said = self.refused()
        self.assertIn("invalid_scope", said)
        self.assertIn("Internal", said)

    def test_an_account_that_a_policy_restricts_says_what_to_do(self):
        self.google.switches({"consent": "restricted"})
        said = self.refused()
        self.assertIn("Account restricted", said)
        self.assertIn("123456789012-cloudinvite.apps.googleusercontent.com", said)

    def test_a_box_that_is_not_ticked_is_not_consent(self):
        self.assertIn("tick its box", self.refused("allow", granted=False))

    def test_a_client_with_a_wrong_secret_is_named(self):
        client = self.file(self.google.file("client.json"))
        client["installed"]["client_secret"] = "GOCSPX-other"
        self.site.write("client.json", json.dumps(client))
        login = self.start(client=self.site.path("client.json"))
        login.visit(login.consent())
        code, _, said = login.end()
        self.assertEqual(code, 6, said)
        self.assertIn(self.site.path("client.json"), said)

    def test_google_without_an_answer_is_for_later(self):
        self.google.faults({"route": "token", "status": 503})
        code, _, said = self.log_in()
        self.assertEqual(code, 5, said)
        self.assertFalse(os.path.exists(self.kept))

    def test_a_login_that_is_not_a_super_administrator_is_stored_and_reported(self):
        code, out, said = self.log_in("--account", HELPDESK, account=HELPDESK)
        self.assertEqual(code, 6, said)
        self.assertIn("super administrator", said)
        self.assertIn(self.kept, out)
        self.assertTrue(os.path.exists(self.kept))

    def test_a_file_that_is_not_a_client_is_refused_before_a_question_is_asked(self):
        for text, says in (('{"type":"service_account"}', "a credential, not an OAuth client"),
                           ("{}", "neither"), ("[]", "not a JSON object"),
                           ('{"installed":{"client_id":"x"}}', "client_secret")):
            self.site.write("client.json", text)
            done = self.run_verb("login", "--client", self.site.path("client.json"), code=4)
            self.assertIn(says, done.stderr)
            self.assertIn("Download", done.stderr)

    def test_a_client_as_the_credential_points_to_login(self):
        self.use(self.google.file("client.json"))
        done = self.run_verb("check", ALICE, code=4)
        self.assertIn("cloudinvite login --client " + self.google.file("client.json"), done.stderr)


class Headless(Scene):

    def headless(self, *options, **more):
        return self.start("--headless", *options, stdin=subprocess.PIPE, **more)

    def test_the_address_of_the_last_page_is_pasted(self):
        login = self.headless()
        login.type(login.consent())
        code, out, said = login.end()
        self.assertEqual(code, 0, said)
        self.assertIn(self.kept, out)

    def test_nothing_listens(self):
        login = self.headless()
        with self.assertRaises(ConnectionRefusedError):
            login.visit(login.consent())
        login.type(login.consent())
        self.assertEqual(login.end()[0], 0)

    def test_the_code_alone_will_do(self):
        for quote in (urllib.parse.quote, str):
            login = self.headless()
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(login.consent()).query)
            login.type("  " + quote(query["code"][0]) + " ")
            code, _, said = login.end()
            self.assertEqual(code, 0, said)

    def test_what_is_not_an_answer_is_asked_for_again(self):
        login = self.headless()
        login.type("")
        login.type("http://127.0.0.1:1/?state=other&code=4/0A")
        login.type(login.consent())
        code, _, said = login.end()
        self.assertEqual(code, 0, said)
        self.assertEqual(said.count("That is not the answer to this login"), 1)

    def test_several_lines_at_once_are_several_answers(self):
        login = self.headless()
        login.type("http://127.0.0.1:1/?state=other&code=4/0A\n\n" + login.consent())
        code, _, said = login.end()
        self.assertEqual(code, 0, said)

    def test_an_end_of_input_ends_it(self):
        login = self.headless()
        code, _, said = login.end()
        self.assertEqual(code, 5)
        self.assertIn("no answer to the login arrived", said)

    def test_a_code_works_once(self):
        first, second = self.headless(), self.headless()
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(first.consent()).query)
        first.type(query["code"][0])
        self.assertEqual(first.end()[0], 0)
        second.type(query["code"][0])
        code, _, said = second.end()
        self.assertEqual(code, 6)
        self.assertIn("already used", said)

    def test_a_code_of_another_login_is_of_no_use(self):
        mine, theirs = self.headless("--port", "1234"), self.headless("--port", "1234")
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(theirs.consent()).query)
        mine.type(query["code"][0])
        code, _, said = mine.end()
        self.assertEqual(code, 6)
        self.assertIn("Invalid code verifier", said)

    def test_beside_a_listener_a_terminal_may_paste_too(self):
        master, slave = os.openpty()
        login = self.start(stdin=slave)
        os.close(slave)
        os.write(master, (login.consent() + "\n").encode())
        code, _, said = login.end()
        os.close(master)
        self.assertEqual(code, 0, said)
        self.assertIn("Waiting for the answer at http://127.0.0.1:", said)


class Web(Scene):

    def test_a_registered_loopback_redirect_is_listened_on(self):
        probe = self.start()
        port = urllib.parse.urlsplit(probe.question["redirect_uri"]).port
        probe.process.kill()
        probe.process.wait()
        uri = f"http://localhost:{port}/oauth/callback"
        client = self.client(redirect_uris=["https://console.example.com/back", uri])
        login = self.start(client=client)
        self.assertEqual(login.question["redirect_uri"], uri)
        self.assertEqual(login.visit(login.consent())[0], 200)
        code, _, said = login.end()
        self.assertEqual(code, 0, said)

    def test_one_elsewhere_is_pasted(self):
        uri = "https://console.example.com/back?tenant=1"
        login = self.start(client=self.client(redirect_uris=[uri]), stdin=subprocess.PIPE)
        self.assertEqual(login.question["redirect_uri"], uri)
        login.type(login.consent())
        code, _, said = login.end()
        self.assertEqual(code, 0, said)

    def test_without_a_usable_redirect_it_says_which_to_register(self):
        for uris, options in (([], ()), (["http://other.example.com/"], ()), (["ftp://x/"], ()),
                              (["http://127.0.0.1:8081/"], ("--port", "8080"))):
            done = self.run_verb("login", "--client", self.client(redirect_uris=uris), *options,
                                 code=4)
            self.assertIn("http://127.0.0.1:8080/", done.stderr)


class Kept(Scene):

    def test_another_login_replaces_it_and_what_was_rotated(self):
        self.google.switches({"refresh_rotates": True})
        self.log_in()
        first = glob.glob(self.site.path("state/private/refresh-*.json"))
        self.assertEqual(len(first), 1)
        self.log_in()
        second = glob.glob(self.site.path("state/private/refresh-*.json"))
        self.assertEqual(len(second), 1)
        self.assertNotEqual(first, second)
        self.use(self.kept)
        self.run_verb("check", ALICE)

    def test_nothing_else_is_replaced(self):
        self.site.write("state/private/login.json", '{"type":"service_account"}')
        done = self.run_verb("login", "--client", self.google.file("client.json"), code=4)
        self.assertIn("service_account would be overwritten", done.stderr)
        self.assertEqual(self.file(), {"type": "service_account"})

    def test_what_the_settings_name_in_the_state_directory_is_where_it_is_kept(self):
        path = self.site.path("state/admin.json")
        self.use(path)
        code, out, said = self.log_in()
        self.assertEqual(code, 0, said)
        self.assertNotIn("credentials =", out)
        self.run_verb("check", ALICE)

    def test_it_can_be_kept_elsewhere(self):
        path = self.site.path("etc/other.json")
        self.log_in("--output", path)
        self.assertEqual(self.file(path)["type"], "authorized_user")
        self.assertFalse(os.path.exists(self.kept))

    def test_a_place_that_cannot_be_written_is_reported_before_the_question(self):
        done = self.run_verb("login", "--client", self.google.file("client.json"), "--output",
                             "/nowhere/login.json", code=8)
        self.assertIn("/nowhere", done.stderr)
        self.assertEqual(self.google.log(route="consent"), [])

    def test_a_subject_that_is_somebody_else_is_never_ignored(self):
        self.log_in("--account", ADMIN)
        self.use(self.kept, subject=HELPDESK)
        done = self.run_verb("check", ALICE, code=4)
        self.assertIn(HELPDESK, done.stderr)
        self.use(self.kept, subject="Admin@Example.com")
        self.run_verb("check", ALICE)
        self.use(self.granted(), subject=ADMIN)
        done = self.run_verb("check", ALICE, code=4)
        self.assertIn("subject", done.stderr)

    def test_gclouds_own_client_needs_a_project(self):
        gcloud = "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com"
        self.google.state({"oauth_clients": [{"client_id": gcloud}]})
        path = self.granted()
        done = self.run_verb("check", ALICE, code=4)
        self.assertIn("quota_project", done.stderr)
        self.use(path, quota_project="inviter-1")
        self.run_verb("check", ALICE)


class Lasting(Scene):

    def forget_tokens(self):
        """As after a long time: the next call needs a token."""
        self.google.revoke_tokens()
        for path in glob.glob(self.site.path("tokens/token-*.json")):
            os.unlink(path)

    def test_a_rotated_refresh_token_outlives_a_restart(self):
        self.google.switches({"refresh_rotates": True})
        path = self.granted()
        before = self.file(path)
        for _ in range(3):
            self.forget_tokens()
            self.run_verb("check", ALICE)
        self.assertEqual(self.refreshes(), 3)
        self.assertEqual(self.file(path), before)
        rotated, = glob.glob(self.site.path("state/private/refresh-*.json"))
        self.assertEqual(stat.S_IMODE(os.stat(rotated).st_mode), 0o600)

    def test_it_is_on_the_disk_before_the_token_is_used(self):
        self.google.switches({"refresh_rotates": True})
        self.granted()
        self.google.faults({"route": "check", "action": "delay", "delay_ms": 3000})
        with subprocess.Popen([os.path.join(harness.BUILD, "cloudinvite"), "-c", self.site.conf,
                               "check", ALICE], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as program:
            harness.wait_for(lambda: self.google.log(route="token"), "the refresh")
            harness.wait_for(lambda: glob.glob(self.site.path("tokens/token-*.json")), "the token")
            program.kill()
        self.forget_tokens()
        self.run_verb("check", ALICE)

    def test_fifty_programs_at_once_refresh_once(self):
        self.google.switches({"refresh_rotates": True})
        self.granted()
        programs = [subprocess.Popen([os.path.join(harness.BUILD, "cloudinvite"), "-c",
                                      self.site.conf, "token", "--print"], text=True,
                                     stdout=subprocess.PIPE) for _ in range(50)]
        tokens = {program.communicate(timeout=harness.TIMEOUT)[0] for program in programs}
        self.assertEqual([program.returncode for program in programs], [0] * 50)
        self.assertEqual((len(tokens), self.refreshes()), (1, 1))

    def test_a_file_placed_later_counts_more_than_what_was_rotated(self):
        self.google.switches({"refresh_rotates": True})
        self.granted()
        self.run_verb("check", ALICE)
        self.google.control("DELETE", "logins")
        self.forget_tokens()
        self.granted()
        self.run_verb("check", ALICE)

    def test_a_token_that_cannot_be_stored_is_used_and_reported(self):
        self.google.switches({"refresh_rotates": True})
        self.granted()
        self.site.write_settings({"storage": {"state": self.site.path("nowhere")}})
        done = self.run_verb("token", "--print")
        self.assertIn(self.site.path("nowhere"), done.stderr)
        self.assertIn("after a restart, Google may reject the old one", done.stderr)

    def refused(self, *says):
        done = self.run_verb("check", ALICE, code=6)
        for word in ("cloudinvite login --client FILE", *says):
            self.assertIn(word, done.stderr)

    def test_a_revoked_login_says_what_to_do(self):
        self.granted()
        self.google.control("DELETE", "logins")
        self.refused("revoked", "granted.json")

    def test_a_login_of_an_app_in_testing_ends_after_seven_days(self):
        client = self.google.control("GET", "state")["oauth_clients"][0]
        self.google.state({"oauth_clients": [{**client, "testing": True}]})
        self.granted(at="6d")
        self.run_verb("check", ALICE)
        self.granted(at="7d")
        self.refused("seven days", "in testing")

    def test_session_control_says_what_to_do(self):
        for word in ("rapt_required", "invalid_rapt"):
            self.granted()
            self.google.switches({"rapt": word})
            self.refused("session-control", "exempt", word)

    def test_a_login_without_the_scope_says_what_to_do(self):
        self.granted(scopes="https://www.googleapis.com/auth/cloud-platform")
        self.refused("scope", "ticked")

    def test_the_dispatcher_continues_at_once_after_a_new_login(self):
        self.google.switches({"refresh_rotates": True})
        self.use(self.kept)
        self.log_in()
        self.site.start_dispatcher()
        self.site.arrive_account("alice")
        self.google.control("DELETE", "logins")
        self.forget_tokens()
        self.site.collector_once()
        harness.wait_for(lambda: "cloudinvite login" in self.site.read("cloudinvite-dispatcher.log"),
                         "the refusal")
        self.assertEqual(self.google.mailbox()["total"], 0)
        time.sleep(1.1)  # the file is checked once a second; no person logs in faster
        self.log_in()
        harness.wait_for(lambda: self.google.mailbox()["total"] == 1, "the mail", seconds=30)


class Rights(Scene):
    """Root becomes the service's account; the client's file may belong to any user."""
    overrides = {"worker": harness.accounts(NOBODY)}

    def setUp(self):
        super().setUp()
        os.chmod(self.site.root, 0o755)
        os.chmod(self.google.directory, 0o755)
        os.chmod(self.site.conf, 0o644)
        os.chmod(self.google.file("client.json"), 0o600)

    def test_what_root_logs_in_for_belongs_to_the_service(self):
        self.google.switches({"refresh_rotates": True})
        code, _, said = self.log_in()
        self.assertEqual(code, 0, said)
        uid = pwd.getpwnam(NOBODY).pw_uid
        for path in (self.kept, *glob.glob(self.site.path("state/private/refresh-*.json"))):
            self.assertEqual((os.stat(path).st_uid, stat.S_IMODE(os.stat(path).st_mode)),
                             (uid, 0o600), path)
        self.use(self.kept)
        self.run_verb("check", ALICE)
        self.assertEqual(self.run_verb("config", "--check").returncode, 0)

    def test_what_root_alone_may_write_is_refused_with_the_way_out(self):
        done = self.run_verb("login", "--client", self.google.file("client.json"), "--output",
                             self.site.path("etc/login.json"), code=8)
        self.assertIn("Omit --output", done.stderr)

    def browse(self, *options, user=NOBODY, meanwhile=lambda login: None, **environment):
        """A whole login, with the address that is printed."""
        record = pwd.getpwnam(user)
        os.chown(self.google.file("client.json"), record.pw_uid, record.pw_gid)
        login = self.start(*options, user=record.pw_uid, group=record.pw_gid, extra_groups=(),
                           env={"PATH": self.site.path("bin") + ":" + os.environ["PATH"],
                                **environment})
        meanwhile(login)
        login.visit(login.consent())
        self.assertEqual(login.end()[0], 0)

    def fetch(self, address, user):
        """What a process of that user gets there: (status, Location)."""
        record = pwd.getpwnam(user)
        done = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}",
                               address], stdout=subprocess.PIPE, text=True, check=True, extra_groups=(),
                              user=record.pw_uid, group=record.pw_gid, timeout=harness.TIMEOUT)
        status, location = done.stdout.split(" ", 1)
        return int(status), location

    def test_a_browser_is_opened_where_there_is_a_display(self):
        """The browser's command line, which all users can read, gives nothing away."""
        opened = self.site.path("bin/opened")
        os.mkdir(self.site.path("bin"))
        self.site.write("bin/xdg-open", f'#!/bin/sh\necho "$@" > {opened}.new\n'
                        f"mv {opened}.new {opened}\n")
        os.chmod(self.site.path("bin/xdg-open"), 0o755)
        os.chown(self.site.path("bin"), pwd.getpwnam(NOBODY).pw_uid, -1)

        def look(login):
            harness.wait_for(lambda: os.path.exists(opened), "the browser")
            start = self.site.read("bin/opened").strip()
            port = urllib.parse.urlsplit(login.question["redirect_uri"]).port
            self.assertRegex(start, rf"^http://127\.0\.0\.1:{port}/login-[0-9a-f]{{16}}$")
            for other in ("daemon", "root"):
                self.assertEqual(self.fetch(start, other), (404, ""))
            self.assertEqual(self.fetch(start[:-1], NOBODY), (404, ""))
            for _ in range(2):
                self.assertEqual(self.fetch(start, NOBODY), (303, login.address))

        for environment in ({"DISPLAY": ":0"}, {"WAYLAND_DISPLAY": "wayland-0"}):
            self.browse(meanwhile=look, **environment)
            os.unlink(opened)
        self.browse()
        self.browse("--no-browser", DISPLAY=":0")
        self.browse(user="root", DISPLAY=":0")
        self.assertFalse(os.path.exists(opened))


class PythonClient(Scene):
    """The emulator's refresh grant is one that google-auth can work with."""

    def request(self):
        return google_auth_httplib2.Request(httplib2.Http(ca_certs=self.google.file("ca.pem")))

    def credentials(self, path):
        client = credentials.Credentials.from_authorized_user_file(path, scopes=[SCOPE])
        return credentials.Credentials(
            None, refresh_token=client.refresh_token, client_id=client.client_id,
            client_secret=client.client_secret, scopes=[SCOPE],
            token_uri=self.google.url + "/token")

    def test_what_login_keeps_can_be_refreshed(self):
        self.log_in()
        theirs = self.credentials(self.kept)
        theirs.refresh(self.request())
        self.assertTrue(theirs.valid)
        status = self.google.request(
            "GET", f"/v1/customers/{self.google.customer}/userinvitations",
            headers={"Authorization": "Bearer " + theirs.token})[0]
        self.assertEqual(status, 200)

    def test_a_rotated_token_is_taken_up(self):
        self.google.switches({"refresh_rotates": True})
        theirs = self.credentials(self.granted())
        first = theirs.refresh_token
        for _ in range(2):
            theirs.refresh(self.request())
        self.assertNotEqual(theirs.refresh_token, first)

    def test_what_is_refused_is_an_error_there_too(self):
        theirs = self.credentials(self.granted())
        self.google.control("DELETE", "logins")
        with self.assertRaisesRegex(exceptions.RefreshError, "expired or revoked"):
            theirs.refresh(self.request())

    def test_cloudinvite_refreshes_as_google_auth_does(self):
        path = self.granted()
        self.credentials(path).refresh(self.request())
        self.run_verb("check", ALICE)
        theirs, ours = self.google.log(route="token")
        for entry in (theirs, ours):
            self.assertEqual(entry["content_type"].split(";")[0],
                             "application/x-www-form-urlencoded")
            self.assertEqual((entry["method"], entry["path"], entry["query"],
                              entry["authorization"]), ("POST", "/token", None, "none"))
        theirs, ours = (urllib.parse.parse_qs(entry["body"], keep_blank_values=True)
                        for entry in (theirs, ours))
        self.assertEqual(ours, {**theirs, "scope": [SCOPE]})  # which their older versions leave out


if __name__ == "__main__":
    harness.main()
