/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/pam_tree.h"

static const char *const pam_tree_directories[] = {
	"etc", "etc/pam.d", "usr", "usr/lib", "usr/lib/pam.d", "lib"};

int pam_tree_new(void **state)
{
	struct folder *f;

	folder_new(state);
	f = *state;
	for (size_t i = 0; i < ARRAY_SIZE(pam_tree_directories); i++)
		assert_int_equal(mkdir(folder_path(f, pam_tree_directories[i]), 0755), 0);
	folder_write(f, "lib/pam_cloudinvite.so", "ELF");
	return 0;
}

static void pam_tree_report(bool bad, const struct fault *fault, void *ctx)
{
	struct said *said = ctx;
	size_t n = strlen(said->text);
	const char *slash, *end;

	assert_true(fault->remedy[0] != '\0');
	said->bad += bad;
	for (slash = end = fault->what; *end && strncmp(end, ": ", 2) != 0; end++)
		if (*end == '/')
			slash = end + 1;
	str_format(said->text + n, sizeof(said->text) - n, "%s@%.*s ", fault->code,
		(int)(end - slash), slash);
}

struct said pam_tree_review(struct folder *f, const char *spool)
{
	return pam_tree_review_with(f, spool, NULL);
}

struct said pam_tree_review_with(
	struct folder *f, const char *spool, const struct settings *settings)
{
	struct said said = {.bad = 0};
	char module[PATH_MAX];
	int bad;
	const struct pam_site site = {
		.root = f->path, .module = module, .spool = spool, .settings = settings};

	str_format(module, sizeof(module), "%s/lib/pam_cloudinvite.so", f->path);
	bad = pam_lint(&site, pam_tree_report, &said);
	assert_int_equal(bad, said.bad);
	return said;
}
