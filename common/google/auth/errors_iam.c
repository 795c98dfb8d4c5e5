/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies of IAM when it does not sign. Matched from the top: a row's status, and one of its
 * reasons or a part of the message.
 */
#include <string.h>

#include "base/array.h"
#include "google/auth/errors.h"
#include "google/auth/iam.h"
#include "google/auth/rpc_status.h"
#include "google/http/errors.h"

#define ENABLE                                                                                   \
	"Enable it: gcloud services enable iamcredentials.googleapis.com --project={project} - " \
	"then wait a few minutes."
#define WHO_MAY_SIGN                                                                               \
	"Allow it: gcloud iam service-accounts add-iam-policy-binding {issuer} --member={member} " \
	"--role=roles/iam.serviceAccountTokenCreator - then wait a few minutes."
#define GIVE_SCOPE                                                                               \
	"Stop the machine, then: gcloud compute instances set-service-account NAME "             \
	"--service-account={caller} --scopes=cloud-platform. On other hosts, generate the file " \
	"again with that scope."

static const struct row {
	int status;
	enum fault_kind kind;
	const char *reasons;  /* list */
	const char *contains; /* lower case */
	const char *code, *what, *remedy;
} rows[] = {
	{429, FAULT_TRANSIENT, "*", NULL, "iam_quota", "IAM's request quota is used up",
		ERROR_WAIT_REMEDY},
	{403, FAULT_TRANSIENT, "rateLimitExceeded RATE_LIMIT_EXCEEDED RESOURCE_EXHAUSTED", NULL,
		"iam_quota", "IAM's request quota is used up", ERROR_WAIT_REMEDY},
	{403, FAULT_TRANSIENT, NULL, "quota exceeded", "iam_quota",
		"IAM's request quota is used up", ERROR_WAIT_REMEDY},
	{403, FAULT_SETUP, "SERVICE_DISABLED accessNotConfigured", NULL, "iam_api_disabled",
		"the IAM Service Account Credentials API is not enabled in project {project}",
		ENABLE},
	{403, FAULT_SETUP, NULL, "has not been used in project", "iam_api_disabled",
		"the IAM Service Account Credentials API is not enabled in project {project}",
		ENABLE},
	{403, FAULT_SETUP, "ACCESS_TOKEN_SCOPE_INSUFFICIENT insufficient_scope", NULL,
		"iam_scope_insufficient", "the token of {caller} does not have the scope for IAM",
		GIVE_SCOPE},
	{403, FAULT_SETUP, NULL, "insufficient authentication scopes", "iam_scope_insufficient",
		"the token of {caller} does not have the scope for IAM", GIVE_SCOPE},
	{403, FAULT_SETUP, "USER_PROJECT_DENIED CONSUMER_INVALID", NULL, "iam_quota_project",
		"access to the project that the IAM calls are charged to is denied",
		"Check quota_project_id in {file}, and that the calling account may use that "
		"project."},
	{403, FAULT_SETUP, NULL, "iam.serviceaccounts.implicitdelegation", "iam_delegates",
		"a link in the chain of delegates from {caller} to {issuer} is missing",
		"Each account in `delegates` of {file} needs roles/iam.serviceAccountTokenCreator "
		"on the next one."},
	{403, FAULT_SETUP, "*", NULL, "iam_denied", "{caller} may not sign as {issuer}",
		WHO_MAY_SIGN},
	{404, FAULT_SETUP, "*", NULL, "iam_account_unknown",
		"the service account {issuer} does not exist",
		"Check [google] service_account, or the file that names it, with: gcloud iam "
		"service-accounts list"},
	{401, FAULT_SETUP, "*", NULL, "iam_token_refused",
		"IAM does not accept the token of {caller}",
		"Check that {caller} is not disabled, and check [google] iam_endpoint."},
	{400, FAULT_SETUP, "FAILED_PRECONDITION", NULL, "iam_account_disabled",
		"the service account {issuer} cannot sign",
		"Check that it is enabled: gcloud iam service-accounts describe {issuer}"},
	{400, FAULT_SETUP, "*", NULL, "iam_refused", "IAM refuses to sign as {issuer}",
		"Check this host's clock, [google] service_account and the delegates."},
};

static const struct row *find_row(const struct rpc_status *says, const struct http_reply *reply)
{
	for (size_t i = 0; says->json && i < ARRAY_SIZE(rows); i++) {
		if (rows[i].status == reply->status &&
			rpc_status_matches(says, reply, rows[i].reasons, rows[i].contains))
			return &rows[i];
	}
	return NULL;
}

static void from_row(const struct row *row, const struct credential *c, const struct iam_signer *by,
	const struct rpc_status *says, int status, struct fault *f)
{
	char what[512], remedy[1024];
	const struct error_names names = {.issuer = c->issuer,
		.caller = by->name,
		.member = by->member,
		.file = c->path,
		.project = *says->project ? says->project : "PROJECT"};

	error_expand(what, sizeof(what), row->what, &names);
	error_expand(remedy, sizeof(remedy), row->remedy, &names);
	fault_set(f, row->kind, row->code, "%s (%d %.100s)", what, status, says->message);
	fault_remedy(f, "%s", remedy);
}

static void not_iam(const struct credential *c, int status, struct fault *f)
{
	if (status >= 500 || status == 408 || status == 429) {
		fault_set(f, FAULT_TRANSIENT, "iam_server", "IAM answers %d", status);
		fault_remedy(f, ERROR_WAIT_REMEDY);
		return;
	}
	fault_set(f, FAULT_SETUP, "iam_endpoint_unexpected",
		"%s answers %d, but does not look like IAM", c->settings->iam_endpoint, status);
	fault_remedy(f, "Check [google] iam_endpoint. A proxy or a network login page may "
			"intercept the call ([google] proxy).");
}

void error_iam(const struct credential *c, const struct iam_signer *by, const char *url,
	const struct http_reply *reply, struct fault *fault)
{
	const struct row *row;
	struct rpc_status says;

	if (reply->curl) {
		error_transport(url, reply, fault);
		return;
	}
	rpc_status_read(&says, reply);
	row = find_row(&says, reply);
	if (row)
		from_row(row, c, by, &says, reply->status, fault);
	else
		not_iam(c, reply->status, fault);
	rpc_status_free(&says);
}
