/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report [--output FILE] [--mode MODE] [--weeks N] [--people]
 *
 * A child that has become the service's account reads the ledger. The user who asked writes the
 * file, where the service has no rights. A file without a name passes the page between them.
 */
#include "cli/report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "cli/common/run_as.h"

#define HEAD_MAX 512 /* bytes at the start of a page that identify it */

struct request {
	const struct cli *cli;
	const char *output; /* NULL: standard output */
	mode_t mode;
	int weeks;
	bool names;
	int page; /* to which the child writes it */
};

/* ---- the child: from the ledger to a page ---- */

static bool make(const struct request *request, const struct store *store, struct strbuf *page,
	struct fault *fault)
{
	struct report *r = calloc(1, sizeof(*r));
	struct progress progress;
	bool good;

	if (!r)
		return fault_no_memory(fault, FAULT_STORAGE);
	r->names = request->names;
	r->week_count = request->weeks;
	progress_start(&progress, request->cli);
	good = report_read(store, r, &progress, fault) && report_page(r, page, fault);
	progress_end(&progress);
	free(r);
	return good;
}

static int act(void *ctx)
{
	const struct request *request = ctx;
	struct fault fault = {.kind = FAULT_NONE};
	struct strbuf page = {.max = REPORT_MAX};
	struct store store;
	int exit_code;

	if (!cli_open_store(request->cli, LEDGER_READ, &store, &exit_code))
		return exit_code;
	if (make(request, &store, &page, &fault) &&
		file_write_all(request->page, page.data, page.len) != 0)
		fault_set(&fault, FAULT_STORAGE, "no_room", "the page cannot be written: %s",
			strerror(errno));
	exit_code = fault.kind != FAULT_NONE ? cli_fail(&fault) : EXIT_OK;
	strbuf_free(&page);
	cli_close_store(&store);
	return exit_code;
}

/* ---- the output ---- */

/* Only a page that was made by this command is replaced. */
static bool may_replace(const char *path, struct fault *fault)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char head[HEAD_MAX + 1] = "";
	struct stat st;
	bool ours;

	if (fd < 0 && errno == ENOENT)
		return true;
	ours = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       read(fd, head, HEAD_MAX) >= 0 && strstr(head, REPORT_GENERATOR);
	file_close(&fd);
	if (ours)
		return true;
	fault_set(fault, FAULT_USAGE, "would_replace",
		"%s: a file that is not a report would be overwritten", path);
	return fault_remedy(fault, "Name another file with --output, or move this one away.");
}

static bool put(const struct request *request, const struct strbuf *page, struct fault *fault)
{
	int error;

	if (file_replace(request->output, page->data, page->len, request->mode) == 0)
		return true;
	error = errno;
	fault_set(fault, FAULT_STORAGE, "not_written", "%s: cannot be written: %s", request->output,
		strerror(error));
	return fault_remedy(fault, error == ENOENT || error == ENOTDIR
					   ? "Create the directory first, or name another file."
					   : "Free some space there, or name a file in a directory "
					     "that you can write to.");
}

static bool print(const struct strbuf *page, struct fault *fault)
{
	if (file_write_all(STDOUT_FILENO, page->data, page->len) == 0)
		return true;
	return fault_set(
		fault, FAULT_STORAGE, "output", "the page cannot be written: %s", strerror(errno));
}

/* The child's account may be hostile, and may still have its file open, so only this many bytes are
 * read. */
static bool take(int fd, struct strbuf *page, struct fault *fault)
{
	char bytes[16384];
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) != 0)
		return fault_set(fault, FAULT_STORAGE, "page", "%s", strerror(errno));
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		if (!strbuf_add_bytes(page, bytes, (size_t)n))
			return fault_no_memory(fault, FAULT_STORAGE);
	return n == 0 && page->len > 0
		       ? true
		       : fault_set(fault, FAULT_STORAGE, "page", "no page was written");
}

static int report(struct request *request)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct strbuf page = {.max = REPORT_MAX};
	int exit_code;

	if (request->output && !may_replace(request->output, &fault))
		return cli_fail(&fault);
	request->page = memfd_create("report", MFD_CLOEXEC);
	if (request->page < 0) {
		fault_set(&fault, FAULT_STORAGE, "page", "out of memory for the page: %s",
			strerror(errno));
		return cli_fail(&fault);
	}
	exit_code = run_in_child(act, request);
	if (exit_code == EXIT_OK &&
		(!take(request->page, &page, &fault) ||
			!(request->output ? put(request, &page, &fault) : print(&page, &fault))))
		exit_code = cli_fail(&fault);
	strbuf_free(&page);
	file_close(&request->page);
	return exit_code;
}

/* ---- the command line ---- */

static int refuse(const char *what, const char *remedy)
{
	struct fault fault;

	fault_set(&fault, FAULT_USAGE, "bad_value", "%s", what);
	fault_remedy(&fault, "%s", remedy);
	return cli_fail(&fault);
}

/* Octal. A page is not executable, and its owner must be able to read it. */
static bool parse_mode(struct request *request, const char *typed)
{
	char *end;
	long mode = strtol(typed, &end, 8);

	if (!ascii_is_digit(typed[0]) || *end != '\0' || (mode & ~0666L) != 0 || (mode & 0400) == 0)
		return false;
	request->mode = (mode_t)mode;
	return true;
}

static bool parse_weeks(struct request *request, const char *typed)
{
	long long weeks;

	if (!str_number(typed, 1, REPORT_WEEKS_MAX, &weeks))
		return false;
	request->weeks = (int)weeks;
	return true;
}

static int parse(const struct cli *cli, struct request *request, int argc, char **argv)
{
	static const struct option options[] = {
		{"output", required_argument, NULL, 'o'},
		{"mode", required_argument, NULL, 'm'},
		{"weeks", required_argument, NULL, 'w'},
		{"people", no_argument, NULL, 'p'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'o' && strcmp(optarg, "-") != 0)
			request->output = optarg;
		else if (option == 'm' && !parse_mode(request, optarg))
			return refuse("--mode: is not a file mode",
				"Use an octal number such as 600, 640 or 644.");
		else if (option == 'w' && !parse_weeks(request, optarg))
			return refuse(
				"--weeks: is not a number of weeks", "Use a number from 1 to 53.");
		else if (option == 'p')
			request->names = true;
		else if (option == '?')
			return cli_usage(cli);
	}
	return optind < argc ? cli_usage(cli) : EXIT_OK;
}

int verb_report(const struct cli *cli, int argc, char **argv)
{
	struct request request = {.cli = cli, .mode = 0600, .weeks = REPORT_WEEKS};
	int exit_code = parse(cli, &request, argc, argv);

	if (exit_code != EXIT_OK)
		return exit_code;
	if (!request.output && isatty(STDOUT_FILENO) == 1)
		return refuse("the report is an HTML page, and standard output is a terminal",
			"Write it to a file: cloudinvite report --output report.html");
	return report(&request);
}
