/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: a PAM stack of our module alone, in a directory of its own, with a passwd file of its
 * own mounted over the real one in a private namespace. Needs root; without it, main() reports that
 * it skips.
 */
#ifndef CLOUDINVITE_TESTS_PAM_STACK_H
#define CLOUDINVITE_TESTS_PAM_STACK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <security/pam_appl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define UNUSED __attribute__((unused))

#define PASSWD                                       \
	"root:x:0:0:root:/root:/bin/bash\n"          \
	"alice:x:1001:1001::/home/alice:/bin/bash\n" \
	"bob.b:x:1002:1002::/home/bob:/bin/bash\n"   \
	"daemon2:x:200:200::/:/usr/sbin/nologin\n"   \
	"big:x:70000:70000::/home/big:/bin/bash\n"   \
	"odd:x:notanumber:1::/home/odd:/bin/bash\n"  \
	"+nis:x:1003:1003::/home/nis:/bin/bash\n"

struct stack {
	char work[64];
	char service[32]; /* the name of the PAM service; "sshd" */
	char user[512];
	char said[4096];  /* what the conversation was shown */
	int conversation; /* 1 it accepts, 0 it is NULL, -1 it fails */
	bool written;	  /* the PAM file exists already and stays as it is */
};

static struct stack stack;

UNUSED static const char *at(const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	assert_true(snprintf(path, sizeof(paths[0]), "%s/%s", stack.work, name) <
		    (int)sizeof(paths[0]));
	return path;
}

UNUSED static void put(const char *name, const char *content, mode_t mode)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

/* The module's directory, from tests/run. */
UNUSED static const char *programs(void)
{
	const char *reachable = getenv("CLOUDINVITE_PROGRAMS");
	const char *build = getenv("CLOUDINVITE_BUILD");

	return reachable ? reachable : build ? build : "build";
}

UNUSED static bool exists(const char *name)
{
	struct stat st;

	return lstat(at(name), &st) == 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

UNUSED static void empty(const char *name)
{
	nftw(at(name), remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Before each test: an empty spool, a new alice, a conversation that accepts. */
static int stack_fresh(void **state)
{
	(void)state;
	empty("spool");
	assert_int_equal(mkdir(at("spool"), 0755), 0);
	assert_int_equal(mkdir(at("spool/new"), 0770), 0);
	assert_int_equal(mkdir(at("spool/seen"), 0700), 0);
	str_copy(stack.service, sizeof(stack.service), "sshd");
	str_copy(stack.user, sizeof(stack.user), "alice");
	stack.said[0] = '\0';
	stack.conversation = 1;
	stack.written = false;
	return 0;
}

UNUSED static int listen_to(
	int n, const struct pam_message **messages, struct pam_response **replies, void *ctx)
{
	(void)ctx;
	*replies = NULL;
	if (stack.conversation < 0)
		return PAM_CONV_ERR;
	for (int i = 0; i < n; i++) {
		size_t used = strlen(stack.said);

		snprintf(stack.said + used, sizeof(stack.said) - used, "%s\n", messages[i]->msg);
	}
	*replies = calloc((size_t)n, sizeof(**replies));
	return *replies ? PAM_SUCCESS : PAM_BUF_ERR;
}

/* Runs one PAM function in a stack that has only our line, with this `control`. */
static int run(const char *type, const char *control, const char *arguments,
	int (*function)(pam_handle_t *, int), int flags)
{
	static const struct pam_conv listening = {listen_to, NULL}, nobody = {NULL, NULL};
	pam_handle_t *pamh = NULL;
	char line[2048], file[64];
	int result;

	snprintf(line, sizeof(line), "%s %s %s/pam_cloudinvite.so spool=%s %s\n", type, control,
		programs(), at("spool"), arguments);
	snprintf(file, sizeof(file), "conf/%s", stack.service);
	if (!stack.written)
		put(file, line, 0644);
	assert_int_equal(pam_start_confdir(stack.service, stack.user,
				 stack.conversation ? &listening : &nobody, at("conf"), &pamh),
		PAM_SUCCESS);
	result = function(pamh, flags);
	assert_int_equal(pam_end(pamh, result), PAM_SUCCESS);
	return result;
}

UNUSED static int log_in(const char *arguments)
{
	return run("session", "required", arguments, pam_open_session, 0);
}

UNUSED static int arrivals(void)
{
	DIR *dir = opendir(at("spool/new"));
	const struct dirent *entry;
	int count = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

UNUSED static void expect_arrival(const char *name, bool expected)
{
	char path[300];
	struct stat st;

	snprintf(path, sizeof(path), "spool/new/%s", name);
	assert_int_equal(exists(path), expected);
	if (!expected)
		return;
	assert_int_equal(lstat(at(path), &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(st.st_uid, 0);
}

UNUSED static int stack_enter(void **state)
{
	(void)state;
	memcpy(stack.work, "/tmp/cloudinvite-pam.XXXXXX", sizeof("/tmp/cloudinvite-pam.XXXXXX"));
	assert_non_null(mkdtemp(stack.work));
	assert_int_equal(chmod(stack.work, 0755), 0);
	assert_int_equal(mkdir(at("conf"), 0755), 0);
	put("passwd", PASSWD, 0644);
	put("login.defs", "# UID_MIN 1\nUID_MIN\t 1000\nUID_MAX 60000\n", 0644);
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount(at("passwd"), "/etc/passwd", "none", MS_BIND, NULL), 0);
	assert_int_equal(mount(at("login.defs"), "/etc/login.defs", "none", MS_BIND, NULL), 0);
	return 0;
}

UNUSED static int stack_leave(void **state)
{
	(void)state;
	umount2("/etc/passwd", MNT_DETACH);
	umount2("/etc/login.defs", MNT_DETACH);
	nftw(stack.work, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

/* The exit of a test program that does not run as root. */
UNUSED static int stack_skip(const char *group)
{
	printf("1..1\nok 1 - pam %s # SKIP needs root for a mount namespace\n", group);
	return 0;
}

#endif
