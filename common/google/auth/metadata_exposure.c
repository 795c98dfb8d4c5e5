/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file in which root stores who can reach the metadata server. A result that is older than the
 * last boot, or about another endpoint, counts as unknown.
 */
#include "google/auth/metadata_exposure.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "base/strbuf.h"

#define REACH_MAX 1024
#define RULE	  "/usr/share/cloudinvite/nftables/cloudinvite-metadata.nft"

static const char *const words[] = {[METADATA_UNKNOWN] = "unknown",
	[METADATA_EXPOSED] = "open",
	[METADATA_PROTECTED] = "closed"};

/* ---- the file: one line each for result, endpoint, boot, time and reason ---- */

bool metadata_exposure_path(const struct settings *s, char *out, size_t size)
{
	return str_format(out, size, "%s.metadata", s->run);
}

int metadata_exposure_write(
	int dir, const struct settings *s, enum metadata_exposure reach, const char *why)
{
	char path[4096 + 16], boot[37], now[CLOCK_TEXT_SIZE];
	struct strbuf t = {.max = REACH_MAX};
	int rc = -1;

	clock_boot_id(boot);
	if (metadata_exposure_path(s, path, sizeof(path)) &&
		strbuf_addf(&t, "%s\n%s\n%s\n%s\n%s\n", words[reach], s->metadata_endpoint, boot,
			clock_rfc3339(clock_wall(), now), why))
		rc = file_replace_at(dir, strrchr(path, '/') + 1, t.data, t.len, 0644);
	strbuf_free(&t);
	return rc;
}

static const char *next_line(char **at)
{
	const char *line = strsep(at, "\n");

	return line ? line : "";
}

static enum metadata_exposure parse(const struct settings *s, char *text, char *why, size_t size)
{
	const char *result = next_line(&text), *endpoint = next_line(&text);
	const char *boot = next_line(&text);
	char this_boot[37];

	(void)next_line(&text); /* the time is for people who read the file */
	clock_boot_id(this_boot);
	str_copy(why, size, next_line(&text));
	if (strcmp(endpoint, s->metadata_endpoint) != 0)
		str_copy(why, size, "metadata_endpoint has changed since the last check");
	else if (strcmp(boot, this_boot) != 0)
		str_copy(why, size, "the host has been restarted since the last check");
	else if (strcmp(result, words[METADATA_PROTECTED]) == 0)
		return METADATA_PROTECTED;
	else if (strcmp(result, words[METADATA_EXPOSED]) == 0)
		return METADATA_EXPOSED;
	return METADATA_UNKNOWN;
}

enum metadata_exposure metadata_exposure_read(const struct settings *s, char *why, size_t size)
{
	const struct file_rules rules = {.max_size = REACH_MAX, .trusted = true};
	enum metadata_exposure reach = METADATA_UNKNOWN;
	struct fault fault = {.kind = FAULT_NONE};
	struct strbuf text = {.max = REACH_MAX + 1};
	char path[4096 + 16];

	if (!metadata_exposure_path(s, path, sizeof(path)) ||
		!file_read(path, &rules, &text, FAULT_SETUP, &fault) || !text.data)
		str_copy(why, size, "not checked yet");
	else
		reach = parse(s, text.data, why, size);
	strbuf_free(&text);
	return reach;
}

/* ---- the decision ---- */

bool metadata_exposure_allows(const struct settings *s, struct fault *f)
{
	char why[160];

	if (s->metadata_exposed == EXPOSED_ACCEPT)
		return true;
	switch (metadata_exposure_read(s, why, sizeof(why))) {
	case METADATA_PROTECTED:
		return true;
	case METADATA_EXPOSED:
		fault_set(f, FAULT_CREDENTIALS, "metadata_exposed",
			"every user of this host can reach %s and could act as the administrator",
			s->metadata_endpoint);
		return fault_remedy(f,
			"Block access: adapt " RULE
			" and load it with nft -f, then restart the dispatcher. If the host has no "
			"other users, set [google] metadata_exposed = accept.");
	case METADATA_UNKNOWN:
		break;
	}
	fault_set(f, FAULT_CREDENTIALS, "metadata_reach_unknown",
		"it is not known whether other users of this host can reach %s (%s)",
		s->metadata_endpoint, why);
	return fault_remedy(f, "Start the dispatcher with its unit, or run as root: "
			       "cloudinvite-dispatcher --prepare. If the host has no other users, "
			       "set [google] metadata_exposed = accept.");
}
