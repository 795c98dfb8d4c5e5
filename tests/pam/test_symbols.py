#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What pam_cloudinvite.so brings into sshd: six functions, no library but libpam and libc, and
nothing that could block, fork, remember or change its host."""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "e2e"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

MODULE = os.path.join(harness.BUILD, "pam_cloudinvite.so")
EXPORTED = {"pam_sm_authenticate", "pam_sm_setcred", "pam_sm_acct_mgmt", "pam_sm_open_session",
            "pam_sm_close_session", "pam_sm_chauthtok"}
MOST_BYTES = 40 * 1024
MOST_STACK = 16 * 1024

# What the design forbids: heap, environment, locale, sockets, processes, signals, umask, the working
# directory, NSS, waiting, threads, locks, identity, exits, and state that outlives the module.
BANNED = re.compile(r"""^(
    malloc | calloc | realloc | reallocarray | free | strdup | strndup | v?asprintf | getline | getdelim |
    (posix_)?memalign | aligned_alloc | alloca | mmap(64)? | s?brk |
    (secure_)?getenv | setenv | putenv | unsetenv | clearenv |
    setlocale | newlocale | uselocale | strerror | strerror_l | strsignal | d?c?n?gettext |
    socket(pair)? | connect | bind | listen | accept4? | send.* | recv.* |
    fork | _Fork | vfork | clone3? | posix_spawnp? | exec.* | fexecve | system | popen | wait.* | daemon |
    signal | sigaction | sigprocmask | kill | killpg | raise | alarm | setitimer | timer_.* |
    umask | chdir | fchdir | chroot | unshare | setns | pivot_root |
    getpw.* | getgr.* | getsp.* | getaddrinfo | gethost.* | getserv.* | initgroups | setgroups |
    sleep | usleep | nanosleep | clock_nanosleep | poll | ppoll | select | pselect | epoll_.* |
    pthread_.* | call_once | mtx_.* | flock | lockf | fcntl(64)? |
    set(r?e?s?[ug]id) | prctl | capset | setrlimit | prlimit |
    v?f?printf | f?puts | fopen(64)? | fdopen | fclose | fread | fwrite | fgets | v?syslog | openlog | closelog |
    exit | _exit | _Exit | abort | atexit | on_exit | longjmp | dlopen | dlsym |
    pam_get_user | pam_get_authtok | pam_set_data | pam_get_data | pam_set_item | pam_putenv | pam_getenv.* |
    pam_modutil_.*
)$""", re.VERBOSE)


def tool(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def symbols(kind):
    """Names of dynamic symbols, without versions; weak ones are the compiler's own."""
    lines = [line.split() for line in tool("nm", "--dynamic", f"--{kind}-only", MODULE).splitlines()]
    return {line[-1].split("@")[0] for line in lines if line[-2] not in "wv"}


def fortified(name):
    """__snprintf_chk is snprintf, to the rules."""
    match = re.fullmatch(r"__(\w+?)(_chk|64)", name)
    return match.group(1) if match else name


UNDEFINED = symbols("undefined")
SANITIZED = any(re.match(r"__(asan|ubsan|tsan)_", name) for name in UNDEFINED)
# A sanitized build keeps unused functions, whose archive members bring these; what runs is the same.
ALLOWED = {"malloc", "realloc", "free"} if SANITIZED else set()


class Module(harness.Test):
    def test_exports_the_six_functions_of_pam_and_nothing_else(self):
        self.assertEqual(symbols("defined"), EXPORTED)

    def test_needs_libpam_and_libc_and_nothing_else(self):
        needed = re.findall(r"\(NEEDED\).*\[(.+)\]", tool("readelf", "--dynamic", "--wide", MODULE))
        own = {name for name in needed if not re.match(r"lib([aut]?ub|a|t)san\.so", name)}
        self.assertEqual(own, {"libpam.so.0", "libc.so.6"})

    def test_calls_nothing_that_the_design_forbids(self):
        banned = {name for name in UNDEFINED if BANNED.match(fortified(name))}
        self.assertEqual(banned - ALLOWED, set())

    def test_the_list_of_forbidden_functions_would_catch_them(self):
        """The rule itself: one of each kind, also as the fortified headers spell it."""
        for name in ("malloc", "free", "getenv", "setlocale", "socket", "connect", "fork", "vfork", "system", "signal",
                     "sigaction", "umask", "chdir", "getpwnam", "getpwuid_r", "getgrnam", "sleep", "usleep",
                     "nanosleep", "pthread_create", "flock", "__fprintf_chk", "__syslog_chk", "setresuid",
                     "setuid", "pam_get_user", "pam_modutil_getpwnam"):
            self.assertTrue(BANNED.match(fortified(name)), name)
        for name in ("openat", "fstatat", "snprintf", "__snprintf_chk", "pam_get_item", "pam_syslog", "close"):
            self.assertFalse(BANNED.match(fortified(name)), name)

    def test_has_no_executable_stack_and_no_search_path(self):
        header = tool("readelf", "--dynamic", "--program-headers", "--wide", MODULE)
        self.assertRegex(header, r"GNU_STACK\s.*\sRW\s")
        self.assertNotIn("TEXTREL", header)
        self.assertNotRegex(header, r"R(UN)?PATH")


def section_size(name):
    sections = tool("readelf", "--sections", "--wide", MODULE)
    sizes = re.findall(rf"\s{re.escape(name)}\s+\S+\s+\S+\s+\S+\s+([0-9a-f]+)\s", sections)
    return sum(int(size, 16) for size in sizes)


def frames_and_calls():
    """{function: bytes of its frame}, {function: whom it calls}, read from the machine code."""
    frames, calls, name = {}, {}, None
    for line in tool("objdump", "--disassemble", "--no-show-raw-insn", MODULE).splitlines():
        start = re.match(r"[0-9a-f]+ <([^>]+)>:", line)
        if start:
            name = start.group(1)
            frames[name], calls[name] = 8, set()
            continue
        size = re.search(r"\bsub\s+(?:\$(0x[0-9a-f]+),%rsp|sp, sp, #(0x[0-9a-f]+|\d+))", line)
        push = re.search(r"\bpush\b", line)
        call = re.search(r"\b(?:call|jmp|bl?)\s.*<([^>+]+)>", line)
        if size:
            frames[name] += int(size.group(1) or size.group(2), 0)
        elif push:
            frames[name] += 8
        elif call:
            calls[name].add(call.group(1))
    return frames, calls


def deepest(name, frames, calls):
    """The bytes of stack that a function and whom it calls can take."""
    below = [deepest(other, frames, calls) for other in calls.get(name, ()) if other in frames and other != name]
    return frames[name] + max(below, default=0)


if not SANITIZED:  # sizes, state and constructors would be the sanitizer's
    class PlainModule(harness.Test):
        def test_keeps_no_state_that_could_outlive_a_call(self):
            """.data and .bss hold the compiler's own pointer and flag; tables are read-only."""
            self.assertLessEqual(section_size(".data"), 8)
            self.assertLessEqual(section_size(".bss"), 8)
            self.assertEqual(section_size(".tdata") + section_size(".tbss"), 0)

        def test_runs_no_code_at_load_or_unload(self):
            """One entry each is the compiler's own: no constructor, no destructor."""
            self.assertLessEqual(section_size(".init_array"), 8)
            self.assertLessEqual(section_size(".fini_array"), 8)

        def test_is_bound_at_load_and_read_only_then(self):
            header = tool("readelf", "--dynamic", "--program-headers", "--wide", MODULE)
            self.assertIn("BIND_NOW", header)
            self.assertIn("GNU_RELRO", header)

        def test_is_small(self):
            with tempfile.NamedTemporaryFile() as stripped:
                tool("strip", "-o", stripped.name, MODULE)
                self.assertLessEqual(os.path.getsize(stripped.name), MOST_BYTES)

        def test_takes_less_than_16_kib_of_stack(self):
            frames, calls = frames_and_calls()
            stack = deepest("pam_sm_open_session", frames, calls)
            self.assertGreater(stack, 4096, "the buffer for /etc/passwd was not seen")
            self.assertLess(stack, MOST_STACK, frames)


if __name__ == "__main__":
    harness.main()
