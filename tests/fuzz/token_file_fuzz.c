/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token's file in the cache, which another program may have written.
 */
#include <fcntl.h>
#include <unistd.h>

#include "google/auth/token_file.h"
#include "google/auth/token_request.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct token token = {0};
	int dir;

	fuzz_file("token-0.json", data, size);
	dir = open(fuzz_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(dir >= 0, "the folder opens");
	if (token_file_read(dir, "0", &token))
		must(access_token_valid(token.value), "a token is printable");
	token_clear(&token);
	close(dir);
	return 0;
}
