#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""There is one version, and every place that names it agrees."""
import glob
import os
import re
import subprocess

import harness

WHERE = {
    "Makefile": r"^VERSION\s*:=\s*(\S+)$",
    "CHANGELOG.md": r"\A# Changelog\s+## (\S+)",
    "packaging/debian/changelog": r"\Acloudinvite \(([^)-]+)\)",
    "packaging/rpm/cloudinvite.spec": r"^Version:\s*(\S+)$",
    "docs/install.md": r"cloudinvite[_-](\d+\.\d+\.\d+)[_-]",
}
WHERE.update({f"docs/man/{os.path.basename(page)}": r"^\.Os cloudinvite (\S+)$"
              for page in glob.glob(f"{harness.SOURCE}/docs/man/*.[158]")})
PROGRAMS = ("cloudinvite", "cloudinvite-keeper", "cloudinvite-collector", "cloudinvite-dispatcher",
            "cloudinvite-emulator")


def named(name):
    with open(f"{harness.SOURCE}/{name}", encoding="utf-8") as file:
        return set(re.findall(WHERE[name], file.read(), re.M))


class Version(harness.Test):

    def test_programs_packages_and_pages_name_the_same(self):
        version = named("Makefile")
        self.assertEqual(len(version), 1)
        for name in WHERE:
            with self.subTest(file=name):
                self.assertEqual(named(name), version)
        for program in PROGRAMS:
            with self.subTest(program=program):
                said = subprocess.run([f"{harness.BUILD}/{program}", "--version"], check=True, text=True,
                                      stdout=subprocess.PIPE).stdout
                self.assertEqual(said, f"{program} {min(version)}\n")


if __name__ == "__main__":
    harness.main()
