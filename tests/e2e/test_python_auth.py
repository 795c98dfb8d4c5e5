#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""google-auth, which is not our code, drives the emulator's metadata server, IAM and token exchange.

Older versions have fewer features: Debian 12's 1.5.1 only knows the metadata server, so signJwt and the token exchange
are requested through its authorized transport there. Impersonation and workload identity are tested if the installed
version has them.
"""
import datetime
import importlib
import json
import os
import time
import unittest
import urllib.parse

import google.auth
import google_auth_httplib2
import httplib2
from google.auth import compute_engine, exceptions, jwt
from google.auth.compute_engine import _metadata
from google.oauth2 import credentials

try:
    from google.auth import iam, identity_pool, impersonated_credentials
except ImportError:
    identity_pool = impersonated_credentials = None

import harness

FULL = "https://www.googleapis.com/auth/cloud-identity.userinvitations"
CLOUD = "https://www.googleapis.com/auth/cloud-platform"
INVITER = "inviter@cloudinvite-emulated.iam.gserviceaccount.com"
MACHINE = "123456789012-compute@developer.gserviceaccount.com"
GRANT = "urn:ietf:params:oauth:grant-type:"
LIST = "/v1/customers/C01234567/userinvitations"


class Drive(harness.Test):
    """google-auth reads the metadata server's address from the environment when it is imported."""

    @classmethod
    def setUpClass(cls):
        cls.google = harness.Emulator().__enter__()
        host = urllib.parse.urlsplit(cls.google.metadata_url).netloc
        os.environ.update(GCE_METADATA_ROOT=host, GCE_METADATA_HOST=host, GCE_METADATA_IP=host)
        importlib.reload(_metadata)
        cls.request = google_auth_httplib2.Request(cls.http())

    @classmethod
    def http(cls):
        return httplib2.Http(ca_certs=cls.google.file("ca.pem"))

    @classmethod
    def tearDownClass(cls):
        cls.google.__exit__()

    def setUp(self):
        self.google.reset()

    def machine(self):
        """The machine's credentials, refreshed."""
        found = compute_engine.Credentials()
        found.refresh(self.request)
        return found

    def call(self, who, method, path, body=None, content_type="application/json"):
        """A request with these credentials: (status, document)."""
        http = google_auth_httplib2.AuthorizedHttp(who, http=self.http())
        reply, text = http.request(self.google.url + path, method, body=body,
                                   headers={"Content-Type": content_type})
        return int(reply["status"]), json.loads(text)

    def administrator(self, signed):
        """The credentials for which a signed assertion is exchanged."""
        form = urllib.parse.urlencode({"grant_type": GRANT + "jwt-bearer", "assertion": signed})
        status, _, text = self.google.request("POST", "/token", form, {
            "Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(status, 200, text)
        return credentials.Credentials(json.loads(text)["access_token"])

    def signed_by(self, caller):
        """signJwt as `caller`, for the administrator."""
        now = int(time.time())
        payload = {"iss": INVITER, "sub": self.google.subject, "scope": FULL, "iat": now,
                   "aud": "https://oauth2.googleapis.com/token", "exp": now + 3600}
        return self.call(caller, "POST", f"/v1/projects/-/serviceAccounts/{INVITER}:signJwt",
                         json.dumps({"payload": json.dumps(payload)}))


class MetadataServer(Drive):

    def test_it_is_detected(self):
        self.assertTrue(_metadata.ping(self.request))
        self.assertEqual(_metadata.get_project_id(self.request), "cloudinvite-emulated")

    def test_the_machines_account_and_token_are_found(self):
        found = self.machine()
        self.assertEqual((found.service_account_email, found.valid), (MACHINE, True))
        left = found.expiry - datetime.datetime.utcnow()
        self.assertLess(abs(left.total_seconds() - 3599), 30)
        info = _metadata.get_service_account_info(self.request)
        self.assertEqual((info["email"], info["scopes"]), (MACHINE, [CLOUD]))

    def test_it_is_the_default_credential_of_a_machine(self):
        self.assertNotIn("GOOGLE_APPLICATION_CREDENTIALS", os.environ)
        home = os.environ.get("CLOUDSDK_CONFIG")
        os.environ["CLOUDSDK_CONFIG"] = self.google.directory
        try:
            found, project = google.auth.default(request=self.request)
        finally:
            del os.environ["CLOUDSDK_CONFIG"]
            if home is not None:
                os.environ["CLOUDSDK_CONFIG"] = home
        self.assertIsInstance(found, compute_engine.Credentials)
        self.assertEqual(project, "cloudinvite-emulated")

    def test_a_machine_without_an_account_is_an_error(self):
        self.google.state({"instance": {"service_account": None}})
        with self.assertRaises(exceptions.RefreshError):
            self.machine()

    def test_the_machine_itself_is_not_an_administrator(self):
        self.assertEqual(self.call(self.machine(), "GET", LIST)[0], 403)

    def test_the_machine_signs_for_the_administrator(self):
        status, answer = self.signed_by(self.machine())
        self.assertEqual(status, 200, answer)
        self.assertEqual(jwt.decode_header(answer["signedJwt"])["kid"], answer["keyId"])
        self.assertEqual(self.call(self.administrator(answer["signedJwt"]), "GET", LIST)[0], 200)
        self.google.state({"token_creators": []})
        self.assertEqual(self.signed_by(self.machine())[0], 403)

    def test_a_federated_token_signs_for_the_administrator(self):
        token = self.google.subject_token()
        form = urllib.parse.urlencode({
            "grant_type": GRANT + "token-exchange", "audience": token["audience"], "scope": CLOUD,
            "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "subject_token": token["subject_token"]})
        status, _, text = self.google.request("POST", "/v1/token", form, {
            "Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(status, 200, text)
        federated = credentials.Credentials(json.loads(text)["access_token"])
        status, answer = self.signed_by(federated)
        self.assertEqual(status, 200, answer)
        self.assertEqual(self.call(self.administrator(answer["signedJwt"]), "GET", LIST)[0], 200)


class Impersonation(Drive):
    """Versions that have it; their hosts are constants of the module."""

    def setUp(self):
        super().setUp()
        base = self.google.url + "/v1/projects/-/serviceAccounts/{}"
        for module, name, value in (
                (iam, "_IAM_ENDPOINT", base + ":generateAccessToken"),
                (iam, "_IAM_SIGNJWT_ENDPOINT", base + ":signJwt"),
                (impersonated_credentials, "_GOOGLE_OAUTH2_TOKEN_ENDPOINT",
                 self.google.url + "/token")):
            self.addCleanup(setattr, module, name, getattr(module, name))
            setattr(module, name, value)

    def impersonated(self, **wishes):
        found = impersonated_credentials.Credentials(
            source_credentials=self.machine(), target_principal=INVITER, target_scopes=[FULL],
            **wishes)
        found.refresh(self.request)
        return found

    def test_generateAccessToken_is_not_an_administrator(self):
        self.assertEqual(self.call(self.impersonated(), "GET", LIST)[0], 403)
        self.assertEqual(self.google.log(route="iam")[0]["status"], 200)

    def test_signJwt_with_a_subject_is(self):
        found = self.impersonated(subject=self.google.subject)
        self.assertEqual(self.call(found, "GET", LIST)[0], 200)
        self.assertEqual(self.google.log(route="list")[0]["principal"], self.google.subject)

    def test_a_person_who_may_not_sign_gets_an_error(self):
        self.google.state({"token_creators": []})
        with self.assertRaises(exceptions.RefreshError):
            self.impersonated()
        self.assertEqual(self.google.log(route="iam")[0]["status"], 403)


class WorkloadIdentity(Drive):
    """Versions that have it: a subject token from a file, as text and as JSON."""

    def federated(self, text, **form):
        path = self.google.file("subject")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        found = identity_pool.Credentials.from_info({
            "type": "external_account", "audience": self.google.subject_token()["audience"],
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": self.google.url + "/v1/token",
            "credential_source": {"file": path, "format": form or {"type": "text"}}},
            scopes=[CLOUD])
        found.refresh(self.request)
        return found

    def test_a_subject_token_of_a_file_is_exchanged(self):
        token = self.google.subject_token()["subject_token"]
        for text, form in ((token, {}), (json.dumps({"id": token}), {
                "type": "json", "subject_token_field_name": "id"})):
            status, answer = self.signed_by(self.federated(text, **form))
            self.assertEqual(status, 200, answer)

    def test_a_bad_one_is_an_error(self):
        with self.assertRaises(exceptions.OAuthError):
            self.federated("x")


def load_tests(loader, tests, pattern):
    """The tests that the installed version supports; the others do not count as left out."""
    del tests, pattern
    cases = [MetadataServer]
    if identity_pool is not None:
        cases.append(WorkloadIdentity)
        if hasattr(iam, "_IAM_SIGNJWT_ENDPOINT"):
            cases.append(Impersonation)
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in cases)


if __name__ == "__main__":
    harness.main()
