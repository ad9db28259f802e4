/* times.c - seconds, dates and moments of a film as people write them. */
#include "session/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

/* seconds, 317 years: what is worked out from it stays inside int64 in microseconds */
static const double TIME_MAX = 1e10;

int ks_parse_seconds(double *seconds, const char *text)
{
    double total = 0, part;
    char *end;
    int colons = 0;

    for (;; text = end + 1) {
        /* strtod also takes blanks, signs, names and hexadecimal ones */
        if (((*text < '0' || *text > '9') && *text != '.') || strncasecmp(text, "0x", 2) == 0)
            return -1;
        part = strtod(text, &end);
        if (end == text || !isfinite(part)) return -1;
        if (*end == ':') {
            if (++colons > 2) return -1;
            total = (total + part) * 60;
            continue;
        }
        if (*end == 0) {
            *seconds = total + part;
            return *seconds <= TIME_MAX ? 0 : -1;
        }
        if (colons > 0 || (*end != 'h' && *end != 'm' && *end != 's')) return -1;
        total += part * (*end == 'h' ? 3600 : *end == 'm' ? 60 : 1);
        if (end[1] == 0) {
            *seconds = total;
            return *seconds <= TIME_MAX ? 0 : -1;
        }
    }
}

int ks_parse_date(int64_t *seconds, const char *text, int end)
{
    struct tm tm = {.tm_mday = 1, .tm_isdst = -1}, back;
    int year, month = 1, day = 1, hour = 0, minute = 0, used = 0, fields;
    time_t t;

    fields = sscanf(text, "%4d%n-%2d%n-%2d%n%*1[T ]%2d:%2d%n", &year, &used, &month, &used, &day,
                    &used, &hour, &minute, &used);
    if (fields < 1 || fields == 4 || text[used] != 0 || used < 4 || text[0] < '0' || text[0] > '9')
        return -1;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    tm.tm_mday = day;
    tm.tm_hour = hour;
    tm.tm_min = minute;
    back = tm;
    t = mktime(&back);
    /* 31 February */
    if (back.tm_mon != tm.tm_mon || back.tm_mday != tm.tm_mday || hour > 23 || minute > 59)
        return -1;
    if (end) {
        if (fields == 1) tm.tm_year++;
        else if (fields == 2) tm.tm_mon++;
        else if (fields == 3) tm.tm_mday++;
        else tm.tm_min++;
        t = mktime(&tm);
    }
    *seconds = (int64_t)t;
    return 0;
}

/* START, or START-END, behind an '@'. */
static int take_times(double *from, double *to, char *times)
{
    char *dash = strchr(times, '-');
    if (dash) *dash = 0;
    if (ks_parse_seconds(from, times) != 0 || (dash && ks_parse_seconds(to, dash + 1) != 0)) {
        if (dash) *dash = '-';
        return -1;
    }
    return 0;
}

int ks_split_times(char *file, double *from, double *to, const char *file_at, ks_error *e)
{
    memcpy(file, file_at, strlen(file_at) + 1);
    *from = 0;
    *to = -1;
    char *at = strrchr(file, '@');
    if (access(file, F_OK) == 0 || !at || at == file) return 0;
    *at = 0;
    if (access(file, F_OK) != 0) { /* neither is there: complain about the name as it was typed */
        *at = '@';
        return 0;
    }
    if (take_times(from, to, at + 1) != 0)
        return ks_fail(e, KS_EUSAGE, "%s: '%s' is no time (seconds or h:mm:ss.mmm, START-END)",
                       file_at, at + 1);
    if (*to >= 0 && *to <= *from)
        return ks_fail(e, KS_EUSAGE, "%s: the end is not after the start", file_at);
    return 0;
}
