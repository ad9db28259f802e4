/* The protocol: what goes through whole, and what is refused. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "decoder/wire.h"

static int pair[2];

static void setup(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void teardown(void)
{
    if (pair[0] >= 0) close(pair[0]);
    close(pair[1]);
}

START_TEST(test_every_type_goes_through)
{
    ks_message a, b;
    int fds[KS_WIRE_FDS];
    for (int type = KS_MSG_JOB; type <= KS_MSG_END; type++) {
        ks_wire_begin(&a, (ks_msg_type)type);
        memset(&a.u, 0x33, a.bytes);
        ck_assert_int_eq(ks_wire_send(pair[0], &a, NULL, 0, 0), 1);
        ck_assert_int_eq(ks_wire_recv(pair[1], &b, fds, 1000), 1);
        ck_assert_int_eq(b.type, type);
        ck_assert_mem_eq(&a, &b, KS_WIRE_HEAD + a.bytes);
        ck_assert_int_eq(fds[0], -1);
    }
}
END_TEST

START_TEST(test_descriptors_go_along)
{
    ks_message m;
    int fds[KS_WIRE_FDS], own[2] = {open("/dev/null", O_RDONLY), open("/dev/null", O_RDONLY)};
    ks_wire_begin(&m, KS_MSG_JOB);
    ck_assert_int_eq(ks_wire_send(pair[0], &m, own, 2, 0), 1);
    ck_assert_int_eq(ks_wire_recv(pair[1], &m, fds, 1000), 1);
    ck_assert_int_ge(fds[0], 0);
    ck_assert_int_ge(fds[1], 0);
    ck_assert_int_eq(fds[2], -1);
    ck_assert_int_ne(fcntl(fds[0], F_GETFD) & FD_CLOEXEC, 0);
    for (int i = 0; i < 2; i++) close(fds[i]), close(own[i]);
}
END_TEST

START_TEST(test_ends_and_silence)
{
    ks_message m;
    ck_assert_int_eq(ks_wire_recv(pair[1], &m, NULL, 1), KS_ENOTFOUND);
    send(pair[0], "abc", 3, 0);
    ck_assert_int_eq(ks_wire_recv(pair[1], &m, NULL, 1000), KS_EFORMAT);
    ks_wire_begin(&m, KS_MSG_TICK);
    m.bytes--;
    ck_assert_int_eq(ks_wire_send(pair[0], &m, NULL, 0, 0), 1);
    ck_assert_int_eq(ks_wire_recv(pair[1], &m, NULL, 1000), KS_EFORMAT);
    shutdown(pair[0], SHUT_RDWR);
    ck_assert_int_eq(ks_wire_recv(pair[1], &m, NULL, 1000), 0);
    ck_assert_int_lt(ks_wire_send(pair[1], &m, NULL, 0, 0), 0);
}
END_TEST

/* Who ends while something for him lies unread resets the connection; what he said stands. */
START_TEST(test_what_was_said_before_an_end_comes)
{
    ks_message m;
    ks_wire_begin(&m, KS_MSG_ACK);
    ck_assert_int_eq(ks_wire_send(pair[1], &m, NULL, 0, 0), 1);
    for (int i = 1; i <= 2; i++) {
        ks_wire_begin(&m, KS_MSG_TICK);
        m.u.number = i;
        ck_assert_int_eq(ks_wire_send(pair[0], &m, NULL, 0, 0), 1);
    }
    close(pair[0]);
    for (int i = 1; i <= 2; i++) {
        ck_assert_int_eq(ks_wire_recv(pair[1], &m, NULL, 1000), 1);
        ck_assert_int_eq(m.u.number, i);
    }
    ck_assert_int_eq(ks_wire_recv(pair[1], &m, NULL, 1000), 0);
    pair[0] = -1;
}
END_TEST

static ks_message header(void)
{
    ks_message m;
    ks_wire_begin(&m, KS_MSG_MEDIA);
    m.u.media = (ks_wire_media){.tb_num = 1,
                                .tb_den = 12800,
                                .width = 1920,
                                .height = 1080,
                                .sar_num = 1,
                                .sar_den = 1,
                                .fps = 25};
    return m;
}

/* Each field of the header, out of its range by the least there is. */
START_TEST(test_header_fields)
{
    ks_message good = header(), m;
    ks_wire_state s;
    ks_error e;
    ks_wire_start(&s);
    ck_assert_int_eq(ks_wire_accept(&s, &good, &e), 0);
    for (int i = 0; i < 21; i++) {
        m = good;
        switch (i) {
        case 0: m.u.media.tb_num = 0; break;
        case 1: m.u.media.tb_den = -1; break;
        case 2: m.u.media.width = 0; break;
        case 3: m.u.media.height = 65536; break;
        case 4: m.u.media.width = m.u.media.height = 6477; break; /* 41,951,529 > 40 Mi */
        case 5: m.u.media.sar_num = 0; break;
        case 6: m.u.media.sar_den = 0; break;
        case 7: m.u.media.rotation = 45; break;
        case 8: m.u.media.rotation = 360; break;
        case 9: m.u.media.rotation = 2000; break;
        case 10: m.u.media.duration = -1; break;
        case 11: m.u.media.fps = -1; break;
        case 12: m.u.media.fps = 0.0 / 0.0; break;
        case 13: m.u.media.created = INT64_MAX; break;
        case 14: memset(m.u.media.codec, 'x', sizeof m.u.media.codec); break;
        case 16: memset(m.u.media.timecode, '1', sizeof m.u.media.timecode); break;
        case 17: strcpy(m.u.media.timecode, "1:02:03:04"); break;
        case 18: strcpy(m.u.media.timecode, "01:02:03/04"); break;
        case 19: memset(m.u.media.reel, 'x', sizeof m.u.media.reel); break;
        case 20: m.u.media.created_source = 3; break;
        case 15: memset(m.u.media.container, 'x', sizeof m.u.media.container); break;
        }
        ks_wire_start(&s);
        ck_assert_msg(ks_wire_accept(&s, &m, &e) == KS_EFORMAT, "field %d", i);
    }
}
END_TEST

START_TEST(test_text_is_made_printable)
{
    char out[8];
    ks_wire_text(out, sizeof out, "a\033[2J\n\x80zzzz", 20);
    ck_assert_str_eq(out, "a?[2J??");
    ks_wire_text(out, sizeof out, "abc", 2);
    ck_assert_str_eq(out, "ab");
}
END_TEST

/* A job that was taken over says of a file of 100 GB that it is being read, and never gives a
 * frame. */
START_TEST(test_a_lie_has_an_end)
{
    ks_wire_watch w;
    ks_message tick, got;
    ks_wire_watch_start(&w, 1, (int64_t)100 << 30);
    /* 14 hours, for as long as a slow disk may take */
    ck_assert_int_le(w.alone_most, (int64_t)15 * 3600 * 1000);
    ck_assert_int_ge(w.alone_most, (int64_t)13 * 3600 * 1000);
    w.alone_most = 300;
    int r = 1, said = 0;
    for (int64_t n = 1; r == 1 && n < 1000; n++) {
        ks_wire_begin(&tick, KS_MSG_TICK);
        tick.u.number = n * 100000;
        ck_assert_int_eq(ks_wire_send(pair[1], &tick, NULL, 0, 0), 1);
        r = ks_wire_wait(pair[0], &got, &w);
        said += r == 1;
        if (n % 10 == 0 && r == 1) { /* a wait of ours that ends by a word of its */
            if (fork() == 0) {
                usleep(20000);
                tick.u.number += 1000;
                ks_wire_send(pair[1], &tick, NULL, 0, 0);
                _exit(0);
            }
            r = ks_wire_wait(pair[0], &got, &w);
        }
    }
    ck_assert_int_ne(r, 1);
    ck_assert_int_ge(said, 10);
    while (wait(NULL) > 0) {}
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wire");
    TCase *t = tcase_create("messages");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_every_type_goes_through);
    tcase_add_test(t, test_descriptors_go_along);
    tcase_add_test(t, test_ends_and_silence);
    tcase_add_test(t, test_what_was_said_before_an_end_comes);
    tcase_add_test(t, test_header_fields);
    tcase_add_test(t, test_text_is_made_printable);
    tcase_add_test(t, test_a_lie_has_an_end);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
