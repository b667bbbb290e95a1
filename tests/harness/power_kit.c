/* power_kit.c: see the header. */
#include "power_kit.h"
#include "check_main.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_FILES 512

/* By inode. */
typedef struct kept {
    ino_t ino;
    char *bytes; /* as of the last successful fsync */
    size_t len;
    size_t lost_from, lost_to; /* thrown away by a failed fsync */
} kept;

typedef struct name {
    char name[64];
    ino_t ino;
} name;

static kept files[MAX_FILES];
static size_t n_files;
static name names[MAX_FILES];
static size_t n_names;
static sl_fs_ops below, ops;

static kept *find(ino_t ino)
{
    for (size_t i = 0; i < n_files; i++)
        if (files[i].ino == ino) return &files[i];
    ck_assert_uint_lt(n_files, MAX_FILES);
    files[n_files] = (kept){.ino = ino};
    return &files[n_files++];
}

static char *content(int fd, size_t *len)
{
    struct stat st;
    fstat(fd, &st);
    *len = (size_t)st.st_size;
    char *bytes = calloc(1, *len + 1);
    /* the descriptor may be for writing only */
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int own = open(path, O_RDONLY);
    ck_assert_int_ge(own, 0);
    ck_assert_int_eq(pread(own, bytes, *len, 0), (ssize_t)*len);
    close(own);
    return bytes;
}

static void keep(int fd, ino_t ino)
{
    kept *file = find(ino);
    size_t len;
    char *bytes = content(fd, &len);
    size_t to = file->lost_to < len ? file->lost_to : len;
    if (file->lost_from < to) memset(bytes + file->lost_from, 0, to - file->lost_from);
    free(file->bytes);
    file->bytes = bytes;
    file->len = len;
}

static void throw_away(int fd, ino_t ino)
{
    kept *file = find(ino);
    struct stat st;
    fstat(fd, &st);
    if ((size_t)st.st_size <= file->len) return;
    if (file->lost_to <= file->lost_from) file->lost_from = file->len;
    file->lost_to = (size_t)st.st_size;
}

static void keep_names(int fd)
{
    DIR *dir = fdopendir(dup(fd));
    struct dirent *entry;
    rewinddir(dir);
    n_names = 0;
    while ((entry = readdir(dir))) {
        if (entry->d_type != DT_REG || strlen(entry->d_name) >= sizeof(names[0].name)) continue;
        ck_assert_uint_lt(n_names, MAX_FILES);
        strcpy(names[n_names].name, entry->d_name);
        names[n_names++].ino = entry->d_ino;
    }
    closedir(dir);
}

static int watched_fsync(int fd, bool data_only)
{
    struct stat st;
    int rc = below.fsync(fd, data_only);
    fstat(fd, &st);
    if (S_ISDIR(st.st_mode)) {
        if (rc == 0) keep_names(fd);
    } else if (rc == 0) {
        keep(fd, st.st_ino);
    } else {
        throw_away(fd, st.st_ino);
    }
    return rc;
}

/* The inode of a deleted file may be given to a new one. */
static int watched_open(int dir, const char *path, int flags, mode_t mode)
{
    struct stat st;
    bool there = stat(path, &st) == 0;
    int fd = below.open(dir, path, flags, mode);
    if (fd >= 0 && (flags & O_CREAT) && (!there || (flags & O_TRUNC))) {
        fstat(fd, &st);
        kept *file = find(st.st_ino);
        free(file->bytes);
        *file = (kept){.ino = st.st_ino};
    }
    return fd;
}

static void watch(const sl_fs_ops *under)
{
    below = *under;
    ops = below;
    ops.fsync = watched_fsync;
    ops.open = watched_open;
    sl_fs_swap(&ops);
}

static void keep_all(const char *path)
{
    int dir = open(path, O_RDONLY | O_DIRECTORY);
    keep_names(dir);
    for (size_t i = 0; i < n_names; i++) {
        int fd = openat(dir, names[i].name, O_RDONLY);
        keep(fd, names[i].ino);
        close(fd);
    }
    close(dir);
}

void power_begin(const char *dir)
{
    for (size_t i = 0; i < n_files; i++)
        free(files[i].bytes);
    n_files = n_names = 0;
    if (dir) keep_all(dir);
    watch(sl_fs_real());
}

void power_fail(disk_call calls, uint64_t at, uint64_t times, int error)
{
    watch(times ? disk_faulty(calls, at, times, error) : sl_fs_real());
}

void power_end(void)
{
    sl_fs_swap(NULL);
}

void power_cut(char left[256])
{
    kit_new_dir(left);
    for (size_t i = 0; i < n_names; i++) {
        char path[512];
        snprintf(path, sizeof(path), "%.255s/%.63s", left, names[i].name);
        kept *file = find(names[i].ino);
        kit_write_file(path, file->bytes ? file->bytes : "", file->len);
    }
}
