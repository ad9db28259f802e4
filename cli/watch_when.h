/* watch_when.h - whether this is a time to work: hours of the day, and power from the wall. */
#ifndef KS_WATCH_WHEN_H
#define KS_WATCH_WHEN_H

#include "ks.h"

typedef struct {
    int from, to; /* minutes of the day, local; equal: always. from > to: over midnight */
} ks_hours;

int ks_hours_read(ks_hours *h, const char *text, ks_error *e); /* "22:00-07:00"; KS_EUSAGE */
/* 1: minute (0..1439) lies within, `to` itself does not */
int ks_hours_hold(const ks_hours *h, int minute);
int ks_minute_now(void);
/* 1: from the wall, or nobody says otherwise. folder: /sys/class/power_supply */
int ks_on_mains(const char *folder);

#endif
