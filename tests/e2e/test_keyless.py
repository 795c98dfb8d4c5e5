#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Credentials without a key: which source asks IAM to sign, what is refused on the way, and which other users of the
host could do so. In a network of its own, in which this machine has 169.254.169.254.
"""
import ctypes
import json
import os
import pwd
import shutil
import socket
import subprocess
import unittest

import fake_gcp
import harness
from fake_gcp import AUDIENCE, INVITER, MACHINE

CLONE_NEWNET = 0x40000000
ADDRESS = "169.254.169.254"
ADDRESS_6 = "fd20:ce::254"
WORKER = pwd.getpwnam("daemon")
RULE = os.path.join(harness.SOURCE, "config/nftables/cloudinvite-metadata.nft")


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root: a network of its own")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise unittest.SkipTest(f"no network of its own: {os.strerror(ctypes.get_errno())}")
    for command in ("link set lo up", f"addr add {ADDRESS}/32 dev lo",
                    f"addr add {ADDRESS_6}/128 dev lo nodad"):
        subprocess.run(["ip", *command.split()], check=True)


class Keyless(harness.Test):
    """One emulator and one cloud for all tests of a class; each test has a host of its own."""

    @classmethod
    def setUpClass(cls):
        cls.google = harness.Emulator()
        cls.google.__enter__()
        cls.addClassCleanup(cls.google.__exit__)

    def setUp(self):
        self.google.reset()
        self.google.accounts({"address": "alice@example.com"})
        self.cloud = fake_gcp.FakeGcp(self.google)
        self.addCleanup(self.cloud.close)
        self.site = None

    def host(self, worker="root", **google):
        """`google` are settings of [google]; a `file` among them becomes the credential's file."""
        file = google.pop("file", None)
        settings = {**self.cloud.settings, "credentials": "metadata:", **google}
        if file is not None:
            settings["credentials"] = self.google.file("file.json")
            self.write(settings["credentials"], json.dumps(file))
        self.site = harness.Site(self.google, {"google": settings, "worker": harness.accounts(worker)})
        self.site.__enter__()
        self.addCleanup(self.site.__exit__)
        return self.site

    @staticmethod
    def write(path, text, mode=0o600):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), mode)
        return path

    def machine(self, **google):
        """A host whose own account asks, and whose other users do not matter."""
        return self.host(**{"service_account": INVITER, "metadata_exposed": "accept", **google})

    def invites_alice(self):
        """From login to mail; returns the dispatcher's log."""
        self.site.arrive_account("alice")
        self.site.collector_once()
        said = self.site.dispatcher_once()
        self.assertEqual(self.google.mailbox()["counts"], {"alice@example.com": 1}, said)
        return said

    def refused(self, status, what, remedy=""):
        """The refusal of a token, on standard error."""
        done = self.site.run("token", "--print")
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        self.assertIn(what, done.stderr)
        self.assertIn(remedy, done.stderr)
        for secret in [*self.cloud.tokens, self.cloud.subject]:
            self.assertNotIn(secret, done.stderr)
        return done.stderr


class Machine(Keyless):
    def test_the_machines_account_has_the_inviter_sign_and_alice_has_one_mail(self):
        self.machine()
        said = self.invites_alice()
        self.assertIn(f"{INVITER} as admin@example.com", said)
        for secret in self.cloud.tokens:
            self.assertNotIn(secret, said)
        self.assertEqual([e["path"].split("?")[0].split("/")[-1] for e in
                          self.cloud.asked("metadata")], ["universe-domain", "email", "token"])
        (signed,) = self.cloud.asked("iam")
        self.assertEqual((signed["caller"], signed["account"]), (MACHINE, INVITER))
        claims = signed["claims"]
        self.assertEqual((claims["iss"], claims["sub"], claims["aud"], claims["scope"]),
                         (INVITER, "admin@example.com", "https://oauth2.googleapis.com/token",
                          "https://www.googleapis.com/auth/cloud-identity.userinvitations"))
        self.assertLessEqual(claims["exp"] - claims["iat"], 3600)

    def test_one_token_serves_all_programs(self):
        self.machine()
        self.invites_alice()
        self.assertEqual(self.site.run("token", "--print").returncode, 0)
        self.assertEqual(self.site.run("check", "alice@example.com").returncode, 0)
        self.assertEqual(len(self.cloud.asked("iam")), 1)

    def test_a_metadata_server_that_is_busy_for_a_moment_is_asked_again(self):
        self.machine()
        self.cloud.busy = 2
        self.invites_alice()
        self.assertEqual(len(self.cloud.asked("metadata")), 5)

    def test_the_metadata_server_is_never_asked_through_a_proxy(self):
        self.machine(proxy="http://127.0.0.1:9")
        self.refused(5, "127.0.0.1")
        self.assertEqual(len(self.cloud.asked("metadata")), 3)
        self.assertEqual(self.cloud.asked("iam"), [])

    def test_a_clock_that_is_off_is_made_good(self):
        self.google.clock({"advance": "-10m"})
        self.machine()
        self.invites_alice()
        self.assertEqual(len(self.cloud.asked("iam")), 2)
        self.assertEqual(len(self.cloud.asked("metadata")), 3)

    def test_settings_without_account_or_subject_are_refused(self):
        for missing in ("service_account", "subject"):
            self.machine(**{missing: ""})
            done = self.site.run("config", "--check")
            self.assertEqual(done.returncode, 3, done.stdout)
            self.assertIn(f"{missing}: metadata: requires", " ".join(done.stdout.split()))
        self.assertEqual(self.cloud.log, [])


class Refusals(Keyless):
    def test_an_account_that_may_not_sign_is_told_the_command_that_grants_it(self):
        self.machine()
        self.cloud.creators.clear()
        self.refused(6, f"{MACHINE} may not sign as {INVITER}",
                     f"add-iam-policy-binding {INVITER} --member=serviceAccount:{MACHINE} "
                     "--role=roles/iam.serviceAccountTokenCreator")

    def test_the_dispatcher_pauses_and_charges_no_person(self):
        self.machine()
        self.cloud.creators.clear()
        self.site.arrive_account("alice")
        self.site.collector_once()
        self.assertIn("may not sign", self.site.dispatcher_once())
        status = self.site.json("status", "--json", "alice@example.com")
        self.assertEqual([p["state"] for p in status["people"]], ["queued"])
        self.cloud.creators.add((MACHINE, INVITER))
        self.assertEqual(self.site.run("resume").returncode, 0)
        self.site.dispatcher_once()
        self.assertEqual(self.google.mailbox()["counts"], {"alice@example.com": 1})

    def test_each_step_has_its_sentence(self):
        self.machine()
        self.cloud.api_disabled = True
        self.refused(6, "IAM Service Account Credentials API is not enabled",
                     "gcloud services enable iamcredentials.googleapis.com")
        self.cloud.account = None
        self.refused(6, "no service account", "set-service-account")
        self.cloud.universe = "example.goog"
        self.refused(4, "'example.goog' is not googleapis.com")
        self.site.write_settings({"google": {"metadata_endpoint": "http://127.0.0.1:9"}})
        self.refused(6, "no metadata server answers at http://127.0.0.1:9", "Google Cloud")

    def test_an_account_that_does_not_exist_is_called_that(self):
        self.machine(service_account="nobody@cloudinvite-emulated.iam.gserviceaccount.com")
        self.refused(6, "nobody@cloudinvite-emulated.iam.gserviceaccount.com does not exist",
                     "service-accounts list")

    def test_a_missing_delegation_is_still_the_token_endpoints(self):
        self.machine()
        self.google.state({"grants": []})
        self.refused(6, "domain-wide delegation is missing", "exactly the scope")


BROKEN = ("", "<html>Welcome</html>", "{", "[]", "null", '{"signedJwt":1,"access_token":1}',
          '{"signedJwt":"a.b","access_token":"a b"}', '{"signedJwt":"a.b.c&d=e"}',
          '{"signedJwt":"a.b.c","signedJwt":"a.b.d","access_token":"a","access_token":"b"}',
          '{"signedJwt":"..","access_token":""}', "\0", "x" * 2000000)


class Broken(Keyless):
    """A reply that is not an answer is transient, and named."""

    def test_an_unexpected_reply_of_iam_is_transient(self):
        self.machine(timeout="3s")
        for body in BROKEN:
            self.cloud.instead = (200, body)
            self.refused(5, self.cloud.settings["iam_endpoint"].removeprefix("https://"))
        self.cloud.instead = (302, "")
        self.refused(6, "not look like IAM", "iam_endpoint")

    def test_an_unexpected_reply_of_the_exchange_is_transient(self):
        self.host(timeout="3s", file=Federation.file(self, {"file": Federation.token(self)}))
        for body in BROKEN:
            self.cloud.instead = (200, body)
            self.refused(5, self.cloud.settings["sts_endpoint"].split("/")[2])
        self.cloud.instead = (302, "")
        self.refused(6, "not look like the token service", "sts_endpoint")
        self.assertEqual(self.cloud.asked("iam"), [])

    def test_a_metadata_server_that_hangs_is_given_up(self):
        self.machine(timeout="1s")
        self.cloud.awake.clear()
        self.refused(5, "no answer before the timeout")

    def test_a_stop_of_the_dispatcher_does_not_wait_for_it(self):
        self.machine(timeout="60s")
        self.cloud.awake.clear()
        self.site.arrive_account("alice")
        self.site.collector_once()
        dispatcher = self.site.start_dispatcher()
        harness.wait_for(lambda: self.cloud.asked("waiting"), "the first question")
        self.assertEqual(harness.stop(dispatcher, 10), 0)


class Impersonation(Keyless):
    def file(self, **more):
        with open(self.google.file("credentials.json"), encoding="utf-8") as file:
            source = json.load(file)
        url = f"https://iamcredentials.googleapis.com/v1/{fake_gcp.ACCOUNTS}{INVITER}"
        return {"type": "impersonated_service_account", "source_credentials": source,
                "service_account_impersonation_url": url + ":generateAccessToken", **more}

    def test_the_service_account_in_the_file_has_the_inviter_sign(self):
        self.host(file=self.file())
        self.invites_alice()
        self.assertEqual(self.cloud.asked("iam")[0]["chain"], [INVITER, INVITER])

    def test_a_chain_of_delegates_is_handed_on(self):
        middle = "middle@cloudinvite-emulated.iam.gserviceaccount.com"
        self.host(file=self.file(delegates=[fake_gcp.ACCOUNTS + middle]))
        self.refused(6, "may not sign")
        self.cloud.creators |= {(INVITER, middle), (middle, INVITER)}
        self.invites_alice()
        self.assertEqual(self.cloud.asked("iam")[-1]["chain"], [INVITER, middle, INVITER])

    def test_a_persons_login_has_the_inviter_sign(self):
        login = self.google.control("POST", "logins", {
            "address": "admin@example.com",
            "scopes": "https://www.googleapis.com/auth/cloud-platform"})
        self.cloud.person = "admin@example.com"
        self.host(file=self.file(source_credentials=login))
        self.refused(6, "may not sign", "--member=user:ADDRESS")
        self.cloud.creators.add(("admin@example.com", INVITER))
        self.invites_alice()

    def test_without_a_subject_it_is_refused(self):
        self.host(file=self.file(), subject="")
        self.refused(4, "`subject` is not set")
        self.assertEqual(self.cloud.log, [])

    def test_a_workforce_login_is_refused_with_the_reason(self):
        self.host(file=self.file(source_credentials={"type": "external_account_authorized_user"}))
        self.refused(4, "workforce pool user, which expires within hours")


class Federation(Keyless):
    def file(self, source, **more):
        url = f"https://iamcredentials.googleapis.com/v1/{fake_gcp.ACCOUNTS}{INVITER}"
        return {"type": "external_account", "audience": AUDIENCE,
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                "token_url": "https://sts.googleapis.com/v1/token", "credential_source": source,
                "service_account_impersonation_url": url + ":generateAccessToken", **more}

    def token(self, text=None, mode=0o600):
        return self.write(self.google.file("subject"), text or self.cloud.subject + "\n", mode)

    def test_a_token_in_a_file_becomes_a_signature(self):
        self.host(file=self.file({"file": self.token()}))
        said = self.invites_alice()
        self.assertNotIn(self.cloud.subject, said)
        (exchanged,) = self.cloud.asked("sts")
        self.assertIsNone(exchanged["authorization"])
        self.assertEqual(exchanged["form"]["subject_token"], self.cloud.subject)
        self.assertEqual(self.cloud.asked("iam")[0]["caller"], fake_gcp.POOL + "/subject/s")

    def test_a_token_inside_json_is_found_and_the_client_identifies_itself(self):
        source = {"file": self.token(json.dumps({"id_token": self.cloud.subject})),
                  "format": {"type": "json", "subject_token_field_name": "id_token"}}
        self.host(file=self.file(source, client_id="id", client_secret="secret"))
        self.invites_alice()
        self.assertEqual(self.cloud.asked("sts")[0]["authorization"], "Basic aWQ6c2VjcmV0")

    def test_a_token_that_was_replaced_is_read_again(self):
        self.host(file=self.file({"file": self.token("eyJ.old.one")}))
        self.refused(6, "does not accept the subject token", "token is new")
        self.token()
        self.invites_alice()

    def test_another_clouds_metadata_server_is_trusted_if_the_settings_name_it(self):
        url = self.cloud.settings["metadata_endpoint"] + "/identity"
        source = {"url": url, "headers": {"Metadata": "True"},
                  "format": {"type": "json", "subject_token_field_name": "value"}}
        self.host(file=self.file(source), metadata_endpoint="http://metadata.google.internal")
        self.refused(4, "is not an https URL", "metadata_endpoint")
        self.site.write_settings(
            {"google": {"metadata_endpoint": self.cloud.settings["metadata_endpoint"]}})
        self.site.program("cloudinvite-dispatcher", "--prepare")
        self.refused(4, "every user of this host can reach", "metadata_exposed = accept")
        self.site.write_settings({"google": {"metadata_exposed": "accept"}})
        self.invites_alice()

    def test_a_token_that_every_user_can_read_is_refused(self):
        self.host(file=self.file({"file": self.token(mode=0o644)}))
        self.refused(4, "subject", "metadata_exposed = accept")
        self.site.write_settings({"google": {"metadata_exposed": "accept"}})
        self.invites_alice()

    def test_an_unknown_provider_is_called_that(self):
        self.host(file=self.file({"file": self.token()}, audience=fake_gcp.POOL + "/providers/x"))
        self.refused(6, "/providers/x does not exist", "providers describe")

    def test_a_person_who_may_not_sign_is_named_as_iam_wants_it(self):
        self.cloud.creators.clear()
        self.host(file=self.file({"file": self.token()}))
        self.refused(6, "may not sign", f"--member=principal:{fake_gcp.POOL}/subject/SUBJECT")

    def test_no_program_of_the_file_is_run(self):
        trace = self.google.file("trace")
        self.host(file=self.file({"executable": {"command": f"/bin/touch {trace}"}}))
        self.refused(4, "programs named in a file are not run")
        self.assertFalse(os.path.exists(trace))


@unittest.skipUnless(shutil.which("nft"), "nft is missing: packaging/deps names nftables")
class Exposure(Keyless):
    """The dispatcher runs as an ordinary user here, as in production."""

    def setUp(self):
        super().setUp()
        self.cloud.serve(fake_gcp.Metadata, address=(ADDRESS, 80))
        for name in ("", "both.pem"):
            os.chmod(self.google.file(name), 0o755)
        subprocess.run(["nft", "flush", "ruleset"], check=True)
        self.addCleanup(subprocess.run, ["nft", "flush", "ruleset"], check=True)

    def machine(self, **google):
        self.host(worker=WORKER.pw_name, **{
            "service_account": INVITER, "metadata_endpoint": f"http://{ADDRESS}", **google})
        os.chmod(self.site.root, 0o755)
        return self.site

    @staticmethod
    def close_door():
        with open(RULE, encoding="utf-8") as file:
            rule = file.read()
        assert rule.count("{ root, cloudinvite-dispatcher }") == 2
        rule = rule.replace("{ root, cloudinvite-dispatcher }", f"{{ root, {WORKER.pw_name} }}")
        for _ in range(2):  # a second time changes nothing
            subprocess.run(["nft", "-f", "-"], input=rule, text=True, check=True)

    def prepare(self):
        return self.site.program("cloudinvite-dispatcher", "--prepare")

    def reaches(self, user, address, port=80):
        """Whether that user's programs can reach it."""
        command = f"import socket; socket.create_connection(('{address}', {port}), 5)"
        entry = pwd.getpwnam(user)
        return subprocess.run(["/usr/bin/python3", "-c", command], user=entry.pw_uid,
                              group=entry.pw_gid, extra_groups=[], stderr=subprocess.DEVNULL,
                              check=False).returncode == 0

    def test_if_every_user_reaches_it_nothing_is_sent(self):
        self.machine()
        said = self.refused(4, f"every user of this host can reach http://{ADDRESS}",
                            "cloudinvite-metadata.nft")
        self.assertIn("metadata_exposed = accept", said)
        with self.assertRaisesRegex(AssertionError, "ended with 4"):
            self.site.dispatcher_once()
        self.assertEqual([e for e in self.cloud.log if "token" in e.get("path", "")], [])

    def test_the_shipped_rule_closes_it_and_prepare_sees_that(self):
        self.machine()
        self.close_door()
        self.refused(4, "every user")  # it has not been tested since
        self.assertIn("an unprivileged user cannot", self.prepare())
        self.invites_alice()
        self.assertEqual([self.reaches(user, ADDRESS) for user in ("root", "daemon", "nobody",
                                                                   "games")],
                         [True, True, False, False])

    def test_a_rule_that_is_gone_is_noticed_at_the_next_start(self):
        self.close_door()
        self.machine()
        self.assertEqual(self.site.run("token", "--print").returncode, 0)
        subprocess.run(["nft", "flush", "ruleset"], check=True)
        self.prepare()
        self.refused(4, "every user")

    def test_names_are_still_resolved_for_every_user(self):
        self.close_door()
        with socket.create_server((ADDRESS, 53)):
            self.assertTrue(self.reaches("nobody", ADDRESS, 53))

    def test_the_other_protocol_is_closed_too(self):
        with socket.create_server((ADDRESS_6, 80), family=socket.AF_INET6):
            self.machine(metadata_endpoint=f"http://[{ADDRESS_6}]")
            self.refused(4, "every user")
            self.close_door()
            self.assertIn("an unprivileged user cannot", self.prepare())
            self.assertFalse(self.reaches("nobody", ADDRESS_6))

    def test_the_settings_may_accept_it(self):
        self.machine(metadata_exposed="accept")
        self.invites_alice()
        self.assertFalse(os.path.exists(self.site.path("run.metadata")))

    def test_the_services_own_account_cannot_change_the_result(self):
        self.machine()
        status = os.stat(self.site.path("run.metadata"))
        self.assertEqual((status.st_uid, status.st_mode & 0o777), (0, 0o644))
        self.assertEqual(os.stat(self.site.root).st_uid, 0)
        self.assertEqual(os.stat(self.site.path("run")).st_uid, 0)

    def test_without_a_metadata_server_it_is_not_known(self):
        self.machine(metadata_endpoint=f"http://{ADDRESS}:81")
        self.refused(4, "it is not known whether other users", "--prepare")

    def test_prepare_looks_only_where_it_matters(self):
        self.host(worker=WORKER.pw_name, credentials=self.google.file("credentials.json"),
                  metadata_endpoint=f"http://{ADDRESS}:81")
        self.assertFalse(os.path.exists(self.site.path("run.metadata")))


if __name__ == "__main__":
    harness.main()
