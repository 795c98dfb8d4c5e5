#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All steps on one screen: a login over a real sshd, an account made by the real useradd, and the invitations in the
mailbox of an emulated Google.

Runs in mount, network, process and host-name namespaces of its own, with /etc, /var, /home and /run of its own: neither
this machine's accounts nor Google are touched, and nothing is left behind.
"""
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(SOURCE, "tests", "e2e"))
BUILT = os.environ.get("CLOUDINVITE_BUILD") or os.path.join(SOURCE, "build")
# Copies in the demo's own /run: the build directory may be in the /home that is hidden.
BUILD, CONFIG = "/run/build", "/run/config"
PROGRAMS = ("cloudinvite", "cloudinvite-collector", "cloudinvite-dispatcher", "cloudinvite-emulator",
            "pam_cloudinvite.so")

COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
LOGINS = 7  # of each kind, to compare their time
PAM_LINE = f"session optional {BUILD}/pam_cloudinvite.so\n"


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


class Timeline:
    """Tells what happens, with the time since the demo began."""

    def __init__(self):
        self.start = time.monotonic()

    def title(self, text):
        print("\n" + paint("1", text), flush=True)

    def step(self, text, mark="·"):
        at = time.monotonic() - self.start
        print(f"  {paint('2', f'{at:5.1f} s')}  {mark} {text}", flush=True)

    def good(self, text):
        self.step(text, paint("32", "✓"))

    def show(self, text):
        for line in text.rstrip().splitlines():
            print(f"            {line}", flush=True)


def enter_namespaces():
    """Starts this script again inside its own namespaces and returns its exit status."""
    if os.geteuid() != 0:
        sys.exit("demo: run it as root (it makes namespaces): sudo make demo")
    work = tempfile.mkdtemp(prefix="cloudinvite-demo.")
    environment = dict(os.environ, CLOUDINVITE_DEMO_WORK=work)
    try:
        child = subprocess.run(
            ["unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--mount-proc",
             "--kill-child", "--propagation", "private", sys.executable, os.path.abspath(__file__)],
            env=environment, check=False)
        return child.returncode
    finally:
        shutil.rmtree(work, ignore_errors=True)


def run(*command, check=True, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **more)
    if check and done.returncode != 0:
        sys.exit(f"demo: {' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def own_directories(work):
    """/etc as a copy, /home, /var and /run empty, on a file system that ends with the namespace."""
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", work)
    shutil.copytree("/etc", f"{work}/etc", symlinks=True, ignore_dangling_symlinks=True)
    for name in ("home", "var", "run"):
        os.mkdir(f"{work}/{name}", 0o755)
    for name in ("var/log", "var/spool", "var/lib", "var/cache", "var/mail", "run/sshd"):
        os.mkdir(f"{work}/{name}", 0o755)
    os.mkdir(f"{work}/var/tmp", 0o1777)
    os.symlink("/run", f"{work}/var/run")
    os.mkdir(work + BUILD)
    for name in PROGRAMS:
        shutil.copy(f"{BUILT}/{name}", work + BUILD)
    shutil.copytree(f"{SOURCE}/config", work + CONFIG)
    os.chmod(f"{work}/etc/shadow", 0o640)
    for name in ("etc", "home", "var", "run"):
        run("mount", "--bind", f"{work}/{name}", f"/{name}")
    run("hostname", "build42")
    run("ip", "link", "set", "lo", "up")


def account(name, gecos):
    run("useradd", "--create-home", "--comment", gecos, "--shell", "/bin/bash", name)
    run("usermod", "--password", "*", name)  # no password, but not locked either
    os.makedirs(f"/home/{name}/.ssh", 0o700)
    shutil.copy("/run/demo-key.pub", f"/home/{name}/.ssh/authorized_keys")
    run("chown", "-R", f"{name}:", f"/home/{name}/.ssh")


def start_sshd():
    """The real sshd, on a port of its own; returns the process and the port."""
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/run/demo-host-key")
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/run/demo-key")
    port = 2222
    with open("/run/sshd_config", "w", encoding="ascii") as file:
        file.write(f"Port {port}\nListenAddress 127.0.0.1\nHostKey /run/demo-host-key\nUsePAM yes\n"
                   "PasswordAuthentication no\nPidFile /run/demo-sshd.pid\nStrictModes no\n"
                   "PrintMotd no\nLogLevel ERROR\n")
    sshd = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", "/run/sshd_config"],
                            stdin=subprocess.DEVNULL)
    return sshd, port


def login(port, name):
    """One ssh login that runs `true`; its milliseconds."""
    started = time.monotonic()
    done = subprocess.run(
        ["ssh", "-q", "-p", str(port), "-i", "/run/demo-key", "-F", "/dev/null",
         "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
         "-o", "BatchMode=yes", f"{name}@127.0.0.1", "true"],
        stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        sys.exit(f"demo: the login of {name} failed ({done.returncode})")
    return (time.monotonic() - started) * 1000


def pam_stack(with_module):
    """A small stack for sshd, with or without our line."""
    with open("/etc/pam.d/sshd", "w", encoding="ascii") as file:
        file.write("account required pam_permit.so\nsession required pam_permit.so\n")
        if with_module:
            file.write(PAM_LINE)


def write_settings(emulator):
    """The emulator's settings, and what an administrator adds."""
    os.makedirs("/etc/cloudinvite", exist_ok=True)
    for name in ("ca.pem", "credentials.json"):
        shutil.copy(f"{emulator.directory}/{name}", f"/etc/cloudinvite/{name}")
    os.chmod("/etc/cloudinvite/ca.pem", 0o644)
    shutil.chown("/etc/cloudinvite/credentials.json", "root", "cloudinvite-dispatcher")
    os.chmod("/etc/cloudinvite/credentials.json", 0o640)
    with open(f"{emulator.directory}/cloudinvite.conf", encoding="utf-8") as file:
        settings = file.read().replace(emulator.directory, "/etc/cloudinvite")
    with open("/etc/cloudinvite/cloudinvite.conf", "w", encoding="utf-8") as file:
        file.write(settings)
        file.write("\n[people]\naddress = {user}@example.com\ndomains = example.com\n"
                   "\n[invitations]\nmode = send\ncreation_delay = 1s\n")


def install_hook():
    """The useradd hook, as `make install` fills it in."""
    os.makedirs("/etc/shadow-maint/useradd-post.d", exist_ok=True)
    with open(f"{CONFIG}/hooks/useradd-post", encoding="utf-8") as file:
        hook = file.read().replace("@bindir@", BUILD)
    path = "/etc/shadow-maint/useradd-post.d/90-cloudinvite"
    with open(path, "w", encoding="utf-8") as file:
        file.write(hook)
    os.chmod(path, 0o755)


def start_program(name):
    run(f"{BUILD}/{name}", "--prepare")
    with open(f"/var/log/{name}.log", "w", encoding="utf-8") as log:
        return subprocess.Popen([f"{BUILD}/{name}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def wait_for_mails(emulator, count, seconds=10):
    """Waits until the mailbox holds `count` mails; returns them."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        mailbox = emulator.mailbox()
        if mailbox["total"] >= count:
            return mailbox
        time.sleep(0.05)
    for name in ("cloudinvite-collector", "cloudinvite-dispatcher"):
        with open(f"/var/log/{name}.log", encoding="utf-8") as file:
            print(f"--- {name}\n{file.read()}", file=sys.stderr)
    sys.exit(f"demo: {count} mails were expected within {seconds} s, {mailbox['total']} came")


def cli(*verb):
    return run(f"{BUILD}/cloudinvite", *verb, check=False, env=dict(os.environ, COLUMNS="88"))


def requests_since(emulator, since):
    """The requests to Google, one line each, and the new position."""
    log = emulator.log(since)
    lines = [f"{entry['method']:4} {entry['path']}  →  {entry['status']}"
             for entry in log if not entry["path"].startswith("/emulator/")]
    return lines, max([since] + [entry["n"] for entry in log])


def show_invitation(time_line, emulator, position, who, total):
    mailbox = wait_for_mails(emulator, total)
    lines, position = requests_since(emulator, position)
    time_line.step("asked of Google meanwhile:")
    time_line.show("\n".join(lines))
    time_line.good(f"the mailbox of {who}@example.com: {mailbox['counts'][who + '@example.com']} invitation")
    return position


def compare_logins(time_line, port):
    """The same login with and without the module, in turns."""
    times = {True: [], False: []}
    for _ in range(LOGINS):
        for with_module in (False, True):
            pam_stack(with_module)
            times[with_module].append(login(port, "alice"))
    pam_stack(True)
    without, with_it = statistics.median(times[False]), statistics.median(times[True])
    time_line.step(f"{LOGINS} logins without the module: {without:.1f} ms each (median)")
    time_line.step(f"{LOGINS} logins with the module:    {with_it:.1f} ms each ({with_it - without:+.1f} ms; "
                   "a login's own scatter is larger)")


def show(emulator):
    time_line = Timeline()
    time_line.title("Setup")
    for name in ("ledger", "collector", "dispatcher"):
        run("useradd", "--system", "--user-group", "--home-dir", "/", "--shell", "/usr/sbin/nologin",
            "cloudinvite-" + name)
    emulator.accounts([{"address": "alice@example.com", "kind": "consumer", "created": "72h"},
                       {"address": "bob@example.com", "kind": "consumer", "created": "72h"},
                       {"address": "carol@example.com", "kind": "managed"}])
    write_settings(emulator)
    time_line.step("an emulated Google: alice@ and bob@example.com are private accounts, carol@ is managed")
    sshd, port = start_sshd()
    pam_stack(True)
    for name, gecos in (("alice", "Alice Adams"), ("carol", "Carol Clark")):
        account(name, gecos)
    time_line.step("accounts alice and carol were there before cloudinvite; a real sshd with")
    time_line.show("session optional pam_cloudinvite.so")
    programs = [start_program("cloudinvite-collector"), start_program("cloudinvite-dispatcher")]
    install_hook()
    time_line.step("collector and dispatcher run as the account `cloudinvite`")
    time.sleep(0.3)
    _, position = requests_since(emulator, 0)

    time_line.title("Alice logs in over ssh, for the first time")
    time_line.step(f"ssh alice@build42: {login(port, 'alice'):.0f} ms, and she is in; nobody waited for Google")
    position = show_invitation(time_line, emulator, position, "alice", 1)

    time_line.title("An account is created: useradd bob")
    run("useradd", "--create-home", "--comment", "Bob Brown", "--shell", "/bin/bash", "bob")
    time_line.step("useradd is back; bob has not logged in (the demo's creation delay is 1 s)")
    position = show_invitation(time_line, emulator, position, "bob", 2)

    time_line.title("What must not happen")
    login(port, "carol")
    compare_logins(time_line, port)
    time.sleep(0.5)
    lines, position = requests_since(emulator, position)
    time_line.step("carol logged in once, alice many times; asked of Google meanwhile:")
    time_line.show("\n".join(lines) or "nothing")
    mailbox = emulator.mailbox()
    if mailbox["total"] != 2:
        sys.exit(f"demo: the mailbox holds {json.dumps(mailbox['counts'])}, not one for alice and one for bob")
    time_line.good("still one invitation for alice, one for bob, none for carol")
    emulator.accept("alice@example.com")
    time_line.step("alice accepts at Google; the daily resync will notice")

    for verb in (("status",), ("explain", "bob"), ("history", "alice@example.com")):
        time_line.title("# cloudinvite " + " ".join(verb))
        print(cli(*verb).rstrip())
    for program in programs + [sshd]:
        program.send_signal(signal.SIGTERM)
        program.wait(10)
    print("\n" + paint("32", "Done.") + f" {time.monotonic() - time_line.start:.1f} s; nothing was left behind."
          " Next: README.md, “Installing for real”.")


def main():
    work = os.environ.get("CLOUDINVITE_DEMO_WORK")
    if not work:
        return enter_namespaces()
    os.environ["CLOUDINVITE_PROGRAMS"] = BUILD
    from harness import Emulator  # pylint: disable=import-outside-toplevel
    own_directories(work)
    with Emulator() as emulator:
        show(emulator)
    return 0


if __name__ == "__main__":
    sys.exit(main())
