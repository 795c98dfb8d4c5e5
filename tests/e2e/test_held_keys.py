#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Shows I17 (docs/design.md, "Invariants").
"""Keys that cannot be copied: in a PKCS#11 token (SoftHSM2) and in a TPM 2.0 (swtpm). The emulator only knows their
public halves, and verifies their signatures.
"""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import harness

ALICE = "alice@example.com"
KEY_ID = "f00d" * 10
HANDLE = "handle:0x81000001"
WRONG, RIGHT = "918273", "482913"


def first(*paths):
    return next((path for path in paths if os.path.exists(path)), "")


LIB = "/usr/lib/" + os.uname().machine + "-linux-gnu"
SOFTHSM = first("/usr/lib/softhsm/libsofthsm2.so", LIB + "/softhsm/libsofthsm2.so",
                "/usr/lib64/pkcs11/libsofthsm2.so")
SPY = first(LIB + "/pkcs11/pkcs11-spy.so", LIB + "/pkcs11-spy.so", "/usr/lib64/pkcs11-spy.so")
PKCS11 = first(LIB + "/ossl-modules/pkcs11.so", LIB + "/engines-3/pkcs11.so",
               "/usr/lib64/ossl-modules/pkcs11.so")
TPM2 = first(LIB + "/ossl-modules/tpm2.so", "/usr/lib64/ossl-modules/tpm2.so")


def run(*command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True,
                          stdin=subprocess.DEVNULL, timeout=harness.TIMEOUT, **more).stdout


def environment(**values):
    """For this process and everything that it starts, until the test class ends."""
    os.environ.update(values)
    return lambda: [os.environ.pop(name, None) for name in values]


@contextlib.contextmanager
def place(key, public):
    """An emulated Google with the public half of the key, and a site that uses the key."""
    with harness.Emulator() as google:
        account = google.state()["service_accounts"][0]
        account["keys"] = [{"kid": KEY_ID, "public_key": public}]
        google.state({"service_accounts": [account]})
        google.accounts({"address": ALICE})
        settings = {"key": key, "service_account": account["email"], "key_id": KEY_ID}
        with harness.Site(google, {"google": settings}) as site:
            site.google = google
            yield site


class Keys(harness.Test):
    def invites(self, key, public):
        """From the login to the mail."""
        with place(key, public) as site:
            site.arrive_account("alice")
            site.collector_once()
            site.dispatcher_once()
            self.assertEqual(site.google.mailbox()["counts"], {ALICE: 1})

    def check(self, site, status, *words):
        """`check` ends with that status and prints the words; without them, that the address is invitable."""
        done = site.run("check", ALICE)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, " ".join((done.stdout + done.stderr).split()))


class Token(Keys):
    """A PKCS#11 token."""

    @classmethod
    def setUpClass(cls):
        if not (SOFTHSM and SPY and PKCS11 and shutil.which("pkcs11-tool")):
            raise cls.skipTest(cls(), "softhsm2, opensc or a PKCS#11 provider or engine is missing")
        cls.directory = tempfile.mkdtemp(prefix="cloudinvite-softhsm.")
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.tokens = cls.directory + "/tokens"
        os.mkdir(cls.tokens)
        cls.write("softhsm2.conf", f"directories.tokendir = {cls.tokens}\nlog.level = ERROR\n")
        cls.calls = cls.directory + "/calls"
        # The calls of provider, engine and our own code to the token are recorded.
        cls.addClassCleanup(environment(
            SOFTHSM2_CONF=cls.directory + "/softhsm2.conf", PKCS11SPY=SOFTHSM,
            PKCS11SPY_OUTPUT=cls.calls, PKCS11_PROVIDER_MODULE=SPY, PKCS11_MODULE_PATH=SPY))
        cls.make_token("cloudinvite")
        cls.tool("cloudinvite", "--keypairgen", "--key-type", "rsa:2048", "--id", "01", "--label",
                 "inviter")
        cls.tool("cloudinvite", "--keypairgen", "--key-type", "EC:prime256v1", "--id", "02",
                 "--label", "curve", "--usage-sign")
        der = cls.directory + "/public.der"
        cls.tool("cloudinvite", "--read-object", "--type", "pubkey", "--id", "01", "-o", der)
        cls.public = run("openssl", "pkey", "-pubin", "-inform", "der", "-in", der).decode()

    @classmethod
    def write(cls, name, text):
        with open(f"{cls.directory}/{name}", "w", encoding="ascii") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o600)

    @classmethod
    def make_token(cls, label):
        run("softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "4321",
            "--pin", RIGHT)

    @classmethod
    def tool(cls, token, *arguments):
        run("pkcs11-tool", "--module", SOFTHSM, "--token-label", token, "--login", "--pin", RIGHT,
            *arguments)

    def setUp(self):
        self.write("pin", RIGHT + "\n")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.calls)

    def key(self, token="cloudinvite", name="inviter"):
        return f"pkcs11:token={token};object={name}?pin-source=file:{self.directory}/pin"

    def logins(self):
        """How often a PIN was given to the token."""
        if not os.path.exists(self.calls):
            return 0
        with open(self.calls, encoding="utf-8", errors="replace") as file:
            return file.read().count("C_Login")

    def test_reading_the_uri_reads_no_configuration_of_p11_kit(self):
        trace = self.directory + "/trace"
        with place(self.key(), self.public) as site:
            done = subprocess.run(
                ["strace", "-f", "-o", trace, "-e", "trace=%file", os.path.join(harness.BUILD, "cloudinvite"),
                 "-c", site.conf, "config", "--check"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                env={**os.environ, "HOME": self.directory, "XDG_CONFIG_HOME": self.directory}, check=False,
                timeout=harness.TIMEOUT)
        self.assertEqual(done.returncode, 0, done.stdout)
        with open(trace, encoding="utf-8", errors="replace") as file:
            paths = [path for line in file for path in line.split('"')[1::2]]
        self.assertIn(self.directory + "/pin", paths)
        self.assertEqual([path for path in paths if "/pkcs11" in path or "/p11-kit" in path
                          or path.startswith(self.directory) and path != self.directory + "/pin"], [])

    def test_the_key_signs_in_the_token_and_somebody_is_invited(self):
        self.invites(self.key(), self.public)

    def test_while_a_cached_token_is_good_the_key_is_left_alone(self):
        with place(self.key(), self.public) as site:
            self.check(site, 0)
            os.rename(self.tokens, self.tokens + ".out")
            try:
                self.check(site, 0)
            finally:
                os.rename(self.tokens + ".out", self.tokens)

    def test_a_wrong_pin_is_given_once_by_however_many_processes(self):
        self.write("pin", WRONG + "\n")
        with place(self.key(), self.public) as site:
            self.check(site, 4, "PIN", "refused")
            self.assertEqual(self.logins(), 1)
            for _ in range(3):
                self.check(site, 4, "has rejected this PIN before", "pin-refused-")
            site.arrive_account("alice")
            site.collector_once()
            site.dispatcher_once()
            self.assertEqual(self.logins(), 1)
            self.assertEqual(site.google.mailbox()["total"], 0)
            self.write("pin", RIGHT + "\n")
            self.check(site, 0)
            self.assertEqual(self.logins(), 2)
            self.assertEqual([name for name in os.listdir(site.path("tokens"))
                              if name.startswith("pin-")], [])

    def test_the_pin_is_shown_nowhere(self):
        with place(f"pkcs11:token=cloudinvite;object=nope?pin-value={RIGHT}", self.public) as site:
            os.chmod(site.conf, 0o600)
            shown = ""
            for verb in (["check", ALICE], ["token"], ["token", "--json"], ["config"]):
                done = site.run(*verb)
                shown += done.stdout + done.stderr
            self.assertIn("object=nope", shown)
            self.assertNotIn(RIGHT, shown)

    def test_a_token_that_is_pulled_out_and_put_back_works_again(self):
        with place(self.key(), self.public) as site:
            os.rename(self.tokens, self.tokens + ".out")
            os.mkdir(self.tokens)
            try:
                self.check(site, 4, "PKCS#11 token not found", "No restart is needed")
            finally:
                os.rmdir(self.tokens)
                os.rename(self.tokens + ".out", self.tokens)
            self.check(site, 0)

    def test_another_tokens_name_is_answered_with_those_there_are(self):
        with place(self.key(token="nope"), self.public) as site:
            self.check(site, 4, "tokens found: cloudinvite")
        self.assertEqual(self.logins(), 0)

    def test_a_missing_key_is_reported(self):
        with place(self.key(name="nope"), self.public) as site:
            self.check(site, 4, "pkcs11:token=cloudinvite;object=nope", "private key",
                       "--list-objects")

    def test_a_key_that_google_does_not_accept_is_reported(self):
        with place(self.key(name="curve"), self.public) as site:
            self.check(site, 4, "not an RSA key", "Create an RSA key of 2048 bits")

    def test_a_token_that_asks_for_a_pin_is_not_asked_without(self):
        with place("pkcs11:token=cloudinvite;object=inviter", self.public) as site:
            self.check(site, 4, "requires a PIN, and none is set", "pin-source=file:")
        self.assertEqual(self.logins(), 0)

    def test_a_pin_that_every_user_may_read_is_refused(self):
        os.chmod(self.directory + "/pin", 0o644)
        with place(self.key(), self.public) as site:
            self.check(site, 4, self.directory + "/pin")
            self.assertIn("0640", site.run("config", "--check").stdout)
        self.assertEqual(self.logins(), 0)

    def test_of_two_tokens_of_one_name_neither_gets_the_pin(self):
        self.make_token("twin")
        self.make_token("twin")
        with place(self.key(token="twin"), self.public) as site:
            self.check(site, 4, "several tokens match", "Add serial=")
        self.assertEqual(self.logins(), 0)

    def test_without_provider_and_engine_it_says_what_to_install(self):
        back = environment(OPENSSL_MODULES="/nonexistent", OPENSSL_ENGINES="/nonexistent")
        self.addCleanup(back)
        with place(self.key(), self.public) as site:
            self.check(site, 4, "no PKCS#11 provider", "pkcs11-provider (Debian 13)")


class Tpm(Keys):
    """A TPM 2.0, emulated."""

    @classmethod
    def setUpClass(cls):
        if not (TPM2 and shutil.which("swtpm") and shutil.which("tpm2_create")):
            raise cls.skipTest(cls(), "swtpm, tpm2-tools or tpm2-openssl is missing")
        cls.directory = tempfile.mkdtemp(prefix="cloudinvite-swtpm.")
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.port = cls.free_ports()
        cls.process = None
        cls.addClassCleanup(lambda: cls.stop())  # pylint: disable=unnecessary-lambda
        where = f"swtpm:host=127.0.0.1,port={cls.port}"
        cls.addClassCleanup(environment(TPM2TOOLS_TCTI=where, TPM2OPENSSL_TCTI=where))
        cls.start()
        cls.tool("createprimary", "-C", "o", "-c", "primary.ctx")
        cls.make("0x81000001")
        cls.make("0x81000002", "-p", "secret")
        cls.tool("readpublic", "-c", "0x81000001", "-f", "pem", "-o", "public.pem")
        with open(cls.directory + "/public.pem", encoding="ascii") as file:
            cls.public = file.read()

    @staticmethod
    def free_ports():
        """Two free ports in a row: the second is for swtpm's control channel."""
        while True:
            with socket.socket() as one, socket.socket() as two:
                one.bind(("127.0.0.1", 0))
                port = one.getsockname()[1]
                with contextlib.suppress(OSError, OverflowError):
                    two.bind(("127.0.0.1", port + 1))
                    return port

    @classmethod
    def start(cls):
        cls.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + cls.directory, "--server",
             f"type=tcp,port={cls.port},bindaddr=127.0.0.1", "--ctrl",
             f"type=tcp,port={cls.port + 1},bindaddr=127.0.0.1", "--flags",
             "startup-clear,not-need-init"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        harness.wait_for(cls.answers, "the TPM")

    @classmethod
    def answers(cls):
        with contextlib.suppress(subprocess.CalledProcessError):
            return cls.tool("getcap", "properties-variable")
        return None

    @classmethod
    def stop(cls):
        if cls.process and cls.process.poll() is None:
            cls.process.send_signal(signal.SIGTERM)
            cls.process.wait(harness.TIMEOUT)

    @classmethod
    def tool(cls, name, *arguments):
        return run("tpm2_" + name, *arguments, cwd=cls.directory).decode()

    @classmethod
    def make(cls, handle, *more):
        """A signing key that stays in the TPM under the handle."""
        cls.tool("flushcontext", "-t")
        cls.tool("create", "-C", "primary.ctx", "-G", "rsa2048:rsassa-sha256:null", "-a",
                 "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign", "-u", "key.pub",
                 "-r", "key.priv", "-c", "key.ctx", *more)
        cls.tool("flushcontext", "-t")
        cls.tool("evictcontrol", "-C", "o", "-c", "key.ctx", handle)
        cls.tool("flushcontext", "-t")

    def failures(self):
        """How many wrong passwords the TPM has counted."""
        for line in self.tool("getcap", "properties-variable").splitlines():
            if line.startswith("TPM2_PT_LOCKOUT_COUNTER:"):
                return int(line.split(":")[1], 0)
        raise AssertionError("no TPM2_PT_LOCKOUT_COUNTER")

    def test_the_key_signs_in_the_tpm_and_a_person_is_invited(self):
        self.invites(HANDLE, self.public)

    def test_a_key_with_a_password_costs_the_tpm_one_failure_and_no_more(self):
        before = self.failures()
        with place("handle:0x81000002", self.public) as site:
            self.check(site, 4, "must not have a password")
            for _ in range(3):
                self.check(site, 4, "pin-refused-")
        self.assertEqual(self.failures(), before + 1)
        self.tool("dictionarylockout", "--clear-lockout")

    def test_a_handle_without_a_key_is_reported(self):
        with place("handle:0x81000009", self.public) as site:
            self.check(site, 4, "private key not found", "tpm2_getcap handles-persistent")

    def test_a_tpm_that_is_gone_and_back_works_again(self):
        with place(HANDLE, self.public) as site:
            self.stop()
            try:
                self.check(site, 4, "cannot access the TPM", "/dev/tpmrm0")
            finally:
                self.start()
            self.check(site, 0)

    def test_without_its_provider_it_says_what_to_install(self):
        self.addCleanup(environment(OPENSSL_MODULES="/nonexistent"))
        with place(HANDLE, self.public) as site:
            self.check(site, 4, "no TPM 2.0 provider", "Install tpm2-openssl")

    def test_a_signature_does_not_keep_a_call_waiting(self):
        with place(HANDLE, self.public) as site:
            begun = time.monotonic()
            self.check(site, 0)
            print(f"# check with a fresh token from the TPM: {time.monotonic() - begun:.3f} s")
            self.assertLess(time.monotonic() - begun, harness.TIMEOUT / 2)


class HandedOver(Keys):
    """credentials = systemd:NAME."""

    def site(self, google):
        return harness.Site(google, {"google": {"credentials": "systemd:google"}})

    def test_the_credential_is_found_where_systemd_puts_it(self):
        with harness.Emulator() as google, self.site(google) as site:
            google.accounts({"address": ALICE})
            os.mkdir(site.path("credentials"), 0o500)
            shutil.copy(google.file("credentials.json"), site.path("credentials/google"))
            os.chmod(site.path("credentials/google"), 0o400)
            self.addCleanup(environment(CREDENTIALS_DIRECTORY=site.path("credentials")))
            self.check(site, 0)
            self.assertEqual(site.run("config", "--check").returncode, 0)
            os.unlink(site.path("credentials/google"))
            found = site.run("config", "--check")
            self.assertEqual(found.returncode, 3)
            self.assertIn("LoadCredential=google:FILE", " ".join(found.stdout.split()))

    def test_by_hand_it_says_how_to_run(self):
        with harness.Emulator() as google, self.site(google) as site:
            self.check(site, 4, "systemd did not pass any credential", "systemd-run",
                       "-p LoadCredential=google:FILE", "-p User=root")
            self.assertEqual(site.run("config", "--check").returncode, 0)


if __name__ == "__main__":
    harness.main()
