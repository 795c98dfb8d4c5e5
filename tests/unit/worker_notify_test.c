/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "folder.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "worker/notify.h"

static void a_status_is_one_line_and_no_assignment_of_its_own(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct folder *folder = *state;
	char heard[512];
	ssize_t n;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	str_copy(address.sun_path, sizeof(address.sun_path), folder_path(folder, "notify"));
	assert_true(fd >= 0);
	assert_int_equal(0, bind(fd, (const struct sockaddr *)&address, sizeof(address)));
	assert_int_equal(0, setenv("NOTIFY_SOCKET", address.sun_path, 1));
	notify_ready("waiting: x\nMAINPID=1\033[2J\u202e");
	n = recv(fd, heard, sizeof(heard) - 1, MSG_DONTWAIT);
	close(fd);
	assert_true(n > 0);
	heard[n] = '\0';
	assert_string_equal(
		"READY=1\nSTATUS=waiting: x\\x0aMAINPID=1\\x1b[2J\\xe2\\x80\\xae", heard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_status_is_one_line_and_no_assignment_of_its_own, folder_new, folder_free),
	};

	return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
