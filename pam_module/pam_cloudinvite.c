/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pam_cloudinvite.so: notices that a user logs in who has not been seen on this host.
 *
 * It runs inside sshd, login and display managers, as root. So it uses no network, NSS, lock, fork,
 * signal or heap, and no state that outlives a call. The session functions return PAM_SUCCESS and
 * all others PAM_IGNORE, on every path, whatever the arguments say. (A stack in which every module
 * returns PAM_IGNORE denies access, and a misplaced `auth sufficient` must not become a way in.)
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "common/pam/arguments.h"
#include "pam_module/local_user.h"
#include "pam_module/log.h"
#include "pam_module/notice.h"
#include "spool/spool.h"

#define UNUSED __attribute__((unused))

/* What came of a login, for `debug`. */
enum outcome {
	SERVICE_SKIPPED,
	NOT_ROOT,
	NO_USER,
	SEEN_BEFORE,
	ALREADY_QUEUED,
	NOT_LOCAL,
	OUT_OF_RANGE,
	REPORTED,
	FAILED,
};
static const char *const outcomes[] = {
	[SERVICE_SKIPPED] = "this service is ignored",
	[NOT_ROOT] = "not running as root",
	[NO_USER] = "no user",
	[SEEN_BEFORE] = "seen before",
	[ALREADY_QUEUED] = "already in the spool",
	[NOT_LOCAL] = "not in /etc/passwd",
	[OUT_OF_RANGE] = "uid out of range",
	[REPORTED] = "new: reported",
	[FAILED] = "failed",
};

static const char *pam_string(pam_handle_t *pamh, int type)
{
	const void *item = NULL;

	if (pam_get_item(pamh, type, &item) != PAM_SUCCESS || !item)
		return "";
	return item;
}

/* One fstatat with the whole path: the spool belongs to root, and a name has no slash. 1, 0, or -1
 * and errno. */
static int file_exists(const char *spool, const char *box, const char *name)
{
	char path[SPOOL_PATH_MAX];

	if (!str_format(path, sizeof(path), "%s/%s/%s", spool, box, name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return spool_exists(AT_FDCWD, path);
}

static enum outcome fail(pam_handle_t *pamh, const struct arguments *a, const char *user, int why)
{
	/* Not strerror: it may load the host's message catalogue onto the heap. */
	const char *reason = strerrordesc_np(why);
	char safe[128];

	if (!a->silent)
		log_line(pamh, LOG_ERR, "%s: cannot report %s: %s (the login continues)", a->spool,
			str_safe(safe, sizeof(safe), user), reason ? reason : "unknown error");
	return FAILED;
}

static enum outcome report(pam_handle_t *pamh, const struct arguments *a, const char *user)
{
	int box = spool_open(a->spool, SPOOL_NEW);
	int result, why;

	if (box < 0)
		return fail(pamh, a, user, errno);
	result = spool_put(box, user, TRIGGER_LOGIN, a->sync);
	why = errno;
	file_close(&box);
	if (result < 0)
		return fail(pamh, a, user, why);
	return result == 0 ? ALREADY_QUEUED : REPORTED;
}

static enum outcome check_unknown_user(
	pam_handle_t *pamh, const struct arguments *a, const char *user)
{
	switch (local_user_find(user, a->min_uid, a->max_uid)) {
	case LOCAL_USER_OUTSIDE:
		return OUT_OF_RANGE;
	case LOCAL_USER_ABSENT:
		if (!a->network_users)
			return NOT_LOCAL;
		break;
	case LOCAL_USER_COUNTS:
	case LOCAL_USER_UNDECIDED: /* the collector decides */
		break;
	}
	return report(pamh, a, user);
}

/* In the order of cost: for a returning user it ends at the first fstatat. */
static enum outcome check_login(pam_handle_t *pamh, const struct arguments *a, bool quiet)
{
	char mark[SPOOL_NAME_MAX + 1], arrival[SPOOL_NAME_MAX + 1];
	const char *user;

	if (!arguments_service(a, pam_string(pamh, PAM_SERVICE)))
		return SERVICE_SKIPPED;
	if (geteuid() != 0)
		return NOT_ROOT;
	user = pam_string(pamh, PAM_USER);
	if (!*user)
		return NO_USER;
	if (!spool_mark_name(mark, user))
		return fail(pamh, a, user, ENAMETOOLONG);
	/* An error here occurs again where the arrival is created, and is logged there. */
	if (file_exists(a->spool, SPOOL_SEEN, mark) == 1) {
		if (a->notify && !quiet)
			notice_show(pamh, a, user);
		return SEEN_BEFORE;
	}
	if (!spool_arrival_name(arrival, user, TRIGGER_LOGIN))
		return fail(pamh, a, user, ENAMETOOLONG);
	if (file_exists(a->spool, SPOOL_NEW, arrival) == 1)
		return ALREADY_QUEUED;
	return check_unknown_user(pamh, a, user);
}

struct wrong_argument_log {
	pam_handle_t *pamh;
	const struct arguments *arguments;
};

static void wrong_argument(const char *argument, void *ctx)
{
	const struct wrong_argument_log *c = ctx;
	char safe[128];

	if (!c->arguments->silent)
		log_line(c->pamh, LOG_ERR, "ignoring unknown or invalid argument: %s",
			str_safe(safe, sizeof(safe), argument));
}

static long elapsed_us(const struct timespec *since)
{
	struct timespec now = *since;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (long)(now.tv_sec - since->tv_sec) * 1000000 + (now.tv_nsec - since->tv_nsec) / 1000;
}

__attribute__((visibility("default"))) int pam_sm_open_session(
	pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct arguments a;
	struct wrong_argument_log log = {pamh, &a};
	struct timespec began = {0};
	enum outcome outcome;
	int saved = errno;

	arguments_parse(&a, argc, argv, wrong_argument, &log);
	if (a.debug)
		(void)clock_gettime(CLOCK_MONOTONIC, &began);
	outcome = check_login(pamh, &a, ((unsigned)flags & PAM_SILENT) != 0);
	if (a.debug)
		log_line(pamh, LOG_DEBUG, "%s (%ld us)", outcomes[outcome], elapsed_us(&began));
	errno = saved;
	return PAM_SUCCESS;
}

__attribute__((visibility("default"))) int pam_sm_close_session(
	pam_handle_t *pamh UNUSED, int flags UNUSED, int argc UNUSED, const char **argv UNUSED)
{
	return PAM_SUCCESS;
}

__attribute__((visibility("default"))) int pam_sm_authenticate(
	pam_handle_t *pamh UNUSED, int flags UNUSED, int argc UNUSED, const char **argv UNUSED)
{
	return PAM_IGNORE;
}

__attribute__((visibility("default"))) int pam_sm_setcred(
	pam_handle_t *pamh UNUSED, int flags UNUSED, int argc UNUSED, const char **argv UNUSED)
{
	return PAM_IGNORE;
}

__attribute__((visibility("default"))) int pam_sm_acct_mgmt(
	pam_handle_t *pamh UNUSED, int flags UNUSED, int argc UNUSED, const char **argv UNUSED)
{
	return PAM_IGNORE;
}

__attribute__((visibility("default"))) int pam_sm_chauthtok(
	pam_handle_t *pamh UNUSED, int flags UNUSED, int argc UNUSED, const char **argv UNUSED)
{
	return PAM_IGNORE;
}
