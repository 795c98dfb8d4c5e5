/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The times of the last admitted requests, in a ring: a request fits if the oldest is a minute old.
 */
#include "quota.h"

#include <stdlib.h>

#include "timestamp.h"
#include "xmalloc.h"

bool quota_acquire(struct quota *q, int64_t now)
{
	int64_t oldest;

	if (q->per_minute == 0)
		return true;
	oldest = q->taken[q->next];
	/* `oldest > now`: the clock was set back, which must not block requests for days. */
	if (oldest != 0 && oldest <= now && now - oldest < 60 * USEC_PER_SEC)
		return false;
	q->taken[q->next] = now;
	q->next = (q->next + 1) % (size_t)q->per_minute;
	return true;
}

bool quota_read(struct quota *q, json_t *object, struct doc_error *doc_error)
{
	static const char *const names[] = {"per_minute", "form", "retry_after", NULL};
	static const char *const forms[] = {"429", "403", NULL};
	int64_t per_minute = q->per_minute, retry_after = -1;
	int form = 0;

	if (!members_known(object, names, "quota", doc_error) ||
		!member_int(object, "per_minute", 0, QUOTA_MAX, &per_minute, "quota", doc_error) ||
		!member_word(object, "form", forms, &form, "quota", doc_error))
		return false;
	if (!json_is_null(json_object_get(object, "retry_after")) &&
		!member_int(object, "retry_after", 0, 86400, &retry_after, "quota", doc_error))
		return false;
	quota_free(q);
	q->per_minute = per_minute;
	q->form = form == 0 ? 429 : 403;
	q->retry_after = retry_after;
	if (per_minute > 0)
		q->taken = xcalloc((size_t)per_minute * sizeof q->taken[0]);
	return true;
}

json_t *quota_write(const struct quota *q)
{
	return json_pack("{s:I, s:s, s:o}", "per_minute", (json_int_t)q->per_minute, "form",
		q->form == 403 ? "403" : "429", "retry_after",
		q->retry_after < 0 ? json_null() : json_integer(q->retry_after));
}

void quota_free(struct quota *q)
{
	free(q->taken);
	*q = (struct quota){.form = 429, .retry_after = -1};
}
