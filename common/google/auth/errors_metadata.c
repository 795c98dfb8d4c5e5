/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies of the metadata server, or of another server in its place.
 */
#include <curl/curl.h>
#include <string.h>

#include "base/str.h"
#include "google/auth/errors.h"
#include "google/http/errors.h"

#define ELSEWHERE                                                                                 \
	"Only machines and pods in Google Cloud have a metadata server: elsewhere, use workload " \
	"identity "                                                                               \
	"federation or a key. If this machine is in Google Cloud, a firewall rule blocks the "    \
	"service's user."

static const struct row {
	int status; /* 0: any */
	const char *code, *what, *remedy;
} rows[] = {
	{404, "metadata_no_account", "this machine has no service account",
		"Attach one: gcloud compute instances set-service-account, with the machine "
		"stopped and --scopes=cloud-platform. On GKE, turn on workload identity."},
	{403, "metadata_refused", "the metadata server refuses to answer",
		"On GKE, check that the pod's Kubernetes account may use its service account "
		"(roles/iam.workloadIdentityUser). Elsewhere, check that the server is not "
		"disabled for the machine."},
	{0, "metadata_refused", "the metadata server refuses the request",
		"Check [google] metadata_endpoint."},
};

static const struct row *find_row(int status)
{
	const struct row *row = rows;

	while (row->status && row->status != status)
		row++;
	return row;
}

static bool no_answer(const struct settings *s, const struct http_reply *r, struct fault *f)
{
	if (r->curl != CURLE_COULDNT_RESOLVE_HOST && r->curl != CURLE_COULDNT_CONNECT) {
		error_transport(s->metadata_endpoint, r, f);
		return false;
	}
	fault_set(f, FAULT_SETUP, "metadata_missing", "no metadata server answers at %s (%s)",
		s->metadata_endpoint, r->error);
	return fault_remedy(f, ELSEWHERE);
}

/* The first words of a refusal's body, which is for readers and holds no secret. */
static void first_words(const struct http_reply *r, char *out, size_t size)
{
	const char *text = r->body.data ? r->body.data : "";

	str_format(out, size, "%.*s", (int)strcspn(text, "\r\n<{"), text);
}

bool error_metadata(const struct settings *s, const struct http_reply *r, struct fault *f)
{
	const struct row *row;
	char words[80];

	if (r->curl)
		return no_answer(s, r, f);
	if (r->status == 429 || r->status == 408 || r->status >= 500) {
		fault_set(f, FAULT_TRANSIENT, "metadata_busy",
			"the metadata server answers %d, repeatedly", r->status);
		return fault_remedy(f, ERROR_WAIT_REMEDY);
	}
	if (strcmp(r->flavor, "Google") != 0)
		return error_metadata_unexpected(s, r, "no Metadata-Flavor: Google", f);
	if (r->status == 200)
		return true;
	row = find_row(r->status);
	first_words(r, words, sizeof(words));
	fault_set(f, FAULT_SETUP, row->code, "%s (%d%s%s)", row->what, r->status,
		words[0] ? " " : "", words);
	return fault_remedy(f, "%s", row->remedy);
}

bool error_metadata_unexpected(
	const struct settings *s, const struct http_reply *r, const char *what, struct fault *f)
{
	fault_set(f, FAULT_SETUP, "metadata_unexpected",
		"the server that answers %d at %s is not Google's metadata server: %s", r->status,
		s->metadata_endpoint, what);
	return fault_remedy(f, ELSEWHERE);
}
