/* SPDX-License-Identifier: Apache-2.0 */
#include "pam_module/notice.h"

#include <errno.h>
#include <fcntl.h>
#include <security/pam_ext.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "spool/spool.h"

#define MESSAGE_MAX 1024

static const char own_message[] = "Google has mailed you an invitation: your work address belongs "
				  "to a private Google account, and "
				  "you can bring that account under your organisation's "
				  "management. Nothing changes until you accept.";

/* Root's own words, or false: the file must be root's alone, so that nobody else speaks at logins.
 */
static bool read_message(const char *path, char out[MESSAGE_MAX + 1])
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
		(st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		n = read(fd, out, MESSAGE_MAX);
	file_close(&fd);
	if (n <= 0)
		return false;
	while (n > 0 && out[n - 1] == '\n')
		n--;
	out[n] = '\0';
	for (char *at = out; *at; at++)
		if (((unsigned char)*at < 0x20 && *at != '\n' && *at != '\t') || *at == 0x7f)
			*at = '?';
	return out[0] != '\0';
}

static bool can_talk(pam_handle_t *pamh)
{
	const void *item = NULL;
	const struct pam_conv *conversation;

	if (pam_get_item(pamh, PAM_CONV, &item) != PAM_SUCCESS || !item)
		return false;
	conversation = item;
	return conversation->conv != NULL;
}

void notice_give(pam_handle_t *pamh, const struct arguments *a, const char *user)
{
	char word[SPOOL_WORD_MAX + 1], message[MESSAGE_MAX + 1];
	int seen;
	bool invited;

	if (!can_talk(pamh))
		return;
	seen = spool_open(a->spool, SPOOL_SEEN);
	if (seen < 0)
		return;
	invited = spool_read_mark(seen, user, word) && strcmp(word, "invited") == 0;
	file_close(&seen);
	if (!invited)
		return;
	if (a->message_file && read_message(a->message_file, message))
		(void)pam_info(pamh, "%s", message);
	else
		(void)pam_info(pamh, "%s", own_message);
}
