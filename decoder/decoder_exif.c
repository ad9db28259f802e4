/* decoder_exif.c - the date of a photograph whose reader hands Exif over as bytes (HEIC, animated
 * WebP); where libav decodes the picture it has read them itself. */
#include <string.h>

#include "decoder/decoder_pictures.h"

/* Tags of Exif 2.32. (DateTime of the first list is when the file was last changed.) */
enum {
    EXIF_LIST = 0x8769,
    DATE_ORIGINAL = 0x9003,
    DATE_DIGITISED = 0x9004,
    ZONE_ORIGINAL = 0x9011
};

typedef struct {
    const uint8_t *at; /* "II*\0" or "MM\0*": offsets count from here */
    size_t n;
    int big; /* the first byte is the highest */
} tiff;

static uint32_t number(const tiff *t, size_t at, int bytes)
{
    uint32_t v = 0;
    for (int i = 0; i < bytes; i++)
        v |= (uint32_t)t->at[at + (size_t)i] << 8 * (t->big ? bytes - 1 - i : i);
    return v;
}

/* Where entry `tag` of the list at `list` stands; 0: nowhere. Twelve bytes: tag, type, count,
 * value or its offset. */
static size_t entry(const tiff *t, size_t list, uint32_t tag)
{
    if (list < 8 || list > t->n || t->n - list < 2) return 0;
    size_t count = number(t, list, 2);
    for (size_t i = 0, at = list + 2; i < count && t->n - at >= 12; i++, at += 12)
        if (number(t, at, 2) == tag) return at;
    return 0;
}

static void take_text(AVDictionary **to, const char *name, const tiff *t, size_t list, uint32_t tag)
{
    enum { ASCII = 2, MOST = 40 };
    char text[MOST + 1] = "";
    size_t e = entry(t, list, tag);
    if (!e || number(t, e + 2, 2) != ASCII) return;
    size_t n = number(t, e + 4, 4), from = n <= 4 ? e + 8 : number(t, e + 8, 4);
    if (n > MOST || from > t->n || t->n - from < n) return;
    memcpy(text, t->at + from, n); /* of n bytes the last is zero, and where it is not ours is */
    if (text[0] && strchr("0123456789+-", text[0])) av_dict_set(to, name, text, 0);
}

void ks_exif_dates(AVDictionary **to, const uint8_t *bytes, size_t n)
{
    tiff t = {bytes, n, 0};
    if (n < 8 || (memcmp(bytes, "II*\0", 4) != 0 && memcmp(bytes, "MM\0*", 4) != 0)) return;
    t.big = bytes[0] == 'M';
    size_t e = entry(&t, number(&t, 4, 4), EXIF_LIST);
    if (!e) return;
    size_t list = number(&t, e + 8, 4);
    take_text(to, "DateTimeOriginal", &t, list, DATE_ORIGINAL);
    if (!av_dict_get(*to, "DateTimeOriginal", NULL, 0))
        take_text(to, "DateTimeOriginal", &t, list, DATE_DIGITISED);
    take_text(to, "OffsetTimeOriginal", &t, list, ZONE_ORIGINAL);
}
