/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The best that any client could reach: check, get and send for each of N addresses, PARALLEL of
 * them at once over kept connections (one if the server speaks HTTP/2, else as many), without
 * reading or storing the replies. It shows how much of a bound no client can reach on this machine.
 *
 *   curl_parallel ENDPOINT CA_FILE TOKEN CUSTOMER N PARALLEL        prints calls a second
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct loop {
	CURLM *multi;
	struct curl_slist *headers;
	const char *ca_file;
	char base[256];
	int people, next; /* how many, and the next one */
	int failed;
};

/* One person at a time, and which of the three calls is in flight. */
struct lane {
	CURL *curl;
	int person, step;
};

static size_t drop(char *data, size_t size, size_t n, void *ctx)
{
	(void)data;
	(void)ctx;
	return size * n;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void open_lane(struct loop *loop, struct lane *lane)
{
	lane->curl = curl_easy_init();
	curl_easy_setopt(lane->curl, CURLOPT_HTTPHEADER, loop->headers);
	curl_easy_setopt(lane->curl, CURLOPT_CAINFO, loop->ca_file);
	curl_easy_setopt(lane->curl, CURLOPT_WRITEFUNCTION, drop);
	curl_easy_setopt(lane->curl, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(lane->curl, CURLOPT_PRIVATE, lane);
}

static void start(struct loop *loop, struct lane *lane)
{
	static const char *const verbs[] = {":isInvitableUser", "", ":send"};
	char url[512];

	snprintf(url, sizeof(url), "%s/person%d@example.com%s", loop->base, lane->person,
		verbs[lane->step]);
	curl_easy_setopt(lane->curl, CURLOPT_URL, url);
	if (lane->step == 2)
		curl_easy_setopt(lane->curl, CURLOPT_POSTFIELDS, "{}");
	else
		curl_easy_setopt(lane->curl, CURLOPT_HTTPGET, 1L);
	curl_multi_add_handle(loop->multi, lane->curl);
}

/* 1 if the lane continues. */
static int step_on(struct loop *loop, CURL *curl)
{
	struct lane *lane;
	long status = 0;

	curl_easy_getinfo(curl, CURLINFO_PRIVATE, &lane);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_multi_remove_handle(loop->multi, curl);
	loop->failed += status != 200;
	lane->step = (lane->step + 1) % 3;
	if (lane->step == 0)
		lane->person = loop->next++;
	if (lane->person >= loop->people)
		return 0;
	start(loop, lane);
	return 1;
}

static void run(struct loop *loop, struct lane *lanes, int parallel)
{
	int active = parallel, running, left;
	CURLMsg *message;

	for (int i = 0; i < parallel; i++) {
		lanes[i].person = loop->next++;
		start(loop, &lanes[i]);
	}
	while (active > 0) {
		curl_multi_perform(loop->multi, &running);
		while ((message = curl_multi_info_read(loop->multi, &left)))
			active -= !step_on(loop, message->easy_handle);
		curl_multi_poll(loop->multi, NULL, 0, 1000, NULL);
	}
}

/* Returns calls a second over `people`; the first run also makes the connections. */
static double measure(struct loop *loop, struct lane *lanes, int parallel, int people)
{
	double began = seconds();

	loop->people = people;
	loop->next = 0;
	for (int i = 0; i < parallel; i++)
		lanes[i].step = 0;
	run(loop, lanes, parallel);
	return 3 * people / (seconds() - began);
}

int main(int argc, char **argv)
{
	struct loop loop = {.failed = 0};
	struct lane *lanes;
	char bearer[4096];
	int parallel;
	double speed;

	if (argc != 7) {
		fprintf(stderr,
			"usage: curl_parallel ENDPOINT CA_FILE TOKEN CUSTOMER N PARALLEL\n");
		return 2;
	}
	parallel = (int)strtol(argv[6], NULL, 10);
	lanes = calloc((size_t)parallel, sizeof(*lanes));
	if (!lanes)
		return 1;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	snprintf(loop.base, sizeof(loop.base), "%s/v1/customers/%s/userinvitations", argv[1],
		argv[4]);
	snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s", argv[3]);
	loop.headers = curl_slist_append(
		curl_slist_append(NULL, bearer), "Content-Type: application/json");
	loop.multi = curl_multi_init();
	loop.ca_file = argv[2];
	for (int i = 0; i < parallel; i++)
		open_lane(&loop, &lanes[i]);
	measure(&loop, lanes, parallel, parallel);
	speed = measure(&loop, lanes, parallel, (int)strtol(argv[5], NULL, 10));
	printf("%.1f\n", speed);
	for (int i = 0; i < parallel; i++)
		curl_easy_cleanup(lanes[i].curl);
	curl_multi_cleanup(loop.multi);
	curl_slist_free_all(loop.headers);
	curl_global_cleanup();
	free(lanes);
	if (loop.failed > 0)
		fprintf(stderr, "curl_parallel: %d calls failed\n", loop.failed);
	return loop.failed > 0;
}
