# SPDX-License-Identifier: Apache-2.0
"""Debian's packages, built as a user of that Debian would build them: on this machine for its own suite, and for
another suite in a tree with the packages that packaging/debian/control requires, and no others. CLOUDINVITE_CLEAN=1
builds those of this machine's suite in such a tree too.

    folder = debs.build(steps, "trixie")      # None if that fails; kept until a file of the tree changes
    debs.renumber(folder, "0.1.1")            # the same packages again, as a higher version

Packages that newcomer.py has built are used too.
"""
import fcntl
import glob
import hashlib
import os
import re
import shutil

import nspawn

NAMES = ("cloudinvite", "libpam-cloudinvite", "cloudinvite-emulator")
# Virtual packages in control, and alternatives that a suite does not have.
PROVIDED = {"debhelper-compat": "debhelper", "dh-sequence-installsysusers": "debhelper"}
ABSENT = {"bookworm": {"systemd-dev"}, "trixie": set()}
# The last one is needed by lintian under a name that only apt resolves.
BUILDING = ["build-essential", "lintian", "perl-openssl-defaults"]
# The source is for both: Debian 12's lintian warns about a newer Standards-Version, and has a tag to override that
# Debian 13's does not know any more.
OF_THE_OTHER = {"bookworm": "", "trixie": "--suppress-tags out-of-date-standards-version,alien-tag"}
OPTIONS = {"DEB_BUILD_OPTIONS": "nocheck parallel=2", "DEB_BUILD_PROFILES": "nocheck"}


def control():
    with open(nspawn.SOURCE + "/packaging/debian/control", encoding="utf-8") as file:
        return file.read()


def version():
    with open(nspawn.SOURCE + "/packaging/debian/changelog", encoding="utf-8") as file:
        return re.match(r"cloudinvite \(([^)]+)\)", file.readline()).group(1)


def higher():
    return re.sub(r"\d+$", lambda last: str(int(last.group(0)) + 1), version())


def dependencies(suite):
    """The build dependencies without those of the tests, by names that debootstrap knows."""
    named = []
    for wanted in re.search(r"^Build-Depends:(.*?)\n\S", control(), re.M | re.S).group(1).split(","):
        if wanted.strip() and "<!nocheck>" not in wanted:
            names = [re.match(r"[a-z0-9.+-]+", one.strip()).group(0) for one in wanted.split("|")]
            names = [PROVIDED.get(name, name) for name in names if name not in ABSENT[suite]]
            named.append(names[0])
    return sorted(set(named))


def made_of():
    """A digest of all that goes into the packages."""
    listed = nspawn.run("git", "-C", nspawn.SOURCE, "ls-files", "-co", "--exclude-standard")[1].split("\n")
    digest = hashlib.sha256()
    for name in sorted(listed):
        path = f"{nspawn.SOURCE}/{name}"
        if name.startswith("tests/") or not os.path.isfile(path):
            continue
        with open(path, "rb") as file:
            digest.update(f"{name} {os.stat(path).st_mode & 0o777:o} ".encode() + file.read())
    return digest.hexdigest()


def there_from_before(folder):
    try:
        with open(folder + "/made-of", encoding="ascii") as file:
            return file.read() == made_of()
    except OSError:
        return False


def keep(suite, built, made):
    """Stores what was built from the tree with this made_of(), for build(). Returns the folder."""
    folder = f"{nspawn.BUILD}/deb-{suite}"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for file in glob.glob(built + "/*.*"):
        if os.path.isfile(file):
            shutil.copy(file, folder)
    with open(folder + "/made-of", "w", encoding="ascii") as file:
        file.write(made)
    return folder


def build(steps, suite):
    """The folder with the packages of the tree as it is, and what was built with them."""
    folder = f"{nspawn.BUILD}/deb-{suite}"
    # Another test may want the same at the same time.
    with open(folder + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not there_from_before(folder):
            return build_new(steps, suite)
        steps.step(f"the packages for {suite} are there from before, of this very tree", 0, "")
        return folder


def build_new(steps, suite):
    made = made_of()
    with nspawn.Root() as root:
        if is_this(suite) and not os.environ.get("CLOUDINVITE_CLEAN"):
            made_here = compile_here(steps, root)
        else:
            made_here = compile_apart(steps, root, suite)
        return keep(suite, root + "/src/deb", made) if made_here else None


def enter(root, *command):
    """A command in that tree, in namespaces of its own."""
    return nspawn.run(
        "unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
        'mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && exec chroot "$0" "$@"', root, "env", "-i",
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root",
        *[f"{name}={value}" for name, value in OPTIONS.items()], *command)


def is_this(suite):
    with open("/etc/os-release", encoding="utf-8") as file:
        return f"VERSION_CODENAME={suite}\n" in file.read()


def clean_environment():
    return {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS", "O")}


def compile_here(steps, root):
    """test_packages.py runs lintian on these."""
    status, output = nspawn.run("make", "-C", nspawn.SOURCE, "deb", f"O={root}/src",
                                 env=clean_environment() | OPTIONS)
    return steps.step("the packages are built on this machine", status, output)


def compile_apart(steps, root, suite):
    return nspawn.debian(steps, root, suite, BUILDING + dependencies(suite), base=[]) \
        and compile_in(steps, root) and lint_in(steps, root, suite)


def compile_in(steps, root):
    environment = clean_environment()
    status, output = nspawn.run("make", "-C", nspawn.SOURCE, "deb-tree", f"O={root}/src", env=environment)
    if steps.step("the source is packed", status, output):
        status, output = enter(root, "sh", "-c", "cd /src/deb/cloudinvite-* && dpkg-buildpackage -us -uc")
        return steps.step("dpkg-buildpackage builds with what control asks for", status, output)
    return False


def lintian(suite, built):
    """The lintian command for the files in `built`."""
    return f"lintian --allow-root -I --pedantic {OF_THE_OTHER[suite]} {built}/*.changes"


def lint_in(steps, root, suite):
    status, output = enter(root, "sh", "-c", lintian(suite, "/src/deb"))
    return steps.step(f"the lintian of {suite} finds nothing", status or bool(output.strip()), output)


def packages(folder, number=None):
    """Name → file."""
    return {name: glob.glob(f"{folder}/{name}_{number or version()}_*.deb")[0] for name in NAMES}


def newer_sample(name, tree):
    """The higher version's settings differ from the lower one's, and from those that setup has changed."""
    if name == "cloudinvite":
        with open(tree + "/etc/cloudinvite/cloudinvite.conf", "a", encoding="utf-8") as file:
            file.write("\n# A newer sample.\n")


def renumber(folder, number, change=lambda name, tree: None):
    """The same packages with another version; `change` may change each unpacked tree."""
    for name, file in packages(folder).items():
        tree = f"{folder}/unpacked"
        shutil.rmtree(tree, ignore_errors=True)
        nspawn.Machine.must("dpkg-deb", "-R", file, tree)
        with open(tree + "/DEBIAN/control", "r+", encoding="utf-8") as control_file:
            text = re.sub(r"^Version: .*$", f"Version: {number}", control_file.read(), flags=re.M)
            control_file.seek(0)
            control_file.write(text)
            control_file.truncate()
        change(name, tree)
        nspawn.Machine.must("dpkg-deb", "--root-owner-group", "-b", tree,
                             file.replace(f"_{version()}_", f"_{number}_"))
        shutil.rmtree(tree)
