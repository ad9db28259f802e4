/* terminal_picture.c - small pictures in terminals: kitty's protocol and DEC sixels. */
#include "cli/terminal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 20 }; /* pixels a text line: usual cell heights are 16 to 24 */

/* kitty graphics protocol: raw RGB (f=24) in base64 pieces of at most 4096 bytes. */
static void kitty(FILE *f, const ks_image *im, int rows)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int64_t pixels = (int64_t)im->width * im->height, sent = 0;

    while (sent < pixels) { /* a pixel is three bytes: exactly four digits */
        int n = pixels - sent > 1024 ? 1024 : (int)(pixels - sent);
        if (sent == 0)
            fprintf(f, "\033_Ga=T,f=24,s=%d,v=%d,r=%d,q=2,m=%d;", im->width, im->height, rows,
                    sent + n < pixels);
        else fprintf(f, "\033_Gm=%d;", sent + n < pixels);
        for (int i = 0; i < n; i++, sent++) {
            const uint8_t *p = im->rgb + (size_t)(sent / im->width) * im->stride +
                               (size_t)(sent % im->width) * 3;
            unsigned v = (unsigned)p[0] << 16 | (unsigned)p[1] << 8 | p[2];
            putc(digits[v >> 18], f);
            putc(digits[v >> 12 & 63], f);
            putc(digits[v >> 6 & 63], f);
            putc(digits[v & 63], f);
        }
        fputs("\033\\", f);
    }
    putc('\n', f);
}

/* 6 levels a channel, ordered dither 4 x 4. */
static int colour_at(const ks_image *im, int x, int y, int height, int width)
{
    static const int dither[4][4] = {{0, 8, 2, 10}, {12, 4, 14, 6}, {3, 11, 1, 9}, {15, 7, 13, 5}};
    const uint8_t *p = im->rgb + (size_t)(y * im->height / height) * im->stride +
                       (size_t)(x * im->width / width) * 3;
    int c = 0;

    for (int i = 0; i < 3; i++) {
        int level = (p[i] * 5 * 16 + dither[y & 3][x & 3] * 255) / (255 * 16);
        c = c * 6 + (level > 5 ? 5 : level);
    }
    return c;
}

static void sixel_run(FILE *f, int bits, int n)
{
    if (n > 3) {
        fprintf(f, "!%d%c", n, 63 + bits);
        return;
    }
    while (n-- > 0) putc(63 + bits, f);
}

static void sixel(FILE *f, const ks_image *im, int rows)
{
    int height = rows * LINE, width = im->width * height / (im->height ? im->height : 1);
    unsigned char *map = malloc((size_t)(width + 1) * 6);

    if (!map || width < 1) {
        free(map);
        return;
    }
    fprintf(f, "\033Pq\"1;1;%d;%d", width, height);
    for (int c = 0; c < 216; c++)
        fprintf(f, "#%d;2;%d;%d;%d", c, c / 36 * 20, c / 6 % 6 * 20, c % 6 * 20);
    for (int y = 0; y < height; y += 6) {
        char used[216] = {0};
        for (int x = 0; x < width; x++)
            for (int r = 0; r < 6; r++) {
                int c = y + r < height ? colour_at(im, x, y + r, height, width) : 255;
                map[x * 6 + r] = (unsigned char)c;
                if (c < 216) used[c] = 1;
            }
        for (int c = 0; c < 216; c++) {
            int run = 0, last = -1;
            if (!used[c]) continue;
            fprintf(f, "#%d", c);
            for (int x = 0; x < width; x++) {
                int bits = 0;
                for (int r = 0; r < 6; r++) bits |= (map[x * 6 + r] == c) << r;
                if (bits != last && run) {
                    sixel_run(f, last, run);
                    run = 0;
                }
                last = bits;
                run++;
            }
            sixel_run(f, last, run);
            putc('$', f);
        }
        putc('-', f);
    }
    fputs("\033\\\n", f);
    free(map);
}

void ks_show_picture(FILE *f, ks_pictures how, const ks_image *image, int rows)
{
    assert(f && image && image->rgb && rows > 0);
    if (how == KS_PICTURES_KITTY) kitty(f, image, rows);
    else if (how == KS_PICTURES_SIXEL) sixel(f, image, rows);
}
