/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata server of a virtual machine (or of a pod, by switch): what its service account is,
 * and tokens of it (docs/google.md 4.2). It has a port of its own, without TLS.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "areas.h"
#include "must.h"
#include "reply.h"
#include "uri.h"

#define ROOT	 "/computeMetadata/v1/"
#define ACCOUNTS "instance/service-accounts/"
/* A token with less than that left is not handed out again. */
#define LEFT_AT_LEAST (MOMENT_SECOND * 240)

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

/* google-auth compares the type as a whole: no charset. */
static void json(struct reply *out, json_t *body)
{
	reply_json(out, 200, body);
	out->content_type = "application/json";
}

/* The commas of the question become spaces. */
static char *token_scopes(const struct world *w, const struct request *r)
{
	char *asked = w->switches.metadata_scopes ? uri_field(r->query, "scopes") : NULL;

	if (asked == NULL || *asked == '\0') {
		free(asked);
		return must_copy(w->keyless.instance.scopes);
	}
	for (char *c = asked; *c != '\0'; c++)
		*c = (char)(*c == ',' ? ' ' : *c);
	return asked;
}

/* The same token again until little of its time is left. */
static const struct access *token_cached(struct world *w, const char *scopes)
{
	struct instance *instance = &w->keyless.instance;
	struct access *access = table_get(&instance->tokens, scopes);

	if (access != NULL && access->expires - world_now(w) >= LEFT_AT_LEAST)
		return access;
	if (access != NULL)
		table_remove(&instance->tokens, scopes);
	access = world_token(w, instance->service_account, true, scopes);
	table_put(&instance->tokens, access->scopes, access);
	return access;
}

static void token(struct world *w, struct request *r, struct reply *out)
{
	char *scopes = token_scopes(w, r);
	const struct access *access = token_cached(w, scopes);

	r->principal = must_copy(access->principal);
	json(out, json_pack("{s:s, s:I, s:s}", "access_token", access->token, "expires_in",
			  (json_int_t)((access->expires - world_now(w)) / MOMENT_SECOND),
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

static void account_whole(const struct world *w, const struct request *r, struct reply *out)
{
	const struct instance *instance = &w->keyless.instance;
	char *recursive = uri_field(r->query, "recursive");

	if (recursive != NULL && strcasecmp(recursive, "true") == 0)
		json(out, json_pack("{s:[s], s:s, s:o}", "aliases", "default", "email",
				  instance->service_account, "scopes",
				  scopes_array(instance->scopes)));
	else
		text(out, "aliases\nemail\nscopes\ntoken\n");
	free(recursive);
}

static void account_scopes(const struct world *w, struct reply *out)
{
	char *lines = must_format("%s\n", w->keyless.instance.scopes);

	for (char *c = lines; *c != '\0'; c++)
		*c = (char)(*c == ' ' ? '\n' : *c);
	text(out, lines);
	free(lines);
}

/* `path` is what follows the account's name and slash. */
static void account(struct world *w, struct request *r, const char *path, struct reply *out)
{
	if (*path == '\0')
		account_whole(w, r, out);
	else if (strcmp(path, "email") == 0)
		text(out, w->keyless.instance.service_account);
	else if (strcmp(path, "scopes") == 0)
		account_scopes(w, out);
	else if (strcmp(path, "aliases") == 0)
		text(out, "default\n");
	else if (strcmp(path, "token") == 0)
		token(w, r, out);
	else
		page(out, 404, PAGE_NOT_FOUND);
}

static void accounts_list(const char *own, struct reply *out)
{
	char *both = must_format("default/\n%s/\n", own);

	text(out, both);
	free(both);
}

/* "default/…" or "ADDRESS/…". */
static void accounts(struct world *w, struct request *r, const char *path, struct reply *out)
{
	const char *own = w->keyless.instance.service_account;
	size_t n = strcspn(path, "/");
	char *name = uri_decode(path, n, false);

	if (own != NULL && *path == '\0')
		accounts_list(own, out);
	else if (own != NULL && name != NULL &&
		 (strcmp(name, "default") == 0 || strcmp(name, own) == 0))
		account(w, r, path[n] == '/' ? path + n + 1 : "", out);
	else
		page(out, 404, PAGE_NOT_FOUND);
	free(name);
}

/* `path` is what follows the root. */
static void metadata_tell(struct world *w, struct request *r, const char *path, struct reply *out)
{
	if (*path == '\0')
		text(out, "instance/\nproject/\nuniverse/\n");
	else if (strcmp(path, "project/project-id") == 0)
		text(out, w->project);
	else if (strcmp(path, "project/numeric-project-id") == 0)
		text(out, w->project_number);
	else if (strcmp(path, "universe/universe-domain") == 0 &&
		 w->keyless.instance.universe != NULL)
		text(out, w->keyless.instance.universe);
	else if (strncmp(path, ACCOUNTS, strlen(ACCOUNTS)) == 0)
		accounts(w, r, path + strlen(ACCOUNTS), out);
	else
		page(out, 404, PAGE_NOT_FOUND);
}

/* Zero: it may be answered. Clients that only look whether there is a metadata server ask for the
 * root, some without the header. */
static int metadata_refusal(const struct world *w, const struct request *r)
{
	bool root = strcmp(r->path, "/") == 0;

	if (strcmp(r->method, "GET") != 0)
		return 405;
	if (r->forwarded != NULL && w->switches.metadata_forwarded != 200)
		return w->switches.metadata_forwarded;
	if (!root && w->switches.metadata_flavor != 200 &&
		(r->flavor == NULL || strcmp(r->flavor, "Google") != 0))
		return w->switches.metadata_flavor;
	return 0;
}

static void metadata_answer(struct emulator *e, struct request *r, struct reply *out)
{
	int refusal = metadata_refusal(e->world, r);

	if (refusal != 0)
		page(out, refusal, PAGE_FORBIDDEN);
	else if (strcmp(r->path, "/") == 0)
		text(out, "computeMetadata/\n");
	else if (strncmp(r->path, ROOT, strlen(ROOT)) == 0)
		metadata_tell(e->world, r, r->path + strlen(ROOT), out);
	else
		page(out, 404, PAGE_NOT_FOUND);
	reply_header(out, "Metadata-Flavor", "Google");
}

void metadata_enter(struct request *r)
{
	r->route = ROUTE_METADATA;
	r->answer = metadata_answer;
}
