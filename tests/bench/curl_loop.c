/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bare libcurl loop: check, get and send for each of N addresses over one kept connection, one
 * after the other, without reading the replies. A careful programmer gets this far without ledger,
 * journal or parsing; it is the reference for the dispatcher's row in docs/benchmarks.md.
 *
 *   curl_loop ENDPOINT CA_FILE TOKEN CUSTOMER N        prints calls a second
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

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

static int call(CURL *curl, const char *base, int number, const char *verb, int post)
{
	char url[512];
	long status = 0;

	snprintf(url, sizeof(url), "%s/person%d@example.com%s", base, number, verb);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	if (post) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "{}");
	} else {
		curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
	}
	if (curl_easy_perform(curl) != CURLE_OK) {
		return -1;
	}
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	return status == 200 ? 0 : -1;
}

int main(int argc, char **argv)
{
	char base[256], bearer[4096];
	struct curl_slist *headers = NULL;
	CURL *curl;
	double start;
	int i, n, failed = 0;

	if (argc != 6) {
		fprintf(stderr, "usage: curl_loop ENDPOINT CA_FILE TOKEN CUSTOMER N\n");
		return 2;
	}
	n = (int)strtol(argv[5], NULL, 10);
	snprintf(base, sizeof(base), "%s/v1/customers/%s/userinvitations", argv[1], argv[4]);
	snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s", argv[3]);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	curl = curl_easy_init();
	headers = curl_slist_append(headers, bearer);
	headers = curl_slist_append(headers, "Content-Type: application/json");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_CAINFO, argv[2]);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
	failed -= call(curl, base, 0, ":isInvitableUser", 0); /* makes the connection */
	start = seconds();
	for (i = 0; i < n; i++) {
		failed -= call(curl, base, i, ":isInvitableUser", 0);
		failed -= call(curl, base, i, "", 0);
		failed -= call(curl, base, i, ":send", 1);
	}
	printf("%.1f\n", 3 * n / (seconds() - start));
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	curl_global_cleanup();
	if (failed > 0) {
		fprintf(stderr, "curl_loop: %d of %d calls failed\n", failed, 3 * n + 1);
		return 1;
	}
	return 0;
}
