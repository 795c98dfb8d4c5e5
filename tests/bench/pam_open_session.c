/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the module adds to a login, compared with pam_mkhomedir, pam_exec of /bin/true and one
 * created file, all in one run and in turns. Prints `name value` lines with values in microseconds
 * (medians).
 *
 *   pam_open_session MODULE [--short]      as root: it mounts a passwd file of its own, in a
 * namespace
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"

#define USER "benchmark"

enum service { NONE, OURS, MKHOMEDIR, EXEC, SERVICES };
static const char *const names[SERVICES] = {"none", "ours", "mkhomedir", "exec"};

static const char arrival[] = "spool/new/" USER ".login";
static char work[] = "/tmp/cloudinvite-bench.XXXXXX";

static void die(const char *what)
{
	fprintf(stderr, "pam_open_session: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), ascending);
	return values[n / 2];
}

static const char *path(const char *name)
{
	static char out[4][256]; /* valid until the fourth next call */
	static unsigned next;
	char *p = out[next++ % 4];

	snprintf(p, sizeof(out[0]), "%s/%s", work, name);
	return p;
}

static void write_file(const char *file, const char *content)
{
	FILE *f = fopen(file, "we");

	if (!f || fputs(content, f) < 0 || fclose(f) != 0)
		die(file);
}

static void write_service(enum service service, const char *module)
{
	char line[1024], file[64];

	snprintf(line, sizeof(line), "session required pam_permit.so\n%s%s%s%s\n",
		service == NONE ? "" : "session optional ",
		service == OURS	       ? module
		: service == MKHOMEDIR ? "pam_mkhomedir.so"
		: service == EXEC      ? "pam_exec.so /bin/true"
				       : "",
		service == OURS ? " spool=" : "", service == OURS ? path("spool") : "");
	snprintf(file, sizeof(file), "conf/%s", names[service]);
	write_file(path(file), line);
}

/* Mounts a passwd file of 40 lines, with our user in the middle, over the real one, for this
 * process. */
static void own_passwd(void)
{
	char text[8192] = "root:x:0:0:root:/root:/bin/bash\n";

	for (int i = 0; i < 40; i++) {
		size_t used = strlen(text);

		if (i == 20)
			snprintf(text + used, sizeof(text) - used,
				USER ":x:2000:2000:Benchmark:%s:/bin/bash\n", path("home"));
		else
			snprintf(text + used, sizeof(text) - used,
				"system%d:x:%d:%d::/nonexistent:/usr/sbin/nologin\n", i, 100 + i,
				100 + i);
	}
	write_file(path("passwd"), text);
	if (unshare(CLONE_NEWNS) != 0 ||
		mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount(path("passwd"), "/etc/passwd", "none", MS_BIND, NULL) != 0)
		die("a mount namespace is needed (run it as root)");
}

static void prepare(const char *module)
{
	if (!mkdtemp(work) || chmod(work, 0755) != 0)
		die(work);
	for (const char *const *d = (const char *const[]){"conf", "home", "spool", "spool/new",
		     "spool/seen", NULL};
		*d; d++)
		if (mkdir(path(*d), 0755) != 0)
			die(*d);
	for (int s = 0; s < SERVICES; s++)
		write_service((enum service)s, module);
	own_passwd();
}

static int silent(int n, const struct pam_message **m, struct pam_response **r, void *ctx)
{
	(void)n;
	(void)m;
	(void)ctx;
	*r = NULL;
	return PAM_CONV_ERR;
}

static pam_handle_t *start(enum service service)
{
	static const struct pam_conv conversation = {silent, NULL};
	pam_handle_t *pamh = NULL;

	if (pam_start_confdir(names[service], USER, &conversation, path("conf"), &pamh) !=
		PAM_SUCCESS)
		die("pam_start_confdir");
	return pamh;
}

static double open_session(pam_handle_t *pamh)
{
	double began = now_us();

	if (pam_open_session(pamh, PAM_SILENT) != PAM_SUCCESS)
		die("pam_open_session");
	return now_us() - began;
}

static double whole(enum service service)
{
	double began = now_us();
	pam_handle_t *pamh = start(service);

	(void)open_session(pamh);
	pam_end(pamh, PAM_SUCCESS);
	return now_us() - began;
}

/* One empty file in the directory of the arrivals: the cheapest way to leave a record. */
static double create_file(void)
{
	const char *file = path("spool/new/yardstick");
	double began = now_us(), took;
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		die(file);
	close(fd);
	took = now_us() - began;
	unlink(file);
	return took;
}

static double read_file(const char *file)
{
	char buffer[4096];
	double began = now_us();
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && read(fd, buffer, sizeof(buffer)) > 0)
		;
	close(fd);
	return now_us() - began;
}

static void measure_returning(int rounds, double *values[SERVICES])
{
	pam_handle_t *pamh[SERVICES];
	double base;

	write_file(path("spool/seen/" USER), "seen\n");
	for (int s = 0; s < SERVICES; s++)
		pamh[s] = start((enum service)s);
	for (int i = 0; i < rounds; i++) {
		/* One handle for ten sessions: pam_mkhomedir adds an entry to it for each, and
		 * searches through them. */
		for (int s = 0; s < SERVICES && i % 10 == 0; s++) {
			pam_end(pamh[s], PAM_SUCCESS);
			pamh[s] = start((enum service)s);
		}
		for (int s = 0; s < SERVICES; s++)
			if (s != EXEC || i % 20 == 0)
				values[s][s == EXEC ? i / 20 : i] = open_session(pamh[s]);
	}
	for (int s = 0; s < SERVICES; s++)
		pam_end(pamh[s], PAM_SUCCESS);
	base = median(values[NONE], rounds);
	printf("returning_user_us %.2f\n", median(values[OURS], rounds) - base);
	printf("mkhomedir_us %.2f\n", median(values[MKHOMEDIR], rounds) - base);
	printf("pam_exec_us %.2f\n", median(values[EXEC], rounds / 20) - base);
}

static void measure_whole(int rounds, double *values[SERVICES])
{
	double base;

	for (int i = 0; i < rounds; i++)
		for (int s = 0; s < EXEC; s++)
			values[s][i] = whole((enum service)s);
	base = median(values[NONE], rounds);
	printf("whole_added_us %.2f\n", median(values[OURS], rounds) - base);
	printf("whole_mkhomedir_us %.2f\n", median(values[MKHOMEDIR], rounds) - base);
}

static void measure_first(int rounds, double *values[SERVICES])
{
	pam_handle_t *none, *ours;
	double base;

	unlink(path("spool/seen/" USER));
	none = start(NONE);
	ours = start(OURS);
	for (int i = 0; i < rounds; i++) {
		values[NONE][i] = open_session(none);
		values[OURS][i] = open_session(ours);
		if (unlink(path(arrival)) != 0)
			die("the module wrote no arrival");
		values[MKHOMEDIR][i] = create_file();
		values[EXEC][i] = read_file("/etc/passwd") + read_file("/etc/login.defs");
	}
	pam_end(none, PAM_SUCCESS);
	pam_end(ours, PAM_SUCCESS);
	base = median(values[NONE], rounds);
	printf("first_login_us %.2f\n", median(values[OURS], rounds) - base);
	printf("create_file_us %.2f\n", median(values[MKHOMEDIR], rounds));
	printf("read_files_us %.2f\n", median(values[EXEC], rounds));
}

static void clean_up(void)
{
	static const char *const files[] = {
		"conf/none", "conf/ours", "conf/mkhomedir", "conf/exec", arrival, "passwd"};
	static const char *const directories[] = {
		"conf", "home", "spool/new", "spool/seen", "spool"};

	umount("/etc/passwd");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlink(path(files[i]));
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		rmdir(path(directories[i]));
	rmdir(work);
}

int main(int argc, char **argv)
{
	int rounds = argc == 3 && strcmp(argv[2], "--short") == 0 ? 1000 : 5000;
	double *values[SERVICES];

	if (argc < 2 || argv[1][0] != '/') {
		fprintf(stderr,
			"usage: pam_open_session /ABSOLUTE/PATH/pam_cloudinvite.so [--short]\n");
		return 2;
	}
	for (int s = 0; s < SERVICES; s++) {
		values[s] = calloc((size_t)rounds, sizeof(double));
		if (!values[s])
			die("calloc");
	}
	prepare(argv[1]);
	measure_returning(rounds, values);
	measure_whole(rounds / 5, values);
	measure_first(rounds, values);
	clean_up();
	for (int s = 0; s < SERVICES; s++)
		free(values[s]);
	return 0;
}
