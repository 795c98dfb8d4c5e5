#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Shows I3 (docs/design.md, "Invariants").
"""What pam_cloudinvite.so brings into sshd: six functions, two libraries, and nothing of libc that could block, print,
fork, or change the process.
"""
import os
import re
import tempfile

import module
from module import harness, output, symbols

SIX = {"pam_sm_acct_mgmt", "pam_sm_authenticate", "pam_sm_chauthtok", "pam_sm_close_session",
       "pam_sm_open_session", "pam_sm_setcred"}
NEEDED = {"libpam.so.0", "libc.so.6"}
LARGEST = 40 * 1024
DEEPEST = 16 * 1024

# What the module may use of libc and libpam. A new name needs a decision: see "The module" in docs/design.md (no NSS,
# lock, fork, sleep, signal, umask, environment, locale, heap).
ALLOWED = {
    "clock_gettime", "close", "fstat", "fstatat", "fsync", "geteuid", "open", "openat", "preadv2", "read",
    "memchr", "memcmp", "memcpy", "memmove", "memrchr", "memset", "strchr", "strcmp", "strcspn",
    "strlen", "strncmp", "strnlen", "strpbrk", "strrchr", "strstr", "strtoll", "strerrordesc_np",
    "snprintf", "vsnprintf", "pam_get_item", "pam_prompt", "errno_location",
    # of log.c: one datagram to the log
    "getpid", "progname", "program_invocation_short_name", "sendto", "socket"}
# Added by the compiler and the linker.
TOOLCHAIN = {"stack_chk_fail", "cxa_finalize", "gmon_start__", "ITM_deregisterTMCloneTable",
             "ITM_registerTMCloneTable"}
SANITIZER = re.compile(r"lib[a-z]+san\.so")


def plain(name):
    """__snprintf_chk and __isoc23_strtoll are snprintf and strtoll."""
    return re.sub(r"^_*(isoc\d+_)?|_chk$|_2$", "", name)


def section_sizes():
    sections = {}
    for line in output("readelf", "-SW", module.PATH).splitlines():
        found = re.match(r"\s*\[\s*\d+\]\s+(\.\S+)\s+\S+\s+\S+\s+\S+\s+([0-9a-f]+)", line)
        if found:
            sections[found.group(1)] = int(found.group(2), 16)
    return sections


def frames_and_calls():
    """{function: bytes of its frame} and {function: the functions that it calls}, from the machine code."""
    frames, calls, name = {}, {}, None
    for line in output("objdump", "-d", "--no-show-raw-insn", module.PATH).splitlines():
        start = re.match(r"[0-9a-f]+ <([^>]+)>:", line)
        if start:
            name = start.group(1)
            frames[name], calls[name] = 8, set()
            continue
        size = re.search(r"\bsub\s+(?:\$(0x[0-9a-f]+),%rsp|sp, sp, #(0x[0-9a-f]+|\d+))", line)
        call = re.search(r"\b(?:call|jmp|bl?)\s.*<([^>+]+)>", line)
        if size:
            frames[name] += int(size.group(1) or size.group(2), 0)
        elif re.search(r"\bpush\b", line):
            frames[name] += 8
        elif call and call.group(1) != name:
            calls[name].add(call.group(1))
    return frames, calls


def deepest(name, frames, calls):
    """The bytes of stack that a function takes with its callees, without libc and libpam."""
    below = [deepest(other, frames, calls) for other in calls[name] if other in frames]
    return frames[name] + max(below, default=0)


class Module(harness.Test):
    def test_it_exports_its_six_functions_and_nothing_else(self):
        self.assertEqual(symbols("--defined-only"), SIX)

    def test_it_needs_libpam_and_libc_and_nothing_else(self):
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-dW", module.PATH))
        self.assertEqual({name for name in needed if not SANITIZER.match(name)}, NEEDED)


class Inside(harness.Test):
    def test_it_calls_nothing_that_could_block_or_change_its_host(self):
        called = {plain(name) for name in symbols("--undefined-only")}
        self.assertEqual(called - ALLOWED - TOOLCHAIN, set())

    def test_it_leaves_nothing_to_be_written_to_in_the_host(self):
        """No static state, apart from what the linker relocates once (and RELRO then locks)."""
        sections = section_sizes()
        # crtbegin.o has 8 bytes of .data (__dso_handle) and one of .bss, aligned.
        self.assertLessEqual(sections.get(".data", 0), 8)
        self.assertLessEqual(sections.get(".bss", 0), 8)
        self.assertNotIn(".tbss", sections)
        self.assertNotIn(".tdata", sections)

    def test_it_runs_no_code_when_it_is_loaded_or_unloaded(self):
        """crtbegin.o has one function of each kind; a constructor of ours would be another one."""
        sections = section_sizes()
        self.assertLessEqual(sections.get(".init_array", 0), 8)
        self.assertLessEqual(sections.get(".fini_array", 0), 8)

    def test_it_is_hardened(self):
        dynamic, headers = output("readelf", "-dW", module.PATH), output("readelf", "-lW", module.PATH)
        self.assertRegex(dynamic, r"BIND_NOW|\bNOW\b")
        self.assertIn("GNU_RELRO", headers)
        self.assertRegex(headers, r"GNU_STACK.* RW +0x")
        self.assertNotRegex(dynamic, r"RPATH|RUNPATH|TEXTREL|NODELETE")
        called = symbols("--undefined-only")
        self.assertIn("__stack_chk_fail", called)
        self.assertTrue({"__snprintf_chk", "__vsnprintf_chk"} & called, "_FORTIFY_SOURCE")

    def test_it_has_40_KB_at_most(self):
        with tempfile.NamedTemporaryFile() as stripped:
            output("strip", "-o", stripped.name, module.PATH)
            self.assertLessEqual(os.path.getsize(stripped.name), LARGEST)

    def test_it_takes_less_than_16_KB_of_stack(self):
        """A display manager may open a session in a thread with a small stack."""
        frames, calls = frames_and_calls()
        stack = deepest("pam_sm_open_session", frames, calls)
        self.assertGreater(stack, 4096, "the buffer for /etc/passwd was not seen")
        self.assertLess(stack, DEEPEST, frames)


if __name__ == "__main__":
    if module.is_sanitized():  # then its contents are the sanitizer's
        del Inside
    harness.main()
