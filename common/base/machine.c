/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts that tell a machine from its copies. Addresses of network cards are not among them: the
 * collector has no network, and cards are replaced.
 */
#include "base/machine.h"

#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "base/instance.h"
#include "base/str.h"
#include "base/strbuf.h"

#define FACT_MAX 8192 /* files of sysfs claim a page */

static void read_fact(const char *root, const char *path, char out[MACHINE_FACT_SIZE])
{
	static const struct file_rules rules = {
		.max_size = FACT_MAX, .missing_ok = true, .follow = true};
	struct strbuf text = {.max = FACT_MAX};
	char whole[PATH_MAX];

	out[0] = '\0';
	if (str_format(whole, sizeof(whole), "%s%s", root, path) &&
		file_read(whole, &rules, &text, FAULT_STORAGE, NULL) && text.data &&
		(!str_copy(out, MACHINE_FACT_SIZE, str_trim(text.data)) || strpbrk(out, " \t\n")))
		out[0] = '\0';
	strbuf_free(&text);
}

static void read_id(const char *root, char out[MACHINE_FACT_SIZE])
{
	read_fact(root, "/etc/machine-id", out);
	if (strcmp(out, "uninitialized") == 0)
		out[0] = '\0';
}

void machine_read_id(char out[MACHINE_FACT_SIZE])
{
	read_id("", out);
}

void machine_read(struct machine *m, const char *root, const char *run)
{
	read_id(root, m->id);
	read_fact(run, "/" MACHINE_FILE, m->product);
	read_fact(root, "/var/lib/cloud/data/instance-id", m->instance);
}

/* ---- comparing ---- */

static bool differ(const char *before, const char *now)
{
	return *before && *now && strcmp(before, now) != 0;
}

static bool are_equal(const char *before, const char *now)
{
	return *before && strcmp(before, now) == 0;
}

bool machine_is_another(const struct machine *before, const struct machine *now)
{
	return strcmp(before->id, *now->id ? now->id : before->id) != 0 ||
	       differ(before->product, now->product) || differ(before->instance, now->instance);
}

bool machine_is_proved(const struct machine *before, const struct machine *now)
{
	return are_equal(before->product, now->product) ||
	       are_equal(before->instance, now->instance);
}

static void keep(char out[MACHINE_FACT_SIZE], const char *before)
{
	if (*out == '\0')
		str_copy(out, MACHINE_FACT_SIZE, before);
}

struct machine machine_merge(const struct machine *before, const struct machine *now)
{
	struct machine m = *now;

	keep(m.id, before->id);
	keep(m.product, before->product);
	keep(m.instance, before->instance);
	return m;
}

/* ---- the UUID ---- */

/* Boards whose maker has set none have one of these. */
static bool is_a_default(const char *uuid)
{
	return strspn(uuid, "0-") == strlen(uuid) || strspn(uuid, "fF-") == strlen(uuid) ||
	       str_starts(uuid, "03000200-0400-0500-0006-000700080009");
}

/* FNV-1a. The UUID is for root only, so it is not stored as it is. */
static uint64_t hash_of(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	return hash;
}

void machine_product(const char *root, char out[MACHINE_FACT_SIZE])
{
	static const char *const places[] = {"/sys/class/dmi/id/product_uuid",
		"/sys/hypervisor/uuid", "/sys/firmware/devicetree/base/vm,uuid",
		"/sys/firmware/devicetree/base/serial-number"};
	char uuid[MACHINE_FACT_SIZE] = "";

	for (size_t i = 0; *uuid == '\0' && i < ARRAY_SIZE(places); i++) {
		read_fact(root, places[i], uuid);
		if (is_a_default(uuid))
			uuid[0] = '\0';
	}
	out[0] = '\0';
	if (*uuid)
		str_format(out, MACHINE_FACT_SIZE, "%016" PRIx64, hash_of(uuid));
}
