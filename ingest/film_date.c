/* film_date.c - when a film was made: its container says, else its name, else the file's mtime. */
#include "ingest/jobs.h"

#include <string.h>
#include <time.h>

static int digits(const char *s, int n)
{
    int x = 0;
    for (int i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9') return -1;
        x = 10 * x + (s[i] - '0');
    }
    return x;
}

/* 20190712, 2019-07-12, 2019_07_12, each maybe followed by a separator and 181530 or 18-15-30, as cameras and
 * phones name their files, and people what they had digitised. Local time, as cameras mean it. 1; 0: none. */
static int date_at(int64_t *date, const char *s)
{
    int wide = s[4] == '-' || s[4] == '_' || s[4] == '.';
    int year = digits(s, 4), month = digits(s + 4 + wide, 2), day = -1;
    if (year < 1900 || year > 2100 || month < 1 || month > 12 || (wide && s[7] != s[4])) return 0;
    day = digits(s + 6 + 2 * wide, 2);
    if (day < 1 || day > 31) return 0;
    const char *t = s + 8 + 2 * wide;
    if (*t >= '0' && *t <= '9') return 0; /* a longer number is no date */
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = 12, .tm_isdst = -1};
    if (*t && strchr("_- T.", *t)) {
        int apart = digits(t + 1, 2) >= 0 && t[3] && strchr("-_.:", t[3]) != NULL;
        int hour = digits(t + 1, 2), minute = hour < 0 ? -1 : digits(t + 3 + apart, 2);
        int second = minute < 0 ? -1 : digits(t + 5 + 2 * apart, 2);
        if (hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 61)
            tm.tm_hour = hour, tm.tm_min = minute, tm.tm_sec = second;
    }
    *date = (int64_t)mktime(&tm);
    return tm.tm_mday == day; /* 31 February is none */
}

int64_t ks_film_date(int *source, int64_t created, const char *path, int64_t mtime_ns)
{
    const char *name = strrchr(path, '/');
    *source = 2;
    if (created > 0) return created;
    *source = 1;
    name = name ? name + 1 : path;
    for (const char *s = name; strlen(s) >= 8; s++) {
        if (s > name && s[-1] >= '0' && s[-1] <= '9') continue;
        int64_t when;
        if (date_at(&when, s)) return when;
    }
    *source = 0;
    return mtime_ns / 1000000000;
}
