# SPDX-License-Identifier: Apache-2.0
"""A host for tests of real programs: /etc, /home, /run, /tmp and /var are private copies in a mount namespace; it has
its own name, which resolves without a network; processes are in a PID namespace and end with it. The real host is not
changed.

    host.enter()        starts the calling script again in the namespaces, or says why it cannot
    host.Host()         users, PAM files with the module in them, the spool, and the real sshd
"""
import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

import module
from module import harness
from sandbox import output, write  # module names the directory

INSIDE = "CLOUDINVITE_TEST_INSIDE"
UNSHARE = ["unshare", "--mount", "--propagation", "private", "--uts", "--pid", "--fork", "--kill-child",
           "--mount-proc", "--"]
NAME = "host1"
PASSWORD = "correct horse battery"
SPOOL = "/var/spool/cloudinvite"
ROOM = "/run/test"  # the module, keys and logs
MODULE = ROOM + "/pam_cloudinvite.so"

# What each service needs in addition to the module. `{ours}` stands where a site would put it: the session counts, and
# in the other types it must do no harm.
STACK = """auth {rootok}required pam_unix.so
auth optional {ours}
account required pam_unix.so
account optional {ours}
password required pam_unix.so
password optional {ours}
session required pam_limits.so
session required pam_unix.so
session optional {ours}
"""
ROOT_MAY = "sufficient pam_rootok.so\nauth "
SERVICES = ("chpasswd", "cron", "crond", "login", "newusers", "passwd", "runuser", "runuser-l",
            "sshd", "su", "su-l", "sudo", "sudo-i")


def enter():
    """Why it cannot be done, or None inside the namespaces."""
    if os.environ.get(INSIDE):
        return None
    if os.geteuid() != 0:
        return "needs root for a mount namespace"
    if module.is_sanitized():
        return "sshd cannot load a module with a sanitizer"
    for program in ("unshare", "sshd", "ssh", "sshpass"):
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            return f"needs {program}"
    if subprocess.run([*UNSHARE, "true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                      check=False).returncode != 0:
        return "needs the right to make mount and PID namespaces"
    os.environ[INSIDE] = "1"
    sys.stdout.flush()
    os.execvp(UNSHARE[0], [*UNSHARE, sys.executable, os.path.abspath(sys.argv[0]), *sys.argv[1:]])


class Host:
    """One for all tests of a script."""

    def __init__(self):
        self.sshd = None
        self.port = 0
        with open(module.PATH, "rb") as file:
            shared_object = file.read()  # the build directory may be hidden by a mount
        os.chdir("/")
        for place in ("/run", "/tmp", "/home", "/var"):
            output("mount", "-n", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", place)
        os.chmod("/tmp", 0o1777)
        output("cp", "-a", "/etc", "/run/etc")
        output("mount", "-n", "--bind", "/run/etc", "/etc")
        for place in ("/run/sshd", ROOM, ROOM + "/keys", "/var/log", "/var/mail", "/var/lib",
                      "/var/lib/sudo", "/var/spool/cron/crontabs", SPOOL):
            os.makedirs(place, 0o755)
        os.symlink("/run", "/var/run")
        socket.sethostname(NAME)
        write("/etc/hosts", f"127.0.0.1 localhost {NAME}\n")
        with open(MODULE, "wb") as file:
            file.write(shared_object)
        os.environ.update(PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                          HOME=ROOM, LC_ALL="C.UTF-8")
        for name in ("alice", "bob", "carol"):
            self.add_user(name)
        self.key = ROOM + "/key"
        output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key)
        output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", ROOM + "/host_key")

    def add_user(self, name, *options):
        output("useradd", "-m", "-s", "/bin/sh", *options, name)
        output("chpasswd", input=f"{name}:{PASSWORD}\n")

    # ---- PAM and the spool

    def pam(self, arguments="", services=SERVICES, stack=STACK):
        """Every service's file, with the module and its arguments in it."""
        for service in services:
            rootok = ROOT_MAY if service.startswith(("su", "runuser")) else ""
            write("/etc/pam.d/" + service,
                  stack.format(rootok=rootok, ours=f"{MODULE} {arguments}"))

    def fresh(self):
        """No user has been seen, and nothing waits."""
        shutil.rmtree(SPOOL)
        for box, mode in (("", 0o755), ("/new", 0o770), ("/seen", 0o700), ("/bad", 0o700)):
            os.mkdir(SPOOL + box)
            os.chmod(SPOOL + box, mode)

    @staticmethod
    def arrivals():
        return sorted(os.listdir(SPOOL + "/new"))

    @staticmethod
    def mark(user, word):
        write(f"{SPOOL}/seen/{user}", word + "\n", 0o600)

    # ---- sshd

    def start_sshd(self, prefix=(), log=None, settings=""):
        """`prefix`: a command that runs it; `log`: a file for its messages instead of sshd_log(); `settings`: lines
        that come first and take precedence.
        """
        with socket.socket() as chosen:
            chosen.bind(("127.0.0.1", 0))
            self.port = chosen.getsockname()[1]
        write(ROOM + "/sshd_config", settings + f"""ListenAddress 127.0.0.1:{self.port}
HostKey {ROOM}/host_key
PidFile none
UsePAM yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AuthorizedKeysFile {ROOM}/key.pub
StrictModes no
UseDNS no
MaxStartups 100
Subsystem sftp internal-sftp
""")
        with open(log or ROOM + "/sshd.log", "w", encoding="utf-8") as log:
            self.sshd = subprocess.Popen(
                [*prefix, "/usr/sbin/sshd", "-D", "-e", "-f", ROOM + "/sshd_config"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        harness.wait_for(self.answers, "sshd answers")

    def answers(self):
        if self.sshd.poll() is not None:
            raise AssertionError("sshd ended: " + self.sshd_log())
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def stop_sshd(self):
        self.sshd.terminate()
        self.sshd.wait(harness.TIMEOUT)

    @staticmethod
    def sshd_log():
        with open(ROOM + "/sshd.log", encoding="utf-8", errors="replace") as file:
            return file.read()

    def ssh_command(self, user, *rest, program="ssh", password=None):
        """The command line of a client; with a password it offers no key."""
        options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                   "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=20", "-F", "none"]
        options += ["-o", "User=" + user, "-P" if program == "sftp" else "-p", str(self.port)]
        if password is None:
            return [program, *options, "-i", self.key, "-o", "BatchMode=yes", *rest]
        return ["sshpass", "-p", password, program, *options, "-o", "PubkeyAuthentication=no",
                "-o", "NumberOfPasswordPrompts=1", *rest]

    def ssh(self, user, *rest, standard_input="", **more):
        """Runs a client to its end."""
        return subprocess.run(self.ssh_command(user, *rest, **more), input=standard_input,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=harness.TIMEOUT, check=False)


def at_terminal(command, answers, until=None):
    """Runs a command at a terminal of its own, to its end or until it prints `until`. `answers` is [(question, typed
    answer)…]; returns its output and exit status.
    """
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(command[0], command)
    said, waiting, deadline = "", list(answers), time.monotonic() + harness.TIMEOUT
    status = None
    while status is None:
        if time.monotonic() > deadline or (until and until in said):
            os.kill(child, signal.SIGKILL)
        if select.select([terminal], [], [], 0.05)[0]:
            try:
                said += os.read(terminal, 4096).decode(errors="replace")
            except OSError:  # no process holds the other end at the moment: login hangs it up once
                time.sleep(0.05)
        if waiting and waiting[0][0] in said:
            os.write(terminal, waiting.pop(0)[1].encode() + b"\n")
        ended, how = os.waitpid(child, os.WNOHANG)
        status = how if ended else None
    os.close(terminal)
    return said, os.waitstatus_to_exitcode(status)
