/* sniff.c - a video is known by its first bytes or its extension (DESIGN 3.5); whether it holds
 * a picture is for the decoder to say. Playlists and scripts count as videos here so that the
 * decoder refuses them by name instead of their passing in silence. */
#include "ingest/ingest.h"
#include "ingest/scan.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    unsigned at, n;
    const char *bytes;
} magic;

static const magic films[] = {
    {0, 4, "\x1a\x45\xdf\xa3"}, /* Matroska, WebM */
    {8, 4, "AVI "},
    {8, 4, "AVIX"},
    {0, 3, "FLV"},
    {0, 4, "\0\0\1\xba"},
    {0, 4, "\0\0\1\xb3"}, /* MPEG program stream, MPEG-1/2 video */
    {0, 4, "\0\0\1\xb0"},
    {0, 4, "\0\0\1\xb6"}, /* MPEG-4 video */
    /* H.264 */
    {0, 5, "\0\0\0\1\x67"},
    {0, 5, "\0\0\0\1\x27"},
    {0, 5, "\0\0\0\1\x47"},
    {0, 5, "\0\0\0\1\x09"},
    {0, 4, "\0\0\1\x67"},
    {0, 6, "\0\0\0\1\x40\1"},
    {0, 6, "\0\0\0\1\x46\1"},
    {0, 6, "\0\0\0\1\x42\1"}, /* HEVC */
    {0, 4, "OggS"},
    {0, 4, "\x30\x26\xb2\x75"}, /* Ogg; ASF, WMV */
    {0, 4, ".RMF"},
    {0, 4, "\x06\x0e\x2b\x34"}, /* RealMedia; MXF */
    {0, 4, "\x1f\x07\0\0"},
    {0, 4, "\x1f\x07\0\xbf"}, /* DV */
    {0, 14, "nut/multimedia"},
    {0, 8, "\xb7\xd8\0\x20\x37\x49\xda\x11"}, /* NUT, WTV */
    {0, 9, "YUV4MPEG2"},
    {0, 4, "DKIF"},
    {0, 4, "GIF8"},
    {0, 7, "#EXTM3U"},
    {0, 8, "ffconcat"},
    {0, 4, "v=0\n"},
    {0, 5, "v=0\r\n"},
};
static const magic stills[] = {
    {0, 3, "\xff\xd8\xff"}, {0, 8, "\x89PNG\r\n\x1a\n"},
    {8, 4, "WEBP"},         {0, 2, "BM"},
    {0, 4, "II*\0"},        {0, 4, "MM\0*"},
};
/* Brands of ISO files that are pictures, not films; the first READ of them are read. */
static const char *const still_brands[] = {"heic", "heix", "heim", "heis", "mif1",
                                           "avif", "crx ", "jp2 ", "jxl "};
enum { READ = 6 };
static const char *const atoms[] = {"ftyp", "moov", "mdat", "wide", "free",
                                    "skip", "styp", "pnot", "moof", "sidx"};
static const char *const extensions[] = {
    "mp4", "m4v",  "mov", "qt",   "mkv",  "webm", "avi",  "divx", "mpg", "mpeg",  "m1v",
    "m2v", "mpe",  "vob", "ts",   "m2ts", "mts",  "m2t",  "tod",  "mod", "flv",   "f4v",
    "wmv", "asf",  "ogv", "ogm",  "3gp",  "3g2",  "mxf",  "dv",   "rm",  "rmvb",  "wtv",
    "nut", "h264", "264", "avc",  "h265", "265",  "hevc", "ivf",  "y4m", "mjpeg", "mjpg",
    "gif", "insv", "lrv", "braw", "r3d",  "m3u8", "mpd",
};
#define COUNT(a) (sizeof(a) / sizeof *(a))

static int any(const magic *table, size_t count, const uint8_t *head, size_t n)
{
    for (size_t i = 0; i < count; i++)
        if (n >= table[i].at + table[i].n &&
            memcmp(head + table[i].at, table[i].bytes, table[i].n) == 0)
            return 1;
    return 0;
}

/* Sync bytes of a transport stream; the packet may begin anywhere in the first one, as in a cut
 * recording. */
static int is_transport(const uint8_t *head, size_t n)
{
    for (size_t packet = 188; packet <= 192; packet += 4)
        for (size_t at = 0; at < packet && at + 2 * packet < n + 1; at++) {
            if (at + packet >= n) break;
            if (head[at] == 0x47 && head[at + packet] == 0x47 &&
                (at + 2 * packet >= n || head[at + 2 * packet] == 0x47))
                return 1;
        }
    return 0;
}

static int is_branded(const uint8_t *head, size_t n, size_t brands)
{
    if (n < 12 || memcmp(head + 4, "ftyp", 4) != 0) return 0;
    for (size_t i = 0; i < brands; i++)
        if (memcmp(head + 8, still_brands[i], 4) == 0) return 1;
    return 0;
}

/* WebP with its bit for animation. */
static int is_moving_webp(const uint8_t *head, size_t n)
{
    return n > 20 && memcmp(head, "RIFF", 4) == 0 && memcmp(head + 8, "WEBPVP8X", 8) == 0 &&
           (head[20] & 2);
}

int ks_sniff_video(const uint8_t *head, size_t n)
{
    if (is_branded(head, n, COUNT(still_brands))) return 0;
    if (is_moving_webp(head, n)) return 1;
    for (size_t i = 0; n >= 8 && i < COUNT(atoms); i++)
        if (memcmp(head + 4, atoms[i], 4) == 0) return 1;
    return any(films, COUNT(films), head, n) || is_transport(head, n);
}

int ks_sniff_still(const uint8_t *head, size_t n)
{
    return any(stills, COUNT(stills), head, n) || is_branded(head, n, READ);
}

int ks_video_name(const char *path)
{
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    const char *dot = strrchr(name, '.');
    if (!dot || dot == name) return 0;
    for (size_t i = 0; i < COUNT(extensions); i++)
        if (ks_same_word(dot + 1, extensions[i])) return 1;
    return 0;
}

/* Bytes of a text could by chance be those of a film; a text holds no NUL. */
int ks_is_film_file(const char *path)
{
    uint8_t head[KS_SNIFF];
    int fd;
    ssize_t n;

    if (access(path, F_OK) != 0) return 0;
    if (ks_video_name(path)) return 1;
    if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0) return 0;
    n = read(fd, head, sizeof head);
    close(fd);
    return n > 0 && memchr(head, 0, (size_t)n) &&
           (ks_sniff_video(head, (size_t)n) || ks_sniff_still(head, (size_t)n));
}
