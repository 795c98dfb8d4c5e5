#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The emulator's metadata server, IAM credentials and token exchange, without a client."""
import base64
import http.client
import json
import os
import re
import subprocess
import time
import urllib.parse

from google.auth import crypt, jwt

import harness

FULL = "https://www.googleapis.com/auth/cloud-identity.userinvitations"
CLOUD = "https://www.googleapis.com/auth/cloud-platform"
IAM = "https://www.googleapis.com/auth/iam"
INVITER = "inviter@cloudinvite-emulated.iam.gserviceaccount.com"
MACHINE = "123456789012-compute@developer.gserviceaccount.com"
OTHER = "other@cloudinvite-emulated.iam.gserviceaccount.com"
POOL = ("//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/"
        "cloudinvite")
PROVIDER = POOL + "/providers/emulated"
PRINCIPAL = "principal:" + POOL + "/subject/"
ROOT = "/computeMetadata/v1/"
ACCOUNT = ROOT + "instance/service-accounts/default/"
GRANT = "urn:ietf:params:oauth:grant-type:"
TYPE = "urn:ietf:params:oauth:token-type:"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SIGN_DENIED = "Permission 'iam.serviceAccounts.signJwt' denied on resource (or it may not exist)."


class Keyless(harness.Test):

    @classmethod
    def setUpClass(cls):
        cls.google = harness.Emulator().__enter__()
        cls.metadata_host = urllib.parse.urlsplit(cls.google.metadata_url).netloc

    @classmethod
    def tearDownClass(cls):
        cls.google.__exit__()

    def setUp(self):
        self.google.reset()

    def metadata(self, path, method="GET", flavor="Google", **headers):
        """One metadata request: (status, headers, text)."""
        if flavor:
            headers["Metadata-Flavor"] = flavor
        connection = http.client.HTTPConnection(self.metadata_host, timeout=20)
        try:
            connection.request(method, path, headers=headers)
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read().decode()
        finally:
            connection.close()

    def machine_token(self, query=""):
        status, _, text = self.metadata(ACCOUNT + "token" + query)
        self.assertEqual(status, 200, text)
        return json.loads(text)

    def post(self, path, document, token=None, **headers):
        """JSON in and out: (status, document)."""
        if token:
            headers["Authorization"] = f"Bearer {token}"
        status, _, text = self.google.request("POST", path, json.dumps(document),
                                              {"Content-Type": "application/json", **headers})
        return status, json.loads(text)

    def iam(self, verb, document, token=None, account=INVITER):
        return self.post(f"/v1/projects/-/serviceAccounts/{account}:{verb}", document,
                         token or self.machine_token()["access_token"])

    def claims(self, **changes):
        now = int(time.time())
        return {"iss": INVITER, "sub": "admin@example.com", "scope": FULL,
                "aud": "https://oauth2.googleapis.com/token", "iat": now, "exp": now + 3600,
                **changes}

    def sign(self, token=None, account=INVITER, delegates=None, **changes):
        document = {"payload": json.dumps(self.claims(**changes))}
        if delegates is not None:
            document["delegates"] = ["projects/-/serviceAccounts/" + one for one in delegates]
        return self.iam("signJwt", document, token, account)

    def grant(self, assertion):
        status, _, text = self.google.request("POST", "/token", urllib.parse.urlencode(
            {"grant_type": GRANT + "jwt-bearer", "assertion": assertion}), FORM)
        return status, json.loads(text)

    def api(self, token):
        status, _, text = self.google.request("GET", "/v1/customers/C01234567/userinvitations",
                                              headers={"Authorization": f"Bearer {token}"})
        return status, json.loads(text)

    def mint(self, principal=MACHINE, scopes=CLOUD):
        return self.google.control("POST", "tokens", {
            "principal": principal, "scopes": scopes, "service_account": True})["access_token"]


class Metadata(Keyless):

    def test_the_metadata_server_answers_with_account_scopes_and_project(self):
        for path, expected in (("instance/service-accounts/default/email", MACHINE),
                               (f"instance/service-accounts/{MACHINE}/email", MACHINE),
                               ("instance/service-accounts/", f"default/\n{MACHINE}/\n"),
                               ("instance/service-accounts/default/scopes", CLOUD + "\n"),
                               ("project/project-id", "cloudinvite-emulated"),
                               ("project/numeric-project-id", "123456789012"),
                               ("universe/universe-domain", "googleapis.com")):
            status, headers, text = self.metadata(ROOT + path)
            self.assertEqual((status, text), (200, expected), path)
            self.assertEqual((headers["Metadata-Flavor"], headers["Content-Type"]),
                             ("Google", "application/text"))

    def test_recursive_is_json(self):
        status, headers, text = self.metadata(ACCOUNT + "?recursive=true")
        self.assertEqual((status, headers["Content-Type"]), (200, "application/json"))
        self.assertEqual(json.loads(text),
                         {"aliases": ["default"], "email": MACHINE, "scopes": [CLOUD]})

    def test_what_it_does_not_know_is_404(self):
        for path in ("/nothing", ROOT + "instance/service-accounts/other/token", ACCOUNT + "key",
                     ROOT + "project", "/token", "/v1/token", "/emulator/state"):
            self.assertEqual(self.metadata(path)[0], 404, path)

    def test_without_its_header_it_tells_nothing(self):
        for flavor in (None, "Amazon", "google"):
            status, headers, text = self.metadata(ACCOUNT + "token", flavor=flavor)
            self.assertEqual((status, headers["Metadata-Flavor"]), (403, "Google"))
            self.assertNotIn("ya29", text)
        self.google.switches({"metadata_flavor": 200})
        self.assertEqual(self.metadata(ACCOUNT + "token", flavor=None)[0], 200)

    def test_what_was_forwarded_is_refused(self):
        forwarded = {"X-Forwarded-For": "10.1.1.1"}
        self.assertEqual(self.metadata(ACCOUNT + "token", **forwarded)[0], 403)
        self.google.switches({"metadata_forwarded": 400})
        self.assertEqual(self.metadata(ACCOUNT + "token", **forwarded)[0], 400)

    def test_the_root_shows_that_it_is_there(self):
        for flavor in ("Google", None):
            status, headers, _ = self.metadata("/", flavor=flavor)
            self.assertEqual((status, headers["Metadata-Flavor"]), (200, "Google"))

    def test_only_get(self):
        self.assertEqual(self.metadata(ACCOUNT + "token", method="POST")[0], 405)

    def test_the_same_token_until_less_than_four_minutes_are_left(self):
        first = self.machine_token()
        self.assertEqual((first["token_type"], type(first["expires_in"])), ("Bearer", int))
        self.google.advance("55m")
        again = self.machine_token()
        self.assertEqual(again["access_token"], first["access_token"])
        self.assertLess(again["expires_in"], 300)
        self.google.advance("61s")
        new = self.machine_token()
        self.assertNotEqual(new["access_token"], first["access_token"])
        self.assertGreater(new["expires_in"], 3500)

    def test_scopes_count_on_gke_only(self):
        asked = f"?scopes={FULL},{IAM}"
        self.assertEqual(self.api(self.machine_token(asked)["access_token"])[1]["error"]["message"],
                         "Request had insufficient authentication scopes.")
        self.google.switches({"metadata_scopes": True})
        self.assertEqual(self.api(self.machine_token(asked)["access_token"])[1]["error"]["message"],
                         "The caller does not have permission")

    def test_a_machine_without_an_account_has_no_token(self):
        self.google.state({"instance": {"service_account": None}})
        self.assertEqual(self.metadata(ACCOUNT + "token")[0], 404)
        self.assertEqual(self.metadata(ROOT + "project/project-id")[0], 200)

    def test_account_and_universe_can_be_others(self):
        self.machine_token()
        self.google.state({"instance": {"service_account": OTHER, "universe": "example.cloud"}})
        self.assertEqual(self.metadata(ACCOUNT + "email")[2], OTHER)
        self.assertEqual(self.metadata(ROOT + "universe/universe-domain")[2], "example.cloud")
        self.machine_token()
        self.assertEqual(self.google.log(route="metadata")[-1]["principal"], OTHER)
        self.google.state({"instance": {"universe": None}})
        self.assertEqual(self.metadata(ROOT + "universe/universe-domain")[0], 404)

    def test_faults_and_latency_meet_it_too(self):
        self.google.faults({"route": "metadata", "status": 503, "times": 2})
        self.assertEqual([self.metadata(ACCOUNT + "token")[0] for _ in range(3)], [503, 503, 200])
        self.google.latency({"route": "metadata", "ms": 120})
        start = time.monotonic()
        self.metadata("/")
        self.assertGreaterEqual(time.monotonic() - start, 0.1)
        self.assertEqual(self.google.stats()["metadata"], 4)

    def test_its_paths_are_not_among_those_of_the_other_hosts(self):
        self.assertEqual(self.google.request("GET", ACCOUNT + "token",
                                             headers={"Metadata-Flavor": "Google"})[0], 404)

    def test_its_door_can_be_elsewhere_or_closed(self):
        with harness.Emulator(arguments=["--metadata", "127.0.0.2:0"]) as google:
            self.assertTrue(google.metadata_url.startswith("http://127.0.0.2:"))
            with open(google.file("cloudinvite.conf"), encoding="utf-8") as file:
                self.assertIn(f"metadata_endpoint = {google.metadata_url}\n", file.read())
        with harness.Emulator(arguments=["--metadata", "none"]) as google:
            self.assertIsNone(google.metadata_url)
            with open(google.file("cloudinvite.conf"), encoding="utf-8") as file:
                self.assertNotIn("metadata_endpoint", file.read())
        done = subprocess.run([harness.BUILD + "/cloudinvite-emulator", "--metadata", "nowhere:1"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=20, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--metadata nowhere:1", done.stderr)

    def test_errors_in_the_state_are_reported(self):
        for document, word in (
                ({"instance": {"service_account": 1}}, "instance: service_account"),
                ({"instance": {"scopes": [1]}}, "instance: scopes[0]"),
                ({"token_creators": {}}, "token_creators is not"),
                ({"token_creators": [{"principal": "x"}]}, "token_creators[0]: account is missing"),
                ({"identity_providers": [{"audience": "x"}]}, "[0]: issuer is missing"),
                ({"identity_providers": [{"audience": "x", "issuer": "y", "keys": [
                    {"kid": "z", "public_key": "no"}]}]}, "public_key is not PEM")):
            with self.assertRaisesRegex(AssertionError, re.escape(word)):
                self.google.state(document)
            self.google.reset()

    def test_the_state_can_be_given_back(self):
        state = self.google.state()
        self.assertEqual(state["instance"], {"service_account": MACHINE, "scopes": [CLOUD],
                                             "universe": "googleapis.com"})
        self.google.control("PUT", "state", state)
        self.assertEqual(self.google.state()["token_creators"], state["token_creators"])
        self.assertEqual(self.google.state()["identity_providers"], state["identity_providers"])


class SignJwt(Keyless):

    def denied(self, answer, permission="signJwt"):
        permission = "iam.serviceAccounts." + permission
        self.assertEqual(answer, (403, {"error": {
            "code": 403, "status": "PERMISSION_DENIED",
            "message": f"Permission '{permission}' denied on resource (or it may not exist).",
            "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo",
                         "reason": "IAM_PERMISSION_DENIED", "domain": "iam.googleapis.com",
                         "metadata": {"permission": permission}}]}}))

    def test_what_it_signs_is_a_token_for_the_administrator(self):
        status, answer = self.sign()
        self.assertEqual((status, set(answer)), (200, {"keyId", "signedJwt"}))
        header = jwt.decode_header(answer["signedJwt"])
        self.assertEqual(header, {"alg": "RS256", "kid": answer["keyId"], "typ": "JWT"})
        status, token = self.grant(answer["signedJwt"])
        self.assertEqual(status, 200, token)
        self.assertEqual(self.api(token["access_token"])[0], 200)

    def test_its_key_is_none_of_the_accounts_own(self):
        before = self.google.state()["service_accounts"]
        first, second = self.sign()[1], self.sign()[1]
        self.assertEqual(first["keyId"], second["keyId"])
        self.assertEqual(self.google.state()["service_accounts"], before)
        self.assertNotIn(first["keyId"], json.dumps(before))

    def test_the_payload_is_signed_unchanged(self):
        payload = '{ "iss":"x",\t"exp":%d }' % (time.time() + 60)
        signed = self.iam("signJwt", {"payload": payload})[1]["signedJwt"].split(".")[1]
        self.assertEqual(base64.urlsafe_b64decode(signed + "=" * (-len(signed) % 4)).decode(),
                         payload)

    def test_what_one_account_signs_is_not_anothers(self):
        self.google.state({"service_accounts": [
            {"email": INVITER, "client_id": "1"}, {"email": OTHER, "client_id": "2"}],
            "token_creators": [{"principal": MACHINE, "account": OTHER}]})
        answer = self.sign(account=OTHER)[1]
        self.assertEqual(self.grant(answer["signedJwt"])[1]["error_description"],
                         "Invalid JWT Signature.")

    def test_a_person_who_is_not_a_token_creator_is_denied(self):
        self.denied(self.sign(self.mint(OTHER)))
        self.google.state({"token_creators": []})
        self.denied(self.sign())

    def test_an_account_must_be_its_own_token_creator(self):
        self.google.state({"instance": {"service_account": INVITER}, "token_creators": []})
        self.denied(self.sign())
        self.google.state({"token_creators": [{"principal": INVITER, "account": INVITER}]})
        self.assertEqual(self.sign()[0], 200)
        self.assertEqual(self.iam("signJwt", {"payload": "{}", "delegates": None})[0], 200)

    def test_an_unknown_or_deleted_account_is_denied_or_not_found(self):
        self.denied(self.sign(account="nobody@example.iam.gserviceaccount.com"))
        self.google.switches({"iam_unknown": 404})
        self.google.state({"service_accounts": [
            {"email": INVITER, "client_id": "1", "deleted": True}]})
        self.assertEqual(self.sign()[0], 404)

    def test_each_delegate_must_be_granted_the_next(self):
        self.google.state({"token_creators": [{"principal": MACHINE, "account": OTHER},
                                              {"principal": OTHER, "account": INVITER}]})
        self.denied(self.sign())
        self.assertEqual(self.sign(delegates=[OTHER])[0], 200)
        self.assertEqual(self.iam("signJwt", {"payload": "{}", "delegates": OTHER})[0], 400)
        self.assertEqual(self.iam("signJwt", {"payload": "{}", "delegates": [OTHER]})[0], 400)
        self.denied(self.sign(delegates=["x@y.z", OTHER]), "implicitDelegation")
        self.google.state({"token_creators": [{"principal": MACHINE, "account": OTHER}]})
        self.denied(self.sign(delegates=[OTHER]))

    def test_the_bearer_must_be_there_and_have_the_scope(self):
        self.assertEqual(self.post(f"/v1/projects/-/serviceAccounts/{INVITER}:signJwt", {})[0], 401)
        self.assertEqual(self.sign("ya29.nobody")[0], 401)
        self.assertEqual(self.sign(self.mint(scopes=IAM))[0], 200)
        status, answer = self.sign(self.mint(scopes=FULL))
        self.assertEqual((status, answer["error"]["details"][0]["metadata"]["service"]),
                         (403, "iamcredentials.googleapis.com"))

    def test_a_payload_must_be_a_string_of_an_object_that_ends_in_time(self):
        now = int(time.time())
        for payload in (None, {}, "", "[]", "x", json.dumps({"exp": now - 60}),
                        json.dumps({"exp": now + 12 * 3600 + 60}), json.dumps({"exp": now + 0.5}),
                        json.dumps({"exp": str(now + 60)})):
            self.assertEqual(self.iam("signJwt", {"payload": payload})[0], 400, payload)
        self.assertEqual(self.iam("signJwt", {})[0], 400)
        self.assertEqual(self.iam("signJwt", {"payload": json.dumps(
            {"exp": now + 12 * 3600 - 60})})[0], 200)

    def test_the_project_is_a_hyphen_and_the_members_are_known(self):
        token = self.mint()
        self.assertEqual(self.post("/v1/projects/cloudinvite-emulated/serviceAccounts/"
                                   f"{INVITER}:signJwt", {}, token)[0], 400)
        self.assertEqual(self.iam("signJwt", {"payload": "{}", "subject": "x"})[0], 400)
        self.assertEqual(self.iam("signBytes", {})[0], 404)

    def test_an_api_that_is_not_enabled_says_which(self):
        self.google.switches({"iam_disabled": True})
        error = self.sign()[1]["error"]
        self.assertEqual((error["code"], error["details"][1]["reason"],
                          error["details"][1]["metadata"]["service"]),
                         (403, "SERVICE_DISABLED", "iamcredentials.googleapis.com"))
        self.assertTrue(error["message"].startswith("IAM Service Account Credentials API has not"))

    def test_a_token_of_the_account_is_not_an_administrator(self):
        status, answer = self.iam("generateAccessToken", {"scope": [FULL], "lifetime": "600s"})
        self.assertEqual((status, set(answer)), (200, {"accessToken", "expireTime"}))
        self.assertRegex(answer["expireTime"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(self.api(answer["accessToken"])[1]["error"]["message"],
                         "The caller does not have permission")
        self.google.advance("601s")
        self.assertEqual(self.api(answer["accessToken"])[0], 401)

    def test_a_token_needs_a_scope_and_lives_an_hour_at_most(self):
        for document in ({}, {"scope": []}, {"scope": [FULL], "lifetime": "3601s"},
                         {"scope": [FULL], "lifetime": 600}, {"scope": [FULL], "subject": "x"}):
            self.assertEqual(self.iam("generateAccessToken", document)[0], 400, document)
        self.google.state({"token_creators": []})
        self.denied(self.iam("generateAccessToken", {"scope": [FULL]}), "getAccessToken")


class Exchange(Keyless):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        private = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA"], check=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        cls.public = subprocess.run(["openssl", "pkey", "-pubout"], input=private, check=True,
                                    stdout=subprocess.PIPE).stdout.decode()
        cls.signer = crypt.RSASigner.from_string(private, "own")

    def fields(self, **changes):
        fields = {"grant_type": GRANT + "token-exchange", "audience": PROVIDER, "scope": CLOUD,
                  "requested_token_type": TYPE + "access_token", "subject_token_type": TYPE + "jwt",
                  **changes}
        if "subject_token" not in fields:
            fields["subject_token"] = self.google.subject_token()["subject_token"]
        return {name: value for name, value in fields.items() if value is not None}

    def exchange(self, headers=None, **changes):
        status, _, text = self.google.request(
            "POST", "/v1/token", urllib.parse.urlencode(self.fields(**changes)),
            {**FORM, **(headers or {})})
        return status, json.loads(text)

    def refused(self, error, **changes):
        status, answer = self.exchange(**changes)
        self.assertEqual((status, answer["error"]), (400, error), changes)
        return answer["error_description"]

    def own_token(self, **changes):
        """A token of a provider of the test's own, RS256."""
        now = int(time.time())
        claims = {"iss": "https://own.example", "sub": "me", "aud": "own-audience", "iat": now,
                  "exp": now + 600, **changes}
        return jwt.encode(self.signer, claims).decode()

    def own_provider(self, **changes):
        self.google.state({"identity_providers": [{
            "audience": PROVIDER, "issuer": "https://own.example",
            "allowed_audiences": ["own-audience"],
            "keys": [{"kid": "own", "public_key": self.public}], **changes}]})

    def test_a_federated_principal_signs_for_the_administrator(self):
        status, answer = self.exchange()
        self.assertEqual((status, answer["token_type"], answer["issued_token_type"],
                          answer["expires_in"]), (200, "Bearer", TYPE + "access_token", 3599))
        self.assertEqual(self.google.log(route="sts")[0]["principal"], PRINCIPAL + "rehearsal")
        status, signed = self.sign(answer["access_token"])
        self.assertEqual(status, 200, signed)
        self.assertEqual(self.grant(signed["signedJwt"])[0], 200)

    def test_camel_case_json_is_the_same(self):
        names = {"grant_type": "grantType", "requested_token_type": "requestedTokenType",
                 "subject_token": "subjectToken", "subject_token_type": "subjectTokenType"}
        document = {names.get(name, name): value for name, value in self.fields().items()}
        self.assertEqual(self.post("/v1/token", document)[0], 200)
        document = {name.replace("_", "-"): value for name, value in self.fields().items()}
        self.assertEqual(self.post("/v1/token", document)[0], 400)

    def test_another_subject_is_another_principal(self):
        token = self.exchange(subject_token=self.google.subject_token(
            subject="stranger")["subject_token"])[1]["access_token"]
        self.assertEqual(self.sign(token)[1]["error"]["message"], SIGN_DENIED)
        self.google.state({"token_creators": [
            {"principal": "principalSet:" + POOL + "/*", "account": INVITER}]})
        self.assertEqual(self.sign(token)[0], 200)

    def test_a_federated_token_is_not_an_administrator(self):
        for scope, message in ((FULL, "The caller does not have permission"),
                               (CLOUD, "Request had insufficient authentication scopes.")):
            status, answer = self.api(self.exchange(scope=scope)[1]["access_token"])
            self.assertEqual((status, answer["error"]["message"]), (403, message))

    def test_a_bearer_token_is_refused_but_a_client_may_say_who_it_is(self):
        self.assertEqual(self.exchange({"Authorization": "Bearer x"})[0], 401)
        self.google.switches({"sts_bearer": 400})
        self.assertEqual(self.exchange({"Authorization": "Bearer x"})[0], 400)
        basic = "Basic " + base64.b64encode(b"id:secret").decode()
        self.assertEqual(self.exchange({"Authorization": basic})[0], 200)

    def test_types_are_checked(self):
        self.refused("unsupported_grant_type", grant_type=GRANT + "jwt-bearer")
        self.refused("invalid_request", grant_type=None)
        self.refused("invalid_request", requested_token_type=TYPE + "id_token")
        self.refused("invalid_request", subject_token_type=TYPE + "saml2")
        self.assertEqual(self.exchange(subject_token_type=TYPE + "id_token")[0], 200)
        self.refused("invalid_scope", scope=None)
        self.refused("invalid_request", subject_token=None)
        self.assertEqual(self.google.request("POST", "/v1/token", "x", {
            "Content-Type": "text/plain"})[0], 400)

    def test_the_audience_is_a_provider_that_is_there(self):
        text = self.refused("invalid_target", audience=PROVIDER + "x")
        self.assertTrue(text.startswith('The target service indicated by the "audience" param'))
        self.assertTrue(self.refused("invalid_request", audience="https:" + PROVIDER).startswith(
            'Invalid value for "audience".'))
        self.refused("invalid_request", audience=None)
        self.own_provider(disabled=True)
        self.refused("invalid_target", subject_token=self.own_token())

    def test_a_token_of_ones_own_provider(self):
        self.own_provider()
        self.assertEqual(self.exchange(subject_token=self.own_token())[0], 200)
        self.assertEqual(self.exchange(subject_token=self.own_token(
            aud=["x", "own-audience"]))[0], 200)
        self.own_provider(allowed_audiences=[])
        self.assertEqual(self.exchange(subject_token=self.own_token(
            aud="https:" + PROVIDER))[0], 200)
        self.refused("invalid_grant", subject_token=self.own_token())

    def test_a_bad_subject_token_is_an_invalid_grant(self):
        now = int(time.time())
        self.own_provider()
        good = self.own_token()
        for token in ("x", good[:-8], good.rsplit(".", 1)[0] + ".AAAA",
                      jwt.encode(self.signer, {"iss": "x"}, key_id="other").decode(),
                      self.own_token(iss="https://other.example"), self.own_token(aud="other"),
                      self.own_token(sub=""), self.own_token(exp=now - 1),
                      self.own_token(iat=now + 600), self.own_token(iat=now - 86400 - 60),
                      self.own_token(iat=None)):
            self.refused("invalid_grant", subject_token=token)

    def test_a_token_counts_for_a_day_at_most(self):
        token = self.google.subject_token(seconds=86400)["subject_token"]
        self.google.advance("1439m")
        self.assertEqual(self.exchange(subject_token=token)[0], 200)
        self.google.advance("2m")
        self.refused("invalid_grant", subject_token=token)

    def test_lifetime_and_length_are_switches(self):
        self.google.switches({"sts_expires_in": False, "sts_token_size": 12288})
        answer = self.exchange()[1]
        self.assertNotIn("expires_in", answer)
        self.assertEqual(len(answer["access_token"]), 12288)
        self.assertEqual(self.sign(answer["access_token"])[0], 200)

    def test_no_signature_is_kept_in_the_log(self):
        token = self.google.subject_token()["subject_token"]
        self.exchange(subject_token=token)
        self.post("/v1/token", {"subjectToken": token, "audience": PROVIDER})
        kept = json.dumps(self.google.log())
        self.assertNotIn(token.split(".")[2][:20], kept)
        self.assertEqual(kept.count(token.split(".")[1]), 2)

    def test_faults_have_its_own_shape(self):
        self.google.faults([{"route": "sts", "status": 503}, {"route": "iam", "status": 500}])
        self.assertEqual(self.exchange()[1]["error"], "internal_failure")
        self.assertEqual(self.sign()[1]["error"]["status"], "INTERNAL")
        self.assertEqual((self.google.stats()["sts"], self.google.stats()["iam"]), (1, 1))

    def test_the_api_has_no_token_path_of_its_own(self):
        self.assertEqual(self.google.request("GET", "/v1/token")[0], 404)
        self.assertEqual(self.google.request("POST", "/v1beta1/token", "")[0], 404)
        self.assertEqual(self.google.request("POST", "/v1/tokens", "")[0], 404)


class Cloudinvite(Keyless):
    """The project's own client, with nothing between it and the emulator."""

    def check(self, site):
        self.google.accounts({"address": "alice@example.com"})
        done = site.run("check", "alice@example.com")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.google.log(route="check")[0]["principal"], "admin@example.com")

    def test_a_machine(self):
        with harness.Site(self.google, {"google": {
                "credentials": "metadata:", "service_account": INVITER,
                "metadata_exposed": "accept"}}) as site:
            self.check(site)
        self.assertEqual(self.google.log(route="iam")[0]["principal"], MACHINE)

    def test_a_federated_workload(self):
        with harness.Site(self.google) as site:
            token = self.google.subject_token()
            site.write("etc/subject", token["subject_token"])
            os.chmod(site.path("etc/subject"), 0o600)
            site.write("etc/federated.json", json.dumps({
                "type": "external_account", "audience": token["audience"],
                "subject_token_type": TYPE + "jwt",
                "token_url": "https://sts.googleapis.com/v1/token",
                "service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/"
                                                     f"projects/-/serviceAccounts/{INVITER}"
                                                     ":generateAccessToken",
                "credential_source": {"file": site.path("etc/subject")}}))
            os.chmod(site.path("etc/federated.json"), 0o600)
            site.write_settings({"google": {"credentials": site.path("etc/federated.json")}})
            self.check(site)
        self.assertEqual(self.google.log(route="iam")[0]["principal"], PRINCIPAL + "rehearsal")


if __name__ == "__main__":
    harness.main()
