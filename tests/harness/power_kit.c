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

/* ---- any subset of what was not synced ---- */

#define SECTOR 512u

static ino_t inode_of(const char *dir, const char *entry, char path[512])
{
    struct stat st;
    snprintf(path, 512, "%.255s/%.63s", dir, entry);
    return lstat(path, &st) == 0 ? st.st_ino : 0;
}

static bool is_durable(const char *entry)
{
    for (size_t i = 0; i < n_names; i++)
        if (strcmp(names[i].name, entry) == 0) return true;
    return false;
}

/* Each sector as it was synced or as it was written last; beyond what was synced, zeros or as it was written.
 */
static void write_mixture(const char *path, const kept *file, const char *now, size_t now_len,
                          uint64_t (*dice)(uint64_t sides))
{
    size_t longest = now_len > file->len ? now_len : file->len;
    size_t len = now_len >= file->len ? file->len + dice(now_len - file->len + 1)
                 : dice(2)            ? now_len
                                      : file->len;
    char *bytes = calloc(1, longest + 1);
    uint64_t odds = dice(3); /* most, half, or few of the new sectors */
    if (file->len) memcpy(bytes, file->bytes, file->len);
    for (size_t at = 0; at < now_len; at += SECTOR) {
        size_t piece = now_len - at < SECTOR ? now_len - at : SECTOR;
        if (dice(4) > odds) memcpy(bytes + at, now + at, piece);
    }
    kit_write_file(path, bytes, len);
    free(bytes);
}

/* `path` may be gone by now: then only what was synced of it can be left. */
static void leave_file(const char *left, const char *entry, ino_t ino, const char *path,
                       uint64_t (*dice)(uint64_t))
{
    char to[512];
    size_t len = 0;
    struct stat st;
    kept *file = find(ino);
    bool there = lstat(path, &st) == 0 && st.st_ino == ino;
    char *now = there ? kit_read_file(path, &len) : NULL;
    snprintf(to, sizeof(to), "%.255s/%.63s", left, entry);
    if (now)
        write_mixture(to, file, now, len, dice);
    else
        kit_write_file(to, file->bytes ? file->bytes : "", file->len);
    free(now);
}

void power_cut_any(const char *dir, uint64_t (*dice)(uint64_t sides), char left[256])
{
    char path[512];
    kit_new_dir(left);
    for (size_t i = 0; i < n_names; i++) {
        ino_t now = inode_of(dir, names[i].name, path);
        if (now == 0 && dice(2)) continue; /* removed, and that is on the disk */
        bool replaced =
            now != 0 && now != names[i].ino && dice(2); /* renamed over, and that is on the disk */
        leave_file(left, names[i].name, replaced ? now : names[i].ino, path, dice);
    }
    DIR *handle = opendir(dir);
    struct dirent *entry;
    while ((entry = readdir(handle))) {
        if (entry->d_type != DT_REG || is_durable(entry->d_name) || dice(2)) continue;
        ino_t ino = inode_of(dir, entry->d_name, path);
        leave_file(left, entry->d_name, ino, path, dice);
    }
    closedir(handle);
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
