#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Each known refusal of Google, met by the doctor: the step at which it is found, its word for scripts, its cause in an
administrator's words, and a remedy.
"""
import json
import os

import fake_gcp
import harness
from test_failure_rows import API, DENIED, NO_TOKEN_ENDPOINT, TOKEN

# error, description, subtype: errors of a login
LOGIN = [
    ((400, "invalid_grant", "Token has been expired or revoked.", None), "token_revoked"),
    ((400, "invalid_grant", "Bad Request", None), "token_revoked"),
    ((400, "invalid_grant", "reauth related error (invalid_rapt)", "invalid_rapt"), "token_reauth"),
    ((400, "invalid_grant", "reauth related error (rapt_required)", "rapt_required"), "token_reauth"),
    ((401, "invalid_client", "The OAuth client was not found.", None), "token_client_unknown"),
    ((401, "deleted_client", "The OAuth client was deleted.", None), "token_client_deleted"),
]


class Rows(harness.SharedSite):
    """One emulator and one host for all rows of a class."""

    def setUp(self):
        self.google.clear_faults()
        for name in os.listdir(self.site.path("tokens")):
            os.unlink(self.site.path("tokens/" + name))

    def say(self, route, status, body, **more):
        self.google.clear_faults()
        self.google.faults(dict(more, route=route, status=status, body=body, times=0))

    def found(self, step):
        """The problems at this step; everything before it is good."""
        done = self.site.run("doctor", "--json")
        self.assertNotEqual(done.returncode, 0, done.stdout)
        steps = [one for one in json.loads(done.stdout)["steps"]
                 if one["step"] not in ("module", "pam", "hook", "isolation")]
        bad = [one for one in steps if one["result"] == "bad"]
        self.assertEqual([one["step"] for one in bad], [step], bad)
        return bad[0]

    def assert_helps(self, finding, code):
        self.assertEqual(finding["code"], code, finding)
        self.assertGreater(len(finding["message"]), 20, finding)
        self.assertGreater(len(finding["remedy"]), 20, finding)
        self.assertRegex(finding["remedy"], r"(\.|ADDRESS)$", "it is cut off")


class Tokens(Rows):
    def test_every_refusal_of_a_token(self):
        for (status, word, text), _, code in TOKEN:
            self.say("token", status, json.dumps({"error": word, "error_description": text}))
            with self.subTest(f"{word}: {text}"):
                finding = self.found("token")
                self.assert_helps(finding, code)
                self.assertIn(word, finding["message"])

    def test_a_server_that_is_not_a_token_endpoint(self):
        for status, body, _ in NO_TOKEN_ENDPOINT:
            self.say("token", status, body)
            with self.subTest(f"{status} {body}"):
                self.assertIn("/token", self.found("token")["message"])


class Calls(Rows):
    def test_every_refusal_of_the_list(self):
        for status, body, _, _, code in API:
            self.say("list", status, body)
            with self.subTest(f"{status} {body}"):
                self.assert_helps(self.found("api"), code)

    def test_a_method_that_is_refused_alone(self):
        for status, body, _, _, code in API[::5] + [(403, DENIED, 0, 0, "permission_denied")]:
            self.say("check", status, body)
            with self.subTest(f"{status} {body}"):
                self.assert_helps(self.found("api"), code)


class Logins(Rows):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with open(cls.google.file("client.json"), encoding="utf-8") as file:
            client = json.load(file)["installed"]["client_id"]
        path = cls.site.path("login.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(cls.google.control("POST", "logins", {
                "client_id": client, "address": "admin@example.com"}), file)
        os.chmod(path, 0o600)
        cls.site.write_settings({"google": {"credentials": path, "subject": ""}})

    def test_every_end_of_a_login(self):
        for (status, word, text, subtype), code in LOGIN:
            body = {"error": word, "error_description": text}
            self.say("token", status,
                     json.dumps(dict(body, error_subtype=subtype) if subtype else body))
            with self.subTest(f"{word}: {text}"):
                finding = self.found("token")
                self.assert_helps(finding, code)


class Keyless(Rows):
    """Errors of IAM and of the token exchange for a machine without a key."""

    def test_each_refusal_of_iam(self):
        machines = fake_gcp.FakeGcp(self.google)
        self.addCleanup(machines.close)
        self.site.write_settings({"google": {
            **machines.settings, "credentials": "metadata:", "metadata_exposed": "accept",
            "service_account": fake_gcp.INVITER}})
        for what, change, code in (
                ("IAM is not enabled", {"api_disabled": True}, "iam_api_disabled"),
                ("who may not sign", {"creators": set()}, "iam_denied"),
                ("the machine has no account", {"account": None}, "metadata_no_account")):
            before = {name: getattr(machines, name) for name in change}
            for name, value in change.items():
                setattr(machines, name, value)
            with self.subTest(what):
                self.assert_helps(self.found("token"), code)
            for name, value in before.items():
                setattr(machines, name, value)


if __name__ == "__main__":
    harness.main()
