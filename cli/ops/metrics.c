/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics [--format openmetrics|text]: the metrics for Prometheus. The dispatcher writes the same
 * to the file that metrics_file names.
 */
#include "base/strbuf.h"
#include "metrics/metrics.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/ops/ops.h"

#define PAGE_MAX ((size_t)256 * 1024)

static bool parse_format(const char *word, enum metrics_format *out)
{
	if (strcmp(word, "openmetrics") == 0)
		*out = METRICS_OPENMETRICS;
	else if (strcmp(word, "text") == 0)
		*out = METRICS_TEXT;
	else
		return false;
	return true;
}

static int parse(const struct cli *cli, int argc, char **argv, enum metrics_format *format)
{
	static const struct option options[] = {
		{"format", required_argument, NULL, 'f'},
		{NULL, 0, NULL, 0},
	};
	struct fault fault;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return cli_usage(cli);
		if (!parse_format(optarg, format)) {
			fault_set(&fault, FAULT_USAGE, "bad_value", "--format: unknown format '%s'",
				optarg);
			fault_remedy(&fault, "Use one of openmetrics, text.");
			return cli_fail(&fault);
		}
	}
	return optind < argc ? cli_usage(cli) : EXIT_OK;
}

int verb_metrics(const struct cli *cli, int argc, char **argv)
{
	enum metrics_format format = METRICS_OPENMETRICS;
	struct strbuf page = {.max = PAGE_MAX};
	struct fault fault = {.kind = FAULT_NONE};
	struct store store;
	int exit_code = parse(cli, argc, argv, &format);

	if (exit_code != EXIT_OK || !cli_open_store(cli, LEDGER_READ, &store, &exit_code))
		return exit_code;
	if (metrics_write(store.ledger, store.settings, format, &page, &fault))
		fwrite(page.data, 1, page.len, stdout);
	else
		exit_code = cli_fail(&fault);
	strbuf_free(&page);
	cli_close_store(&store);
	return exit_code;
}
