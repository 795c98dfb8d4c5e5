# SPDX-License-Identifier: Apache-2.0
"""rpmbuild on a Debian, which has neither Fedora's macros nor its packages."""
import os
import re
import subprocess

SPEC = "/packaging/rpm/cloudinvite.spec"  # in a tree
# Fedora's, which Debian does not have: where things lie, and scriptlets that do nothing.
MACROS = {
    "_unitdir": "/usr/lib/systemd/system", "_sysusersdir": "/usr/lib/sysusers.d",
    "journal_catalog_update": ":", "systemd_post()": ":", "systemd_preun()": ":", "systemd_postun_with_restart()": ":",
    "sysusers_create_compat()": ":", "selinux_relabel_pre(s:)": ":", "selinux_relabel_post(s:)": ":",
    "selinux_modules_install(s:)": ":", "selinux_modules_uninstall(s:)": ":",
}


def pack(tree, top):
    """The sources' archive: the tree's files, without what was built in it."""
    os.makedirs(top + "/SOURCES")
    with open(tree + SPEC, encoding="utf-8") as spec:
        name = "cloudinvite-" + re.search(r"^Version:\s*(\S+)", spec.read(), re.M).group(1)
    subprocess.run(["tar", "-C", tree, "-cz", "--exclude-vcs", "--exclude=./build", "--exclude=./build-*",
                    "--exclude=__pycache__", f"--transform=s,^\\.,{name},", "-f", f"{top}/SOURCES/{name}.tar.gz", "."],
                   check=True)


def command(tree, top, what, **macros):
    """rpmbuild's, which tests nothing and leaves everything below `top`."""
    return ["rpmbuild", what, "--nodeps", "--without", "check",
            *(word for name, value in {"_topdir": top, **MACROS, **macros}.items()
              for word in ("--define", f"{name} {value}")), tree + SPEC]
