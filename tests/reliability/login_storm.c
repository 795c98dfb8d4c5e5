/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many logins at the same moment: each is a process with PAM started; all of them wait at one
 * barrier and then open their sessions.
 *
 *   login_storm CONFDIR SERVICE LOGINS PREFIX FIRST PEOPLE
 *
 * The n-th login is that of the user PREFIX<FIRST + n % PEOPLE>. Prints `name value` lines: how
 * many came to the barrier (waiting), how many logged in (entered), the greatest number of them
 * inside of pam_open_session() at the same moment (inside), and in milliseconds from the barrier's
 * opening when half of them (half_ms) and all (all_ms) had logged in. Prints `ready` on standard
 * output before the barrier opens, and opens it when standard input ends.
 */
#include <errno.h>
#include <security/pam_appl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOGINS_MAX 10000
#define PATIENCE_S 120

/* What each login reports, in memory that all share. */
struct login {
	int64_t began_ns, ended_ns;
	int result;
};

/* When a login enters or leaves. */
struct moment {
	int64_t ns;
	int change;
};

struct storm {
	const char *confdir, *service, *prefix;
	long count, first, people;
	struct login *logins;
	int ready[2], go[2];
};

static void die(const char *what)
{
	fprintf(stderr, "login_storm: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int silent(int n, const struct pam_message **m, struct pam_response **r, void *ctx)
{
	(void)n;
	(void)m;
	(void)ctx;
	*r = NULL;
	return PAM_CONV_ERR;
}

/* Reports that it has come, and waits until the other end is closed. */
static void wait_at_barrier(struct storm *s)
{
	char nothing = 0;

	close(s->go[1]);
	if (write(s->ready[1], &nothing, 1) != 1 || read(s->go[0], &nothing, 1) != 0)
		_exit(1);
}

static _Noreturn void log_in(struct storm *s, long n)
{
	static const struct pam_conv conversation = {silent, NULL};
	struct login *l = &s->logins[n];
	pam_handle_t *pamh = NULL;
	char user[64];

	snprintf(user, sizeof(user), "%s%ld", s->prefix, s->first + n % s->people);
	if (pam_start_confdir(s->service, user, &conversation, s->confdir, &pamh) != PAM_SUCCESS)
		_exit(1);
	wait_at_barrier(s);
	l->began_ns = now_ns();
	l->result = pam_open_session(pamh, 0);
	l->ended_ns = now_ns();
	pam_end(pamh, PAM_SUCCESS);
	_exit(0);
}

static void gather(struct storm *s)
{
	pid_t pid;
	char byte;

	if (pipe(s->ready) != 0 || pipe(s->go) != 0)
		die("pipe");
	for (long n = 0; n < s->count; n++) {
		s->logins[n].result = -1;
		pid = fork();
		if (pid < 0)
			die("fork");
		if (pid == 0)
			log_in(s, n);
	}
	for (long n = 0; n < s->count; n++)
		if (read(s->ready[0], &byte, 1) != 1)
			die("not all came to the barrier");
	printf("waiting %ld\nready\n", s->count);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

static int by_time(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	return (x->ns > y->ns) - (x->ns < y->ns);
}

static int64_t nth_end(const struct moment *moments, long count, long n)
{
	for (long i = 0; i < count; i++)
		if (moments[i].change < 0 && --n == 0)
			return moments[i].ns;
	return 0;
}

static void tell(const struct storm *s, int64_t opened_ns)
{
	struct moment *moments = calloc((size_t)s->count * 2, sizeof(*moments));
	long inside = 0, most = 0, entered = 0;

	if (!moments)
		die("calloc");
	for (long n = 0; n < s->count; n++) {
		moments[2 * n] = (struct moment){s->logins[n].began_ns, 1};
		moments[2 * n + 1] = (struct moment){s->logins[n].ended_ns, -1};
		entered += s->logins[n].result == PAM_SUCCESS;
	}
	qsort(moments, (size_t)s->count * 2, sizeof(*moments), by_time);
	for (long i = 0; i < s->count * 2; i++) {
		inside += moments[i].change;
		most = inside > most ? inside : most;
	}
	printf("entered %ld\ninside %ld\nhalf_ms %.1f\nall_ms %.1f\n", entered, most,
		(double)(nth_end(moments, s->count * 2, s->count / 2) - opened_ns) / 1e6,
		(double)(nth_end(moments, s->count * 2, s->count) - opened_ns) / 1e6);
	free(moments);
}

int main(int argc, char **argv)
{
	struct storm s = {0};
	int64_t opened_ns;

	if (argc == 7) {
		s = (struct storm){.confdir = argv[1],
			.service = argv[2],
			.prefix = argv[4],
			.count = strtol(argv[3], NULL, 10),
			.first = strtol(argv[5], NULL, 10),
			.people = strtol(argv[6], NULL, 10)};
	}
	if (s.count < 1 || s.count > LOGINS_MAX || s.people < 1) {
		fprintf(stderr,
			"usage: login_storm CONFDIR SERVICE LOGINS PREFIX FIRST PEOPLE < pipe\n");
		return 2;
	}
	s.logins = mmap(NULL, (size_t)s.count * sizeof(*s.logins), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s.logins == MAP_FAILED)
		die("mmap");
	alarm(PATIENCE_S); /* a login died before the barrier, or is stuck after it */
	gather(&s);
	opened_ns = now_ns();
	close(s.go[1]);
	while (wait(NULL) > 0)
		;
	tell(&s, opened_ns);
	return 0;
}
