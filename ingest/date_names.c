/* date_names.c - dates in the names of films, as cameras, phones, drones, dashcams, recorders
 * and programs write them.
 *
 * A day and its hour in digits, whatever stands between them, in the local time of who filmed;
 * who writes UTC or counts seconds is in a table. Facts of the makers' own files and manuals. */
#include "ingest/jobs.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>

typedef struct {
    struct tm tm;            /* tm_year as written */
    int has_hour, utc, east; /* utc: in a zone `east` seconds east of Greenwich */
} named;

/* Names whose time is UTC though they do not say so. */
static const char *const utc_names[] = {"PXL_", /* Google Pixel */
                                        "GMT",  /* Zoom's recordings */
                                        NULL};
/* Milliseconds since 1970. */
static const char *const counting_names[] = {"mmexport", "wx_camera_", /* WeChat */
                                             "FB_VID_",                /* Facebook Messenger */
                                             "LINE_MOVIE_",            /* Line */
                                             NULL};

static int digits(const char *s, int n)
{
    int x = 0;
    for (int i = 0; i < n; i++) {
        if (!isdigit((unsigned char)s[i])) return -1;
        x = 10 * x + (s[i] - '0');
    }
    return x;
}

static int is_day(const struct tm *t, int first_year)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int leap = t->tm_year % 4 == 0 && (t->tm_year % 100 != 0 || t->tm_year % 400 == 0);
    if (t->tm_year < first_year || t->tm_year > 2100 || t->tm_mon < 1 || t->tm_mon > 12 ||
        t->tm_mday < 1)
        return 0;
    return t->tm_mday <= days[t->tm_mon - 1] - (t->tm_mon == 2 && !leap);
}

/* 20190712, 2019-07-12, 2019_07_12, 2019.07.12, 2019_0712 (Viofo): how many characters; 0: no
 * day. */
static int day_at(struct tm *t, const char *s)
{
    int wide = s[4] == '-' || s[4] == '_' || s[4] == '.', both;
    t->tm_year = digits(s, 4);
    if (t->tm_year < 0 || !s[4]) return 0;
    t->tm_mon = digits(s + 4 + wide, 2);
    if (t->tm_mon < 0) return 0;
    both = wide && s[7] == s[4];
    if (wide && !both && (s[4] != '_' || !isdigit((unsigned char)s[7]))) return 0;
    t->tm_mday = digits(s + 6 + wide + both, 2);
    int n = 8 + wide + both;
    if (wide && !both && !strchr("_-", s[n])) return 0; /* 2019_0712 comes with its hour only */
    return is_day(t, 1900) ? n : 0;
}

/* 190712_181530 (Nextbase): only at the beginning of a name and with an hour. */
static int short_day_at(struct tm *t, const char *s)
{
    t->tm_year = digits(s, 2);
    t->tm_mon = t->tm_year < 0 ? -1 : digits(s + 2, 2);
    t->tm_mday = t->tm_mon < 0 ? -1 : digits(s + 4, 2);
    if (t->tm_mday < 0 || s[6] != '_' || digits(s + 7, 6) < 0 || isdigit((unsigned char)s[13]))
        return 0;
    t->tm_year += 2000;
    return t->tm_year >= 2005 && is_day(t, 2005) ? 6 : 0;
}

/* What may stand between a day and its hour; -1: nothing that does. */
static int between(const char *s)
{
    static const char *const words[] = {" at ", " - ", ", ", "--", "__", NULL};
    for (const char *const *w = words; *w; w++)
        if (!strncmp(s, *w, strlen(*w)) && isdigit((unsigned char)s[strlen(*w)]))
            return (int)strlen(*w);
    return *s && strchr("_- T.", *s) ? 1 : -1;
}

/* "+0200", "Z", "UTC", " GMT-7" behind an hour. A minus is a zone only where no counter could be
 * meant. */
static void zone_at(named *d, const char *s)
{
    int sign, h, m = 0, gmt = !strncmp(s, " GMT", 4);
    if (gmt) s += 4;
    if (!gmt && ((*s == 'Z' && !isalnum((unsigned char)s[1])) || !strncmp(s, "UTC", 3))) d->utc = 1;
    sign = *s == '-' ? -1 : *s == '+' ? 1 : 0;
    if (gmt && !sign) d->utc = 1;
    if (!sign) return;
    h = digits(s + 1, 2);
    if (gmt && h < 0) h = digits(s + 1, 1);
    else if (h >= 0) m = digits(s + 3 + (strchr(":_", s[3]) && s[3]), 2);
    if (!gmt && (m < 0 || isdigit((unsigned char)s[5]) || m % 15 || (sign < 0 && (m || h < 2))))
        return;
    if (h < 0 || h > 14) return;
    d->utc = 1;
    d->east = sign * (3600 * h + 60 * (m > 0 ? m : 0));
}

/* 181530, 18-15-30, 18.15.30, 6.15.30 PM, 1815, 18-15 */
static void hour_at(named *d, const char *s)
{
    int n = isdigit((unsigned char)s[0]) && !isdigit((unsigned char)s[1]) ? 1 : 2,
        hour = digits(s, n);
    int apart = hour >= 0 && s[n] &&
                (strchr("-_.:", s[n]) ||
                 (s[n] == ' ' && s[n + 3] == ' ' && digits(s + n + 4, 2) >= 0));
    int minute = hour < 0 || (n == 1 && !apart) ? -1 : digits(s + n + apart, 2), second = -1,
        used = n + apart + 2;
    if (minute < 0) return;
    if (!apart || (s[used] && strchr("-_.: ", s[used]))) second = digits(s + used + apart, 2);
    if (second > 60 && apart) second = -1;
    if (second >= 0) used += apart + 2;
    const char *t = s + used;
    while (isdigit((unsigned char)*t)) t++; /* milliseconds */
    if (*t == '.' && isdigit((unsigned char)t[1])) t += 1 + strspn(t + 1, "0123456789");
    const char *noon = t + (*t == ' ') + (strncmp(t, "\xe2\x80\xaf", 3) ? 0 : 3);
    int pm = !strncasecmp(noon, "PM", 2), am = !strncasecmp(noon, "AM", 2);
    if ((pm || am) && hour >= 1 && hour <= 12) hour = hour % 12 + 12 * pm;
    if (hour > 23 || minute > 59 || second > 60) return;
    d->tm.tm_hour = hour;
    d->tm.tm_min = minute;
    d->tm.tm_sec = second > 0 ? second : 0;
    d->has_hour = 1;
    zone_at(d, t);
}

static int named_at(named *d, const char *name, const char *s)
{
    memset(d, 0, sizeof *d);
    d->tm.tm_hour = 12;
    int n = day_at(&d->tm, s);
    if (!n && s == name) n = short_day_at(&d->tm, s);
    if (!n) return 0;
    int gap = isdigit((unsigned char)s[n]) ? 0 : between(s + n);
    /* a longer number is no date */
    if (gap == 0 && (n != 8 || digits(s + 8, 6) < 0 || isdigit((unsigned char)s[14]))) return 0;
    if (gap >= 0) hour_at(d, s + n + gap);
    if (gap == 0 && !d->has_hour) return 0;
    /* 1970 and 1980 with an hour: the clock of the camera was never set */
    return !(d->has_hour && (d->tm.tm_year == 1970 || d->tm.tm_year == 1980) && d->tm.tm_mon == 1 &&
             d->tm.tm_mday == 1);
}

static int64_t seconds_of(const named *d)
{
    struct tm tm = d->tm;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    tm.tm_isdst = -1;
    return d->utc ? (int64_t)timegm(&tm) - d->east : (int64_t)mktime(&tm);
}

static int begins(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (!strncmp(name, *list, strlen(*list))) return (int)strlen(*list);
    return 0;
}

/* MythTV's recordings: channel_20190712181530.ts, in UTC. */
static int is_mythtv(const char *name)
{
    size_t n = strspn(name, "0123456789");
    return n >= 4 && n <= 6 && name[n] == '_' && strspn(name + n + 1, "0123456789") == 14 &&
           name[n + 15] == '.' &&
           (!strcmp(name + n + 15, ".ts") || !strcmp(name + n + 15, ".mpg") ||
            !strcmp(name + n + 15, ".nuv"));
}

/* 1562955330123: of 2001 to 2100. */
static int counted(int64_t *when, const char *name)
{
    const char *s = name + begins(name, counting_names);
    int64_t ms = 0;
    if (strspn(s, "0123456789") != 13 || (s == name && s[13] != '.')) return 0;
    for (int i = 0; i < 13; i++) ms = 10 * ms + (s[i] - '0');
    *when = ms / 1000;
    return *when >= 978307200 && *when < 4102444800;
}

int ks_date_in_name(int64_t *when, const char *path)
{
    const char *name = strrchr(path, '/');
    named d, day = {0};
    int found = 0;
    name = name ? name + 1 : path;
    if (counted(when, name)) return 1;
    for (const char *s = name; strlen(s) >= 8 && !(found && day.has_hour); s++) {
        if ((s > name && isdigit((unsigned char)s[-1])) || !named_at(&d, name, s)) continue;
        if (!found || d.has_hour) day = d; /* a date with its hour says more than one without */
        found = 1;
    }
    if (!found) return 0;
    if (!day.utc && day.has_hour && (begins(name, utc_names) || is_mythtv(name))) day.utc = 1;
    *when = seconds_of(&day);
    return 1;
}
