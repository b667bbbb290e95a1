/* file_old.c: rotated files beside the one being written.
 *
 * Names, for path /d/app.ndjson: /d/app.ndjson.20261121T093000Z, with -1, -2, … where that is taken, and .gz
 * or .zst when compressed. While a file is compressed its target is called <target>.new; that name is never
 * kept. Order of names is order of time.
 */
#include "file_int.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MAX_PATH_TEXT 4096
#define MAX_OLD_FILES 65536

typedef struct old_file {
    char *path;
    uint64_t size;
    int64_t mtime_ns;
    bool compressed, unfinished;
} old_file;

typedef struct old_files {
    old_file *items;
    size_t count, cap;
} old_files;

static const char *suffix_of(int compress)
{
    static const char *const suffixes[] = {"", ".gz", ".zst"};
    return suffixes[compress];
}

/* ---- listing ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What follows `<base>.`: eight digits, T, six digits, Z, then perhaps a number and what compression adds.
 * Any other name is somebody else's file, which is neither compressed nor removed. */
static bool is_ours(const char *text)
{
    static const char shape[] = "ddddddddTddddddZ";
    static const char *const ends[] = {"", ".gz", ".zst", ".gz.new", ".zst.new"};
    for (size_t i = 0; shape[i]; i++) {
        if (shape[i] == 'd' ? !is_digit(text[i]) : text[i] != shape[i]) return false;
    }
    text += sizeof shape - 1;
    if (text[0] == '-' && is_digit(text[1]))
        for (text++; is_digit(*text);)
            text++;
    for (size_t i = 0; i < SL_LEN(ends); i++) {
        if (strcmp(text, ends[i]) == 0) return true;
    }
    return false;
}

static void split_path(const char *path, char folder[MAX_PATH_TEXT], const char **base)
{
    const char *slash = strrchr(path, '/');
    *base = slash ? slash + 1 : path;
    size_t len = slash ? (slash == path ? 1 : (size_t)(slash - path)) : 1;
    snprintf(folder, MAX_PATH_TEXT, "%.*s", (int)len, slash ? path : ".");
}

static bool ends_with(const char *text, const char *suffix)
{
    return sl_span_ends_with(sl_span_of(text), sl_span_of(suffix));
}

static void take_entry(old_files *files, const char *folder, const char *name)
{
    char path[MAX_PATH_TEXT];
    struct stat st;
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= sizeof path || files->count == MAX_OLD_FILES) return;
    if (sl_fs_lstat(path, &st) < 0 || !S_ISREG(st.st_mode)) return;
    if (files->count == files->cap) {
        files->cap = files->cap ? files->cap * 2 : 16;
        files->items = sl_realloc(files->items, files->cap * sizeof *files->items);
    }
    files->items[files->count++] = (old_file){
        .path = sl_strdup(path),
        .size = (uint64_t)st.st_size,
        .mtime_ns = (int64_t)st.st_mtim.tv_sec * SL_NS_PER_S + st.st_mtim.tv_nsec,
        .compressed = ends_with(name, ".gz") || ends_with(name, ".zst"),
        .unfinished = ends_with(name, ".new"),
    };
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const old_file *)a)->path, ((const old_file *)b)->path);
}

static void list(const char *path, old_files *files)
{
    char folder[MAX_PATH_TEXT];
    const char *base;
    split_path(path, folder, &base);
    size_t base_len = strlen(base);
    DIR *dir = sl_fs_opendir(folder);
    if (!dir) return; /* not made yet */
    for (struct dirent *entry = sl_fs_readdir(dir); entry; entry = sl_fs_readdir(dir)) {
        const char *name = entry->d_name;
        if (strncmp(name, base, base_len) == 0 && name[base_len] == '.' && is_ours(name + base_len + 1))
            take_entry(files, folder, name);
    }
    sl_fs_closedir(dir);
    if (files->count) qsort(files->items, files->count, sizeof *files->items, by_name);
}

static void list_release(old_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        sl_free(files->items[i].path);
    sl_free(files->items);
}

/* ---- compression ---- */

static int compress_one(const file_conf *conf, const char *path, sl_err *err)
{
    char temporary[MAX_PATH_TEXT], final[MAX_PATH_TEXT], folder[MAX_PATH_TEXT];
    const char *base;
    snprintf(final, sizeof final, "%s%s", path, suffix_of(conf->compress));
    int n = snprintf(temporary, sizeof temporary, "%s.new", final);
    if (n < 0 || (size_t)n >= sizeof temporary)
        return sl_err_sys(err, ENAMETOOLONG, "cannot compress %s", path);
    int rc = file_compress(path, temporary, conf->compress);
    if (rc == 0) rc = sl_fs_rename(temporary, final);
    /* The new name must be on the disk before the old one goes from it. */
    split_path(path, folder, &base);
    if (rc == 0) rc = sl_fs_sync_dir(folder);
    if (rc == 0) rc = sl_fs_unlink(path);
    if (rc < 0) {
        sl_fs_unlink(temporary);
        return sl_err_sys(err, -rc, "cannot compress %s", path);
    }
    return 0;
}

/* ---- retention ---- */

/* Newest first; a file goes as soon as one limit is passed. */
static int retain(const file_conf *conf, sl_err *err)
{
    old_files files = {0};
    list(conf->path.ptr, &files);
    uint64_t bytes = 0;
    int64_t kept = 0, now = sl_clock_wall_ns();
    int failed = 0;
    for (size_t i = files.count; i-- > 0;) {
        const old_file *file = &files.items[i];
        if (file->unfinished) continue;
        bytes += file->size;
        kept++;
        bool too_many = conf->keep.count && kept > conf->keep.count;
        bool too_large = conf->keep.size && bytes > conf->keep.size;
        bool too_old = conf->keep.age_ns && now - file->mtime_ns > conf->keep.age_ns;
        if (!too_many && !too_large && !too_old) continue;
        int rc = sl_fs_unlink(file->path);
        if (rc < 0) failed = sl_err_sys(err, -rc, "cannot remove %s", file->path);
    }
    list_release(&files);
    return failed;
}

/* ---- the two calls ---- */

/* One more than the highest number that rotated files of this very second carry: a name that retention has
 * set free is not used again, so that the order of names stays the order of time. */
static unsigned next_number(const char *path, const char *stamped)
{
    old_files files = {0};
    unsigned next = 0;
    size_t len = strlen(stamped);
    list(path, &files);
    for (size_t i = 0; i < files.count; i++) {
        const char *rest = files.items[i].path + len;
        if (strncmp(files.items[i].path, stamped, len) != 0) continue;
        unsigned number = *rest == '-' ? (unsigned)strtoul(rest + 1, NULL, 10) : 0;
        if (number >= next) next = number + 1;
    }
    list_release(&files);
    return next;
}

static int final_name(const char *path, char out[MAX_PATH_TEXT])
{
    char stamp[32], folder[MAX_PATH_TEXT], stamped[MAX_PATH_TEXT];
    const char *base;
    time_t now = (time_t)(sl_clock_wall_ns() / SL_NS_PER_S);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
    split_path(path, folder, &base);
    int n = snprintf(stamped, sizeof stamped, "%s/%s.%s", folder, base, stamp);
    if (n < 0 || n >= MAX_PATH_TEXT - 16) return -ENAMETOOLONG;
    unsigned number = next_number(path, stamped);
    snprintf(out, MAX_PATH_TEXT, number ? "%.*s-%04u" : "%.*s", MAX_PATH_TEXT - 16, stamped, number);
    return 0;
}

int file_old_rotate(const file_conf *conf, sl_err *err)
{
    char name[MAX_PATH_TEXT];
    int rc = final_name(conf->path.ptr, name);
    if (rc == 0) rc = sl_fs_rename(conf->path.ptr, name);
    return rc < 0 ? sl_err_sys(err, -rc, "cannot rotate %s", conf->path.ptr) : 0;
}

int file_old_tidy(const file_conf *conf, sl_err *err)
{
    old_files files = {0};
    int rc = 0;
    list(conf->path.ptr, &files);
    for (size_t i = 0; i < files.count && rc == 0; i++) {
        const old_file *file = &files.items[i];
        if (file->unfinished)
            sl_fs_unlink(file->path);
        else if (conf->compress != FILE_COMPRESS_NONE && !file->compressed)
            rc = compress_one(conf, file->path, err);
    }
    list_release(&files);
    /* Also, and all the more, when there was no room to compress. */
    int kept = retain(conf, rc < 0 ? NULL : err);
    return rc < 0 ? rc : kept;
}
