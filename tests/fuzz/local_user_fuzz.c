/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /etc/passwd as the module reads it, compared with the collector's reader: the two must agree
 * about who is a local user. The linker wraps open().
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "pam_module/local_user.h"
#include "people/account.h"
#include "tests/fuzz/fuzz.h"

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

static const char *passwd;

int __wrap_open(const char *path, int flags, ...)
{
	va_list args;
	int mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, int) : 0;
	va_end(args);
	return __real_open(strcmp(path, "/etc/passwd") == 0 ? passwd : path, flags, mode);
}
/* NOLINTEND(bugprone-reserved-identifier) */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct account_table table;
	const struct account *alice;
	enum local_user found;

	passwd = fuzz_file("passwd", data, size);
	found = local_user_find("alice", 1000, 60000);
	must(found <= LOCAL_USER_UNDECIDED, "there is an answer");
	if (account_parse(text, size, &table)) {
		alice = account_find(&table, "alice");
		if (alice && table.whole && alice->uid >= 1000 && alice->uid <= 60000)
			must(found == LOCAL_USER_COUNTS || found == LOCAL_USER_UNDECIDED,
				"a user that the collector accepts is not skipped");
		account_table_free(&table);
	}
	free(text);
	return 0;
}
