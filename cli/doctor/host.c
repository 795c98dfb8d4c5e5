/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of this host: settings, directories and the free space in them, and the addresses to which
 * the accounts lead.
 */
#include "base/str.h"
#include "cli/doctor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/array.h"
#include "base/privdrop.h"
#include "cli/common/mapping.h"
#include "cli/common/readable.h"
#include "cli/common/unmatched.h"

#define LEAST_BYTES  ((uint64_t)64 << 20)
#define LEAST_INODES 1000
#define OLD_ACCOUNT  "cloudinvite" /* the account of both programs in an earlier version */

/* ---- settings ---- */

static void on_fault(const struct fault *fault, void *ctx)
{
	doctor_bad(ctx, fault);
}

/* Runs as the dispatcher's account if root started it: what that account cannot read, the program
 * cannot. */
static void look_at_rights(struct doctor *d, const char *path, bool map)
{
	struct fault fault = {.kind = FAULT_NONE};
	char remedy[640];
	struct stat st;

	if (!readable_by_service(d->settings, path, map, &fault)) {
		doctor_bad(d, &fault);
	} else if (stat(path, &st) == 0 && (st.st_mode & S_IROTH) &&
		   strcmp(d->settings->ledger_user, "root") != 0) {
		str_format(remedy, sizeof(remedy), "chgrp %s %s && chmod 0640 %s",
			d->settings->ledger_user, path, path);
		doctor_note(d, "settings_open", remedy,
			"%s: every account of this host can read who is invited, and how", path);
	}
}

static void look_at_files(struct doctor *d)
{
	const char *file;

	for (size_t i = 0; (file = settings_file(d->settings, i)); i++)
		look_at_rights(d, file, false);
	if (d->settings->map[0])
		look_at_rights(d, d->settings->map, true);
}

void doctor_settings(struct doctor *d)
{
	const char *path = d->cli->settings_path ? d->cli->settings_path : SETTINGS_FILE;
	int before = d->count[HEALTH_NOTE] + d->count[HEALTH_BAD];
	int count = 0;

	if (d->settings) {
		count = settings_check(d->settings, on_fault, d);
		look_at_files(d);
	} else {
		settings_free(settings_inspect(path, on_fault, d, &count));
	}
	if (count == 0 && d->count[HEALTH_NOTE] + d->count[HEALTH_BAD] == before)
		doctor_ok(d, "%s: valid", path);
}

/* ---- directories ---- */

struct place {
	const char *path;
	uid_t uid;
	gid_t gid;
	mode_t mode;
};

struct account_numbers {
	uid_t uid;
	gid_t gid;
};

static bool find_account(const char *user, struct account_numbers *out, struct fault *fault)
{
	*out = (struct account_numbers){0, 0};
	return strcmp(user, "root") == 0 || passwd_find(user, &out->uid, &out->gid, fault);
}

static bool check_place(struct doctor *d, const struct place *p)
{
	const char *path = p->path;
	struct fault fault = {.kind = FAULT_NONE};
	struct stat st;

	if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		fault_set(&fault, FAULT_STORAGE, "directory", "%s: %s", path, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		fault_set(&fault, FAULT_STORAGE, "directory", "%s: is not a directory", path);
	else if (st.st_uid != p->uid || st.st_gid != p->gid || (st.st_mode & 07777) != p->mode)
		fault_set(&fault, FAULT_STORAGE, "directory",
			"%s: owner %u:%u, mode %04o instead of %u:%u, %04o", path,
			(unsigned)st.st_uid, (unsigned)st.st_gid, (unsigned)(st.st_mode & 07777),
			(unsigned)p->uid, (unsigned)p->gid, (unsigned)p->mode);
	if (!fault.kind)
		return true;
	fault_remedy(&fault, "As root, run cloudinvite-collector --prepare: it creates what is "
			     "missing. If it belongs to another user, find out why first.");
	doctor_bad(d, &fault);
	return false;
}

static bool has_room(struct doctor *d, const char *path)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct statvfs fs;

	if (statvfs(path, &fs) != 0)
		fault_set(&fault, FAULT_STORAGE, "space", "%s: %s", path, strerror(errno));
	else if (fs.f_flag & ST_RDONLY)
		fault_set(&fault, FAULT_STORAGE, "space", "%s: the file system is read-only", path);
	else if ((uint64_t)fs.f_bavail * fs.f_frsize < LEAST_BYTES)
		fault_set(&fault, FAULT_STORAGE, "space", "%s: only %llu MiB are left on its disk",
			path, (unsigned long long)(((uint64_t)fs.f_bavail * fs.f_frsize) >> 20));
	else if (fs.f_files > 0 && fs.f_favail < LEAST_INODES)
		fault_set(&fault, FAULT_STORAGE, "space", "%s: only %llu inodes are left", path,
			(unsigned long long)fs.f_favail);
	if (!fault.kind)
		return true;
	fault_remedy(&fault,
		"Free some space there. Logins still work, but new people are not recorded.");
	doctor_bad(d, &fault);
	return false;
}

/* Packages never remove accounts, because their numbers may be in backups. */
static void check_old_account(struct doctor *d)
{
	const struct settings *s = d->settings;
	uid_t uid;
	gid_t gid;

	if (!passwd_find(OLD_ACCOUNT, &uid, &gid, NULL) ||
		strcmp(s->collector_user, OLD_ACCOUNT) == 0 ||
		strcmp(s->dispatcher_user, OLD_ACCOUNT) == 0 ||
		strcmp(s->ledger_user, OLD_ACCOUNT) == 0)
		return;
	doctor_note(d, "old_account",
		"If nothing else uses it: find / -xdev -user " OLD_ACCOUNT
		", then userdel " OLD_ACCOUNT,
		"the account " OLD_ACCOUNT
		" of an earlier version still exists; it has no access here");
}

void doctor_directories(struct doctor *d)
{
	const struct settings *s = d->settings;
	struct fault fault = {.kind = FAULT_NONE};
	struct account_numbers collector, dispatcher, ledger;
	char host_state[PATH_MAX], private[PATH_MAX];
	bool good = true;

	if (!s) {
		doctor_skip(d, "skipped: needs valid settings");
		return;
	}
	if (!find_account(s->collector_user, &collector, &fault) ||
		!find_account(s->dispatcher_user, &dispatcher, &fault) ||
		!find_account(s->ledger_user, &ledger, &fault)) {
		doctor_bad(d, &fault);
		return;
	}
	str_format(host_state, sizeof(host_state), "%s/" SETTINGS_COLLECTOR, s->state);
	str_format(private, sizeof(private), "%s/" SETTINGS_PRIVATE, s->state);
	const struct place places[] = {
		{s->spool, 0, 0, 0700},
		{s->state, 0, ledger.gid, 03770},
		{host_state, collector.uid, collector.gid, 0700},
		{private, dispatcher.uid, dispatcher.gid, 0700},
		{s->tokens, dispatcher.uid, dispatcher.gid, 0700},
		{s->run, 0, ledger.gid, 0750},
	};
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		good = check_place(d, &places[i]) && good;
	if (good && d->spool.looked && d->spool.fault.kind) {
		fault = d->spool.fault;
		str_copy(fault.code, sizeof(fault.code), "directory");
		doctor_bad(d, &fault);
		good = false;
	}
	good = good && has_room(d, s->spool) && has_room(d, s->state);
	if (good)
		doctor_ok(d, "%s, %s, %s, %s: owners, modes and free space are correct", s->spool,
			s->state, s->tokens, s->run);
	check_old_account(d);
}

/* ---- accounts ---- */

struct tally {
	int above; /* accounts with a login shell above max_uid */
	char above_user[64];
	int people, verdicts[VERDICT_COLLISION + 1];
	char user[64], address[ADDRESS_MAX + 1]; /* the first one with an address */
	char stray[64], why[256];		 /* the first one without an address */
};

static void count(struct tally *t, const struct account *account, const struct verdict *v)
{
	t->people++;
	t->verdicts[v->kind]++;
	if (v->kind == VERDICT_MAPPED && !t->user[0]) {
		str_safe(t->user, sizeof(t->user), account->user);
		str_copy(t->address, sizeof(t->address), v->address);
	}
	if ((v->kind == VERDICT_UNMAPPED || v->kind == VERDICT_FOREIGN_DOMAIN) && !t->stray[0]) {
		str_safe(t->stray, sizeof(t->stray), account->user);
		str_copy(t->why, sizeof(t->why), v->sentence);
	}
}

static void count_above(struct tally *t, const struct mapping *mapping, const struct account *a)
{
	if (mapping_is_above(mapping, a) && t->above++ == 0)
		str_safe(t->above_user, sizeof(t->above_user), a->user);
}

static void report_above(struct doctor *d, const struct tally *t)
{
	if (t->above == 0)
		return;
	doctor_note(d, "above_max_uid",
		"If they are people, raise [people] max_uid, and the module's max_uid= in the PAM "
		"line (pam_cloudinvite(8)).",
		"%d account%s with a login shell above max_uid (%lld), such as %s: never invited",
		t->above, t->above == 1 ? "" : "s", (long long)d->settings->max_uid, t->above_user);
}

static void on_note(const struct fault *note, void *ctx)
{
	struct doctor *d = ctx;

	if (note->kind == FAULT_NONE)
		doctor_note(d, note->code, note->remedy, "%s", note->what);
	else
		doctor_bad(d, note);
}

static void report_tally(struct doctor *d, const struct tally *t)
{
	int strays = t->verdicts[VERDICT_UNMAPPED] + t->verdicts[VERDICT_FOREIGN_DOMAIN];

	if (t->verdicts[VERDICT_MAPPED] > 0)
		doctor_ok(d, "%d of %d map to an address: %s -> %s%s", t->verdicts[VERDICT_MAPPED],
			t->people, t->user, t->address,
			t->verdicts[VERDICT_MAPPED] > 1 ? ", …" : "");
	else if (t->people == 0)
		doctor_ok(d, "%s has no accounts from uid %lld to %lld yet", d->settings->passwd,
			(long long)d->settings->min_uid, (long long)d->settings->max_uid);
	else
		doctor_note(d, "nobody_mapped",
			"cloudinvite scan --dry-run shows the reason for each account.",
			"none of %d accounts maps to an address", t->people);
	if (strays > 0)
		doctor_note(d, "unmapped",
			"Add a line for them to the map file, or change [people] address and "
			"domains; cloudinvite scan --dry-run shows all of them.",
			"%d without an address of the organisation, such as %s: %s", strays,
			t->stray, t->why);
}

void doctor_accounts(struct doctor *d)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct tally tally = {.people = 0};
	struct mapping mapping;

	if (!d->settings || d->settings->role == ROLE_HUB) {
		doctor_skip(d, d->settings ? "skipped: this host runs only the dispatcher"
					   : "skipped: needs valid settings");
		return;
	}
	if (mapping_open(&mapping, d->settings, &fault)) {
		for (size_t i = 0; i < mapping.accounts.count; i++) {
			const struct account *account = &mapping.accounts.accounts[i];
			struct verdict verdict;

			count_above(&tally, &mapping, account);
			if (!mapping_counts(&mapping, account))
				continue;
			mapping_evaluate(&mapping, account, &verdict);
			count(&tally, account, &verdict);
		}
		report_tally(d, &tally);
		report_above(d, &tally);
		if (!unmatched_rules(&mapping, on_note, d, &fault))
			doctor_bad(d, &fault);
	} else {
		doctor_bad(d, &fault);
	}
	mapping_close(&mapping);
}
