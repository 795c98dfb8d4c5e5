#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the commands of one page on a host of its own, as root, in the order of the page.

    document_host.py PAGE    prints JSON: {"ran": N, "problems": [...]}

The host is this machine with overlay mounts: /etc, /usr and /var can be written and are restored, /home, /root and /tmp
are empty, the network is a loopback. The emulator replaces Google, and also the metadata server at 169.254.169.254.
Instead of systemd, whose PID 1 this namespace does not have, there are a `systemctl` that starts and stops our two
programs as their units say, a `journalctl` that shows their output, and an `apt-get` that installs nothing. Everything
else is real.
"""
import json
import os
import pwd
import re
import select
import shutil
import subprocess
import sys
import time

import harness
import overlay
import pages
import sandbox

UNSHARE = ["unshare", "--mount", "--propagation", "private", "--uts", "--net", "--pid", "--fork",
           "--kill-child", "--mount-proc", "--"]
GOOGLE, TREE, BUILT = "/run/google", "/run/tree", "/run/built"
METADATA = "169.254.169.254"
PEOPLE = [{"address": "alice@example.com"}, {"address": "carol@example.com"},
          {"address": "bob@example.com", "kind": "managed"}]
PLACEHOLDERS = {"cloudinvite@PROJECT.": "inviter@cloudinvite-emulated."}
READING = re.compile(r"^(sudo )?cloudinvite (status|explain|history|list|get|token|pam status)\b")
SECONDS = 10 * harness.TIMEOUT  # for one command: `make install` takes a minute on a loaded machine
AGAIN = 30  # for a command that only reads, until it prints what the page says

SYSTEMCTL = r"""#!/bin/bash
# In place of systemd: `systemctl VERB [--now] cloudinvite-collector|cloudinvite-dispatcher ...`
set -u
stop() {
	pid=$(cat "/run/$1.pid" 2>/dev/null) && kill "$pid" || return
	while grep -qs "^State:.[^Z]" "/proc/$pid/status"; do sleep 0.02; done
	rm -f "/run/$1.pid"
}
start() {
	unit=/usr/lib/systemd/system/$1.service
	[ -f "$unit" ] || { echo "Unit $1.service not found." >&2; exit 5; }
	kill -0 "$(cat "/run/$1.pid" 2>/dev/null)" 2>/dev/null && return
	before=$(grep -cs ": started" "/run/$1.log")
	sed -n 's/^ExecStartPre=//p' "$unit" | while read -r before; do
		# There is one view of the file system here, which is what nsenter leads back to.
		before=${before/nsenter --target 1 --mount/env}
		case $before in +*) ;; *) before="runuser -u $1 -- $before" ;; esac
		${before#+} >>"/run/$1.log" 2>&1
	done
	setsid $(sed -n 's/^ExecStart=//p' "$unit") >>"/run/$1.log" 2>&1 </dev/null &
	echo $! >"/run/$1.pid"
	for _ in $(seq 600); do
		[ "$(grep -c ": started" "/run/$1.log")" -gt "${before:-0}" ] && return
		kill -0 $! 2>/dev/null || { tail -3 "/run/$1.log" >&2; exit 1; }
		sleep 0.05
	done
}
now=false verb= units=
for word; do
	case $word in
	--now) now=true ;;
	--*) ;;
	*) if [ -z "$verb" ]; then verb=$word; else units="$units ${word%.service}"; fi ;;
	esac
done
for unit in $units; do
	case $unit in cloudinvite-*) ;; *) continue ;; esac
	case $verb in
	enable) $now && start "$unit" || [ -f "/usr/lib/systemd/system/$unit.service" ] || exit 5 ;;
	disable) if $now; then stop "$unit"; fi ;;
	start) start "$unit" ;;
	stop) stop "$unit" ;;
	restart) stop "$unit"; start "$unit" ;;
	reload) kill -HUP "$(cat "/run/$unit.pid")" ;;
	is-active|status) kill -0 "$(cat "/run/$unit.pid" 2>/dev/null)" 2>/dev/null && echo active || exit 3 ;;
	*) echo "systemctl $verb: not in this place" >&2; exit 2 ;;
	esac
done
exit 0
"""
APT_GET = r"""#!/bin/bash
# In place of apt, which would need a network: what the build and its tests use is here already, and
# tests/system installs packages in earnest.
echo "apt-get $*: left out in this place"
"""
JOURNALCTL = r"""#!/bin/bash
cat /run/cloudinvite-*.log
"""
MAKE = r"""#!/bin/bash
# What is built already is not built again.
exec /usr/bin/make -o all "$@" O=/run/built
"""
# Functions that the comments of a page may use: what happens outside of the host.
OUTSIDE = r"""
set -o pipefail
google() { curl -sS --fail-with-body --cacert /run/google/ca.pem \
	"https://127.0.0.1:$(cat /run/google/port)/emulator/$1" ${2:+-d "$2"} >/dev/null; }
person() { id "$1" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$1"; }
login() { person "$1"; cloudinvite emit --trigger login "$1"; }
consent() {
	until page=$(grep -o "https://127[^[:space:]]*" /run/said); do sleep 0.1; done
	curl -sS --cacert /run/google/ca.pem -o /dev/null -w '%{redirect_url}\n' \
		-d 'decision=allow&account=admin@example.com&granted=yes' "$page"; }
federation() {
	said=$(curl -sS --cacert /run/google/ca.pem -X POST \
		"https://127.0.0.1:$(cat /run/google/port)/emulator/subject-tokens")
	mkdir -p /run/identity
	install -m 0600 -o cloudinvite-dispatcher /dev/null /run/identity/token
	jq -r .subject_token <<<"$said" >/run/identity/token
	jq --arg inviter inviter@cloudinvite-emulated.iam.gserviceaccount.com '{type: "external_account",
		audience, subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
		token_url: "https://sts.googleapis.com/v1/token", credential_source: {file: "/run/identity/token"},
		service_account_impersonation_url: ("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
			+ $inviter + ":generateAccessToken")}' <<<"$said" >/root/federation.json; }
# Until a program asks for its Nth PIN, at most 5 s. It throws away what was typed before, also for a moment after the
# question.
asked() { for _ in $(seq 50); do
	[ "$(grep -ao "Please \(re\)*enter" /run/said 2>/dev/null | wc -l)" -ge "$1" ] && break; sleep 0.1; done; sleep 0.5; }
emulated_tpm() {
	mkdir /run/tpm
	swtpm socket --tpm2 --tpmstate dir=/run/tpm --flags not-need-init,startup-clear \
		--server type=tcp,port=2321 --ctrl type=tcp,port=2322 --daemon
	export TPM2TOOLS_TCTI=swtpm:host=127.0.0.1,port=2321
	export TPM2OPENSSL_TCTI=$TPM2TOOLS_TCTI
	tpm2_createprimary() { command tpm2_createprimary "$@" && tpm2_flushcontext -t; }
	tpm2_create() { command tpm2_create "$@" && tpm2_flushcontext -t; }; }
settled() { for _ in $(seq 600); do
	[ -z "$(ls -A /var/spool/cloudinvite/new)" ] && break; sleep 0.05; done; sleep 0.3; }
"""


def tool(path, text):
    sandbox.write(path, text, 0o755)


def mount_overlays():
    """The overlay mounts. Build directory and tree stay visible, wherever they are."""
    sandbox.tmpfs("/run")
    for place in (TREE, BUILT, GOOGLE, overlay.OVERLAY):
        os.makedirs(place)
    for name in ("cloudinvite", "cloudinvite-keeper", "cloudinvite-collector", "cloudinvite-dispatcher",
                 "pam_cloudinvite.so", "cloudinvite-emulator"):
        shutil.copy(os.path.join(harness.BUILD, name), BUILT)
    sandbox.output("mount", "-n", "--bind", harness.SOURCE, TREE)
    harness.SOURCE, harness.BUILD = TREE, BUILT
    os.chdir("/")
    for place in overlay.PLACES:
        for part in ("upper", "work"):
            os.makedirs(f"{overlay.OVERLAY}/{part}/{place}")
        sandbox.output("mount", "-n", "-t", "overlay", "-o",
                    f"lowerdir=/{place},upperdir={overlay.OVERLAY}/upper/{place},"
                    f"workdir={overlay.OVERLAY}/work/{place}", "overlay", "/" + place)
    for place in ("/home", "/root", "/tmp"):
        sandbox.tmpfs(place, "mode=1777" if place == "/tmp" else "mode=0755")
    sandbox.output("hostname", "build1")
    sandbox.output("ip", "link", "set", "lo", "up")
    sandbox.output("ip", "address", "add", METADATA + "/32", "dev", "lo")
    for user in pwd.getpwall():
        if 1000 <= user.pw_uid < 60000:
            subprocess.run(["userdel", "-f", user.pw_name], stderr=subprocess.DEVNULL, check=True)
    for place in ("/etc", "/var/lib", "/var/spool", "/var/cache"):
        shutil.rmtree(place + "/cloudinvite", ignore_errors=True)
    with open("/etc/hosts", "a", encoding="utf-8") as file:
        file.write(f"127.0.0.1 build1\n{METADATA} metadata.google.internal\n")


def start_google():
    """The emulator, with three people; a drop-in that no page mentions has its address."""
    subprocess.Popen([BUILT + "/cloudinvite-emulator", "--quiet", "--directory", GOOGLE,
                      "--metadata", METADATA + ":80"], stdin=subprocess.DEVNULL,
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    harness.wait_for(lambda: os.path.exists(GOOGLE + "/port"), "the emulator")
    os.makedirs("/etc/cloudinvite/conf.d", exist_ok=True)
    with open(GOOGLE + "/cloudinvite.conf", encoding="utf-8") as file:
        kept = [line for line in file if re.match(r"\[google\]|\w*endpoint|ca_file", line)
                and not line.startswith("metadata_endpoint")]
    sandbox.write("/etc/cloudinvite/conf.d/90-rehearsal.conf", "".join(kept).replace(
        GOOGLE + "/ca.pem", "/etc/cloudinvite/rehearsal.pem"))
    shutil.copy(GOOGLE + "/ca.pem", "/etc/cloudinvite/rehearsal.pem")
    for name, place in (("credentials.json", "inviter.json"), ("client.json", "client.json")):
        shutil.copy(f"{GOOGLE}/{name}", "/root/" + place)
        os.chmod("/root/" + place, 0o600)


class Session:
    """One bash for the whole page, as an administrator's terminal."""

    def __init__(self):
        self.bash = subprocess.Popen(["bash", "--norc"], stdin=subprocess.PIPE, cwd="/root",
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.number = 0
        self.run(OUTSIDE)

    def run(self, text):
        """Its exit status and output. It reads nothing from the terminal."""
        self.number += 1
        script = f"/run/command{self.number}"
        sandbox.write(script, text + "\n")
        line = f". {script} </dev/null; printf '\\n\\036%d\\036' $?\n"
        self.bash.stdin.write(line.encode())
        self.bash.stdin.flush()
        said, until = b"", time.monotonic() + SECONDS
        while not re.search(rb"\x1e\d+\x1e", said):
            ready = select.select([self.bash.stdout], [], [], max(0, until - time.monotonic()))[0]
            part = os.read(self.bash.stdout.fileno(), 65536) if ready else b""
            if not part:
                return -1, said.decode(errors="replace") + "\n(it does not come to an end)"
            said += part
        before, status = re.fullmatch(rb"(.*)\n?\x1e(\d+)\x1e.*", said, re.S).groups()
        return int(status), before.decode(errors="replace")

    def ask(self, text, answers):
        """At a terminal, where the answers are typed; `!NAME` is the result of that function of OUTSIDE."""
        sandbox.write("/run/asked", text + "\n")
        typed = "; ".join(answer[1:] if answer.startswith("!") else f"echo '{answer}'"
                          for answer in answers or ["y"])
        return self.run("rm -f /run/said; "
                        f"{{ {typed}; }} | script -qefc '. /run/asked' /run/said")

    def must(self, text):
        status, said = self.run(text)
        if status != 0:
            raise AssertionError(f"{text} ended with {status}: {said}")


def install(session):
    session.must("make --no-print-directory -C /run/tree install >/dev/null && systemd-sysusers "
                 "&& /usr/share/cloudinvite/close-accounts")


def working(session):
    """Configured, in dry run, PAM enabled; both programs run; three people with accounts."""
    install(session)
    session.must("systemctl enable --now cloudinvite-collector")
    session.must("cloudinvite setup --yes --install-credentials --customer C01234567 "
                 "--domain example.com --subject admin@example.com --credentials /root/inviter.json "
                 "--pam")
    session.must("systemctl enable --now cloudinvite-dispatcher")
    session.must("person alice; person bob; person carol")
    for person in PEOPLE:
        session.must(f"google accounts '{json.dumps(person)}'")


HOSTS = {"bare": lambda session: None, "installed": install, "working": working}


def filled_in(wanted):
    """The command with a reader's values instead of the page's words in capitals."""
    text = wanted.text
    for word, value in PLACEHOLDERS.items():
        text = text.replace(word, value)
    return wanted._replace(text=text)


def attempt(session, wanted, answers):
    """Runs one command, repeatedly if it only reads, until it does what the page says; a problem or None."""
    until = time.monotonic() + (AGAIN if READING.match(wanted.text) else 0)
    while True:
        status, said = session.ask(wanted.text, answers) if wanted.asks else session.run(wanted.text)
        if status != wanted.status:
            problem = f"`{wanted.text}` ended with {status}, not {wanted.status}:\n{said}"
        elif wanted.output and not pages.matches(wanted.output, said.splitlines()):
            problem = f"`{wanted.text}` printed\n{said}\nnot\n" + "\n".join(wanted.output)
        else:
            return None
        if time.monotonic() > until:
            return problem
        time.sleep(0.2)


def run_page(host, blocks):
    """All its commands in one session, up to the first that fails."""
    session, ran = Session(), 0
    HOSTS[host](session)
    for block in blocks:
        if block.kind == "meanwhile":
            session.must(block.lines[0])
        if block.kind not in pages.SHELL or block.elsewhere:
            continue
        for wanted in map(filled_in, pages.commands(block)):
            problem = attempt(session, wanted, block.answers)
            if problem:
                return {"ran": ran, "problems": [f"line {block.at}: {problem}"]}
            ran += 1
    return {"ran": ran, "problems": []}


def main():
    if not os.environ.get(sandbox.INSIDE):
        os.environ[sandbox.INSIDE] = "1"
        os.execvp(UNSHARE[0], [*UNSHARE, sys.executable, os.path.abspath(__file__), *sys.argv[1:]])
    os.environ.update(PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                      LC_ALL="C.UTF-8", HOME="/root", DEBIAN_FRONTEND="noninteractive")
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "O"):
        os.environ.pop(name, None)
    host, blocks = pages.parse(sys.argv[1])
    mount_overlays()
    tool("/usr/local/sbin/systemctl", SYSTEMCTL)
    tool("/usr/local/sbin/journalctl", JOURNALCTL)
    tool("/usr/local/sbin/apt-get", APT_GET)
    tool("/usr/local/sbin/make", MAKE)
    start_google()
    print(json.dumps(run_page(host, blocks)), flush=True)


if __name__ == "__main__":
    main()
