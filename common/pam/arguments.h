/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arguments of pam_cloudinvite.so in a PAM file. None of them can change a return code.
 */
#ifndef CLOUDINVITE_PAM_ARGUMENTS_H
#define CLOUDINVITE_PAM_ARGUMENTS_H

#include <stdbool.h>

#define ARGUMENT_SPOOL "/var/spool/cloudinvite"
#define ARGUMENT_SKIP                                                                          \
	"cron crond atd su su-l sudo sudo-i doas runuser runuser-l systemd-user systemd-run0 " \
	"polkit-1 *-launch-environment"
#define ARGUMENT_UNSET (-1LL)

/* Strings point into argv, or are constants. */
struct arguments {
	const char *spool;
	/* Directly in the spool: anywhere else, other users could delay its lookup and with it a
	 * login. NULL: the module's own sentence. */
	const char *message_file;
	const char *services;	   /* "": every service except those skipped */
	const char *skip_services; /* patterns */
	long long min_uid;	   /* ARGUMENT_UNSET: login.defs */
	long long max_uid;
	bool network_users;
	bool notify;
	bool sync;
	bool debug;
	bool silent;
};

/* Fills in; calls `wrong` for every argument that is unknown or cannot be used. That happens
 * after all others have been read, so that `silent` counts wherever it stands. */
void arguments_parse(struct arguments *a, int argc, const char **argv,
	void (*wrong)(const char *argument, void *ctx), void *ctx);

/* Whether sessions of this service are reported. */
bool arguments_service(const struct arguments *a, const char *service);

#endif
