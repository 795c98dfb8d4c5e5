/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata server of a virtual machine (or of a pod, by switch): its service account, and
 * tokens for it (docs/google.md 4.2). It has a port of its own, without TLS.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "endpoints.h"
#include "xmalloc.h"
#include "reply.h"
#include "uri.h"

#define ROOT	 "/computeMetadata/v1/"
#define ACCOUNTS "instance/service-accounts/"
/* A token with less time left is not given out again. */
#define LEFT_AT_LEAST (USEC_PER_SEC * 240)

#define PAGE_FORBIDDEN                                                          \
	"<!DOCTYPE html>\n<title>Error 403 (Forbidden)!!1</title>\n<p>Missing " \
	"Metadata-Flavor:Google header, or X-Forwarded-For is there.\n"
#define PAGE_NOT_FOUND \
	"<!DOCTYPE html>\n<title>Error 404 (Not Found)!!1</title>\n<p>Not found on this server.\n"

static void page(struct reply *out, int status, const char *text)
{
	reply_text(out, status, "text/html; charset=UTF-8", text);
}

static void text(struct reply *out, const char *value)
{
	reply_text(out, 200, "application/text", value);
}

/* google-auth compares the whole content type, so there is no charset. */
static void json(struct reply *out, json_t *body)
{
	reply_json(out, 200, body);
	out->content_type = "application/json";
}

/* Converts the query's commas to spaces. */
static char *token_scopes(const struct tenant *tenant, const struct request *r)
{
	char *asked = tenant->switches.metadata_scopes ? uri_field(r->query, "scopes") : NULL;

	if (!asked || *asked == '\0') {
		free(asked);
		return xstrdup(tenant->keyless.instance.scopes);
	}
	for (char *c = asked; *c != '\0'; c++)
		*c = (char)(*c == ',' ? ' ' : *c);
	return asked;
}

/* The same token until little of its time is left. */
static const struct access *token_cached(struct tenant *tenant, const char *scopes)
{
	struct instance *instance = &tenant->keyless.instance;
	struct access *access = table_get(&instance->tokens, scopes);

	if (access && access->expires - tenant_now(tenant) >= LEFT_AT_LEAST)
		return access;
	if (access)
		table_remove(&instance->tokens, scopes);
	access = tenant_token(tenant, instance->service_account, true, scopes);
	table_put(&instance->tokens, access->scopes, access);
	return access;
}

static void token(struct tenant *tenant, struct request *r, struct reply *out)
{
	char *scopes = token_scopes(tenant, r);
	const struct access *access = token_cached(tenant, scopes);

	r->principal = xstrdup(access->principal);
	json(out, json_pack("{s:s, s:I, s:s}", "access_token", access->token, "expires_in",
			  (json_int_t)((access->expires - tenant_now(tenant)) / USEC_PER_SEC),
			  "token_type", "Bearer"));
	free(scopes);
}

static json_t *scopes_array(const char *scopes)
{
	json_t *out = json_array();

	while (*scopes != '\0') {
		size_t n = strcspn(scopes, " ");

		json_array_append_new(out, json_stringn(scopes, n));
		scopes += n + (scopes[n] == ' ');
	}
	return out;
}

static void account_whole(const struct tenant *tenant, const struct request *r, struct reply *out)
{
	const struct instance *instance = &tenant->keyless.instance;
	char *recursive = uri_field(r->query, "recursive");

	if (recursive && strcasecmp(recursive, "true") == 0)
		json(out, json_pack("{s:[s], s:s, s:o}", "aliases", "default", "email",
				  instance->service_account, "scopes",
				  scopes_array(instance->scopes)));
	else
		text(out, "aliases\nemail\nscopes\ntoken\n");
	free(recursive);
}

static void account_scopes(const struct tenant *tenant, struct reply *out)
{
	char *lines = xasprintf("%s\n", tenant->keyless.instance.scopes);

	for (char *c = lines; *c != '\0'; c++)
		*c = (char)(*c == ' ' ? '\n' : *c);
	text(out, lines);
	free(lines);
}

/* `path` is what follows the account's name and slash. */
static void account(struct tenant *tenant, struct request *r, const char *path, struct reply *out)
{
	if (*path == '\0')
		account_whole(tenant, r, out);
	else if (strcmp(path, "email") == 0)
		text(out, tenant->keyless.instance.service_account);
	else if (strcmp(path, "scopes") == 0)
		account_scopes(tenant, out);
	else if (strcmp(path, "aliases") == 0)
		text(out, "default\n");
	else if (strcmp(path, "token") == 0)
		token(tenant, r, out);
	else
		page(out, 404, PAGE_NOT_FOUND);
}

static void accounts_list(const char *own, struct reply *out)
{
	char *both = xasprintf("default/\n%s/\n", own);

	text(out, both);
	free(both);
}

/* "default/…" or "ADDRESS/…". */
static void accounts(struct tenant *tenant, struct request *r, const char *path, struct reply *out)
{
	const char *own = tenant->keyless.instance.service_account;
	size_t n = strcspn(path, "/");
	char *name = uri_decode(path, n, false);

	if (own && *path == '\0')
		accounts_list(own, out);
	else if (own && name && (strcmp(name, "default") == 0 || strcmp(name, own) == 0))
		account(tenant, r, path[n] == '/' ? path + n + 1 : "", out);
	else
		page(out, 404, PAGE_NOT_FOUND);
	free(name);
}

/* `path` is what follows the root. */
static void metadata_tell(
	struct tenant *tenant, struct request *r, const char *path, struct reply *out)
{
	if (*path == '\0')
		text(out, "instance/\nproject/\nuniverse/\n");
	else if (strcmp(path, "project/project-id") == 0)
		text(out, tenant->project);
	else if (strcmp(path, "project/numeric-project-id") == 0)
		text(out, tenant->project_number);
	else if (strcmp(path, "universe/universe-domain") == 0 && tenant->keyless.instance.universe)
		text(out, tenant->keyless.instance.universe);
	else if (strncmp(path, ACCOUNTS, strlen(ACCOUNTS)) == 0)
		accounts(tenant, r, path + strlen(ACCOUNTS), out);
	else
		page(out, 404, PAGE_NOT_FOUND);
}

/* Zero: it may be answered. Clients that only test whether there is a metadata server ask for the
 * root, some of them without the header. */
static int metadata_refusal(const struct tenant *tenant, const struct request *r)
{
	bool root = strcmp(r->path, "/") == 0;

	if (strcmp(r->method, "GET") != 0)
		return 405;
	if (r->forwarded && tenant->switches.metadata_forwarded != 200)
		return tenant->switches.metadata_forwarded;
	if (!root && tenant->switches.metadata_flavor != 200 &&
		(!r->flavor || strcmp(r->flavor, "Google") != 0))
		return tenant->switches.metadata_flavor;
	return 0;
}

static void metadata_answer(struct emulator *e, struct request *r, struct reply *out)
{
	int refusal = metadata_refusal(e->tenant, r);

	if (refusal != 0)
		page(out, refusal, PAGE_FORBIDDEN);
	else if (strcmp(r->path, "/") == 0)
		text(out, "computeMetadata/\n");
	else if (strncmp(r->path, ROOT, strlen(ROOT)) == 0)
		metadata_tell(e->tenant, r, r->path + strlen(ROOT), out);
	else
		page(out, 404, PAGE_NOT_FOUND);
	reply_header(out, "Metadata-Flavor", "Google");
}

void metadata_dispatch(struct request *r)
{
	r->route = ROUTE_METADATA;
	r->answer = metadata_answer;
}
