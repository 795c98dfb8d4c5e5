#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The emulator's token endpoint: the reply to a good assertion, and Google's exact error for each bad one. google-auth
makes the assertions, not our own code.
"""
import base64
import json
import subprocess
import time
import urllib.parse

from google.auth import crypt, jwt

import harness

FULL = "https://www.googleapis.com/auth/cloud-identity.userinvitations"
READONLY = FULL + ".readonly"
AUDIENCE = "https://oauth2.googleapis.com/token"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
FORM = "application/x-www-form-urlencoded"

TIMEFRAME = ("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a "
             "reasonable timeframe. Check your iat and exp values in the JWT claim.")
SIGNATURE = ("invalid_grant", "Invalid JWT Signature.")
UNAUTHORIZED = ("unauthorized_client", "Client is unauthorized to retrieve access tokens using this "
                "method, or client not authorized for any of the scopes requested.")
NO_USER = ("invalid_grant", "Not a valid email or user ID.")
BAD_SCOPE = ("invalid_scope", "Invalid OAuth scope or ID token audience provided.")


class TokenEndpoint(harness.Test):

    @classmethod
    def setUpClass(cls):
        cls.google = harness.Emulator().__enter__()
        with open(cls.google.file("credentials.json"), encoding="utf-8") as file:
            cls.key = json.load(file)
        cls.signer = crypt.RSASigner.from_service_account_info(cls.key)

    @classmethod
    def tearDownClass(cls):
        cls.google.__exit__()

    def setUp(self):
        self.google.reset()

    def claims(self, **changes):
        """Good claims with changes; None removes a claim."""
        now = int(time.time())
        claims = {"iss": self.key["client_email"], "sub": "admin@example.com", "scope": FULL,
                  "aud": AUDIENCE, "iat": now, "exp": now + 3600, **changes}
        return {name: value for name, value in claims.items() if value is not None}

    def post(self, fields, content_type=FORM):
        status, _, text = self.google.request("POST", "/token", urllib.parse.urlencode(fields),
                                              {"Content-Type": content_type})
        return status, json.loads(text)

    def grant(self, signer=None, **changes):
        assertion = jwt.encode(signer or self.signer, self.claims(**changes))
        return self.post({"grant_type": GRANT, "assertion": assertion})

    def refused(self, status, error, **changes):
        self.assertEqual(self.grant(**changes),
                         (status, {"error": error[0], "error_description": error[1]}), changes)

    def account(self, token):
        """The API's reply to this token."""
        return self.google.request("GET", "/v1/customers/C01234567/userinvitations",
                                   headers={"Authorization": f"Bearer {token}"})[0]

    def test_a_good_assertion_gets_a_token_that_works(self):
        status, answer = self.grant()
        self.assertEqual((status, answer["token_type"], answer["expires_in"]),
                         (200, "Bearer", 3599))
        self.assertEqual(self.account(answer["access_token"]), 200)
        self.assertNotIn("refresh_token", answer)

    def test_every_token_is_another(self):
        self.assertNotEqual(self.grant()[1]["access_token"], self.grant()[1]["access_token"])

    def test_the_token_is_bound_to_its_scope_and_person(self):
        for changes, expected in (({"scope": READONLY}, 200), ({"sub": "helpdesk@example.com"}, 403),
                                  ({"sub": None}, 403)):
            self.assertEqual(self.account(self.grant(**changes)[1]["access_token"]), expected)

    def test_an_unknown_issuer_has_no_verifier(self):
        error = ("invalid_grant", "Invalid JWT: No valid verifier found for issuer")
        self.refused(400, error, iss="nobody@x.iam.gserviceaccount.com")
        self.refused(400, error, iss=None)

    def test_a_deleted_service_account_is_not_found(self):
        self.google.state({"service_accounts": [{
            "email": self.key["client_email"], "client_id": self.key["client_id"],
            "deleted": True}]})
        self.refused(400, ("invalid_grant", "Account not found"))

    def test_another_key_is_an_invalid_signature(self):
        stranger = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA"], check=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        signer = crypt.RSASigner.from_string(stranger, self.key["private_key_id"])
        self.refused(400, SIGNATURE, signer=signer)

    def test_an_unknown_key_id_is_an_invalid_signature(self):
        self.refused(400, SIGNATURE, signer=crypt.RSASigner.from_string(
            self.key["private_key"], "0" * 40))

    def test_a_key_that_was_taken_away_is_an_invalid_signature(self):
        self.google.state({"service_accounts": [{
            "email": self.key["client_email"], "client_id": self.key["client_id"], "keys": []}]})
        self.refused(400, SIGNATURE)

    def test_another_algorithm_is_an_invalid_signature(self):
        for algorithm, expected in (("none", 400), ("HS256", 400), ("RS512", 400), ("RS256", 200)):
            header = {"alg": algorithm, "typ": "JWT", "kid": self.key["private_key_id"]}
            text = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
                             for part in (header, self.claims()))
            signature = base64.urlsafe_b64encode(self.signer.sign(text)).rstrip(b"=")
            status, answer = self.post({"grant_type": GRANT, "assertion": text + b"." + signature})
            self.assertEqual(status, expected, (algorithm, answer))

    def test_what_is_not_a_jwt_is_an_invalid_signature(self):
        good = jwt.encode(self.signer, self.claims()).decode()
        for assertion in ("", "a", "a.b", "a.b.c", good + ".x", good[:-8], good.replace(".", "", 1),
                          good.replace(".", ".!", 1), "." + good):
            status, answer = self.post({"grant_type": GRANT, "assertion": assertion})
            self.assertEqual((status, answer["error_description"]), (400, SIGNATURE[1]), assertion)

    def test_a_changed_claim_is_an_invalid_signature(self):
        good = jwt.encode(self.signer, self.claims()).decode().split(".")
        other = jwt.encode(self.signer, self.claims(sub="helpdesk@example.com")).decode().split(".")
        status, answer = self.post({"grant_type": GRANT,
                                    "assertion": ".".join((good[0], other[1], good[2]))})
        self.assertEqual((status, answer["error_description"]), (400, SIGNATURE[1]))

    def test_the_audience_is_googles(self):
        for audience in ("https://example.com/token", AUDIENCE + "/", None,
                         "https://accounts.google.com/o/oauth2/token"):
            status, answer = self.grant(aud=audience)
            self.assertEqual((status, answer["error"]), (400, "invalid_grant"), audience)
            self.assertIn("audience", answer["error_description"])

    def test_other_audiences_are_switches(self):
        local, legacy = self.google.url + "/token", "https://accounts.google.com/o/oauth2/token"
        self.assertEqual(self.grant(aud=local)[0], 200)
        self.google.switches({"local_audience": False, "legacy_audience": True})
        self.assertEqual(self.grant(aud=local)[0], 400)
        self.assertEqual(self.grant(aud=legacy)[0], 200)

    def test_times_out_of_frame_are_refused(self):
        now = int(time.time())
        for changes in ({"iat": now + 120}, {"exp": now - 1, "iat": now - 3000},
                        {"iat": now - 10, "exp": now + 3600}, {"iat": None}, {"exp": None},
                        {"iat": str(now)}):
            self.refused(400, TIMEFRAME, **changes)

    def test_the_frame_is_the_emulators_clock(self):
        self.google.advance("-10m")
        self.refused(400, TIMEFRAME)
        self.google.switches({"iat_tolerance": 900})
        self.assertEqual(self.grant()[0], 200)
        self.google.advance("2h")
        self.refused(400, TIMEFRAME)

    def test_no_scope_and_unknown_scopes_are_invalid(self):
        for scope in (None, "", " ", "cloud-identity", f"{FULL} openid-but-not-really"):
            self.refused(400, BAD_SCOPE, scope=scope)

    def test_delegation_must_cover_every_scope(self):
        self.refused(401, UNAUTHORIZED, scope="https://www.googleapis.com/auth/cloud-platform")
        self.refused(401, UNAUTHORIZED,
                     scope=FULL + " https://www.googleapis.com/auth/cloud-platform")
        self.google.state({"grants": [{"client_id": self.key["client_id"], "scopes": [READONLY]}]})
        self.refused(401, UNAUTHORIZED)
        self.assertEqual(self.grant(scope=READONLY)[0], 200)

    def test_without_delegation_only_the_service_account_itself_gets_a_token(self):
        self.google.state({"grants": []})
        self.refused(401, UNAUTHORIZED)
        self.assertEqual(self.grant(sub=None)[0], 200)

    def test_a_subject_who_is_unknown(self):
        self.refused(400, NO_USER, sub="nobody@example.com")
        self.refused(400, NO_USER, sub="admin")
        self.refused(400, NO_USER, sub=7)
        self.refused(401, UNAUTHORIZED, sub="admin@elsewhere.example")

    def test_a_subject_who_is_deleted_or_restricted(self):
        self.google.state({"customer": {"admins": [
            {"address": "deleted@example.com", "status": "deleted"},
            {"address": "purged@example.com", "status": "purged"},
            {"address": "restricted@example.com", "status": "restricted"}]}})
        self.refused(400, ("invalid_grant", "The account has been deleted"),
                     sub="deleted@example.com")
        self.refused(400, ("invalid_request", "Invalid impersonation &quot;sub&quot; field."),
                     sub="purged@example.com")
        self.refused(403, ("access_denied", "Account restricted"), sub="restricted@example.com")

    def test_a_consumer_account_cannot_be_acted_for(self):
        self.google.accounts([{"address": "private@example.com"},
                              {"address": "managed@example.com", "kind": "managed"}])
        self.refused(400, NO_USER, sub="private@example.com")
        self.assertEqual(self.grant(sub="managed@example.com")[0], 200)

    def test_only_the_form_and_the_grant_types_that_it_knows(self):
        assertion = jwt.encode(self.signer, self.claims()).decode()
        fields = {"grant_type": GRANT, "assertion": assertion}
        self.assertEqual(self.post(fields, FORM + "; charset=utf-8")[0], 200)
        for content_type in ("application/json", "text/plain", FORM + "ed"):
            self.assertEqual(self.post(fields, content_type)[1]["error"], "invalid_request")
        self.assertEqual(self.post({"grant_type": "password"})[1]["error"],
                         "unsupported_grant_type")
        self.assertEqual(self.post({"assertion": assertion})[1]["error"], "invalid_request")
        self.assertEqual(self.post({"grant_type": GRANT})[1]["error"], "invalid_request")

    def test_lifetime_and_its_spelling_are_switches(self):
        self.google.switches({"token_lifetime": 60, "expires_in_string": True})
        answer = self.grant()[1]
        self.assertEqual(answer["expires_in"], "60")
        self.google.advance("61s")
        self.assertEqual(self.account(answer["access_token"]), 401)

    def test_neither_token_nor_signature_is_kept_in_the_log(self):
        assertion = jwt.encode(self.signer, self.claims()).decode()
        answer = self.post({"grant_type": GRANT, "assertion": assertion})[1]
        self.account(answer["access_token"])
        kept = json.dumps(self.google.log())
        self.assertNotIn(answer["access_token"], kept)
        self.assertNotIn(assertion.split(".")[2][:20], kept)
        self.assertIn(assertion.split(".")[1].rstrip("="), kept)

    def test_faults_of_its_own_shape(self):
        self.google.faults({"route": "token", "status": 503})
        self.assertEqual(self.grant(), (503, {"error": "internal_failure",
                                              "error_description": "Backend Error"}))
        self.assertEqual(self.grant()[0], 200)


if __name__ == "__main__":
    harness.main()
