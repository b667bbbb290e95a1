/* quarantine.c: a place for what can't be read, so that nothing is thrown away before a person has seen it.
 * Bounded: a dying disk must not fill itself with copies of its damage. */
#include "segment.h"

#include <errno.h>
#include <stdio.h>

#define COPY_BYTES (256u * 1024)

static void quarantine_path(const char *dir, uint64_t first, uint64_t off, const char *suffix,
                            char out[SL_PATH_LEN])
{
    snprintf(out, SL_PATH_LEN, "%s/" SL_QUARANTINE_DIR "/%020llu-%llu%s", dir, (unsigned long long)first,
             (unsigned long long)off, suffix);
}

static int make_dir(const char *dir, char out[SL_PATH_LEN])
{
    snprintf(out, SL_PATH_LEN, "%s/" SL_QUARANTINE_DIR, dir);
    int rc = sl_fs_mkdir(out, 0700);
    return rc == -EEXIST ? 0 : rc;
}

static int has_room(const char *quarantine, uint64_t len, bool *out)
{
    uint64_t files = 0, bytes = len;
    DIR *handle = sl_fs_opendir(quarantine);
    if (!handle) return -errno;
    struct dirent *entry;
    while ((entry = sl_fs_readdir(handle))) {
        char path[SL_PATH_LEN + 256];
        struct stat st;
        snprintf(path, sizeof(path), "%s/%s", quarantine, entry->d_name);
        if (sl_fs_lstat(path, &st) < 0 || !S_ISREG(st.st_mode)) continue;
        files++;
        bytes += (uint64_t)st.st_size;
    }
    sl_fs_closedir(handle);
    *out = files < SL_QUARANTINE_FILES && bytes <= SL_QUARANTINE_BYTES;
    return 0;
}

/* Straight from the file, not through the walk's window: that still holds what the walk needs next. */
static int copy_range(sl_walk *walk, uint64_t off, uint64_t len, int to)
{
    char *piece = sl_alloc(COPY_BYTES);
    int rc = 0;
    for (uint64_t done = 0; done < len && rc == 0;) {
        size_t want = len - done < COPY_BYTES ? (size_t)(len - done) : COPY_BYTES;
        ssize_t n = sl_fs_pread_all(walk->fd, piece, want, (off_t)(off + done));
        if (n == 0) break;
        rc = n < 0 ? (int)n : sl_fs_pwrite_all(to, piece, (size_t)n, (off_t)done);
        done += n < 0 ? 0 : (uint64_t)n;
    }
    sl_free(piece);
    return rc;
}

int64_t sl_quarantine__copy(const char *dir, uint64_t first, sl_walk *walk, uint64_t off, uint64_t len)
{
    char path[SL_PATH_LEN], temporary[SL_PATH_LEN];
    bool room = false;
    struct stat st;
    int rc = make_dir(dir, path);
    if (rc == 0) rc = has_room(path, len, &room);
    if (rc < 0 || !room) return rc;
    quarantine_path(dir, first, off, ".bad", path);
    quarantine_path(dir, first, off, ".bad.new", temporary);
    if (sl_fs_stat(path, &st) == 0) return 0;
    int fd = sl_fs_open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0) return fd;
    rc = copy_range(walk, off, len, fd);
    sl_fs_close(fd);
    if (rc == 0) rc = sl_fs_rename(temporary, path);
    if (rc == 0) return (int64_t)len;
    sl_fs_unlink(temporary);
    return rc;
}

int sl_quarantine__move(const char *dir, uint64_t first)
{
    char from[SL_PATH_LEN], to[SL_PATH_LEN];
    int rc = make_dir(dir, to);
    if (rc < 0) return rc;
    sl_segment__path(dir, first, "", from);
    quarantine_path(dir, first, 0, ".seg", to);
    return sl_fs_rename(from, to);
}
