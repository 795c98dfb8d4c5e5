#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The emulator's consent page and the grants of a person: each check has Google's answer. Tested without cloudinvite,
so that both cannot be wrong in the same way.
"""
import base64
import hashlib
import json
import urllib.parse

import harness

FULL = "https://www.googleapis.com/auth/cloud-identity.userinvitations"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DESKTOP = {"client_id": "123456789012-cloudinvite.apps.googleusercontent.com",
           "client_secret": "GOCSPX-emulated"}
BACK = "http://127.0.0.1:4711/"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(
    hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


class Scene(harness.ResetEmulator):

    def setUp(self):
        super().setUp()
        self.google.switches({"consent": "approve"})

    def ask(self, **changes):
        """The consent page: (status, where the browser is sent, page)."""
        question = {"client_id": DESKTOP["client_id"], "redirect_uri": BACK, "scope": FULL,
                    "response_type": "code", "state": "s&t", "code_challenge": CHALLENGE,
                    "code_challenge_method": "S256", "access_type": "offline", **changes}
        question = {name: value for name, value in question.items() if value is not None}
        status, headers, body = self.google.request(
            "GET", "/o/oauth2/v2/auth?" + urllib.parse.urlencode(question))
        return status, headers.get("Location"), body.decode()

    def code(self, **changes):
        _, location, _ = self.ask(**changes)
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))["code"]

    def grant(self, **form):
        form = {name: value for name, value in {**DESKTOP, **form}.items() if value is not None}
        status, _, body = self.google.request("POST", "/token", urllib.parse.urlencode(form), FORM)
        return status, json.loads(body)

    def exchange(self, code=None, **changes):
        return self.grant(**{"grant_type": "authorization_code", "code": code or self.code(),
                             "redirect_uri": BACK, "code_verifier": VERIFIER, **changes})

    def refresh(self, token, **changes):
        return self.grant(grant_type="refresh_token", refresh_token=token, **changes)

    def refused(self, answer, status, error, description):
        self.assertEqual(answer, (status, {"error": error, "error_description": description}))


class Consent(Scene):

    def test_the_browser_is_sent_back_with_code_and_state(self):
        status, location, _ = self.ask()
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))
        self.assertEqual((status, query["state"], query["scope"]), (302, "s&t", FULL))
        self.assertTrue(location.startswith(BACK + "?"))

    def test_the_page_asks_until_its_form_is_sent(self):
        self.google.switches({"consent": "ask"})
        status, location, page = self.ask()
        self.assertEqual((status, location), (200, None))
        self.assertIn("admin@example.com", page)

    def test_what_is_wrong_with_the_question_stays_on_the_page(self):
        for word, changes in (("invalid_client", {"client_id": "x"}),
                              ("invalid_client", {"client_id": None}),
                              ("redirect_uri_mismatch", {"redirect_uri": "https://x.example.com/"}),
                              ("redirect_uri_mismatch", {"redirect_uri": "http://127.0.0.1.x.com/"}),
                              ("invalid_request", {"response_type": "token"}),
                              ("invalid_request", {"code_challenge_method": "S512"}),
                              ("invalid_scope", {"scope": "cloud-identity"}),
                              ("invalid_scope", {"scope": None})):
            status, location, page = self.ask(**changes)
            self.assertEqual((status, location), (400, None), changes)
            self.assertIn(word, page)

    def test_a_web_client_is_answered_where_it_is_registered(self):
        self.google.state({"oauth_clients": [{"client_id": "w", "type": "web",
                                              "redirect_uris": ["https://a.example.com/x"]}]})
        self.assertEqual(self.ask(client_id="w")[0], 400)
        self.assertEqual(self.ask(client_id="w", redirect_uri="https://a.example.com/x")[0], 302)


class Code(Scene):

    def test_a_code_is_worth_an_access_and_a_refresh_token(self):
        status, answer = self.exchange()
        self.assertEqual((status, answer["scope"], answer["token_type"]), (200, FULL, "Bearer"))
        self.assertEqual(self.refresh(answer["refresh_token"])[0], 200)

    def test_it_works_once(self):
        code = self.code()
        self.assertEqual(self.exchange(code)[0], 200)
        self.refused(self.exchange(code), 400, "invalid_grant", "Bad Request")

    def test_a_failed_try_spoils_it(self):
        code = self.code()
        self.assertEqual(self.exchange(code, code_verifier="w" * 43)[0], 400)
        self.assertEqual(self.exchange(code)[0], 400)

    def test_it_ends_after_ten_minutes(self):
        code = self.code()
        self.google.advance("10m")
        self.refused(self.exchange(code), 400, "invalid_grant", "Bad Request")

    def test_verifier_redirect_and_client_must_fit(self):
        bad = "invalid_grant"
        for changes, refusal in (
                ({"code_verifier": None}, (400, bad, "Missing code verifier.")),
                ({"code_verifier": "w" * 43}, (400, bad, "Invalid code verifier.")),
                ({"code_verifier": CHALLENGE}, (400, bad, "Invalid code verifier.")),
                ({"redirect_uri": BACK[:-1]}, (400, "redirect_uri_mismatch", "Bad Request")),
                ({"code": "4/0A"}, (400, bad, "Malformed auth code.")),
                ({"client_id": "x"}, (401, "invalid_client", "The OAuth client was not found.")),
                ({"client_secret": "x"},
                 (401, "invalid_client", "The provided client secret is invalid."))):
            self.refused(self.exchange(**changes), *refusal)

    def test_a_verifier_without_a_challenge_is_not_needed(self):
        code = self.code(code_challenge=None, code_challenge_method=None)
        self.refused(self.exchange(code), 400, "invalid_grant",
                     "code_verifier or verifier is not needed.")
        code = self.code(code_challenge=None, code_challenge_method=None)
        self.assertEqual(self.exchange(code, code_verifier=None)[0], 200)

    def test_a_refresh_token_is_given_once_unless_consent_is_asked_for_again(self):
        self.assertNotIn("refresh_token", self.exchange(self.code(access_type=None))[1])
        self.assertIn("refresh_token", self.exchange()[1])
        self.assertNotIn("refresh_token", self.exchange()[1])
        self.assertIn("refresh_token", self.exchange(self.code(prompt="consent"))[1])

    def test_a_deleted_client_gets_that_error(self):
        code = self.code()
        self.google.state({"oauth_clients": [{**DESKTOP, "deleted": True}]})
        self.refused(self.exchange(code), 401, "deleted_client", "The OAuth client was deleted.")


class Refresh(Scene):

    def setUp(self):
        super().setUp()
        self.token = self.google.control("POST", "logins", {})["refresh_token"]

    def test_a_scope_may_be_narrowed_and_not_widened(self):
        answer = self.refresh(self.token, scope=FULL)[1]
        self.assertEqual((answer["scope"], "refresh_token" in answer), (FULL, False))
        self.refused(self.refresh(self.token, scope=FULL + " https://www.googleapis.com/auth/x"),
                     400, "invalid_scope", "Bad Request")

    def test_a_new_refresh_token_ends_the_old_one(self):
        self.google.switches({"refresh_rotates": True})
        new = self.refresh(self.token)[1]["refresh_token"]
        self.refused(self.refresh(self.token), 400, "invalid_grant",
                     "Token has been expired or revoked.")
        self.assertEqual(self.refresh(new)[0], 200)

    def test_six_months_without_use_end_it(self):
        self.google.advance("100d")
        self.assertEqual(self.refresh(self.token)[0], 200)
        self.google.advance("100d")
        self.assertEqual(self.refresh(self.token)[0], 200)
        self.google.advance("183d")
        self.assertEqual(self.refresh(self.token)[0], 400)

    def test_session_control_has_a_subtype(self):
        for word in ("rapt_required", "invalid_rapt"):
            self.google.switches({"rapt": word})
            self.assertEqual(self.refresh(self.token), (400, {
                "error": "invalid_grant", "error_subtype": word,
                "error_description": f"reauth related error ({word})"}))

    def test_a_person_who_is_gone_or_restricted_is_refused(self):
        for status, refusal in (("deleted", (400, "invalid_grant", "The account has been deleted")),
                                ("restricted", (403, "access_denied", "Account restricted"))):
            self.google.state({"customer": {"admins": [
                {"address": "admin@example.com", "status": status}]}})
            self.refused(self.refresh(self.token), *refusal)

    def test_what_was_granted_is_listed_without_the_tokens(self):
        logins = self.google.control("GET", "logins")["logins"]
        self.assertEqual([(login["address"], login["ended"]) for login in logins],
                         [("admin@example.com", False)])
        self.google.control("DELETE", "logins")
        text = json.dumps(self.google.control("GET", "logins"))
        self.assertIn('"ended": true', text)
        self.assertNotIn(self.token, text)


if __name__ == "__main__":
    harness.main()
