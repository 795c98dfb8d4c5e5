/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message of `notify`. It comes from root's file or from the module itself, and never from the
 * marker.
 */
#include "pam_module/notice.h"

#include <fcntl.h>
#include <security/pam_ext.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "spool/spool.h"

#define MESSAGE_MAX 1024

static const char own_message[] =
	"Google has sent you an invitation by mail: your work address is used by a private Google "
	"account, and you can bring that account under your organisation's management. Nothing "
	"changes until you accept.";

/* Makes visible what a terminal would obey; line breaks and tabs stay. */
static void make_safe(char *out, size_t size, char *raw)
{
	size_t used = 0;
	char separator;

	do {
		size_t length = strcspn(raw, "\n\t");

		separator = raw[length];
		raw[length] = '\0';
		str_safe(out + used, size - used, raw);
		used += strlen(out + used);
		if (separator && used + 1 < size)
			out[used++] = separator;
		raw += length + 1;
	} while (separator && used + 1 < size);
	out[used] = '\0';
}

/* Reads root's message. False unless only root can write the file; otherwise others could show text
 * at logins. The file is in the spool, which only root can open, so that no other user can delay
 * the lookup. */
static bool read_message(const char *path, char out[4 * MESSAGE_MAX + 1])
{
	char raw[MESSAGE_MAX + 1];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
		(st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		n = read(fd, raw, MESSAGE_MAX);
	file_close(&fd);
	while (n > 0 && raw[n - 1] == '\n')
		n--;
	if (n <= 0)
		return false;
	raw[n] = '\0';
	make_safe(out, 4 * MESSAGE_MAX + 1, raw);
	return out[0] != '\0';
}

static bool has_conversation(pam_handle_t *pamh)
{
	const void *item = NULL;
	const struct pam_conv *conversation;

	if (pam_get_item(pamh, PAM_CONV, &item) != PAM_SUCCESS || !item)
		return false;
	conversation = item;
	return conversation->conv;
}

void notice_show(pam_handle_t *pamh, const struct arguments *a, const char *user)
{
	char word[SPOOL_WORD_MAX + 1], message[4 * MESSAGE_MAX + 1];
	int seen;
	bool invited;

	if (!has_conversation(pamh))
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
