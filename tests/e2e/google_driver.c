/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes calls for tests/e2e/test_google.py, as the dispatcher makes them.
 *
 * usage: google_driver CONF
 *
 * Each input line is a round: {"calls":[{"method":"check","address":…}…], "now":false,
 * "stop_after_ms":-1}. All calls of a round start at once; with "now" they run one after the other.
 * It writes a line for each reply, in the order in which they come, and then
 * {"end":true,"skew":SECONDS}.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "google/api/google.h"
#include "settings/settings.h"

struct asked {
	json_int_t index;
	int answers; /* exactly one is expected */
};

static void print_line(json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	puts(text);
	(void)fflush(stdout);
	free(text);
	json_decref(json);
}

static json_t *invitation_json(const struct invitation *i)
{
	return json_pack("{s:s, s:s, s:I, s:I}", "address", i->address, "state",
		invitation_state_word(i->state), "mails", (json_int_t)i->mails, "updated",
		(json_int_t)i->updated);
}

static json_t *page_json(const struct google_reply *r)
{
	json_t *page = json_array();

	for (size_t i = 0; i < r->page_count; i++)
		json_array_append_new(page, invitation_json(&r->page[i]));
	return page;
}

static void on_reply(void *ctx, const struct google_reply *r)
{
	struct asked *asked = ctx;
	json_t *json = json_pack(
		"{s:I, s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:b, s:b, s:b, s:b, s:o}", "index",
		asked->index, "kind", r->fault.kind ? fault_kind_word(r->fault.kind) : "none",
		"code", r->fault.code, "what", r->fault.what, "remedy", r->fault.remedy, "status",
		r->status, "date", (json_int_t)r->date, "retry_after", (json_int_t)r->retry_after,
		"quota", r->quota, "invitable", r->invitable, "shown", r->shown, "confirmed",
		r->confirmed, "page", page_json(r));

	if (r->has_invitation)
		json_object_set_new(json, "invitation", invitation_json(&r->invitation));
	if (r->next_page_token)
		json_object_set_new(json, "next", json_string(r->next_page_token));
	json_object_set_new(json, "answers", json_integer(++asked->answers));
	print_line(json);
}

static enum google_method method_of(const char *word)
{
	for (int m = 0; m < GOOGLE_METHODS; m++) {
		if (strcmp(word, google_method_word((enum google_method)m)) == 0)
			return (enum google_method)m;
	}
	(void)fprintf(stderr, "google_driver: no method '%s'\n", word);
	exit(2);
}

/* "permits": after how many milliseconds each repeat is permitted. */
static int64_t permit_at_ms;

static int64_t permit(void *ctx)
{
	int64_t now = clock_boot_ms();

	(void)ctx;
	return now < permit_at_ms ? permit_at_ms - now : 0;
}

static struct google_call call_of(const json_t *json)
{
	const json_t *within = json_object_get(json, "begin_within_ms");
	const json_t *permits = json_object_get(json, "permits");

	permit_at_ms = clock_boot_ms() + json_integer_value(permits);
	return (struct google_call){
		.begin_until_ms = within ? clock_boot_ms() + json_integer_value(within) : 0,
		.permit = permits ? permit : NULL,
		.method = method_of(json_string_value(json_object_get(json, "method"))),
		.address = json_string_value(json_object_get(json, "address")),
		.list_page_size = (int)json_integer_value(json_object_get(json, "size")),
		.list_filter = json_string_value(json_object_get(json, "filter")),
		.list_order = json_string_value(json_object_get(json, "order")),
		.list_page_token = json_string_value(json_object_get(json, "token"))};
}

static void wait_all(struct google *g, int64_t stop_after_ms)
{
	int64_t end = clock_boot_ms() + stop_after_ms;

	while (google_in_flight(g)) {
		int64_t left = stop_after_ms < 0 ? 1000 : end - clock_boot_ms();

		if (left <= 0)
			google_stop(g);
		else
			google_poll(g, NULL, 0, (int)left);
	}
}

static void round_of(struct google *g, const json_t *round)
{
	const json_t *calls = json_object_get(round, "calls"), *json;
	const json_t *stop = json_object_get(round, "stop_after_ms");
	struct asked *asked = calloc(json_array_size(calls) + 1, sizeof(*asked));
	bool now = json_is_true(json_object_get(round, "now"));
	size_t i;

	json_array_foreach(calls, i, json)
	{
		struct google_call call = call_of(json);
		struct google_reply reply;

		asked[i].index = (json_int_t)i;
		if (!now) {
			google_start(g, &call, on_reply, &asked[i]);
			continue;
		}
		google_call_sync(g, &call, &reply);
		on_reply(&asked[i], &reply);
	}
	wait_all(g, stop ? json_integer_value(stop) : -1);
	print_line(json_pack("{s:b, s:I}", "end", true, "skew", (json_int_t)google_clock_skew(g)));
	free(asked);
}

int main(int argc, char **argv)
{
	static char line[1 << 20];
	struct fault fault = {.kind = FAULT_NONE};
	struct settings *settings;
	struct google *g;

	log_start("google_driver", LOG_LEVEL_DEBUG);
	settings = argc == 2 ? settings_load(argv[1], &fault) : NULL;
	g = settings ? google_open(settings, &fault) : NULL;
	if (!g) {
		log_fault(LOG_LEVEL_ERROR, "start", &fault);
		settings_free(settings);
		return 2;
	}
	while (fgets(line, sizeof(line), stdin)) {
		json_t *round = json_loads(line, 0, NULL);

		round_of(g, round);
		json_decref(round);
	}
	google_close(g);
	settings_free(settings);
	return 0;
}
