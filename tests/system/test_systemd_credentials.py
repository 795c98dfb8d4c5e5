#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boots a Debian 12 with systemd in a container, in which systemd passes the credential to the dispatcher's unit: as a
file, encrypted, and as the PIN of a PKCS#11 token. A system call that the unit's filter forbids kills.

Needs root, systemd-nspawn, a Debian 12 and a Debian mirror. The result of debootstrap is stored in build/. Prints TAP.
"""
import os
import sys

import nspawn

sys.path.insert(0, os.path.join(nspawn.SOURCE, "tests", "e2e"))
from harness import Emulator  # pylint: disable=wrong-import-position

PEOPLE = ("alice", "bob", "carol", "dave")

# Runs in the machine. Each line that begins with `==` is an exit status, or the title of a step.
INSIDE = r"""
exec 2>&1
emulator=/var/emulator
unit=cloudinvite-dispatcher
dropins=/etc/systemd/system/$unit.service.d
samples=/usr/share/doc/cloudinvite/systemd
install -m 600 $emulator/credentials.json /etc/cloudinvite/google.json
mkdir -p $dropins
strict() { printf '[Service]\nSystemCallErrorNumber=kill\n' >$dropins/strict.conf; }
strict

settings() {
	sed "s|^credentials.*|$1|" $emulator/cloudinvite.conf >/etc/cloudinvite/cloudinvite.conf
	cat >>/etc/cloudinvite/cloudinvite.conf <<-END
	[people]
	address = {user}@example.com
	domains = example.com
	[invitations]
	mode = send
	creation_delay = 0
	END
}
# A person logs in for the first time, and the unit in its present form invites.
invite() {
	rm -f /var/cache/cloudinvite/token*
	systemctl daemon-reload
	systemctl restart $unit
	echo "== $1 starts: $?"
	useradd -m "$1"
	cloudinvite emit --trigger login "$1"
	for n in $(seq 60); do
		cloudinvite status --json "$1@example.com" | grep -q '"state":"invited"' && break
		sleep 0.25
	done
	cloudinvite status --json "$1@example.com" | grep -q '"state":"invited"'
	echo "== $1 invited: $?"
}
by_hand() {
	systemd-run --quiet --wait --pipe -p User=cloudinvite-dispatcher -p "$1" cloudinvite check alice@example.com
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
runuser -u cloudinvite-dispatcher -g softhsm -- sh -c "umask 007; softhsm2-util --init-token --free \
	--label cloudinvite --so-pin 4321 --pin 482913"
runuser -u cloudinvite-dispatcher -g softhsm -- pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so \
	--token-label cloudinvite --login --pin 482913 --keypairgen --key-type rsa:2048 --id 01 \
	--label inviter
p11 --read-object --type pubkey --id 01 -o /tmp/public.der
port=$(cat $emulator/port)
public=$(openssl pkey -pubin -inform der -in /tmp/public.der | sed -z 's/\n/\\n/g')
account=$(sed -n 's/.*"client_email": *"\([^"]*\)".*/\1/p' $emulator/credentials.json)
client=$(sed -n 's/.*"client_id": *"\([^"]*\)".*/\1/p' $emulator/credentials.json)
keys="[{\"kid\":\"f00d\",\"public_key\":\"$public\"}]"
body="{\"service_accounts\":[{\"email\":\"$account\",\"client_id\":\"$client\",\"keys\":$keys}]}"
{
	printf 'PATCH /emulator/state HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n'
	printf 'Content-Length: %d\r\n\r\n%s' ${#body} "$body"
	sleep 1
} | openssl s_client -quiet -verify_quiet -connect 127.0.0.1:$port
echo
echo 482913 >/etc/cloudinvite/pin
chmod 600 /etc/cloudinvite/pin
key="pkcs11:token=cloudinvite;object=inviter?pin-source=systemd:pin"
settings "key = $key\nservice_account = $account\nkey_id = f00d"
cp $samples/softhsm.conf $dropins
printf '[Service]\nLoadCredential=pin:/etc/cloudinvite/pin\n' >$dropins/credential.conf
rm $dropins/strict.conf
invite carol
# p11-kit loads OpenSC's module too; its GLib tries sched_setattr(2), and goes on without.
rm /usr/share/p11-kit/modules/opensc-pkcs11.module
strict
invite dave
echo "== killed by the filter: $(journalctl -u $unit --no-pager -o cat | grep -c SYS)"
journalctl -u $unit --no-pager -o cat
"""

PROMISES = (
    ("the unit gets the credential by LoadCredential=, and invites", "alice starts: 0", "alice invited: 0"),
    ("by hand, a verb that needs it says how to run", "alone: 4", "systemd-run --quiet --wait --pipe"),
    ("run like that, it has it", "systemd-run: 0"),
    ("the unit gets it by LoadCredentialEncrypted=, and invites", "bob starts: 0", "bob invited: 0"),
    ("so does a verb by hand", "systemd-run encrypted: 0"),
    ("a key in a PKCS#11 token is used inside the unit's walls, its PIN handed over by systemd",
     "carol starts: 0", "carol invited: 0"),
    ("and where a call that the filter forbids kills", "dave starts: 0", "dave invited: 0"),
    ("nothing was killed by the filter", "killed by the filter: 0"),
)



def credentials(google, debian):
    """The output of INSIDE."""
    debian.install_tree()
    for name in ("credentials.json", "ca.pem", "port"):
        with open(google.file(name), encoding="utf-8") as file:
            debian.put(f"/var/emulator/{name}", file.read())
    with open(google.file("cloudinvite.conf"), encoding="utf-8") as file:
        debian.put("/var/emulator/cloudinvite.conf",
                   file.read().replace(google.directory, "/var/emulator"))
    debian.boot()
    return debian.run(INSIDE, 180)[1]


def main():
    nspawn.skip_where_impossible("systemd hands credentials over")
    steps = nspawn.Steps()
    if nspawn.make_image(steps, "bookworm"):
        nspawn.own_network()
        scenario = {"accounts": [{"address": f"{who}@example.com"} for who in PEOPLE]}
        with Emulator(scenario) as google, nspawn.Machine("bookworm") as debian:
            said = credentials(google, debian)
            for name, *words in PROMISES:
                missing = [word for word in words if word not in said]
                steps.step(name, len(missing), "\n".join(["missing:", *missing, said]))
    return steps.end()


if __name__ == "__main__":
    sys.exit(main())
