/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache of access tokens in front of minting. Any number of processes may ask at the same time:
 * one holds the lock and mints, the others wait and read its result.
 */
#include "google/auth/token.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "google/auth/token_file.h"
#include "google/http/secret.h"
#include "telemetry/counters.h"

#define LIFE_MAX      43200 /* seconds; a longer life was written with a wrong clock */
#define CLOCK_PLAY    60    /* seconds by which another process's clock may differ */
#define LOCK_POLL_MS  20
#define LOCK_EXTRA_MS 10000 /* in addition to the requests of a mint */

bool token_fresh(const struct token *t)
{
	int64_t now = clock_wall();

	return t->value && now < t->expires - TOKEN_SLACK && t->expires <= now + LIFE_MAX &&
	       t->minted_at <= now + CLOCK_PLAY;
}

void token_clear(struct token *t)
{
	secret_free(t->value);
	*t = (struct token){0};
}

/* ---- the cache ---- */

/* Reads a token that can be used and that Google has not just refused. */
static bool read_usable(int dir, const struct credential *c, const char *refused, struct token *out)
{
	if (token_file_read(dir, c->hash, out) && token_fresh(out) &&
		(!refused || strcmp(out->value, refused) != 0))
		return true;
	token_clear(out);
	return false;
}

static void pause_ms(long ms)
{
	const struct timespec wait = {.tv_nsec = ms * 1000000};

	nanosleep(&wait, NULL);
}

enum turn { TURN_OURS, TURN_SERVED, TURN_ALONE, TURN_STOPPED };

/* Waits for the lock, or for the token that its holder mints. If the holder hangs for longer than a
 * mint can take, this process mints without the lock. */
static enum turn wait_turn(int dir, const struct credential *c, const struct http *http,
	int64_t limit_ms, const char *refused, struct token *out, int *lock)
{
	int64_t end = clock_boot_ms() + limit_ms;

	while ((*lock = token_file_lock(dir, c->hash)) < 0) {
		if (errno != EWOULDBLOCK || clock_boot_ms() >= end)
			return TURN_ALONE;
		if (read_usable(dir, c, refused, out))
			return TURN_SERVED;
		if (http_interrupted(http))
			return TURN_STOPPED;
		pause_ms(LOCK_POLL_MS);
	}
	/* The previous holder may have minted between our check and our lock. */
	return read_usable(dir, c, refused, out) ? TURN_SERVED : TURN_OURS;
}

/* ---- minting ---- */

static bool mint(struct credential *c, struct http *http, struct token *out, struct fault *f)
{
	struct credential_minted minted = {0};
	char until[CLOCK_TEXT_SIZE];
	bool ok = c->type->mint(c, http, &minted, f);

	if (ok || f->kind != FAULT_STOPPED)
		counter_add(COUNTER_TOKENS, ok ? 0 : 1, 0, 1);
	if (!ok)
		return false;
	*out = (struct token){
		.value = minted.access_token, .minted_at = clock_wall(), .minted = true};
	out->expires = out->minted_at + minted.expires_in;
	str_format(out->minted_by, sizeof(out->minted_by), "%s (pid %d)",
		program_invocation_short_name, (int)getpid());
	log_event(LOG_LEVEL_INFO, "token_minted", "%s, valid until %s", c->identity,
		clock_rfc3339(out->expires, until));
	return true;
}

static void store(int dir, const struct credential *c, const struct token *t)
{
	if (token_file_write(dir, c, t))
		log_event(LOG_LEVEL_WARN, "token_cache", "cannot store the token on disk: %s",
			strerror(errno));
	token_file_remove_old(dir);
}

static bool mint_in_turn(int dir, struct credential *c, struct http *http,
	const struct settings *settings, const char *refused, struct token *out, struct fault *f)
{
	int requests = c->type->requests ? c->type->requests : 2;
	int64_t limit_ms = settings->timeout * 1000 * requests + LOCK_EXTRA_MS;
	int lock = -1;
	bool ok = false;

	switch (wait_turn(dir, c, http, limit_ms, refused, out, &lock)) {
	case TURN_STOPPED:
		return fault_set(f, FAULT_STOPPED, "stopped", "stopped while waiting for a token");
	case TURN_SERVED:
		ok = true;
		break;
	case TURN_OURS:
	case TURN_ALONE:
		ok = mint(c, http, out, f);
		if (ok)
			store(dir, c, out);
		break;
	}
	file_close(&lock);
	return ok;
}

bool token_get(struct credential *c, struct http *http, const struct settings *settings,
	const char *refused, struct token *out, struct fault *fault)
{
	struct fault no_cache = {0};
	int dir = token_file_dir(settings, &no_cache);
	bool ok;

	*out = (struct token){0};
	if (dir < 0) {
		if (!c->cache_said)
			log_fault(LOG_LEVEL_WARN, "token_cache", &no_cache);
		c->cache_said = true;
		return mint(c, http, out, fault);
	}
	ok = read_usable(dir, c, refused, out) ||
	     mint_in_turn(dir, c, http, settings, refused, out, fault);
	file_close(&dir);
	return ok;
}

bool token_peek(const struct credential *c, const struct settings *settings, struct token *out,
	struct fault *fault)
{
	int dir = token_file_dir(settings, fault);
	bool ok;

	*out = (struct token){0};
	if (dir < 0)
		return false;
	ok = token_file_read(dir, c->hash, out);
	file_close(&dir);
	return ok;
}
