/* own_faults.c - LD_PRELOAD: the Nth allocation or file operation that the program itself asks
 * for fails once. What a library asks for inside itself is not counted: the caller must lie in
 * the main program
 * (which holds all of our code, linked statically).
 *   FAULT_KIND=alloc|file  FAULT_AT=N (0: none)  FAULT_COUNT=FILE (how many there were, written
 *                          at exit) */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned long from, to;
static long at, seen;
static int allocs, files;
static char count_file[256];

static int main_program(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    (void)arg;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
            from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            to = from + info->dlpi_phdr[i].p_memsz;
        }
    return 1; /* the first one is the program */
}

__attribute__((constructor)) static void start(void)
{
    const char *kind = getenv("FAULT_KIND"), *n = getenv("FAULT_AT"),
               *count = getenv("FAULT_COUNT");
    if (!kind) return;
    dl_iterate_phdr(main_program, NULL);
    at = n ? atol(n) : 0;
    if (count) snprintf(count_file, sizeof count_file, "%s", count);
    allocs = strcmp(kind, "alloc") == 0;
    files = strcmp(kind, "file") == 0;
}

__attribute__((destructor)) static void stop(void)
{
    allocs = files = 0;
    FILE *out = count_file[0] ? fopen(count_file, "w") : NULL;
    if (!out) return;
    fprintf(out, "%ld\n", seen);
    fclose(out);
}

/* The program ends by _exit, which runs no destructor. */
void _exit(int status)
{
    stop();
    syscall(SYS_exit_group, status);
    __builtin_unreachable();
}

static int hit(int on, void *caller, int error)
{
    unsigned long a = (unsigned long)caller;
    if (!on || a < from || a >= to) return 0;
    if (__atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST) != at) return 0;
    errno = error;
    return 1;
}

#define CALLER __builtin_return_address(0)
#define REAL(type, name, ...)                                                                      \
    type (*real)(__VA_ARGS__) = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)
#define ALLOC hit(allocs, CALLER, ENOMEM)
#define FAIL  hit(files, CALLER, EIO)

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);
void *malloc(size_t n) { return ALLOC ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t m) { return ALLOC ? NULL : __libc_calloc(n, m); }
void *realloc(void *p, size_t n) { return ALLOC ? NULL : __libc_realloc(p, n); }
void *aligned_alloc(size_t a, size_t n) { return ALLOC ? NULL : __libc_memalign(a, n); }
int posix_memalign(void **p, size_t a, size_t n)
{
    return ALLOC || !(*p = __libc_memalign(a, n)) ? ENOMEM : 0;
}
char *strdup(const char *s)
{
    if (ALLOC) return NULL;
    size_t n = strlen(s) + 1;
    char *p = __libc_malloc(n);
    return p ? memcpy(p, s, n) : NULL;
}
char *strndup(const char *s, size_t n)
{
    REAL(char *, "strndup", const char *, size_t);
    return ALLOC ? NULL : real(s, n);
}
static int print(int fail, char **out, const char *format, va_list args)
{
    return fail ? -1 : vasprintf(out, format, args);
}
int asprintf(char **out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = print(ALLOC, out, format, args);
    va_end(args);
    return n;
}
int __asprintf_chk(char **out, int flag, const char *format, ...)
{
    va_list args;
    (void)flag;
    va_start(args, format);
    int n = print(ALLOC, out, format, args);
    va_end(args);
    return n;
}

static int opening(const char *name, const char *path, int flags, int mode)
{
    REAL(int, name, const char *, int, ...);
    return real(path, flags, mode);
}
#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, flags);                                                                     \
        int mode = va_arg(args, int);                                                              \
        va_end(args);                                                                              \
        return FAIL ? -1 : opening(#name, path, flags, mode);                                      \
    }
OPEN(open)
OPEN(open64)
ssize_t read(int fd, void *p, size_t n)
{
    REAL(ssize_t, "read", int, void *, size_t);
    return FAIL ? -1 : real(fd, p, n);
}
ssize_t __read_chk(int fd, void *p, size_t n, size_t room)
{
    REAL(ssize_t, "read", int, void *, size_t);
    (void)room;
    return FAIL ? -1 : real(fd, p, n);
}
ssize_t pread(int fd, void *p, size_t n, off_t o)
{
    REAL(ssize_t, "pread", int, void *, size_t, off_t);
    return FAIL ? -1 : real(fd, p, n, o);
}
ssize_t pread64(int fd, void *p, size_t n, off_t o)
{
    REAL(ssize_t, "pread64", int, void *, size_t, off_t);
    return FAIL ? -1 : real(fd, p, n, o);
}
ssize_t __pread_chk(int fd, void *p, size_t n, off_t o, size_t room)
{
    REAL(ssize_t, "pread", int, void *, size_t, off_t);
    (void)room;
    return FAIL ? -1 : real(fd, p, n, o);
}
ssize_t __pread64_chk(int fd, void *p, size_t n, off_t o, size_t room)
{
    REAL(ssize_t, "pread64", int, void *, size_t, off_t);
    (void)room;
    return FAIL ? -1 : real(fd, p, n, o);
}
ssize_t write(int fd, const void *p, size_t n)
{
    REAL(ssize_t, "write", int, const void *, size_t);
    return FAIL ? -1 : real(fd, p, n);
}
ssize_t pwrite(int fd, const void *p, size_t n, off_t o)
{
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    return FAIL ? -1 : real(fd, p, n, o);
}
ssize_t pwrite64(int fd, const void *p, size_t n, off_t o)
{
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t);
    return FAIL ? -1 : real(fd, p, n, o);
}
int fsync(int fd)
{
    REAL(int, "fsync", int);
    return FAIL ? -1 : real(fd);
}
int ftruncate(int fd, off_t n)
{
    REAL(int, "ftruncate", int, off_t);
    return FAIL ? -1 : real(fd, n);
}
int ftruncate64(int fd, off_t n)
{
    REAL(int, "ftruncate64", int, off_t);
    return FAIL ? -1 : real(fd, n);
}
int posix_fallocate(int fd, off_t o, off_t n)
{
    REAL(int, "posix_fallocate", int, off_t, off_t);
    return FAIL ? EIO : real(fd, o, n);
}
int rename(const char *a, const char *b)
{
    REAL(int, "rename", const char *, const char *);
    return FAIL ? -1 : real(a, b);
}
int link(const char *a, const char *b)
{
    REAL(int, "link", const char *, const char *);
    return FAIL ? -1 : real(a, b);
}
int mkdir(const char *a, mode_t m)
{
    REAL(int, "mkdir", const char *, mode_t);
    return FAIL ? -1 : real(a, m);
}
int fstat(int fd, struct stat *s)
{
    REAL(int, "fstat", int, struct stat *);
    return FAIL ? -1 : real(fd, s);
}
int stat(const char *p, struct stat *s)
{
    REAL(int, "stat", const char *, struct stat *);
    return FAIL ? -1 : real(p, s);
}
void *mmap(void *p, size_t n, int prot, int flags, int fd, off_t o)
{
    REAL(void *, "mmap", void *, size_t, int, int, int, off_t);
    return FAIL ? MAP_FAILED : real(p, n, prot, flags, fd, o);
}
FILE *fopen(const char *p, const char *m)
{
    REAL(FILE *, "fopen", const char *, const char *);
    return FAIL ? NULL : real(p, m);
}
size_t fwrite(const void *p, size_t s, size_t n, FILE *f)
{
    REAL(size_t, "fwrite", const void *, size_t, size_t, FILE *);
    return f != stdout && f != stderr && FAIL ? 0 : real(p, s, n, f);
}
size_t fread(void *p, size_t s, size_t n, FILE *f)
{
    REAL(size_t, "fread", void *, size_t, size_t, FILE *);
    return FAIL ? 0 : real(p, s, n, f);
}
int fclose(FILE *f)
{
    REAL(int, "fclose", FILE *);
    int fail = FAIL, n = real(f);
    return fail ? (errno = EIO, EOF) : n;
}
DIR *opendir(const char *p)
{
    REAL(DIR *, "opendir", const char *);
    return FAIL ? NULL : real(p);
}
