#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boots a Debian 12 with systemd in a container, and has systemd hand the credential over to the
dispatcher's unit: as a file, encrypted, and as the PIN of a PKCS#11 token.

Needs root, systemd-nspawn, a Debian 12 and a Debian mirror. What debootstrap makes is kept in
build/. Prints TAP."""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

from test_debian13 import Steps, mirror, run

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("CLOUDINVITE_BUILD") or os.path.join(SOURCE, "build"))
PACKAGES = ["systemd", "systemd-sysv", "dbus", "libcurl4", "libjansson4", "libsqlite3-0", "libinih1",
            "libmicrohttpd12", "libpam0g", "openssl", "softhsm2", "libengine-pkcs11-openssl",
            "p11-kit", "opensc"]
PATIENCE = 180  # seconds; the container stops by itself after about 40

# Runs in the container. Each line that begins with `==` is an exit status, or what a step is about.
INSIDE = r"""#!/bin/sh
exec >/result 2>&1
emulator=/var/emulator
unit=cloudinvite-dispatcher
dropins=/etc/systemd/system/$unit.service.d
samples=/usr/share/doc/cloudinvite/systemd
for n in $(seq 60); do [ -e $emulator/port ] && break; sleep 0.5; done
chmod 755 $emulator
install -m 600 $emulator/credentials.json /etc/cloudinvite/google.json
mkdir -p $dropins

settings() {
	sed "s|^credentials.*|$1|" $emulator/cloudinvite.conf >/etc/cloudinvite/cloudinvite.conf
	cat >>/etc/cloudinvite/cloudinvite.conf <<-END
	[people]
	address = {user}@example.com
	domains = example.com
	[invitations]
	mode = send
	settle = 0
	END
}
# Somebody logs in for the first time, and the unit as it is now invites.
invite() {
	rm -f /var/cache/cloudinvite/token*
	systemctl daemon-reload
	systemctl restart $unit
	echo "== $1 starts: $?"
	useradd -m "$1"
	cloudinvite emit --reason login "$1"
	for n in $(seq 60); do
		cloudinvite status --json "$1@example.com" | grep -q '"state":"invited"' && break
		sleep 0.25
	done
	cloudinvite status --json "$1@example.com" | grep -q '"state":"invited"'
	echo "== $1 invited: $?"
}
by_hand() {
	systemd-run --quiet --wait --pipe -p User=cloudinvite -p "$1" cloudinvite check alice@example.com
	echo "== $2: $?"
}

settings "credentials = systemd:google"
systemctl start cloudinvite-collector
cp $samples/credential.conf $dropins
invite alice
cloudinvite check alice@example.com
echo "== alone: $?"
by_hand LoadCredential=google:/etc/cloudinvite/google.json "systemd-run"

systemd-creds encrypt --with-key=host --name=google /etc/cloudinvite/google.json \
	/etc/cloudinvite/google.cred
rm /etc/cloudinvite/google.json
sed -i -e '/^LoadCredential=/d' -e 's/^#LoadCred/LoadCred/' $dropins/credential.conf
invite bob
by_hand LoadCredentialEncrypted=google:/etc/cloudinvite/google.cred "systemd-run encrypted"

p11() { pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so --token-label cloudinvite "$@"; }
runuser -u cloudinvite -g softhsm -- sh -c "umask 007; softhsm2-util --init-token --free \
	--label cloudinvite --so-pin 4321 --pin 482913"
runuser -u cloudinvite -g softhsm -- pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so \
	--token-label cloudinvite --login --pin 482913 --keypairgen --key-type rsa:2048 --id 01 \
	--label inviter
p11 --read-object --type pubkey --id 01 -o /tmp/public.der
port=$(cat $emulator/port)
public=$(openssl pkey -pubin -inform der -in /tmp/public.der | sed -z 's/\n/\\n/g')
account=$(sed -n 's/.*"client_email": *"\([^"]*\)".*/\1/p' $emulator/credentials.json)
client=$(sed -n 's/.*"client_id": *"\([^"]*\)".*/\1/p' $emulator/credentials.json)
body="{\"service_accounts\":[{\"email\":\"$account\",\"client_id\":\"$client\",\"keys\":[{\"kid\":\"f00d\",\"public_key\":\"$public\"}]}]}"
{
	printf 'PATCH /emulator/state HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n'
	printf 'Content-Length: %d\r\n\r\n%s' ${#body} "$body"
	sleep 1
} | openssl s_client -quiet -verify_quiet -connect 127.0.0.1:$port
echo
echo 482913 >/etc/cloudinvite/pin
chmod 600 /etc/cloudinvite/pin
settings "key = pkcs11:token=cloudinvite;object=inviter?pin-source=systemd:pin\nservice_account = $account\nkey_id = f00d"
cp $samples/softhsm.conf $dropins
printf '[Service]\nLoadCredential=pin:/etc/cloudinvite/pin\n' >$dropins/credential.conf
invite carol
journalctl -u $unit --no-pager -o cat
systemctl poweroff
"""

UNITS = {
    "emulator": "[Service]\nExecStart=/usr/bin/cloudinvite-emulator --quiet --directory /var/emulator "
                "--scenario /scenario.json\n",
    "inside": "[Unit]\nWants=emulator.service\nAfter=emulator.service\n"
              "[Service]\nType=oneshot\nExecStart=/bin/sh /inside\n",
}

PROMISES = (
    ("the unit gets the credential by LoadCredential=, and invites", "alice starts: 0", "alice invited: 0"),
    ("by hand, a verb that needs it says how to run", "alone: 4", "systemd-run --quiet --wait --pipe"),
    ("run like that, it has it", "systemd-run: 0"),
    ("the unit gets it by LoadCredentialEncrypted=, and invites", "bob starts: 0", "bob invited: 0"),
    ("so does a verb by hand", "systemd-run encrypted: 0"),
    ("a key in a PKCS#11 token is used inside the unit's walls, its PIN handed over by systemd",
     "carol starts: 0", "carol invited: 0"),
)


def skip(reason):
    print(f"1..1\nok 1 - systemd hands credentials over # SKIP {reason}")
    sys.exit(0)


def debian(steps, root):
    """Unpacks a Debian 12, made by debootstrap the first time."""
    name = hashlib.sha256(" ".join(PACKAGES).encode()).hexdigest()[:12]
    kept = f"{BUILD}/debian12-{name}.tar"
    if not os.path.exists(kept):
        status, output = run("debootstrap", "--variant=minbase", "--include=" + ",".join(PACKAGES),
                             "bookworm", root, mirror())
        if status == 0:
            status, output = run("tar", "-C", root, "--one-file-system", "-cf", kept + ".new", ".")
            os.rename(kept + ".new", kept)
        return steps.step("debootstrap makes a Debian 12 with systemd", status, output)
    status, output = run("tar", "-C", root, "-xpf", kept)
    return steps.step("a Debian 12 with systemd is there from before", status, output)


def furnish(steps, root):
    """`make install`, an emulated Google, and what runs at boot."""
    status, output = run("make", "-C", SOURCE, "install", f"O={BUILD}", f"DESTDIR={root}",
                         "securedir=/lib/x86_64-linux-gnu/security")
    for name, text in (("inside", INSIDE), ("scenario.json", '{"accounts":[%s]}' % ",".join(
            '{"address":"%s@example.com"}' % who for who in ("alice", "bob", "carol")))):
        with open(f"{root}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    units = f"{root}/etc/systemd/system"
    for name, text in UNITS.items():
        with open(f"{units}/{name}.service", "w", encoding="utf-8") as file:
            file.write(text)
    os.makedirs(f"{units}/multi-user.target.wants", exist_ok=True)
    os.symlink("../inside.service", f"{units}/multi-user.target.wants/inside.service")
    os.mkdir(f"{root}/var/emulator")
    return steps.step("make install puts cloudinvite into it", status, output)


def boot(root):
    """Until it has powered itself off. What it said, and its console."""
    hierarchy = "1" if os.path.exists("/sys/fs/cgroup/cgroup.controllers") else "0"
    console = run("timeout", str(PATIENCE), "systemd-nspawn", "--quiet", "--register=no", "--keep-unit",
                  "--private-network", "--boot", "-D", root,
                  env=dict(os.environ, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=hierarchy))[1]
    if not os.path.exists(f"{root}/result"):
        return "", console
    with open(f"{root}/result", encoding="utf-8", errors="replace") as file:
        return file.read(), console


def main():
    if os.geteuid() != 0:
        skip("needs root")
    for program in ("debootstrap", "systemd-nspawn"):
        if not shutil.which(program):
            skip(f"{program} is not installed")
    with open("/etc/os-release", encoding="utf-8") as file:
        if not re.search(r"^VERSION_CODENAME=bookworm$", file.read(), re.M):
            skip("what is built here runs on Debian 12 only if this is one")
    root = tempfile.mkdtemp(prefix="cloudinvite-systemd.")
    os.chmod(root, 0o755)
    steps = Steps()
    try:
        if debian(steps, root) and furnish(steps, root):
            said, console = boot(root)
            for name, *words in PROMISES:
                missing = [word for word in words if word not in said]
                steps.step(name, len(missing), "\n".join(missing) + "\n" + said + console)
    finally:
        if not os.environ.get("CLOUDINVITE_KEEP"):
            shutil.rmtree(root, ignore_errors=True)
    print(f"1..{steps.number}")
    return 1 if steps.failures else 0


if __name__ == "__main__":
    sys.exit(main())
