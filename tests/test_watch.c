/* When `watch` may work: hours of the day, power from the wall. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/watch_when.h"
#include "tests/library_maker.h"
#include "tests/suite.h"

static char folder[64];

static void begin(void) { lib_new_dir(folder); }

static void end(void)
{
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

/* Every pair of quarters of an hour, every minute of the day, against counting the minutes off. */
START_TEST(hours_hold_from_one_to_the_other)
{
    int wrong = 0;
    for (int from = 0; from < 1440; from += 15)
        for (int to = 0; to < 1440; to += 15) {
            char within[1440];
            ks_hours h = {from, to};
            memset(within, from == to, sizeof within);
            for (int m = from; m != to; m = (m + 1) % 1440) within[m] = 1;
            for (int m = 0; m < 1440; m++) wrong += ks_hours_hold(&h, m) != within[m];
        }
    ck_assert_int_eq(wrong, 0);
}
END_TEST

START_TEST(hours_are_read)
{
    static const char *const bad[] = {"",
                                      "22",
                                      "22:00",
                                      "22:00-",
                                      "22:00-25:00",
                                      "22:60-23:00",
                                      "-1:00-02:00",
                                      "22:00-07:00x",
                                      "24:01-01:00"};
    ks_hours h;
    ks_error e;
    ck_assert(ks_hours_read(&h, "22:00-07:30", &e) == 0 && h.from == 1320 && h.to == 450);
    ck_assert(ks_hours_read(&h, "0:00-24:00", &e) == 0 && h.from == 0 && h.to == 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(ks_hours_read(&h, bad[i], &e), KS_EUSAGE);
}
END_TEST

static void supply(const char *name, const char *file, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s", folder, name, file);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "%s\n", text);
    fclose(f);
}

START_TEST(a_machine_is_on_mains_or_not)
{
    ck_assert_int_eq(ks_on_mains("/nowhere"), 1);
    ck_assert_int_eq(ks_on_mains(folder), 1); /* a desktop */
    supply("AC", "type", "Mains");
    supply("AC", "online", "1");
    supply("BAT0", "type", "Battery");
    supply("BAT0", "status", "Charging");
    ck_assert_int_eq(ks_on_mains(folder), 1);
    supply("AC", "online", "0");
    supply("BAT0", "status", "Discharging");
    ck_assert_int_eq(ks_on_mains(folder), 0);
    supply("usb", "type", "USB");
    supply("usb", "online", "1"); /* fed by another plug, however slowly */
    ck_assert_int_eq(ks_on_mains(folder), 1);
    supply("usb", "online", "0");
    supply("BAT0", "scope", "Device"); /* it is a mouse's */
    ck_assert_int_eq(ks_on_mains(folder), 1);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("when");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, hours_hold_from_one_to_the_other);
    tcase_add_test(t, hours_are_read);
    tcase_add_test(t, a_machine_is_on_mains_or_not);
    return ks_run_case("watch", t);
}
