/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Google's error bodies, word for word. Each has a letter, by which the comments name it.
 */
#include "reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "xmalloc.h"

#define TYPE_JSON  "application/json; charset=UTF-8"
#define ERROR_INFO "type.googleapis.com/google.rpc.ErrorInfo"
#define SERVICE	   "cloudidentity.googleapis.com"

const struct service service_invitations = {SERVICE, "Cloud Identity API",
	"google.apps.cloudidentity.userinvitations.v1.UserInvitationsService", SCOPE_FULL};
const struct service service_iam = {"iamcredentials.googleapis.com",
	"IAM Service Account Credentials API", "google.iam.credentials.v1.IAMCredentials",
	SCOPE_CLOUD};

static void reply_body(struct reply *out, int status, const char *content_type, char *body)
{
	free(out->body);
	out->status = status;
	out->content_type = content_type;
	out->body = xnonnull(body);
	out->size = strlen(body);
}

void reply_json(struct reply *out, int status, json_t *body)
{
	reply_body(out, status, TYPE_JSON, json_dumps(xnonnull(body), JSON_COMPACT));
	json_decref(body);
}

void reply_text(struct reply *out, int status, const char *content_type, const char *text)
{
	reply_body(out, status, content_type, xstrdup(text));
}

void reply_header(struct reply *out, const char *name, const char *value)
{
	if (!out->headers)
		out->headers = xnonnull(json_object());
	json_object_set_new(out->headers, name, json_string(value));
}

void reply_free(struct reply *out)
{
	free(out->body);
	json_decref(out->headers);
	*out = (struct reply){0};
}

/* The status word of google.rpc and the legacy reason for an HTTP code. */
static const struct {
	int code;
	const char *status, *reason;
} meanings[] = {
	{400, "INVALID_ARGUMENT", "badRequest"},
	{401, "UNAUTHENTICATED", "authError"},
	{403, "PERMISSION_DENIED", "forbidden"},
	{404, "NOT_FOUND", "notFound"},
	{405, "UNIMPLEMENTED", "httpMethodNotAllowed"},
	{409, "ALREADY_EXISTS", "conflict"},
	{429, "RESOURCE_EXHAUSTED", "rateLimitExceeded"},
	{500, "INTERNAL", "backendError"},
	{503, "UNAVAILABLE", "backendError"},
};

static const char *meaning_status(int code)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		if (meanings[i].code == code)
			return meanings[i].status;
	}
	return "UNKNOWN";
}

static const char *meaning_reason(int code)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		if (meanings[i].code == code)
			return meanings[i].reason;
	}
	return "backendError";
}

static json_t *legacy_errors(const char *message, const char *domain, const char *reason)
{
	return json_pack(
		"[{s:s, s:s, s:s}]", "message", message, "domain", domain, "reason", reason);
}

void reply_error_details(struct emulator *e, struct reply *out, int code, const char *status,
	const char *message, json_t *details)
{
	json_t *error =
		json_pack("{s:i, s:s, s:s}", "code", code, "message", message, "status", status);

	if (e->tenant->switches.legacy_errors)
		json_object_set_new(
			error, "errors", legacy_errors(message, "global", meaning_reason(code)));
	if (details)
		json_object_set_new(error, "details", details);
	reply_json(out, code, json_pack("{s:o}", "error", error));
}

void reply_error(struct emulator *e, struct reply *out, int code, const char *message)
{
	reply_error_details(e, out, code, meaning_status(code), message, NULL);
}

void reply_precondition(struct emulator *e, struct reply *out, int code)
{
	if (code == 400)
		reply_error_details(e, out, 400, "FAILED_PRECONDITION", MESSAGE_PRECONDITION, NULL);
	else if (code == 404)
		reply_error(e, out, 404, MESSAGE_NOT_FOUND);
	else if (code == 403)
		reply_error(e, out, 403, MESSAGE_DENIED);
	else
		reply_error(e, out, code, "Requested entity already exists");
}

/* Body A. */
void reply_unauthenticated(struct emulator *e, struct reply *out)
{
	reply_error(e, out, 401,
		"Request had invalid authentication credentials. Expected OAuth 2 access token, "
		"login cookie or other valid authentication credential. See "
		"https://developers.google.com/identity/sign-in/web/devconsole-project.");
	reply_header(out, "WWW-Authenticate",
		"Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"");
}

static json_t *error_info(const char *reason, json_t *metadata)
{
	return json_pack("{s:s, s:s, s:s, s:o}", "@type", ERROR_INFO, "reason", reason, "domain",
		"googleapis.com", "metadata", metadata);
}

/* Body B. */
void reply_scope_missing(
	struct emulator *e, struct reply *out, const struct service *service, const char *rpc)
{
	char *method = xasprintf("%s.%s", service->rpcs, rpc);
	char *challenge = xasprintf("Bearer realm=\"https://accounts.google.com/\", "
				    "error=\"insufficient_scope\", scope=\"%s\"",
		service->scope);
	json_t *metadata = json_pack("{s:s, s:s}", "service", service->host, "method", method);

	reply_error_details(e, out, 403, "PERMISSION_DENIED",
		"Request had insufficient authentication scopes.",
		json_pack("[o]", error_info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", metadata)));
	reply_header(out, "WWW-Authenticate", challenge);
	free(challenge);
	free(method);
}

/* Body C. */
void reply_api_disabled(struct emulator *e, struct reply *out, const struct service *service)
{
	const char *number = e->tenant->project_number;
	char *url = xasprintf("https://console.developers.google.com/apis/api/%s"
			      "/overview?project=%s",
		service->host, number);
	char *message = xasprintf("%s has not been used in project %s before or it is disabled. "
				  "Enable it by visiting %s then retry. If you enabled this API "
				  "recently, wait a few minutes for the action to propagate to "
				  "our systems and retry.",
		service->title, number, url);
	char *consumer = xasprintf("projects/%s", number);
	json_t *help = json_pack("{s:s, s:[{s:s, s:s}]}", "@type",
		"type.googleapis.com/google.rpc.Help", "links", "description",
		"Google developers console API activation", "url", url);
	json_t *metadata = json_pack("{s:s, s:s}", "service", service->host, "consumer", consumer);

	reply_error_details(e, out, 403, "PERMISSION_DENIED", message,
		json_pack("[o, o]", help, error_info("SERVICE_DISABLED", metadata)));
	free(consumer);
	free(message);
	free(url);
}

void reply_permission_denied(struct emulator *e, struct reply *out, const char *permission)
{
	char *message =
		xasprintf("Permission '%s' denied on resource (or it may not exist).", permission);
	json_t *info = json_pack("{s:s, s:s, s:s, s:{s:s}}", "@type", ERROR_INFO, "reason",
		"IAM_PERMISSION_DENIED", "domain", "iam.googleapis.com", "metadata", "permission",
		permission);

	reply_error_details(e, out, 403, "PERMISSION_DENIED", message, json_pack("[o]", info));
	free(message);
}

/* Body E, or its 403 form, which only errors[] distinguishes from a missing permission. */
void reply_quota_exceeded(struct emulator *e, struct reply *out)
{
	const struct quota *quota = &e->tenant->quota;
	char *message = xasprintf("Quota exceeded for quota metric 'User invitation requests' "
				  "and limit 'User invitation requests per minute' of service "
				  "'" SERVICE "' for consumer 'project_number:%s'.",
		e->tenant->project_number);

	if (quota->form == 403)
		reply_json(out, 403,
			json_pack("{s:{s:i, s:s, s:s, s:o}}", "error", "code", 403, "message",
				message, "status", "PERMISSION_DENIED", "errors",
				legacy_errors(message, "usageLimits", "rateLimitExceeded")));
	else
		reply_error(e, out, 429, message);
	if (quota->retry_after >= 0) {
		char *seconds = xasprintf("%lld", (long long)quota->retry_after);

		reply_header(out, "Retry-After", seconds);
		free(seconds);
	}
	free(message);
}

void reply_oauth_error(struct reply *out, int status, const char *error, const char *description)
{
	reply_json(out, status,
		json_pack("{s:s, s:s}", "error", error, "error_description", description));
}
