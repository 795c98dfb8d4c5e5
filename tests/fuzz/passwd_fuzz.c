/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The passwd file as the collector reads it, and an address made of its contents: nothing in it
 * becomes another domain, a header or a path.
 */
#include <stdlib.h>
#include <string.h>

#include "people/account.h"
#include "people/address.h"
#include "settings/settings.h"
#include "tests/fuzz/fuzz.h"

static void try_address(const struct account *a)
{
	static const char template[] = "{first}.{last}@example.com";
	static char none[] = "";
	static struct settings settings = {
		.gecos = true, .include_groups = none, .exclude_groups = none};
	struct sighting s = {.host = "host"};
	char address[ADDRESS_MAX + 1];
	const char *why = NULL;

	sighting_facts(&s, a, NULL, &settings);
	if (!address_from_template(&s, template, address, &why))
		return;
	must(strcmp(strchr(address, '@'), "@example.com") == 0, "the domain is the template's");
	must(!strpbrk(address, " \t\r\n/:\"<>,;\\"), "an address is a plain one");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct account_table table;
	char *text = fuzz_text(data, size);

	if (account_parse(text, size, &table)) {
		for (size_t i = 0; i < table.count; i++) {
			const struct account *a = &table.accounts[i];

			must(a->user[0] && !strpbrk(a->user, ":\n"), "a user has a name");
			must(!strpbrk(a->gecos, ":\n") && !strpbrk(a->shell, ":\n"), "fields end");
			must(account_find(&table, a->user), "who is there is found");
			try_address(a);
		}
		account_table_free(&table);
	}
	free(text);
	return 0;
}
