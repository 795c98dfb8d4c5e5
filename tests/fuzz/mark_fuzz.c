/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Markers, which the module reads as untrusted input: what it accepts is a word.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "spool/spool.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char word[SPOOL_WORD_MAX + 1];
	int box;

	fuzz_file("alice", data, size);
	box = open(fuzz_folder(), O_PATH | O_DIRECTORY | O_CLOEXEC);
	must(box >= 0, "the folder opens");
	if (spool_read_mark(box, "alice", word)) {
		must(word[0] != '\0', "a word has letters");
		must(strspn(word, "abcdefghijklmnopqrstuvwxyz_") == strlen(word), "of a to z");
	}
	close(box);
	return 0;
}
