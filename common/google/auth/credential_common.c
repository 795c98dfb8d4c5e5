/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all types of credential share: making and freeing one, the members that each type's file may
 * have, and the source credential inside another one. It knows no type by name, so that the files
 * of the types may call it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "google/auth/credential.h"
#include "google/types.h"

void credential_free(struct credential *c)
{
	if (!c)
		return;
	if (c->type)
		c->type->free(c->data);
	free(c->path);
	free(c->token_endpoint);
	free(c);
}

struct credential *credential_new(const struct settings *settings, const char *path, bool source)
{
	struct credential *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->settings = settings;
	c->source = source;
	c->scope = source ? IAM_SCOPE : GOOGLE_SCOPE;
	c->path = strdup(path);
	c->token_endpoint = strdup(settings->token_endpoint);
	if (c->path && c->token_endpoint &&
		str_copy(c->subject, sizeof(c->subject), source ? "" : settings->subject) &&
		str_copy(c->quota_project, sizeof(c->quota_project),
			source ? "" : settings->quota_project))
		return c;
	credential_free(c);
	return NULL;
}

/* Other universes have other hosts, and no domain-wide delegation (docs/google.md). */
static bool check_universe(const struct credential *c, const json_t *file, struct fault *f)
{
	const json_t *universe = json_object_get(file, "universe_domain");
	const char *name = json_string_value(universe);

	if (!universe || (name && strcmp(name, "googleapis.com") == 0))
		return true;
	fault_set(f, FAULT_CREDENTIALS, "universe",
		"%s: universe_domain '%s' is not googleapis.com", c->path, name ? name : "");
	return fault_remedy(
		f, "User invitations exist at googleapis.com only; use a key from there.");
}

/* The setting takes precedence. The value goes into a header line. */
static bool take_quota_project(struct credential *c, const json_t *file, struct fault *f)
{
	const char *name = json_string_value(json_object_get(file, "quota_project_id"));

	if (!name || *c->quota_project)
		return true;
	for (const char *p = name; *p; p++) {
		if (!ascii_is_alnum(*p) && !strchr("-.:", *p))
			name = "";
	}
	return (*name && str_copy(c->quota_project, sizeof(c->quota_project), name)) ||
	       fault_set(f, FAULT_CREDENTIALS, "quota_project",
		       "%s: quota_project_id is not a project ID", c->path);
}

bool credential_read_common(struct credential *c, const json_t *file, struct fault *f)
{
	return check_universe(c, file, f) && take_quota_project(c, file, f);
}

struct credential *credential_load_source(const struct credential *outer,
	const struct credential_type *type, const json_t *file, struct fault *fault)
{
	struct credential *c = credential_new(outer->settings, outer->path, true);

	if (c) {
		c->type = type;
		if (credential_read_common(c, file, fault) && type->load(c, file, fault))
			return c;
	} else {
		fault_set(fault, FAULT_CREDENTIALS, "no_memory", "the credential is too long");
	}
	credential_free(c);
	return NULL;
}

const char *credential_administrator(const struct credential *c)
{
	return c && *c->subject ? c->subject : "the administrator";
}
