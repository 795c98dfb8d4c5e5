#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What pam_cloudinvite.so brings into sshd: six functions, two libraries, and nothing of libc that
could block, speak, fork, or change its host."""
import os
import re
import tempfile
import unittest

import module
from module import harness, output, symbols

SIX = {"pam_sm_acct_mgmt", "pam_sm_authenticate", "pam_sm_chauthtok", "pam_sm_close_session",
       "pam_sm_open_session", "pam_sm_setcred"}
NEEDED = {"libpam.so.0", "libc.so.6"}
LARGEST = 40 * 1024

# What the module is allowed of libc and libpam. A new name is a decision: see "The module" in
# docs/design.md (no NSS, socket, lock, fork, sleep, signal, umask, environment, locale, heap).
ALLOWED = {
    "clock_gettime", "close", "fstat", "fstatat", "fsync", "geteuid", "open", "openat", "read",
    "memchr", "memcmp", "memcpy", "memmove", "memset", "strchr", "strcmp", "strcspn",
    "strlen", "strncmp", "strnlen", "strpbrk", "strrchr", "strtoll", "strerrordesc_np",
    "snprintf", "vsnprintf", "pam_get_item", "pam_prompt", "pam_syslog", "errno_location"}
# What the compiler and the linker add by themselves.
TOOLCHAIN = {"stack_chk_fail", "cxa_finalize", "gmon_start__", "ITM_deregisterTMCloneTable",
             "ITM_registerTMCloneTable"}


def plain(name):
    """__snprintf_chk and __isoc23_strtoll are snprintf and strtoll."""
    return re.sub(r"^_*(isoc\d+_)?|_chk$|_2$", "", name)


@unittest.skipIf(module.is_sanitized(), "a sanitizer brings what is forbidden here")
class Module(harness.Test):
    def test_it_exports_its_six_functions_and_nothing_else(self):
        self.assertEqual(symbols("--defined-only"), SIX)

    def test_it_needs_libpam_and_libc_and_nothing_else(self):
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-dW", module.PATH))
        self.assertEqual(set(needed), NEEDED)

    def test_it_calls_nothing_that_could_block_or_change_its_host(self):
        called = {plain(name) for name in symbols("--undefined-only")}
        self.assertEqual(called - ALLOWED - TOOLCHAIN, set())

    def test_it_leaves_nothing_to_be_written_to_in_the_host(self):
        """No static state: apart from what the linker relocates once (and RELRO then locks)."""
        sections = {}
        for line in output("readelf", "-SW", module.PATH).splitlines():
            found = re.match(r"\s*\[\s*\d+\]\s+(\.\S+)\s+\S+\s+\S+\s+\S+\s+([0-9a-f]+)", line)
            if found:
                sections[found.group(1)] = int(found.group(2), 16)
        # crtbegin.o has 8 bytes of .data (__dso_handle) and one of .bss, aligned.
        self.assertLessEqual(sections.get(".data", 0), 8)
        self.assertLessEqual(sections.get(".bss", 0), 8)
        self.assertNotIn(".tbss", sections)
        self.assertNotIn(".tdata", sections)

    def test_it_is_hardened(self):
        dynamic, headers = output("readelf", "-dW", module.PATH), output("readelf", "-lW", module.PATH)
        self.assertRegex(dynamic, r"BIND_NOW|\bNOW\b")
        self.assertIn("GNU_RELRO", headers)
        self.assertRegex(headers, r"GNU_STACK.* RW +0x")
        self.assertNotRegex(dynamic, r"RPATH|RUNPATH|TEXTREL|NODELETE")

    def test_it_has_40_KB_at_most(self):
        with tempfile.NamedTemporaryFile() as stripped:
            output("strip", "-o", stripped.name, module.PATH)
            self.assertLessEqual(os.path.getsize(stripped.name), LARGEST)


if __name__ == "__main__":
    harness.main()
