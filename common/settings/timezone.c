/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time zones of the tz database, without the caller's environment.
 */
#include "settings/timezone.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"

#define ZONES	  "/usr/share/zoneinfo/"
#define HOST_ZONE "/etc/localtime"
#define DAY	  INT64_C(86400)

static char zone_variable[sizeof("TZ=:") + TIMEZONE_MAX];
static char *zone_environ[] = {zone_variable, NULL};

/* libc silently uses UTC for an unknown zone, so the zone's file is looked for. */
bool timezone_known(const char *zone)
{
	char path[sizeof(ZONES) + TIMEZONE_MAX], magic[4] = "";
	int fd;

	if (strcmp(zone, "UTC") == 0)
		return true;
	for (const char *p = zone; *p != '\0'; p++)
		if (!ascii_is_alnum(*p) && !strchr("_+-/", *p))
			return false;
	if (zone[0] == '/' || strlen(zone) >= TIMEZONE_MAX ||
		!str_format(path, sizeof(path), ZONES "%s", zone))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool known = fd >= 0 && read(fd, magic, 4) == 4 && memcmp(magic, "TZif", 4) == 0;
	file_close(&fd);
	return known;
}

char **timezone_enter(const char *zone)
{
	char **saved = environ;

	str_format(zone_variable, sizeof(zone_variable), "TZ=%s%s",
		strcmp(zone, "UTC") == 0 ? "" : ":", zone[0] != '\0' ? zone : HOST_ZONE);
	environ = zone_environ;
	tzset();
	return saved;
}

void timezone_leave(char **saved)
{
	environ = saved;
	tzset();
}

/* mktime finds the right second on days that have 23 or 25 hours. */
int64_t timezone_midnight(const char *zone, int64_t wall, int days)
{
	char **saved = timezone_enter(zone);
	int64_t midnight = clock_day_start(wall) + days * DAY;
	time_t t = (time_t)wall;
	struct tm tm;

	if (localtime_r(&t, &tm)) {
		tm.tm_mday += days;
		tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
		tm.tm_isdst = -1;
		midnight = (int64_t)mktime(&tm);
	}
	timezone_leave(saved);
	return midnight;
}
