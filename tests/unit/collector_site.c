/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/collector_site.h"

int collector_new(void **state)
{
	static char none[] = "";
	struct collector_site *s = calloc(1, sizeof(*s));
	static const char *const spools[] = {"spool", "spool/new", "spool/seen", "spool/bad"};
	static const char *const names[] = {"spool", "state", "passwd", "group", "run"};
	void *site = NULL;

	assert_non_null(s);
	site_new(&site);
	s->site = site;
	for (int i = 0; i < 5; i++)
		str_copy(s->paths[i], sizeof(s->paths[i]), folder_path(s->site->folder, names[i]));
	for (int i = 0; i < 4; i++) {
		folder_make(s->site->folder, spools[i]);
		assert_int_equal(chmod(folder_path(s->site->folder, spools[i]), 0700), 0);
	}
	folder_make(s->site->folder, "state");
	folder_make(s->site->folder, "state/collector");
	folder_write(s->site->folder, "group", "root:x:0:\nusers:x:100:\n");
	str_copy(s->group_names, sizeof(s->group_names), "no-cloudinvite");
	s->site->settings.spool = s->paths[0];
	s->site->settings.state = s->paths[1];
	s->site->settings.passwd = s->paths[2];
	s->site->settings.group = s->paths[3];
	s->site->settings.run = s->paths[4];
	s->site->settings.include_groups = none;
	s->site->settings.exclude_groups = s->group_names;
	s->site->settings.allow_reserved_names = none;
	s->site->settings.exclude_users = none;
	s->site->settings.triggers = TRIGGER_FLAG_LOGIN | TRIGGER_FLAG_CREATED;
	s->site->settings.min_uid = 1000;
	s->site->settings.max_uid = 60000;
	s->c = (struct collector){.settings = &s->site->settings, .ledger = s->site->ledger};
	str_copy(s->c.host, sizeof(s->c.host), HOST);
	spool_client_attach(&s->c.spool, spool_keeper_fork(s->paths[0], &s->site->fault));
	if (s->c.spool.fd < 0)
		fail_msg("%s", s->site->fault.what);
	GOOD(s->site, spool_reader_open(&s->boxes, s->paths[0], &s->site->fault));
	GOOD(s->site, marks_bind(&s->c, &s->site->fault));
	*state = s;
	return 0;
}

int collector_free(void **state)
{
	struct collector_site *s = *state;
	void *site = s->site;

	spool_client_close(&s->c.spool);
	spool_reader_close(&s->boxes);
	facts_refresh_forget(&s->c);
	readmissions_free(&s->c.readmissions);
	site_free(&site);
	free(s);
	return 0;
}

void people(struct collector_site *s, const char *accounts)
{
	struct strbuf lines = {.max = 0};
	char *copy = strdup(accounts), *save = NULL;

	assert_non_null(copy);
	strbuf_add(&lines, "root:x:0:0:root:/root:/bin/bash\n");
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *uid = strchr(word, ':');

		assert_non_null(uid);
		*uid++ = '\0';
		strbuf_addf(&lines, "%s:x:%s:100::/home/%s:/bin/sh\n", word, uid, word);
	}
	folder_write(s->site->folder, "passwd", lines.data);
	strbuf_free(&lines);
	free(copy);
}

bool step(struct collector_site *s,
	bool (*what)(
		struct collector *c, const struct account_snapshot *snapshot, struct fault *fault))
{
	struct account_snapshot snapshot;
	bool good;

	s->site->fault.kind = FAULT_NONE;
	GOOD(s->site, snapshot_take(&snapshot, &s->site->settings, &s->site->fault));
	good = what(&s->c, &snapshot, &s->site->fault);
	snapshot_free(&snapshot);
	return good;
}

void compares(struct collector_site *s)
{
	GOOD(s->site, step(s, accounts_compare));
}

void takes(struct collector_site *s)
{
	GOOD(s->site, step(s, arrivals_process));
}

void put_arrival(
	struct collector_site *s, const char *user, enum trigger trigger, int64_t seconds_ago)
{
	char name[SPOOL_NAME_MAX + 1], path[64 + SPOOL_NAME_MAX];
	const struct timespec times[2] = {{.tv_sec = (time_t)(clock_wall() - seconds_ago)},
		{.tv_sec = (time_t)(clock_wall() - seconds_ago)}};

	assert_int_equal(spool_put(s->boxes.new_dir, user, trigger, false), 1);
	assert_true(spool_arrival_name(name, user, trigger));
	str_format(path, sizeof(path), "spool/new/%s", name);
	assert_int_equal(utimensat(AT_FDCWD, folder_path(s->site->folder, path), times, 0), 0);
}

bool exists(struct collector_site *s, const char *name)
{
	struct stat st;

	return lstat(folder_path(s->site->folder, name), &st) == 0;
}

bool marked(struct collector_site *s, const char *user)
{
	char path[64 + SPOOL_NAME_MAX];

	str_format(path, sizeof(path), "spool/seen/%s", user);
	return exists(s, path);
}

int64_t sightings(struct collector_site *s, const char *where)
{
	char sql[512];

	str_format(sql, sizeof(sql), "SELECT count(*) FROM sighting WHERE %s", where);
	return site_number(s->site, sql);
}
