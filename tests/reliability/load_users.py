# SPDX-License-Identifier: Apache-2.0
"""A host with a thousand people who all log in at the same moment: processes that call PAM (login_storm.c), and real
ssh clients with the real sshd.

Its spool is a file system of its own, so that it can be frozen: a login that wants to leave an arrival waits in that
very system call, and all continue at once when it thaws.
"""
import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "pam"))
import host as hosts  # pylint: disable=wrong-import-position
from host import MODULE, ROOM, SPOOL, output, write  # pylint: disable=wrong-import-position
from module import harness  # pylint: disable=wrong-import-position

PREFIX = "person"
BIN = ROOM + "/bin"
PAM = ROOM + "/pam"
GATE = ROOM + "/gate"
BARE = "session required pam_limits.so\nsession required pam_unix.so\n"
OURS = BARE + f"session required {MODULE}\n"
# All sessions wait here until the gate is unlocked.
GATED = f"session required pam_exec.so quiet type=open_session /usr/bin/flock -s {GATE} true\n"
LET_IN = "auth required pam_unix.so\naccount required pam_unix.so\n"
SSHD = "MaxStartups 4000\nLoginGraceTime 900\n"
PATIENTLY = 900
CONNECTING = 64


class LoadUsers(hosts.Host):
    """`people` of them: person0, person1, …"""

    def __init__(self, people):
        names = ("cloudinvite", "cloudinvite-collector", "cloudinvite-dispatcher",
                 "cloudinvite-emulator", "tests/reliability/login_storm")
        programs = {os.path.basename(name): open(os.path.join(harness.BUILD, name), "rb").read()
                    for name in names}
        super().__init__()
        os.mkdir(BIN)
        for name, content in programs.items():
            with open(f"{BIN}/{name}", "wb") as file:
                file.write(content)
            os.chmod(f"{BIN}/{name}", 0o755)
        harness.BUILD = BIN
        with open("/etc/passwd", "a", encoding="ascii") as file:
            file.writelines(f"{PREFIX}{n}:x:{2000 + n}:100::/:/bin/sh\n" for n in range(people))
        with open("/etc/shadow", "a", encoding="ascii") as file:
            file.writelines(f"{PREFIX}{n}:*:19000:0:99999:7:::\n" for n in range(people))
        os.mkdir(PAM)
        write(PAM + "/bare", BARE)
        write(PAM + "/ours", OURS)
        self.mount_spool()

    @staticmethod
    def mount_spool():
        image = ROOM + "/spool.img"
        output("truncate", "-s", "64M", image)
        output("mkfs.ext4", "-q", "-F", "-m", "0", image)
        output("mount", "-n", "-o", "loop", image, SPOOL)
        os.rmdir(SPOOL + "/lost+found")

    # ---- through PAM

    def storm(self, service, logins, first=0, people=None, frozen=False):
        """`logins` at once, of `people` from person<first> on; the output of login_storm."""
        with subprocess.Popen(
                [BIN + "/login_storm", PAM, service, str(logins), PREFIX, str(first),
                 str(people or logins)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                text=True) as program:
            said = []
            while "ready\n" not in said:
                said.append(program.stdout.readline())
                assert said[-1], "login_storm ended before all had come"
            with self.frozen(program) if frozen else contextlib.nullcontext():
                program.stdin.close()
                if frozen:
                    harness.wait_for(lambda: self.blocked(program) == logins,
                                     "everybody inside of the module")
            said += program.stdout.readlines()
        assert program.returncode == 0, said
        return {name: float(value) for name, _, value in
                (line.strip().partition(" ") for line in said) if value}

    @staticmethod
    @contextlib.contextmanager
    def frozen(program):
        """Meanwhile nothing can be created or removed in the spool."""
        output("fsfreeze", "-f", SPOOL)
        try:
            yield
        except BaseException:
            program.kill()
            raise
        finally:
            output("fsfreeze", "-u", SPOOL)

    @staticmethod
    def blocked(program):
        """How many of its children wait for a disk."""
        count = 0
        with open(f"/proc/{program.pid}/task/{program.pid}/children", encoding="ascii") as file:
            for child in file.read().split():
                with contextlib.suppress(OSError), \
                        open(f"/proc/{child}/stat", encoding="ascii") as stat:
                    count += stat.read().rpartition(") ")[2].startswith("D")
        return count

    # ---- through sshd

    def start_gated(self):
        write(GATE, "")
        self.start_sshd(settings=SSHD)

    def client(self, user, group):
        options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR",
                   f"ConnectTimeout={PATIENTLY}", "BatchMode=yes"]
        return subprocess.Popen(
            [shutil.which("ssh"), "-F", "none", "-i", self.key, "-p", str(self.port), "-l", user,
             *[word for option in options for word in ("-o", option)], "127.0.0.1", "true"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            process_group=group)

    @staticmethod
    def at_gate():
        with open("/proc/locks", encoding="ascii") as file:
            return sum(" -> FLOCK" in line for line in file)

    def ssh_storm(self, session, users):
        """One client for each of the users. All are admitted and held before the session's modules, then all are
        released at once. How many were waiting (waiting), how many logged in (entered), and the seconds from the gate's
        opening until all clients had ended (all).
        """
        write("/etc/pam.d/sshd", LET_IN + GATED + session)
        with open(GATE, "r", encoding="ascii") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            clients, group = {}, 0
            for user in users:
                # More than sshd's backlog of 128 would not even be connected.
                harness.wait_for(lambda: len(clients) - self.at_gate() < CONNECTING, "sessions")
                client = self.client(user, group)
                group = group or client.pid
                clients[client.pid] = client
            harness.wait_for(lambda: self.at_gate() == len(users), "everybody at the gate",
                             PATIENTLY)
            opened = time.monotonic()
        return {"waiting": len(users), **self.reap(clients, group, opened)}

    def reap(self, clients, group, opened):
        entered = 0
        while clients:
            pid, status = os.waitpid(-group, 0)
            client = clients.pop(pid)
            client.returncode = os.waitstatus_to_exitcode(status)
            entered += client.returncode == 0
        took = time.monotonic() - opened
        self.bury_orphans()
        return {"entered": entered, "all": took}

    def bury_orphans(self):
        """Processes that sshd leaves behind become children of the namespace's first process, which is this one."""
        with open("/proc/self/task/1/children", encoding="ascii") as file:
            children = [int(pid) for pid in file.read().split()]
        for pid in children:
            with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                is_session = file.read() == "sshd\n" and pid != self.sshd.pid
            if is_session:
                os.waitpid(pid, 0)


def why_not():
    """Why it cannot be done here; None inside the namespaces."""
    if not os.environ.get(hosts.INSIDE) and os.geteuid() == 0:
        probe = "d=$(mktemp -d) && truncate -s 4M $d/image && mkfs.ext4 -q $d/image && " \
                "mkdir $d/m && mount -n -o loop $d/image $d/m; r=$?; umount $d/m; rm -r $d; exit $r"
        if subprocess.run([*hosts.UNSHARE, "sh", "-c", probe], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode != 0:
            return "needs a loop device for a file system that can be frozen"
    return hosts.enter()
